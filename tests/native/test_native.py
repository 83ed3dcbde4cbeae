"""Machine code on this PC and on MicroPython's unix port: what it computes, how it stops."""

from __future__ import annotations

import asyncio
import io
import weakref
from array import array
from pathlib import Path

import pytest
import wamr
from board import Unix
from kernels import bench, device_runner
from spec import convert, suite
from spec.device_runner import Runner
from test_kernels import CHECKSUMS, FOLDER, FUEL, every_kernel, needs_kernels
from test_spec import FILES, check_all_passed, every_file, heap
from wamr.compiler import machine
from wamr.engine import cells, native
from wat import ON_DEVICE, load, wat

from native import x64_only

pytestmark = x64_only

FIRST = '(func (export "first") (param externref externref) (result externref) (local.get 0))'
TESTS = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(not FILES, reason=suite.HOW_TO_GET)
@every_file
def test_official_suite(name: str) -> None:
    reported: list[str] = []
    stream = io.BytesIO(convert.convert(FILES[name]))
    Runner(wamr, stream, reported.append, engine="native").run()
    check_all_passed(name, suite.Outcome.read("\n".join(reported)))


@pytest.mark.skipif(not FILES, reason=suite.HOW_TO_GET)
@every_file
def test_official_suite_on_micropython(name: str, unix: Unix, tmp_path: Path) -> None:
    stream = tmp_path / name
    stream.write_bytes(convert.convert(FILES[name]))
    output = Unix(heap=heap(name)).exec(
        f"{ON_DEVICE}sys.path.insert(0, {str(TESTS / 'spec')!r})\n"
        f"from device_runner import main\nmain({str(stream)!r}, engine='native')",
        timeout_s=300,
    )
    check_all_passed(name, suite.Outcome.read(output))


def kernel(name: str, engine: str = "native") -> wamr.Instance:
    return wamr.Instance(wamr.Module(str(FOLDER / "wasm" / f"{name}.wasm")), engine=engine)


@needs_kernels
@every_kernel
def test_checksum_and_fuel(name: str) -> None:
    instance = kernel(name)
    for n, checksum, fuel in zip((1, 3), CHECKSUMS[name], FUEL[name]):
        assert device_runner.call(instance, n, 0) == (checksum, fuel)


@needs_kernels
@every_kernel
def test_suspended_at_each_of_the_first_thousand_units(name: str) -> None:
    instance = kernel(name)
    assert device_runner.call(instance, 1, 1000) == (CHECKSUMS[name][0], FUEL[name][0])


@needs_kernels
@every_kernel
@pytest.mark.parametrize("slice", [2, 7, 61])
def test_suspended_all_the_way(name: str, slice: int) -> None:
    execution = kernel(name).start("run", 1)
    steps = 1
    while not execution.step(slice):
        steps += 1
        assert execution.fuel_used == (steps - 1) * slice
    assert execution.raw == [CHECKSUMS[name][0]]
    assert execution.fuel_used == FUEL[name][0]


@pytest.mark.skipif(bench.find() is None, reason=bench.HOW_TO_GET)
@every_kernel
def test_kernels_on_micropython(name: str, unix: Unix) -> None:
    output = unix.exec(
        f"""{ON_DEVICE}
m = wamr.Module({str(FOLDER / "wasm" / (name + ".wasm"))!r})
i = wamr.Instance(m, engine="native")
print(i.call_raw("run", [1])[0], i.call_raw("run", [3])[0])"""
    )
    assert output.split() == [str(n) for n in CHECKSUMS[name]]


def test_backtraces_are_those_of_the_portable_engine() -> None:
    text = """
      (func $inner (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
      (func $middle (param i64 i32) (result i32) (local f64)
        (i32.add (i32.const 1) (call $inner (local.get 1))))
      (func (export "outer") (result i32) (call $middle (i64.const 5) (i32.const 0)))"""
    traces = []
    for engine in ("portable", "native"):
        with pytest.raises(wamr.Trap, match="^integer divide by zero$") as caught:
            load(text, engine=engine).exports.outer()
        traces.append(caught.value.backtrace)
    assert traces[0] == traces[1]
    assert [frame[0] for frame in traces[0]] == [0, 1, 2]


