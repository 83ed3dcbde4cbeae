"""Calls, traps and limits: within an instance, between instances, and to Python and back.

Fuel and suspension on their own are in test_suspension.py.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import wamr
from board import Board
from wat import load, wat

# Results of many values


def test_many_values() -> None:
    instance = load(
        """(func $swap (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
          (func (export "f") (param i32 i64) (result i32 i64 f32 f64 externref)
            (call $swap (local.get 0) (local.get 1))
            (call $swap (i32.const 7) (i64.const 8)) (drop) (drop)
            (block (param i64 i32) (result i32 i64)
              (call $turn))
            (f32.const 0.5) (f64.const 0.25) (ref.null extern))
          (func $turn (param i64 i32) (result i32 i64) (local.get 1) (local.get 0))
          (func (export "none"))"""
    )
    assert instance.exports.f(1, -2) == (1, -2, 0.5, 0.25, None)
    assert instance.exports.none() is None


def test_a_loop_with_parameters() -> None:
    text = """(func (export "factorial") (param i32) (result i64) (local $p i64) (local $n i32)
      (local.get 0) (i64.const 1)
      (loop (param i32 i64) (result i64)
        (local.set $p) (local.set $n)
        (i32.sub (local.get $n) (i32.const 1))
        (i64.mul (local.get $p) (i64.extend_i32_u (local.get $n)))
        (br_if 0 (i32.gt_s (local.get $n) (i32.const 1)))
        (local.set $p) (drop) (local.get $p)))"""
    assert load(text).exports.factorial(20) == 2432902008176640000


# References


def test_a_function_reference_can_be_called_from_python() -> None:
    instance = load(
        """(import "e" "h" (func $h (param i32) (result i32)))
          (elem declare func $f $h)
          (func $f (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
          (func (export "get") (param i32) (result funcref)
            (if (result funcref) (local.get 0) (then (ref.func $f)) (else (ref.func $h))))
          (table (export "t") 2 funcref)
          (func (export "put") (param i32 funcref) (table.set (local.get 0) (local.get 1)))
          (func (export "call") (param i32 i32) (result i32)
            (call_indirect (param i32) (result i32) (local.get 1) (local.get 0)))""",
        {"e": {"h": lambda n: n * 2}},
    ).exports
    own, imported = instance.get(1), instance.get(0)
    assert own(5) == 6
    assert imported(5) == 10
    assert own is instance.get(1) is instance.f
    for i, function in enumerate((own, imported)):
        instance.put(i, function)
    assert [instance.call(i, 7) for i in (0, 1)] == [8, 14]
    instance.t[0], instance.t[1] = instance.t[1], instance.t[0]
    assert [instance.call(i, 7) for i in (0, 1)] == [14, 8]
    instance.put(0, None)
    with pytest.raises(wamr.Trap, match="^uninitialized element"):
        instance.call(0, 7)


# Calls between instances

CALLS = """(import "e" "table" (table 8 funcref))
  (type $t (func (param i32) (result i32)))
  (func (export "call") (param i32 i32) (result i32)
    (i32.add (i32.const 1000) (call_indirect (type $t) (local.get 1) (local.get 0))))
  (func (export "tail") (param i32 i32) (result i32) (local i64 i64 i64)
    (return_call_indirect (type $t) (local.get 1) (local.get 0)))"""
DIGIT = """(import "e" "table" (table 8 funcref)) (memory 1)
  (func $f (param i32) (result i32)
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (i32.add (i32.mul (local.get 0) (i32.const 10)) (i32.load (i32.const 0))))
  (func $wrong (param i64) (result i32) (i32.const 0))
  (elem (i32.const %d) $f $wrong)"""


def test_a_shared_table() -> None:
    table = wamr.Table("funcref", 8)
    shared = {"e": {"table": table}}
    seen: list[Any] = []

    def native(instance: wamr.Instance, n: int) -> int:
        seen.append(instance)
        return n - 1

    table[6] = wamr.native("(i)i", native)
    one, two = load(DIGIT % 0, shared), load(DIGIT % 2, shared)
    caller = load(CALLS, shared)
    call, tail = caller.exports.call, caller.exports.tail
    assert [call(0, 5), call(0, 5), call(2, 7)] == [1051, 1052, 1071]
    assert [tail(0, 5), tail(2, 7)] == [53, 72]
    assert [call(6, 5), tail(6, 9)] == [1004, 8]
    assert seen == [caller, caller]
    for f in (call, tail):
        for i in (1, 3):
            with pytest.raises(wamr.Trap, match="^indirect call type mismatch"):
                f(i, 0)
        with pytest.raises(wamr.Trap, match="^uninitialized element 5"):
            f(5, 0)
        for i in (8, 2**31, -1):
            with pytest.raises(wamr.Trap, match="^undefined element"):
                f(i, 0)
    # An exported function that is imported itself is one more way to the same thing.
    reexport = load('(import "e" "f" (func)) (export "f" (func 0))', {"e": {"f": lambda: None}})
    table[7] = reexport.exports.f
    with pytest.raises(wamr.Trap, match="^indirect call type mismatch"):
        call(7, 0)
    assert one.memory.u32(0) == 3
    assert two.memory.u32(0) == 2


PING = """(import "e" "other" (func $other (param i32 i32) (result i32)))
  (func (export "f") (param $n i32) (param $sum i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (local.get $sum))))
    (%s $other (i32.sub (local.get $n) (i32.const 1))
      (i32.add (local.get $sum) (i32.const %d))))"""


def ping_pong(call: str, **options: Any) -> tuple[wamr.Instance, wamr.Instance]:
    """Two instances whose functions call each other."""
    table = wamr.Table("funcref", 1)
    forward = load(
        f"""(import "e" "t" (table 1 funcref))
          (func (export "f") (param i32 i32) (result i32)
            ({call}_indirect (param i32 i32) (result i32)
              (local.get 0) (local.get 1) (i32.const 0)))""",
        {"e": {"t": table}},
    )
    ping = load(PING % (call, 1), {"e": {"other": forward.exports.f}}, **options)
    pong = load(PING % (call, 100), {"e": {"other": ping.exports.f}}, **options)
    table[0] = pong.exports.f
    return ping, pong


def test_calls_back_and_forth() -> None:
    ping, pong = ping_pong("call")
    assert ping.exports.f(20, 0) == 10 * 101
    assert pong.exports.f(5, 0) == 3 * 100 + 2
    execution = ping.start("f", 20, 0)
    while not execution.step(1):
        pass
    assert execution.result == 10 * 101
    # ping and pong 21 times, and between them the one that knows the table 10 times
    assert execution.fuel_used == 31


def test_recursion_over_instances_ends() -> None:
    ping, _ = ping_pong("call", stack=4096)
    with pytest.raises(wamr.Trap, match="^call stack exhausted") as caught:
        ping.exports.f(-1, 0)
    assert len(caught.value.backtrace) == 24
    assert ping.exports.f(10, 0) == 505


def test_deep_recursion_over_instances_does_not_take_long() -> None:
    ping, _ = ping_pong("call", stack=1 << 19)
    start = time.process_time()
    with pytest.raises(wamr.Trap, match="^call stack exhausted"):
        ping.exports.f(-1, 0)
    assert time.process_time() - start < 2


def test_tail_calls_between_instances_take_no_room() -> None:
    ping, _ = ping_pong("return_call", stack=100)
    execution = ping.start("f", 30000, 0)
    while not execution.step(1000):
        assert len(execution.calls) == 1
        assert execution.calls[0].cells_used() < 64
    assert execution.result == 15000 * 101


@pytest.mark.parametrize("fuel", range(1, 12))
def test_tail_calls_between_instances_are_suspended(fuel: int) -> None:
    ping, _ = ping_pong("return_call")
    caller = load(
        """(import "e" "f" (func $f (param i32 i32) (result i32)))
          (func (export "f") (param i32) (result i32)
            (i32.sub (call $f (local.get 0) (i32.const 0)) (i32.const 1)))""",
        {"e": {"f": ping.exports.f}},
    )
    execution = caller.start("f", 6)
    while not execution.step(fuel):
        pass
    assert execution.result == 302
    assert execution.fuel_used == 1 + 7 + 3


def test_a_tail_call_to_python() -> None:
    text = """(import "e" "h" (func $h (param i32 i32) (result i32 i32)))
      (func $t (param i32) (result i32 i32) (local i64 i64)
        (return_call $h (local.get 0) (i32.const 3)))
      (func (export "f") (param i32) (result i32)
        (i32.const 100) (call $t (local.get 0)) (i32.sub) (i32.add))
      (export "t" (func $t))"""
    instance = load(text, {"e": {"h": lambda a, b: (b, a)}})
    assert instance.exports.f(5) == 100 + 3 - 5
    assert instance.exports.t(5) == (3, 5)

    async def later(a: int, b: int) -> tuple[int, int]:
        await asyncio.sleep(0)
        return a * 2, b * 2

    instance = load(text, {"e": {"h": later}})
    assert asyncio.run(instance.call_async("f", 5)) == 100 + 10 - 6
    assert asyncio.run(instance.call_async("t", 5)) == (10, 6)


def test_the_stack_of_the_caller_counts() -> None:
    """All of a call is on one stack, that of the instance where it began."""
    deep = '(func $f (export "f") (param i32) (if (local.get 0) (then (call $f %s))))'
    deep %= "(i32.sub (local.get 0) (i32.const 1))"
    small, large = load(deep, stack=400), load(deep, stack=40000)
    with pytest.raises(wamr.Trap, match="^call stack exhausted"):
        small.exports.f(1000)
    large.exports.f(1000)
    through = """(import "e" "f" (func $f (param i32)))
      (func (export "g") (param i32) (call $f (local.get 0)))"""
    load(through, {"e": small}, stack=40000).exports.g(1000)
    with pytest.raises(wamr.Trap, match="^call stack exhausted"):
        load(through, {"e": large}, stack=400).exports.g(1000)


# Traps and what they tell


def test_a_backtrace_over_instances() -> None:
    inner_text = """(func $load (param i32) (result i32) (i32.load (local.get 0)))
      (memory 1) (func $inner (export "inner") (param i32) (result i32)
        (call $load (local.get 0)))"""
    outer_text = """(import "e" "inner" (func $i (param i32) (result i32)))
      (func $middle (param i32) (result i32) (i32.add (i32.const 1) (call $i (local.get 0))))
      (func $outer (export "outer") (param i32) (result i32) (call $middle (local.get 0)))"""
    inner = load(inner_text)
    outer = load(outer_text, {"e": inner})
    assert outer.exports.outer(0) == 1
    with pytest.raises(wamr.Trap, match="^out of bounds memory access$") as caught:
        outer.exports.outer(-1)
    backtrace = caught.value.backtrace
    assert [(i, name) for i, name, _ in backtrace] == [
        (0, "load"),
        (1, "inner"),
        (1, "middle"),
        (2, "outer"),
    ]
    inner_code, outer_code = wat(inner_text), wat(outer_text)
    # i32.load with its two immediates, and calls with their one
    assert inner_code[backtrace[0][2] - 3 : backtrace[0][2]] == b"\x28\2\0"
    assert inner_code[backtrace[1][2] - 2 : backtrace[1][2]] == b"\x10\0"
    assert outer_code[backtrace[2][2] - 2 : backtrace[2][2]] == b"\x10\0"
    assert outer_code[backtrace[3][2] - 2 : backtrace[3][2]] == b"\x10\1"


def test_a_trap_in_a_check_of_a_native() -> None:
    text = """(import "e" "n" (func $n (param i32))) (memory 1)
      (func $caller (export "f") (call $n (i32.const -1)))"""
    native = wamr.native("(*)", lambda instance, p: pytest.fail("called"))
    with pytest.raises(wamr.Trap, match="^out of bounds memory access") as caught:
        load(text, {"e": {"n": native}}).exports.f()
    assert [name for _, name, _ in caught.value.backtrace] == ["caller"]


@pytest.mark.parametrize(
    "body, message",
    [
        ("unreachable", "unreachable"),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "integer divide by zero"),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "integer overflow"),
        ("(drop (i64.rem_u (i64.const 1) (i64.const 0)))", "integer divide by zero"),
        ("(drop (i32.trunc_f32_s (f32.const nan)))", "invalid conversion to integer"),
        ("(drop (i64.trunc_f64_u (f64.const -1)))", "integer overflow"),
        ("(drop (i32.load (i32.const 65533)))", "out of bounds memory access"),
        ("(drop (i64.load (i32.const 65529)))", "out of bounds memory access"),
        ("(drop (i32.load8_u offset=0xffffffff (i32.const -1)))", "out of bounds memory access"),
        ("(i64.store offset=65529 (i32.const 0) (i64.const -1))", "out of bounds memory access"),
        ("(memory.fill (i32.const 65536) (i32.const 0) (i32.const 1))", "out of bounds memory"),
        ("(memory.fill (i32.const 0) (i32.const 0) (i32.const -1))", "out of bounds memory"),
        ("(memory.copy (i32.const 0) (i32.const 1) (i32.const 65536))", "out of bounds memory"),
        ("(drop (table.get 0 (i32.const 2)))", "out of bounds table access"),
        ("(table.set 0 (i32.const -1) (ref.null func))", "out of bounds table access"),
        ("(table.copy (i32.const 1) (i32.const 0) (i32.const 2))", "out of bounds table access"),
        ("(call_indirect (i32.const 0))", "uninitialized element 0"),
        ("(call_indirect (i32.const 2))", "undefined element"),
    ],
)
def test_traps(body: str, message: str) -> None:
    instance = load(f"""(memory (export "m") 1) (table 2 funcref) (func (export "f") {body})
      (func (export "fine") (result i32) (i32.const 1))""")
    with pytest.raises(wamr.Trap, match=f"^{message}") as caught:
        instance.exports.f()
    assert len(caught.value.backtrace) == 1
    assert instance.exports.fine() == 1
    assert bytes(instance.exports.m.data) == bytes(65536)  # nothing was half written


AGAIN = """(import "e" "again" (func $again (param i32) (result i32)))
  (func $f (export "f") (param i32) (result i32) (call $again (local.get 0)))"""


def test_calls_within_calls_end_by_trap() -> None:
    holder: list[wamr.Instance] = []
    depth = 0

    def again(n: int) -> int:
        nonlocal depth
        depth += 1
        return holder[0].exports.f(n)

    holder.append(load(AGAIN, {"e": {"again": again}}))
    with pytest.raises(wamr.Trap, match="^call stack exhausted") as caught:
        holder[0].exports.f(0)
    assert depth == 8
    assert [name for _, name, _ in caught.value.backtrace] == ["f"]
    # It counts what is going on now only.
    depth = 0
    with pytest.raises(wamr.Trap, match="^call stack exhausted"):
        holder[0].exports.f(0)
    assert depth == 8


def test_the_end_of_pythons_stack() -> None:
    def deep() -> None:
        deep()

    instance = load(
        '(import "e" "deep" (func $deep)) (func $f (export "f") (call $deep))',
        {"e": {"deep": deep}},
    )
    with pytest.raises(wamr.Trap, match="^call stack exhausted") as caught:
        instance.exports.f()
    assert [name for _, name, _ in caught.value.backtrace] == ["f"]


def test_the_end_of_pythons_stack_on_a_board(board: Board) -> None:
    script = f"""
import wamr
def again(n):
    global depth
    depth += 1
    return a.exports.f(n)
a = wamr.Instance(wamr.Module({wat(AGAIN)!r}), {{"e": {{"again": again}}}})
for _ in range(2):
    depth = 0
    try:
        a.exports.f(0)
    except wamr.Trap as e:
        print(e, depth)
"""
    first, second = board.exec(script).splitlines()
    assert first == second
    assert first[:20] == "call stack exhausted"
    assert 3 <= int(first[20:]) <= 8


@pytest.mark.parametrize("levels", range(8))
def test_wasm_calls_python_calls_wasm(levels: int) -> None:
    text = """(import "e" "down" (func $down (param i32) (result i32))) (memory (export "m") 1)
      (func (export "f") (param i32) (result i32)
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
        (i32.add (i32.const 10) (call $down (local.get 0))))"""
    instances: list[wamr.Instance] = []

    def down(n: int) -> int:
        # The same instance and another one in turn.
        return instances[n % 2].exports.f(n - 1) if n else 5

    instances.extend(load(text, {"e": {"down": down}}) for _ in range(2))
    assert instances[0].exports.f(levels) == 5 + 10 * (levels + 1)
    assert sum(i.memory.u32(0) for i in instances) == levels + 1


# Exceptions of imported functions


class Oops(Exception):
    pass


def test_an_exception_goes_through_all_of_it() -> None:
    text = """(import "e" "h" (func $h)) (memory (export "m") 1)
      (func (export "f") (i32.store8 (i32.const 0) (i32.const 1)) (call $h)
        (i32.store8 (i32.const 0) (i32.const 2)))"""
    holder: list[wamr.Instance] = []

    def inner() -> None:
        raise Oops("here")

    def outer() -> None:
        holder[0].exports.f()

    holder.append(load(text, {"e": {"h": inner}}))
    top = load(text, {"e": {"h": outer}})
    for _ in range(20):  # and leaves nothing behind
        with pytest.raises(Oops, match="here"):
            top.exports.f()
    assert top.memory.read(0, 1) == holder[0].memory.read(0, 1) == b"\1"
    execution = top.start("f")
    with pytest.raises(Oops):
        execution.step()
    with pytest.raises(RuntimeError, match="over"):
        execution.step()


def test_exit_comes_out() -> None:
    def leave() -> None:
        raise wamr.Exit(3)

    instance = load(
        '(import "e" "h" (func $h)) (func (export "f") (call $h) unreachable)', {"e": {"h": leave}}
    )
    with pytest.raises(wamr.Exit) as caught:
        instance.exports.f()
    assert caught.value.code == 3


def test_a_trap_that_python_catches() -> None:
    text = """(import "e" "h" (func $h (result i32)))
      (func (export "bad") (unreachable))
      (func (export "f") (result i32) (i32.add (call $h) (i32.const 1)))"""
    holder: list[wamr.Instance] = []

    def careful() -> int:
        try:
            holder[0].exports.bad()
        except wamr.Trap:
            return 41
        return 0

    holder.append(load(text, {"e": {"h": careful}}))
    assert holder[0].exports.f() == 42
