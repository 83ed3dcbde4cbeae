"""Memories, tables, globals, functions as Python sees them; what imported functions are given."""

from __future__ import annotations

import math
import resource
import struct
from typing import Any

import pytest
import wamr
from hypothesis import given
from hypothesis import strategies as st
from wat import load, wat

OUT_OF_BOUNDS = "^out of bounds memory access"

# Memory


def test_a_memory() -> None:
    memory = wamr.Memory(1, 3)
    assert (memory.size, memory.max, memory.page_size) == (1, 3, 65536)
    assert len(memory.data) == 65536
    memory.data[5] = 7
    assert memory.read(4, 3) == b"\0\7\0"
    assert memory.grow(0) == 1
    assert memory.grow(1) == 1
    assert memory.grow(2) == -1
    assert memory.size == 2
    assert len(memory.data) == 2 * 65536
    assert memory.read(5, 1) == b"\7"
    assert memory.grow(1) == 2
    assert memory.grow(1) == -1
    assert memory.grow(-1) == -1


def test_a_memory_of_bytes() -> None:
    memory = wamr.Memory(10, page_size=1)
    assert len(memory.data) == 10
    assert memory.grow(5) == 10
    assert len(memory.data) == 15
    assert memory.grow(2**32) == -1
    with pytest.raises(ValueError, match="page_size"):
        wamr.Memory(1, page_size=4096)


def test_no_memory_is_larger_than_its_addresses() -> None:
    with pytest.raises(wamr.LinkError, match="^not enough memory: 4295032832 bytes"):
        wamr.Memory(65537)
    memory = wamr.Memory(0)
    assert memory.grow(65537) == -1
    assert wamr.Memory(0, 100000).grow(65537) == -1


def test_reading_and_writing() -> None:
    memory = wamr.Memory(1)
    for data in (b"abc", bytearray(b"def"), memoryview(b"ghi")):
        memory.write(65533, data)
        assert memory.read(65533, 3) == bytes(data)
    memory.write(65536, b"")
    assert memory.read(65536, 0) == b""
    memory.put_u32(0, 0x80000001)
    assert memory.read(0, 4) == b"\1\0\0\x80"
    assert memory.u32(0) == 0x80000001
    memory.put_u32(0, -2)
    assert memory.u32(0) == 0xFFFFFFFE
    memory.put_u64(8, 0x8000000000000001)
    assert memory.u64(8) == 0x8000000000000001
    memory.put_u64(8, -1)
    assert memory.u64(8) == 2**64 - 1
    memory.write(100, b"hello\0there")
    assert memory.read_cstr(100) == b"hello"
    assert memory.read_cstr(105) == b""


@pytest.mark.parametrize("place", [65533, 65536, 2**31, 2**32 - 1, 2**33, -1, -65536])
def test_outside_a_memory(place: int) -> None:
    memory = wamr.Memory(1)
    memory.write(0, b"x" * 65536)
    for access in (
        lambda: memory.read(place, 4),
        lambda: memory.write(place, b"abcd"),
        lambda: memory.u32(place),
        lambda: memory.put_u32(place, 0),
        lambda: memory.u64(place),
        lambda: memory.put_u64(place, 0),
        lambda: memory.read_cstr(place),
    ):
        with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
            access()
    assert bytes(memory.data) == b"x" * 65536
    with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
        memory.read(0, -1)
    with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
        memory.read(0, 2**32)


# Table


def test_a_table() -> None:
    table = wamr.Table("externref", 2, 5)
    assert (len(table), list(table)) == (2, [None, None])
    table[1] = "x"
    assert table[1] == "x"
    assert table.grow(2, 7) == 2
    assert list(table) == [None, "x", 7, 7]
    assert table.grow(2) == -1
    assert table.grow(0) == 4
    assert table.grow(-1) == -1
    with pytest.raises(IndexError):
        table[4]
    with pytest.raises(IndexError):
        table[4] = 1


