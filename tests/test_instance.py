"""Linking, memory, segments, exports (specification 4.5.4)."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import wamr
from board import Unix
from wamr import pool
from wat import ON_DEVICE, binary, leb, load, section, wat

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


# Where the app's heap lies

FORMS = {
    # memory, heap base, function, imports -> place of the heap, bytes held, pages
    "all told": ("1", 1000, "", 'env" "f', 1000, 1000 + 4096, 1),
    "unaligned": ("1", 1001, "", 'env" "f', 1008, 1008 + 4096, 1),
    "data beyond the first page": ("2", 70000, "", 'env" "f', 70000, 70000 + 4096, 2),
    "beyond the pages": ("1", 65000, "", 'env" "f', 65000, 65000 + 4096, 2),
    "more than the memory": ("1", 200000, "", 'env" "f', 65536, 65536 + 4096, 2),
    "nothing told": ("1", None, "", 'env" "f', 65536, 65536 + 4096, 2),
    "no pages": ("0", None, "", 'env" "f', 0, 4096, 1),
    "growing": ("1", 1000, "(drop (memory.grow (i32.const 0)))", 'env" "f', 65536, 131072, 2),
    "asking": ("1 1", None, "(drop (memory.size))", 'env" "f', 65536, 131072, 2),
    "bytes": ("100 (pagesize 1)", 60, "", 'env" "f', 64, 64 + 4096, 64 + 4096),
    "not from env": ("1", 1000, "", 'other" "f', None, 1000, 1),
    "nothing told, not from env": ("1", None, "", 'other" "f', None, 65536, 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_where_the_heap_lies(form: str) -> None:
    memory, base, body, where, place, held, pages = FORMS[form]
    told = f'(global (export "__heap_base") i32 (i32.const {base}))' if base is not None else ""
    text = f"""(import "{where}" (func)) (memory (export "m") {memory}) {told}
      (func (export "f") {body})"""
    space = {"f": lambda: None}
    instance = load(text, {"env": space, "other": space}, heap=4096)
    assert len(instance.memory.buf) == held
    assert instance.memory.pages == pages
    heap = instance.heap
    if place is None:
        assert heap is None
        return
    block = heap.alloc(100)
    assert place < block < place + 4096 - 100
    assert heap.alloc(4096) == 0
    # It stays where it is when the memory grows, by whomever.
    instance.memory.write(block, b"kept")
    assert instance.memory.grow(1) == (-1 if form == "asking" else pages)
    assert instance.memory.read(block, 4) == b"kept"
    heap.free(block)
    assert heap.alloc(100) == block


@pytest.mark.parametrize("pool_size", [0, 100000])
@pytest.mark.parametrize("engine", ["portable", "native"])
def test_a_heap_that_begins_small(
    engine: str, pool_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_heap", None)
    monkeypatch.setattr(pool, "taken", [])
    if pool_size:
        pool.init(pool_size)
    # Each block is written to its last byte by the code that asked for it.
    text = """(import "env" "malloc" (func $malloc (param i32) (result i32)))
      (memory (export "m") 1) (global (export "__heap_base") i32 (i32.const 1000))
      (func (export "new") (param $n i32) (result i32) (local $p i32)
        (if (i32.eqz (local.tee $p (call $malloc (local.get $n)))) (then (return (i32.const 0))))
        (i32.store8 (i32.sub (i32.add (local.get $p) (local.get $n)) (i32.const 1)) (local.get $n))
        (local.get $p))"""
    space = {"malloc": wamr.native("(i)i", lambda instance, n: instance.heap.alloc(n))}
    instance = load(text, {"env": space}, engine=engine, heap=4096, heap_start=512)
    memory = instance.memory
    assert len(memory.buf) == 1000 + 512
    blocks = {}
    for n in (200, 201, 202, 1500, 203):
        p = instance.exports.new(n)
        assert p and p + n <= len(memory.buf) < 1000 + 4096
        blocks[p] = n
    # What it was promised, and no more.
    assert instance.exports.new(3000) == 0
    while p := instance.exports.new(99):
        blocks[p] = 99
    assert len(memory.buf) == 1000 + 4096 and instance.heap.stats()[2] < 112
    for p, n in blocks.items():
        assert memory.read(p + n - 1, 1) == bytes([n & 255])
        instance.heap.free(p)
    assert instance.heap.stats()[3] == 4096 - 8
    assert memory.pages == 1
    # A stray access behind it finds the page as it should be.
    memory.write(65535, b"x")
    assert len(memory.buf) == 65536 and instance.exports.new(4000)


def test_no_heap_for_an_app_that_has_its_own() -> None:
    text = """(import "env" "f" (func)) (memory 1)
      (func (export "malloc") (param i32) (result i32) (i32.const 0))
      (func (export "free") (param i32))"""
    instance = load(text, {"env": {"f": lambda: None}})
    assert instance.heap is None
    assert load('(import "env" "f" (func))', {"env": {"f": lambda: None}}).heap is None


def test_heap_base_of_another_kind_is_ignored() -> None:
    for told in (
        '(global (export "__heap_base") (mut i32) (i32.const 8))',
        '(global (export "__heap_base") i64 (i64.const 8))',
        '(func (export "__heap_base"))',
        '(import "e" "b" (global (;0;) i32)) (export "__heap_base" (global 0))',
    ):
        instance = load(f"{told} (memory 1)", {"e": {"b": 8}})
        assert len(instance.memory.buf) == 65536


# A memory that was cut behaves as the specification says when it is used beyond

CUT = """(memory (export "m") 2) (global (export "__heap_base") i32 (i32.const 4096))
  (data $d "passive")"""


def cut(body: str, results: str = "i32", extra: str = "") -> wamr.Instance:
    text = f'{extra} {CUT} (func (export "f") (param i32) (result {results}) {body})'
    instance = load(text)
    assert len(instance.memory.buf) == 4096
    instance.memory.write(10, b"before")
    return instance


def check_whole(instance: wamr.Instance) -> None:
    assert len(instance.memory.buf) == 2 * 65536
    assert instance.memory.read(10, 6) == b"before"


TOUCHES = {
    "i32.load": ("(i32.load (local.get 0))", "i32", 4, 0),
    "i32.load offset": ("(i32.load offset=4 (local.get 0))", "i32", 8, 0),
    "i32.load8_s": ("(i32.load8_s (local.get 0))", "i32", 1, 0),
    "i32.load16_u": ("(i32.load16_u (local.get 0))", "i32", 2, 0),
    "i64.load": ("(i64.load (local.get 0))", "i64", 8, 0),
    "i64.load32_s": ("(i64.load32_s (local.get 0))", "i64", 4, 0),
    "f32.load": ("(f32.load (local.get 0))", "f32", 4, 0.0),
    "f64.load": ("(f64.load (local.get 0))", "f64", 8, 0.0),
    "i32.store": (
        "(i32.store (local.get 0) (i32.const 0x01020304)) (i32.load (local.get 0))",
        "i32",
        4,
        0x01020304,
    ),
    "i32.store8": (
        "(i32.store8 (local.get 0) (i32.const 5)) (i32.load8_u (local.get 0))",
        "i32",
        1,
        5,
    ),
    "i64.store": (
        "(i64.store (local.get 0) (i64.const -5)) (i64.load (local.get 0))",
        "i64",
        8,
        -5,
    ),
    "f64.store": (
        "(f64.store (local.get 0) (f64.const -5)) (f64.load (local.get 0))",
        "f64",
        8,
        -5.0,
    ),
    "memory.fill": (
        "(memory.fill (local.get 0) (i32.const 7) (i32.const 3)) (i32.load8_u (local.get 0))",
        "i32",
        3,
        7,
    ),
    "memory.copy to": (
        "(memory.copy (local.get 0) (i32.const 10) (i32.const 6)) (i32.load8_u (local.get 0))",
        "i32",
        6,
        ord("b"),
    ),
    "memory.copy from": (
        "(memory.copy (i32.const 20) (local.get 0) (i32.const 6)) (i32.load8_u (i32.const 20))",
        "i32",
        6,
        0,
    ),
    "memory.init": (
        "(memory.init $d (local.get 0) (i32.const 1) (i32.const 4)) (i32.load8_u (local.get 0))",
        "i32",
        4,
        ord("a"),
    ),
    # What is done before and after in the same run goes into the same memory.
    "a store after memory.fill": (
        """(i32.store8 (i32.const 1) (i32.const 3))
          (memory.fill (local.get 0) (i32.const 0) (i32.const 1))
          (i32.store8 (i32.const 2) (i32.const 4))
          (i32.add (i32.load8_u (i32.const 1)) (i32.load8_u (i32.const 2)))""",
        "i32",
        1,
        7,
    ),
}


@pytest.mark.parametrize("touch", TOUCHES)
def test_using_a_cut_memory(touch: str) -> None:
    body, results, width, result = TOUCHES[touch]
    assert cut(body, results).exports.f(100 if "from" not in touch else 200) == result
    for place in (4097 - width, 4096, 65536, 2 * 65536 - width):
        instance = cut(body, results)
        assert instance.exports.f(place) == result
        check_whole(instance)
    for place in (2 * 65536 - width + 1, 2**31, -1, -width):
        instance = cut(body, results)
        with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
            instance.exports.f(place)
        assert len(instance.memory.buf) == 4096


def test_fuel_does_not_notice() -> None:
    body = """(local i32) (loop (local.set 1 (i32.add (local.get 1) (i32.const 1)))
      (i32.store (local.get 0) (local.get 1))
      (br_if 0 (i32.lt_u (local.get 1) (i32.const 5)))) (i32.load (local.get 0))"""
    text = f'{CUT} (func (export "f") (param i32) (result i32) {body})'
    used = []
    for place in (8, 5000):
        execution = load(text).start("f", place)
        while not execution.step(1):
            pass
        assert execution.result == 5
        used.append(execution.fuel_used)
    assert used == [5, 5]


def test_python_uses_a_cut_memory() -> None:
    for use in (
        lambda m: m.read(4095, 2),
        lambda m: m.write(4096, b"x"),
        lambda m: m.u32(5000),
        lambda m: m.put_u64(65536, 1),
        lambda m: (m.write(0, b"y" * 4096), m.read_cstr(0)),
    ):
        instance = cut("(i32.const 0)")
        memory = instance.exports.m
        use(memory)
        assert len(memory.buf) == 2 * 65536
        assert memory.size == 2
    instance = cut("(i32.const 0)")
    with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
        instance.memory.read(2 * 65536, 1)
    assert len(instance.memory.buf) == 4096


def test_python_grows_a_cut_memory() -> None:
    instance = cut("(i32.load (local.get 0))")
    assert instance.memory.grow(0) == 2
    assert len(instance.memory.buf) == 4096
    assert instance.memory.grow(1) == 2
    assert len(instance.memory.buf) == 3 * 65536
    assert instance.memory.read(10, 6) == b"before"
    assert instance.exports.f(3 * 65536 - 4) == 0
    with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
        instance.exports.f(3 * 65536 - 3)
    assert len(instance.memory.buf) == 3 * 65536


def test_a_native_is_given_a_pointer_into_what_was_cut() -> None:
    seen: list[bytes] = []
    text = f"""(import "e" "n" (func $n (param i32 i32))) {CUT}
      (func (export "f") (param i32 i32) (call $n (local.get 0) (local.get 1))
        (i32.store8 (i32.const 5) (i32.const 9)))"""
    native = wamr.native("(*~)", lambda instance, p, n: seen.append(instance.memory.read(p, n)))
    instance = load(text, {"e": {"n": native}})
    instance.exports.f(4094, 4)
    assert seen == [b"\0\0\0\0"]
    assert len(instance.memory.buf) == 2 * 65536
    assert instance.memory.read(5, 1) == b"\x09"


def test_a_data_segment_behind_the_end_of_the_data() -> None:
    instance = load(f'{CUT} (data (i32.const 70000) "far")')
    assert instance.memory.read(70000, 3) == b"far"
    with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
        load(f'{CUT} (data (i32.const 131070) "far")')


def test_sharing_a_cut_memory() -> None:
    first = cut("(i32.load8_u (local.get 0))")
    second = load(
        """(import "a" "m" (memory 2))
          (func (export "poke") (param i32) (i32.store8 (local.get 0) (i32.const 3)))
          (func (export "grow") (result i32) (memory.grow (i32.const 1)))""",
        {"a": first},
    )
    check_whole(first)
    second.exports.poke(100000)
    assert first.exports.f(100000) == 3
    assert second.exports.grow() == 2
    second.exports.poke(2 * 65536)
    assert first.exports.f(2 * 65536) == 3


def test_growth_while_another_instance_is_running() -> None:
    """The caller of the one that grows it sees the new memory at once."""
    first = load(
        """(memory (export "m") 1)
          (func (export "grow") (param i32)
            (drop (memory.grow (local.get 0)))
            (i32.store8 (i32.const 65536) (i32.const 7)))"""
    )
    second = load(
        """(import "a" "m" (memory 1)) (import "a" "grow" (func $grow (param i32)))
          (func (export "f") (result i32)
            (i32.store8 (i32.const 1) (i32.const 1))
            (call $grow (i32.const 1))
            (i32.store8 (i32.const 2) (i32.const 2))
            (i32.add (i32.load8_u (i32.const 65536))
              (i32.add (i32.load8_u (i32.const 1)) (i32.load8_u (i32.const 2)))))""",
        {"a": first},
    )
    assert second.exports.f() == 10
    assert first.memory.read(0, 3) == b"\0\1\2"


# Hostile modules


def test_segments_that_promise_much() -> None:
    """2**32 elements or bytes cannot be in a file; nobody has a table or memory of that size."""
    huge = leb(2**32 - 1)
    for number, content in (
        (9, b"\1\0\x41\0\x0b" + huge),
        (9, b"\1\4\x41\0\x0b" + huge),
        (11, b"\1\1" + huge),
    ):
        with pytest.raises(wamr.CompileError, match="^length out of bounds"):
            wamr.Module(binary(section(4, b"\1\x70\0\0"), section(number, content)))
    with pytest.raises(wamr.LinkError, match="^not enough memory: a table of"):
        wamr.Instance(
            wamr.Module(binary(section(4, b"\1\x70\0" + huge), section(7, b"\1\1t\1\0")))
        )
    # However many tables there are, one of them is enough to refuse the module.
    text = "".join(f"(table {n} funcref)" for n in (2**32 - 1, 1))
    with pytest.raises(wamr.LinkError):
        load(text)


@pytest.mark.parametrize(
    "body, n",
    [
        ("", 0),
        ('(export "t" (table 0))', 1),
        ("(elem (i32.const 0) 0)", 1),
        ("(func (drop (table.size 0)))", 1),
        ("(func (call_indirect (i32.const 0)))", 1),
        ("(table 1 funcref)", 2),
    ],
)
def test_a_table_that_nothing_uses_takes_no_ram(body: str, n: int) -> None:
    assert len(load(f"(table 1 funcref) (func) {body}").tables) == n


def test_memories_that_are_too_large_on_micropython(unix: Unix) -> None:
    modules = [
        wat("(memory 65536)"),
        wat("(memory 32768)"),
        wat("(memory 4294967295 (pagesize 1))"),
        wat('(import "env" "f" (func)) (memory 65536)'),
    ]
    grow = '(func (export "f") (param i32) (result i32) %s)'
    memory = wat("(memory 1)" + grow % "(memory.grow (local.get 0))")
    table = wat("(table 1 funcref)" + grow % "(table.grow (ref.null func) (local.get 0))")
    script = f"""{ON_DEVICE}
