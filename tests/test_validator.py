"""Validation of function bodies, and the side table."""

from __future__ import annotations

import time

import pytest
import wamr
from hostile import mutate
from spec import suite
from wat import binary, function, leb, load, section, sleb, vector, wasmtime, wat


def entries(module: wamr.Module) -> list[tuple[int, ...]]:
    """The side table as (dpc, dstp, arity, height)."""
    side = list(module.side)
    assert len(side) % 4 == 0
    return [tuple(side[i : i + 4]) for i in range(0, len(side), 4)]


def side_of(text: str) -> list[tuple[int, ...]]:
    return entries(wamr.Module(wat(text)))


# The side table. A frame has locals, four saved cells, operands; dpc counts from the byte behind
# the branch's opcode, dstp from its entry.


def test_a_branch_out_of_a_block() -> None:
    # block; br 0; end: over the label and the end
    assert side_of("(func (block (br 0)))") == [(2, 4, 0, 4)]


def test_a_branch_carries_values_and_drops_what_is_between() -> None:
    text = """(func (param i64) (local f32 f32) (result i32)
      (i32.const 1)
      (block (result i32) (i32.const 2) (i32.const 3) (br 0))
      (drop))"""
    text = text.replace("(local f32 f32) (result i32)", "(result i32) (local f32 f32)")
    # three locals, four saved, and the 1 below the block
    assert side_of(text) == [(2, 4, 1, 3 + 4 + 1)]


def test_a_branch_back_to_a_loop() -> None:
    # loop void; nop; br 0: back over the label, the opcode and the nop
    assert side_of("(func (loop (nop) (br 0)))") == [(-2, 0, 0, 4)]


def test_a_loop_that_begins_with_its_branch() -> None:
    assert side_of("(func (loop (br 0)))") == [(-1, 0, 0, 4)]


def test_a_loop_takes_its_parameters_along() -> None:
    text = """(func (i32.const 1) (i64.const 2)
      (loop (param i32 i64) (br 0)))"""
    assert side_of(text) == [(-1, 0, 2, 4)]


def test_if_and_else() -> None:
    # if void; nop; else; nop; nop; end
    text = "(func (if (i32.const 1) (then nop) (else nop nop)))"
    # The false condition goes behind the else; the end of the true branch behind the end.
    assert side_of(text) == [(3, 8, 0, 0), (3, 4, 0, 0)]


def test_if_alone() -> None:
    assert side_of("(func (if (i32.const 1) (then nop)))") == [(3, 4, 0, 0)]


def test_a_branch_inside_if_and_else() -> None:
    text = "(func (if (i32.const 1) (then (br 0)) (else (br 0))))"
    #  if 40 | br 0 | else | br 0 | end
    assert side_of(text) == [
        (4, 12, 0, 0),  # if: to the else branch, whose entries follow those of the true one
        (5, 12, 0, 4),  # br
        (3, 8, 0, 0),  # else
        (2, 4, 0, 4),  # br
    ]


def test_br_table_has_an_entry_for_each_target() -> None:
    text = """(func (block (loop (block
      (br_table 0 1 2 3 0 (i32.const 7))))))"""
    # br_table: opcode | count, five labels | end end end end
    table = side_of(text)
    assert [dpc for dpc, _, _, _ in table] == [7, -5, 9, 9, 7]
    # Forward targets come after the whole table, the loop's head before it.
    assert [dstp for _, dstp, _, _ in table] == [20, -4, 12, 8, 4]


def test_a_branch_to_the_body_goes_to_its_end() -> None:
    text = "(func (result i32) (i32.const 7) (br 0))"
    assert side_of(text) == [(1, 4, 1, 4)]
    assert load(f'(export "f" (func 0)) {text}').exports.f() == 7


def test_the_words_about_a_body() -> None:
    text = """(func (param i32 i32) (result i32) (local i64)
      (i32.add (local.get 0) (i32.mul (local.get 1) (i32.const 2))))"""
    data = wat(text)
    module = wamr.Module(data)
    begin, stp, params, n_locals, size, results, end = module.bodies
    assert (stp, params, n_locals, size, results) == (0, 2, 3, 3 + 4 + 3, 1)
    assert data[begin:end] == b"\x20\0\x20\1\x41\2\x6c\x6a\x0b"
    assert end == len(data)


# Numbers that need 32 bits


def nops(n: int) -> str:
    return "nop " * n


