// What boards offer beyond WAMR: pins, analog inputs and outputs, buses, a display, storage, log.
//
// Numbers from 1 stand for what was opened. Functions that return int return -1 when something is wrong: no such pin, nobody
// answers, … A setting of the board may forbid an app to use some of them; calling them then ends the handler at work.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

// A function that the board's owner has added in Python: WAMR_IMPORT(read_fuel_gauge) int read_fuel_gauge(int tank);
#define WAMR_IMPORT(name) __attribute__((import_module("env"), import_name(#name)))

// ---- pins: a number, or a name such as "A5" or "LED"

enum { GPIO_INPUT, GPIO_OUTPUT, GPIO_INPUT_UP, GPIO_INPUT_DOWN, GPIO_OPEN_DRAIN };
int gpio_open(const char *pin, int mode);
int gpio_read(int gpio);
int gpio_write(int gpio, int level);
void gpio_close(int gpio);

// ---- analog inputs (0 to 65535) and PWM outputs (frequency in Hz, duty 0 to 65535)

int adc_open(const char *pin);
int adc_read(int adc);
void adc_close(int adc);
int pwm_open(const char *pin, int frequency, int duty);
int pwm_set(int pwm, int frequency, int duty);
void pwm_close(int pwm);

// ---- buses, named by their number; the functions return how many bytes were moved

int i2c_open(const char *bus, int frequency);
int i2c_read(int i2c, int address, void *data, int size);
int i2c_write(int i2c, int address, const void *data, int size);
// Writes, then reads without a stop in between.
int i2c_transfer(int i2c, int address, const void *out, int out_size, void *in, int in_size);
void i2c_close(int i2c);
int spi_open(const char *bus, int baudrate, int mode);
// `in` has as many bytes as `out`, and may be the same.
int spi_transfer(int spi, const void *out, int size, void *in);
void spi_close(int spi);

// ---- display: pixels from the top left; 0 x 0 when there is none. What is drawn is seen after display_show().

int display_width(void);
int display_height(void);
void display_fill(int color);
void display_pixel(int x, int y, int color);
void display_line(int x, int y, int x2, int y2, int color);
void display_rect(int x, int y, int width, int height, int color, int filled);
void display_text(const char *text, int x, int y, int color);
void display_show(void);

// ---- storage: small values that are there after a restart, up to 32 keys of 1024 bytes for each app

int kv_set(const char *key, const void *value, int size);
// The size of the value, of which at most `size` bytes are copied; -1: no such key.
int kv_get(const char *key, void *value, int size);
int kv_remove(const char *key);

// ---- lines in the board's log

enum { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DETAIL };
void log_write(int level, const char *text);

#ifdef __cplusplus
}
#endif