for data in {modules!r}:
    try:
        wamr.Instance(wamr.Module(data), {{"env": {{"f": print}}}})
    except wamr.LinkError as e:
        print(str(e)[:17])
f = wamr.Instance(wamr.Module({memory!r})).exports.f
print([f(n) for n in (65535, 65536, -1, 2**31, 30000, 0)])
f = wamr.Instance(wamr.Module({table!r})).exports.f
print([f(n) for n in (-1, 2**31, 2**30, 2**24, 0)])
"""
    out = unix.exec(script).splitlines()
    assert out == ["not enough memory"] * 4 + ["[-1, -1, -1, -1, -1, 1]", "[-1, -1, -1, -1, 1]"]


def test_a_table_grows_up_to_its_limits() -> None:
    instance = load(
        """(table (export "t") 1 5 externref)
          (func (export "grow") (param i32 externref) (result i32)
            (table.grow (local.get 1) (local.get 0)))
          (func (export "fill") (param i32 externref i32)
            (table.fill (local.get 0) (local.get 1) (local.get 2)))"""
    )
    grow, table = instance.exports.grow, instance.exports.t
    assert [grow(2, "x"), grow(3, "y"), grow(-1, "y"), grow(2, "z"), grow(1, "w")] == [
        1,
        -1,
        -1,
        3,
        -1,
    ]
    assert list(table) == [None, "x", "x", "z", "z"]
    instance.exports.fill(1, "f", 3)
    assert list(table) == [None, "f", "f", "f", "z"]
    instance.exports.fill(5, "f", 0)
    for args in ((4, "g", 2), (6, "g", 0), (-1, "g", 1), (0, "g", -1)):
        with pytest.raises(wamr.Trap, match="^out of bounds table access"):
            instance.exports.fill(*args)
    assert list(table) == [None, "f", "f", "f", "z"]
