//! Apps for WAMR's app manager in Zig: requests, responses, events, timers, sensors and connections.
//!
//! An app is a file with some of the functions that exportApp() names; see apps/room_temp/room_temp.zig. Nothing is allocated
//! except, for a moment, the packets that are sent.

const std = @import("std");
const root = @import("root");

/// Type codes of attributes: of 2023 and later (.b), or of 2019 to 2022 (.a), for what this app writes. Both are understood
/// when reading. `pub const wamr_dialect = .a;` in the app's file chooses.
const dialect: enum { a, b } = if (@hasDecl(root, "wamr_dialect")) root.wamr_dialect else .b;

pub const env = struct {
    pub extern "env" fn printf(format: [*:0]const u8, ...) callconv(.c) c_int;
    pub extern "env" fn malloc(size: usize) callconv(.c) ?[*]u8;
    pub extern "env" fn free(block: ?[*]u8) callconv(.c) void;
    extern "env" fn wasm_register_resource(url: [*:0]const u8) callconv(.c) void;
    extern "env" fn wasm_response_send(packet: [*]const u8, size: usize) callconv(.c) i32;
    extern "env" fn wasm_post_request(packet: [*]const u8, size: usize) callconv(.c) void;
    extern "env" fn wasm_sub_event(url: [*:0]const u8) callconv(.c) void;
    extern "env" fn wasm_create_timer(interval: u32, periodic: i32, start: i32) callconv(.c) i32;
    extern "env" fn wasm_timer_destroy(id: i32) callconv(.c) void;
    extern "env" fn wasm_timer_restart(id: i32, interval: u32) callconv(.c) void;
    extern "env" fn wasm_get_sys_tick_ms() callconv(.c) u32;
    extern "env" fn wasm_sensor_open(name: [*:0]const u8, index: i32) callconv(.c) i32;
    extern "env" fn wasm_sensor_config(id: i32, interval: u32, bits: u32, delay: u32) callconv(.c) i32;
    extern "env" fn wasm_sensor_config_with_attr_container(id: i32, config: [*]const u8, size: usize) callconv(.c) i32;
    extern "env" fn wasm_sensor_close(id: i32) callconv(.c) i32;
    extern "env" fn wasm_open_connection(name: [*:0]const u8, args: [*]const u8, size: usize) callconv(.c) i32;
    extern "env" fn wasm_close_connection(handle: i32) callconv(.c) void;
    extern "env" fn wasm_send_on_connection(handle: i32, data: [*]const u8, size: usize) callconv(.c) i32;
    extern "env" fn wasm_config_connection(handle: i32, config: [*]const u8, size: usize) callconv(.c) i32;
    extern "env" fn log_write(level: i32, text: [*:0]const u8) callconv(.c) void;
};

/// What an app has goes to the app manager: those of these functions that are public in `App`.
///
///     onInit() void or !void             the app was installed, or the board restarted
///     onDestroy() void                   it will be removed
///     onRequest(Request) void            for a URL given to register()
///     onEvent(Request) void              for a URL given to subscribe()
///     onResponse(Response) void          to a request of this app, known by its mid
///     onTimer(Timer) void
///     onSensor(Sensor, Attributes) void
///     onConnection(Connection, ?[]const u8) void   data, or null: it was closed
///
/// What they are given is there until they return.
pub fn exportApp(comptime App: type) void {
    const callbacks = struct {
        fn onInit() callconv(.c) void {
            const result = App.onInit();
            if (@typeInfo(@TypeOf(result)) == .error_union) result catch |err| log(.err, @errorName(err));
        }
        fn onDestroy() callconv(.c) void {
            App.onDestroy();
        }
        fn onRequest(packet: [*]const u8, size: usize) callconv(.c) void {
            const request = Request.unpack(packet[0..size]) orelse return;
            if (request.action == .event) {
                if (@hasDecl(App, "onEvent")) App.onEvent(request);
            } else {
                if (@hasDecl(App, "onRequest")) App.onRequest(request);
            }
        }
        fn onResponse(packet: [*]const u8, size: usize) callconv(.c) void {
            App.onResponse(Response.unpack(packet[0..size]) orelse return);
        }
        fn onTimer(id: i32) callconv(.c) void {
            App.onTimer(.{ .id = id });
        }
        fn onSensor(id: i32, reading: [*]const u8, size: usize) callconv(.c) void {
            App.onSensor(.{ .id = id }, Attributes.parse(reading[0..size]) orelse return);
        }
        fn onConnection(handle: i32, data: [*]const u8, size: usize) callconv(.c) void {
            App.onConnection(.{ .handle = handle }, if (size > 0) data[0..size] else null);
        }
    };
    @export(&callbacks.onInit, .{ .name = "on_init" });
    if (@hasDecl(App, "onDestroy")) @export(&callbacks.onDestroy, .{ .name = "on_destroy" });
    if (@hasDecl(App, "onRequest") or @hasDecl(App, "onEvent")) @export(&callbacks.onRequest, .{ .name = "on_request" });
    if (@hasDecl(App, "onResponse")) @export(&callbacks.onResponse, .{ .name = "on_response" });
    if (@hasDecl(App, "onTimer")) @export(&callbacks.onTimer, .{ .name = "on_timer_callback" });
    if (@hasDecl(App, "onSensor")) @export(&callbacks.onSensor, .{ .name = "on_sensor_event" });
    if (@hasDecl(App, "onConnection")) @export(&callbacks.onConnection, .{ .name = "on_connection_data" });
}

