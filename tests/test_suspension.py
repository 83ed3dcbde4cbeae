"""Fuel, suspension and asyncio: a running app is data, which can be stopped, kept and resumed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import wamr
from wat import load

LOOP = """(module
  (memory (export "memory") 1)
  (func (export "endless") (param $at i32)
    (loop $again
      (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
      (br $again)))
  (func (export "peek") (param i32) (result i32) (i32.load (local.get 0))))"""


# Fuel: one unit at each function entry and each taken loop back-edge, nothing else.


def fuel_of(text: str, *args: int) -> int:
    execution = load(text).start("f", *args)
    assert execution.step()
    return execution.fuel_used


@pytest.mark.parametrize(
    "text, args, fuel",
    [
        ('(func (export "f"))', (), 1),
        ('(func (export "f") (loop (nop)))', (), 1),
        ('(func (export "f") (block (br 0)) (if (i32.const 1) (then (br 0))))', (), 1),
        # n times around is n - 1 back-edges
        (
            """(func (export "f") (param i32)
              (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if 0 (local.get 0))))""",
            (10,),
            10,
        ),
        # out of an inner loop to the outer one's head
        (
            """(func (export "f") (param i32)
              (loop (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if 1 (local.get 0)))))""",
            (5,),
            5,
        ),
        # a back-edge by br_table; its other target leaves
        (
            """(func (export "f") (param i32)
              (block (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_table 1 0 (local.get 0)))))""",
            (4,),
            4,
        ),
        ('(func $g) (func (export "f") (call $g) (call $g))', (), 3),
        (
            """(type $t (func)) (table funcref (elem $g)) (func $g)
              (func (export "f") (call_indirect (type $t) (i32.const 0)))""",
            (),
            2,
        ),
        # tail calls enter a function too
        (
            """(func $f (export "f") (param i32) (result i32)
              (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 7))
                (else (return_call $f (i32.sub (local.get 0) (i32.const 1))))))""",
            (9,),
            10,
        ),
    ],
)
def test_what_costs_fuel(text: str, args: tuple[int, ...], fuel: int) -> None:
    assert fuel_of(text, *args) == fuel


def test_a_host_function_costs_no_fuel() -> None:
    text = '(module (import "e" "h" (func)) (func (export "f") (call 0) (call 0)))'
    execution = load(text, {"e": {"h": lambda: None}}).start("f")
    assert execution.step()
    assert execution.fuel_used == 1


def test_an_instance_runs_out_of_fuel_and_goes_on_with_more() -> None:
    instance = load(LOOP, fuel=100)
    with pytest.raises(wamr.Trap, match="^out of fuel"):
        instance.exports.endless(0)
    assert instance.fuel == 0
    with pytest.raises(wamr.Trap, match="^out of fuel"):
        instance.exports.peek(0)
    instance.fuel = 5
    assert instance.exports.peek(0) == 100
    assert instance.fuel == 4


def test_the_start_function_has_fuel_too() -> None:
    text = "(module (func $f (loop (br 0))) (start $f))"
    with pytest.raises(wamr.Trap, match="^out of fuel"):
        load(text, fuel=1000)


# Stepping


def test_a_step_stops_in_the_middle_of_a_loop() -> None:
    instance = load(LOOP)
    execution = instance.start("endless", 0)
    for turn in range(1, 20):
        assert execution.step(10) is False
        assert (execution.done, execution.result) == (False, None)
        assert execution.fuel_used == 10 * turn
        # Between the steps the instance does other things.
        assert instance.exports.peek(0) == 10 * turn


def test_a_step_without_fuel_does_nothing() -> None:
    instance = load(LOOP)
    execution = instance.start("endless", 0)
    for _ in range(3):
        assert execution.step(0) is False
    assert execution.fuel_used == 0
    assert instance.exports.peek(0) == 0
    assert execution.step(1) is False
    assert execution.step(0) is False
    assert execution.step(1) is False
    assert execution.fuel_used == 2
    assert instance.exports.peek(0) == 2


def test_executions_of_one_instance_take_turns() -> None:
    instance = load(LOOP)
    running = [instance.start("endless", 4 * i) for i in range(5)]
    for _ in range(50):
        for i, execution in enumerate(running):
            assert execution.step(i + 1) is False
    assert [instance.exports.peek(4 * i) for i in range(5)] == [50, 100, 150, 200, 250]


def test_a_finished_execution_cannot_be_stepped() -> None:
    execution = load(LOOP).start("peek", 0)
    assert execution.step() is True
    assert execution.done and execution.result == 0
    with pytest.raises(RuntimeError):
        execution.step()


RECURSION = """(module
  (func $f (export "f") (param i64 i32) (result i64 i32) (local f64)
    (if (i32.eqz (local.get 1)) (then (return (local.get 0) (i32.const 1000))))
    (call $f (i64.add (i64.mul (local.get 0) (i64.const 3)) (i64.const 1))
             (i32.sub (local.get 1) (i32.const 1)))
    (i32.add (i32.const 1)))
  (func (export "t") (param i32)
    (if (i32.eqz (local.get 0)) (then (unreachable)))
    (call 1 (i32.sub (local.get 0) (i32.const 1)))))"""


@pytest.mark.parametrize("slice", range(1, 25))
def test_recursion_is_suspended_at_every_depth(slice: int) -> None:
    execution = load(RECURSION).start("f", 1, 20)
    while not execution.step(slice):
        pass
    value = 1
    for _ in range(20):
        value = value * 3 + 1
    assert execution.result == (value, 1020)
    assert execution.fuel_used == 21


def test_a_trap_after_resuming() -> None:
    execution = load(RECURSION).start("t", 10)
    for _ in range(10):
        assert execution.step(1) is False
    with pytest.raises(wamr.Trap, match="^unreachable") as caught:
        execution.step(1000)
    assert len(caught.value.backtrace) == 11
    assert {index for index, _, _ in caught.value.backtrace} == {1}
    with pytest.raises(RuntimeError):
        execution.step()


BACK = """(module
  (import "front" "twice" (func $twice (param i32) (result i32)))
  (func (export "sum") (param $n i32) (result i32) (local $total i32)
    (loop $again
      (local.set $total (i32.add (local.get $total) (call $twice (local.get $n))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n)))
    (local.get $total)))"""
FRONT = """(module
  (import "host" "seen" (func $seen (param i32)))
  (func (export "twice") (param $n i32) (result i32) (local $i i32)
    (call $seen (local.get $n))
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 2)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n)))
    (local.get $i)))"""


@pytest.mark.parametrize("slice", [1, 2, 3, 5, 1000])
def test_calls_between_instances_and_to_the_host_are_suspended(slice: int) -> None:
    seen: list[int] = []
    front = load(FRONT, {"host": {"seen": seen.append}})
    execution = load(BACK, {"front": front}).start("sum", 6)
    while not execution.step(slice):
        pass
    assert execution.result == 42
    assert seen == [6, 5, 4, 3, 2, 1]
    # sum, its 5 back-edges; six entries of twice and 5+4+3+2+1+0 back-edges in it
    assert execution.fuel_used == 1 + 5 + 6 + 15


# asyncio


TICKING = """(module
  (import "e" "tick" (func $tick))
  (func (export "run") (local i32)
    (loop $again
      (if (i32.eqz (i32.rem_u (local.get 0) (i32.const 50))) (then (call $tick)))
      (local.set 0 (i32.add (local.get 0) (i32.const 1)))
      (br $again))))"""


def test_endless_apps_share_the_event_loop_fairly() -> None:
    ticks = [0, 0, 0]
    others = 0

    def app(number: int) -> wamr.Instance:
        def tick() -> None:
            ticks[number] += 1

        return load(TICKING, {"e": {"tick": tick}})

    async def main() -> None:
        nonlocal others
        tasks = [asyncio.ensure_future(app(i).call_async("run")) for i in range(len(ticks))]
        while min(ticks) < 1000:
            await asyncio.sleep(0)
            others += 1
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended

    asyncio.run(main())
    assert max(ticks) - min(ticks) <= max(ticks) // 10, ticks
    assert others > 5  # and another task had its turns


def test_an_app_waits_for_an_async_import() -> None:
    text = """(module
      (import "e" "get" (func $get (param i32) (result i32)))
      (func (export "f") (param i32) (result i32)
        (i32.add (call $get (local.get 0)) (i32.mul (i32.const 10) (call $get (i32.const 5))))))"""
    order: list[str] = []

    async def get(number: int) -> int:
        order.append(f"ask {number}")
        await asyncio.sleep(0.001)
        order.append(f"answer {number}")
        return number + 1

    async def main() -> list[int]:
        one = load(text, {"e": {"get": get}})
        other = load(text, {"e": {"get": get}})
        return await asyncio.gather(one.call_async("f", 1), other.call_async("f", 2))

    assert asyncio.run(main()) == [62, 63]
    assert order[:2] == ["ask 1", "ask 2"]  # the second runs while the first waits


def test_a_step_hands_out_a_pending_import() -> None:
    text = (
        '(module (import "e" "get" (func (result i64))) (func (export "f") (result i64) (call 0)))'
    )

    async def get() -> int:
        return -5

    instance = load(text, {"e": {"get": get}})
    execution = instance.start("f")
    assert execution.step() is False
    with pytest.raises(RuntimeError):
        execution.step()
    execution.resume(asyncio.run(_wait(execution.pending)))
    assert execution.step() is True
    assert execution.result == -5
    with pytest.raises(RuntimeError, match="call_async"):
        instance.exports.f()


async def _wait(coroutine: Any) -> Any:
    return await coroutine


def test_an_async_import_behind_another_instance() -> None:
    async def seen(number: int) -> None:
        await asyncio.sleep(0)

    front = load(FRONT, {"host": {"seen": seen}})
    back = load(BACK, {"front": front})
    assert asyncio.run(back.call_async("sum", 6)) == 42


def test_exceptions_of_imports_come_out() -> None:
    text = '(module (import "e" "f" (func)) (func (export "f") (call 0)))'

    def fails() -> None:
        raise ValueError("no sensor")

    async def fails_later() -> None:
        await asyncio.sleep(0)
        raise wamr.Exit(3)

    with pytest.raises(ValueError, match="no sensor"):
        load(text, {"e": {"f": fails}}).exports.f()
    with pytest.raises(wamr.Exit):
        asyncio.run(load(text, {"e": {"f": fails_later}}).call_async("f"))
