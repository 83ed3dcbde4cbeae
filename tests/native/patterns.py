"""Modules that make a compiler emit every pattern it has, with numbers at the edges of each.

A function of such a module takes two numbers and stores what it computes in memory, word by word,
so that one call compares many results.
"""

from __future__ import annotations

from collections.abc import Iterator

BINARY = ("add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr")
COMPARE = ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u")
UNARY = ("clz", "ctz", "popcnt", "extend8_s", "extend16_s")
DIVIDE = ("div_s", "div_u", "rem_s", "rem_u")
# Where encodings of constants change: powers of two, and what is beside them.
POWERS = sorted({s * (1 << n) + d for n in range(32) for d in (-1, 0, 1) for s in (1, -1)})
POSITIVE = (
    0, 1, 2, 5, 7, 10, 31, 32, 33, 63, 95, 96, 127, 128, 129, 255, 256, 2047, 2048, 4095, 4096,
    0x7F7F, 0x7F80, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0xFF00FF, 0x12345678, 0x7FFFFFFF,
)  # fmt: skip
NEGATIVE = (-1, -2, -32, -33, -128, -129, -256, -2048, -2049, -0x8000, -0x8081, -0x10000, -1 << 31)
CONSTANTS = (*POSITIVE, *NEGATIVE)
WIDE = (*CONSTANTS, 40, 64, 1 << 32, -(1 << 32), (1 << 63) - 1, -(1 << 63), 0x123456789ABCDEF0)
OFFSETS = (
    0, 1, 2, 3, 4, 60, 64, 126, 128, 253, 254, 255, 256, 257, 508, 510, 511, 512, 1016, 1018, 1020,
    1021, 1024, 2044, 2046, 2048, 4088, 4092, 4095, 4096, 32500, 32510, 32512, 32768, 33000, 65000,
)  # fmt: skip
VALUES = (0, 1, 2, 31, 0x7F, 0x80, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x12345678)
WIDE_VALUES = (*VALUES, 1 << 32, 0xFFFFFFFF00000000, 1 << 63, (1 << 64) - 1, 0xFEDCBA9876543210)


def const(kind: str, value: int) -> str:
    return f"({kind}.const {value & ((1 << int(kind[1:])) - 1)})"


def _results(kind: str, expressions: list[str]) -> str:
    """The body of a function that stores these values, of this type, one behind the other."""
    return " ".join(
        f"({kind}.store offset={8 * i} (i32.const 0) {text})" for i, text in enumerate(expressions)
    )