/// A panic ends the handler at work.
pub const panic = std.debug.no_panic;

// ---- requests, responses, events

pub const Action = enum(u8) { get = 1, post = 2, put = 3, delete = 4, event = 6, _ };

pub const Status = enum(u8) {
    created = 65,
    deleted = 66,
    valid = 67,
    changed = 68,
    content = 69,
    bad_request = 128,
    unauthorized = 129,
    forbidden = 131,
    not_found = 132,
    method_not_allowed = 133,
    not_acceptable = 134,
    precondition_failed = 140,
    too_large = 141,
    unsupported_media_type = 143,
    internal_server_error = 160,
    not_implemented = 161,
    service_unavailable = 163,
    gateway_timeout = 164,
    _,
};

/// What a payload is.
pub const Format = enum(u16) { none = 0, raw = 98, attributes = 99, _ };

pub const Payload = struct {
    format: Format = .none,
    bytes: []const u8 = "",
};

pub const Error = error{ OutOfMemory, NotAvailable };

pub const Request = struct {
    action: Action,
    mid: u32,
    sender: u32,
    url: []const u8,
    payload: Payload,

    const head = 18;

    fn unpack(packet: []const u8) ?Request {
        if (packet.len < head or packet[0] != 1) return null;
        const rest = packet[head..];
        const url_len = read(u16, packet, 12, .big);
        if (url_len == 0 or url_len > rest.len or rest.len - url_len != read(u32, packet, 14, .big)) return null;
        return .{
            .action = @enumFromInt(packet[1]),
            .mid = read(u32, packet, 4, .big),
            .sender = read(u32, packet, 8, .big),
            .url = rest[0 .. url_len - 1],
            .payload = .{ .format = @enumFromInt(read(u16, packet, 2, .big)), .bytes = rest[url_len..] },
        };
    }

    /// The attributes of the payload; null: it is something else.
    pub fn attributes(self: Request) ?Attributes {
        return if (self.payload.format == .attributes) Attributes.parse(self.payload.bytes) else null;
    }

    /// Whether the URL is this one, or below it.
    pub fn matches(self: Request, prefix: []const u8) bool {
        const url = trim(self.url);
        const wanted = trim(prefix);
        if (!std.mem.startsWith(u8, url, wanted)) return false;
        return url.len == wanted.len or url[wanted.len] == '/' or url[wanted.len] == '?';
    }

    pub fn respond(self: Request, status: Status, payload: Payload) Error!void {
        const packet = try pack(16, @intFromEnum(status), self.mid, self.sender, "", payload);
        defer env.free(packet.ptr);
        write(u32, packet, 12, @intCast(payload.bytes.len), .big);
        _ = env.wasm_response_send(packet.ptr, packet.len);
    }
};

fn trim(url: []const u8) []const u8 {
    return if (url.len > 0 and url[0] == '/') url[1..] else url;
}

pub const Response = struct {
    status: Status,
    mid: u32,
    payload: Payload,

    fn unpack(packet: []const u8) ?Response {
        if (packet.len < 16 or packet[0] != 1 or read(u32, packet, 12, .big) != packet.len - 16) return null;
        return .{
            .status = @enumFromInt(packet[1]),
            .mid = read(u32, packet, 4, .big),
            .payload = .{ .format = @enumFromInt(read(u16, packet, 2, .big)), .bytes = packet[16..] },
        };
    }

    pub fn attributes(self: Response) ?Attributes {
        return if (self.payload.format == .attributes) Attributes.parse(self.payload.bytes) else null;
    }
};

