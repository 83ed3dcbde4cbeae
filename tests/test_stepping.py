"""Fuel that calls share, and stepping through calls whose imports take their time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import wamr
from board import Unix
from test_execution import AGAIN, CALLS, DIGIT, PING
from wat import ON_DEVICE, load, wat

# Fuel that is shared

SPEND = """(import "e" "h" (func $h (param i32)))
  (func $spend (export "spend") (param i32)
    (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0))))
  (func (export "f") (param i32 i32)
    (call $spend (local.get 0)) (call $h (local.get 1)) (call $spend (local.get 0)))
  (func (export "idle") (param i32) (call $h (local.get 0)))"""


def spender(**options: Any) -> wamr.Instance:
    """f(a, b) uses a units itself before and after a nested call that uses b of them."""
    holder: list[wamr.Instance] = []

    def nested(n: int) -> None:
        if n:
            holder[0].exports.spend(n)

    holder.append(load(SPEND, {"e": {"h": nested}}, **options))
    return holder[0]


def test_a_nested_call_shares_the_fuel() -> None:
    instance = spender(fuel=1000)
    instance.exports.f(100, 200)  # one unit for f, and spend's loops turn back a-1 times
    assert instance.fuel == 1000 - 1 - 100 - 200 - 100
    for fuel in range(401):
        instance.fuel = fuel
        with pytest.raises(wamr.Trap, match="^out of fuel"):
            instance.exports.f(100, 200)
        assert instance.fuel == 0
    instance.fuel = 401
    instance.exports.f(100, 200)
    assert instance.fuel == 0


def test_the_fuel_before_a_trap_is_spent() -> None:
    text = """(func (export "f") (param i32)
      (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0)))
      unreachable)"""
    instance = load(text, fuel=1000)
    with pytest.raises(wamr.Trap, match="^unreachable"):
        instance.exports.f(100)
    assert instance.fuel == 900


def test_steps_and_the_loop_take_from_the_same_fuel() -> None:
    instance = spender(fuel=1000)
    execution = instance.start("f", 100, 200)
    while not execution.step(7):
        pass
    assert instance.fuel == 1000 - 401
    assert execution.fuel_used == 201  # its own
    asyncio.run(instance.call_async("f", 100, 200))
    assert instance.fuel == 1000 - 802
    with pytest.raises(wamr.Trap, match="^out of fuel"):
        asyncio.run(instance.call_async("f", 100, 200))
    assert instance.fuel == 0
    execution = instance.start("f", 1, 0)
    with pytest.raises(wamr.Trap, match="^out of fuel"):
        execution.step(5)


def test_fuel_runs_out_between_steps() -> None:
    instance = spender(fuel=100)
    one, other = instance.start("spend", 80), instance.start("spend", 80)
    assert one.step(50) is False
    assert other.step(30) is False
    assert instance.fuel == 20
    with pytest.raises(wamr.Trap, match="^out of fuel"):
        one.step(50)
    with pytest.raises(wamr.Trap, match="^out of fuel"):
        other.step(50)
    with pytest.raises(RuntimeError):
        other.step(50)
    assert instance.fuel == 0


def test_python_fills_up_while_it_is_called() -> None:
    holder: list[wamr.Instance] = []

    def more(n: int) -> None:
        holder[0].fuel += n

    holder.append(load(SPEND, {"e": {"h": more}}, fuel=150))
    holder[0].exports.f(100, 60)
    assert holder[0].fuel == 150 + 60 - 201


def test_a_nested_call_without_a_limit() -> None:
    instance = spender()
    assert instance.fuel is None
    execution = instance.start("f", 10, 5000)
    steps = 0
    while not execution.step(1):
        steps += 1
    assert (steps, execution.fuel_used) == (20, 21)  # it returns in the last step
    assert instance.fuel is None


def test_every_instance_pays_for_the_calls_made_to_it() -> None:
    back = spender(fuel=1000)
    text = """(import "e" "spend" (func $spend (param i32)))
      (func (export "f") (param i32) (call $spend (local.get 0)))"""
    front = load(text, {"e": back}, fuel=500)
    front.exports.f(100)
    assert (front.fuel, back.fuel) == (500 - 101, 1000)
    back.exports.spend(100)
    assert (front.fuel, back.fuel) == (500 - 101, 900)
    # Called by way of the host, it is a call of the other instance.
    load(text, {"e": {"spend": lambda n: back.exports.spend(n)}}, fuel=10).exports.f(50)
    assert back.fuel == 850


# Stepping, pending and resuming


PENDING = """(import "e" "h" (func $h (param i32) (result i32 i64))) (memory (export "m") 1)
  (func $g (param i32) (result i32 i64) (local f64)
    (i32.store8 (i32.const 0) (local.get 0))
    (call $h (local.get 0)))
  (func (export "f") (param i32) (result i64 i32) (local $i i32) (local $x i64)
    (loop
      (call $g (local.get $i)) (local.set $x (i64.add (local.get $x)))
      (local.set 0 (i32.add (local.get 0)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get $i) (i32.const 4))))
    (local.get $x) (local.get 0))"""


async def pair(n: int) -> tuple[int, int]:
    return n * 2, -n


def drain(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")


@pytest.mark.parametrize("fuel", [*range(1, 12), None])
def test_pending_imports_at_every_fuel(fuel: int | None) -> None:
    instance = load(PENDING, {"e": {"h": pair}})
    execution = instance.start("f", 100)
    waited = 0
    while not execution.step(fuel):
        if execution.pending:
            waited += 1
            assert execution.result is None
            # Whatever happens meanwhile is none of its business.
            assert asyncio.run(instance.call_async("f", 0)) == (-6, 12)
            with pytest.raises(RuntimeError, match="resume"):
                execution.step(fuel)
            execution.resume(drain(execution.pending))
    assert (waited, execution.result) == (4, (-6, 112))
    assert execution.fuel_used == 1 + 4 + 3


BACK = """(import "e" "h" (func $h (param i32) (result i32)))
  (memory (export "m") 2) (global (export "__heap_base") i32 (i32.const 1024))
  (func $sum (export "sum") (param $n i32) (param $total i64) (result i64)
    (if (i32.eqz (local.get $n)) (then (return (local.get $total))))
    (return_call $sum (i32.sub (local.get $n) (i32.const 1))
      (i64.add (local.get $total) (i64.extend_i32_u (call $h (local.get $n))))))
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))"""
FRONT = """(import "back" "sum" (func $sum (param i32 i64) (result i64)))
  (import "back" "store" (func $store (param i32 i32)))
  (import "back" "m" (memory 2)) (import "e" "later" (func $later (param i32) (result i32 i64)))
  (type $t (func (param i32 i64) (result i64)))
  (table 2 funcref) (elem (i32.const 0) $sum $tail)
  (func $tail (type $t) (return_call_indirect (type $t) (local.get 0) (local.get 1) (i32.const 0)))
  (func (export "f") (param $n i32) (result i64 i32 f64)
    (local $x i64) (local $i i32) (local $f f64)
    (loop $again
      (block $default (block $two (block $one (block $zero
        (br_table $zero $one $two $default (i32.rem_u (local.get $i) (i32.const 4))))
        (local.set $x (call $sum (local.get $i) (local.get $x))) (br $default))
        (local.set $x (call_indirect (type $t) (local.get $i) (local.get $x) (i32.const 1)))
        (br $default))
        (call $later (local.get $i)) (local.set $x (i64.add (local.get $x)))
        (i32.const 4) (i32.mul) (i32.const 99) (call $store))
      (local.set $f (f64.add (local.get $f) (f64.convert_i32_u (local.get $i))))
      (i32.store (i32.mul (local.get $i) (i32.const 9000)) (local.get $i))
      (if (i32.eq (local.get $i) (i32.const 5)) (then (drop (memory.grow (i32.const 1)))))
      (memory.fill (i32.mul (memory.size) (i32.const 60000)) (local.get $i) (i32.const 1))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
        (local.get $n))))
    (local.get $x) (memory.size) (local.get $f))"""


def everything(fuel: int | None, **options: Any) -> tuple[Any, int, bytes]:
    async def later(n: int) -> tuple[int, int]:
        return n + 100, n * 1000

    back = load(BACK, {"e": {"h": lambda n: n * 3}})
    front = load(FRONT, {"back": back, "e": {"later": later}}, **options)
    execution = front.start("f", 13)
    while not execution.step(fuel):
        if execution.pending:
            execution.resume(drain(execution.pending))
    return execution.result, execution.fuel_used, bytes(back.memory.data)


def test_everything_at_every_fuel() -> None:
    expected = everything(None)
    result, used, memory = expected
    assert result[1:] == (3, sum(range(13)))
    assert memory[4 * 102 : 4 * 102 + 4] == memory[4 * 106 : 4 * 106 + 4] == b"\x63\0\0\0"
    assert (memory[2 * 60000], memory[3 * 60000]) == (4, 12)
    for fuel in range(1, used + 2):
        assert everything(fuel) == expected, fuel


def test_resuming_with_a_result_that_does_not_fit() -> None:
    execution = load(PENDING, {"e": {"h": pair}}).start("f", 100)
    with pytest.raises(RuntimeError, match="no async import is pending"):
        execution.resume((0, 0))
    assert execution.step() is False
    drain(execution.pending)
    for wrong in (None, 5, (1,), (1, "x"), (1, 2, 3)):
        with pytest.raises(TypeError):
            execution.resume(wrong)
    for _ in range(4):
        execution.resume((1, 2))
        with pytest.raises(RuntimeError, match="no async import is pending"):
            execution.resume((1, 2))
        execution.step()
        if execution.pending:
            drain(execution.pending)
    assert execution.result == (8, 104)


def test_an_exception_while_it_is_suspended() -> None:
    async def fails(n: int) -> None:
        await asyncio.sleep(0)
        raise KeyError

    instance = load(PENDING, {"e": {"h": fails}})
    with pytest.raises(KeyError):
        asyncio.run(instance.call_async("f", 0))

    async def wrong(n: int) -> str:
        return "wrong"

    instance = load(PENDING, {"e": {"h": wrong}})
    with pytest.raises(TypeError):
        asyncio.run(instance.call_async("f", 0))


def test_an_async_native_is_given_the_instance() -> None:
    async def native(instance: wamr.Instance, n: int) -> tuple[int, int]:
        await asyncio.sleep(0)
        return instance.memory.read(0, 1)[0], n

    text = PENDING.replace("(result i32 i64)", "(result i32)", 1).replace(
        "(call $h (local.get 0)))", "(call $h (local.get 0)) (i64.const 1))", 1
    )

    async def single(instance: wamr.Instance, n: int) -> int:
        return (await native(instance, n))[0]

    instance = load(text, {"e": {"h": wamr.native("(i)i", single)}})
    assert asyncio.run(instance.call_async("f", 0)) == (4, 0 + 1 + 2 + 3)


def test_an_async_import_cannot_be_waited_for_in_a_plain_call() -> None:
    holder: list[wamr.Instance] = []

    def sync(n: int) -> tuple[int, int]:
        return tuple(reversed(holder[0].exports.f(n)))  # type: ignore[return-value]

    inner = load(PENDING, {"e": {"h": pair}})
    holder.append(inner)
    outer = load(PENDING, {"e": {"h": sync}})
    with pytest.raises(RuntimeError, match="use call_async"):
        inner.exports.f(1)
    with pytest.raises(RuntimeError, match="use call_async"):
        asyncio.run(outer.call_async("f", 1))


def test_the_event_loop_has_its_turn_often() -> None:
    """A few hundred times around a loop take a slow board a tenth of a second."""
    text = """(memory (export "m") 1) (func (export "f") (loop
      (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))) (br 0)))"""
    instance = load(text, engine="portable")

    async def main() -> None:
        app = asyncio.ensure_future(instance.call_async("f"))
        for turn in range(1, 100):
            await asyncio.sleep(0)
            assert 0 < instance.memory.u32(0) <= 300 * turn
        app.cancel()

    asyncio.run(main())


def test_an_execution_cannot_step_itself() -> None:
    holder: list[Any] = []

    def step() -> None:
        holder[0].step()

    instance = load('(import "e" "h" (func)) (func (export "f") (call 0))', {"e": {"h": step}})
    holder.append(instance.start("f"))
    with pytest.raises(RuntimeError, match="running"):
        holder[0].step()


def test_what_is_not_a_number_of_arguments() -> None:
    instance = load('(func (export "f") (param i32))')
    with pytest.raises(TypeError, match="1 arguments wanted, 0 given"):
        instance.start("f")
    with pytest.raises(TypeError):
        asyncio.run(instance.call_async("f", 1, 2))


# The same on MicroPython


def test_on_micropython(unix: Unix) -> None:
    modules = {
        "pending": wat(PENDING),
        "spend": wat(SPEND),
        "calls": wat(CALLS),
        "digit": wat(DIGIT % 0),
        "again": wat(AGAIN),
        "pong": wat(PING % ("return_call", 1)),
    }
    script = f"""{ON_DEVICE}
