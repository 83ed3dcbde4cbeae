"""Each numeric instruction run by wasmtime, on bit patterns."""

from __future__ import annotations

import functools

import wasmtime

_COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"
_BINARY = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr"
_FLOAT_COMPARE = "eq ne lt gt le ge"
_FLOAT_UNARY = "abs neg ceil floor trunc nearest sqrt"
_FLOAT_BINARY = "add sub mul div min max copysign"
_CONVERT = """
i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s
i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u
f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64
f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32
i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64
i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s
"""

# opcode: (instruction, types of its operands, type of its result)
INSTRUCTIONS: dict[int, tuple[str, tuple[str, ...], str]] = {}


def _add(first: int, type: str, names: str, count: int, result: str) -> None:
    for op, name in enumerate(names.split(), first):
        INSTRUCTIONS[op] = f"{type}.{name}", (type,) * count, result


_add(0x46, "i32", _COMPARE, 2, "i32")
_add(0x51, "i64", _COMPARE, 2, "i32")
_add(0x5B, "f32", _FLOAT_COMPARE, 2, "i32")
_add(0x61, "f64", _FLOAT_COMPARE, 2, "i32")
_add(0x67, "i32", "clz ctz popcnt", 1, "i32")
_add(0x6A, "i32", _BINARY, 2, "i32")
_add(0x79, "i64", "clz ctz popcnt", 1, "i64")
_add(0x7C, "i64", _BINARY, 2, "i64")
_add(0x8B, "f32", _FLOAT_UNARY, 1, "f32")
_add(0x92, "f32", _FLOAT_BINARY, 2, "f32")
_add(0x99, "f64", _FLOAT_UNARY, 1, "f64")
_add(0xA0, "f64", _FLOAT_BINARY, 2, "f64")
for _op, _name in enumerate(_CONVERT.split(), 0xA7):
    # The source stands in the name; sign extensions have it in the type.
    _source = next((t for t in ("i32", "i64", "f32", "f64") if f"_{t}" in _name), _name[:3])
    INSTRUCTIONS[_op] = _name, (_source,), _name[:3]
for _op in range(8):
    _source = ("f32", "f64")[_op >> 1 & 1]
    _name = f"i{64 if _op & 4 else 32}.trunc_sat_{_source}_{'su'[_op & 1]}"
    INSTRUCTIONS[0xFC00 + _op] = _name, (_source,), _name[:3]

# These copy the bits of a NaN; the others make a NaN of their own.
KEEPS_NAN = {"abs", "neg", "copysign", "reinterpret_i32", "reinterpret_i64"}
CANONICAL_NAN = {"f32": 0x7FC00000, "f64": 0x7FF8000000000000}
_TRAPS = {
    wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO: "integer divide by zero",
    wasmtime.TrapCode.INTEGER_OVERFLOW: "integer overflow",
    wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER: "invalid conversion to integer",
}


def is_nan(type: str, bits: int) -> bool:
    if type == "f32":
        return bits & 0x7FFFFFFF > 0x7F800000
    return type == "f64" and bits & 0x7FFFFFFFFFFFFFFF > 0x7FF0000000000000


# Operands and results are integers, so that no NaN goes through Python's floats.
def function(op: int) -> str:
    name, operands, result = INSTRUCTIONS[op]
    params = " ".join(t.replace("f", "i") for t in operands)
    body = [
        f"(local.get {i})" if t[0] == "i" else f"({t}.reinterpret_i{t[1:]} (local.get {i}))"
        for i, t in enumerate(operands)
    ]
    code = f"({name} {' '.join(body)})"
    if result[0] == "f":
        code = f"(i{result[1:]}.reinterpret_{result} {code})"
        result = result.replace("f", "i")
    return f'(func (export "{op}") (param {params}) (result {result}) {code})'


@functools.cache
def _instance() -> tuple[wasmtime.Store, dict[int, wasmtime.Func]]:
    store = wasmtime.Store()
    text = f"(module {' '.join(map(function, INSTRUCTIONS))})"
    module = wasmtime.Module(store.engine, wasmtime.wat2wasm(text))
    exports = wasmtime.Instance(store, module, []).exports(store)
    return store, {op: exports[str(op)] for op in INSTRUCTIONS}


def _signed(type: str, bits: int) -> int:
    n = int(type[1:])
    return bits - (1 << n) if bits >> (n - 1) else bits


def outcome(op: int, *operands: int) -> int | str:
    """The bits of the result, or the text of the trap. A NaN is canonical unless copied."""
    name, types, result = INSTRUCTIONS[op]
    store, functions = _instance()
    try:
        value = functions[op](store, *map(_signed, types, operands))
    except wasmtime.Trap as trap:
        return _TRAPS[trap.trap_code]
    value &= (1 << int(result[1:])) - 1
    if is_nan(result, value) and name[4:] not in KEEPS_NAN:
        return CANONICAL_NAN[result]
    return value