@pytest.mark.parametrize("n, wide", [(32000, False), (33000, True), (70000, True)])
def test_branches_over_long_ways(n: int, wide: bool) -> None:
    text = f"""(func (export "forward") (param i32) (result i32)
      (block (br_if 0 (local.get 0)) {nops(n)} (return (i32.const 1)))
      (i32.const 2))
    (func (export "back") (param i32) (result i32) (local $turns i32)
      (loop
        (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
        {nops(n)}
        (br_if 0 (i32.lt_u (local.get $turns) (local.get 0))))
      (local.get $turns))
    (func (export "if") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then {nops(n)} (i32.const 3))
        (else {nops(n)} (i32.const 4))))
    (func (export "short") (param i32) (result i32)
      (block (br_if 0 (local.get 0)) (return (i32.const 5)))
      (i32.const 6))"""
    instance = load(text)
    assert instance.module.side_wide is wide
    assert instance.module.side.typecode == ("i" if wide else "h")
    f = instance.exports
    assert [f.forward(0), f.forward(1)] == [1, 2]
    assert [f.back(0), f.back(3)] == [1, 3]
    assert [f["if"](1), f["if"](0)] == [3, 4]
    assert [f.short(0), f.short(1)] == [5, 6]


def test_widening_keeps_what_is_there() -> None:
    short = "(func (block (br 0)) (loop (br_if 0 (i32.const 0))))"
    before = side_of(short)
    module = wamr.Module(wat(f"{short} (func (block (br 0) {nops(40000)})) {short}"))
    assert module.side_wide
    assert entries(module) == [*before, (40002, 4, 0, 4), *before]


