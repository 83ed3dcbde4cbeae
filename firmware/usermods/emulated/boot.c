// What happens when MicroPython starts, as on real boards: the file system is mounted by frozen
// code, then boot.py and main.py run.

#include "py/runtime.h"
#include "shared/runtime/pyexec.h"
#include "serial.h"

// MICROPY_PORT_INIT_FUNC: the interpreter has just been initialised, at power on and after each
// soft reset.
void board_init(void) {
    pyexec_frozen_module("_boot.py", false);
    pyexec_file_if_exists("boot.py");
    if (pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL) {
        pyexec_file_if_exists("main.py");
    }
}

// MICROPY_PORT_DEINIT_FUNC: the UARTs' buffers are on the heap that is about to be reused.
void board_deinit(void) {
    for (unsigned unit = 1; unit < SERIAL_UNITS; ++unit) {
        serial_close(unit);
    }
}
