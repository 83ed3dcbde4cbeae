//! A server: answers each request to /room_temp with the temperature of the room, which is always 26.5 degrees.

const wamr = @import("wamr_app");

comptime {
    wamr.exportApp(@This());
}

pub const panic = wamr.panic;

pub fn onInit() void {
    wamr.register("/room_temp");
}

pub fn onRequest(request: wamr.Request) void {
    var buf: [200]u8 = undefined;
    respond(request, &buf) catch wamr.log(.err, "no memory for an answer");
}

fn respond(request: wamr.Request, buf: []u8) !void {
    var attributes = try wamr.Writer.init(buf, "room_temp payload");
    try attributes.set("temp unit", "centigrade");
    try attributes.set("value", @as(f32, 26.5));
    try request.respond(.content, attributes.payload());
}