@pytest.mark.parametrize("n", [5, 127, 128, 20000])
def test_a_large_br_table(n: int) -> None:
    """From the many targets to four blocks, each with its own value."""
    labels = " ".join(str(i % 4) for i in range(n))
    text = f"""(func (export "f") (param i32) (result i32)
      (block (block (block (block (block
        (br_table {labels} 4 (local.get 0)))
        (return (i32.const 10)))
        (return (i32.const 11)))
        (return (i32.const 12)))
        (return (i32.const 13)))
      (i32.const 99))"""
    f = load(text).exports.f
    for i in [0, 1, 2, 3, n // 2, n - 2, n - 1]:
        assert f(i) == 10 + i % 4
    for i in [n, n + 1, 2**31 - 1, -1]:
        assert f(i) == 99


# Instructions that move many values


MANY = ["i32"] * 100 + ["i64"] * 155


def many(prefix: str = "result") -> str:
    return f"({prefix} {' '.join(MANY)})"


def test_many_operands_at_once() -> None:
    zeros = " ".join(f"({kind}.const 0)" for kind in MANY)
    text = f"""(func $f {many("param")} {many()}
        {" ".join(f"(local.get {i})" for i in range(255))})
      (func {many()} {zeros} (call $f) (block {many("param")} {many()} (br_if 0 (i32.const 0))))
      (func {many()} (unreachable) (call $f))
      (func {many()} (i64.const 1) unreachable (call $f))"""
    wamr.Module(wat(text))
    for wrong in (
        f"(func $f {many('param')}) (func {zeros} (i64.const 0) drop drop (call $f))",
        f"(func $f {many('param')}) (func {zeros} (i32.const 0) (call $f))",
        f"(func $f {many('param')}) (func (unreachable) (f32.const 0) (call $f))",
        f"(func $f {many('param')}) (func (i32.const 0) (block {zeros} drop (call $f)))",
    ):
        with pytest.raises(wamr.CompileError, match="^type mismatch"):
            wamr.Module(wat(wrong))


def test_what_moves_many_values_does_not_take_long() -> None:
    """A byte or two of code can stand for hundreds of operands."""
    zeros = " ".join(f"({kind}.const 0)" for kind in MANY)
    n = 20000
    for text in (
        f"(func (block {many()} {zeros} (br_table {'0 ' * n} 0 (i32.const 0))) unreachable)",
        f"(func {many()} {zeros} {'(br_if 0 (i32.const 0))' * n})",
        f"(func $f {many('param')} {many()} unreachable) "
        f"(func {many()} {zeros} {'(call $f)' * n})",
        f"(func $f {many('param')} {many()} unreachable) "
        f"(func {many()} unreachable {'(call $f)' * n})",
    ):
        data = wat(text)
        start = time.process_time()
        wamr.Module(data)
        assert time.process_time() - start < 3


# Depth and size


def test_deep_nesting() -> None:
    depth = 20000
    code = b"\x02\x40" * depth + b"\x20\0\x0d" + leb(depth - 1) + b"\x0b" * depth
    module = wamr.Module(function(code, type=b"\x60\1\x7f\0"))
    f = wamr.Instance(module).exports.f
    assert f(0) is None
    assert f(1) is None
    with pytest.raises(wamr.CompileError, match=f"^unknown label {depth + 1} "):
        wamr.Module(function(b"\x02\x40" * depth + b"\x0c" + leb(depth + 1) + b"\x0b" * depth))


def test_deep_ifs() -> None:
    depth = 3000
    code = b"\x20\0\x04\x40" * depth + b"\x41\7\x0f" + b"\x05\x0b" * depth + b"\x41\x08"
    f = wamr.Instance(wamr.Module(function(code, type=b"\x60\1\x7f\1\x7f"))).exports.f
    assert (f(1), f(0)) == (7, 8)


def locals_of(*groups: tuple[int, int]) -> bytes:
    return vector(*[leb(n) + bytes([kind]) for n, kind in groups])


def test_the_limit_of_locals() -> None:
    module = wamr.Module(function(b"", locals_of((25000, 0x7F), (25000, 0x7C))))
    assert module.bodies[3] == 50000
    with pytest.raises(wamr.Trap, match="^call stack exhausted"):
        wamr.Instance(module).exports.f()
    assert wamr.Instance(module, stack=4 * 60000).exports.f() is None
    for groups in (
        [(50001, 0x7F)],
        [(25000, 0x7F), (25001, 0x7C)],
        [(2**32 - 1, 0x7F)],
        [(1, 0x7F), (2**32 - 1, 0x7F)],
    ):
        with pytest.raises(wamr.CompileError, match="^too many locals: at most 50000 "):
            wamr.Module(function(b"", locals_of(*groups)))
    # Parameters are locals, too.
    with pytest.raises(wamr.CompileError, match="^too many locals"):
        wamr.Module(function(b"", locals_of((50000, 0x7F)), type=b"\x60\1\x7f\0"))


def test_the_limit_of_operands() -> None:
    wamr.Module(function(b"\x41\0" * 50000 + b"\x1a" * 50000))
    data = function(b"\x41\0" * 50001 + b"\x1a" * 50001)
    with pytest.raises(wamr.CompileError, match="^too many operands: at most 50000 ") as caught:
        wamr.Module(data)
    assert caught.value.offset == data.index(b"\x41\0\x41\0") + 2 * 50000


def test_locals_of_reference_type_begin_as_null() -> None:
    groups = locals_of((3, 0x7F), (2, 0x70), (1, 0x7E), (3, 0x6F))
    code = b"".join(b"\x20" + leb(i) + b"\xd1" for i in (5, 6, 8, 9, 10))
    data = function(code, groups, type=b"\x60\2\x7f\x6f\5\x7f\x7f\x7f\x7f\x7f")
    module = wamr.Module(data)
    assert list(module.ref_locals.values()) == [[5, 7, 8, 11]]
    assert wamr.Instance(module).exports.f(1, "x") == (1, 1, 1, 1, 1)
    # An integer local begins as 0.
    data = function(b"\x20\4\x20\7\xa7", groups, type=b"\x60\2\x7f\x6f\2\x7f\x7f")
    assert wamr.Instance(wamr.Module(data)).exports.f(1, None) == (0, 0)


def test_a_byte_of_locals_costs_little_memory() -> None:
    """Two bytes can declare 50,000 references; a file is full of such functions."""
    body = locals_of((40000, 0x70)) + b"\x0b"
    module = wamr.Module(
        binary(
            section(1, vector(b"\x60\0\0")),
            section(3, vector(*[b"\0"] * 1000)),
            section(10, vector(*[leb(len(body)) + body] * 1000)),
        )
    )
    assert sum(len(refs) for refs in module.ref_locals.values()) == 2000


# Faults: the reason, and the offset of the instruction in the file


@pytest.mark.parametrize(
    "code, message, at",
    [
        (b"\x6a", "type mismatch: an operand is missing", 0),
        (b"\x41\0\x42\0\x6a", "type mismatch: i64 found, i32 wanted", 4),
        (b"\x41\0", "type mismatch: values remain on the stack at the end of the block", 2),
        (b"\x02\x7f\x0b", "type mismatch: an operand is missing", 2),
        (b"\x41\0\x04\x7f\x41\0\x0b\x1a", "type mismatch: if without else must not", 6),
        (b"\x05", "else without if", 0),
        (b"\x0c\2", "unknown label 2", 0),
        (b"\x02\5\x0b", "unknown type 5", 0),
        (b"\x02\x7b\x0b", "malformed value type", 1),
        (b"\x10\5", "unknown function 5", 0),
        (b"\x41\0\x11\0\0", "unknown table 0", 2),
        (b"\x20\0", "unknown local 0", 0),
        (b"\x23\0", "unknown global 0", 0),
        (b"\x41\0\x28\2\0", "unknown memory 0", 2),
        (b"\x3f\0", "unknown memory 0", 0),
        (b"\x3f\1", "zero byte expected", 0),
        (b"\x41\0\x25\0", "unknown table 0", 2),
        (b"\xd2\1", "unknown function 1", 0),
        (b"\xd0\x7f", "malformed reference type", 0),
        (b"\x41\0\xd1", "type mismatch: ref.is_null wants a reference", 2),
        (b"\xd0\x70\xd0\x70\x41\0\x1b", "type mismatch: select of references needs a type", 6),
        (b"\x41\0\x41\0\x41\0\x1c\2\x7f\x7f", "invalid result arity of select", 6),
        (b"\x06", "illegal opcode 0x06", 0),
        (b"\x27", "illegal opcode 0x27", 0),
        (b"\xc5", "illegal opcode 0xc5", 0),
        (b"\xff", "illegal opcode 0xff", 0),
        (b"\xfc\x12", "illegal opcode 0xfc 18", 0),
        (b"\xfc\x08\0\0", "unknown memory 0", 0),
        (b"\xfc\x09\0", "data count section required", 0),
        (b"\xfc\x0d\0", "unknown elem segment 0", 0),
        (b"\x41\x80", "integer representation too long", None),
        (b"\x0b\x0b", "section size mismatch", None),
        (b"\x02\x40", "unexpected end", None),
        (b"\x43\0\0", "unexpected end", None),
    ],
)
def test_faults(code: bytes, message: str, at: int | None) -> None:
    data = function(code)
    begin = len(data) - len(code) - 1
    if message.startswith("integer"):
        code = b"\x41\x80\x80\x80\x80\x80"
        data = function(code)
    with pytest.raises(wamr.CompileError) as caught:
        wamr.Module(data)
    assert str(caught.value).startswith(message)
    assert caught.value.offset <= len(data)
    if at is not None:
        assert caught.value.offset == begin + at


@pytest.mark.parametrize(
    "text, message",
    [
        ("(global i32 (i32.const 0)) (func (global.set 0 (i32.const 1)))", "global is immutable"),
        ("(memory 1) (func (i32.load align=8 (i32.const 0)) drop)", "alignment must not be"),
        ("(table 1 externref) (func (call_indirect (i32.const 0)))", "type mismatch: call_ind"),
        ("(func $f) (func (drop (ref.func $f)))", "undeclared function reference 0"),
        (
            "(table 1 funcref) (table 1 externref) "
            "(func (table.copy 0 1 (i32.const 0) (i32.const 0) (i32.const 0)))",
            "type mismatch: table.copy between different reference types",
        ),
        (
            "(table 1 externref) (elem func) "
            "(func (table.init 0 0 (i32.const 0) (i32.const 0) (i32.const 0)))",
            "type mismatch: table.init of another reference type",
        ),
        (
            "(func (result i32) (block (result i32) (block "
            "(br_table 0 1 (i32.const 0) (i32.const 0))) (i32.const 0)))",
            "type mismatch: the labels of br_table differ in arity",
        ),
        # tail calls
        (
            "(func (result i32) (i32.const 1)) (func (return_call 0))",
            "type mismatch: a tail call must return what the function returns",
        ),
        (
            "(type (func (result i64))) (table 1 funcref) "
            "(func (result i32) (return_call_indirect (type 0) (i32.const 0)))",
            "type mismatch: a tail call must return what the function returns",
        ),
        ("(func (param i32)) (func (return_call 0))", "type mismatch: an operand is missing"),
        # extended constant expressions
        ("(global i32 (i32.add (i32.const 1)))", "type mismatch in constant expression"),
        ("(global i32 (i64.add (i64.const 1) (i64.const 1)))", "type mismatch in constant expr"),
        ("(global i32 (i32.div_u (i32.const 1) (i32.const 1)))", "constant expression required"),
        ("(global i32 (i32.const 1) (i32.const 1))", "type mismatch in constant expression"),
    ],
)
def test_faults_in_text(text: str, message: str) -> None:
    data = wat(text)
    with pytest.raises(wamr.CompileError) as caught:
        wamr.Module(data)
    assert str(caught.value).startswith(message)
    assert 8 < caught.value.offset < len(data)


def test_whatever_follows_in_dead_code_has_any_type() -> None:
    text = """(func (export "f") (param i32) (result i32)
      (block (result i32)
        (if (local.get 0) (then (return (i32.const 1))))
        (br 0 (i32.const 2))
        select
        (drop)
        i32.add
        i64.extend_i32_u
        (br_if 0 (i32.const 0) (i32.const 0))
        drop drop
        (unreachable)))"""
    f = load(text).exports.f
    assert (f(1), f(0)) == (1, 2)


def test_what_is_true_of_operands_in_dead_code() -> None:
    """A value that is there must fit, even below code that is never run."""
    assert wamr.Module(function(b"\x00\x6a\x1a"))
    assert wamr.Module(function(b"\x00\x1b\x1a"))
    for code in (b"\x00\x42\0\x6a\x1a", b"\x00\x42\0\x41\0\x41\0\x1b\x1a", b"\x00\x41\0"):
        with pytest.raises(wamr.CompileError, match="^type mismatch"):
            wamr.Module(function(code))


# Long forms of LEB128 are valid in code, too: the interpreter has to skip them as they are.


def test_padded_immediates() -> None:
    def pad(n: int) -> bytes:
        return bytes([n & 127 | 128, 128, 128, 128, 0])

    main = locals_of((2, 0x7F)) + b"".join(
        [
            b"\x41" + pad(5),  # i32.const 5
            b"\x21" + pad(1),  # local.set 1
            b"\x02\x40",
            b"\x03\x40",
            b"\x20" + pad(1) + b"\x41" + sleb(1) + b"\x6b\x22" + pad(1),  # local.tee 1
            b"\x45\x0d" + pad(1),  # br_if 1
            b"\x20" + pad(0) + b"\x41\3\x6a\x21" + pad(0),
            b"\x41\0\x0e" + pad(1) + pad(0) + pad(0),  # br_table 0 0
            b"\x0b\x0b",
            b"\x41\x08" + b"\x20" + pad(0) + b"\x36" + pad(2) + pad(4),  # i32.store
            b"\x41\0\x10" + pad(1),  # call 1
            b"\x41\0\x28" + pad(2) + pad(12) + b"\x6a",  # i32.load
            b"\x41\0\x11" + pad(0) + pad(0),  # call_indirect
            b"\x0b",
        ]
    )
    one = b"\0\x20" + pad(0) + b"\x41" + pad(40) + b"\x6a\x0b"
    two = b"\0\x20" + pad(0) + b"\x41" + pad(60) + b"\x6a\x0b"
    data = binary(
        section(1, vector(b"\x60\1\x7f\1\x7f", b"\x60\0\1\x7f")),
        section(3, vector(b"\1", b"\0", b"\0")),
        section(4, vector(b"\x70\0\1")),
        section(5, vector(b"\0\1")),
        section(7, vector(b"\1f\0\0")),
        section(9, vector(b"\0\x41\0\x0b\1\2")),
        section(10, vector(*[leb(len(body)) + body for body in (main, one, two)])),
    )
    # 4 turns of 3, and what the two functions add
    assert wamr.Instance(wamr.Module(data)).exports.f() == 12 + 40 + 60


# Another implementation, asked about modules that are nearly right


def other_engine() -> wasmtime.Engine:
    """wasmtime with the same features."""
    config = wasmtime.Config()
    for feature in (
        "relaxed_simd simd threads multi_memory memory64 gc function_references exceptions "
        "stack_switching wide_arithmetic component_model"
    ).split():
        setattr(config, f"wasm_{feature}", False)
    config.wasm_tail_call = True
    config.wasm_custom_page_sizes = True
    return wasmtime.Engine(config)


@pytest.mark.skipif(suite.find() is None, reason=suite.HOW_TO_GET)
def test_what_is_valid_is_what_wasmtime_calls_valid() -> None:
    engine = other_engine()
    folder = suite.find()
    assert folder
    mutator = mutate.Mutator(mutate.corpus(suite.good_modules(folder)), seed=3)
    valid = 0
    for _ in range(1500):
        data = mutator.module()
        try:
            wamr.Module(data)
            reason = ""
        except wamr.CompileError as error:
            reason = str(error)
        if reason.startswith(("too many", "name too long")):
            continue  # limits are everybody's own
        try:
            wasmtime.Module.validate(engine, data)
            assert not reason
            valid += 1
        except wasmtime.WasmtimeError as error:
            assert reason, error
    assert 100 < valid < 1000
