//! What boards offer beyond WAMR, as the C header wa-inc/board.h describes it. Texts end with a NUL.

#[link(wasm_import_module = "env")]
extern "C" {
    pub fn gpio_open(pin: *const u8, mode: i32) -> i32;
    pub fn gpio_read(gpio: i32) -> i32;
    pub fn gpio_write(gpio: i32, level: i32) -> i32;
    pub fn gpio_close(gpio: i32);
    pub fn adc_open(pin: *const u8) -> i32;
    pub fn adc_read(adc: i32) -> i32;
    pub fn adc_close(adc: i32);
    pub fn pwm_open(pin: *const u8, frequency: i32, duty: i32) -> i32;
    pub fn pwm_set(pwm: i32, frequency: i32, duty: i32) -> i32;
    pub fn pwm_close(pwm: i32);
    pub fn i2c_open(bus: *const u8, frequency: i32) -> i32;
    pub fn i2c_read(i2c: i32, address: i32, data: *mut u8, size: usize) -> i32;
    pub fn i2c_write(i2c: i32, address: i32, data: *const u8, size: usize) -> i32;
    pub fn i2c_transfer(i2c: i32, address: i32, out: *const u8, out_size: usize, data: *mut u8, size: usize) -> i32;
    pub fn i2c_close(i2c: i32);
    pub fn spi_open(bus: *const u8, baudrate: i32, mode: i32) -> i32;
    pub fn spi_transfer(spi: i32, out: *const u8, size: usize, data: *mut u8) -> i32;
    pub fn spi_close(spi: i32);
    pub fn display_width() -> i32;
    pub fn display_height() -> i32;
    pub fn display_fill(color: i32);
    pub fn display_pixel(x: i32, y: i32, color: i32);
    pub fn display_line(x: i32, y: i32, x2: i32, y2: i32, color: i32);
    pub fn display_rect(x: i32, y: i32, width: i32, height: i32, color: i32, filled: i32);
    pub fn display_text(text: *const u8, x: i32, y: i32, color: i32);
    pub fn display_show();
    pub fn kv_set(key: *const u8, value: *const u8, size: usize) -> i32;
    pub fn kv_get(key: *const u8, value: *mut u8, size: usize) -> i32;
    pub fn kv_remove(key: *const u8) -> i32;
    pub fn log_write(level: i32, text: *const u8);
}
