"""Random valid modules for comparing engines: a seed gives a module's bytes.

They all end: loops count down, and a global variable that is set before each call limits the
calls. Everything that may trap may be met: the engines have to agree on results, traps, fuel,
memory, tables and globals.
"""

from __future__ import annotations

import random

from wat import binary, leb, section, vector

from native.control import FUNCREF, Body, Shape, Types
from native.expressions import F32, F64, I32, I64, NUMBERS, PAGE

# What a module imports: functions of the module "host" and their types, and a mutable i64.
HOST = {"log": ((I32,), ()), "twist": ((I64, I32), (I64,)), "split": ((I64,), (I32, F64))}
# Calls that an export may lead to.
CALLS = 60


def module(seed: int, other: int | None = None) -> bytes:
    """A module that exports its functions f0, f1, …, globals g0, g1, …, tables and the memory.

    other: the seed of another one, of which it imports the functions, table 0 and the memory.
    """
    rng = random.Random(seed)
    imported = list(HOST.values())
    imports = [name("host") + name(key) + b"\0" + leb(i) for i, key in enumerate(HOST)]
    lent = Lent(other) if other is not None else None
    if lent:
        for i in range(len(HOST), len(lent.shape.functions)):
            imports.append(name("other") + name(f"f{i}") + b"\0" + leb(len(imported)))
            imported.append(lent.shape.functions[i])
        imports.append(name("other") + name("t0") + b"\1" + first_table(lent.shape))
        imports.append(name("other") + name("memory") + b"\2" + limits(*lent.memory))
    imports.append(name("host") + name("total") + b"\3\x7e\1")
    shape = make_shape(rng, imported)
    n = len(shape.functions)
    own = range(len(imported), n)
    size = lent.memory if lent else memory(rng)
    if lent:
        shape.slots = lent.shape.slots
    shape.memory_bytes = size[0] * size[2]
    exports = [name(f"f{i}") + b"\0" + leb(i) for i in own]
    exports += [name(f"g{i}") + b"\3" + leb(i) for i in range(6)]
    exports += [name(f"t{i}") + b"\1" + leb(i) for i in range(shape.n_tables)]
    exports.append(name("memory") + b"\2\0")
    # Every function is in a segment, so that ref.func may have it.
    some = [vector(*[leb(rng.randrange(n)) for _ in range(rng.randrange(5))]) for _ in range(2)]
    elems = [b"\1\0" + chosen for chosen in [vector(*map(leb, range(n))), *some]]
    if not lent:
        elems[0] = b"\0\x41\0\x0b" + elems[0][2:]
    bodies = [Body(rng, shape, i).encode() for i in own]
    datas = [b"\0\x41\0\x0b" + vector(*[rng.randbytes(1) for _ in range(64)])]
    if shape.memory_bytes < 64:
        datas = [b"\1" + vector()]
    datas.append(b"\1" + vector(*[rng.randbytes(1) for _ in range(8)]))
    return binary(
        section(1, vector(*map(encode_type, shape.functions + shape.blocks))),
        section(2, vector(*imports)),
        section(3, vector(*map(leb, own))),
        section(4, vector(*([] if lent else [first_table(shape)]), bytes([FUNCREF, 0]) + leb(2))),
        section(5, vector(*([] if lent else [limits(*size)]))),
        section(6, vector(*variables())),
        section(7, vector(*exports)),
        section(9, vector(*elems)),
        section(12, leb(len(datas))),
        section(10, vector(*bodies)),
        section(11, vector(*datas)),
    )


class Lent:
    """What a module of that seed has for others."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.shape = make_shape(rng, list(HOST.values()))
        self.memory = memory(rng)


def make_shape(rng: random.Random, imported: list[Types]) -> Shape:
    functions = list(imported)
    for _ in range(rng.randrange(1, 5)):
        results = rng.choice([0, 1, 1, 1, 1, 2, 5])
        functions.append((kinds(rng, rng.randrange(4)), kinds(rng, results)))
    blocks = []
    for _ in range(6):
        blocks.append((kinds(rng, rng.randrange(3)), kinds(rng, rng.randrange(1, 4))))
    # Some keep their parameters as results.
    blocks += [(results, results + kinds(rng, 1)) for _, results in blocks[:2]]
    slots = len(functions) + rng.randrange(1, 4)
    return Shape(functions, blocks, 0, slots, n_tables=2, n_elems=3, n_datas=2)


def kinds(rng: random.Random, n: int) -> tuple[int, ...]:
    return tuple(rng.choice(NUMBERS) for _ in range(n))


def name(text: str) -> bytes:
    return leb(len(text)) + text.encode()


def encode_type(types: tuple[tuple[int, ...], tuple[int, ...]]) -> bytes:
    return b"\x60" + b"".join(vector(*[bytes([k]) for k in kinds]) for kinds in types)


def memory(rng: random.Random) -> tuple[int, int, int]:
    """Pages at first and at most, and bytes of a page: sometimes none, sometimes an odd size."""
    if rng.random() < 0.8:
        low = rng.choice([1, 1, 1, 1, 0, 2])
        return low, low + rng.randrange(2), PAGE
    low = rng.choice([1, 2, 3, 4, 7, 100, 4095, 4097, 5000])
    return low, low + rng.randrange(5), 1


def limits(low: int, high: int, page: int) -> bytes:
    return (b"\1" if page == PAGE else b"\x09") + leb(low) + leb(high) + b"\0" * (page == 1)


def first_table(shape: Shape) -> bytes:
    return bytes([FUNCREF, 1]) + leb(shape.slots) + leb(shape.slots + 3)


def variables() -> list[bytes]:
    zeros = {I32: b"\x41\0", I64: b"\x42\0", F32: b"\x43" + bytes(4), F64: b"\x44" + bytes(8)}
    numbers = [bytes([kind, 1]) + zeros[kind] + b"\x0b" for kind in NUMBERS]
    return [*numbers, bytes([I32, 1]) + zeros[I32] + b"\x0b"]


def arguments(seed: int, params: bytes) -> list[int]:
    """Bits for a call's parameters."""
    rng = random.Random(seed)
    values = []
    for kind in params:
        bits = 32 if kind in (I32, F32) else 64
        values.append(rng.choice([0, 1, rng.getrandbits(bits), rng.randrange(100)]))
    return values
