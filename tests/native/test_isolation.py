"""Hostile code cannot leave its memory, stack, tables and globals, on any target.

What the code reaches lies between guard patterns, which are looked at after every call (see
emulator.py). What it computes has to be what the memory holds, or a trap.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import wamr
from kernels import bench
from wamr import pool
from wat import wat

from native.test_targets import TARGETS

from native.emulator import emulate, host  # isort: skip

MASK = 0xFFFFFFFF
MASK_OF = {"i32": MASK, "f32": MASK, "i64": (1 << 64) - 1, "f64": (1 << 64) - 1}
OUT_OF_BOUNDS = "^out of bounds memory access$"
# Instruction: bytes it accesses.
LOADS = {
    "i32.load8_s": 1,
    "i32.load8_u": 1,
    "i32.load16_s": 2,
    "i32.load16_u": 2,
    "i32.load": 4,
    "i64.load8_s": 1,
    "i64.load8_u": 1,
    "i64.load16_s": 2,
    "i64.load16_u": 2,
    "i64.load32_s": 4,
    "i64.load32_u": 4,
    "i64.load": 8,
    "f32.load": 4,
    "f64.load": 8,
}
STORES = {
    "i32.store8": 1,
    "i32.store16": 2,
    "i32.store": 4,
    "i64.store8": 1,
    "i64.store16": 2,
    "i64.store32": 4,
    "i64.store": 8,
    "f32.store": 4,
    "f64.store": 8,
}
OFFSETS = (0, 1, 3, 4, 8, 4095, 4096, 65532, 0x7FFFFFFF, 0x80000000, MASK - 3, MASK)
CUT = '(memory 1 1) (global (export "__heap_base") i32 (i32.const 1000))'
# Name: its declaration and its bytes.
MEMORIES = {
    "none": ("(memory 0)", 0),
    "none for good": ("(memory 0 0)", 0),
    "one page": ("(memory 1)", 65536),
    "one page for good": ("(memory 1 1)", 65536),
    "a byte less than 64 KiB": ("(memory 65535 65535 (pagesize 1))", 65535),
    "three bytes": ("(memory 3 3 (pagesize 1))", 3),
    "eight bytes that may grow": ("(memory 8 (pagesize 1))", 8),
}


@pytest.fixture(params=[*host(), *TARGETS])
def target(request: pytest.FixtureRequest) -> Iterator[type]:
    """Engine "native" makes code for each target in turn, which runs between guards."""
    with emulate(request.param):
        yield request.param


def kind(op: str) -> str:
    return op[:3]


def one_access(op: str, offset: int) -> str:
    """A function for an instruction, named after it; stores are given a number."""
    name = f'(func (export "{op} {offset}") (param $at i32)'
    if op in LOADS:
        return f"{name} (result {kind(op)}) ({op} offset={offset} (local.get $at)))"
    return (
        f"{name} (param $value {kind(op)}) ({op} offset={offset} (local.get $at) "
        f"(local.get $value)))"
    )


def edges(size: int, width: int, offset: int) -> list[int]:
    """Addresses around which something may go wrong."""
    ends = (0, size - width - offset, size - width, size, MASK + 1 - offset)
    near = {(end + d) & MASK for end in ends for d in (-1, 0, 1)}
    return sorted(near | {0x7FFFFFFF, 0x80000000, MASK - width + 1})


def loaded(op: str, data: bytes) -> int:
    """The bits that a load gives for these bytes."""
    number = int.from_bytes(data, "little", signed=op.endswith("_s"))
    return number & MASK_OF[kind(op)]


def some(items: list, seed: str, n: int) -> list:
    """All of them with WAMR_FULL=1, else n that differ from seed to seed."""
    return items if bench.FULL else random.Random(seed).sample(items, n)


@pytest.mark.parametrize("memory", MEMORIES)
def test_every_access_at_every_edge(memory: str, target: type) -> None:
    declaration, size = MEMORIES[memory]
    ops = {**LOADS, **STORES}
    text = "".join(one_access(op, offset) for op in ops for offset in OFFSETS)
    instance = wamr.Instance(wamr.Module(wat(declaration + text)), engine="native")
    pattern = bytes((i * 7 + 3) & 0xFF for i in range(size))
    cases = [
        (op, offset, at) for offset in OFFSETS for op in ops for at in edges(size, ops[op], offset)
    ]
    for op, offset, at in some(cases, f"{memory} {target}", 250):
        width = ops[op]
        instance.memory.buf[:] = pattern
        args = [at] if op in LOADS else [at, 0x8182838485868788 & MASK_OF[kind(op)]]
        expected = pattern
        if at + offset + width > size:
            with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
                instance.call_raw(f"{op} {offset}", args)
        else:
            results = instance.call_raw(f"{op} {offset}", args)
            start = at + offset
            if op in LOADS:
                assert results == [loaded(op, pattern[start : start + width])], (op, offset, at)
            else:
                written = (args[1] & (1 << 8 * width) - 1).to_bytes(width, "little")
                expected = pattern[:start] + written + pattern[start + width :]
        assert bytes(instance.memory.buf) == expected, (op, offset, at)


# A memory that was cut to what its module needs is made whole by the first access beyond.
@pytest.mark.parametrize("offset", [0, 1, 3, 996, 1000, 4096, 65535, 65536, MASK])
def test_cut_memory(offset: int, target: type) -> None:
    ops = {op: width for op, width in {**LOADS, **STORES}.items() if op[0] == "i"}
    module = wamr.Module(wat(CUT + "".join(one_access(op, offset) for op in ops)))
    for op, width in some(list(ops.items()), f"{offset} {target}", 5):
        for at in edges(1000, width, offset) + edges(65536, width, offset):
            instance = wamr.Instance(module, engine="native")
            assert len(instance.memory.buf) == 1000
            args = [at] if op in LOADS else [at, 0x81828384]
            if at + offset + width > 65536:
                with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
                    instance.call_raw(f"{op} {offset}", args)
                continue
            instance.call_raw(f"{op} {offset}", args)
            assert len(instance.memory.buf) == (1000 if at + offset + width <= 1000 else 65536)
            if op in STORES:
                written = instance.memory.read(at + offset, width)
                assert written == (0x81828384).to_bytes(8, "little")[:width]


# What cuts it may be a sum, whose first number says nothing.
def test_memory_cut_by_a_sum(target: type) -> None:
    place = "(i32.sub (i32.const 60000) (i32.const 59000))"
    text = f"""(memory 1 1) (global (export "__heap_base") i32 {place})
      (func (export "constant") (i32.store (i32.const 20000) (i32.const 1)))
      (func (export "offset") (param i32) (i32.store offset=20000 (local.get 0) (i32.const 1)))"""
    for name, args in (("constant", []), ("offset", [0])):
        instance = wamr.Instance(wamr.Module(wat(text)), engine="native")
        assert len(instance.memory.buf) == 1000
        instance.call_raw(name, args)
        assert instance.memory.u32(20000) == 1


@pytest.fixture
def memory_pool() -> Iterator[None]:
    pool.init(1 << 18)
    yield
    pool._heap = None


# A memory that was given back is none, also in the middle of a call, and where nothing is checked.
def test_closed_memory(memory_pool: None, target: type) -> None:
    text = """(import "env" "close" (func $close)) (memory 1)
      (func (export "constant") (drop (i32.load (i32.const 256))))
      (func (export "offset") (param i32) (drop (i32.load offset=8 (local.get 0))))
      (func (export "again") (param i32) (drop (i32.load (local.get 0)))
        (call $close) (i32.store (local.get 0) (i32.const 1)))"""
    module = wamr.Module(wat(text))
    running: list[wamr.Instance] = []
    imports = {"env": {"close": lambda: running[0].close()}}
    for used in (False, True):
        for name, args in (
            ("constant", []),
            ("offset", [4]),
            ("offset", [1 << 29]),
            ("again", [8]),
        ):
            instance = wamr.Instance(module, imports, engine="native", heap=0)
            running[:] = [instance]
            if used:
                instance.call_raw("offset", [0])
            if name != "again":
                instance.close()
            with pytest.raises(wamr.Trap, match=OUT_OF_BOUNDS):
                instance.call_raw(name, args)
            assert not pool.taken


def address(rng: random.Random, size: int) -> str:
    near = size + rng.choice([-70000, -4100, -100, -9, -4, -1, 0, 1, 5])
    return rng.choice(
        [
            "(local.get $a)",
            "(local.get $a)",
            "(local.get $b)",
            f"(i32.add (local.get $a) (i32.const {rng.choice([1, 4, 100, -4, -1, near])}))",
            f"(i32.sub (local.get $b) (i32.const {rng.choice([1, 4, 4096, -8])}))",
            "(i32.add (local.get $a) (i32.shl (local.get $b) (i32.const 2)))",
            f"(i32.and (local.get $b) (i32.const {rng.choice([7, 0xFFF, 0xFFFC, -4])}))",
            f"(i32.const {near & MASK})",
        ]
    )


def statement(rng: random.Random, size: int, depth: int = 2) -> str:
    """Accesses over the same addresses, which a compiler may think it has checked."""
    offset = rng.choice([0, 0, 1, 2, 4, 8, 12, 100, 4092, 4096, max(0, size - 8), size, MASK - 3])
    pick = rng.random()
    if pick < 0.4:
        op = rng.choice([op for op in LOADS if op[0] == "i"])
        value = f"({op} offset={offset} {address(rng, size)})"
        value = f"(i32.wrap_i64 {value})" if op[:3] == "i64" else value
        return f"(local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) {value}))"
    if pick < 0.7 or not depth:
        op = rng.choice([op for op in STORES if op[0] == "i"])
        value = "(i64.extend_i32_u (local.get $sum))" if op[:3] == "i64" else "(local.get $sum)"
        return f"({op} offset={offset} {address(rng, size)} {value})"
    inner = " ".join(statement(rng, size, depth - 1) for _ in range(rng.randrange(1, 4)))
    if pick < 0.8:
        step = rng.choice([1, -1, 4, 64, -4096, 0x40000000])
        return f"(local.set $a (i32.add (local.get $a) (i32.const {step})))"
    if pick < 0.9:
        return f"(if (i32.and (local.get $b) (i32.const 1)) (then {inner}))"
    return f"""(local.set $n (i32.const {rng.randrange(1, 4)})) (loop {inner}
      (local.set $a (i32.add (local.get $a) (i32.const {rng.choice([0, 1, 4, -4])})))
      (br_if 0 (i32.gt_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0))))"""


@pytest.mark.parametrize("memory", MEMORIES)
def test_accesses_over_the_same_addresses(memory: str, target: type) -> None:
    declaration, size = MEMORIES[memory]
    rng = random.Random(f"{memory} {target.__name__}")
    for _ in range(400 if bench.FULL else 25):
        body = " ".join(statement(rng, size) for _ in range(rng.randrange(2, 7)))
        text = f"""{declaration} (func (export "f") (param $a i32) (param $b i32) (result i32)
          (local $sum i32) (local $n i32) {body} (local.get $sum))"""
        module = wamr.Module(wat(text))
        near = [0, 1, 3, 64, 1000, size // 2, size - 9, size - 8, size - 4, size - 1, size]
        near += [size - 4096, size - 4100, 0x7FFFFFFF, 0x80000000, MASK, MASK - 3, MASK - 4095]
        for _ in range(6):
            args = [rng.choice(near) & MASK, rng.choice(near) & MASK]
            seen = [run_once(module, engine, args) for engine in ("portable", "native")]
            assert seen[0] == seen[1], (text, args)


def run_once(module: wamr.Module, engine: str, args: list[int]) -> tuple:
    """What a call in a fresh instance comes to, and the memory behind it."""
    instance = wamr.Instance(module, {}, engine=engine)
    try:
        end = instance.call_raw("f", args)
    except wamr.Trap as trap:
        end = str(trap)
    return end, bytes(instance.memory.buf)


BULK = """
  (data $d "0123456789")
  (func (export "fill") (param i32 i32 i32)
    (memory.fill (local.get 0) (i32.const 0xAA) (local.get 2)))
  (func (export "copy") (param i32 i32 i32)
    (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i32 i32 i32)
    (memory.init $d (local.get 0) (local.get 1) (local.get 2)))"""


@pytest.mark.parametrize("memory", MEMORIES)
def test_bulk_memory(memory: str, target: type) -> None:
    declaration, size = MEMORIES[memory]
    module = wamr.Module(wat(declaration + BULK))
    near = {0, 1, size - 10, size - 1, size, size + 1, 9, 10, 11, 0x7FFFFFFF, 0x80000000, MASK}
    rng = random.Random(f"{memory} {target.__name__}")
    for op in ("fill", "copy", "init"):
        for _ in range(25):
            args = [rng.choice(sorted(near)) & MASK for _ in range(3)]
            instances = [wamr.Instance(module, engine=e) for e in ("portable", "native")]
            ends = []
            for instance in instances:
                instance.memory.buf[:] = bytes(i & 0xFF for i in range(len(instance.memory.buf)))
                try:
                    ends.append(instance.call_raw(op, args))
                except wamr.Trap as trap:
                    ends.append(str(trap))
            assert ends[0] == ends[1], (op, args)
            assert bytes(instances[0].memory.buf) == bytes(instances[1].memory.buf), (op, args)


# Indexes that a shift would bring back to small ones are among them.
INDEXES = [0, 1, 2, 3, 4, 0xFF, 0x100, 0x0FFFFFFF, 0x10000000, 0x10000001, 0x20000001]
INDEXES += [0x3FFFFFFF, 0x40000000, 0x40000001, 0x7FFFFFFF, 0x80000000, 0x80000001, MASK - 1, MASK]


@pytest.mark.parametrize("size", [0, 1, 3])
def test_indexes(size: int, target: type) -> None:
    """call_indirect, br_table and the instructions of tables."""
    text = f"""(type $t (func (result i32)))
      (func $f (type $t) (i32.const 77))
      (table {size} funcref) (elem declare func $f)
      (func (export "fill") (table.fill (i32.const 0) (ref.func $f) (i32.const {size})))
      (func (export "call") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
      (func (export "tail") (param i32) (result i32)
        (return_call_indirect (type $t) (local.get 0)))
      (func (export "other") (param i32) (result i64)
        (call_indirect (result i64) (local.get 0)))
      (func (export "get") (param i32) (result i32) (ref.is_null (table.get (local.get 0))))
      (func (export "set") (param i32) (table.set (local.get 0) (ref.func $f)))
      (func (export "jump") (param i32) (result i32)
        (block (block (block (block (br_table 0 1 2 3 (local.get 0)))
          (return (i32.const 10))) (return (i32.const 11))) (return (i32.const 12)))
        (i32.const 13))"""
    instance = wamr.Instance(wamr.Module(wat(text)), engine="native")
    instance.call_raw("fill", [])
    for index in INDEXES:
        assert instance.call_raw("jump", [index]) == [10 + min(index, 3)]
        if index < size:
            assert instance.call_raw("call", [index]) == [77]
            assert instance.call_raw("tail", [index]) == [77]
            assert instance.call_raw("get", [index]) == [0]
            instance.call_raw("set", [index])
            with pytest.raises(wamr.Trap, match="^indirect call type mismatch$"):
                instance.call_raw("other", [index])
            continue
        for name in ("call", "tail", "other"):
            with pytest.raises(wamr.Trap, match="^undefined element$"):
                instance.call_raw(name, [index])
        for name in ("get", "set"):
            with pytest.raises(wamr.Trap, match="^out of bounds table access$"):
                instance.call_raw(name, [index])


def test_arguments_in_a_small_stack(target: type) -> None:
    kinds = "i64 " * 255
    text = f"""(func (export "params") (param {kinds}) (result i64) (local.get 254))
      (func (export "results") (result {kinds}) {"(i64.const 5)" * 255})"""
    instance = wamr.Instance(wamr.Module(wat(text)), engine="native", stack=64)
    for name, args in (("params", list(range(255))), ("results", [])):
        with pytest.raises(wamr.Trap, match="^call stack exhausted$"):
            instance.call_raw(name, args)


def deep(params: int, locals_: int, operands: int, kind: str) -> str:
    """A function without end to its recursion, with a frame of that size."""
    names = "".join(f"(param {kind})" for _ in range(params))
    args = f"({kind}.const 5)" * params
    before = "(i32.const 9)" * operands
    after = "drop " * operands
    return f"""(func $f (export "f") {names} (local {f" {kind}" * locals_})
      {before} (call $f {args}) {after})"""


@pytest.mark.parametrize("kind", ["i32", "i64"])
def test_the_end_of_the_stack(kind: str, target: type) -> None:
    for params, locals_, operands in [(0, 0, 0), (1, 0, 3), (3, 5, 1), (0, 40, 0), (9, 200, 30)]:
        module = wamr.Module(wat(deep(params, locals_, operands, kind)))
        for stack in [*range(0, 160, 4), 1024, 4000]:
            instance = wamr.Instance(module, engine="native", stack=stack)
            with pytest.raises(wamr.Trap, match="^call stack exhausted$"):
                instance.call_raw("f", [7] * params)
