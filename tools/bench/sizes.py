"""Bytes of machine code, for each target, beside the wasm code that it was made of."""

from __future__ import annotations

import kernels

# Target: its module and class in wamr.compiler.
TARGETS = {
    "thumb1": ("thumb1", "Thumb1"),
    "thumb2": ("thumb2", "Thumb2"),
    "thumb2f": ("vfp", "Thumb2F"),
    "rv32": ("rv32", "RV32"),
    "x64": ("x64", "X64"),
}
SHOWN = ("thumb2", "thumb2f", "rv32", "x64")  # beside each other; the other one beside its speed


def measure(data: bytes, target: str) -> tuple[int, int]:
    """Bytes of a module's functions as machine code; of the stubs and routines that they call."""
    import importlib

    import wamr
    from wamr.compiler.program import Program

    name, cls = TARGETS[target]
    asm = getattr(importlib.import_module(f"wamr.compiler.{name}"), cls)()
    module = wamr.Module(data)
    functions = 0

    class Measured(Program):
        def function(self, index: int) -> None:
            nonlocal functions
            start = self.size
            super().function(index)
            functions += self.size - start

    program = Measured(module, asm)
    for _ in program.compile():
        pass
    return functions, program.size - functions


def all_kernels() -> dict[str, dict[str, tuple[int, int]]]:
    """Kernel: target: what measure() tells."""
    return {
        name: {target: measure(kernels.wasm(name).read_bytes(), target) for target in SHOWN}
        for name in kernels.EXECUTED
    }
