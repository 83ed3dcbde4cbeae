"""The kernels as machine code for ARMv6-M, emulated: no board that runs here has such a chip."""

from __future__ import annotations

import gcc
import kernels
import wamr
from native import emulator
from wamr.compiler.thumb1 import Thumb1


class Processor(emulator.Arm):
    """Counts instructions."""

    counter: gcc.Counter

    def prepare(self, uc: object, target: type) -> None:
        Processor.counter = gcc.Counter(uc, gcc.Thumb)


def count(kernel: str) -> int:
    """Instructions of an iteration; see boards.COUNT."""
    before = emulator.PROCESSORS["armv6m"]
    emulator.PROCESSORS["armv6m"] = Processor
    try:
        with emulator.emulate(Thumb1):
            module = wamr.Module(kernels.wasm(kernel).read_bytes())
            call = wamr.Instance(module, engine="native").exports.run
            spent = []
            for n, checksum in zip((1, 3, 1, 3), kernels.checksums(kernel) + [None, None]):
                start = Processor.counter.executed
                result = call(n) & 0xFFFFFFFF
                if checksum not in (None, result):
                    raise ValueError(f"{kernel} on ARMv6-M: {result}")
                spent.append(Processor.counter.executed - start)
    finally:
        emulator.PROCESSORS["armv6m"] = before
    return (spent[3] - spent[2]) // 2