def test_a_table_of_functions() -> None:
    f = load('(func (export "f") (result i32) (i32.const 3))').exports.f
    table = wamr.Table("funcref", 1, init=f)
    assert table[0] is f
    table[0] = None
    native = wamr.native("()", lambda instance: None)
    table[0] = native
    assert table[0] is native
    for wrong in (5, "f", print):
        with pytest.raises(TypeError, match="^funcref wants None or an exported function"):
            table[0] = wrong
        with pytest.raises(TypeError, match="^funcref wants"):
            table.grow(1, wrong)
        with pytest.raises(TypeError, match="^funcref wants"):
            wamr.Table("funcref", 1, init=wrong)


def test_tables_that_cannot_be() -> None:
    with pytest.raises(wamr.LinkError, match="a table of 4294967295 elements wanted"):
        wamr.Table("funcref", 2**32 - 1)
    with pytest.raises(ValueError, match="'i33' is not a value type"):
        wamr.Table("i33", 1)
    assert wamr.Table("funcref", 0).grow(2**32 - 1) == -1


# Global


def test_a_global() -> None:
    variable = wamr.Global("i32", -5, True)
    assert (variable.value, variable.raw) == (-5, 0xFFFFFFFB)
    variable.value = 2**32 + 9
    assert variable.value == 9
    constant = wamr.Global("i64", 2**63)
    assert (constant.value, constant.raw) == (-(2**63), 2**63)
    with pytest.raises(TypeError, match="immutable"):
        constant.value = 1
    assert wamr.Global("f32", 1.5).raw == 0x3FC00000
    assert wamr.Global("f64", -1).raw == 0xBFF0000000000000
    assert wamr.Global("externref", "x").value == "x"
    assert wamr.Global("funcref", None).value is None
    with pytest.raises(TypeError, match="^i32 wants an int"):
        wamr.Global("i32", 1.5)
    with pytest.raises(ValueError, match="is not a value type"):
        wamr.Global("int", 1)


# Values

IDENTITY = load(
    "".join(
        f'(func (export "{kind}") (param {kind}) (result {kind}) (local.get 0))'
        for kind in ("i32", "i64", "f32", "f64", "externref", "funcref")
    )
).exports


@given(st.integers(-(2**70), 2**70))
def test_integers_are_signed_and_wrap(n: int) -> None:
    assert IDENTITY.i32(n) == (n + 2**31) % 2**32 - 2**31
    assert IDENTITY.i64(n) == (n + 2**63) % 2**64 - 2**63


@given(st.floats(width=32))
def test_single_floats(x: float) -> None:
    assert struct.pack("<f", IDENTITY.f32(x)) == struct.pack("<f", x) or math.isnan(x)


@given(st.floats())
def test_double_floats(x: float) -> None:
    assert struct.pack("<d", IDENTITY.f64(x)) == struct.pack("<d", x) or math.isnan(x)


def test_an_integer_is_rounded_once() -> None:
    n = 2**54 + 2**30 + 1  # as a double, it lies in the middle of two singles
    assert IDENTITY.f32(n) == 2**54 + 2**31
    assert IDENTITY.f64(2**53 + 1) == 2**53
    assert IDENTITY.f32(-(10**60)) == -math.inf
    assert IDENTITY.f32(1e300) == math.inf


def test_booleans_are_numbers() -> None:
    assert (IDENTITY.i32(True), IDENTITY.i64(False), IDENTITY.f64(True)) == (1, 0, 1.0)


def test_references() -> None:
    thing = object()
    assert IDENTITY.externref(thing) is thing
    assert IDENTITY.externref(None) is None
    assert IDENTITY.externref(0) == 0
    assert IDENTITY.funcref(None) is None
    assert IDENTITY.funcref(IDENTITY["i32"])(-3) == -3
    native = wamr.native("(i)i", lambda instance, n: n + 1)
    assert IDENTITY.funcref(native)(4) == 5


