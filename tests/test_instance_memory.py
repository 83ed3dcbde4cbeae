"""What an instance holds of its memory and tables, and where an app's heap lies in it."""

from __future__ import annotations

import pytest
import wamr
from board import Unix
from wamr import pool
from wat import ON_DEVICE, binary, leb, load, section, wat

OUT_OF_BOUNDS = "^out of bounds memory access"

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
