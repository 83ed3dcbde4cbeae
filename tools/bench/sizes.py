"""Bytes of machine code, for each target, beside the wasm code that it was made of."""

from __future__ import annotations

import kernels

# Target: its module and class in wamr.compiler.
TARGETS = {
    "thumb2": ("thumb2", "Thumb2"),
    "thumb2f": ("vfp", "Thumb2F"),
    "rv32": ("rv32", "RV32"),
    "x64": ("x64", "X64"),
}


def measure(data: bytes, target: str) -> tuple[int, int]:
    """Bytes of a module's functions as machine code, and of the stubs before them."""
    import importlib

    import wamr
    from wamr.compiler.program import Program

    name, cls = TARGETS[target]
    asm = getattr(importlib.import_module(f"wamr.compiler.{name}"), cls)()
    program = Program(wamr.Module(data), asm)
    stubs = program.size
    for _ in program.compile():
        pass
    return program.size - stubs, stubs


def all_kernels() -> dict[str, dict[str, tuple[int, int]]]:
    """Kernel: target: what measure() tells."""
    return {
        name: {target: measure(kernels.wasm(name).read_bytes(), target) for target in TARGETS}
        for name in kernels.EXECUTED
    }
