//! A publisher: a timer publishes the event alert/overheat every second.

const wamr = @import("wamr_app");

comptime {
    wamr.exportApp(@This());
}

pub const panic = wamr.panic;

var num: c_int = 0;

pub fn onInit() !void {
    _ = try wamr.Timer.create(1000, .{});
}

pub fn onTimer(_: wamr.Timer) void {
    _ = wamr.env.printf("Timer update %d\n", num);
    num += 1;
    publish() catch wamr.log(.err, "no memory for the event");
}

fn publish() !void {
    var buf: [100]u8 = undefined;
    var event = try wamr.Writer.init(&buf, "event");
    try event.set("warning", "temperature is over high");
    try wamr.publish("alert/overheat", event.payload());
}
