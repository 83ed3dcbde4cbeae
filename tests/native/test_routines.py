"""The routines of compiler/routines.py against another engine, on emulated processors."""

from __future__ import annotations

import random

import pytest
from kernels.bench import FULL
from numerics import operands, reference
from wamr.compiler.rv32 import RV32
from wamr.compiler.thumb1 import Thumb1
from wamr.compiler.thumb2 import Thumb2
from wamr.compiler.xtensa import Xtensa

pytest.importorskip("unicorn", reason="unicorn, which emulates them, is not installed")

from native.routine import routine  # noqa: E402

TARGETS = [Thumb1, Thumb2, RV32, Xtensa]
# All but comparisons and what is done in line.
OPS = [0x79, 0x7A, 0x7B, 0x7F, 0x80, 0x81, 0x82, 0x89, 0x8A]
OPS += [*range(0x8D, 0x98), *range(0x9B, 0xA6), *range(0xA8, 0xAC), *range(0xAE, 0xBC)]
OPS += range(0xFC00, 0xFC08)
# Where a digit of the quotient is nearly one more.
HARD = {
    0xA3: [
        (0x137ACFC3A41211FF, 0x97D24036DBF96E68),
        (0x3ECB5E0000000000, 0x3C4000F85DFF06F6),
    ]
}


def number(choose: random.Random, type: str, like: int) -> int:
    """Of any length; a float is often near `like`, in exponent or in all but a few bits."""
    bits = int(type[1:])
    if type[0] == "i":
        return choose.getrandbits(bits) >> choose.randrange(bits)
    p = 23 if bits == 32 else 52
    way = choose.randrange(4)
    if way == 0:
        return choose.getrandbits(bits)
    if way == 1:
        return like ^ choose.getrandbits(bits) >> choose.randrange(bits) ^ 1 << bits - 1
    exponent = (like >> p) + choose.randrange(-p - 4, p + 5) if way == 2 else choose.randrange(p)
    fraction = choose.getrandbits(p) >> choose.randrange(p) << choose.randrange(p)
    if way == 3:
        exponent += (1 << bits - p - 2) - p // 2
    return ((exponent << p) + (fraction & (1 << p) - 1)) & (1 << bits) - 1


def some(types: tuple[str, ...], count: int) -> list[tuple[int, ...]]:
    choose = random.Random(count)
    found = []
    for _ in range(count):
        values = [number(choose, types[0], choose.getrandbits(64) >> 64 - int(types[0][1:]))]
        values += [number(choose, type, values[0]) for type in types[1:]]
        found.append(tuple(values))
    return found


def cases(op: int, target: type) -> list[tuple[int, ...]]:
    types = reference.INSTRUCTIONS[op][1]
    found = operands.edges(types, 800) + some(types, 700) + HARD.get(op, [])
    # QEMU is asked for each of them, which takes a millisecond.
    return found if FULL or target is not Xtensa else random.Random(op).sample(found, 80)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("op", OPS, ids=[reference.INSTRUCTIONS[op][0] for op in OPS])
def test_routine(op: int, target: type) -> None:
    run = routine(target, op)
    for values in cases(op, target):
        assert run(*values) == reference.outcome(op, *values), [*map(hex, values)]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("op", [0x5B, 0x61])
def test_comparison(op: int, target: type) -> None:
    run = routine(target, op)
    for values in cases(op, target):
        equal, less, greater = (reference.outcome(op + i, *values) for i in (0, 2, 3))
        wanted = 0 if equal else 0xFFFFFFFF if less else 1 if greater else 2
        assert run(*values) == wanted, [*map(hex, values)]
