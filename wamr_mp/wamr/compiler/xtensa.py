"""Xtensa (ESP32, ESP32-S2 and S3): what the compiler wants, in those instructions.

The compiler's registers, 0 to 8, are a2 to a10. The others have one purpose each: a11 is scratch,
a12 the linear memory, a13 the fuel, a14 the limit (an address below it has 4 bytes in the memory),
a15 the frame (cells), a1 the C stack, on which the context's address is kept. a0 is the link
register, and a second scratch register between calls. There are no flags: a comparison is
remembered until it is used.

Executable RAM of these chips cannot be read but in aligned words. So numbers in the code are
loaded by l32r, and a table of jumps is made of jumps.
"""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.pairs import Pairs
from wamr.compiler.values import high, low
from wamr.compiler.xtensa_code import add_number, align, emit16, emit24, extui, load_number
from wamr.compiler.xtensa_code import load_word, move, ones, rs, rst, rt, s_, slli, srai, srli
from wamr.compiler.xtensa_code import ssai, st, store_word
from wamr.compiler.xtensa_stubs import stubs

_T = const(9)
_MEM = const(10)
_FUEL = const(11)
_LIMIT = const(12)
_FP = const(13)
_U = const(14)
_SP = const(15)

# Frames of up to this many bytes are checked against a soft end of the stack, by their start only.
_GUARD = const(256)

# Bytes from the C stack's pointer to the words of routines, and how many these are, but for the
# return address. Before them are MicroPython's return address and the context's address; behind
# them 16 bytes in which registers of the caller are stored if need be.
_ROUTINE = const(8)
_WORDS = const(9)

_ADD = const(0x800000)
_ADDX2 = const(0x900000)
_ADDX4 = const(0xA00000)
_SUB = const(0xC00000)
_AND = const(0x100000)
_OR = const(0x200000)
_XOR = const(0x300000)
_MULL = const(0x820000)
_MULUH = const(0xA20000)
_NEG = const(0x600000)
_MOVEQZ = const(0x830000)
_NSAU = const(0x40F000)
_SEXT = const(0x230000)
# By the shift amount: src takes 32 bits out of two registers. And what sets it.
_SRC = const(0x810000)
_SRL = const(0x910000)
_SRA = const(0xB10000)
_SLL = const(0xA10000)
_SSR = const(0x400000)
_SSL = const(0x401000)
_ADDI = const(0xC002)
_CALL0 = const(0x05)
_J = const(0x06)
_JX = const(0xA0)
_CALLX0 = const(0xC0)
_RET = const(0xF00D)
# Branches that compare registers; an opposite differs in bit 15.
_NE = const(0x9007)
_LT = const(0x2007)
_LTU = const(0x3007)
_GEU = const(0xB007)
_BBCI5 = const(0x6057)  # if bit 5 is clear
# With zero, and 12 bits for the distance; an opposite differs in bit 6.
_BEQZ = const(0x16)

# Operations and conditions, see numeric.py.
_ADD_OP = const(0)
_SUB_OP = const(1)
_MUL_OP = const(2)
_AND_OP = const(7)
_XOR_OP = const(9)
_SHL = const(10)
_SHR_S = const(11)
_SHR_U = const(12)
_ROTL = const(13)
_ROTR = const(14)
_IF_EQ = const(0)
_IF_NE = const(1)
_IF_LT_S = const(4)
_IF_LT_U = const(8)
_IF_GE_U = const(9)
_COPYSIGN = const(13)

# By operation: add sub mul div_s div_u rem_s rem_u and or xor.
_ALU = (
    0x800000, 0xC00000, 0x820000, 0xD20000, 0xC20000, 0xF20000, 0xE20000, 0x100000, 0x200000,
    0x300000,
)  # fmt: skip
# By condition, those that are not made of others: branches that compare registers, with zero (0:
# there is none), and with one of a few numbers; and moves by a comparison with zero.
_CODES = (0x1007, 0x9007, 0, 0, 0x2007, 0xA007, 0, 0, 0x3007, 0xB007)
_ZERO = (0x16, 0x56, 0, 0, 0x96, 0xD6, 0, 0, 0, 0)
_NUMBER = (0x26, 0x66, 0, 0, 0xA6, 0xE6, 0, 0, 0xB6, 0xF6)
_MOVE = (0x830000, 0x930000, 0, 0, 0xA30000, 0xB30000, 0, 0, 0, 0)
_SIGNED = (-1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256)
_UNSIGNED = (32768, 65536, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256)
# Of loads and stores from 0x28 on: l32i, l8ui, l16si, l16ui, s32i, s8i, s16i; and how much one
# shifts its offset.
_ACCESS = (
    0x2002, 0x2002, 0x2002, 0x2002, 0x0002, 0x0002, 0x9002, 0x1002, 0x0002, 0x0002, 0x9002, 0x1002,
    0x2002, 0x2002, 0x6002, 0x6002, 0x6002, 0x6002, 0x4002, 0x5002, 0x4002, 0x5002, 0x6002,
)  # fmt: skip
_SCALES = b"\2\2\2\2\0\0\1\1\0\0\1\1\2\2\2\2\2\2\0\1\0\1\2"

