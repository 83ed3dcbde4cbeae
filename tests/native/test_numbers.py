"""Every numeric instruction in machine code for this machine, against another engine."""

from __future__ import annotations

import functools

import pytest
import wamr
import wasmtime
from numerics import operands, reference

from native import x64_only
from native.test_routines import some

pytestmark = x64_only


@functools.cache
def instance() -> wamr.Instance:
    functions = map(reference.function, reference.INSTRUCTIONS)
    module = wamr.Module(bytes(wasmtime.wat2wasm(f"(module {' '.join(functions)})")))
    return wamr.Instance(module, engine="native")


def outcome(op: int, values: tuple[int, ...]) -> int | str:
    try:
        return instance().call_raw(str(op), list(values))[0]
    except wamr.Trap as trap:
        return str(trap)


@pytest.mark.parametrize(
    "op", reference.INSTRUCTIONS, ids=[i[0] for i in reference.INSTRUCTIONS.values()]
)
def test_number(op: int) -> None:
    _, types, result = reference.INSTRUCTIONS[op]
    for values in operands.edges(types, 500) + some(types, 300):
        wanted = reference.outcome(op, *values)
        found = outcome(op, values)
        if isinstance(wanted, int) and reference.is_nan(result, wanted):
            assert isinstance(found, int), [*map(hex, values)]
            assert reference.is_nan(result, found), [*map(hex, values)]
        else:
            assert found == wanted, [*map(hex, values)]
