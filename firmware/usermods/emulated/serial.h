// The UARTs of the emulated machines: unit 0 is the console, units 1 and 2 are machine.UART(1) and
// (2) where there are any.
#ifndef WAMR_SERIAL_H
#define WAMR_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(QEMU_SOC_VIRT)
#define SERIAL_UNITS (1)
#else
#define SERIAL_UNITS (3)
#endif

// The interrupt of unit n, on the processor's interrupt controller.
extern const uint8_t serial_irq[SERIAL_UNITS];

// Start receiving into a ring buffer of `size` bytes, which stays the caller's.
void serial_open(unsigned unit, uint8_t *buf, size_t size);
void serial_close(unsigned unit);

// How many bytes can be read; the next of them, -1 if there is none.
size_t serial_any(unsigned unit);
int serial_get(unsigned unit);

void serial_put(unsigned unit, const uint8_t *buf, size_t size);

// Called by the unit's interrupt: move what has arrived into the ring buffer.
void serial_interrupt(unsigned unit);

// Implemented by the console: true if this byte is not to be buffered (Ctrl-C).
bool console_intercepts(uint8_t byte);

#endif
