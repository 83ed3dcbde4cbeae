"""Xtensa: instructions on 64 bits, and what routines need."""

from wamr.host import const
from wamr.compiler.pairs import Pairs
from wamr.compiler.values import high, low
from wamr.compiler.xtensa_code import add_number, align, emit16, extui, load_word, move, rs
from wamr.compiler.xtensa_code import rst, rt, s_, slli, srai, srli, ssai, store_word

_T = const(9)
_U = const(14)
_SP = const(15)

# Bytes from the C stack's pointer to the words of routines, and how many these are, but for the
# return address. Before them are MicroPython's return address and the context's address; behind
# them 16 bytes in which registers of the caller are stored if need be.
_ROUTINE = const(8)
_WORDS = const(9)

_ADD = const(0x800000)
_SUB = const(0xC00000)
_OR = const(0x200000)
_XOR = const(0x300000)
_MULL = const(0x820000)
_MULUH = const(0xA20000)
_SRC = const(0x810000)
_SRL = const(0x910000)
_SRA = const(0xB10000)
_SLL = const(0xA10000)
_SSR = const(0x400000)
_SSL = const(0x401000)
_RET = const(0xF00D)
_NE = const(0x9007)
_LT = const(0x2007)
_LTU = const(0x3007)
_GEU = const(0xB007)
_BBCI5 = const(0x6057)  # if bit 5 is clear
_ADD_OP = const(0)
_SUB_OP = const(1)
_SHL = const(10)
_SHR_S = const(11)
_SHR_U = const(12)
_ROTL = const(13)
_ROTR = const(14)
_IF_EQ = const(0)
_IF_NE = const(1)
_IF_LT_U = const(8)

# By operation: add sub mul div_s div_u rem_s rem_u and or xor.
ALU = (
    0x800000, 0xC00000, 0x820000, 0xD20000, 0xC20000, 0xF20000, 0xE20000, 0x100000, 0x200000,
    0x300000,
)  # fmt: skip