@pytest.mark.parametrize(
    "kind, wrong",
    [
        ("i32", 1.0),
        ("i32", "1"),
        ("i32", None),
        ("i64", 1.5),
        ("i64", b"1"),
        ("f32", "1.5"),
        ("f64", None),
        ("f64", 1j),
        ("funcref", print),
        ("funcref", 1),
    ],
)
def test_wrong_arguments(kind: str, wrong: object) -> None:
    with pytest.raises(TypeError, match=f"^{kind} wants "):
        IDENTITY[kind](wrong)


def test_the_number_of_arguments() -> None:
    with pytest.raises(TypeError, match="^1 arguments wanted, 0 given"):
        IDENTITY.i32()
    with pytest.raises(TypeError, match="^1 arguments wanted, 2 given"):
        IDENTITY.i32(1, 2)


# Plain functions as imports


def caller(kind: str, function: Any, results: str = "") -> Any:
    params = "".join(f" {k}" for k in kind.split())
    gets = "".join(f"(local.get {i})" for i in range(len(kind.split())))
    text = f"""(import "e" "f" (func $f (param{params}) (result {results})))
      (func (export "f") (param{params}) (result {results}) (call $f {gets}))"""
    return load(text, {"e": {"f": function}}).exports.f


def test_a_plain_function_gets_python_values() -> None:
    seen: list[Any] = []
    caller("i32 i64 f32 f64 externref", lambda *args: seen.extend(args))(-1, -2, 0.5, 0.25, "x")
    assert seen == [-1, -2, 0.5, 0.25, "x"]
    assert [type(x) for x in seen] == [int, int, float, float, str]


def test_results_of_a_plain_function() -> None:
    assert caller("", lambda: 5, "i32")() == 5
    assert caller("", lambda: -1, "i32")() == -1
    assert caller("", lambda: 2**32 - 1, "i32")() == -1
    assert caller("", lambda: True, "i32")() == 1
    assert caller("", lambda: 3, "f64")() == 3.0
    assert caller("", lambda: None, "externref")() is None
    assert caller("", lambda: (1, -2, 0.5), "i32 i64 f32")() == (1, -2, 0.5)
    assert caller("", lambda: [1, 2], "i32 i32")() == (1, 2)
    # What a function without results returns does not matter.
    assert caller("", lambda: "something")() is None


@pytest.mark.parametrize(
    "results, returned",
    [
        ("i32", None),
        ("i32", 1.5),
        ("i32", "1"),
        ("i32", (1,)),
        ("f32", "1.0"),
        ("funcref", len),
        ("i32 i32", 5),
        ("i32 i32", None),
        ("i32 i32", (1,)),
        ("i32 i32", (1, 2, 3)),
        ("i32 i32", (1, "2")),
        ("i32", (n for n in (1, 2))),  # a generator is no coroutine
    ],
)
def test_wrong_results(results: str, returned: object) -> None:
    with pytest.raises(TypeError):
        caller("", lambda: returned, results)()


def test_an_object_that_can_send_is_no_coroutine() -> None:
    class Socket:
        def send(self, data: bytes) -> int:
            return len(data)

    socket = Socket()
    assert caller("", lambda: socket, "externref")() is socket


# Natives and their letters


def native_caller(signature: str, params: str, function: Any, memory: int = 1) -> wamr.Instance:
    results = {"i": "i32", "I": "i64", "f": "f32", "F": "f64", "r": "externref", "u": "i32"}
    result = results.get(signature.partition(")")[2], "")
    given = "".join(f" {k}" for k in params.split())
    gets = "".join(f"(local.get {i})" for i in range(len(params.split())))
    text = f"""(import "e" "f" (func $f (param{given}) (result {result})))
      (memory (export "memory") {memory})
      (func (export "f") (param{given}) (result {result}) (call $f {gets}))"""
    return load(text, {"e": {"f": wamr.native(signature, function)}})


