"""Random valid modules for comparing engines: a seed gives a module's bytes.

Every function ends (loops count down), and everything that may trap may be met: the engines have
to agree on results, traps, fuel, memory and globals.
"""

from __future__ import annotations

import random

I32, I64, F32, F64 = 0x7F, 0x7E, 0x7D, 0x7C
NUMBERS = (I32, I64, F32, F64)
PAGE = 65536

# Opcodes by result type: (opcode, operand types).
BINARY = {
    I32: [(op, (I32, I32)) for op in range(0x6A, 0x79)]
    + [(op, (I32, I32)) for op in range(0x46, 0x50)]
    + [(op, (I64, I64)) for op in range(0x51, 0x5B)]
    + [(op, (F32, F32)) for op in range(0x5B, 0x61)]
    + [(op, (F64, F64)) for op in range(0x61, 0x67)],
    I64: [(op, (I64, I64)) for op in range(0x7C, 0x8B)],
    F32: [(op, (F32, F32)) for op in range(0x92, 0x99)],
    F64: [(op, (F64, F64)) for op in range(0xA0, 0xA7)],
}
UNARY = {
    I32: [(0x45, I32), (0x50, I64), (0xA7, I64), (0xBC, F32), (0xC0, I32), (0xC1, I32)]
    + [(op, I32) for op in range(0x67, 0x6A)]
    + [(0xA8, F32), (0xA9, F32), (0xAA, F64), (0xAB, F64)],
    I64: [(0xAC, I32), (0xAD, I32), (0xBD, F64), (0xC2, I64), (0xC3, I64), (0xC4, I64)]
    + [(op, I64) for op in range(0x79, 0x7C)]
    + [(0xAE, F32), (0xB0, F64)],
    F32: [(op, F32) for op in range(0x8B, 0x92)]
    + [(0xB2, I32), (0xB5, I64), (0xB6, F64), (0xBE, I32)],
    F64: [(op, F64) for op in range(0x99, 0xA0)]
    + [(0xB7, I32), (0xB9, I64), (0xBB, F32), (0xBF, I64)],
}
LOADS = {
    I32: [(0x28, 2), (0x2C, 0), (0x2D, 0), (0x2E, 1), (0x2F, 1)],
    I64: [(0x29, 3), (0x30, 0), (0x31, 0), (0x32, 1), (0x33, 1), (0x34, 2), (0x35, 2)],
    F32: [(0x2A, 2)],
    F64: [(0x2B, 3)],
}
STORES = {
    I32: [(0x36, 2), (0x3A, 0), (0x3B, 1)],
    I64: [(0x37, 3), (0x3C, 0), (0x3D, 1), (0x3E, 2)],
    F32: [(0x38, 2)],
    F64: [(0x39, 3)],
}


def u32(n: int) -> bytes:
    out = bytearray()
    while True:
        byte = n & 0x7F
        n >>= 7
        out.append(byte | (0x80 if n else 0))
        if not n:
            return bytes(out)


def s64(n: int) -> bytes:
    out = bytearray()
    while True:
        byte = n & 0x7F
        n >>= 7
        if n == (-1 if byte & 0x40 else 0):
            return bytes([*out, byte])
        out.append(byte | 0x80)


def vector(items: list[bytes]) -> bytes:
    return u32(len(items)) + b"".join(items)


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + u32(len(content)) + content


