"""Operands at the borders of types, formats and roundings, and random ones near them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

from hypothesis import strategies as st


def _integers(bits: int) -> list[int]:
    """Around powers of two: of the type, of small ints, of the precision of floats."""
    some = {0x12345678, 0xDEADBEEF, 0x5555555555555555, 0x7FFFFF4000000001, 0x8000004000000001}
    some |= {0x7FFFFFBFFFFFFFFF, 9007199791611905, 16777219, 9007199254740995}
    for n in (0, 3, 5, 6, 7, 8, 15, 16, 23, 24, 25, 29, 30, 31, 32, 52, 53, 54, 61, 62, 63, 64):
        some |= {(1 << n) - 1, 1 << n, (1 << n) + 1, -(1 << n)}
    return sorted({n & ((1 << bits) - 1) for n in some})


def _floats(p: int, exponent_bits: int) -> list[int]:
    """For a format with `p` fraction bits."""
    bias = (1 << (exponent_bits - 1)) - 1
    one = bias << p
    inf = (2 * bias + 1) << p
    some = {0, 1, 2, 3, 1 << (p - 1), (1 << p) - 1, 1 << p, (1 << p) + 1, inf - 1, inf - 2, inf}
    some |= {inf + 1, inf + (1 << (p - 1)), inf + (1 << (p - 1)) + 0x1234, inf | (1 << p) - 1}
    # 1.5, 2.5, 3.5, pi
    some |= {one + (1 << (p - 1)), one + (5 << (p - 2)), one + (7 << (p - 2))}
    some |= {one + (0x921FB54442D18 >> (52 - p)) + (1 << p)}
    # Where rounding to integers ends; the ends of the integer types; halves of the least place;
    # squares of what underflows; and f32's ends in f64.
    for e in (-1, 0, 1, p - 1, p, p + 1, 7, 31, 32, 62, 63, 64, -p, -p - 1, -p - 2):
        some |= {one + (e << p) + d for d in (-1, 0, 1)}
    for e in (bias // 2, -bias // 2, -bias // 2 - p // 2, bias - 1, 2 - bias + p):
        some |= {one + (e << p), one + (e << p) + 1}
    if p == 52:
        for e in (127, 128, -126, -127, -149, -150):
            some |= {one + (e << p) + d for d in (-1, 0, 1, (1 << 28) - 1, 1 << 28, (1 << 28) + 1)}
        # 127.99…: f32 overflows from a half of its last place above the largest
        some |= {(one + (127 << p) | 0xFFFFFE0000000) + d for d in (0, 1 << 28, (1 << 28) - 1)}
    sign = 1 << (p + exponent_bits)
    return sorted(some | {sign | n for n in some})


EDGES = {"i32": _integers(32), "i64": _integers(64), "f32": _floats(23, 8), "f64": _floats(52, 11)}


def edges(types: Sequence[str], count: int) -> list[tuple[int, ...]]:
    """Edges, or pairs of edges: all, or `count` of them, always the same."""
    every = list(itertools.product(*(EDGES[type] for type in types)))
    return every if len(every) <= count else random.Random(count).sample(every, count)


def strategy(type: str) -> st.SearchStrategy[int]:
    bits = int(type[1:])
    top = (1 << bits) - 1
    edges = st.sampled_from(EDGES[type])
    around = st.builds(lambda n, d: (n + d) & top, edges, st.integers(-3, 3))
    ways = [edges, around, st.integers(0, top)]
    if type[0] == "f":
        # Exponents near each other and few bits set: ties, cancellation, carries.
        p, bias = (23, 127) if bits == 32 else (52, 1023)
        exponents = st.one_of(
            st.integers(bias - p - 4, bias + p + 4),
            st.integers(0, p + 4),
            st.integers(0, 2 * bias),
        )
        fractions = st.builds(
            lambda a, b, c: (a ^ (1 << b) ^ (1 << c)) & ((1 << p) - 1),
            st.sampled_from([0, (1 << p) - 1]),
            st.integers(0, p),
            st.integers(0, p),
        )
        ways.append(
            st.builds(
                lambda s, e, f: s << (bits - 1) | e << p | f,
                st.integers(0, 1),
                exponents,
                st.one_of(fractions, st.integers(0, (1 << p) - 1)),
            )
        )
    return st.one_of(ways)
