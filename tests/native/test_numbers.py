"""Every numeric instruction in machine code, here and on boards, against another engine."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable

import pytest
import wamr
import wasmtime
from board import Board
from numerics import operands, reference

from native import x64_only
from native.test_routines import some


def module(ops: Iterable[int]) -> bytes:
    return bytes(wasmtime.wat2wasm(f"(module {' '.join(map(reference.function, ops))})"))


@functools.cache
def instance() -> wamr.Instance:
    return wamr.Instance(wamr.Module(module(reference.INSTRUCTIONS)), engine="native")


def outcome(op: int, values: tuple[int, ...]) -> int | str:
    try:
        return instance().call_raw(str(op), list(values))[0]
    except wamr.Trap as trap:
        return str(trap)


def check(op: int, values: tuple[int, ...], found: int | str) -> None:
    result = reference.INSTRUCTIONS[op][2]
    wanted = reference.outcome(op, *values)
    if isinstance(wanted, int) and isinstance(found, int) and reference.is_nan(result, wanted):
        assert reference.is_nan(result, found), [*map(hex, values)]
    else:
        assert found == wanted, [*map(hex, values)]


@x64_only
@pytest.mark.parametrize(
    "op", reference.INSTRUCTIONS, ids=[i[0] for i in reference.INSTRUCTIONS.values()]
)
def test_here(op: int) -> None:
    types = reference.INSTRUCTIONS[op][1]
    for values in operands.edges(types, 500) + some(types, 300):
        check(op, values, outcome(op, values))


DEVICE = """
import wamr
found = []
instance = wamr.Instance(wamr.Module({data!r}), engine="native", stack=512)
for op, values in {calls!r}:
    try:
        found.append(instance.call_raw(op, values)[0])
    except wamr.Trap as trap:
        found.append(str(trap))
print(found)
"""

# What is more than an instruction or two on the boards, in parts that fit.
OPS = [op for op in reference.INSTRUCTIONS if 0x5B <= op < 0x67 or op >= 0x79]
PARTS = [OPS[i : i + 6] for i in range(0, len(OPS), 6)]


@pytest.mark.device
@pytest.mark.parametrize("ops", PARTS, ids=[reference.INSTRUCTIONS[ops[0]][0] for ops in PARTS])
def test_on_board(ops: list[int], board: Board) -> None:
    calls = []
    for op in ops:
        types = reference.INSTRUCTIONS[op][1]
        calls += [(op, values) for values in operands.edges(types, 12) + some(types, 6)]
    board.soft_reset()
    sent = [(str(op), list(values)) for op, values in calls]
    output = board.exec(DEVICE.format(data=module(ops), calls=sent), timeout_s=60)
    found = ast.literal_eval(output.strip())
    assert len(found) == len(calls)
    for (op, values), one in zip(calls, found):
        check(op, values, one)
