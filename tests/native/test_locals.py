"""Locals in loops that call: what their registers and cells hold, and what need not be stored."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import wamr
from kernels import bench
from wamr.compiler import calls
from wamr.compiler.function import Function
from wamr.compiler.program import Program
from wat import wat

from native.test_isolation import MASK
from native.test_targets import TARGETS

from native.emulator import emulate, host  # isort: skip

KINDS = ("i32", "i32", "i32", "i32", "i64", "f32", "i32", "i32", "i64")
N = len(KINDS)
CALLED = """(func $called (param i32) (result i32)
  (i32.mul (i32.xor (local.get 0) (i32.const 0x55)) (i32.const 31)))"""


@pytest.fixture(params=[*host(), *TARGETS])
def target(request: pytest.FixtureRequest) -> Iterator[type]:
    """Engine "native" makes code for each target in turn, which runs between guards."""
    with emulate(request.param):
        yield request.param


def number(i: int) -> str:
    """Local i as an i32."""
    wrap = {"i32": "{}", "i64": "(i32.wrap_i64 {})", "f32": "(i32.reinterpret_f32 {})"}
    return wrap[KINDS[i]].format(f"(local.get {i})")


def set_to(i: int, value: str) -> str:
    make = {"i32": "{}", "i64": "(i64.extend_i32_u {})", "f32": "(f32.reinterpret_i32 {})"}
    return f"(local.set {i} {make[KINDS[i]].format(value)})"


def statement(rng: random.Random, depth: int, counters: list[str]) -> str:
    pick = rng.random()
    i, k = rng.randrange(N), rng.randrange(N)
    if pick < 0.35 or not depth:
        return set_to(i, f"(i32.add {number(k)} (i32.const {rng.randrange(1, 99)}))")
    if pick < 0.55:
        return set_to(i, f"(call $called {number(k)})")
    inner = body(rng, depth - 1, counters)
    bit = f"(i32.and {number(k)} (i32.const {1 << rng.randrange(4)}))"
    if pick < 0.65:
        return f"(if {bit} (then {inner}))"
    if pick < 0.7:
        return f"(if {bit} (then {inner}) (else {body(rng, depth - 1, counters)}))"
    if pick < 0.8:
        return f"(block {inner} (br_if 0 {bit}) {body(rng, depth - 1, counters)})"
    counter = f"$n{len(counters)}"
    counters.append(counter)
    leave = f"(br_if 1 {bit})" if rng.random() < 0.3 else ""
    return f"""(local.set {counter} (i32.const 0)) (block (loop {leave} {inner}
      (br_if 0 (i32.lt_u (local.tee {counter} (i32.add (local.get {counter}) (i32.const 1)))
        (i32.const {rng.randrange(1, 4)})))))"""


def body(rng: random.Random, depth: int, counters: list[str]) -> str:
    return " ".join(statement(rng, depth, counters) for _ in range(rng.randrange(1, 5)))


def function(rng: random.Random, name: str) -> str:
    counters: list[str] = []
    text = body(rng, 4, counters)
    total = "(i32.const 0)"
    for i in range(N):
        total = f"(i32.add (i32.mul {total} (i32.const 31)) {number(i)})"
    locals_ = " ".join(KINDS[2:])
    named = " ".join(f"(local {name} i32)" for name in counters)
    return f"""(func (export "{name}") (param i32 i32) (result i32) (local {locals_}) {named}
      {text} {total})"""


def test_locals_survive_loops_and_calls(target: type) -> None:
    rng = random.Random(target.__name__)
    names = [str(i) for i in range(1500 if bench.FULL else 150)]
    module = wamr.Module(wat(CALLED + "".join(function(rng, name) for name in names)))
    engines = [wamr.Instance(module, engine=engine) for engine in ("portable", "native")]
    for name in names:
        for _ in range(3):
            args = [rng.randrange(16), rng.choice([0, 1, 0x80000001, MASK, 77])]
            portable, native = (instance.call_raw(name, args) for instance in engines)
            assert portable == native, (name, args)
        execution = engines[1].start(name, *args)
        while not execution.step(1):
            pass
        assert [execution.result & MASK] == native, (name, args)


LOOP = """(func (export "f") (param $n i32) (result i32) (local $k i32) (local $idle i32)
  (local $t i32) (local.set $k (i32.mul (local.get $n) (i32.const 3)))
  (local.set $idle (i32.mul (local.get $n) (i32.const 5)))
  (loop (local.set $t (call $called (i32.add (local.get $k) (local.get $n))))
    (if (i32.and (local.get $t) (i32.const 2)) (then
      (local.set $n (i32.sub (local.get $n) (i32.and (local.get $t) (i32.const 1))))))
    (br_if 0 (i32.gt_s {tested} (i32.const 0))))
  (i32.add (local.get $idle) {left}))"""


# Of four locals, a call in a loop stores that which the loop changes and then uses again, and no
# other: not what keeps its value, nor what is not used, nor what each pass makes anew.
@pytest.mark.parametrize("tested, left, stored", [
    ("(local.get $n)", "(i32.const 0)", 1),
    ("(local.get $n)", "(local.get $t)", 2),
    ("(local.tee $idle (local.get $n))", "(i32.const 0)", 2),
    ("(local.tee $k (local.get $n))", "(i32.const 0)", 2),
])  # fmt: skip
def test_stores_before_a_call(
    tested: str, left: str, stored: int, target: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    def count(f: Function) -> None:
        found.append(bin(f.valid & f.dirty).count("1"))
        save(f)

    save = calls.save_locals
    monkeypatch.setattr(calls, "save_locals", count)
    module = wamr.Module(wat(CALLED + LOOP.format(tested=tested, left=left)))
    Program(module, target()).function(1)
    assert found == [stored]
