"""Accesses that are not checked again: only those that must be inside, on any target."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
import wamr
from kernels import bench
from wamr.compiler import memory as compiler
from wamr.compiler.program import Program
from wat import wat

from native.test_isolation import LOADS, MASK, MEMORIES, OUT_OF_BOUNDS, STORES
from native.test_targets import TARGETS

from native.emulator import emulate, host  # isort: skip

PATTERN = bytes(i * 7 + 3 & 0xFF for i in range(65536))
HEAD = '(func (export "{name}") (param $a i32) (param $b i32) (result i32)'
LOCALS = "(local $sum i32) (local $x i32) (local $y i32) (local $n i32)"


@pytest.fixture(params=[*host(), *TARGETS])
def target(request: pytest.FixtureRequest) -> Iterator[type]:
    """Engine "native" makes code for each target in turn, which runs between guards."""
    with emulate(request.param):
        yield request.param


def end_of(instance: wamr.Instance, name: str, args: list[int]) -> tuple:
    """What a call comes to, and the memory behind it, which is the same before each."""
    instance.memory.buf[:] = PATTERN[: len(instance.memory.buf)]
    try:
        end = instance.call_raw(name, args)
    except wamr.Trap as trap:
        end = str(trap)
    return end, bytes(instance.memory.buf)


def compare(module: wamr.Module, calls: list[tuple[str, list[int]]]) -> None:
    """Both engines come to the same."""
    engines = [wamr.Instance(module, engine=engine) for engine in ("portable", "native")]
    for name, args in calls:
        portable, native = (end_of(instance, name, args) for instance in engines)
        assert portable[0] == native[0], (name, args)
        assert portable[1] == native[1], (name, args)


def plus(more: int) -> str:
    return f"(i32.add (local.get $a) (i32.const {more}))"


def access(op: str, at: str, offset: int = 0) -> str:
    if op in LOADS:
        return f"(drop ({op} offset={offset} {at}))"
    return f"({op} offset={offset} {at} ({op[:3]}.const 0x55))"


# Two accesses and one between, by any way to write an address, around each end of the memory: the
# third may only be spared its check if it is inside whenever the first two are.
@pytest.mark.parametrize("memory", ["one page for good", "a byte less than 64 KiB", "three bytes"])
def test_between_two_others(memory: str, target: type) -> None:
    declaration, size = MEMORIES[memory]
    widths = ("i32.load8_u", "i32.load16_s", "i32.load", "i64.load")
    functions = []
    for first in widths:
        for last in widths:
            for between in (*widths, "i32.store8", "i64.store"):
                for low, middle, high in (
                    (0, 4, 8), (8, 4, 0), (-4, 0, 4), (5, -3, -9), (0, 8, 4), (3, 2, 1),
                    (0, 30000, 60000), (-60000, -30000, 0), (1, 70000, 140000),
                ):  # fmt: skip
                    body = access(first, plus(low)) + access(last, plus(high))
                    body += access(between, plus(middle)) + access(between, plus(low), middle & 7)
                    functions.append((body, (low, middle, high)))
    rng = random.Random(f"{memory} {target.__name__}")
    if not bench.FULL:
        functions = rng.sample(functions, 60)
    text = declaration
    calls = []
    for i, (body, more) in enumerate(functions):
        text += f"{HEAD.format(name=i)} {body} (i32.const 1))"
        near = {end - m + d for end in (0, size) for m in more for d in range(-9, 2)}
        calls += [(str(i), [at & MASK, 0]) for at in rng.sample(sorted(near), 12)]
    compare(wamr.Module(wat(text)), calls)


# Values that have a largest one: what they make may be inside always, but not by a byte more.
@pytest.mark.parametrize("value, most", [
    ("(i32.load8_u {a})", 0xFF),
    ("(i32.load16_u {a})", 0xFFFF),
    ("(i32.and {a} (i32.const 0x1FF))", 0x1FF),
    ("(i32.shr_u {a} (i32.const 20))", 0xFFF),
    ("(i32.shr_u {a} (i32.const 32))", MASK),
    ("(i32.and {a} (i32.const -4))", MASK),
    ("(i32.sub (i32.and {a} (i32.const 7)) (i32.const 8))", MASK),
    ("(i32.add (i32.and {a} (i32.const 7)) (i32.const -8))", MASK),
    ("(i32.mul (i32.and {a} (i32.const 7)) (i32.const -3))", MASK),
    ("(i32.shl (i32.shr_u {a} (i32.const 30)) (i32.const 31))", MASK),
    ("(i32.mul (i32.shr_u {a} (i32.const 24)) (i32.const 0x1000000))", MASK),
    ("(i32.mul (i32.and {a} (i32.const 15)) (i32.const 100))", 1500),
])  # fmt: skip
def test_values_with_a_largest(value: str, most: int, target: type) -> None:
    size = 65536
    text = "(memory 1 1)"
    calls = []
    name = 0
    for scale in (0, 2):
        for op in ("i32.load8_u", "i32.load", "i64.load", "i32.store16", "i64.store"):
            width = {**LOADS, **STORES}[op]
            top = (most << scale) + width
            for more in {max(0, size - top) + d for d in (-4, -1, 0, 1)} | {size - width}:
                for at in (
                    "(i32.add {} (i32.const {}))",
                    "(local.tee $x (i32.add {} (i32.const {})))",
                ):
                    shifted = f"(i32.shl {value.format(a='(local.get $a)')} (i32.const {scale}))"
                    at = at.format(shifted, more)
                    twice = access(op, at) + access(op, "(local.get $x)", 1)
                    text += f"{HEAD.format(name=name)} {LOCALS} {twice} (i32.const 1))"
                    calls += [
                        (str(name), [a, 0]) for a in (0, 7, 300, 65532, MASK, 1 << 31, 0x2FFFFFFF)
                    ]
                    name += 1
    if not bench.FULL:
        calls = random.Random(f"{value} {target.__name__}").sample(calls, 150)
    compare(wamr.Module(wat(text)), calls)


def address(rng: random.Random, size: int) -> str:
    local = rng.choice(["$a", "$a", "$a", "$x", "$y"])
    more = rng.choice([0, 1, 2, 4, 8, 12, 100, -1, -4, -8, size - 4, size - 300, -size])
    masked = f"(i32.and (local.get {local}) (i32.const {rng.choice([7, 0xFF, 0xFFFC, -8])}))"
    return rng.choice([
        f"(local.get {local})",
        f"(i32.add (local.get {local}) (i32.const {more}))",
        f"(i32.add (local.get {local}) (i32.const {more}))",
        f"(i32.sub (local.get {local}) (i32.const {more}))",
        f"(i32.add (i32.shl {masked} (i32.const {rng.choice([0, 1, 2])})) (i32.const {more}))",
        f"(local.tee $y (i32.add {masked} (i32.const {more})))",
        f"(i32.shr_u (local.get {local}) (i32.const {rng.choice([0, 2, 16, 20])}))",
        f"(i32.shl (local.get {local}) (i32.const {rng.choice([0, 1, 2, 3])}))",
    ])  # fmt: skip


def statement(rng: random.Random, size: int, depth: int = 3) -> str:
    """Accesses to neighbours, by way of locals that change here and there."""
    offset = rng.choice([0, 0, 0, 1, 3, 4, 8, size - 8, 0xFFFFFFFF])
    pick = rng.random()
    if pick < 0.35:
        op = rng.choice(["i32.load8_u", "i32.load8_u", "i32.load16_u", "i32.load"])
        value = f"({op} offset={offset} {address(rng, size)})"
        if rng.random() < 0.3:
            return f"(local.set {rng.choice(['$x', '$y'])} {value})"
        return f"(local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) {value}))"
    if pick < 0.55:
        op = rng.choice(["i32.store8", "i32.store16", "i32.store"])
        return f"({op} offset={offset} {address(rng, size)} (local.get $sum))"
    if pick < 0.7 or not depth:
        return f"(local.set {rng.choice(['$a', '$x', '$x', '$y'])} {address(rng, size)})"
    inner = " ".join(statement(rng, size, depth - 1) for _ in range(rng.randrange(1, 4)))
    other = " ".join(statement(rng, size, depth - 1) for _ in range(rng.randrange(1, 3)))
    bit = f"(i32.and (local.get $b) (i32.const {1 << rng.randrange(5)}))"
    if pick < 0.76:
        return f"(if {bit} (then {inner}))"
    if pick < 0.82:
        return f"(if {bit} (then {inner}) (else {other}))"
    if pick < 0.86:
        return f"(block {other} (br_if 0 {bit}) {inner})"
    if pick < 0.9:
        return f"(block (block (block (br_table 0 1 2 {bit})) {inner}) {other})"
    if pick < 0.93:
        return "(local.set $sum (call $grow (local.get $sum)))"
    return f"""(local.set $n (i32.const 3)) (loop {inner}
      (local.set $a (i32.add (local.get $a) (i32.const {rng.choice([0, 1, 4, -4])})))
      (br_if 0 (i32.gt_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0))))"""


@pytest.mark.parametrize("memory", ["one page", "one page for good", "a byte less than 64 KiB"])
def test_neighbours(memory: str, target: type) -> None:
    declaration, size = MEMORIES[memory]
    rng = random.Random(f"{memory} {target.__name__}")
    near = [0, 1, 3, 8, 200, size - 300, size - 9, size - 8, size - 4, size - 1, size, MASK]
    near += [MASK - 3, MASK - 8, 0x80000000]
    text = f"""{declaration} (func $grow (param i32) (result i32)
      (i32.store8 (i32.const 0) (i32.const 9)) (i32.add (local.get 0) (i32.const 1)))"""
    calls = []
    for i in range(1000 if bench.FULL else 80):
        body = " ".join(statement(rng, size) for _ in range(rng.randrange(3, 9)))
        text += f"{HEAD.format(name=i)} {LOCALS} {body} (local.get $sum))"
        for _ in range(6):
            calls.append((str(i), [rng.choice(near) & MASK, rng.randrange(32)]))
    compare(wamr.Module(wat(text)), calls)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch, target: type) -> Callable[..., int]:
    """How many checks the code of a function has."""

    def count(body: str, memory: str = "(memory 1)") -> int:
        text = f"{memory} {HEAD.format(name='f')} {LOCALS} {body} (i32.const 0))"
        made = []
        check = compiler._check
        with monkeypatch.context() as patch:
            patch.setattr(compiler, "_check", lambda *args: (made.append(args), check(*args)))
            for _ in Program(wamr.Module(wat(text)), target()).compile():
                pass
        return len(made)

    return count


FOUR = " ".join(access("i32.load", plus(more)) for more in (0, 12, 4, 8))
TABLE = "(i32.shl (i32.and (local.get $b) (i32.const 63)) (i32.const 2))"
TABLE = f"(i32.add {TABLE} (i32.const 1024))"
BYTE = "(local.set $x (i32.load8_u (local.get $a)))"


@pytest.mark.parametrize("body, wanted", [
    (FOUR, 2),
    (f"{FOUR} (if (local.get $b) (then {FOUR}))", 2),
    (f"{FOUR} (if (local.get $b) (then (local.set $a (local.get $b)))) {FOUR}", 4),
    (f"{FOUR} (block (br_if 0 (local.get $b)) {FOUR}) {FOUR}", 2),
    (f"(if (local.get $b) (then {FOUR}) (else {FOUR})) {FOUR}", 4),
    (f"(if (local.get $b) (then {FOUR})) {FOUR}", 4),
    (f"{FOUR} (loop {FOUR} (br_if 0 (local.get $b)))", 2),
    (f"{FOUR} (loop {FOUR} (local.set $a (local.get $b)) (br_if 0 (local.get $b)))", 4),
    (access("i32.load", TABLE), 0),
    (f"(i32.store (local.tee $x {TABLE}) (i32.load (local.get $x)))", 0),
    (f"{BYTE} (block (block (br_table 0 1 (local.get $b))) (drop (i32.load (local.get $x))))", 1),
    (f"{BYTE} (if (local.get $b) (then (local.set $x (local.get $b))))"
     " (drop (i32.load (local.get $x)))", 2),
    ("(drop (i32.load (if (result i32) (local.get $b) (then (local.get $a))"
     " (else (i32.load8_u (local.get $a))))))", 2),
    (access("i32.load", "(local.get $a)") + access("i32.load8_u", plus(3)), 1),
    (access("i32.load", "(local.get $a)")
     + access("i32.load8_u", "(i32.shl (local.get $a) (i32.const 3))"), 2),
])  # fmt: skip
def test_checks_that_are_spared(
    body: str, wanted: int, checks: Callable[..., int], target: type
) -> None:
    if target.WIDE and FOUR in body:  # whose memory may have 4 GiB, and then addresses wrap
        assert checks(body) > wanted
    else:
        assert checks(body) == wanted


# Where the memory may be smaller, nothing is known of it.
def test_nothing_is_spared_where_nothing_is_known(checks: Callable[..., int]) -> None:
    assert checks(access("i32.load", TABLE), "(memory 0)") == 1
    imported = '(import "env" "memory" (memory 1))'
    assert checks(access("i32.load", TABLE), imported) == 1


def test_a_value_that_is_too_large_traps(target: type) -> None:
    text = f"(memory 1 1) {HEAD.format(name='f')} (i32.load8_u offset=65280 (i32.add"
    text += " (i32.and (local.get $a) (i32.const 255)) (i32.const 1))))"
    instance = wamr.Instance(wamr.Module(wat(text)), engine="native")
    assert instance.call_raw("f", [254, 0]) == [0]
    with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
        instance.call_raw("f", [255, 0])