/// Requests to `url` and below it come to onRequest().
pub fn register(url: [*:0]const u8) void {
    env.wasm_register_resource(url);
}

/// Events published with exactly this URL come to onEvent().
pub fn subscribe(url: [*:0]const u8) void {
    env.wasm_sub_event(url);
}

pub fn publish(url: []const u8, payload: Payload) Error!void {
    _ = try send(.event, url, payload);
}

/// Send a request. The response with the mid that this returns comes to onResponse(); nobody may answer.
pub fn send(action: Action, url: []const u8, payload: Payload) Error!u32 {
    const counter = struct {
        var last: u32 = 0;
    };
    const packet = try pack(Request.head, @intFromEnum(action), counter.last + 1, 0, url, payload);
    defer env.free(packet.ptr);
    counter.last += 1;
    write(u16, packet, 12, @intCast(url.len + 1), .big);
    write(u32, packet, 14, @intCast(payload.bytes.len), .big);
    env.wasm_post_request(packet.ptr, packet.len);
    return counter.last;
}

// The fields that requests and responses begin with; a request has its URL, which ends with a NUL, before its payload.
fn pack(head: usize, kind: u8, mid: u32, peer: u32, url: []const u8, payload: Payload) Error![]u8 {
    const text = if (head == Request.head) url.len + 1 else 0;
    const size = head + text + payload.bytes.len;
    const packet = (env.malloc(size) orelse return error.OutOfMemory)[0..size];
    packet[0] = 1;
    packet[1] = kind;
    write(u16, packet, 2, @intFromEnum(payload.format), .big);
    write(u32, packet, 4, mid, .big);
    write(u32, packet, 8, peer, .big);
    @memcpy(packet[head..][0..url.len], url);
    if (text > 0) packet[head + url.len] = 0;
    @memcpy(packet[head + text ..], payload.bytes);
    return packet;
}

// ---- attributes

const Kind = enum { int8, int16, int32, int64, uint8, uint16, uint32, uint64, float, double, bool, string, bytes };

// The codes of the two dialects, in the order of Kind; 255: there is no such type.
const codes_a = [_]u8{ 4, 1, 2, 3, 255, 5, 255, 255, 6, 7, 8, 9, 10 };
const codes_b = [_]u8{ 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14 };
const codes = if (dialect == .a) codes_a else codes_b;

fn kindOf(code: u8, is_a: bool) ?Kind {
    const known = if (is_a) &codes_a else &codes_b;
    for (known, 0..) |one, i| if (one == code) return @enumFromInt(i);
    return null;
}

/// Attributes being written into memory that the caller has: `var buf: [200]u8 = undefined;`. Each key is set once.
pub const Writer = struct {
    buf: []u8,
    len: usize,
    count: usize, // where the number of attributes stands

    pub fn init(buf: []u8, tag: []const u8) Error!Writer {
        const len = 11 + tag.len;
        if (buf.len < len) return error.OutOfMemory;
        @memset(buf[0..len], 0);
        write(u16, buf, 6, @intCast(tag.len + 1), .little);
        @memcpy(buf[8..][0..tag.len], tag);
        return .{ .buf = buf, .len = len, .count = len - 2 };
    }

    /// The type of the value decides that of the attribute: i8 to u64, f32, f64, bool, or text.
    pub fn set(self: *Writer, key: []const u8, value: anytype) Error!void {
        const T = @TypeOf(value);
        switch (T) {
            f32 => try self.add(key, .float, std.mem.asBytes(&value)),
            f64 => try self.add(key, .double, std.mem.asBytes(&value)),
            bool => try self.add(key, .bool, &.{@intFromBool(value)}),
            i8, i16, i32, i64, u8, u16, u32, u64 => {
                const kind = comptime switch (T) {
                    i8 => Kind.int8,
                    i16 => Kind.int16,
                    i32 => Kind.int32,
                    i64 => Kind.int64,
                    u8 => Kind.uint8,
                    u16 => Kind.uint16,
                    u32 => Kind.uint32,
                    else => Kind.uint64,
                };
                if (comptime codes[@intFromEnum(kind)] == 255) @compileError("this dialect has no " ++ @tagName(kind));
                try self.add(key, kind, std.mem.asBytes(&value));
            },
            else => try self.add(key, .string, value),
        }
    }

    pub fn setBytes(self: *Writer, key: []const u8, value: []const u8) Error!void {
        try self.add(key, .bytes, value);
    }

    fn add(self: *Writer, key: []const u8, kind: Kind, value: []const u8) Error!void {
        const head: usize = switch (kind) {
            .string => 2,
            .bytes => 4,
            else => 0,
        };
        const nul: usize = @intFromBool(kind == .string);
        const item = self.buf[self.len..];
        const size = key.len + 4 + head + value.len + nul;
        if (item.len < size) return error.OutOfMemory;
        write(u16, item, 0, @intCast(key.len + 1), .little);
        @memcpy(item[2..][0..key.len], key);
        item[key.len + 2] = 0;
        item[key.len + 3] = codes[@intFromEnum(kind)];
        const rest = item[key.len + 4 ..];
        if (head == 2) write(u16, rest, 0, @intCast(value.len + 1), .little);
        if (head == 4) write(u32, rest, 0, @intCast(value.len), .little);
        @memcpy(rest[head..][0..value.len], value);
        if (nul > 0) rest[head + value.len] = 0;
        self.len += size;
        write(u16, self.buf, self.count, read(u16, self.buf, self.count, .little) + 1, .little);
    }

    pub fn payload(self: *const Writer) Payload {
        write(u32, self.buf, 2, @intCast(self.len - 2), .little);
        return .{ .format = .attributes, .bytes = self.buf[0..self.len] };
    }
};

