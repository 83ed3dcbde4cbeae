# QEMU's RISC-V machine: RV32IMC, the instruction set of the ESP32-C3 and C6. The heap is that of a
# small chip.
include $(BOARD_DIR)/../emulated.mk

QEMU_ARCH = riscv32
QEMU_MACHINE = virt

# With the newer ISA specification, Debian's compiler takes the 64-bit libgcc for the names that
# the port would use.
RV32_ARCH = rv32imac
AFLAGS += -misa-spec=2.2

CFLAGS += -DQEMU_SOC_VIRT
CFLAGS += -DMICROPY_HW_MCU_NAME='"$(RV32_ARCH)"'

LDSCRIPT = mcu/rv32/virt.ld

SRC_BOARD_O += shared/runtime/gchelper_native.o shared/runtime/gchelper_rv32i.o

MPY_CROSS_FLAGS += -march=rv32imc

MICROPY_HEAP_SIZE ?= 143360

# Machine code that is frozen lies at even addresses, but not by itself: in text the assembler takes
# an alignment of 2 for given, whatever odd number of bytes is before it.
$(BUILD)/frozen_content.o: CFLAGS += -mno-relax '-Daligned(n)=aligned(4)'
