"""Random modules: portable, native and wasmtime agree; WAMR_FUZZ=20000 tries that many of each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from native import binaryen, compare, fuzz, generate
from native.test_targets import TARGETS

GIVEN = os.environ.get("WAMR_FUZZ")
COUNT = int(GIVEN or 300)
EMULATED = int(GIVEN or 50)
# Modules of one test.
PART = 50

needs_binaryen = pytest.mark.skipif(
    binaryen.WASM_OPT is None, reason="wasm-opt is not here: apt-get install binaryen"
)
sources = pytest.mark.parametrize(
    "source", ["ours", pytest.param("binaryen", marks=needs_binaryen)]
)


@sources
@pytest.mark.parametrize("first", range(0, COUNT, PART))
def test_engines_agree(source: str, first: int) -> None:
    for seed, data in fuzz.modules(source, range(first, first + PART)):
        compare.check(data, seed, wasmtime=True)


@sources
@pytest.mark.parametrize("first", range(0, EMULATED, PART))
@pytest.mark.parametrize("target", TARGETS)
def test_targets_agree(source: str, target: type, first: int) -> None:
    for seed, data in fuzz.modules(source, range(first, first + PART)):
        assert not fuzz.fails(seed, data, target.__name__)


@pytest.mark.parametrize("first", range(0, COUNT, PART))
def test_linked_modules_agree(first: int) -> None:
    for seed in range(first, first + PART):
        compare.check_linked(seed)


def test_the_modules_show_much() -> None:
    """Every kind of end is met: a generator whose modules all trap at once would find little."""
    ends: set[str] = set()
    returned = calls = 0
    for seed in range(200):
        for call in compare.check(generate.module(seed), seed).calls:
            calls += 1
            if isinstance(call.end, str):
                ends.add(call.end.rstrip("0123456789"))
            else:
                returned += 1
    assert returned > calls / 3
    assert ends >= {
        "out of bounds memory access",
        "out of bounds table access",
        "undefined element",
        "uninitialized element ",
        "indirect call type mismatch",
        "integer divide by zero",
        "unreachable",
    }


def test_a_difference_is_found(tmp_path: Path) -> None:
    """What is compared can tell modules apart."""
    seen = [
        compare.observe(compare.wamr.Module(generate.module(s)), "portable", 0) for s in (1, 2)
    ]
    assert compare.difference(seen[0], seen[1])
    assert not compare.difference(seen[0], seen[0])
