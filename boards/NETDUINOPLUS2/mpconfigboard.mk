# STM32F405RG (the Pyboard's chip): Cortex-M4F, 1 MiB flash, 128 KiB RAM.
include $(BOARD_DIR)/../emulated.mk

QEMU_ARCH = arm
QEMU_MACHINE = netduinoplus2

CFLAGS += -mthumb -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard
CFLAGS += -DQEMU_SOC_STM32
CFLAGS += -DMICROPY_HW_MCU_NAME='"STM32F405RG"'

LDSCRIPT = mcu/arm/stm32.ld

SRC_BOARD_O = shared/runtime/gchelper_native.o shared/runtime/gchelper_thumb2.o

MPY_CROSS_FLAGS += -march=armv7emsp

# The stack has what the heap and the static data (3 KiB) leave of the RAM. The port checks that
# Python stays within 10 KiB of it; 2 KiB more are for the C functions below the last check and for
# interrupts.
MICROPY_HEAP_SIZE ?= 116736
