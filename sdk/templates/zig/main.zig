//! @NAME@: publishes the event @NAME@/tick, and answers requests to /@NAME@.
//!
//!   GET  how many ticks there were, and how many ms are between them
//!   PUT  {"interval": 500} sets that

const wamr = @import("wamr_app");

comptime {
    wamr.exportApp(@This());
}

pub const panic = wamr.panic;

var ticks: i32 = 0;
var interval: u32 = 1000;
var timer: wamr.Timer = undefined;

pub fn onInit() !void {
    timer = try wamr.Timer.create(interval, .{});
    wamr.register("/@NAME@");
}

pub fn onTimer(_: wamr.Timer) void {
    ticks += 1;
    var buf: [100]u8 = undefined;
    const event = describe(&buf) catch return;
    wamr.publish("@NAME@/tick", event.payload()) catch wamr.log(.err, "no memory for the event");
}

pub fn onRequest(request: wamr.Request) void {
    answer(request) catch wamr.log(.err, "no memory for the answer");
}

fn answer(request: wamr.Request) !void {
    var buf: [100]u8 = undefined;
    switch (request.action) {
        .get => try request.respond(.content, (try describe(&buf)).payload()),
        .put => try request.respond(setInterval(request), .{}),
        else => try request.respond(.method_not_allowed, .{}),
    }
}

fn setInterval(request: wamr.Request) wamr.Status {
    const values = request.attributes() orelse return .bad_request;
    // Hosts send every number as a double; this converts it.
    const ms = values.get(u32, "interval") orelse 0;
    if (ms == 0) return .bad_request;
    interval = ms;
    timer.restart(ms);
    return .changed;
}

fn describe(buf: []u8) !wamr.Writer {
    var state = try wamr.Writer.init(buf, "@NAME@");
    try state.set("ticks", ticks);
    try state.set("interval", @as(i32, @intCast(interval)));
    return state;
}
