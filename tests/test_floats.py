"""f32 and f64 instructions in both implementations, against another engine."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerics import device_runner, operands, reference
from wamr.engine import float_double, floats, softfloat

FLOAT = {
    op: instruction
    for op, instruction in reference.INSTRUCTIONS.items()
    if 0x5B <= op < 0x67 or 0x8B <= op < 0xA7
}
by_name = pytest.mark.parametrize("op", FLOAT, ids=[name for name, _, _ in FLOAT.values()])


def bits_of(x: float, bits: int) -> int:
    letter, integer = ("d", "Q") if bits == 64 else ("f", "I")
    return struct.unpack(f"<{integer}", struct.pack(f"<{letter}", x))[0]


def check(op: int, a: int, *b: int) -> None:
    wanted = reference.outcome(op, a, *b)
    for way in (softfloat, floats):
        result = device_runner.outcome(op, a, *b or [0], way)
        assert result == wanted, (way.__name__, hex(a), *map(hex, b), hex(result), hex(wanted))


def test_this_host_has_doubles() -> None:
    assert floats.binary is float_double.binary
    assert floats.unary is float_double.unary


@by_name
def test_edges(op: int) -> None:
    for edges in operands.edges(FLOAT[op][1], 4000):
        check(op, *edges)


@by_name
@settings(max_examples=100)
@given(data=st.data())
def test_random(op: int, data: st.DataObject) -> None:
    check(op, *[data.draw(operands.strategy(type)) for type in FLOAT[op][1]])


@given(operands.strategy("f32"), operands.strategy("f64"))
def test_to_float(single: int, double: int) -> None:
    for value, bits in ((single, 32), (double, 64)):
        x = floats.to_float(value, bits)
        if reference.is_nan(f"f{bits}", value):
            assert math.isnan(x)
        else:
            assert floats.from_float(x, bits) == value == bits_of(x, bits)


@given(st.floats(allow_nan=False))
def test_from_float_rounds_to_f32_like_demote(x: float) -> None:
    assert floats.from_float(x, 32) == reference.outcome(0xB6, bits_of(x, 64))


def test_from_float_nan() -> None:
    assert floats.from_float(math.nan, 32) == 0x7FC00000
    assert reference.is_nan("f64", floats.from_float(math.nan, 64))


@given(st.integers(-(1 << 70), 1 << 70))
def test_from_float_rounds_an_int_once(n: int) -> None:
    assert floats.from_float(n, 64) == bits_of(float(n), 64)


def test_from_float_of_ints() -> None:
    # Through a double the first would become a tie and go to the even neighbour below.
    assert floats.from_float(0x800000800000000000001, 32) == 0x69000001
    assert floats.from_float(True, 64) == 0x3FF0000000000000
    assert floats.from_float(-3, 32) == 0xC0400000
    assert floats.from_float(0, 32) == 0
    assert floats.from_float(10**400, 64) == 0x7FF0000000000000
    assert floats.from_float(-(10**400), 32) == 0xFF800000


@pytest.mark.parametrize("thing", ["1.5", None, [1.0], b"\0\0\0\0"])
def test_from_float_takes_numbers_only(thing: object) -> None:
    for bits in (32, 64):
        with pytest.raises(TypeError):
            floats.from_float(thing, bits)