_len = len  # found faster as a global of this module


class Xtensa(Pairs):
    NAME = "xtensawin"
    T = _T
    GUARD = 576  # twice _GUARD, for a function and what it calls, and what the suspend stub saves
    CONVERTS = b""
    SHIFTS = True

    stubs = stubs

    def buffer(self, n):
        return bytearray(n)

    def begin(self, base, units=0):
        Pairs.begin(self, base, units)
        self.literals = {}  # numbers in the function's code -> their places

    def align(self):
        align(self.code)

    def registers(self, wide):
        return (5, b"\5\6\7\x08") if wide else (3, b"\3\4\5\6\7\x08")

    def move(self, d, s):
        move(self.code, d, s)

    def const(self, d, value):
        load_number(self.code, self.literals, d, value)

    # ---- words at a constant offset

    def load_at(self, d, base, offset):
        load_word(self.code, d, base, offset)

    def store_at(self, s, base, offset):
        store_word(self.code, s, base, offset, _T if s == _U else _U)

    def load_cell(self, d, cell):
        load_word(self.code, d, _FP, cell * 4)

    def store_cell(self, s, cell):
        store_word(self.code, s, _FP, cell * 4, _T if s == _U else _U)

    # The context's address is on the C stack.
    def load_context(self, d, offset):
        load_word(self.code, d, _SP, 4)
        load_word(self.code, d, d, offset)

    def store_context(self, s, offset):
        base = _U if s == _T else _T
        load_word(self.code, base, _SP, 4)
        store_word(self.code, s, base, offset, _T if s == _U else _U)

    # ---- arithmetic

    # (A shift looks at the lowest five bits of the amount.)
    def alu(self, op, d, a, b):
        code = self.code
        if op < _SHL:
            rst(code, _ALU[op], d, a, b)
            return
        s_(code, _SSL if op == _SHL or op == _ROTL else _SSR, b)
        if op >= _ROTL:
            rst(code, _SRC, d, a, a)
        elif op == _SHL:
            rs(code, _SLL, d, a)
        else:
            rt(code, _SRL if op == _SHR_U else _SRA, d, a)

    def alu_const(self, op, d, a, value):
        code = self.code
        if op == _ADD_OP:
            add_number(code, self.literals, d, a, value)
            return
        if op >= _SHL:
            self._shift(op, d, a, value & 31)
            return
        bits = 0
        if op == _AND_OP:
            bits = ones(value & 0xFFFFFFFF)
        elif op == _MUL_OP and value > 0:
            bits = ones(value - 1)
            if bits or value == 1:
                self._shift(_SHL, d, a, bits)
                return
        elif op == _XOR_OP and value == -1:
            rt(code, _NEG, d, a)
            add_number(code, None, d, d, -1)
            return
        if not bits:
            # (Routines count on T with small numbers, and on U with large ones.)
            t = _U if -2048 <= value < 2048 else _T
            self.const(t, value)
            rst(code, _ALU[op], d, a, t)
        elif bits <= 16:
            extui(code, d, a, 0, bits)
        else:
            self._shift(_SHL, d, a, 32 - bits)
            self._shift(_SHR_U, d, d, 32 - bits)

    def _shift(self, op, d, a, n):
        code = self.code
        if not n:
            move(code, d, a)
        elif op == _SHL:
            slli(code, d, a, n)
        elif op == _SHR_U:
            srli(code, d, a, n)
        elif op == _SHR_S:
            srai(code, d, a, n)
        else:
            ssai(code, n if op == _ROTR else 32 - n)
            rst(code, _SRC, d, a, a)

    # addx2, addx4, addx8
    def takes_shifted(self, op, shift, n):
        return op == _ADD_OP and shift == _SHL and 0 < n < 4

    # d = a op (b shifted by n)
    def alu_shifted(self, op, d, a, b, shift, n):
        rst(self.code, _ADD + (n << 20), d, b, a)

    # The same of pairs, by or or xor.
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
            rst(code, _ALU[op], dh, ah, _T)
            rst(code, _ALU[op], dl, al, _U)
        else:
            rst(code, _ALU[op], dh, ah, _U)
            move(code, dl, al)

    def divide(self, op, d, a, b, w):
        rst(self.code, _ALU[op], d, a, b)

    # clz, ctz, popcnt
    def unary(self, op, d, a):
        code = self.code
        if op == 0:
            st(code, _NSAU, a, d)
        elif op == 1:
            # The ones below the first one, counted.
            self.alu_const(_ADD_OP, _T, a, -1)
            rst(code, _OR, _U, _T, a)
            rst(code, _XOR, _U, _U, a)
            st(code, _NSAU, _U, _U)
            self.const(_T, 32)
            rst(code, _SUB, d, _T, _U)
        else:
            self._popcnt(d, a)

    # Sums of bits side by side: pairs, nibbles, bytes; then the bytes by a multiplication.
    def _popcnt(self, d, a):
        code = self.code
        srli(code, _T, a, 1)
        self.const(_U, 0x55555555)
        rst(code, _AND, _T, _T, _U)
        rst(code, _SUB, d, a, _T)
        self.const(_U, 0x33333333)
        rst(code, _AND, _T, d, _U)
        srli(code, d, d, 2)
        rst(code, _AND, d, d, _U)
        rst(code, _ADD, d, d, _T)
        srli(code, _T, d, 4)
        rst(code, _ADD, d, d, _T)
        self.const(_U, 0x0F0F0F0F)
        rst(code, _AND, d, d, _U)
        self.const(_U, 0x01010101)
        rst(code, _MULL, d, d, _U)
        srli(code, d, d, 24)

    # d = the lowest 8 or 16 bits of a with their sign
    def sign_extend(self, d, a, bits):
        rs(self.code, _SEXT | bits - 8 << 4, d, a)

    # ---- pairs

    # A sum that is less than an operand carries.
    def add_pairs(self, op, d, a, b):
        code = self.code
        al, bl, dl, dh = low(a), low(b), low(d), high(d)
        rst(code, _ALU[op], dh, high(a), high(b))
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
        skip = _len(code)
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
        self.jump_far(stub)

    # One that uses the registers below n, of which it keeps those that its callers keep locals in
    # (see registers), and some words.
    def enter_routine(self, wide, n, words=0):
        self.kept = range(self.registers(wide)[0], n)
        if words + _len(self.kept) > _WORDS:
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

    # ---- comparisons

    # What was compared: two registers, or a register and a number.
    def compare(self, condition, a, b):
        self.left = a
        self.right = b
        self.value = None
        return condition

    def compare_const(self, condition, a, value):
        self.left = a
        self.right = None
        self.value = value
        return condition

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

    # Emits the branch with no distance yet; returns its place.
    def _branch(self, condition):
        a = self.left
        b = self.right
        value = self.value
        if value is not None:
            # a <= n is a < n + 1, but for the largest n.
            if condition & 2 and value != (-1 if condition >= _IF_LT_U else 0x7FFFFFFF):
                value += 1
                condition ^= 3
            place = self._branch_number(condition, a, value)
            if place >= 0:
                return place
            b = _T
            self.const(b, value)
        if condition & 2:  # gt, le
            return self._skip(_CODES[condition ^ 2], b, a)
        return self._skip(_CODES[condition], a, b)

    # The same with a number that has a code, or with zero, which some can be made; or returns -1.
    def _branch_number(self, condition, a, value):
        code = self.code
        if condition & 2:
            return -1
        unsigned = condition >= _IF_LT_U
        numbers = _UNSIGNED if unsigned else _SIGNED
        op = _ZERO[condition]
        if value in numbers:
            op = _NUMBER[condition] | numbers.index(value) << 12
        elif unsigned and value > 0 and not value & value - 1:
            # Less than a power of two: nothing but zeros from there on.
            op = _ZERO[condition & 1]
            if value > 1:
                srli(code, _T, a, ones(value - 1))
                a = _T
        elif (
            value
            and condition <= _IF_NE
            and (-128 < value <= 128 or not value & 0xFF and -0x8000 < value < 0x8000)
        ):
            add_number(code, None, _T, a, -value)
            a = _T
        elif value or not op:
            return -1
        place = _len(code)
        s_(code, op, a)
        return place

    # The truth value.
    def set(self, condition, d):
        code = self.code
        value = self.value
        a = self.left
        t = _U if d == a or d == self.right else d
        if condition == _IF_LT_S and value == 0:
            srli(code, d, a, 31)
            return
        if condition > _IF_NE:
            self.const(t, 1)
            skip = self._branch(condition)
            self.const(t, 0)
            self._land(skip)
            move(code, d, t)
            return
        if value is None:
            rst(code, _SUB, _T, a, self.right)
            a = _T
        elif value:
            self.alu_const(_ADD_OP, _T, a, -value)
            a = _T
        if condition == _IF_EQ:
            # Nothing but 0 has 32 leading zeros.
            st(code, _NSAU, a, d)
            srli(code, d, d, 5)
        else:
            self.const(t, 1)
            rst(code, _MOVEQZ, t, a, a)
            move(code, d, t)

    # d = a if the condition holds
    def select(self, condition, d, a):
        op = _MOVE[condition] if self.value == 0 else 0
        if op:
            rst(self.code, op, d, a, self.left)
        else:
            skip = self._branch(condition ^ 1)
            self.move(d, a)
            self._land(skip)

    def select_wide(self, condition, d, a):
        skip = self._branch(condition ^ 1)
        self.move_wide(d, a)
        self._land(skip)

    # ---- branches

    # A branch over the next few instructions, up to where _land is told of it.
    def _skip(self, op, s, t):
        st(self.code, op, s, t)
        return _len(self.code) - 3

    def _land(self, place):
        self.patch(place, _len(self.code))

    # Forwards; the distance is filled in by patch. A branch that does not reach far goes over a
    # jump.
    def branch(self, condition, label):
        place = self._branch(condition)
        code = self.code
        if code[place] & 0x3F == _BEQZ and not self.far:
            label.append(place)
            return
        self._invert(place)
        self.jump(label)
        self._land(place)

    def branch_registers(self, op, a, b, label):
        skip = self._skip(op ^ 0x8000, a, b)
        self.jump(label)
        self._land(skip)

    def branch_back(self, condition, target):
        place = self._branch(condition)
        n = place - target
        if n < 120 or n < 2040 and self.code[place] & 0x3F == _BEQZ:
            self.patch(place, target)
            return
        self._invert(place)
        self.jump_back(target)
        self._land(place)

    # Makes a branch its opposite.
    def _invert(self, place):
        code = self.code
        if code[place] & 15 == 7:
            code[place + 1] ^= 0x80
        else:
            code[place] ^= 0x40

    def jump(self, label):
        label.append(_len(self.code))
        emit24(self.code, _J)

    def jump_back(self, target):
        place = _len(self.code)
        emit24(self.code, _J)
        self.patch(place, target)

    # Fills in the distance of the branch, jump or call at `place`.
    def patch(self, place, target):
        code = self.code
        kind = code[place] & 0x3F
        n = target - place - 4
        if kind == _J or kind == _CALL0:
            if kind == _CALL0:
                n = target - (place & ~3) - 4 >> 2
            if not -0x20000 <= n < 0x20000:
                raise OverflowError("a module is too large for its jumps")
            code[place] = kind | (n & 3) << 6
            code[place + 1] = n >> 2 & 0xFF
            code[place + 2] = n >> 10 & 0xFF
        elif kind == _BEQZ:
            if not -2048 <= n < 2048:
                raise OverflowError("a function is too large for its branches")
            code[place + 1] = code[place + 1] & 15 | (n & 15) << 4
            code[place + 2] = n >> 4 & 0xFF
        else:
            code[place + 2] = n & 0xFF

    # Goes to one of n cases, by a table of jumps; for anything beyond to another. Returns what
    # `case` is told.
    def jump_table(self, a, n):
        label = []
        if not n:
            return label, 0
        self.branch(self.compare_const(_IF_GE_U, a, n), label)
        code = self.code
        rst(code, _ADDX2, _T, a, a)
        behind = self.find_code()
        rst(code, _ADD, _T, _T, _U)
        st(code, _ADDI | _len(code) + 6 - behind << 16, _T, _T)
        s_(code, _JX, _T)
        base = _len(code)
        for _ in range(n):
            emit24(code, _J)
        return label, base

    # Case i of n (n itself: the other one) goes to target.
    def case(self, table, i, n, target):
        label, base = table
        if i < n:
            self.patch(base + 3 * i, target)
        elif n:
            self.patch(label[0], target)

    # Puts an address of the code into the second scratch register; returns the position there.
    def find_code(self):
        place = _len(self.code)
        emit24(self.code, _CALL0)
        align(self.code)
        self._land(place)
        return place + 3

    # ---- linear memory

    # Traps unless `extent` bytes from the address in register a (None: from 0) are inside.
    # Accesses of fewer than 4 bytes near the end are looked at more closely, out of the way.
    def check(self, a, extent, traps, exact):
        k = extent - 4
        if extent > 0xFFFFFFFF:
            self.jump(traps)  # beyond any memory; what follows is never reached
        elif a is None:
            if extent > self.guaranteed:
                self.load_context(_U, context.MEMORY_SIZE)
                self.const(_T, extent)
                self.branch_registers(_LTU, _U, _T, traps)
        elif k == 0:
            self.branch_registers(_GEU, a, _LIMIT, traps)
        elif k < 0:
            slow = []
            self.branch_registers(_GEU, a, _LIMIT, slow)
            exact.append(slow[0] << 7 | extent << 5 | a)
        elif extent <= self.guaranteed:
            self.alu_const(_ADD_OP, _T, _LIMIT, -k)
            self.branch_registers(_GEU, a, _T, traps)
        else:
            self.alu_const(_ADD_OP, _T, a, k)
            self.branch_registers(_LTU, _T, a, traps)
            self.branch_registers(_GEU, _T, _LIMIT, traps)

    def check_exact(self, note, stubs):
        place = note >> 7
        self.patch(place, self.here())
        self.move(_T, note & 31)
        self.call_stub(stubs[context.EXACT + (note >> 5 & 3)])
        self.jump_back(place + 3)

    # Base register and offset of a checked access to `size` bytes, in units of 1 << scale.
    def _address(self, a, offset, size, scale):
        code = self.code
        offset &= 0xFFFFFFFF
        base = _MEM
        if a is not None:
            rst(code, _ADD, _T, _MEM, a)
            base = _T
        unit = 1 << scale
        last = 255 * unit - size + unit  # the largest offset of an instruction
        if offset <= last and not offset & unit - 1:
            return base, offset
        rest = offset & 0xFF
        if rest & unit - 1 or rest > last:
            rest = 0
        if offset < 0x7F00:
            add_number(code, None, _T, base, offset - rest)
        else:
            self.const(_U, offset - rest)
            rst(code, _ADD, _T, base, _U)
        return _T, rest

    # The access by instruction `op` (0x28…), an offset from the address in register a (None: 0).
    def load(self, op, d, a, offset):
        code = self.code
        both = op == 0x29 or op == 0x2B
        scale = _SCALES[op - 0x28]
        base, offset = self._address(a, offset, 8 if both else 1 << scale, scale)
        lo = low(d)
        if scale == 2:
            load_word(code, lo, base, offset)
        else:
            st(code, _ACCESS[op - 0x28] | offset >> scale << 16, base, lo)
        if op == 0x2C or op == 0x30:
            self.sign_extend(lo, lo, 8)
        if both:
            load_word(code, high(d), base, offset + 4)
        elif d > 0xFF:
            if op & 1:
                self.const(high(d), 0)
            else:
                srai(code, high(d), lo, 31)

    def store(self, op, s, a, offset):
        code = self.code
        both = op == 0x37 or op == 0x39
        scale = _SCALES[op - 0x28]
        base, offset = self._address(a, offset, 8 if both else 1 << scale, scale)
        if scale == 2:
            store_word(code, low(s), base, offset, _U)
        else:
            st(code, _ACCESS[op - 0x28] | offset >> scale << 16, base, low(s))
        if both:
            store_word(code, high(s), base, offset + 4, _U)

    # ---- floating point

    def does_float(self, op, w):
        return op < 2 or op == _COPYSIGN

    # abs, neg
    def float_unary(self, op, d, a, w):
        if w:
            self.move(low(d), low(a))
            d = high(d)
            a = high(a)
        if op:
            self.alu_const(_XOR_OP, d, a, -1 << 31)
        else:
            slli(self.code, d, a, 1)
            srli(self.code, d, d, 1)

    # copysign: the other bits, with another one on top of them.
    def float_binary(self, op, d, a, b, w):
        if w:
            self.move(low(d), low(a))
            d = high(d)
            a = high(a)
            b = high(b)
        code = self.code
        srli(code, _U, b, 31)
        slli(code, d, a, 1)
        ssai(code, 1)
        rst(code, _SRC, d, _U, d)

    # ---- calls

    def _frame(self, cells):
        self.alu_const(_ADD_OP, _FP, _FP, cells * 4)

    # Calls the function at an offset, or one that is not known yet (-1), with its frame that many
    # cells up; returns the place of the call.
    def call(self, target, cells):
        self._frame(cells)
        place = self._far(_CALL0, target)
        self.site()
        self._frame(-cells)
        return place

    def call_stub(self, target):
        self._far(_CALL0, target)
        self.site()

    def call_routine(self, target):
        return self.call(target, 0)

    def jump_far(self, target):
        return self._far(_J, target)

    def _far(self, op, target):
        place = _len(self.code)
        emit24(self.code, op)
        if target >= 0:
            self.patch(place, target - self.base)
        return place

    # A jump to where code traps becomes the call itself; a branch needs one elsewhere.
    def trap_exits(self, places, stub, about):
        code = self.code
        for i, place in enumerate(places):
            if self.sites is not None:
                self.about = about[i]
            if code[place] & 0x3F == _J:
                code[place] = _CALL0
                self.patch(place, stub - self.base)
                if self.sites is not None:
                    self.sites[self.base + place + 3] = self.about
            else:
                self.patch(place, _len(code))
                self.call_stub(stub)

    def call_scratch(self):
        s_(self.code, _CALLX0, _T)
        self.site()

    # Leaves the function's entry in the second scratch register.
    def find_entry(self, a, table, length, number, undefined, mismatch):
        at = context.TABLES + 16 * table
        if length is None:
            self.load_context(_U, at + 8)
            self.branch_registers(_GEU, a, _U, undefined)
        else:
            self.branch(self.compare_const(_IF_GE_U, a, length), undefined)
        self.load_context(_U, at)
        rst(self.code, _ADDX4, _U, a, _U)
        load_word(self.code, _U, _U, 0)
        load_word(self.code, _T, _U, 0)
        self.alu_const(_ADD_OP, _T, _T, -number)
        self.branch(self.compare_const(_IF_NE, _T, 0), mismatch)

    def call_entry(self, cells):
        self._frame(cells)
        load_word(self.code, _T, _U, 8)
        self.call_scratch()
        self._frame(-cells)

    # Behind replace_frame.
    def jump_entry(self):
        load_word(self.code, _T, 2, 8)
        s_(self.code, _JX, _T)

    # The return address is in the link register still.
    def check_stack(self, cells, traps):
        frame = _FP
        if cells * 4 > _GUARD:
            self.const(0, cells * 4 - _GUARD)
            rst(self.code, _ADD, 0, 0, _FP)
            frame = 0
        elif self.is_leaf:
            return
        self.load_context(_T, context.STACK_END)
        self.branch_registers(_LTU, _T, frame, traps)

    def enter_function(self, cell):
        self.store_cell(_U, cell)

    def leave_function(self, cell):
        self.load_cell(_U, cell)
        emit16(self.code, _RET)

    def leave_with(self, cell, source, n):
        self.replace_frame(cell, source, n)
        emit16(self.code, _RET)

    # What find_entry found goes to register 2, and the return address to the link register.
    def replace_frame(self, cell, source, n):
        self.load_cell(0, cell)
        for i in range(n):
            self.load_cell(1, source + i)
            store_word(self.code, 1, _FP, i * 4, _T)
        move(self.code, 2, _U)
        move(self.code, _U, 0)

    # A jump over what burn_fuel makes.
    def skip_fuel(self):
        emit24(self.code, _J | (7 if self.far else 4) << 6)

    def burn_fuel(self, label):
        self.alu_const(_ADD_OP, _FUEL, _FUEL, -1)
        self.branch(self.compare_const(_IF_LT_S, _FUEL, 0), label)

    def leave(self, stub, arg0=None, arg1=None):
        if arg0 is not None:
            self.const(0, arg0)
            self.const(1, arg1)
        self.call_stub(stub)
