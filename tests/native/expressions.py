"""Random expressions for generate.py: numbers, locals, memory; each pushes one value of a type."""

from __future__ import annotations

import random

from wat import leb, sleb

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
# The last of each are the truncations, of which 0x100 stands for the prefix of the saturating.
UNARY = {
    I32: [(0x45, I32), (0x50, I64), (0xA7, I64), (0xBC, F32), (0xC0, I32), (0xC1, I32)]
    + [(op, I32) for op in range(0x67, 0x6A)]
    + [(0xA8, F32), (0xA9, F32), (0xAA, F64), (0xAB, F64)]
    + [(0x100, F32), (0x101, F32), (0x102, F64), (0x103, F64)],
    I64: [(0xAC, I32), (0xAD, I32), (0xBD, F64), (0xC2, I64), (0xC3, I64), (0xC4, I64)]
    + [(op, I64) for op in range(0x79, 0x7C)]
    + [(0xAE, F32), (0xAF, F32), (0xB0, F64), (0xB1, F64)]
    + [(0x104, F32), (0x105, F32), (0x106, F64), (0x107, F64)],
    F32: [(op, F32) for op in range(0x8B, 0x92)]
    + [(0xB2, I32), (0xB3, I32), (0xB4, I64), (0xB5, I64), (0xB6, F64), (0xBE, I32)],
    F64: [(op, F64) for op in range(0x99, 0xA0)]
    + [(0xB7, I32), (0xB8, I32), (0xB9, I64), (0xBA, I64), (0xBB, F32), (0xBF, I64)],
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


class Expressions:
    """The code of one function so far, and its locals; control.py adds what branches and calls."""

    def __init__(self, rng: random.Random, params: tuple[int, ...], memory_bytes: int) -> None:
        self.rng = rng
        self.memory_bytes = memory_bytes
        self.extra = [rng.choice(NUMBERS) for _ in range(rng.randrange(6))] + [F32, F64]
        self.locals = list(params) + self.extra
        # What no_nan() keeps a float in.
        self.spare = {F32: len(self.locals) - 2, F64: len(self.locals) - 1}
        self.counters: list[int] = []  # locals that count loops
        self.code = bytearray()
        self.budget = rng.randrange(10, 120)

    def local(self, kind: int) -> int | None:
        found = [i for i, k in enumerate(self.locals) if k == kind]
        return self.rng.choice(found) if found else None

    def new_local(self, kind: int) -> int:
        self.locals.append(kind)
        self.extra.append(kind)
        return len(self.locals) - 1

    def op(self, opcode: int, *immediates: int) -> None:
        self.code.append(opcode)
        for number in immediates:
            self.code += leb(number)

    def i32(self, n: int) -> None:
        self.code += b"\x41" + sleb(n - ((n >> 31 & 1) << 32))

    def constant(self, kind: int) -> None:
        rng = self.rng
        if kind in (I32, I64):
            bits = 32 if kind == I32 else 64
            n = rng.choice(
                [rng.randrange(-8, 70), rng.getrandbits(bits), 1 << rng.randrange(bits), -1, 255]
            )
            n &= (1 << bits) - 1
            n -= (n >> (bits - 1)) << bits
            self.code += (b"\x41" if kind == I32 else b"\x42") + sleb(n)
        else:
            size = 4 if kind == F32 else 8
            ones = {4: 0x3F800000, 8: 0x3FF0000000000000}[size]
            n = rng.choice([0, 1 << (8 * size - 1), ones, ones + rng.getrandbits(22)])
            if rng.random() < 0.3:
                n = rng.getrandbits(8 * size - 2)
            self.code += (b"\x43" if size == 4 else b"\x44") + n.to_bytes(size, "little")

    # 0 for a NaN, whose sign and payload the specification leaves open, before its bits are seen.
    def no_nan(self, kind: int) -> None:
        spare = self.spare[kind]
        self.op(0x22, spare)
        self.code += b"\x43" + bytes(4) if kind == F32 else b"\x44" + bytes(8)
        self.op(0x20, spare)
        self.op(0x20, spare)
        self.code += b"\x5b\x1b" if kind == F32 else b"\x61\x1b"

    def value(self, kind: int, depth: int) -> None:
        self.budget -= 1
        if depth <= 0 or self.budget < 0 or self.rng.random() < 0.15:
            return self.leaf(kind)
        choices = [self.binary, self.unary, self.load, self.choice, self.tee, self.memory_size]
        weights = [50, 14, 13, 5, 5, 1]
        for form, weight in self.more_forms():
            choices.append(form)
            weights.append(weight)
        self.rng.choices(choices, weights)[0](kind, depth - 1)
        return None

    def more_forms(self) -> list[tuple]:
        """Further forms of values, with their weights."""
        return []

    def leaf(self, kind: int) -> None:
        local = self.local(kind)
        if local is None or self.rng.random() < 0.3:
            self.constant(kind)
        else:
            self.op(0x20, local)

    def binary(self, kind: int, depth: int) -> None:
        op, operands = self.rng.choice(BINARY[kind])
        for operand in operands:
            self.value(operand, depth)
        if op in (0x98, 0xA6):  # copysign
            self.no_nan(kind)
        self.op(op)

    def unary(self, kind: int, depth: int) -> None:
        op, operand = self.rng.choice(UNARY[kind])
        self.value(operand, depth)
        if op in (0xBC, 0xBD):  # reinterpretations
            self.no_nan(operand)
        if op < 0x100:
            self.op(op)
        else:
            self.op(0xFC, op - 0x100)

    def load(self, kind: int, depth: int) -> None:
        self.address(depth)
        op, align = self.rng.choice(LOADS[kind])
        self.op(op, self.rng.randrange(align + 1), self.offset())

    def store(self, kind: int) -> None:
        self.address(2)
        self.value(kind, 3)
        if kind in self.spare:
            self.no_nan(kind)
        op, align = self.rng.choice(STORES[kind])
        self.op(op, self.rng.randrange(align + 1), self.offset())

    def choice(self, kind: int, depth: int) -> None:
        self.value(kind, depth)
        self.value(kind, depth)
        self.value(I32, depth)
        if self.rng.random() < 0.5:
            self.op(0x1B)
        else:
            self.op(0x1C, 1, kind)

    def tee(self, kind: int, depth: int) -> None:
        local = self.local(kind)
        if local is None or local in self.counters:
            return self.constant(kind)
        self.value(kind, depth)
        self.op(0x22, local)
        return None

    # memory.size or memory.grow
    def memory_size(self, kind: int, depth: int) -> None:
        if kind != I32:
            return self.leaf(kind)
        if self.rng.random() < 0.4:
            self.op(0x3F, 0)
        else:
            self.i32(self.rng.choice([0, 1, 1, 2, 0x10000, 0xFFFFFFFF]))
            self.op(0x40, 0)
        return None

    # Mostly inside the memory, now and then at its end or far out.
    def address(self, depth: int) -> None:
        rng = self.rng
        pick = rng.random()
        if pick < 0.9:
            self.value(I32, depth)
            self.i32((1 << (self.memory_bytes // 2).bit_length()) // 2 - 1 & 0xFFF)
            self.op(0x71)
        elif pick < 0.97:
            end = self.memory_bytes
            self.i32(rng.choice([0, 8, 100, max(0, end - 64), max(0, end - 8), max(0, end - 1)]))
        else:
            self.value(I32, depth)

    def offset(self) -> int:
        rng = self.rng
        pick = rng.random()
        if pick < 0.8:
            return rng.randrange(0, 40)
        if pick < 0.98:
            return rng.choice([0, 200, 5000, max(0, self.memory_bytes - 4096)])
        return rng.choice([self.memory_bytes, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF])
