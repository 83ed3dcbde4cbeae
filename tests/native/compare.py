"""Runs one module on several engines and tells where they differ."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import wamr
from wamr.engine.execution import Execution

from native import control, generate

FUEL = 20000
STACK = 65536
TOTAL = 5  # the imported global variable
# What limits the calls: a variable to be set, or (binaryen's generator) a function to be called.
LIMIT = f"g{control.LIMIT}"
SET_LIMIT = "hangLimitInitializer"


# Engines differ in how deep they go: nothing behind it is compared with another one.
EXHAUSTED = "call stack exhausted"


class Call(NamedTuple):
    """What one call of an export came to."""

    name: str
    end: Any  # the results, "suspended", or the trap
    trace: list[int]  # the functions of the backtrace
    fuel: int
    log: list[tuple]  # what the imported functions were given


class Seen(NamedTuple):
    """What calling every function of a module showed."""

    calls: list[Call]
    globals: list[Any]
    tables: list[list[bool]]
    memory: bytes


class Host:
    """The imported functions, and what they were given."""

    def __init__(self) -> None:
        self.log: list[tuple] = []
        self.functions: dict[str, Callable] = {"twist": self.twist, "split": self.split}
        # The others are those of binaryen's generator.
        for name in ("log", "log-i32", "log-i64", "log-f32", "log-f64"):
            self.functions[name] = partial(self.note, name)

    def note(self, name: str, value: float) -> None:
        self.log.append((name, repr(value)))

    def twist(self, a: int, b: int) -> int:
        self.log.append(("twist", a, b))
        return signed((a ^ b) * 31, 64)

    def split(self, a: int) -> tuple[int, float]:
        self.log.append(("split", a))
        return signed(a >> 7, 32), float(a % 1000)


def signed(n: int, bits: int) -> int:
    n &= (1 << bits) - 1
    return n - (n >> (bits - 1) << bits)


def number(bits: Any, kind: int) -> Any:
    """Bits to compare: the specification leaves the sign and payload of a NaN open."""
    if kind == generate.F32 and bits & 0x7FFFFFFF > 0x7F800000:
        return "nan"
    if kind == generate.F64 and bits & 0x7FFFFFFFFFFFFFFF > 0x7FF0000000000000:
        return "nan"
    return bits if kind >= 0x7C else bits is None


def exports(module: wamr.Module, kind: str) -> list[tuple[str, int]]:
    return [(name, index) for name, what, index in module.export_list if what == kind]


def limit_of(module: wamr.Module) -> str | None:
    """What has to be set or called before each call, or None."""
    names = {name for name, _, _ in module.export_list}
    return next((name for name in (LIMIT, SET_LIMIT) if name in names), None)


def observe(module: wamr.Module, engine: str, seed: int) -> Seen:
    """The runtime's engines."""
    host = Host()
    instance = make(module, engine, host)
    return state(instance, call_all(instance, [instance], host, seed))


def observe_linked(seed: int, engines: tuple[str, str]) -> list[Seen]:
    """Two modules, the second of which imports from the first; calls of the one and the other."""
    host = Host()
    first = make(wamr.Module(generate.module(seed)), engines[0], host)
    second = make(wamr.Module(generate.module(seed + 1, seed)), engines[1], host, other=first)
    both = [first, second]
    return [state(i, call_all(i, both, host, seed)) for i in (second, first, second)]


def make(module: wamr.Module, engine: str, host: Host, **more: wamr.Instance) -> wamr.Instance:
    total = wamr.Global("i64", TOTAL, mutable=True)
    imports = {"host": dict(host.functions, total=total), "fuzzing-support": host.functions}
    return wamr.Instance(module, {**imports, **more}, engine=engine, stack=STACK)


def call_all(
    instance: wamr.Instance, limited: list[wamr.Instance], host: Host, seed: int
) -> list[Call]:
    """What calling every export came to; `limited` are those whose calls are limited."""
    module = instance.module
    calls = []
    for name, index in exports(module, "func"):
        params, results = module.funcs[index]
        for other in limited:
            limit = limit_of(other.module)
            if limit == LIMIT:
                other.exports[limit].value = generate.CALLS
            elif limit:
                other.exports[limit]()
        execution = Execution(instance.exports[name], generate.arguments(seed, params))
        end: Any = "suspended"
        trace = []
        host.log.clear()
        try:
            # Imported functions end a step early.
            while not execution.done and execution.fuel_used < FUEL:
                execution.step(FUEL - execution.fuel_used)
            if execution.done:
                end = [number(b, k) for b, k in zip(execution.raw, results)]
        except wamr.Trap as trap:
            end = str(trap)
            trace = [frame[0] for frame in trap.backtrace]
        calls.append(Call(name, end, trace, execution.fuel_used, list(host.log)))
        if end == "suspended":
            break
    return calls


def state(instance: wamr.Instance, calls: list[Call]) -> Seen:
    """What an instance has after these calls."""
    module = instance.module
    return Seen(
        calls,
        [
            number(instance.exports[name].raw, module.globals[index][0])
            for name, index in exports(module, "global")
        ],
        [[ref is None for ref in table.elems] for table in instance.tables],
        bytes(instance.memory.buf) if instance.memory else b"",
    )


def difference(a: Seen, b: Seen) -> str:
    """Where two engines first differ, or nothing."""
    for one, other in zip(a.calls, b.calls):
        if one != other:
            return f"{one} != {other}"
    for what in ("calls", "globals", "tables"):
        if getattr(a, what) != getattr(b, what):
            return f"{what}: {getattr(a, what)} != {getattr(b, what)}"
    if a.memory != b.memory:
        pairs = enumerate(zip(a.memory, b.memory))
        first = next((i for i, (x, y) in pairs if x != y), "its end")
        return f"memory of {len(a.memory)} and {len(b.memory)} bytes differs from {first} on"
    return ""


# Our message for a trap as reference.TRAPS has it.
def _as_reference(end: Any) -> Any:
    if isinstance(end, str) and end.startswith("uninitialized element"):
        return "uninitialized element"
    return "out of bounds table access" if end == "undefined element" else end


def check(data: bytes, seed: int, wasmtime: bool = False) -> Seen:
    """What portable shows; AssertionError if native, or wasmtime as well, shows something else."""
    module = wamr.Module(data)
    portable = observe(module, "portable", seed)
    found = difference(portable, observe(module, "native", seed))
    assert not found, f"seed {seed}: portable, native: {found}"
    if wasmtime and all(c.end not in ("suspended", EXHAUSTED) for c in portable.calls):
        from native import reference

        calls = [c._replace(end=_as_reference(c.end), trace=[], fuel=0) for c in portable.calls]
        theirs = reference.observe(module, data, seed)
        found = difference(portable._replace(calls=calls), theirs)
        assert not found, f"seed {seed}: portable, wasmtime: {found}"
    return portable


# A tail call of another instance leaves no frame in the portable engine, and one in machine code.
def _untraced(seen: Seen) -> Seen:
    return seen._replace(calls=[call._replace(trace=[]) for call in seen.calls])


def check_linked(seed: int) -> None:
    """AssertionError if two linked modules do not show the same on all engines, mixed as well."""
    portable = observe_linked(seed, ("portable", "portable"))
    for engines in (("native", "native"), ("native", "portable"), ("portable", "native")):
        for one, other in zip(portable, observe_linked(seed, engines)):
            found = difference(_untraced(one), _untraced(other))
            assert not found, f"seed {seed}: portable, {engines}: {found}"
