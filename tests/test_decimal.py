"""Floats as text and back: against CPython's formatting and float(), and exact arithmetic."""

from __future__ import annotations

import math
import random
import struct
from fractions import Fraction
from pathlib import Path

import pytest
from board import Board, Unix
from hypothesis import example, given
from hypothesis import strategies as st
from numerics import operands
from wamr.libc.decimal import format_float, parse_float

INF = {32: 0x7F800000, 64: 0x7FF0000000000000}
patterns = operands.strategy("f64")
# Values whose digits decide: near powers of ten and two, short decimals, ties.
decimals = st.builds(
    lambda n, x: bits_of(float(f"{n}e{x}")), st.integers(-2000, 100001), st.integers(-330, 300)
)
flags = st.sets(st.sampled_from("#+ ")).map("".join)


def bits_of(x: float) -> int:
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def formatted(pattern: int, spec: str, precision: int | None, flags: str) -> str:
    """What printf gives. CPython leaves out the sign of a NaN, C does not."""
    x = float_of(pattern)
    form = f"%{flags}{'' if precision is None else f'.{precision}'}{spec}"
    if math.isnan(x):
        text = form % (-math.inf if pattern >> 63 else math.inf)
        return text.replace("inf", "nan").replace("INF", "NAN")
    return form % x


def float_of(pattern: int) -> float:
    return struct.unpack("<d", struct.pack("<Q", pattern))[0]


@given(
    st.one_of(patterns, decimals),
    st.sampled_from("eEfFgG"),
    st.one_of(st.none(), st.integers(0, 20), st.integers(0, 1200)),
    flags,
)
@example(bits_of(0.5), "f", 0, "")
@example(bits_of(2.5), "e", 0, "#")
@example(bits_of(9.9999995), "g", None, "")
@example(bits_of(999999.5), "g", 6, "#")
@example(bits_of(0.0001), "g", 0, "")
@example(bits_of(0.00009999995), "G", 6, "+")
@example(1, "e", 1100, "")
@example(1, "f", 1100, "")
@example(INF[64] - 1, "f", 3, " ")
def test_format(pattern: int, spec: str, precision: int | None, flags: str) -> None:
    assert format_float(pattern, spec, precision, flags) == formatted(
        pattern, spec, precision, flags
    )


@given(patterns)
def test_seventeen_digits_come_back(pattern: int) -> None:
    if pattern & ~(1 << 63) <= INF[64]:
        text = format_float(pattern, "e", 16)
        assert parse_float(text) == (pattern, len(text))


@given(patterns, st.integers(0, 30), st.text("0123456789", max_size=30))
def test_parse(pattern: int, precision: int, more: str) -> None:
    x = float_of(pattern)
    if math.isfinite(x):
        mantissa, _, exponent = f"{x:.{precision}e}".partition("e")
        text = f"{mantissa}{'' if precision else '.'}{more}e{exponent}"
        assert parse_float(text) == (bits_of(float(text)), len(text))


@given(st.integers(0, INF[64] - 2), st.integers(-1, 1))
def test_parse_around_halfway(pattern: int, above: int) -> None:
    """Between two neighbours, all digits of the halfway point, and one more far behind."""
    half = (Fraction(float_of(pattern)) + Fraction(float_of(pattern + 1))) / 2
    k = half.denominator.bit_length() - 1
    digits = str(half.numerator * 5**k)
    if above > 0:
        text = f"{digits}{'0' * 900}1e{-k - 901}"
    else:
        text = f"{int(digits) * 10 + above}e{-k - 1}"
    wanted = pattern + (pattern & 1 if above == 0 else above > 0)
    assert parse_float(text)[0] == wanted == bits_of(float(text))


@given(st.integers(0, 10**40), st.integers(-80, 20))
def test_parse_f32(n: int, x: int) -> None:
    """The nearest of the neighbours, by exact arithmetic."""
    pattern, _ = parse_float(f"{n}e{x}", 32)
    value = Fraction(n) * Fraction(10) ** x
    largest = Fraction(2**128)
    if pattern == INF[32]:
        assert value >= largest - 2**103
        return

    def exact(bits: int) -> Fraction:
        if bits == INF[32]:
            return largest
        return Fraction(struct.unpack("<f", struct.pack("<I", bits))[0])

    distance = abs(exact(pattern) - value)
    for neighbour in {max(pattern - 1, 0), pattern + 1} - {pattern}:
        other = abs(exact(neighbour) - value)
        assert distance < other or (distance == other and pattern % 2 == 0)


