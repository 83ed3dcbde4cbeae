"""What firmware has of its machine's code, so that the board need not emit it: the stubs, and all
routines. How it is laid out: wamr_mp/wamr/compiler/made.py.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "wamr_mp"))

import wamr  # noqa: E402
from wamr.compiler import load, machine  # noqa: E402
from wamr.wasm import opcodes  # noqa: E402

load("wamr.compiler.core")

from wamr.compiler.program import Program  # noqa: E402
from wamr.compiler.routines import Routines  # noqa: E402

EMPTY = b"\0asm\1\0\0\0"
# Numeric instructions behind the prefix: operand, blank, result.
TRUNCATIONS = ("f i", "f i", "F i", "F i", "f I", "f I", "F I", "F I")


def vector(items: list[bytes]) -> bytes:
    return number(len(items)) + b"".join(items)


def number(n: int) -> bytes:
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + number(n >> 7)


def section(kind: int, items: list[bytes]) -> bytes:
    body = vector(items)
    return bytes([kind]) + number(len(body)) + body


def every_instruction() -> bytes:
    """A module with a function for each numeric instruction."""
    plain = opcodes.NUMERIC.decode()
    found = [(bytes([0x45 + i]), plain[3 * i : 3 * i + 3]) for i in range(len(plain) // 3)]
    found += [(bytes([0xFC, i]), signature) for i, signature in enumerate(TRUNCATIONS)]
    types = []
    bodies = []
    for instruction, signature in found:
        kinds = [bytes([opcodes.TYPE_CODES[ord(letter)]]) for letter in signature.replace(" ", "")]
        types.append(b"\x60" + vector(kinds[:-1]) + vector(kinds[-1:]))
        operands = b"".join(bytes([0x20, i]) for i in range(len(kinds) - 1))
        body = b"\0" + operands + instruction + b"\x0b"
        bodies.append(number(len(body)) + body)
    functions = [number(i) for i in range(len(types))]
    return EMPTY + section(1, types) + section(3, functions) + section(10, bodies)


class Recorder(Routines):
    """Notes where they jump to the trap stub."""

    def __init__(self, program: Any) -> None:
        Routines.__init__(self, program)
        self.traps: list[int] = []  # start and end, …

    def trap(self, number: int) -> None:
        asm = self.program.asm
        asm.const(0, number)
        self.traps += asm.trap_routine(-1), asm.here()


def target_of(name: str) -> tuple[str, int]:
    """The class in the compiler's file of this name, and an architecture that is for."""
    for arch, (kind, module) in machine.TARGETS.items():
        if module == f"wamr.compiler.{name}":
            return kind, arch
    raise KeyError(name)


def base_of(name: str) -> str:
    """The name of the target that this one builds upon, or nothing."""
    return machine.BASES.get(f"wamr.compiler.{name}", "").rpartition(".")[2]


def make(arch: int) -> tuple[Any, ...]:
    """MADE of the target for a .mpy architecture."""
    program = Program(wamr.Module(every_instruction()), machine.assembler(arch))
    for _ in program.compile():
        pass
    pieces = []
    done: set[int] = set()
    for op in program.routines.numbers:
        if op not in done:
            pieces.append(piece(arch, op))
            done.update(pieces[-1][1])
    program = Program(wamr.Module(EMPTY), machine.assembler(arch))
    stubs = program.stubs
    return bytes(program.asm.code), tuple(stubs), tuple(stubs.values()), tuple(pieces)


def piece(arch: int, op: int) -> tuple[Any, ...]:
    """What one emitter makes."""
    asm = machine.assembler(arch)
    # With room for all of it in one part.
    program = Program(wamr.Module(EMPTY), asm, machine.buffer(0x2000, asm.UNIT))
    program.routines = routines = Recorder(program)
    start = asm.here()
    routines.number(op)
    routines.emit_one(routines.wanted.pop())
    assert len(program.parts) == 1
    offsets = {k: program.offsets[n] - start * asm.UNIT for k, n in routines.numbers.items()}
    entries = {k: at for k, at in offsets.items() if at >= 0}
    names = {n: k for k, n in routines.numbers.items()}
    calls = [
        (names[program.calls[i + 1]], program.calls[i] - start * asm.UNIT)
        for i in range(0, len(program.calls), 2)
    ]
    ends = [start, *routines.traps, asm.here()]
    code = tuple(bytes(asm.code[ends[i] : ends[i + 1]]) for i in range(0, len(ends), 2))
    size = (asm.here() - start) * asm.UNIT
    return size, tuple(entries), tuple(entries.values()), sum(calls, ()), code
