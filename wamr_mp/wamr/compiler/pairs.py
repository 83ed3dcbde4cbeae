"""64-bit integer instructions for targets whose registers hold 32 bits.

A value of 64 bits is a pair of registers (values.pair). The pair of a result is that of an
operand, or shares no register with any; only where the other value has 32 bits may it contain that
one's register. The target gives the instructions on single registers; T is its scratch register.
"""

from .assembler import Assembler
from .values import high, low


class Pairs(Assembler):
    WIDE = False

    # ---- moves

    def move(self, d, s):
        if d < 0x10000:
            self.mov(d, s)
        else:
            self.mov(low(d), low(s))
            self.mov(high(d), high(s))

    def const(self, d, value, w):
        if w:
            self.imm(low(d), value & 0xFFFFFFFF)
            self.imm(high(d), value >> 32)
        else:
            self.imm(d, value)

    def load_cell(self, d, cell, w):
        if w:
            self.load_frame(low(d), cell * 4)
            self.load_frame(high(d), cell * 4 + 4)
        else:
            self.load_frame(d, cell * 4)

    def store_cell(self, s, cell, w):
        if w:
            self.store_frame(low(s), cell * 4)
            self.store_frame(high(s), cell * 4 + 4)
        else:
            self.store_frame(s, cell * 4)

    def store_cell_const(self, value, cell, w):
        self.imm(self.T, value & 0xFFFFFFFF)
        self.store_frame(self.T, cell * 4)
        if w:
            if value >> 32 != value & 0xFFFFFFFF:
                self.imm(self.T, value >> 32)
            self.store_frame(self.T, cell * 4 + 4)

    def load_ctx(self, d, offset, w):
        if w:
            self.load_context(low(d), offset)
            self.load_context(high(d), offset + 4)
        else:
            self.load_context(d, offset)

    def store_ctx(self, s, offset, w):
        if w:
            self.store_context(low(s), offset)
            self.store_context(high(s), offset + 4)
        else:
            self.store_context(s, offset)

    def load_far(self, d, offset, w):
        self.load_context(self.T, offset)
        if w:
            self.load_at(low(d), self.T, 0)
            self.load_at(high(d), self.T, 4)
        else:
            self.load_at(d, self.T, 0)

    def store_far(self, s, offset, w):
        self.load_context(self.T, offset)
        if w:
            self.store_at(low(s), self.T, 0)
            self.store_at(high(s), self.T, 4)
        else:
            self.store_at(s, self.T, 0)

    # Through the scratch register: a lower target may overlap its source.
    def copy_cells(self, target, source, n):
        for i in range(n):
            self.load_frame(self.T, (source + i) * 4)
            self.store_frame(self.T, (target + i) * 4)

    # ---- arithmetic

    def takes_cell(self, op):
        return False

    def alu(self, op, d, a, b, w):
        if not w:
            self.alu32(op, d, a, b)
        elif op == "add" or op == "sub":
            self.add_pairs(op, d, a, b)
        elif op == "mul":
            self.mul_pairs(d, a, b)
        else:
            self.alu32(op, low(d), low(a), low(b))
            self.alu32(op, high(d), high(a), high(b))

    def fits(self, op, value, w):
        if not w:
            return self.fits32(op, value)
        if op in ("shl", "shr_u", "shr_s", "rotl", "rotr"):
            return True
        if op == "mul":
            return False
        return self.fits_pairs(op, value & 0xFFFFFFFF, value >> 32)

    def alu_const(self, op, d, a, value, w):
        if not w:
            self.alu32_const(op, d, a, value)
        elif op == "add":
            self.add_pairs_const(d, a, value & 0xFFFFFFFF, value >> 32)
        elif op in ("and", "or", "xor"):
            self.alu32_const(op, low(d), low(a), value & 0xFFFFFFFF)
            self.alu32_const(op, high(d), high(a), value >> 32)
        else:
            self._shift_const(op, d, a, value & 63)

    # Shifts by a constant are made of shifts of the two words.
    def _shift_const(self, op, d, a, n):
        al, ah, dl, dh = low(a), high(a), low(d), high(d)
        if op == "rotr":
            op = "rotl"
            n = -n & 63
        if n == 0:
            self.move(d, a)
        elif op == "rotl":
            self.mov(self.T, ah)
            if n < 32:
                self.shift(dh, "shl", ah, n)
                self.or_shifted(dh, dh, "shr_u", al, 32 - n)
                self.shift(dl, "shl", al, n)
                self.or_shifted(dl, dl, "shr_u", self.T, 32 - n)
            elif n == 32:
                self.mov(dh, al)
                self.mov(dl, self.T)
            else:
                self.shift(dh, "shl", al, n - 32)
                self.or_shifted(dh, dh, "shr_u", self.T, 64 - n)
                self.shift(dl, "shr_u", al, 64 - n)
                self.or_shifted(dl, dl, "shl", self.T, n - 32)
        elif op == "shl":
            if n < 32:
                self.shift(dh, "shl", ah, n)
                self.or_shifted(dh, dh, "shr_u", al, 32 - n)
                self.shift(dl, "shl", al, n)
            else:
                self.shift(dh, "shl", al, n - 32)
                self.imm(dl, 0)
        elif n < 32:
            self.shift(dl, "shr_u", al, n)
            self.or_shifted(dl, dl, "shl", ah, 32 - n)
            self.shift(dh, op, ah, n)
        else:
            self.shift(dl, op, ah, n - 32)
            if op == "shr_s":
                self.shift(dh, op, ah, 31)
            else:
                self.imm(dh, 0)

    def shift(self, d, op, a, n):
        if n:
            self.alu32_const(op, d, a, n)
        else:
            self.mov(d, a)

    def unary(self, op, d, a, w):
        if d < 0x10000:
            # i32.wrap_i64 and the instructions on 32 bits
            if op == "wrap":
                self.mov(d, low(a))
            else:
                self.unary32(op, d, a)
            return
        if op == "wrap":  # i64.extend_i32_u
            self.mov(low(d), a)
            self.imm(high(d), 0)
            return
        if op == "extend32_s":
            self.mov(low(d), low(a))
        else:
            self.unary32(op, low(d), low(a))
        self.alu32_const("shr_s", high(d), low(d), 31)

    # ---- comparisons

    def compare(self, condition, a, b, w):
        if w:
            return self.compare_pairs(condition, a, b)
        return self.compare32(condition, a, b)

    # Pairs are only compared with zero, for equality: see Function._compare.
    def compare_const(self, condition, a, value, w):
        if w:
            return self.compare_zero(condition, a)
        return self.compare32_const(condition, a, value)
