"""The kernels on Xtensa: QEMU logs each instruction that it executes, of ours and of gcc's code.

gcc is Debian's for the LX106, the ESP8266: unlike an ESP32 it has no register windows, no division
and no upper half of a product.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gcc
import kernels
import wamr
from native import emulator, qemu
from wamr.compiler.xtensa import Xtensa

GCC = (
    "xtensa-lx106-elf-gcc -O2 -ffp-contract=off -ffreestanding -nostdlib -mtext-section-literals "
    f"-Wl,-Ttext={qemu.CODE:#x}"
).split()
START = ".global _start\n.align 4\n_start: call0 run\nill\n"
_ILL = 3  # bytes behind _start


class Log:
    """What QEMU says it executes, an instruction a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read = 0

    def count(self) -> int:
        """Instructions since the last time."""
        with self.path.open("rb") as file:
            file.seek(self.read)
            lines = 0
            while piece := file.read(1 << 20):
                lines += piece.count(b"\n")
                self.read += len(piece)
        return lines


@contextmanager
def logged() -> Iterator[Log]:
    """Programs that are started meanwhile are logged."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        before = qemu.Gdb.OPTIONS
        qemu.Gdb.OPTIONS = ("-singlestep", "-d", "exec,nochain", "-D", str(path))
        try:
            yield Log(path)
        finally:
            qemu.Gdb.OPTIONS = before


def iteration(kernel: str, call: Callable[[int], int], log: Log) -> int:
    """Instructions of an iteration; see boards.COUNT."""
    spent = []
    for n, checksum in zip((1, 3, 1, 3), kernels.checksums(kernel) + [None, None]):
        log.count()
        result = call(n) & 0xFFFFFFFF
        spent.append(log.count())
        if checksum not in (None, result):
            raise ValueError(f"{kernel} on Xtensa: {result}")
    return (spent[3] - spent[2]) // 2


def ours(kernel: str) -> int:
    with logged() as log, emulator.emulate(Xtensa):
        module = wamr.Module(kernels.wasm(kernel).read_bytes())
        return iteration(kernel, wamr.Instance(module, engine="native").exports.run, log)


def theirs(kernel: str) -> int:
    with logged() as log, tempfile.TemporaryDirectory() as folder:
        start = Path(folder) / "start.S"
        start.write_text(START)
        source = str(kernels.FOLDER / f"{kernel}.c")
        gdb = qemu.Gdb(gcc.compiled(GCC, folder, str(start), source, "-lgcc").read_bytes())
        entry = qemu.Registers(gdb).pc

        def call(n: int) -> int:
            registers = qemu.Registers(gdb)
            registers.pc = entry
            registers[2] = n
            registers.set()
            gdb.ask("c")
            registers = qemu.Registers(gdb)
            assert registers.pc == entry + _ILL
            return registers[2]

        return iteration(kernel, call, log)