def test_backtrace_of_what_is_out_of_fuel() -> None:
    text = """
      (func $inner (param i64) (local f64 i32)
        (loop $l (local.set 2 (i32.add (local.get 2) (i32.const 1))) (br $l)))
      (func (export "outer") (param i32) (result i32)
        (call $inner (i64.const 5)) (local.get 0))"""
    traces = []
    for engine in ("portable", "native"):
        with pytest.raises(wamr.Trap, match="^out of fuel$") as caught:
            load(text, engine=engine, fuel=100).exports.outer(1)
        traces.append(caught.value.backtrace)
    assert traces[0] == traces[1]
    assert [frame[0] for frame in traces[0]] == [0, 1]


def test_a_trap_is_one_even_without_memory_to_look_into_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Finding where it was takes the compiler, for which a board may have no room."""

    def no_room() -> None:
        raise MemoryError

    text = """(memory 1 1) (global (export "__heap_base") i32 (i32.const 1000))
      (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
      (func (export "spin") (loop $l (br $l)))
      (func (export "read") (param i32) (result i32) (i32.load (local.get 0)))"""
    instance = load(text, engine="native", fuel=100)
    monkeypatch.setattr(machine, "assembler", no_room)
    with pytest.raises(wamr.Trap, match="^out of fuel$") as caught:
        instance.exports.spin()
    assert caught.value.backtrace == []
    instance.fuel = 100
    with pytest.raises(wamr.Trap, match="^integer divide by zero$"):
        instance.exports.divide(0)
    assert instance.exports.divide(1) == 1
    # The memory was cut: the access is no trap, but to be tried again takes the compiler.
    with pytest.raises(MemoryError):
        instance.exports.read(30000)
    # Now it is whole.
    assert instance.exports.read(30000) == 0
    with pytest.raises(wamr.Trap, match="^out of bounds memory access$"):
        instance.exports.read(70000)


# Each call of another instance is traced by the engine of that one.
@pytest.mark.parametrize("first", ["portable", "native"])
@pytest.mark.parametrize("second", ["portable", "native"])
def test_backtraces_cross_instances(first: str, second: str) -> None:
    inner = load(
        """(func $skip) (func (export "f") (param i64 i32) (result i32)
          (i32.div_u (i32.const 1) (local.get 1)))""",
        engine=first,
    )
    outer = load(
        """(import "m" "f" (func $f (param i64 i32) (result i32)))
        (func $middle (param i32) (result i32) (local i64 i64)
          (i32.add (i32.const 3) (call $f (i64.const 1) (local.get 0))))
        (func (export "g") (param i64) (result i32)
          (i32.add (i32.const 4) (call $middle (i32.const 0))))""",
        {"m": inner},
        engine=second,
    )
    with pytest.raises(wamr.Trap) as caught:
        outer.exports.g(7)
    assert [frame[0] for frame in caught.value.backtrace] == [1, 1, 2]


WIDTHS = {"i32.load8_u": 1, "i32.load16_s": 2, "i32.load": 4, "i64.load": 8, "f64.load": 8}


@pytest.mark.parametrize("op", WIDTHS)
@pytest.mark.parametrize("offset", [0, 1, 3, 4, 100, 4096, 65532, 0xFFFFFFFF])
def test_memory_cannot_be_left(op: str, offset: int) -> None:
    """Loads around every edge of a page, of 32 bits and of the offset."""
    width = WIDTHS[op]
    text = f'(memory 1) (func (export "f") (param i32) ({op} offset={offset} (local.get 0)) drop)'
    native = load(text, engine="native")
    edges = {0, 65536 - width - offset, 65536 - width, 65536, 2**31, 2**32 - width, 2**32 - 1}
    for edge in edges:
        for at in range(edge - 2, edge + 3):
            at &= 0xFFFFFFFF
            if at + offset + width <= 65536:
                native.call_raw("f", [at])
            else:
                with pytest.raises(wamr.Trap, match="^out of bounds memory access$"):
                    native.call_raw("f", [at])


def test_cut_memory_is_whole_when_it_is_used() -> None:
    text = """(memory 1 1) (global (export "__heap_base") i32 (i32.const 1000))
      (func (export "get") (param i32 i32) (result i32)
        (i32.add (i32.load8_u (local.get 0)) (local.get 1)))
      (func (export "put") (param i32 i64) (i64.store (local.get 0) (local.get 1)))"""
    instance = load(text, engine="native")
    assert len(instance.memory.buf) == 1000
    assert instance.exports.get(999, 5) == 5
    instance.exports.put(30000, -1)
    assert len(instance.memory.buf) == 65536
    assert instance.exports.get(30007, 1) == 256
    with pytest.raises(wamr.Trap):
        instance.exports.get(65536, 0)


def test_the_stack_of_a_call_that_trapped_is_used_again() -> None:
    instance = load('(func (export "f") (param i32) unreachable)', engine="native")
    with pytest.raises(wamr.Trap):
        instance.exports.f(0)
    stack = native._spare[0]
    with pytest.raises(wamr.Trap):
        instance.exports.f(0)
    assert stack is not None and native._spare[0] is stack


def test_so_is_that_of_a_call_whose_import_raised() -> None:
    def fails(n: int) -> None:
        raise KeyError(n)

    text = """(import "env" "fails" (func $fails (param i32)))
      (func (export "f") (param i32) (call $fails (local.get 0)))"""
    instance = load(text, {"env": {"fails": fails}}, engine="native")
    for _ in range(2):
        with pytest.raises(KeyError):
            instance.exports.f(3)
        assert native._spare[0] is not None


def test_so_is_that_of_a_call_in_steps() -> None:
    async def fails(n: int) -> None:
        raise KeyError(n)

    text = """(import "env" "fails" (func $fails (param i32)))
      (func (export "f") (param i32) (call $fails (local.get 0)))
      (func (export "g") (loop $l (br $l)))"""
    instance = load(text, {"env": {"fails": fails}}, engine="native")
    with pytest.raises(RuntimeError, match="use call_async"):
        instance.exports.f(3)
    assert native._spare[0] is not None
    with pytest.raises(KeyError):
        asyncio.run(instance.call_async("f", 3))
    assert native._spare[0] is not None
    execution = instance.start("g")
    assert not execution.step(10) and native._spare[0] is None
    execution.close()
    assert native._spare[0] is not None
    with pytest.raises(RuntimeError, match="is over"):
        execution.step()
    other = instance.start("g")
    execution.close()
    assert native._spare[0] is None and not other.step(10)


def test_a_stack_there_is_no_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves none with the address of another one behind."""

    class Full(array):
        def extend(self, piece: array) -> None:
            if len(self) > 3000:
                raise MemoryError
            super().extend(piece)

    add = '(func (export "f") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))'
    instance = load(add, engine="native")
    monkeypatch.setattr(native, "_spare", [None, 0])
    monkeypatch.setattr(native, "array", Full)
    with pytest.raises(MemoryError):
        native._make_spare(10000)
    assert native._spare[0] is None
    monkeypatch.undo()
    assert instance.exports.f(2, 3) == 5


def test_engines_can_be_mixed() -> None:
    counter = """(global (export "n") (mut i32) (i32.const 7))
      (func (export "up") (param i32) (result i32)
        (global.set 0 (i32.add (global.get 0) (local.get 0))) (global.get 0))"""
    caller = """(import "m" "up" (func $up (param i32) (result i32)))
      (import "m" "n" (global $n (mut i32)))
      (func (export "f") (param i32) (result i32)
        (i32.mul (call $up (local.get 0)) (global.get $n)))"""
    for first in ("portable", "native"):
        for second in ("portable", "native"):
            inner = load(counter, engine=first)
            outer = load(caller, {"m": inner}, engine=second)
            assert outer.exports.f(3) == 100
            assert inner.exports.n.value == 10


def test_calls_do_not_mix_their_stacks() -> None:
    """One is suspended while others run, one calls its own instance; results stay as they are."""
    text = """(import "env" "back" (func $back (param i32) (result i32)))
      (func $sum (export "sum") (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (local.get 0) (call $sum (i32.sub (local.get 0) (i32.const 1)))))
          (else (i32.const 0))))
      (func (export "twice") (param i32) (result i32)
        (i32.add (call $sum (local.get 0)) (call $back (local.get 0))))"""
    instance = load(text, {"env": {"back": lambda n: instance.exports.sum(n)}}, engine="native")
    suspended = instance.start("sum", 100)
    assert not suspended.step(50)
    assert instance.exports.twice(10) == 110
    other = instance.start("twice", 20)
    assert not other.step(5)
    assert suspended.step()
    assert instance.exports.sum(3) == 6
    assert other.step()
    assert instance.exports.sum(4) == 10
    assert (suspended.result, other.result) == (5050, 420)


def test_a_call_uses_the_fuel_of_its_instance() -> None:
    instance = load('(func (export "f") (loop $l (br $l))) (func (export "g"))', engine="native")
    instance.fuel = 1000
    instance.exports.g()
    assert instance.fuel == 999
    with pytest.raises(wamr.Trap, match="^out of fuel$"):
        instance.exports.f()
    assert instance.fuel == 0
    with pytest.raises(wamr.Trap, match="^out of fuel$"):
        instance.exports.g()


def test_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="'auto', 'native' or 'portable'"):
        load("", engine="fast")