def test_every_letter() -> None:
    seen: list[Any] = []

    def native(instance: wamr.Instance, *args: Any) -> int:
        seen.append(instance)
        seen.extend(args)
        return -1

    instance = native_caller("(iIfFru*~$)i", "i32 i64 f32 f64 externref i32 i32 i32 i32", native)
    instance.exports.memory.write(65530, b"hello\0")
    assert instance.exports.f(-1, -2, 0.5, 0.25, "x", -3, 65535, 1, 65530) == -1
    assert seen[0] is instance
    assert seen[1:] == [-1, -2, 0.5, 0.25, "x", 2**32 - 3, 65535, 1, 65530]


@pytest.mark.parametrize(
    "letters, inside, outside",
    [
        ("(*)", [(0,), (65535,)], [(65536,), (-1,), (2**31,)]),
        ("(*~)", [(0, 65536), (65536, 0), (1, 65535)], [(0, 65537), (65535, 2), (0, -1), (-1, 2)]),
        ("(*i)", [(65535, -1)], [(65536, 0)]),
        ("(*~*~)", [(0, 4, 65536, 0)], [(0, 4, 65535, 2), (65535, 2, 0, 4)]),
        ("(u)", [(65536,), (-1,)], []),
        ("(~)", [(-1,)], []),
        ("($)", [(0,), (65534,)], [(65535,), (65536,), (-1,)]),
    ],
)
def test_pointers_are_checked(
    letters: str, inside: list[tuple[int, ...]], outside: list[tuple[int, ...]]
) -> None:
    calls: list[tuple[int, ...]] = []
    instance = native_caller(
        letters, "i32 " * (len(letters) - 2), lambda instance, *args: calls.append(args)
    )
    instance.exports.memory.data[65535] = 1  # no NUL in the last byte
    for args in inside:
        instance.exports.f(*args)
    assert calls == [
        tuple(a if letters == "(*i)" and i else a & 0xFFFFFFFF for i, a in enumerate(args))
        for args in inside
    ]
    for args in outside:
        with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
            instance.exports.f(*args)
    assert len(calls) == len(inside)


def test_pointers_without_a_memory() -> None:
    for letters in ("(*)", "($)", "(*~)"):
        params = " ".join(["i32"] * (len(letters) - 2))
        text = f"""(import "e" "f" (func (param {params})))
          (func (export "f") {"(i32.const 0)" * (len(letters) - 2)} (call 0))"""
        native = wamr.native(letters, lambda *args: pytest.fail("called"))
        with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
            load(text, {"e": {"f": native}}).exports.f()


def test_signatures_that_are_none() -> None:
    for signature in ("", "i", "(i", "i)i", "(x)", "(i)x", "(V)"):
        with pytest.raises(ValueError, match="signature"):
            wamr.native(signature, print)


def test_a_native_must_have_the_imported_type() -> None:
    module = wamr.Module(wat('(import "e" "f" (func (param i32) (result i32)))'))
    for right in ("(i)i", "(u)i", "(*)u", "($)i", "(~)i"):
        wamr.Instance(module, {"e": {"f": wamr.native(right, print)}})
    for wrong in ("(i)", "()i", "(I)i", "(i)I", "(ii)i", "(r)i"):
        with pytest.raises(
            wamr.LinkError, match='"e" "f" wants func \\(i32\\) -> i32, given func'
        ):
            wamr.Instance(module, {"e": {"f": wamr.native(wrong, print)}})


def test_the_largest_memory_takes_what_is_written() -> None:
    """Of 4 GiB only the pages that were touched are there."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory = wamr.Memory(65536)
    memory.put_u32(2**32 - 4, 0x12345678)
    assert memory.u32(2**32 - 4) == 0x12345678
    assert memory.u32(0) == 0
    with pytest.raises(wamr.Trap):
        memory.u32(2**32 - 3)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