class Wide(Pairs):
    # d = a op (b shifted by n), by or or xor.
    def shift_into(self, op, d, a, b, shift, n):
        code = self.code
        al, ah, bl, bh, dl, dh = low(a), high(a), low(b), high(b), low(d), high(d)
        if not n:
            self.alu_wide(op, d, a, b)
            return
        if n < 32:
            ssai(code, 32 - n if shift == _SHL else n)
            rst(code, _SRC, _T, bh, bl)
        if shift == _SHR_U:  # the same with low and high exchanged
            al, ah, bl, bh, dl, dh = ah, al, bh, bl, dh, dl
        self._shift(shift, _U, bl, n & 31)
        if n < 32:
            rst(code, ALU[op], dh, ah, _T)
            rst(code, ALU[op], dl, al, _U)
        else:
            rst(code, ALU[op], dh, ah, _U)
            move(code, dl, al)

    # A sum that is less than an operand carries.
    def add_pairs(self, op, d, a, b):
        code = self.code
        al, bl, dl, dh = low(a), low(b), low(d), high(d)
        rst(code, ALU[op], dh, high(a), high(b))
        if op == _SUB_OP:
            skip = self._skip(_GEU, al, bl)
            self.alu_const(_ADD_OP, dh, dh, -1)
            self._land(skip)
            rst(code, _SUB, dl, al, bl)
        elif dl == al and dl == bl:
            srli(code, _T, al, 31)
            rst(code, _ADD, dh, dh, _T)
            rst(code, _ADD, dl, al, bl)
        else:
            rst(code, _ADD, dl, al, bl)
            skip = self._skip(_GEU, dl, bl if dl == al else al)
            self.alu_const(_ADD_OP, dh, dh, 1)
            self._land(skip)

    # (A large upper word needs the scratch register.)
    def fits_pairs(self, lo, hi):
        return -128 <= hi < 128

    def add_pairs_const(self, d, a, lo, hi):
        self.alu_const(_ADD_OP, high(d), high(a), hi)
        if not lo:
            self.move(low(d), low(a))
            return
        self.const(_T, lo)
        rst(self.code, _ADD, low(d), low(a), _T)
        skip = self._skip(_GEU, low(d), _T)
        self.alu_const(_ADD_OP, high(d), high(d), 1)
        self._land(skip)

    def mul_pairs(self, d, a, b):
        code = self.code
        rst(code, _MULL, _T, high(a), low(b))
        rst(code, _MULL, _U, low(a), high(b))
        rst(code, _ADD, _T, _T, _U)
        rst(code, _MULUH, _U, low(a), low(b))
        rst(code, _MULL, low(d), low(a), low(b))
        rst(code, _ADD, high(d), _T, _U)

    def _shift_const(self, op, d, a, n):
        code = self.code
        al, ah, dl, dh = low(a), high(a), low(d), high(d)
        if op == _ROTR:
            op = _ROTL
            n = -n & 63
        if n == 0:
            self.move_wide(d, a)
        elif op == _ROTL:
            if n > 31:
                al, ah = ah, al
            if n == 32:
                move(code, _T, ah)
                move(code, dl, al)
            else:
                ssai(code, 32 - (n & 31))
                rst(code, _SRC, _T, ah, al)
                rst(code, _SRC, dl, al, ah)
            move(code, dh, _T)
        elif n >= 32:
            if op == _SHL:
                dl, dh = dh, dl
                ah = al
            self._shift(op, dl, ah, n - 32)
            if op == _SHR_S:
                srai(code, dh, ah, 31)
            else:
                self.const(dh, 0)
        elif op == _SHL:
            ssai(code, 32 - n)
            rst(code, _SRC, dh, ah, al)
            slli(code, dl, al, n)
        else:
            ssai(code, n)
            rst(code, _SRC, dl, ah, al)
            self._shift(op, dh, ah, n)

    # Shifts by a variable amount, of which bit 5 says that one word goes to the other: s is a
    # register of its own for this.
    def shift_pairs(self, op, d, a, b, s):
        code = self.code
        al, ah, dl, dh = low(a), high(a), low(d), high(d)
        if dl == low(b):
            move(code, s, dl)
        else:
            s = low(b)
        s_(code, _SSL if op == _SHL else _SSR, s)
        if op == _SHL:
            rst(code, _SRC, dh, ah, al)
            rs(code, _SLL, dl, al)
            dl, dh = dh, dl
        else:
            rst(code, _SRC, dl, ah, al)
            rt(code, _SRL if op == _SHR_U else _SRA, dh, ah)
        skip = len(code)
        s_(code, _BBCI5, s)
        move(code, dl, dh)
        if op == _SHR_S:
            srai(code, dh, dh, 31)
        else:
            self.const(dh, 0)
        self._land(skip)

    # ---- what routines need besides

    # (In line, this is done otherwise: see _shift_const.)
    def or_shifted(self, d, a, op, s, n):
        self._shift(op, _U, s, n)
        rst(self.code, _OR, d, a, _U)

    # d = n bits of a, from bit `start` on.
    def bits(self, d, a, start, n):
        if n <= 16:
            extui(self.code, d, a, start, n)
            return
        self._shift(_SHL, d, a, 32 - start - n)
        self._shift(_SHR_U, d, d, 32 - n)

    # Shift by a register that holds less than 32.
    def shift_by(self, op, d, a, n):
        self.alu(op, d, a, n)

    # hi:lo = a * b, or plus that.
    def umull(self, lo, hi, a, b):
        code = self.code
        rst(code, _MULUH, _T, a, b)
        rst(code, _MULL, lo, a, b)
        move(code, hi, _T)

    def umlal(self, lo, hi, a, b):
        code = self.code
        rst(code, _MULL, _T, a, b)
        rst(code, _MULUH, _U, a, b)
        rst(code, _ADD, lo, lo, _T)
        rst(code, _ADD, hi, hi, _U)
        skip = self._skip(_GEU, lo, _T)
        add_number(code, None, hi, hi, 1)
        self._land(skip)

    # hi:lo >>= n (op: by shr_u or shr_s) for n < 32; out: what is shifted out, from the top.
    def shift_out(self, op, hi, lo, out, n):
        code = self.code
        s_(code, _SSR, n)
        self.const(_T, 0)
        rst(code, _SRC, out, lo, _T)
        rst(code, _SRC, lo, hi, lo)
        rt(code, _SRL if op == _SHR_U else _SRA, hi, hi)

    # hi:lo <<= n for n < 32, filled with the top of `fill`, which is shifted too.
    def shift_in(self, hi, lo, fill, n, s):
        code = self.code
        s_(code, _SSL, n)
        rst(code, _SRC, hi, hi, lo)
        rst(code, _SRC, lo, lo, fill)
        rs(code, _SLL, fill, fill)

    # The C stack must not move, see xtensa_stubs.py: what a routine has there is in words of the
    # frame it was entered with. First of all the return address, as a0 is scratch.
    def routine(self):
        align(self.code)
        offset = Pairs.routine(self)
        store_word(self.code, _U, _SP, _ROUTINE, _T)
        return offset

    def trap_routine(self, stub):
        load_word(self.code, _U, _SP, _ROUTINE)
        return self.jump_far(stub)

    # One that uses the registers below n, of which it keeps those that its callers keep locals in
    # (see registers), and some words.
    def enter_routine(self, wide, n, words=0):
        self.kept = range(self.registers(wide)[0], n)
        if words + len(self.kept) > _WORDS:
            raise OverflowError("no room for a routine's words")
        self.words = words
        for i, r in enumerate(self.kept):
            self.store_word(r, words + i)

    def leave_routine(self):
        for i, r in enumerate(self.kept):
            self.load_word(r, self.words + i)
        load_word(self.code, _U, _SP, _ROUTINE)
        emit16(self.code, _RET)

    def store_word(self, s, i):
        store_word(self.code, s, _SP, _ROUTINE + 4 + 4 * i, _U)

    def load_word(self, d, i):
        load_word(self.code, d, _SP, _ROUTINE + 4 + 4 * i)

    def compare_wide(self, condition, a, b):
        code = self.code
        if condition <= _IF_NE:
            rst(code, _XOR, _T, low(a), low(b))
            rst(code, _XOR, _U, high(a), high(b))
            rst(code, _OR, _T, _T, _U)
            return self.compare_const(condition, _T, 0)
        if condition & 2:  # gt, le
            condition ^= 2
            a, b = b, a
        # Whether a < b.
        self.const(_T, 1)
        less = self._skip(_LT if condition < _IF_LT_U else _LTU, high(a), high(b))
        differ = self._skip(_NE, high(a), high(b))
        less_too = self._skip(_LTU, low(a), low(b))
        self._land(differ)
        self.const(_T, 0)
        self._land(less)
        self._land(less_too)
        return self.compare_const(_IF_EQ if condition & 1 else _IF_NE, _T, 0)

    # With zero, for equality.
    def compare_const_wide(self, condition, a, value):
        rst(self.code, _OR, _T, low(a), high(a))
        return self.compare_const(condition, _T, 0)

    def select_wide(self, condition, d, a):
        skip = self._branch(condition ^ 1)
        self.move_wide(d, a)
        self._land(skip)
