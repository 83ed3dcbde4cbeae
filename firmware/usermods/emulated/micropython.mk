# The C that turns MicroPython's bare qemu port into a board with a clock, interrupts, UARTs and a
# flash disk.
EMULATED_DIR := $(USERMOD_DIR)

SRC_USERMOD_C += $(addprefix $(EMULATED_DIR)/, boot.c clock.c console.c interrupts.c semihost.c serial.c)
CFLAGS_USERMOD += -I$(EMULATED_DIR)

# The port's own functions are replaced or extended from outside, so that its source stays as it
# is.
LDFLAGS_USERMOD += -Wl,--wrap=uart_init -Wl,--wrap=uart_rx_chr -Wl,--wrap=mp_hal_stdio_poll
ifeq ($(QEMU_ARCH),arm)
LDFLAGS_USERMOD += -Wl,-T,$(EMULATED_DIR)/arm.ld
endif