/// Attributes that came with a request, an event or a reading.
pub const Attributes = struct {
    data: []const u8,
    first: usize,

    pub fn parse(data: []const u8) ?Attributes {
        if (data.len < 11) return null;
        const first = @as(usize, read(u16, data, 6, .little)) + 10;
        return if (first > 10 and first <= data.len) .{ .data = data, .first = first } else null;
    }

    pub fn tag(self: Attributes) []const u8 {
        return self.data[8 .. self.first - 3];
    }

    const Item = struct { name: []const u8, code: u8, value: []const u8 };

    // Goes through the attributes.
    const Walk = struct {
        rest: []const u8,
        count: u16,
        is_a: bool,

        fn next(self: *Walk) ?Item {
            if (self.count == 0 or self.rest.len < 4) return null;
            self.count -= 1;
            var rest = self.rest;
            const key_len = read(u16, rest, 0, .little);
            if (key_len == 0 or rest.len < @as(usize, key_len) + 3) return null;
            const name = rest[2..][0 .. key_len - 1];
            const code = rest[key_len + 2];
            rest = rest[key_len + 3 ..];
            var size = @as(usize, 1) << @intCast(code & 3);
            if (code == 9 or code == 13) {
                if (rest.len < 2) return null;
                size = read(u16, rest, 0, .little);
                rest = rest[2..];
            } else if (code == 14 or (code == 10 and self.is_a)) {
                if (rest.len < 4) return null;
                size = read(u32, rest, 0, .little);
                rest = rest[4..];
            }
            if (rest.len < size) return null;
            self.rest = rest[size..];
            return .{ .name = name, .code = code, .value = rest[0..size] };
        }
    };

    fn walk(self: Attributes, is_a: bool) Walk {
        return .{ .rest = self.data[self.first..], .count = read(u16, self.data, self.first - 2, .little), .is_a = is_a };
    }

    // The dialect, as the first type tells that only one has.
    fn isA(self: Attributes) bool {
        var items = self.walk(dialect == .a);
        while (items.next()) |item| switch (item.code) {
            8, 9 => return true,
            0, 11...14 => return false,
            else => {},
        };
        return dialect == .a;
    }

    const Found = struct { kind: Kind, value: []const u8 };

    fn find(self: Attributes, key: []const u8) ?Found {
        const is_a = self.isA();
        var items = self.walk(is_a);
        while (items.next()) |item|
            if (std.mem.eql(u8, item.name, key))
                return .{ .kind = kindOf(item.code, is_a) orelse return null, .value = item.value };
        return null;
    }

    /// A number or bool, converted to T from whatever type it was sent as (hosts send doubles); out of range: the nearest.
    pub fn get(self: Attributes, comptime T: type, key: []const u8) ?T {
        const found = self.find(key) orelse return null;
        const v = found.value;
        return switch (found.kind) {
            .int8 => convert(T, @as(i8, @bitCast(v[0]))),
            .int16 => convert(T, read(i16, v, 0, .little)),
            .int32 => convert(T, read(i32, v, 0, .little)),
            .int64 => convert(T, read(i64, v, 0, .little)),
            .uint8, .bool => convert(T, v[0]),
            .uint16 => convert(T, read(u16, v, 0, .little)),
            .uint32 => convert(T, read(u32, v, 0, .little)),
            .uint64 => convert(T, read(u64, v, 0, .little)),
            .float => convert(T, @as(f32, @bitCast(read(u32, v, 0, .little)))),
            .double => convert(T, @as(f64, @bitCast(read(u64, v, 0, .little)))),
            .string, .bytes => null,
        };
    }

    fn convert(comptime T: type, value: anytype) T {
        const is_float = @typeInfo(@TypeOf(value)) == .float;
        if (T == bool) return value != 0;
        if (@typeInfo(T) == .float) return if (is_float) @floatCast(value) else @floatFromInt(value);
        return std.math.lossyCast(T, value);
    }

    /// Text, or the bytes of a byte array.
    pub fn text(self: Attributes, key: []const u8) ?[]const u8 {
        const found = self.find(key) orelse return null;
        return switch (found.kind) {
            .string => if (found.value.len > 0) found.value[0 .. found.value.len - 1] else null,
            .bytes => found.value,
            else => null,
        };
    }
};