@given(patterns, st.integers(-1200, 1200))
def test_parse_hexadecimal(pattern: int, shift: int) -> None:
    x = float_of(pattern)
    if math.isfinite(x):
        assert parse_float(x.hex()) == (pattern, len(x.hex()))
    text = f"0X{pattern:X}.8p{shift}"
    try:
        wanted = float.fromhex(text)
    except OverflowError:
        wanted = math.inf
    assert parse_float(text) == (bits_of(wanted), len(text))


@pytest.mark.parametrize(
    ("text", "value", "taken"),
    [
        ("", 0, 0),
        ("  ", 0, 0),
        ("-", 0, 0),
        (".", 0, 0),
        ("-.e1", 0, 0),
        ("e5", 0, 0),
        ("\x121", 0, 0),
        ("\t\n\v\f\r 12abc", 12.0, 8),
        ("+.5.5", 0.5, 3),
        ("5.e", 5.0, 2),
        ("5e+", 5.0, 1),
        ("5e-x", 5.0, 1),
        ("1e5e5", 1e5, 3),
        ("-0", -0.0, 2),
        ("0x", 0.0, 1),
        ("0x.p1", 0.0, 1),
        ("0xg", 0.0, 1),
        ("0x.8", 0.5, 4),
        ("0x1p", 1.0, 3),
        ("0x1e1", 481.0, 5),
        ("1p5", 1.0, 1),
        ("inf", math.inf, 3),
        ("-INFINITY.", -math.inf, 9),
        ("infinit", math.inf, 3),
        ("in", 0, 0),
        ("1e999999999999999999", math.inf, 20),
        ("-1e-999999999999999999", -0.0, 22),
        ("0e999999999999999999", 0.0, 20),
        ("0x1p999999999999999999", math.inf, 22),
        ("0x1p-999999999999999999", 0.0, 23),
        ("0" * 2000 + "7" + "." + "0" * 2000, 7.0, 4002),
        ("." + "0" * 2000 + "7e2001", 7.0, 2007),
    ],
)
def test_parse_what_strtod_takes(text: str, value: float, taken: int) -> None:
    assert parse_float(text) == (bits_of(value), taken)
    assert parse_float(text.encode()) == (bits_of(value), taken)


@pytest.mark.parametrize(
    ("text", "taken"), [("nan", 3), ("NaN(x_1)y", 8), ("nan(", 3), ("nan(-)", 3), ("nano", 3)]
)
def test_parse_nan(text: str, taken: int) -> None:
    assert parse_float(text) == (0x7FF8000000000000, taken)
    assert parse_float("-" + text, 32) == (0xFFC00000, taken + 1)


# Code that prints what is wrong in lines of `function, arguments, result`.
DEVICE = """
from wamr.libc.decimal import format_float, parse_float
def main(path):
    n = 0
    with open(path) as file:
        for line in file:
            f, arguments, wanted = eval(line)
            if f(*arguments) != wanted:
                print(line, f(*arguments))
            n += 1
    print(n)
"""


def device_lines(count: int) -> list[str]:
    rng = random.Random(count)
    lines = []
    for _ in range(count):
        pattern = rng.choice([rng.choice(operands.EDGES["f64"]), rng.getrandbits(64)])
        spec = rng.choice("eEfFgG")
        precision = rng.choice([None, 0, 1, 2, 6, 17, 40])
        flags = rng.choice(["", "", "#", "+", " "])
        text = formatted(pattern, spec, precision, flags)
        lines.append(f"format_float, {(pattern, spec, precision, flags)!r}, {text!r}\n")
        if pattern & ~(1 << 63) < INF[64]:
            text = f"{float_of(pattern):.{rng.randrange(25)}e}"
            result = bits_of(float(text)), len(text)
            lines.append(f"parse_float, {(text,)!r}, {result!r}\n")
    return lines


def test_unix(unix: Unix, tmp_path: Path) -> None:
    lines = device_lines(2000)
    (tmp_path / "lines").write_text("".join(lines))
    assert unix.exec(f"{DEVICE}\nmain({str(tmp_path / 'lines')!r})") == f"{len(lines)}\n"


def test_board(board: Board, tmp_path: Path) -> None:
    lines = device_lines(100)
    (tmp_path / "lines").write_text("".join(lines))
    board.soft_reset()
    board.put(tmp_path / "lines", "/lines")
    assert board.exec(f"{DEVICE}\nmain('/lines')", timeout_s=300) == f"{len(lines)}\n"
    board.exec("import os; os.remove('/lines')")
