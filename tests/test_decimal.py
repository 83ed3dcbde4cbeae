"""Floats as text, against CPython's formatting."""

from __future__ import annotations

import math
import random
import struct
from pathlib import Path

from board import Board, Unix
from hypothesis import example, given
from hypothesis import strategies as st
from numerics import operands
from wamr.libc.decimal import format_float

INF = 0x7FF0000000000000
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
@example(INF - 1, "f", 3, " ")
def test_format(pattern: int, spec: str, precision: int | None, flags: str) -> None:
    assert format_float(pattern, spec, precision, flags) == formatted(
        pattern, spec, precision, flags
    )


@given(patterns)
def test_seventeen_digits_come_back(pattern: int) -> None:
    if pattern & ~(1 << 63) <= INF:
        text = format_float(pattern, "e", 16)
        assert bits_of(float(text)) == pattern


# Code that prints what is wrong in lines of `function, arguments, result`.
DEVICE = """
from wamr.libc.decimal import format_float
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