fn read(comptime T: type, data: []const u8, at: usize, endian: std.builtin.Endian) T {
    return std.mem.readInt(T, data[at..][0..@sizeOf(T)], endian);
}

fn write(comptime T: type, data: []u8, at: usize, value: T, endian: std.builtin.Endian) void {
    std.mem.writeInt(T, data[at..][0..@sizeOf(T)], value, endian);
}

// ---- timers, sensors, connections

pub const Timer = struct {
    id: i32,

    pub const Options = struct { periodic: bool = true, start: bool = true };

    pub fn create(interval_ms: u32, options: Options) Error!Timer {
        const id = env.wasm_create_timer(interval_ms, @intFromBool(options.periodic), @intFromBool(options.start));
        return if (id > 0) .{ .id = id } else error.NotAvailable;
    }

    /// Stop it for good.
    pub fn destroy(self: Timer) void {
        env.wasm_timer_destroy(self.id);
    }

    /// An interval of 0: the one it had.
    pub fn restart(self: Timer, interval_ms: u32) void {
        env.wasm_timer_restart(self.id, interval_ms);
    }
};

/// ms since the board was started.
pub fn ticks() u32 {
    return env.wasm_get_sys_tick_ms();
}

pub const Sensor = struct {
    id: i32,

    pub fn open(name: [*:0]const u8, index: u16) Error!Sensor {
        const id = env.wasm_sensor_open(name, index);
        return if (id > 0) .{ .id = id } else error.NotAvailable;
    }

    /// bits: which values of a reading are wanted; 0: all.
    pub fn configure(self: Sensor, interval_ms: u32, bits: u32) Error!void {
        if (env.wasm_sensor_config(self.id, interval_ms, bits, 0) == 0) return error.NotAvailable;
    }

    pub fn configureWith(self: Sensor, config: Payload) Error!void {
        if (env.wasm_sensor_config_with_attr_container(self.id, config.bytes.ptr, config.bytes.len) == 0)
            return error.NotAvailable;
    }

    pub fn close(self: Sensor) void {
        _ = env.wasm_sensor_close(self.id);
    }
};

pub const Connection = struct {
    handle: i32,

    /// name and arguments: "TCP" with address (text) and port (u16); "UDP" with "bind port" (u16); "UART" with device (text)
    /// and baudrate (i32).
    pub fn open(name: [*:0]const u8, arguments: Payload) Error!Connection {
        const handle = env.wasm_open_connection(name, arguments.bytes.ptr, arguments.bytes.len);
        return if (handle > 0) .{ .handle = handle } else error.NotAvailable;
    }

    /// How many bytes were taken. Does not wait.
    pub fn transmit(self: Connection, data: []const u8) Error!usize {
        const n = env.wasm_send_on_connection(self.handle, data.ptr, data.len);
        return if (n >= 0) @intCast(n) else error.NotAvailable;
    }

    /// UDP: where to send, address (text) and port (u16).
    pub fn configure(self: Connection, config: Payload) Error!void {
        if (env.wasm_config_connection(self.handle, config.bytes.ptr, config.bytes.len) == 0) return error.NotAvailable;
    }

    pub fn close(self: Connection) void {
        env.wasm_close_connection(self.handle);
    }
};

// ---- log

pub const Level = enum(i32) { err, warn, info, debug };

pub fn log(level: Level, text: [*:0]const u8) void {
    env.log_write(@intFromEnum(level), text);
}