class Body:
    """One function: statements and expressions of limited depth."""

    def __init__(self, rng: random.Random, types: list[tuple], index: int) -> None:
        self.rng = rng
        self.types = types  # of all functions
        self.index = index
        params, self.results = types[index]
        extra = [rng.choice(NUMBERS) for _ in range(rng.randrange(6))]
        self.extra = extra
        self.locals = list(params) + extra
        # What no_nan() keeps a float in.
        self.spare = {F32: len(self.locals), F64: len(self.locals) + 1}
        self.extra += [F32, F64]
        self.locals += [F32, F64]
        self.counters: list[int] = []  # locals that count loops
        self.labels: list[tuple] = [self.results]
        self.code = bytearray()
        self.budget = rng.randrange(10, 120)

    def local(self, kind: int) -> int | None:
        found = [i for i, k in enumerate(self.locals) if k == kind]
        return self.rng.choice(found) if found else None

    def constant(self, kind: int) -> None:
        rng = self.rng
        if kind in (I32, I64):
            bits = 32 if kind == I32 else 64
            n = rng.choice(
                [rng.randrange(-8, 70), rng.getrandbits(bits), 1 << rng.randrange(bits), -1, 255]
            )
            n &= (1 << bits) - 1
            n -= (n >> (bits - 1)) << bits
            self.code += bytes([0x41 if kind == I32 else 0x42]) + s64(n)
        else:
            size = 4 if kind == F32 else 8
            ones = {4: 0x3F800000, 8: 0x3FF0000000000000}[size]
            n = rng.choice([0, 1 << (8 * size - 1), ones, ones + rng.getrandbits(22)])
            if rng.random() < 0.3:
                n = rng.getrandbits(8 * size - 2)
            self.code += bytes([0x43 if size == 4 else 0x44]) + n.to_bytes(size, "little")

    # 0 for a NaN, whose sign and payload the specification leaves open, before its bits are seen.
    def no_nan(self, kind: int) -> None:
        spare = u32(self.spare[kind])
        zero = b"\x43" + bytes(4) if kind == F32 else b"\x44" + bytes(8)
        again = b"\x20" + spare
        compare = b"\x5b" if kind == F32 else b"\x61"
        self.code += b"\x22" + spare + zero + again + again + compare + b"\x1b"

    def value(self, kind: int, depth: int) -> None:
        rng = self.rng
        self.budget -= 1
        if depth <= 0 or self.budget < 0 or rng.random() < 0.15:
            local = self.local(kind)
            if local is None or rng.random() < 0.3:
                self.constant(kind)
            else:
                self.code += bytes([0x20]) + u32(local)
            return
        pick = rng.random()
        if pick < 0.5:
            op, operands = rng.choice(BINARY[kind])
            for operand in operands:
                self.value(operand, depth - 1)
            if op in (0x98, 0xA6):  # copysign
                self.no_nan(kind)
            self.code.append(op)
        elif pick < 0.62:
            op, operand = rng.choice(UNARY[kind])
            self.value(operand, depth - 1)
            if op in (0xBC, 0xBD):  # reinterpretations
                self.no_nan(operand)
            self.code.append(op)
        elif pick < 0.75:
            self.address(depth - 1)
            op, align = rng.choice(LOADS[kind])
            self.code += bytes([op]) + u32(rng.randrange(align + 1)) + self.offset()
        elif pick < 0.8:
            self.value(kind, depth - 1)
            self.value(kind, depth - 1)
            self.value(I32, depth - 1)
            self.code.append(0x1B)
        elif pick < 0.85 and self.local(kind) is not None:
            local = self.local(kind)
            if local in self.counters:
                return self.constant(kind)
            self.value(kind, depth - 1)
            self.code += bytes([0x22]) + u32(local)
        elif pick < 0.9:
            self.call(kind, depth)
        elif pick < 0.95:
            self.value(I32, depth - 1)
            self.code += bytes([0x04, kind])
            self.labels.append((kind,))
            self.value(kind, depth - 1)
            self.code.append(0x05)
            self.value(kind, depth - 1)
            self.code.append(0x0B)
            self.labels.pop()
        else:
            self.code += bytes([0x02, kind])
            self.labels.append((kind,))
            self.value(kind, depth - 1)
            self.value(I32, depth - 1)
            self.code += b"\x0d\x00"
            self.labels.pop()
            self.code.append(0x0B)
        return None

    # Mostly inside the memory, now and then at its end or far out.
    def address(self, depth: int) -> None:
        rng = self.rng
        pick = rng.random()
        if pick < 0.7:
            self.value(I32, depth)
            self.code += bytes([0x41]) + s64(0xFFF) + b"\x71"
        elif pick < 0.9:
            self.code += bytes([0x41]) + s64(rng.choice([0, 8, 100, PAGE - 8, PAGE - 1]))
        else:
            self.value(I32, depth)

    def offset(self) -> bytes:
        pick = self.rng.random()
        if pick < 0.6:
            return u32(self.rng.randrange(0, 40))
        if pick < 0.97:
            return u32(self.rng.choice([0, 200, 5000, PAGE - 4096]))
        return u32(self.rng.choice([PAGE, 0x7FFFFFFF, 0xFFFFFFF0]))

    # Of a function with a higher number, so that there is no recursion; some through the table.
    def call(self, kind: int, depth: int) -> None:
        found = [i for i in range(self.index + 1, len(self.types)) if self.types[i][1] == (kind,)]
        if not found:
            return self.constant(kind)
        callee = self.rng.choice(found)
        for param in self.types[callee][0]:
            self.value(param, depth - 2)
        if self.rng.random() < 0.5:
            self.code += bytes([0x10]) + u32(callee)
        else:
            slot = callee if self.rng.random() < 0.95 else self.rng.randrange(20)
            self.code += bytes([0x41]) + s64(slot) + bytes([0x11]) + u32(callee) + b"\x00"
        return None

    def statement(self, depth: int) -> None:
        rng = self.rng
        self.budget -= 1
        pick = rng.random()
        if pick < 0.35:
            kind = rng.choice(NUMBERS)
            local = self.local(kind)
            if local is None or local in self.counters:
                return
            self.value(kind, 3)
            self.code += bytes([0x21]) + u32(local)
        elif pick < 0.55:
            kind = rng.choice(NUMBERS)
            self.address(2)
            self.value(kind, 3)
            if kind in self.spare:
                self.no_nan(kind)
            op, align = rng.choice(STORES[kind])
            self.code += bytes([op]) + u32(rng.randrange(align + 1)) + self.offset()
        elif pick < 0.62:
            self.value((I32, I64, F32, F64)[rng.randrange(4)], 2)
            self.code.append(0x1A)
        elif pick < 0.7:
            which = rng.randrange(4)
            self.value(NUMBERS[which], 3)
            self.code += bytes([0x24]) + u32(which)
        elif depth <= 0 or self.budget < 0:
            return
        elif pick < 0.8:
            self.value(I32, 2)
            self.code += b"\x04\x40"
            self.labels.append(())
            self.statements(depth - 1)
            if rng.random() < 0.5:
                self.code.append(0x05)
                self.statements(depth - 1)
            self.code.append(0x0B)
            self.labels.pop()
        elif pick < 0.88:
            self.code += b"\x02\x40"
            self.labels.append(())
            self.statements(depth - 1)
            self.leave()
            self.code.append(0x0B)
            self.labels.pop()
        else:
            self.loop(depth)

    # Out of blocks: br_if, or br_table over the blocks without results.
    def leave(self) -> None:
        plain = [
            d
            for d, kinds in enumerate(reversed(self.labels))
            if kinds == () and d < len(self.labels) - 1
        ]
        if not plain:
            return
        self.value(I32, 2)
        if self.rng.random() < 0.6:
            self.code += bytes([0x0D]) + u32(self.rng.choice(plain))
        else:
            targets = [u32(self.rng.choice(plain)) for _ in range(self.rng.randrange(1, 6))]
            self.code += bytes([0x0E]) + u32(len(targets) - 1) + b"".join(targets)

    # loop … counter -= 1; br_if counter
    def loop(self, depth: int) -> None:
        counter = len(self.locals)
        self.locals.append(I32)
        self.extra.append(I32)
        self.counters.append(counter)
        self.code += bytes([0x41]) + s64(self.rng.randrange(1, 5)) + bytes([0x21]) + u32(counter)
        self.code += b"\x03\x40"
        self.labels.append(("loop",))
        self.statements(depth - 1)
        self.code += (
            bytes([0x20]) + u32(counter) + b"\x41\x01\x6b\x22" + u32(counter) + b"\x0d\x00"
        )
        self.code.append(0x0B)
        self.labels.pop()

    def statements(self, depth: int) -> None:
        for _ in range(self.rng.randrange(1, 4)):
            self.statement(depth)

    def encode(self) -> bytes:
        self.statements(3)
        for kind in self.results:
            self.value(kind, 4)
        self.code.append(0x0B)
        groups = [b"\x01" + bytes([kind]) for kind in self.extra]
        body = vector(groups) + bytes(self.code)
        return u32(len(body)) + body


