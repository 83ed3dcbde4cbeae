// The console: buffered input with Ctrl-C, and waiting for it without using the host's processor.

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/interrupt_char.h"
#include "clock.h"
#include "interrupts.h"
#include "serial.h"
#include "uart.h"

static uint8_t input[260];

void __real_uart_init(void);

// The first thing that the port calls, and the place where the board is set up.
void __wrap_uart_init(void) {
    __real_uart_init();
    interrupts_init();
    clock_init();
    serial_open(0, input, sizeof(input));
}

bool console_intercepts(uint8_t byte) {
    if (byte != mp_interrupt_char) {
        return false;
    }
    mp_sched_keyboard_interrupt();
    return true;
}

// The port asks for a byte in a loop, so this is also where it waits and where Ctrl-C ends a read.
int __wrap_uart_rx_chr(void) {
    int byte = serial_get(0);
    if (byte < 0) {
        mp_event_wait_ms(1);
    }
    return byte;
}

uintptr_t __wrap_mp_hal_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ready = poll_flags & MP_STREAM_POLL_WR;
    if ((poll_flags & MP_STREAM_POLL_RD) && serial_any(0)) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

// MicroPython's hook for having nothing to do (MICROPY_INTERNAL_WFE). What arrives between the
// look and the wait ends the wait.
void console_idle(void) {
    uint32_t state = interrupts_off();
    if (serial_any(0) == 0 && MP_STATE_MAIN_THREAD(mp_pending_exception) == MP_OBJ_NULL) {
        interrupts_wait();
    }
    interrupts_restore(state);
}
