// The qemu port's configuration, made that of a real board: a clock, a file system, asyncio,
// UARTs.

#include "mpconfigport.h"

#undef MICROPY_PY_SYS_STDIO_BUFFER
#define MICROPY_PY_SYS_STDIO_BUFFER (1)
#undef MICROPY_PY_SELECT
#define MICROPY_PY_SELECT (1)
#undef MICROPY_PY_ASYNCIO
#define MICROPY_PY_ASYNCIO (1)
#undef MICROPY_PY_TIME
#define MICROPY_PY_TIME (1)
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#define MICROPY_PY_TIME_INCLUDEFILE "port_time.c"
#define MICROPY_EPOCH_IS_1970 (1)

#define MICROPY_KBD_EXCEPTION (1)
#define MICROPY_ENABLE_SCHEDULER (1)
#define MICROPY_ENABLE_FINALISER (1)
#define MICROPY_ENABLE_EXTERNAL_IMPORT (1)

#define MICROPY_PY_OS_INCLUDEFILE "port_os.c"
#define MICROPY_PY_OS_URANDOM (1)

// On a console of one UART the application protocol shares it.
#if !defined(QEMU_SOC_VIRT)
#define MICROPY_PY_MACHINE_UART (1)
#define MICROPY_PY_MACHINE_UART_INCLUDEFILE "port_uart.c"
#endif

void board_init(void);
void board_deinit(void);
void console_idle(void);
#define MICROPY_PORT_INIT_FUNC board_init()
#define MICROPY_PORT_DEINIT_FUNC board_deinit()
#define MICROPY_INTERNAL_WFE(timeout_ms) console_idle()
