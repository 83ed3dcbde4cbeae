"""RV32 encodings of what takes several instructions: on 64 bits, and for routines."""

from wamr.host import const
from wamr.compiler.pairs import Pairs
from wamr.compiler.values import high, low

_U = const(19)
_V = const(20)
_ZERO = const(21)
_RA = const(22)
_SP = const(23)
_T = const(31)
_ADD = const(0x000033)
_SUB = const(0x200033)
_SLL = const(0x001033)
_SLT = const(0x002033)
_SLTU = const(0x003033)
_XOR = const(0x004033)
_SRL = const(0x005033)
_OR = const(0x006033)
_MUL = const(0x010033)
_MULHU = const(0x013033)
_ADDI = const(0x0013)
_SLTIU = const(0x3013)
_XORI = const(0x4013)
_LW = const(0x2003)
_SW = const(0x2023)
_JALR = const(0x0067)
_LUI = const(0x37)
_ADD_OP = const(0)
_SHL = const(10)
_SHR_S = const(11)
_EQ = const(0)
_NE = const(1)
_LT_U = const(8)

# By operation, see numeric.py: add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u.
ALU = (
    0x000033, 0x200033, 0x010033, 0x014033, 0x015033, 0x016033, 0x017033, 0x007033, 0x006033,
    0x004033, 0x001033, 0x205033, 0x005033,
)  # fmt: skip


# Whether an instruction holds this number.
def short(value):
    return -0x800 <= value < 0x800