REFERENCES = f"""
import wamr
instance = wamr.Instance(wamr.Module({wat(FIRST)!r}), engine="native")
for pair in ((-1, "x"), ("x", -1), (-2, -1), (5, -3)):
    print(instance.exports.first(*pair))
"""


def test_small_ints_as_references(unix: Unix) -> None:
    """Their identity on MicroPython is a number that may be less than 0."""
    assert unix.exec(REFERENCES).split() == ["-1", "x", "-2", "5"]


def test_a_reference_that_there_was_no_memory_for() -> None:
    class Full(dict):
        full = False

        def __setitem__(self, key: object, value: object) -> None:
            if self.full and isinstance(value, list):
                raise MemoryError
            super().__setitem__(key, value)

    refs, stack = Full(), array("I", bytes(8))
    first, second = ["first"], ["second"]
    refs.full = True
    with pytest.raises(MemoryError):
        cells.put(stack, 0, [first], b"\x6f", refs)
    refs.full = False
    cells.put(stack, 0, [second, first], b"\x6f\x6f", refs)
    assert cells.get(stack, 0, b"\x6f\x6f", refs) == [second, first]


@pytest.mark.parametrize("name", ["same", "kept"])
def test_references_are_kept_no_longer_than_calls(name: str) -> None:
    """`kept` leaves the machine code in between, to put it into a table and take it out."""

    class Thing:
        pass

    instance = load(
        """(table $t 2 externref)
        (func (export "same") (param externref externref) (result externref) (local.get 1))
        (func (export "kept") (param externref externref) (result externref)
          (table.set $t (i32.const 1) (local.get 1))
          (table.get $t (i32.const 1))
          (table.set $t (i32.const 1) (ref.null extern)))""",
        engine="native",
    )
    thing = Thing()
    assert instance.exports[name](None, thing) is thing
    assert instance.exports[name](thing, None) is None
    gone = weakref.ref(thing)
    del thing
    assert gone() is None
