//! Timers, sensors and connections: numbers by which the board knows them.

use crate::{terminated, NotAvailable, Payload, Result};

#[link(wasm_import_module = "env")]
extern "C" {
    fn wasm_create_timer(interval: u32, periodic: i32, start: i32) -> i32;
    fn wasm_timer_destroy(id: i32);
    fn wasm_timer_restart(id: i32, interval: u32);
    fn wasm_get_sys_tick_ms() -> u32;
    fn wasm_sensor_open(name: *const u8, index: i32) -> i32;
    fn wasm_sensor_config(id: i32, interval: u32, bits: u32, delay: u32) -> i32;
    fn wasm_sensor_config_with_attr_container(id: i32, config: *const u8, size: usize) -> i32;
    fn wasm_sensor_close(id: i32) -> i32;
    fn wasm_open_connection(name: *const u8, arguments: *const u8, size: usize) -> i32;
    fn wasm_close_connection(handle: i32);
    fn wasm_send_on_connection(handle: i32, data: *const u8, size: usize) -> i32;
    fn wasm_config_connection(handle: i32, config: *const u8, size: usize) -> i32;
}

fn opened(number: i32) -> Result<i32> {
    if number > 0 {
        Ok(number)
    } else {
        Err(NotAvailable)
    }
}

fn done(ok: i32) -> Result<()> {
    opened(ok).map(|_| ())
}

/// ms since the board was started.
pub fn ticks_ms() -> u32 {
    unsafe { wasm_get_sys_tick_ms() }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    #[doc(hidden)]
    pub id: i32,
}

impl Timer {
    /// A timer that runs, and fires again and again.
    pub fn every(interval_ms: u32) -> Result<Timer> {
        opened(unsafe { wasm_create_timer(interval_ms, 1, 1) }).map(|id| Timer { id })
    }

    /// A timer that runs, and fires once.
    pub fn after(delay_ms: u32) -> Result<Timer> {
        opened(unsafe { wasm_create_timer(delay_ms, 0, 1) }).map(|id| Timer { id })
    }

    /// An interval of 0: the one it had.
    pub fn restart(self, interval_ms: u32) {
        unsafe { wasm_timer_restart(self.id, interval_ms) }
    }

    /// Stop it for good.
    pub fn cancel(self) {
        unsafe { wasm_timer_destroy(self.id) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensor {
    #[doc(hidden)]
    pub id: i32,
}

impl Sensor {
    /// The name must end with a NUL.
    pub fn open(name: &str, index: i32) -> Result<Sensor> {
        opened(unsafe { wasm_sensor_open(terminated(name), index) }).map(|id| Sensor { id })
    }

    /// bits: which values of a reading are wanted; 0: all.
    pub fn configure(self, interval_ms: u32, bits: u32) -> Result<()> {
        done(unsafe { wasm_sensor_config(self.id, interval_ms, bits, 0) })
    }

    pub fn configure_with(self, config: Payload<'_>) -> Result<()> {
        done(unsafe { wasm_sensor_config_with_attr_container(self.id, config.bytes.as_ptr(), config.bytes.len()) })
    }

    pub fn close(self) {
        unsafe { wasm_sensor_close(self.id) };
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    #[doc(hidden)]
    pub handle: i32,
}

impl Connection {
    /// "TCP\0" with address (text) and port (u16); "UDP\0" with "bind port" (u16); "UART\0" with device (text) and
    /// baudrate (i32).
    pub fn open(name: &str, arguments: Payload<'_>) -> Result<Connection> {
        let (args, size) = (arguments.bytes.as_ptr(), arguments.bytes.len());
        opened(unsafe { wasm_open_connection(terminated(name), args, size) }).map(|handle| Connection { handle })
    }

    /// How many bytes were taken. Does not wait.
    pub fn send(self, data: &[u8]) -> Result<usize> {
        let n = unsafe { wasm_send_on_connection(self.handle, data.as_ptr(), data.len()) };
        usize::try_from(n).map_err(|_| NotAvailable)
    }

    /// UDP: where to send, address (text) and port (u16).
    pub fn configure(self, config: Payload<'_>) -> Result<()> {
        done(unsafe { wasm_config_connection(self.handle, config.bytes.as_ptr(), config.bytes.len()) })
    }

    pub fn close(self) {
        unsafe { wasm_close_connection(self.handle) }
    }
}
