"""On ARMv6-M nothing is emitted, and no access made, that such a processor does not do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import wamr
from test_kernels import CHECKSUMS, FOLDER, needs_kernels
from wamr.compiler.program import Program
from wamr.compiler.thumb1 import Thumb1
from wat import load, wat

from native import generate, patterns

pytest.importorskip("unicorn", reason="unicorn, which emulates ARM, is not installed")

from native.emulator import emulate  # noqa: E402
from native.test_routines import OPS  # noqa: E402


def instructions(code: bytes) -> Iterator[tuple[int, int]]:
    """Where they are, and their first halves; no numbers."""
    words = memoryview(code).cast("H")
    numbers = set()  # in the code, whose loads come before
    at = 0
    while at < len(words):
        word = words[at]
        if at in numbers:
            at += 2
            continue
        yield at, word
        if word >> 11 == 0x09:  # ldr r, [pc, #]
            numbers.add((at + 2 & ~1) + 2 * (word & 0xFF))
        if word >= 0xE800:
            assert words[at + 1] >> 14 == 3 and words[at + 1] & 0x1000, "no bl"
            assert word >> 11 == 0x1E
            at += 2
        else:
            at += 1


def is_armv6m(word: int) -> bool:
    """Whether a processor without the rest of Thumb-2 knows it."""
    if word >> 12 == 0xB:
        return not word & 0x500 == 0x100 and (word & 0xFF00 != 0xBF00 or not word & 0xF)
    # Of two low registers, this comparison (T2) is unpredictable.
    return word & 0xFFC0 != 0x4500


# A number that is used at the end of the function, and too many traps behind it for short loads.
def test_numbers_are_within_reach_of_a_function_full_of_traps() -> None:
    traps = "(if (i32.ge_u (local.get 0) (local.get 1)) (then unreachable))" * 170
    text = f"""(func (export "f") (param i32 i32) (result i32) {traps}
      (i32.xor (local.get 0) (i32.const 0x12345678)))"""
    with emulate(Thumb1):
        assert load(text, engine="native").exports.f(5, 1000) == 5 ^ 0x12345678


# Which is entered to tell where it is, and may be between words.
def test_no_numbers_in_the_stubs() -> None:
    asm = Thumb1()
    asm.stubs()
    assert not asm.loads
    assert not [word for _, word in instructions(bytes(asm.code)) if word >> 11 == 0x09]


@needs_kernels
def test_nothing_but_armv6m() -> None:
    modules = [generate.module(seed) for seed in range(40)]
    modules += [(FOLDER / "wasm" / f"{name}.wasm").read_bytes() for name in CHECKSUMS]
    modules += [wat(patterns.arithmetic(kind)) for kind in ("i32", "i64")]
    modules += [wat(patterns.accesses(kind)) for kind in ("i32", "i64")]
    modules.append(wat(patterns.large(300)))
    seen = set()
    for data in modules:
        program = Program(wamr.Module(data), Thumb1())
        list(program.compile())
        for part in program.parts:
            assert len(part) % 2 == 0  # words
            seen.update(word for _, word in instructions(bytes(part)))
    for op in (*OPS, 0x5B, 0x61):
        program = Program(wamr.Module(b"\0asm\1\0\0\0"), Thumb1())
        program.routines.number(op)
        program.routines.emit()
        for part in program.parts:
            seen.update(word for _, word in instructions(bytes(part)))
    assert not [hex(word) for word in seen if not is_armv6m(word)]
    assert len(seen) > 2000


# The emulator does not mind what the processor would, but is asked.
def test_unaligned_accesses_are_seen() -> None:
    class Careless(Thumb1):
        def _test(self, scale: int, a: int, spare: int, second: int, copy: int = 0) -> None:
            pass

    data = wat(
        """(memory 1) (func (export "load") (param i32) (result i32)
          (i32.load offset=4 (local.get 0)))
        (func (export "store") (param i32) (result i32)
          (i32.store16 (local.get 0) (i32.const 1)) (i32.const 0))"""
    )
    for target in (Thumb1, Careless):
        with emulate(target):
            for name in ("load", "store"):
                exports = wamr.Instance(wamr.Module(data), engine="native").exports
                assert exports[name](8) == 0
                if target is Thumb1:
                    exports[name](9)
                else:
                    with pytest.raises(AssertionError, match=r"[24] bytes at"):
                        exports[name](9)
