"""The kernels compiled by gcc -O2, the reference: instructions of an iteration, counted exactly.

RV32 code runs in unicorn, x64 code under valgrind.
"""

from __future__ import annotations

import re
import struct
import subprocess
import tempfile
from pathlib import Path

import kernels

X64_GCC = "gcc -O2 -fno-tree-vectorize -ffp-contract=off".split()
RV32_GCC = (
    "riscv64-unknown-elf-gcc --specs=picolibc.specs -march=rv32imc -mabi=ilp32 -O2 "
    "-ffp-contract=off -nostdlib -Wl,--entry=run "
    "-Wl,--defsym=__flash=0x10000,--defsym=__flash_size=0x40000 "
    "-Wl,--defsym=__ram=0x50000,--defsym=__ram_size=0x30000"
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


def rv32(kernel: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        source = str(kernels.FOLDER / f"{kernel}.c")
        program = compiled(RV32_GCC, folder, source, "-lc", "-lgcc").read_bytes()
    machine = RiscV(program)
    used = []
    for n, checksum in zip((1, 3), kernels.checksums(kernel)):
        instructions, result = machine.run(n)
        if result != checksum:
            raise ValueError(f"gcc computes {kernel} wrongly on RV32: {result}")
        used.append(instructions)
    return (used[1] - used[0]) // 2


class RiscV:
    """A program for a bare RV32 machine, emulated."""

    STACK = 0x80000
    RETURN = 0x90000

    def __init__(self, elf: bytes) -> None:
        import unicorn

        self.uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
        self.uc.mem_map(0, 0x100000)
        self.entry, at = struct.unpack_from("<II", elf, 24)
        size, count = struct.unpack_from("<HH", elf, 42)
        for i in range(count):
            kind, offset, address, _, length = struct.unpack_from("<5I", elf, at + size * i)
            if kind == 1:
                self.uc.mem_write(address, elf[offset : offset + length])
        self.executed = 0
        self.blocks: dict[tuple[int, int], int] = {}
        self.uc.hook_add(unicorn.UC_HOOK_BLOCK, self._block)

    # Instructions of four bytes have the lowest two bits set, those of two do not.
    def _block(self, uc: object, address: int, size: int, _: object) -> None:
        n = self.blocks.get((address, size))
        if n is None:
            code = self.uc.mem_read(address, size)
            n = at = 0
            while at < size:
                at += 4 if code[at] & 3 == 3 else 2
                n += 1
            self.blocks[address, size] = n
        self.executed += n

    def run(self, n: int) -> tuple[int, int]:
        """Instructions, and what run(n) returns."""
        from unicorn import riscv_const as riscv

        self.executed = 0
        self.uc.reg_write(riscv.UC_RISCV_REG_SP, self.STACK)
        self.uc.reg_write(riscv.UC_RISCV_REG_RA, self.RETURN)
        self.uc.reg_write(riscv.UC_RISCV_REG_A0, n)
        self.uc.emu_start(self.entry, self.RETURN)
        return self.executed, self.uc.reg_read(riscv.UC_RISCV_REG_A0) & 0xFFFFFFFF
