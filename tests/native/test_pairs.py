"""Values of 64 bits in pairs of registers."""

from __future__ import annotations

from itertools import permutations

import pytest
import wamr
from wamr.compiler.pairs import Pairs
from wamr.compiler.values import high, low, pair
from wat import wat

from native.emulator import emulate
from native.test_targets import TARGETS


class Moves(Pairs):
    """A machine that can only move: registers by number."""

    T = 11

    def __init__(self) -> None:  # an assembler's would want all that it has
        self.held = [*range(12)]

    def move(self, d: int, s: int) -> None:
        self.held[d] = self.held[s]


def test_pairs_may_overlap() -> None:
    pairs = [pair(*two) for two in permutations(range(4), 2)]
    for d in pairs:
        for s in pairs:
            machine = Moves()
            machine.move_wide(d, s)
            expected = [*range(11)]
            expected[low(d)], expected[high(d)] = low(s), high(s)
            assert machine.held[:11] == expected, (d, s)


# On ARMv6-M the second `select` had its result in r4 and r0, and wants it in r0 and r1.
SELECTED = """(func (export "f") (result i64) (local $zero i32) (local $x i64) (local $n i32)
  (select
    (select
      (local.tee $x (i64.const 255))
      (if (result i64) (local.get $n) (then (i64.const 7)) (else (i64.const 10)))
      (local.get $zero))
    (i64.shl (local.get $x) (i64.extend_i32_s (local.get $n)))
    (local.get $zero)))"""


@pytest.mark.parametrize("target", TARGETS)
def test_a_result_from_an_overlapping_pair(target: type) -> None:
    with emulate(target):
        assert wamr.Instance(wamr.Module(wat(SELECTED)), engine="native").exports.f() == 255
