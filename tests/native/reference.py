"""wasmtime, another engine, to compare with."""

from __future__ import annotations

import struct
from typing import Any

import wamr
import wasmtime
from wasmtime import TrapCode, Val, ValType

from native import generate
from native.compare import LIMIT, TOTAL, Call, Host, Seen, exports, limit_of, number

# The words of the specification's test suite; for table accesses there are two.
TRAPS = {
    TrapCode.UNREACHABLE: "unreachable",
    TrapCode.MEMORY_OUT_OF_BOUNDS: "out of bounds memory access",
    TrapCode.TABLE_OUT_OF_BOUNDS: "out of bounds table access",
    TrapCode.INDIRECT_CALL_TO_NULL: "uninitialized element",
    TrapCode.BAD_SIGNATURE: "indirect call type mismatch",
    TrapCode.INTEGER_OVERFLOW: "integer overflow",
    TrapCode.INTEGER_DIVISION_BY_ZERO: "integer divide by zero",
    TrapCode.BAD_CONVERSION_TO_INTEGER: "invalid conversion to integer",
    TrapCode.STACK_OVERFLOW: "call stack exhausted",
}
TYPES = {
    generate.I32: ValType.i32(),
    generate.I64: ValType.i64(),
    generate.F32: ValType.f32(),
    generate.F64: ValType.f64(),
}
_FORMATS = {generate.I32: "<i", generate.I64: "<q", generate.F32: "<f", generate.F64: "<d"}
_UNSIGNED = {"<i": "<I", "<q": "<Q", "<f": "<I", "<d": "<Q"}


def engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.wasm_tail_call = config.wasm_custom_page_sizes = True
    return wasmtime.Engine(config)


ENGINE = engine()


def to_bits(value: Any, kind: int) -> Any:
    """A result as observe() has it."""
    if kind not in _FORMATS:
        return value is None
    form = _FORMATS[kind]
    (bits,) = struct.unpack(_UNSIGNED[form], struct.pack(form, value))
    return number(bits, kind)


def from_bits(bits: int, kind: int) -> Any:
    if kind not in _FORMATS:
        return None
    form = _FORMATS[kind]
    return struct.unpack(form, struct.pack(_UNSIGNED[form], bits))[0]


def observe(module: wamr.Module, data: bytes, seed: int) -> Seen:
    """What compare.observe() tells, without backtraces and fuel."""
    store = wasmtime.Store(ENGINE)
    compiled = wasmtime.Module(ENGINE, data)
    host = Host()
    imports: list[Any] = []
    for wanted in compiled.imports:
        if isinstance(wanted.type, wasmtime.FuncType):
            imports.append(wasmtime.Func(store, wanted.type, host.functions[wanted.name]))
        else:
            imports.append(wasmtime.Global(store, wanted.type, Val.i64(TOTAL)))
    found = wasmtime.Instance(store, compiled, imports).exports(store)
    calls = []
    for name, index in exports(module, "func"):
        params, results = module.funcs[index]
        limit = limit_of(module)
        if limit == LIMIT:
            found[limit].set_value(store, Val.i32(generate.CALLS))
        elif limit:
            found[limit](store)
        args = [from_bits(b, k) for b, k in zip(generate.arguments(seed, params), params)]
        host.log.clear()
        try:
            value = found[name](store, *args)
            values = value if isinstance(value, list) else [value]
            end: Any = [to_bits(v, k) for v, k in zip(values, results)]
        except wasmtime.Trap as trap:
            end = TRAPS[trap.trap_code]
        calls.append(Call(name, end, [], 0, list(host.log)))
    return Seen(
        calls,
        [
            to_bits(found[name].value(store), module.globals[index][0])
            for name, index in exports(module, "global")
        ],
        [
            # (A null is a value without one, not None as wasmtime says.)
            [isinstance(found[name].get(store, i), Val) for i in range(found[name].size(store))]
            for name, _ in exports(module, "table")
        ],
        b"".join(bytes(found[name].read(store)) for name, _ in exports(module, "memory")),
    )
