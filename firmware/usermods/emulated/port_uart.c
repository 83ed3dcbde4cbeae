// machine.UART(1) and machine.UART(2); included by extmod/machine_uart.c. The emulated lines have
// no speed and no format, so baudrate, bits, parity and stop are accepted and mean nothing.

#include "py/mperrno.h"
#include "py/mphal.h"
#include "serial.h"

#define MICROPY_PY_MACHINE_UART_CLASS_CONSTANTS

typedef struct _machine_uart_obj_t {
    mp_obj_base_t base;
    uint8_t unit;
    bool is_open;
    uint32_t baudrate;
    uint32_t timeout_ms;      // for the first byte
    uint32_t timeout_char_ms; // for each further one
} machine_uart_obj_t;

MP_REGISTER_ROOT_POINTER(void *machine_uart_buffers[SERIAL_UNITS]);

static machine_uart_obj_t machine_uarts[SERIAL_UNITS - 1];

static void mp_machine_uart_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "UART(%u, baudrate=%u, timeout=%u, timeout_char=%u)",
        self->unit, self->baudrate, self->timeout_ms, self->timeout_char_ms);
}

static void mp_machine_uart_init_helper(machine_uart_obj_t *self, size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw_args) {
    enum { ARG_baudrate, ARG_bits, ARG_parity, ARG_stop, ARG_timeout, ARG_timeout_char, ARG_rxbuf };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_baudrate, MP_ARG_INT, {.u_int = 115200} },
        { MP_QSTR_bits, MP_ARG_INT, {.u_int = 8} },
        { MP_QSTR_parity, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE} },
        { MP_QSTR_stop, MP_ARG_INT, {.u_int = 1} },
        { MP_QSTR_timeout, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 0} },
        { MP_QSTR_timeout_char, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 2} },
        { MP_QSTR_rxbuf, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 256} },
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    if (args[ARG_rxbuf].u_int < 32) {
        mp_raise_ValueError(MP_ERROR_TEXT("rxbuf must be at least 32"));
    }
    self->baudrate = args[ARG_baudrate].u_int;
    self->timeout_ms = args[ARG_timeout].u_int;
    self->timeout_char_ms = args[ARG_timeout_char].u_int;
    // One place of the ring stays free.
    size_t size = args[ARG_rxbuf].u_int + 1;
    uint8_t *buf = m_new(uint8_t, size);
    MP_STATE_PORT(machine_uart_buffers)[self->unit] = buf;
    serial_open(self->unit, buf, size);
    self->is_open = true;
}

static mp_obj_t mp_machine_uart_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, true);
    mp_int_t unit = mp_obj_get_int(args[0]);
    if (unit < 1 || unit >= SERIAL_UNITS) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("UART(%d) doesn't exist"), unit);
    }
    machine_uart_obj_t *self = &machine_uarts[unit - 1];
    self->base.type = type;
    self->unit = unit;
    mp_map_t kw_args;
    mp_map_init_fixed_table(&kw_args, n_kw, args + n_args);
    mp_machine_uart_init_helper(self, n_args - 1, args + 1, &kw_args);
    return MP_OBJ_FROM_PTR(self);
}

static void mp_machine_uart_deinit(machine_uart_obj_t *self) {
    serial_close(self->unit);
    MP_STATE_PORT(machine_uart_buffers)[self->unit] = NULL;
    self->is_open = false;
}

static mp_int_t mp_machine_uart_any(machine_uart_obj_t *self) {
    return serial_any(self->unit);
}

static bool mp_machine_uart_txdone(machine_uart_obj_t *self) {
    return true;
}

// True when a byte is there, within the time given.
static bool wait_for_byte(machine_uart_obj_t *self, uint32_t timeout_ms) {
    mp_uint_t start = mp_hal_ticks_ms();
    while (serial_any(self->unit) == 0) {
        if (mp_hal_ticks_ms() - start >= timeout_ms) {
            return false;
        }
        mp_event_wait_ms(1);
    }
    return true;
}

static mp_uint_t mp_machine_uart_read(mp_obj_t self_in, void *buf_in, mp_uint_t size, int *errcode) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    uint8_t *buf = buf_in;
    uint32_t timeout_ms = self->timeout_ms;
    mp_uint_t n = 0;
    while (n < size && self->is_open && wait_for_byte(self, timeout_ms)) {
        buf[n++] = serial_get(self->unit);
        timeout_ms = self->timeout_char_ms;
    }
    if (n == 0 && size != 0) {
        *errcode = self->is_open ? MP_EAGAIN : MP_EBADF;
        return MP_STREAM_ERROR;
    }
    return n;
}

static mp_uint_t mp_machine_uart_write(mp_obj_t self_in, const void *buf, mp_uint_t size, int *errcode) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    serial_put(self->unit, buf, size);
    return size;
}

static mp_uint_t mp_machine_uart_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int *errcode) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (request == MP_STREAM_POLL) {
        mp_uint_t ready = arg & MP_STREAM_POLL_WR;
        if ((arg & MP_STREAM_POLL_RD) && serial_any(self->unit)) {
            ready |= MP_STREAM_POLL_RD;
        }
        return ready;
    }
    if (request == MP_STREAM_FLUSH) {
        return 0;
    }
    *errcode = MP_EINVAL;
    return MP_STREAM_ERROR;
}