modules = {modules!r}
def load(name, **given):
    return wamr.Instance(wamr.Module(modules[name]), {{"e": given}})
def fails(f, *args):
    try:
        f(*args)
    except Exception as e:
        print(type(e).__name__, e)

async def pair(n):
    return n * 2, -n
def drain(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
for fuel in (1, 2, 3, 5, None):
    x = load("pending", h=pair).start("f", 100)
    while not x.step(fuel):
        if x.pending:
            x.resume(drain(x.pending))
    print(x.result, x.fuel_used)
fails(load("pending", h=pair).exports.f, 1)

import asyncio
print(asyncio.run(load("pending", h=pair).call_async("f", 1)))

i = load("spend", h=lambda n: n and i.exports.spend(n))
i.fuel = 1000
i.exports.f(100, 200)
print(i.fuel)
i.fuel = 300
fails(i.exports.f, 100, 200)

table = wamr.Table("funcref", 8)
table[6] = wamr.native("(i)i", lambda instance, n: n > 4)
d = load("digit", table=table)
c = load("calls", table=table)
print(c.exports.call(0, 5), c.exports.tail(0, 5), c.exports.call(6, 5), c.exports.tail(6, 3))
fails(c.exports.call, 1, 0)
fails(c.exports.call, 5, 0)
fails(c.exports.call, -1, 0)

depth = 0
def again(n):
    global depth
    depth += 1
    return a.exports.f(n)
a = load("again", again=again)
fails(a.exports.f, 0)
print(depth)
fails(load("again", again=lambda n: None).exports.f, 0)
fails(load("again", again=lambda n: 1 / 0).exports.f, 0)
fails(load("again", again=lambda n: (k for k in ())).exports.f, 0)
"""
    assert unix.exec(script).splitlines() == [
        *["(-6, 112) 8"] * 5,
        "RuntimeError an imported function is async: use call_async()",
        "(-6, 13)",
        "599",
        "Trap out of fuel",
        "1051 52 1001 0",
        "Trap indirect call type mismatch",
        "Trap uninitialized element 5",
        "Trap undefined element",
        "Trap call stack exhausted",
        "8",
        "TypeError i32 wants an int, not None",
        "ZeroDivisionError divide by zero",
        # There, what an async def returns is a generator.
        "RuntimeError an imported function is async: use call_async()",
    ]
