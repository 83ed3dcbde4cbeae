"""Integer instructions and conversions, against another engine, on CPython and on MicroPython."""

from __future__ import annotations

import pathlib
import struct

import pytest
from board import Board, Unix
from hypothesis import given, settings
from hypothesis import strategies as st
from numerics import device_runner, operands, reference
from wamr.engine import numerics

RUNNER = pathlib.Path(device_runner.__file__)

INTEGER = {
    op: instruction
    for op, instruction in reference.INSTRUCTIONS.items()
    if not (0x5B <= op < 0x67 or 0x8B <= op < 0xA7)
}


def by_name(instructions: dict) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("op", instructions, ids=[i[0] for i in instructions.values()])


@by_name(INTEGER)
def test_edges(op: int) -> None:
    for a, *b in operands.edges(reference.INSTRUCTIONS[op][1], 4000):
        wanted = reference.outcome(op, a, *b)
        assert device_runner.outcome(op, a, *b or [0]) == wanted, (hex(a), *map(hex, b))


@by_name(INTEGER)
@settings(max_examples=60)
@given(data=st.data())
def test_random(op: int, data: st.DataObject) -> None:
    types = reference.INSTRUCTIONS[op][1]
    a, *b = [data.draw(operands.strategy(type)) for type in types]
    assert device_runner.outcome(op, a, *b or [0]) == reference.outcome(op, a, *b)


@given(st.integers(0, (1 << 200) - 1))
def test_bit_length(n: int) -> None:
    assert numerics.bit_length(n) == n.bit_length()


# CPython divides ints of any size exactly and rounds once.
@given(st.integers(1, (1 << 200) - 1), st.integers(-1300, 1300))
def test_pack_rounds_to_nearest_even(m: int, e: int) -> None:
    e -= m.bit_length()
    try:
        wanted = float(m << e) if e >= 0 else m / (1 << -e)
    except OverflowError:
        wanted = float("inf")
    bits = struct.unpack("<Q", struct.pack("<d", wanted))[0]
    assert numerics.pack(m, e + 1074, 64) == bits


def vectors(count: int) -> list[str]:
    """Lines for device_runner.py: of each instruction up to `count` edges or pairs of edges."""
    lines = []
    for op, (_, types, _) in reference.INSTRUCTIONS.items():
        for a, *b in operands.edges(types, count):
            wanted = reference.outcome(op, a, *b)
            text = f"trap {wanted}" if isinstance(wanted, str) else f"{wanted:x}"
            lines.append(f"{op:x} {a:x} {b[0] if b else 0:x} {text}\n")
    return lines


def passed(lines: list[str]) -> str:
    """What device_runner.py reports if all is well: it runs instructions on floats in two ways."""
    floats = [line for line in lines if int(line.split()[0], 16) not in INTEGER]
    return f"RESULT {len(lines) + len(floats)} 0"


# Here, so that a failure on a device is known to be the device's.
def test_device_runner(tmp_path: pathlib.Path) -> None:
    lines = vectors(40)
    (tmp_path / "vectors").write_text("".join(lines))
    reported: list[str] = []
    device_runner.main(str(tmp_path / "vectors"), report=reported.append)
    assert reported == [passed(lines)]


def test_unix(unix: Unix, tmp_path: pathlib.Path) -> None:
    lines = vectors(500)
    (tmp_path / "vectors").write_text("".join(lines))
    code = f"main({str(tmp_path / 'vectors')!r})"
    assert unix.exec(f"{RUNNER.read_text()}\n{code}").splitlines() == [passed(lines)]


def test_board(board: Board, tmp_path: pathlib.Path) -> None:
    lines = vectors(30)
    (tmp_path / "vectors").write_text("".join(lines))
    board.soft_reset()
    board.put(tmp_path / "vectors", "/vectors")
    board.exec_file(RUNNER)
    assert board.exec("main('/vectors')", timeout_s=300).splitlines() == [passed(lines)]
    board.exec("import os; os.remove('/vectors')")
