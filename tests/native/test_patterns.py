"""Every pattern of machine code, on every target: computes what the portable engine does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import wamr
from wamr.compiler import machine
from wamr.compiler.program import Program
from wat import wat

from native import patterns
from native.fuzz import emulated
from native.test_targets import TARGETS

KINDS = ("i32", "i64")


@pytest.fixture(params=[None, *[target.__name__ for target in TARGETS]])
def target(request: pytest.FixtureRequest) -> Iterator[str | None]:
    with emulated(request.param):
        yield request.param


def differences(module: wamr.Module, name: str, arguments: list[tuple[int, int]]) -> list[str]:
    """Calls that leave something else in memory than in the portable engine."""
    instances = [wamr.Instance(module, engine=engine) for engine in ("portable", "native")]
    found = []
    for pair in arguments:
        results = [instance.call_raw(name, list(pair)) for instance in instances]
        assert results[0] == results[1], f"{name}{pair}"
        first, second = (instance.memory.buf for instance in instances)
        if first != second:
            at = next(i for i in range(len(first)) if first[i] != second[i])
            found.append(f"{name}{pair}: {at}")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_arithmetic(kind: str, target: str | None) -> None:
    module = wamr.Module(wat(patterns.arithmetic(kind)))
    values = patterns.WIDE_VALUES if kind == "i64" else patterns.VALUES
    pairs = list(zip(values[::2], values[1::2])) + [(values[-2], values[-2])]
    found = []
    for name, _ in patterns.functions(kind):
        found += differences(module, name, pairs)
    assert not found


@pytest.mark.parametrize("kind", KINDS)
def test_memory(kind: str, target: str | None) -> None:
    module = wamr.Module(wat(patterns.accesses(kind)))
    value = 0x8182838485868788 >> (0 if kind == "i64" else 32)
    assert not differences(module, "access", [(at, value) for at in (0, 1, 2, 4, 7, 1000)])


@pytest.mark.parametrize("cells", [64, 300, 2100, 9000])
def test_large_frames(cells: int, target: str | None) -> None:
    module = wamr.Module(wat(patterns.large(cells)))
    for engine in ("portable", "native"):
        instance = wamr.Instance(module, engine=engine, stack=64 * cells)
        seen = [
            instance.call_raw(name, [x])
            for name in ("f", "deep", "tail")
            for x in (1, 2, 0x80000000)
        ]
        if engine == "portable":
            expected = seen
        else:
            assert seen == expected


@pytest.mark.parametrize("n", [255, 257, 4097, 4100, 8200])
def test_many_types(n: int, target: str | None) -> None:
    instance = wamr.Instance(wamr.Module(wat(patterns.many_types(n))), engine="native")
    assert instance.exports.f(0) == 1
    with pytest.raises(wamr.Trap, match="^indirect call type mismatch$"):
        instance.exports.f(1)


def test_crowded_registers(target: str | None) -> None:
    module = wamr.Module(wat(patterns.crowded()))
    portable, native = (wamr.Instance(module, engine=e) for e in ("portable", "native"))
    for name in ("if", "br_if", "locals", "constants", "both"):
        args = [n * 0x100000001 for n in range(1, 9)]
        assert native.call_raw(name, args) == portable.call_raw(name, args), name


def test_stored_at_once(target: str | None) -> None:
    text = patterns.stored_at_once()
    module = wamr.Module(wat(text))
    assert not differences(module, "f", [(0, 0), (1, 0), (2, 5), (4, 4), (7, 1000)])
    program = Program(module, machine.assembler())
    list(program.compile())
    assert not program.at_hand.wide
