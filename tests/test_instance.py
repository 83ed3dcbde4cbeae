"""Linking, memory, segments, exports (specification 4.5.4)."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import wamr
from board import Unix
from wat import ON_DEVICE, load, wat

OUT_OF_BOUNDS = "^out of bounds memory access"

# Imports


def test_all_missing_imports_are_listed_at_once() -> None:
    text = """(import "a" "f" (func (param i32)))
      (import "a" "there" (func))
      (import "b" "g" (global (mut f64)))
      (import "b" "t" (table 1 2 funcref))
      (import "c" "m" (memory 1))"""
    with pytest.raises(wamr.LinkError) as caught:
        load(text, {"a": {"there": lambda: None}, "c": {"n": 1}})
    assert str(caught.value) == (
        'unknown import: "a" "f" func (i32) -> (); "b" "g" global mut f64;'
        ' "b" "t" table funcref 1..2; "c" "m" memory 1.. pages of 65536;'
        " give them with imports={...}, or build the app without them"
    )


@pytest.mark.parametrize(
    "wanted, given, described",
    [
        ("(func)", 5, "5"),
        ("(func)", wamr.Memory(1), "memory 1.. pages of 65536"),
        ("(func (param i32))", load('(func (export "f"))').exports.f, "func () -> ()"),
        ("(global i32)", 1.5, "1.5"),
        ("(global i32)", "1", "'1'"),
        ("(global (mut i32))", 1, "1"),
        ("(global (mut i32))", wamr.Global("i32", 1), "global i32"),
        ("(global i32)", wamr.Global("i32", 1, True), "global mut i32"),
        ("(global i64)", wamr.Global("i32", 1), "global i32"),
        ("(global funcref)", 1, "1"),
        ("(table 1 funcref)", wamr.Table("externref", 1), "table externref 1.."),
        ("(table 2 funcref)", wamr.Table("funcref", 1), "table funcref 1.."),
        ("(table 1 5 funcref)", wamr.Table("funcref", 1), "table funcref 1.."),
        ("(table 1 5 funcref)", wamr.Table("funcref", 1, 6), "table funcref 1..6"),
        ("(table 1 funcref)", wamr.Memory(1), "memory 1.. pages of 65536"),
        ("(memory 2)", wamr.Memory(1), "memory 1.. pages of 65536"),
        ("(memory 1 2)", wamr.Memory(1, 3), "memory 1..3 pages of 65536"),
        ("(memory 1)", wamr.Memory(100000, page_size=1), "memory 100000.. pages of 1"),
        ("(memory 1)", len, "<built-in function len>"),
    ],
)
def test_imports_that_do_not_fit(wanted: str, given: object, described: str) -> None:
    with pytest.raises(wamr.LinkError) as caught:
        load(f'(import "a" "b" {wanted})', {"a": {"b": given}})
    text = str(caught.value)
    assert text.startswith('incompatible import type: "a" "b" wants ')
    assert text.endswith(f", given {described}")


@pytest.mark.parametrize(
    "wanted, given",
    [
        ("(global i32)", 1),
        ("(global i64)", -1),
        ("(global f32)", 1.5),
        ("(global f64)", 2),
        ("(global (mut externref))", wamr.Global("externref", None, True)),
        ("(table 1 funcref)", wamr.Table("funcref", 2)),
        ("(table 1 5 funcref)", wamr.Table("funcref", 1, 4)),
        ("(memory 1)", wamr.Memory(2, 3)),
        ("(memory 100 (pagesize 1))", wamr.Memory(100, page_size=1)),
        ("(func (param i32))", print),
    ],
)
def test_imports_that_fit(wanted: str, given: object) -> None:
    load(f'(import "a" "b" {wanted})', {"a": {"b": given}})


def test_a_namespace_that_resolves() -> None:
    asked: list[Any] = []

    class Space:
        def resolve(self, name: str, kind: str, type: Any, module: wamr.Module) -> Any:
            asked.append((name, kind, type, module))
            return {"func": lambda: 7, "global": 5}.get(kind)

    text = """(import "a" "f" (func (result i32))) (import "a" "g" (global i32))
      (import "a" "m" (memory 1))"""
    module = wamr.Module(wat(text))
    with pytest.raises(wamr.LinkError, match='^unknown import: "a" "m" memory'):
        wamr.Instance(module, {"a": Space()})
    assert asked == [
        ("f", "func", (b"", b"\x7f"), module),
        ("g", "global", (0x7F, False), module),
        ("m", "memory", (1, None, 65536), module),
    ]


# Exports

STATE = """(module
  (memory (export "m") 1 4) (table (export "t") 2 funcref) (global $g (export "g") (mut i32) (i32.const 5))
  (global (export "c") i64 (i64.const -1))
  (func $f (export "f") (result i32) (global.get $g))
  (func (export "set") (param i32) (global.set $g (local.get 0)))
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "size") (result i32) (memory.size))
  (elem (i32.const 1) $f))"""  # noqa: E501


def test_exports() -> None:
    exports = load(STATE).exports
    assert list(exports) == ["m", "t", "g", "c", "f", "set", "peek", "size"]
    assert "m" in exports
    assert "n" not in exports
    assert exports.f() == exports["f"]() == 5
    with pytest.raises(AttributeError, match="the module does not export 'nothing'"):
        _ = exports.nothing
    with pytest.raises(KeyError):
        exports["nothing"]
    instance = load('(func (export "any name ☃") (result i32) (i32.const 1))')
    assert instance.exports["any name ☃"]() == 1
    assert instance.exports["any name ☃"] is instance.exports["any name ☃"]


def test_exported_state_is_the_state() -> None:
    exports = load(STATE).exports
    exports.set(9)
    assert exports.g.value == 9
    exports.g.value = -3
    assert exports.f() == -3
    exports.m.write(70, b"A")
    assert exports.peek(70) == 65
    exports.m.grow(2)
    assert exports.size() == 3
    assert exports.t[1]() == -3
    assert exports.t[0] is None
    assert exports.c.value == -1
    with pytest.raises(TypeError, match="immutable"):
        exports.c.value = 0


def test_only_functions_are_called() -> None:
    instance = load(STATE)
    with pytest.raises(TypeError, match="export 'm' is not a function"):
        instance.call_raw("m")
    with pytest.raises(TypeError, match="export 'g' is not a function"):
        instance.start("g")
    with pytest.raises(KeyError):
        instance.call_raw("nothing")


def test_raw_calls() -> None:
    text = '(func (export "f") (param i64 f32) (result f32 i64) (local.get 1) (local.get 0))'
    args = [2**64 - 1, 0x7FA00000]
    assert load(text).call_raw("f", args) == [0x7FA00000, 2**64 - 1]
    assert args == [2**64 - 1, 0x7FA00000]  # the caller's list stays as it is


IMPORTING = """(module
  (import "a" "f" (func $f (result i32))) (import "a" "m" (memory 1 4))
  (import "a" "t" (table 2 funcref)) (import "a" "g" (global $g (mut i32)))
  (export "f2" (func $f)) (export "m2" (memory 0))
  (export "t2" (table 0)) (export "g2" (global $g))
  (func (export "poke") (i32.store8 (i32.const 3) (i32.const 77)) (global.set $g (i32.const 44)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1))))"""


def test_exports_of_imported_things() -> None:
    first = load(STATE)
    second = load(IMPORTING, {"a": first})
    third = load(
        """(import "b" "m2" (memory 1)) (import "b" "g2" (global (mut i32)))
          (import "b" "f2" (func (result i32))) (import "b" "t2" (table 1 funcref))
          (func (export "f3") (result i32) (call 0))
          (func (export "byte") (result i32) (i32.load8_u (i32.const 3)))
          (func (export "third") (result i32) (i32.const 333))
          (elem (i32.const 0) 3)""",
        {"b": second},
    )
    second.exports.poke()
    assert first.exports.peek(3) == second.exports.m2.read(3, 1)[0] == third.exports.byte() == 77
    assert first.exports.g is second.exports.g2
    assert second.exports.f2() == third.exports.f3() == first.exports.f() == 44
    assert second.exports.m2 is first.exports.m
    assert first.exports.t[0]() == 333
    assert second.exports.grow() == 1
    assert first.exports.size() == 2


def test_exports_of_imported_python_functions() -> None:
    instances: list[Any] = []

    def native(instance: wamr.Instance, n: int) -> int:
        instances.append(instance)
        return n + 1

    text = """(import "e" "n" (func $n (param i32) (result i32)))
      (import "e" "p" (func $p (param i32) (result i32)))
      (export "n" (func $n)) (export "p" (func $p))"""
    given = {"n": wamr.native("(i)i", native), "p": lambda n: n + 2}
    first = load(text, {"e": given})
    assert (first.exports.n(5), first.exports.p(5)) == (6, 7)
    assert first.call_raw("n", [2**32 - 1]) == [0]
    assert first.start("p", 1).step() is True
    second = load(text, {"e": first})
    assert (second.exports.n(-1), second.exports.p(-1)) == (0, 1)
    # The instance that called it, each time.
    assert instances == [first, first, second]


# Several instances


def test_one_module_many_instances() -> None:
    module = wamr.Module(wat(STATE))
    one, other = wamr.Instance(module), wamr.Instance(module)
    one.exports.set(1)
    one.exports.m.grow(1)
    one.exports.m.write(0, b"x")
    one.exports.t[1] = None
    assert (other.exports.f(), other.exports.size(), other.exports.peek(0)) == (5, 1, 0)
    assert other.exports.t[1]() == 5
    assert wamr.Instance(module).exports.f() == 5


def test_segments_can_be_dropped_by_one_instance_alone() -> None:
    text = """(memory (export "m") 1) (table (export "t") 2 funcref)
      (func $f (result i32) (i32.const 8)) (data $d "ab") (elem $e func $f $f)
      (func (export "init")
        (memory.init $d (i32.const 0) (i32.const 0) (i32.const 2))
        (table.init $e (i32.const 0) (i32.const 0) (i32.const 2)))
      (func (export "drop") (data.drop $d) (elem.drop $e))"""
    module = wamr.Module(wat(text))
    one, other = wamr.Instance(module), wamr.Instance(module)
    one.exports.drop()
    with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
        one.exports.init()
    other.exports.init()
    assert other.exports.m.read(0, 2) == b"ab"
    assert other.exports.t[1]() == 8


def test_instances_are_garbage_when_nobody_has_them() -> None:
    def make() -> list[Any]:
        first = load(STATE)
        second = load(IMPORTING, {"a": first})
        second.exports.poke()
        return [weakref.ref(x) for x in (first, second, first.module, first.memory)]

    references = make()
    gc.collect()
    assert [r() for r in references] == [None] * 4


def test_a_thousand_instances_leave_nothing_behind_on_micropython(unix: Unix) -> None:
    script = f"""{ON_DEVICE}