class Wide(Pairs):
    # The carry of a sum is what makes it less than either operand.
    def add_pairs(self, op, d, a, b):
        al, bl, dl, dh = low(a), low(b), low(d), high(d)
        if op:
            self._r(_SLTU, _T, al, bl)
            self._r(_SUB, dl, al, bl)
        elif dl == al and dl == bl:
            self._i(0x5013, _T, al, 31)
            self._r(_ADD, dl, al, bl)
        else:
            self._r(_ADD, dl, al, bl)
            self._r(_SLTU, _T, dl, bl if dl == al else al)
        self._r(ALU[op], dh, high(a), high(b))
        self._r(ALU[op], dh, dh, _T)

    def fits_pairs(self, lo, hi):
        return short(lo) and short(hi)

    def add_pairs_const(self, d, a, lo, hi):
        self.alu_const(_ADD_OP, low(d), low(a), lo)
        if lo:
            self._i(_SLTIU, _T, low(d), lo)
        self.alu_const(_ADD_OP, high(d), high(a), hi)
        if lo:
            self._r(_ADD, high(d), high(d), _T)

    def mul_pairs(self, d, a, b):
        self._r(_MULHU, _T, low(a), low(b))
        self._r(_MUL, _U, high(a), low(b))
        self._r(_ADD, _T, _T, _U)
        self._r(_MUL, _U, low(a), high(b))
        self._r(_MUL, low(d), low(a), low(b))
        self._r(_ADD, high(d), _T, _U)

    # Shifts by a variable amount: s is a register of its own for this. Bit 5 of the amount says
    # that one word goes to the other.
    def shift_pairs(self, op, d, a, b, s):
        if low(d) == low(b):
            self.move(s, low(b))
        else:
            s = low(b)
        shift = ALU[op]
        if op == _SHL:
            back, once, x, y, dx, dy = _SRL, 0x5013, high(a), low(a), high(d), low(d)
        else:
            back, once, x, y, dx, dy = _SLL, 0x1013, low(a), high(a), low(d), high(d)
        self._i(0x1013, _T, s, 26)
        other = self._skip(4, _T, _ZERO)
        # dx = x << s | y >> 1 >> (31 - s); dy = y << s
        self._i(_XORI, _T, s, -1)
        self._i(once, _U, y, 1)
        self._r(back, _U, _U, _T)
        self._r(_SRL if op != _SHL else _SLL, dx, x, s)
        self._r(_OR, dx, dx, _U)
        self._r(shift, dy, y, s)
        end = self._skip(0, _ZERO, _ZERO)
        self._land(other)
        self._r(shift, dx, y, s)
        if op == _SHR_S:
            self._i(0x5013, dy, y, 0x41F)
        else:
            self.const(dy, 0)
        self._land(end)

    # ---- what routines need besides

    # d = n bits of a, from bit `start` on.
    def bits(self, d, a, start, n):
        if start + n < 32:
            self._i(0x1013, d, a, 32 - start - n)
            a = d
        self._i(0x5013, d, a, 32 - n)

    # Shift by a register that holds less than 32.
    def shift_by(self, op, d, a, n):
        self._r(ALU[op], d, a, n)

    # hi:lo = a * b, or plus that.
    def umull(self, lo, hi, a, b):
        self._r(_MULHU, _T, a, b)
        self._r(_MUL, lo, a, b)
        self.move(hi, _T)

    def umlal(self, lo, hi, a, b):
        self._r(_MUL, _T, a, b)
        self._r(_MULHU, _U, a, b)
        self._r(_ADD, lo, lo, _T)
        self._r(_SLTU, _T, lo, _T)
        self._r(_ADD, hi, hi, _U)
        self._r(_ADD, hi, hi, _T)

    # hi:lo >>= n (op: by shr_u or shr_s) for n < 32; out: what is shifted out, from the top.
    # (Shifts by 32 - n are made of two, as n may be 0.)
    def shift_out(self, op, hi, lo, out, n):
        self._i(_XORI, _T, n, -1)
        self._i(0x1013, out, lo, 1)
        self._r(_SLL, out, out, _T)
        self._r(_SRL, lo, lo, n)
        self._i(0x1013, _U, hi, 1)
        self._r(_SLL, _U, _U, _T)
        self._r(_OR, lo, lo, _U)
        self._r(ALU[op], hi, hi, n)

    # hi:lo <<= n for n < 32, filled with the top of `fill`, which is shifted too; s is scratch.
    def shift_in(self, hi, lo, fill, n, s):
        self._i(_XORI, _T, n, -1)
        self._r(_SLL, hi, hi, n)
        self._i(0x5013, s, lo, 1)
        self._r(_SRL, s, s, _T)
        self._r(_OR, hi, hi, s)
        self._r(_SLL, lo, lo, n)
        self._i(0x5013, s, fill, 1)
        self._r(_SRL, s, s, _T)
        self._r(_OR, lo, lo, s)
        self._r(_SLL, fill, fill, n)

    # A routine that uses the registers below n, of which it keeps those that its callers keep
    # locals in (see registers), and words on the stack.
    def enter_routine(self, wide, n, words=0):
        self.kept = range(self.registers(wide)[0], n)
        self.words = words
        words += len(self.kept)
        if words:
            self._i(_ADDI, _SP, _SP, -words * 4 & ~15)
        for i, r in enumerate(self.kept):
            self._s(_SW, r, _SP, 4 * (i + self.words))

    def leave_routine(self):
        words = len(self.kept) + self.words
        for i, r in enumerate(self.kept):
            self._i(_LW, r, _SP, 4 * (i + self.words))
        if words:
            self._i(_ADDI, _SP, _SP, words * 4 + 15 & ~15)
        self._i(_JALR, _ZERO, _RA, 0)

    def store_word(self, s, i):
        self._s(_SW, s, _SP, 4 * i)

    def load_word(self, d, i):
        self._i(_LW, d, _SP, 4 * i)

    # ---- comparisons

    def compare_wide(self, condition, a, b):
        if condition <= _NE:
            self._r(_XOR, _T, low(a), low(b))
            self._r(_XOR, _U, high(a), high(b))
            self._r(_OR, _T, _T, _U)
            return self.compare_const(condition, _T, 0)
        if condition & 2:  # gt, le
            condition ^= 2
            a, b = b, a
        self._r(_SLTU, _T, low(a), low(b))
        skip = self._skip(0, high(a), high(b))
        self._r(_SLT if condition < _LT_U else _SLTU, _T, high(a), high(b))
        self._land(skip)
        return self.compare_const(_EQ if condition & 1 else _NE, _T, 0)

    # With zero, for equality.
    def compare_const_wide(self, condition, a, value):
        self._r(_OR, _T, low(a), high(a))
        return self.compare_const(condition, _T, 0)

    # ---- others

    # Halves the place where the first one can be: five times, and once more for 0.
    def _count_zeros(self, d, a, leading):
        away, back = (0x5013, 0x1013) if leading else (0x1013, 0x5013)
        self.move(_T, a)
        self.const(d, 0)
        n = 16
        while n:
            self._i(away, _U, _T, 32 - n)
            skip = self._skip(1, _U, _ZERO)
            self._i(back, _T, _T, n)
            self._i(_ADDI, d, d, n)
            self._land(skip)
            n >>= 1
        self._i(_SLTIU, _T, _T, 1)
        self._r(_ADD, d, d, _T)

    # Sums of bits side by side: pairs, nibbles, bytes; then the bytes by a multiplication.
    def _popcnt(self, d, a):
        self._i(0x5013, _T, a, 1)
        self.const(_V, 0x55555555)
        self._r(0x7033, _T, _T, _V)
        self._r(_SUB, _T, a, _T)
        self.const(_V, 0x33333333)
        self._r(0x7033, _U, _T, _V)
        self._i(0x5013, _T, _T, 2)
        self._r(0x7033, _T, _T, _V)
        self._r(_ADD, _T, _T, _U)
        self._i(0x5013, _U, _T, 4)
        self._r(_ADD, _T, _T, _U)
        self.const(_V, 0x0F0F0F0F)
        self._r(0x7033, _T, _T, _V)
        self.const(_V, 0x01010101)
        self._r(_MUL, _T, _T, _V)
        self._i(0x5013, d, _T, 24)

    # ---- floating point

    def does_float(self, op, w):
        return op < 2 or op == 13

    # abs, neg
    def float_unary(self, op, d, a, w):
        if w:
            self.move(low(d), low(a))
            d = high(d)
            a = high(a)
        if op:
            self._upper(_LUI, _T, 0x80000)
            self._r(_XOR, d, a, _T)
        else:
            self._i(0x1013, d, a, 1)
            self._i(0x5013, d, d, 1)

    # copysign
    def float_binary(self, op, d, a, b, w):
        if w:
            self.move(low(d), low(a))
            b = high(b)
        self._i(0x5013, _T, b, 31)
        self._i(0x1013, _T, _T, 31)
        self.float_unary(0, high(d) if w else d, high(a) if w else a, 0)
        d = high(d) if w else d
        self._r(_OR, d, d, _T)