def module(seed: int) -> bytes:
    """A module with one page of memory, four globals and functions f0, f1, … that it exports."""
    rng = random.Random(seed)
    n = rng.randrange(1, 5)
    types = []
    for _ in range(n):
        params = tuple(rng.choice(NUMBERS) for _ in range(rng.randrange(4)))
        results = tuple(rng.choice(NUMBERS) for _ in range(rng.choice([0, 1, 1, 1, 1, 2])))
        types.append((params, results))
    out = b"\0asm\1\0\0\0"
    out += section(
        1,
        vector(
            [
                b"\x60" + vector([bytes([k]) for k in p]) + vector([bytes([k]) for k in r])
                for p, r in types
            ]
        ),
    )
    out += section(3, vector([u32(i) for i in range(n)]))
    out += section(4, b"\x01\x70\x00" + u32(n + 2))
    out += section(5, b"\x01\x01\x01\x01")
    zeros = {I32: b"\x41\x00", I64: b"\x42\x00", F32: b"\x43" + bytes(4), F64: b"\x44" + bytes(8)}
    out += section(6, vector([bytes([kind, 1]) + zeros[kind] + b"\x0b" for kind in NUMBERS]))
    exports = [u32(2) + b"f%d" % i + b"\x00" + u32(i) for i in range(n)]
    exports += [u32(2) + b"g%d" % i + b"\x03" + u32(i) for i in range(4)]
    exports.append(u32(6) + b"memory\x02\x00")
    out += section(7, vector(exports))
    out += section(9, b"\x01\x00\x41\x00\x0b" + vector([u32(i) for i in range(n)]))
    bodies = [Body(rng, types, i).encode() for i in range(n)]
    out += section(10, vector(bodies))
    return out + section(
        11, b"\x01\x00\x41\x00\x0b" + vector([rng.randbytes(1) for _ in range(64)])
    )


def arguments(seed: int, params: bytes) -> list[int]:
    """Bits for a call's parameters."""
    rng = random.Random(seed)
    values = []
    for kind in params:
        bits = 32 if kind in (I32, F32) else 64
        values.append(rng.choice([0, 1, rng.getrandbits(bits), rng.randrange(100)]))
    return values
