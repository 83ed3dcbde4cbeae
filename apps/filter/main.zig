//! A filter for noisy sensor readings in 16.16 fixed point: no floating point, so it is as fast on a chip without FPU.
//! First a median of three takes out single outliers, then a first-order low-pass smooths what is left.

extern "env" fn printf(format: [*:0]const u8, ...) callconv(.c) c_int;
extern "env" fn puts(text: [*:0]const u8) callconv(.c) c_int;

const fraction_bits = 16;

const Filter = struct {
    recent: [2]i32 = .{ 0, 0 },
    level: i32 = 0,
    weight: i32 = 1 << (fraction_bits - 2),
    started: bool = false,

    /// Takes a reading and returns the filtered level, both in 16.16.
    fn next(self: *Filter, reading: i32) i32 {
        if (!self.started) {
            self.recent = .{ reading, reading };
            self.level = reading;
            self.started = true;
            return reading;
        }
        const middle = median(self.recent[0], self.recent[1], reading);
        self.recent = .{ self.recent[1], reading };
        self.level +%= multiply(middle -% self.level, self.weight);
        return self.level;
    }
};

fn median(a: i32, b: i32, c: i32) i32 {
    return @max(@min(a, b), @min(@max(a, b), c));
}

fn multiply(a: i32, b: i32) i32 {
    return @truncate((@as(i64, a) * b) >> fraction_bits);
}

var filter: Filter = .{};

/// Forgets all readings; `new_weight` (16.16, 0 to 1) says how much of a reading's difference is followed.
export fn reset(new_weight: i32) void {
    filter = .{ .weight = new_weight };
}

/// Filters one reading in 16.16.
export fn next(reading: i32) i32 {
    return filter.next(reading);
}

/// Filters `count` readings in place.
export fn filter_block(readings: [*]i32, count: usize) void {
    for (readings[0..count]) |*reading| reading.* = next(reading.*);
}

export fn main() c_int {
    const degrees = [_]i32{ 20, 21, 20, 22, 85, 21, 22, 23, 24, -40, 24, 25 };
    _ = puts("fixed-point filter");
    reset(1 << (fraction_bits - 1));
    for (degrees) |degree| {
        const level = next(degree << fraction_bits);
        const hundredths: c_int = @intCast((@as(i64, level) * 100) >> fraction_bits);
        _ = printf("%4d -> %d.%02d\n", degree, @divTrunc(hundredths, 100), @rem(hundredths, 100));
    }
    return 0;
}
