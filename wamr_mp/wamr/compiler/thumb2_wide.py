"""Thumb-2 encodings of what takes several instructions: on 64 bits, and for routines."""

from wamr.host import const
from wamr.compiler.pairs import Pairs
from wamr.compiler.values import high, low

_IP = const(12)
_SP = const(13)
_OR = const(8)
_SHL = const(10)
_SHR_S = const(11)
_SHR_U = const(12)
_NE = const(1)
_SHIFTS = b"\x00\x02\x01\x03\x03"


# The 12 bits i:imm3:imm8 of a modified immediate, or -1.
def modified(value):
    if value < 0x100:
        return value
    n = 1 if value < 0x10000 else 9 if value < 0x1000000 else 17
    bits = value >> n
    while bits > 0xFF:
        bits >>= 1
        n += 1
    if bits << n == value:
        return 32 - n << 7 | bits & 0x7F
    half = value & 0xFFFF
    if value >> 16 != half:
        return -1
    bits = half & 0xFF
    if half == bits:
        return 0x100 | bits
    if half == bits * 0x101:
        return 0x300 | bits
    return -1 if bits else 0x200 | half >> 8


class Wide(Pairs):
    def add_pairs(self, op, d, a, b):
        if low(d) | low(a) | low(b) < 8:
            self.code.append(0x1800 | op << 9 | low(b) << 6 | low(a) << 3 | low(d))
        else:
            self._32((0xEBB0 if op else 0xEB10) | low(a), low(d) << 8 | low(b))
        self._32((0xEB60 if op else 0xEB40) | high(a), high(d) << 8 | high(b))

    def fits_pairs(self, lo, hi):
        return modified(lo & 0xFFFFFFFF) >= 0 and modified(hi & 0xFFFFFFFF) >= 0

    def add_pairs_const(self, d, a, lo, hi):
        self._immediate(0xF110 | low(a), low(d), modified(lo & 0xFFFFFFFF))
        self._immediate(0xF140 | high(a), high(d), modified(hi & 0xFFFFFFFF))

    def mul_pairs(self, d, a, b):
        self._32(0xFB00 | low(a), 0xF000 | _IP << 8 | high(b))
        self._32(0xFB00 | high(a), _IP << 12 | _IP << 8 | low(b))
        self._32(0xFBA0 | low(a), low(d) << 12 | high(d) << 8 | low(b))
        self._32(0xEB00 | high(d), high(d) << 8 | _IP)

    # Shifts by a variable amount: s is a register of its own for this. A machine shift looks at
    # the lowest byte of the amount, so that one by 32 - n or n - 32 gives 0 when that is out of
    # range.
    def shift_pairs(self, op, d, a, b, s):
        self._immediate(0xF000 | low(b), s, 63)  # and s, b, #63
        al, ah, dl, dh = low(a), high(a), low(d), high(d)
        if op == _SHL:
            left, right, x, y, dx, dy = 0, 1, ah, al, dh, dl
        else:
            left, right, x, y, dx, dy = 1, 0, al, ah, dl, dh
        # dx = x << s | y >> (32 - s) | y << (s - 32); dy = y << s (left and right as op says)
        self._shift_by(left, dx, x, s)
        self._immediate(0xF1C0 | s, _IP, 32)  # rsb ip, s, #32
        self._shift_by(right, _IP, y, _IP)
        self._32(0xEA40 | dx, dx << 8 | _IP)
        self._immediate(0xF1B0 | s, _IP, 32)  # subs ip, s, #32
        if op == _SHR_S:
            # The sign must not come in for amounts below 32.
            self.code.append(0xBF5C)  # itt pl
            self._shift_by(2, _IP, y, _IP)
            self._32(0xEA40 | dx, dx << 8 | _IP)
            self._shift_by(2, dy, y, s)
        else:
            self._shift_by(left, _IP, y, _IP)
            self._32(0xEA40 | dx, dx << 8 | _IP)
            self._shift_by(left, dy, y, s)

    def _shift_by(self, kind, d, a, s):
        self._32(0xFA00 | kind << 5 | a, 0xF000 | d << 8 | s)

    # ---- what routines need besides

    # d = n bits of a, from bit `start` on.
    def bits(self, d, a, start, n):
        self._32(0xF3C0 | a, start >> 2 << 12 | d << 8 | (start & 3) << 6 | n - 1)

    # Shift by a register that holds less than 32.
    def shift_by(self, op, d, a, n):
        self._shift_by(_SHIFTS[op - _SHL], d, a, n)

    # hi:lo = a * b, or plus that.
    def umull(self, lo, hi, a, b):
        self._32(0xFBA0 | a, lo << 12 | hi << 8 | b)

    def umlal(self, lo, hi, a, b):
        self._32(0xFBE0 | a, lo << 12 | hi << 8 | b)

    # hi:lo >>= n (op: by shr_u or shr_s) for n < 32; out: what is shifted out, from the top.
    def shift_out(self, op, hi, lo, out, n):
        self._immediate(0xF1C0 | n, _IP, 32)  # rsb ip, n, #32
        self._shift_by(0, out, lo, _IP)
        self._shift_by(1, lo, lo, n)
        self._shift_by(0, _IP, hi, _IP)
        self._32(0xEA40 | lo, lo << 8 | _IP)
        self.shift_by(op, hi, hi, n)

    # hi:lo <<= n for n < 32, filled with the top of `fill`, which is shifted too; s is scratch.
    def shift_in(self, hi, lo, fill, n, s):
        self._immediate(0xF1C0 | n, _IP, 32)  # rsb ip, n, #32
        self._shift_by(0, hi, hi, n)
        self._shift_by(1, s, lo, _IP)
        self.alu(_OR, hi, hi, s)
        self._shift_by(0, lo, lo, n)
        self._shift_by(1, s, fill, _IP)
        self.alu(_OR, lo, lo, s)
        self._shift_by(0, fill, fill, n)

    # A routine that uses the registers below n, of which it keeps those that its callers keep
    # locals in (see registers), and words on the stack.
    def enter_routine(self, wide, n, words=0):
        kept = self.registers(wide)[0]
        self.kept = (1 << n) - 1 & -1 << kept
        self.words = words
        if self.kept or words:
            self.code.append(0xB500 | self.kept)  # push {.., lr}
            if words:
                self.code.append(0xB080 | words)  # sub sp, #

    def leave_routine(self):
        if self.words:
            self.code.append(0xB000 | self.words)  # add sp, #
        if self.kept or self.words:
            self.code.append(0xBD00 | self.kept)  # pop {.., pc}
        else:
            self.code.append(0x4770)  # bx lr

    def store_word(self, s, i):
        self.store_at(s, _SP, 4 * i)

    def load_word(self, d, i):
        self.load_at(d, _SP, 4 * i)

    # ---- comparisons

    def compare_wide(self, condition, a, b):
        if condition <= _NE:
            self.compare(condition, low(a), low(b))
            self.code.append(0xBF08)  # it eq
            return self.compare(condition, high(a), high(b))
        if condition & 2:  # gt, le
            condition ^= 2
            a, b = b, a
        self.compare(condition, low(a), low(b))
        self._32(0xEB70 | high(a), _IP << 8 | high(b))  # sbcs ip, ah, bh
        return condition

    # With zero, for equality.
    def compare_const_wide(self, condition, a, value):
        self._32(0xEA50 | low(a), _IP << 8 | high(a))  # orrs ip, al, ah
        return condition

    # ---- others

    # The same of pairs, by or or xor.
    def shift_into(self, op, d, a, b, shift, n):
        al, ah, bl, bh, dl, dh = low(a), high(a), low(b), high(b), low(d), high(d)
        back = _SHR_U
        if shift == _SHR_U:  # the same with low and high exchanged
            al, ah, bl, bh, dl, dh = ah, al, bh, bl, dh, dl
            back = _SHL
        if n > 31:
            if n == 32:
                self.alu(op, dh, ah, bl)
            else:
                self.alu_shifted(op, dh, ah, bl, shift, n - 32)
            self.move(dl, al)
            return
        if n:
            self.alu_shifted(op, dh, ah, bh, shift, n)
            self.alu_shifted(op, dh, dh, bl, back, 32 - n)
            self.alu_shifted(op, dl, al, bl, shift, n)
        else:
            self.alu_wide(op, d, a, b)

    # Sums of bits side by side: pairs, nibbles, bytes; then the bytes by a multiplication.
    def _popcnt(self, d, a):
        self._32(0xEA4F, 0x0050 | _IP << 8 | a)  # lsr ip, a, #1
        self._immediate(0xF000 | _IP, _IP, 0x355)  # and ip, ip, #0x55555555
        self._32(0xEBA0 | a, d << 8 | _IP)  # sub d, a, ip
        self._immediate(0xF000 | d, _IP, 0x333)  # and ip, d, #0x33333333
        self._32(0xEA4F, 0x0090 | d << 8 | d)  # lsr d, d, #2
        self._immediate(0xF000 | d, d, 0x333)
        self._32(0xEB00 | d, d << 8 | _IP)  # add d, d, ip
        self._32(0xEB00 | d, 0x1010 | d << 8 | d)  # add d, d, d, lsr #4
        self._immediate(0xF000 | d, d, 0x30F)  # and d, d, #0x0f0f0f0f
        self._immediate(0xF04F, _IP, 0x301)  # mov ip, #0x01010101
        self._32(0xFB00 | d, 0xF000 | d << 8 | _IP)
        self._32(0xEA4F, 0x6010 | d << 8 | d)  # lsr d, d, #24

    # ---- floating point

    def does_float(self, op, w):
        return op < 2 or op == 13

    # abs, neg
    def float_unary(self, op, d, a, w):
        if w:
            self.move(low(d), low(a))
            d = high(d)
            a = high(a)
        self._immediate((0xF080 if op else 0xF020) | a, d, 0x400)

    # copysign
    def float_binary(self, op, d, a, b, w):
        if w:
            self.move(low(d), low(a))
            b = high(b)
            d = high(d)
            a = high(a)
        self._immediate(0xF000 | b, _IP, 0x400)  # and ip, b, #0x80000000
        self._immediate(0xF020 | a, d, 0x400)
        self._32(0xEA40 | d, d << 8 | _IP)
