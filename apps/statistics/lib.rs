//! Statistics over temperature readings, and a CRC-32 to protect a block of them, without Rust's standard library.
//! Printing goes through the runtime's printf: a C variadic function, so floats are passed as f64.

#![no_std]

use core::panic::PanicInfo;

extern "C" {
    fn printf(format: *const u8, ...) -> i32;
    fn puts(text: *const u8) -> i32;
}

/// A C string literal: its bytes end with a NUL.
macro_rules! c {
    ($text:literal) => {
        concat!($text, "\0").as_ptr()
    };
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

/// Running mean and variance (Welford's method): no list of readings is kept.
struct Statistics {
    count: u32,
    mean: f64,
    squares: f64,
    lowest: f32,
    highest: f32,
}

impl Statistics {
    const fn new() -> Self {
        Statistics { count: 0, mean: 0.0, squares: 0.0, lowest: f32::INFINITY, highest: f32::NEG_INFINITY }
    }

    fn add(&mut self, reading: f32) {
        self.count += 1;
        let distance = reading as f64 - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (reading as f64 - self.mean);
        self.lowest = self.lowest.min(reading);
        self.highest = self.highest.max(reading);
    }

    fn variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.squares / (self.count - 1) as f64 }
    }
}

static mut STATISTICS: Statistics = Statistics::new();

fn statistics() -> &'static mut Statistics {
    // The module has one thread and no function keeps this reference across a call of another one.
    unsafe { &mut *core::ptr::addr_of_mut!(STATISTICS) }
}

/// Takes one reading in degrees Celsius.
#[no_mangle]
pub extern "C" fn add_reading(celsius: f32) {
    statistics().add(celsius)
}

#[no_mangle]
pub extern "C" fn reading_count() -> u32 {
    statistics().count
}

#[no_mangle]
pub extern "C" fn mean() -> f64 {
    statistics().mean
}

#[no_mangle]
pub extern "C" fn variance() -> f64 {
    statistics().variance()
}

/// CRC-32 (the one of Ethernet and zip) of `length` bytes at `start`.
///
/// # Safety
/// The bytes must lie inside the module's memory.
#[no_mangle]
pub unsafe extern "C" fn crc32(start: *const u8, length: usize) -> u32 {
    let mut crc = u32::MAX;
    for &byte in core::slice::from_raw_parts(start, length) {
        crc ^= byte as u32;
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    const READINGS: [f32; 8] = [21.5, 22.0, 21.75, 23.25, 26.5, 24.0, 22.5, -3.25];
    for reading in READINGS {
        add_reading(reading);
    }
    let text = b"123456789";
    let Statistics { count, lowest, highest, .. } = *statistics();
    unsafe {
        puts(c!("temperature statistics"));
        printf(c!("%u readings, mean %.4f, variance %.4f\n"), count, mean(), variance());
        printf(c!("lowest %.2f, highest %.2f\n"), lowest as f64, highest as f64);
        printf(c!("crc32 %08x\n"), crc32(text.as_ptr(), text.len()));
    }
    0
}