def functions(kind: str) -> Iterator[tuple[str, str]]:
    """Names and texts of functions of two numbers of a type."""
    a, b = "(local.get 0)", "(local.get 1)"
    constants = WIDE if kind == "i64" else CONSTANTS
    head = f"(param {kind} {kind}) (local {kind} {kind} i32)"
    for op in BINARY:
        sides = [(a, b), (b, a), (a, a)]
        sides += [(a, const(kind, c)) for c in constants]
        sides += [(const(kind, c), b) for c in constants[::5]]
        tests = [f"({kind}.{op} {x} {y})" for x, y in sides]
        # The result takes the place of an operand.
        tests += [f"(local.tee 2 ({kind}.{op} (local.tee 2 {a}) {y}))" for _, y in sides[::7]]
        tests += [f"(local.tee 2 ({kind}.{op} {x} (local.tee 2 {b})))" for x, _ in sides[:2]]
        yield op, f"{head} {_results(kind, tests)}"
    for op in COMPARE:
        sides = [(a, b), (b, a), (a, a)] + [(a, const(kind, c)) for c in constants]
        tests = []
        for x, y in sides:
            condition = f"({kind}.{op} {x} {y})"
            tests.append(condition)
            tests.append(f"(select (i32.const 5) (i32.const 6) {condition})")
            tests.append(
                f"(if (result i32) {condition} (then (i32.const 7)) (else (i32.const 8)))"
            )
        yield op, f"{head} {_results('i32', tests)}"
        choices = [
            f"(block $b (result {kind}) (br_if $b {x} ({kind}.{op} {x} {y})) (drop) {b})"
            for x, y in sides[::4]
        ]
        choices += [f"(select {a} {b} ({kind}.{op} {x} {y}))" for x, y in sides[::4]]
        yield f"{op} chooses", f"{head} {_results(kind, choices)}"
    for op in BINARY:
        shifted = [
            f"({kind}.{op} {x} ({kind}.{shift} {y} {const(kind, n)}))"
            for n in (0, 1, 2, 3, 4, 31, 32, 33, 63)
            for shift in BINARY[6:]
            for x, y in ((a, b), (b, a), (a, a))
        ]
        yield f"{op} shifted", f"{head} {_results(kind, shifted)}"
    # The flags that a comparison with zero wants may be there already.
    zero = const(kind, 0)
    for op in BINARY:
        tests = [
            f"(if (result i32) ({kind}.{test} ({kind}.{op} {a} {y}) {zero})"
            " (then (i32.const 7)) (else (i32.const 8)))"
            for test in ("eq", "ge_s")
            for y in (b, *(const(kind, c) for c in constants[:: 6 if kind == "i64" else 1]))
        ]
        yield f"{op} tested", f"{head} {_results('i32', tests)}"
    names = (*UNARY, "extend32_s") if kind == "i64" else UNARY
    tests = [f"({kind}.{op} {x})" for op in names for x in (a, b, f"(local.tee 2 {a})")]
    yield "unary", f"{head} {_results(kind, tests)}"
    for op in DIVIDE:
        # Neither 0 nor -1.
        divisor = f"({kind}.and ({kind}.or {b} {const(kind, 2)}) {const(kind, -2)})"
        tests = [f"({kind}.{op} {a} {divisor})"]
        tests += [f"({kind}.{op} {a} {const(kind, c)})" for c in constants if c not in (0, -1)]
        yield op, f"{head} {_results(kind, tests)}"
    yield "constants", f"{head} {_results(kind, [const(kind, c) for c in POWERS])}"


def accesses(kind: str) -> str:
    """A module whose function loads and stores at all offsets, with an address and without one."""
    sizes = ("8", "16", "32", "") if kind == "i64" else ("8", "16", "")
    lines = []
    at = 66000
    for offset in OFFSETS:
        for size in sizes:
            store = f"{kind}.store{size}"
            value = f"({kind}.xor (local.get 1) ({kind}.const {offset}))"
            lines.append(f"({store} offset={offset} (local.get 0) {value})")
            lines.append(f"({store} (i32.const {offset + 70000}) {value})")
            for sign in ("_s", "_u") if size else ("",):
                load = f"{kind}.load{size}{sign}"
                lines.append(
                    f"({kind}.store offset={at + 70000} (i32.const 0)"
                    f" ({kind}.add ({load} offset={offset} (local.get 0))"
                    f" ({load} (i32.const {offset + 70000}))))"
                )
                at += 8
    return f'(memory 3) (func (export "access") (param i32 {kind}) {" ".join(lines)})'


def arithmetic(kind: str) -> str:
    """The text of a module with all functions for a type."""
    fields = [f'(func (export "{name}") {text})' for name, text in functions(kind)]
    return f"(memory 1) {' '.join(fields)}"


