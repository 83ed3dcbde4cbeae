"""Runs one random module on two engines and tells where they differ."""

from __future__ import annotations

from typing import Any

import wamr
from wamr.engine.execution import Execution

from native import generate

FUEL = 20000
STACK = 16384


# The sign and payload of a NaN are left open by the specification.
def _number(bits: int, kind: int) -> Any:
    if kind == generate.F32 and bits & 0x7FFFFFFF > 0x7F800000:
        return "nan"
    if kind == generate.F64 and bits & 0x7FFFFFFFFFFFFFFF > 0x7FF0000000000000:
        return "nan"
    return bits


def observe(module: wamr.Module, engine: str, seed: int) -> tuple[Any, ...]:
    """What calling every function shows: results or trap, backtrace and fuel; memory; globals."""
    instance = wamr.Instance(module, {}, engine=engine, stack=STACK)
    seen = []
    for name, kind, index in module.export_list:
        if kind != "func":
            continue
        params, results = module.funcs[index]
        execution = Execution(instance.exports[name], generate.arguments(seed, params))
        try:
            if execution.step(FUEL):
                end: Any = [_number(b, k) for b, k in zip(execution.raw, results)]
            else:
                end = "suspended"
        except wamr.Trap as trap:
            end = (str(trap), [frame[0] for frame in trap.backtrace])
        seen.append((name, end, execution.fuel_used))
    raws = [instance.exports[f"g{i}"].raw for i in range(4)]
    values = [_number(b, k) for b, k in zip(raws, generate.NUMBERS)]
    return seen, values, bytes(instance.memory.buf)


def check(seed: int) -> None:
    """AssertionError with the seed if native and portable differ."""
    module = wamr.Module(generate.module(seed))
    calls, values, memory = observe(module, "portable", seed)
    native = observe(module, "native", seed)
    assert (calls, values) == native[:2], f"seed {seed}"
    if memory != native[2]:
        first = next(i for i in range(len(memory)) if memory[i] != native[2][i])
        raise AssertionError(f"seed {seed}: memory differs from {first} on")