data = {wat(STATE)!r}
second = {wat(IMPORTING)!r}
module = wamr.Module(data)
def once():
    a = wamr.Instance(module)
    a.exports.set(3)
    b = wamr.Instance(wamr.Module(second), {{"a": a, "e": {{"print": print}}}})
    b.exports.poke()
    b.start("poke").step(0)
    try:
        a.exports.peek(1 << 20)
    except wamr.Trap:
        pass
    try:
        wamr.Instance(module, stack=0).exports.f()
    except wamr.Trap:
        pass
def held():
    gc.collect()
    return gc.mem_alloc()
for _ in range(10):
    once()
before = held()
for _ in range(1000):
    once()
print(held() - before)
"""
    assert int(unix.exec(script, timeout_s=240)) < 1000


# Segments and the start function


def test_what_came_before_a_trap_stays() -> None:
    memory = wamr.Memory(1)
    table = wamr.Table("funcref", 2)
    text = """(import "e" "m" (memory 1)) (import "e" "t" (table 2 funcref))
      (func $f (result i32) (i32.const 1))
      (elem (i32.const 0) $f) (elem (i32.const 2) $f) (data (i32.const 0) "x")"""
    with pytest.raises(wamr.Trap, match="^out of bounds table access"):
        load(text, {"e": {"m": memory, "t": table}})
    assert table[0]() == 1
    assert memory.read(0, 1) == b"\0"
    text = """(import "e" "m" (memory 1))
      (data (i32.const 0) "x") (data (i32.const 65535) "yz") (data (i32.const 1) "w")"""
    with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
        load(text, {"e": {"m": memory}})
    assert memory.read(0, 2) == b"x\0"
    assert memory.read(65535, 1) == b"\0"


@pytest.mark.parametrize("offset, fits", [(0, True), (65536, True), (65537, False), (-1, False)])
def test_an_empty_segment_must_lie_inside_too(offset: int, fits: bool) -> None:
    text = f'(memory 1) (data (i32.const {offset}) "")'
    if fits:
        load(text)
    else:
        with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
            load(text)


def test_constant_expressions() -> None:
    text = """(import "e" "base" (global $base i32)) (import "e" "big" (global $big i64))
      (memory (export "m") 1) (table (export "t") 4 funcref) (func $f)
      (global (export "a") i32 (i32.add (global.get $base) (i32.mul (i32.const 3) (i32.const -4))))
      (global (export "b") i64 (i64.sub (global.get $big) (i64.const 1)))
      (global (export "c") f32 (f32.const -0.5)) (global (export "d") f64 (f64.const 0x1p-1074))
      (global (export "e") funcref (ref.func $f)) (global (export "n") externref (ref.null extern))
      (data (offset (i32.add (global.get $base) (i32.const 2))) "x")
      (elem (offset (i32.sub (global.get $base) (i32.const 98))) func $f)"""
    exports = load(text, {"e": {"base": 100, "big": -(2**63)}}).exports
    assert exports.a.value == 88
    assert exports.b.value == 2**63 - 1
    assert (exports.c.value, exports.d.value) == (-0.5, 5e-324)
    assert exports["e"].value() is None
    assert exports.n.value is None
    assert exports.m.read(102, 1) == b"x"
    assert exports.t[2]() is None


def test_a_start_function() -> None:
    text = """(global $g (export "g") (mut i32) (i32.const 0))
      (func $s (global.set $g (i32.add (global.get $g) (i32.const 1)))) (start $s)"""
    assert load(text).exports.g.value == 1


def test_an_imported_start_function() -> None:
    calls: list[Any] = []
    text = '(import "e" "s" (func $s)) (start $s)'
    load(text, {"e": {"s": lambda: calls.append("plain")}})
    instance = load(text, {"e": {"s": wamr.native("()", calls.append)}})
    assert calls == ["plain", instance]
    other = load(
        '(global (export "g") (mut i32) (i32.const 0))'
        '(func (export "s") (global.set 0 (i32.const 6)))'
    )
    load(text, {"e": other})
    assert other.exports.g.value == 6


def test_a_start_function_that_fails() -> None:
    with pytest.raises(wamr.Trap, match="^unreachable"):
        load("(func $s (unreachable)) (start $s)")

    async def later() -> None: ...

    with pytest.raises(RuntimeError, match="async"):
        load('(import "e" "s" (func $s)) (start $s)', {"e": {"s": later}})

    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        load('(import "e" "s" (func $s)) (start $s)', {"e": {"s": fails}})


def test_engines() -> None:
    module = wamr.Module(wat('(func (export "f") (result i32) (i32.const 1))'))
    for name in ("auto", "portable"):
        assert wamr.Instance(module, engine=name).exports.f() == 1
    with pytest.raises(ValueError, match="^engine 'fast'"):
        wamr.Instance(module, engine="fast")