def large(cells: int) -> str:
    """A module whose functions have frames of many cells, and many globals beside them."""
    variables = " ".join(f"(global (mut i64) (i64.const {i}))" for i in range(cells // 4))
    last = cells // 2
    more = f"(local {'i64 ' * last})"
    g, h = cells // 4 - 1, cells // 4 - 2
    return f"""{variables} (type $t (func (param i32) (result i32))) (table 2 funcref)
      (elem (i32.const 0) $leaf $middle)
      (func $leaf (type $t) {more}
        (local.set {last} (i64.extend_i32_s (local.get 0)))
        (local.set 1 (i64.mul (local.get {last}) (i64.const 3)))
        (global.set {g} (i64.add (local.get 1) (global.get {h})))
        (i32.wrap_i64 (i64.add (local.get {last})
          (i64.extend_i32_s (i64.lt_s (local.get {last}) (global.get {g}))))))
      (func $middle (type $t) {more}
        (local.set {last} (i64.const 5))
        (i32.add (call_indirect (type $t) (local.get 0) (i32.const 0))
          (i32.wrap_i64 (local.get {last}))))
      (func (export "deep") (type $t) (return_call $middle (local.get 0)))
      (func (export "tail") (type $t) {more}
        (return_call_indirect (type $t) (local.get 0) (i32.const 0)))
      (func (export "f") (type $t) {more}
        (i32.add (call $leaf (local.get 0))
          (call_indirect (type $t) (local.get 0) (i32.const 1))))"""


def many_types(n: int) -> str:
    """A module with so many function types, that calls functions of the last one and another."""
    kinds = [
        " ".join("i64" if i >> bit & 1 else "i32" for bit in range(n.bit_length()))
        for i in range(n)
    ]
    types = "".join(f"(type $t{i} (func (param {kind})))" for i, kind in enumerate(kinds))
    args = " ".join(f"({kind}.const 0)" for kind in kinds[-1].split())
    return f"""{types} (table 2 2 funcref) (elem (i32.const 0) $last $third)
      (global $g (mut i32) (i32.const 0))
      (func $last (type $t{n - 1}) (global.set $g (i32.const 1)))
      (func $third (type $t3) (global.set $g (i32.const 2)))
      (func (export "f") (param i32) (result i32)
        {args} (call_indirect (type $t{n - 1}) (local.get 0)) (global.get $g))"""


def crowded() -> str:
    """Comparisons whose operands take the registers that what stays on the stack would want."""
    less = "(i64.lt_s (i64.load (i32.const 0)) (i64.load (i32.const 8)))"
    head = f"(param {'i64 ' * 8}) (result i64)"
    constants = "(i64.const 0x123456789a) (i64.const -0x6123456789a)"
    locals_ = "(local.get 6) (local.get 7)"
    return f"""(memory 1) (data (i32.const 0) "\\01\\02\\03\\04\\05\\06\\07\\08")
      (func (export "if") {head} {locals_} {less}
        (if (result i64) (then (i64.const 5)) (else (i64.const 6))) i64.add i64.sub)
      (func (export "br_if") {head} (block (result i64) {locals_} {less} br_if 0 i64.sub))
      (func (export "locals") {head} {locals_} {less} select)
      (func (export "constants") {head} {constants} {less} select)
      (func (export "both") {head} {locals_} {constants} {less} select i64.sub i64.sub)"""


def stored_at_once() -> str:
    """Structures are cleared and copied, eight bytes at a time, while the registers are full."""
    address = "(i32.add (local.get 0) (local.get 1))"
    loads = " ".join(f"(i32.load offset={4 * i} (local.get 0))" for i in range(4))
    return f"""(memory 1) (data (i32.const 0) "\\01\\02\\03\\84\\05\\06\\07\\88\\09\\0a\\0b\\8c")
      (func (export "f") (param i32 i32) (result i32) (local i32 i32 i32 i32)
        (local.set 2 (i32.mul (local.get 0) (i32.const 3)))
        {loads}
        (i64.store offset=16 {address} (i64.const 0x123456789abcdef0))
        (i64.store offset=40 {address} (i64.load offset=3 {address}))
        (i64.store (i32.const 100) (i64.load offset=1 (local.get 2)))
        (i64.store offset=60 (local.get 2) (i64.const -1))
        (loop $l
          (i64.store offset=200 (local.get 3) (i64.load (local.get 3)))
          (i64.store offset=300 (local.get 3) (i64.const 7))
          (local.set 3 (i32.add (local.get 3) (i32.const 9)))
          (br_if $l (i32.lt_u (local.get 3) (i32.const 80))))
        i32.sub i32.xor i32.sub (i32.load offset=18 {address}) i32.add)"""
