"""The kernels compiled by gcc -O2, the reference: instructions of an iteration, counted exactly.

RV32 and ARMv6-M code runs in unicorn, x64 code under valgrind.
"""

from __future__ import annotations

import re
import struct
import subprocess
import tempfile
from pathlib import Path

import kernels
import unicorn
from unicorn import arm_const as arm
from unicorn import riscv_const as riscv

X64_GCC = "gcc -O2 -fno-tree-vectorize -ffp-contract=off".split()
RV32_GCC = (
    "riscv64-unknown-elf-gcc --specs=picolibc.specs -march=rv32imc -mabi=ilp32 -O2 "
    "-ffp-contract=off -nostdlib -Wl,--entry=run "
    "-Wl,--defsym=__flash=0x10000,--defsym=__flash_size=0x40000 "
    "-Wl,--defsym=__ram=0x50000,--defsym=__ram_size=0x30000"
).split()

ARMV6M_GCC = (
    "arm-none-eabi-gcc -mcpu=cortex-m0plus -mthumb -O2 -ffp-contract=off -ffreestanding -nostdlib "
    "-Wl,--entry=run -Wl,-Ttext=0x10000 -Wl,-Tdata=0x50000 -Wl,-Tbss=0x60000"
).split()

MAIN = """
#include <stdint.h>
#include <stdio.h>
int32_t run(int32_t n);
int main(void) { int n; if (scanf("%d", &n)) printf("%u\\n", (unsigned)run(n)); }
"""


def compiled(command: list[str], folder: str, *more: str) -> Path:
    """A program made of these sources and libraries."""
    out = Path(folder) / "program"
    subprocess.run([*command, *more, "-o", out], check=True)
    return out


def valgrind(command: list[str], n: int) -> tuple[int, int]:
    """Instructions of a process that reads n and prints run(n), and that number.

    It must not know n earlier than need be: what is then the same costs the same.
    """
    options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run(
        ["valgrind", *options, *command],
        input=f"{n}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    counted = re.search(r"I +refs: +([\d,]+)", done.stderr)
    if not counted:
        raise ValueError(f"valgrind counted nothing: {done.stderr}")
    return int(counted[1].replace(",", "")), int(done.stdout.split()[-1])


def per_iteration(command: list[str], kernel: str) -> int:
    """Instructions of an iteration: run(3) without run(1), halved."""
    found = []
    for n in (1, 3):
        instructions, result = valgrind(command, n)
        if n == 1 and result != kernels.checksums(kernel)[0]:
            raise ValueError(f"{command[0]} computes {kernel} wrongly: {result}")
        found.append(instructions)
    return (found[1] - found[0]) // 2


def x64(kernel: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        main = Path(folder) / "main.c"
        main.write_text(MAIN)
        source = str(kernels.FOLDER / f"{kernel}.c")
        return per_iteration([str(compiled(X64_GCC, folder, source, str(main)))], kernel)


def bare(kernel: str, command: list[str], processor: type[Processor]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        source = str(kernels.FOLDER / f"{kernel}.c")
        program = compiled(command, folder, source, "-lc", "-lgcc").read_bytes()
    machine = Machine(program, processor)
    used = []
    for n, checksum in zip((1, 3), kernels.checksums(kernel)):
        instructions, result = machine.run(n)
        if result != checksum:
            raise ValueError(f"{command[0]} computes {kernel} wrongly: {result}")
        used.append(instructions)
    return (used[1] - used[0]) // 2


def rv32(kernel: str) -> int:
    return bare(kernel, RV32_GCC, RiscV)


def armv6m(kernel: str) -> int:
    return bare(kernel, ARMV6M_GCC, Thumb)


class Processor:
    """What differs between the processors that are emulated."""

    ARCH = MODE = SP = RETURN_ADDRESS = FIRST = 0
    THUMB = 0  # what an address to jump to has in its lowest bit

    @staticmethod
    def is_long(code: bytes, at: int) -> bool:
        """Whether the instruction there has four bytes, and not two."""
        raise NotImplementedError


class RiscV(Processor):
    ARCH = unicorn.UC_ARCH_RISCV
    MODE = unicorn.UC_MODE_RISCV32
    SP = riscv.UC_RISCV_REG_SP
    RETURN_ADDRESS = riscv.UC_RISCV_REG_RA
    FIRST = riscv.UC_RISCV_REG_A0

    @staticmethod
    def is_long(code: bytes, at: int) -> bool:
        return code[at] & 3 == 3


class Thumb(Processor):
    ARCH = unicorn.UC_ARCH_ARM
    MODE = unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
    SP = arm.UC_ARM_REG_SP
    RETURN_ADDRESS = arm.UC_ARM_REG_LR
    FIRST = arm.UC_ARM_REG_R0
    THUMB = 1

    @staticmethod
    def is_long(code: bytes, at: int) -> bool:
        return code[at + 1] >= 0xE8


class Counter:
    """Counts the instructions that an emulated processor executes."""

    def __init__(self, uc: unicorn.Uc, processor: type[Processor]) -> None:
        self.executed = 0
        self.is_long = processor.is_long
        self.blocks: dict[tuple[int, int], int] = {}
        uc.hook_add(unicorn.UC_HOOK_BLOCK, self._block)

    def _block(self, uc: unicorn.Uc, address: int, size: int, _: object) -> None:
        n = self.blocks.get((address, size))
        if n is None:
            code = uc.mem_read(address, size)
            n = at = 0
            while at < size:
                at += 4 if self.is_long(code, at) else 2
                n += 1
            self.blocks[address, size] = n
        self.executed += n


class Machine:
    """A program for a bare machine, emulated."""

    STACK = 0x80000
    RETURN = 0x90000

    def __init__(self, elf: bytes, processor: type[Processor]) -> None:
        self.processor = processor
        self.uc = unicorn.Uc(processor.ARCH, processor.MODE)
        self.uc.mem_map(0, 0x100000)
        self.entry, at = struct.unpack_from("<II", elf, 24)
        size, count = struct.unpack_from("<HH", elf, 42)
        for i in range(count):
            kind, offset, address, _, length = struct.unpack_from("<5I", elf, at + size * i)
            if kind == 1:
                self.uc.mem_write(address, elf[offset : offset + length])
        self.counter = Counter(self.uc, processor)

    def run(self, n: int) -> tuple[int, int]:
        """Instructions, and what run(n) returns."""
        processor = self.processor
        before = self.counter.executed
        self.uc.reg_write(processor.SP, self.STACK)
        self.uc.reg_write(processor.RETURN_ADDRESS, self.RETURN | processor.THUMB)
        self.uc.reg_write(processor.FIRST, n)
        self.uc.emu_start(self.entry | processor.THUMB, self.RETURN)
        return self.counter.executed - before, self.uc.reg_read(processor.FIRST) & 0xFFFFFFFF
