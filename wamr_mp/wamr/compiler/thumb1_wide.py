"""ARMv6-M encodings of comparisons, and of what takes several instructions: on 64 bits, and for
routines.
"""

from wamr.host import const
from wamr.compiler.pairs import Pairs
from wamr.compiler.values import high, low

_S = const(7)
_T = const(12)
_V = const(14)

_ADD = const(0)
_MUL = const(2)
_OR = const(8)
_XOR = const(9)
_SHL = const(10)
_SHR_S = const(11)
_SHR_U = const(12)
_EQ = const(0)
_NE = const(1)
_MI = const(2)
_LT_S = const(4)
_GE_S = const(5)
_LT_U = const(8)
_GE_U = const(9)
_GT_U = const(10)
_LE_U = const(11)
_UMULL = const(-6)

_ADCS = const(0x4140)
_SBCS = const(0x4180)
_SHIFTS_BY = (0x4080, 0x4100, 0x40C0)
# By condition.
CODES = b"\x00\x01\x04\x05\x0b\x0a\x0c\x0d\x03\x02\x08\x09\x06\x07"


class Wide(Pairs):
    # (At most one of the words is a high register.)
    def add_pairs(self, op, d, a, b):
        code = self.code
        dl, al, bl = low(d), low(a), low(b)
        al = self._low(al)
        bl = self._low(bl)
        code.append(0x1800 | op << 9 | bl << 6 | al << 3 | (dl if dl < 7 else _S))
        if dl > 6:
            self._move(dl + 1, _S)
        self._with_carry(_SBCS if op else _ADCS, high(d), high(a), high(b))

    def _with_carry(self, op, d, a, b):
        code = self.code
        if d == b and d < 7 and op == _ADCS:
            a, b = b, a
        if d < 7 and d != b:
            self.move(d, a)
            code.append(op | self._low(b) << 3 | d)
        else:
            self._move(_S, a if a < 7 else a + 1)
            code.append(op | b << 3 | _S)
            self._move(d if d < 7 else d + 1, _S)

    # The upper word is loaded by what leaves the carry alone.
    def fits_pairs(self, lo, hi):
        return -256 <= hi < 256

    def add_pairs_const(self, d, a, lo, hi):
        code = self.code
        self._const(_S, lo)
        code.append(0x1800 | _S << 6 | low(a) << 3 | low(d))
        if hi < 0:
            code.append(0x2000 | _S << 8 | ~hi)
            code.append(0x43FF)  # mvns s, s
        else:
            code.append(0x2000 | _S << 8 | hi)
        self.move(high(d), high(a))
        code.append(_ADCS | _S << 3 | high(d))

    # d is a.
    def mul_pairs(self, d, a, b):
        dl, dh = low(d), high(d)
        self.alu(_MUL, dh, dh, low(b))
        self._move(_S, high(b))
        self._op(_MUL, _S, dl)
        self.code.append(0x1800 | _S << 6 | dh << 3 | dh)
        self.umull(dl, self.T, dl, low(b))
        self.alu(_ADD, dh, dh, self.T)

    # Shifts by a variable amount; d is a, s a register of its own for this. A machine shift looks
    # at the lowest byte of the amount, so that one by 32 - n or n - 32 gives 0 when that is out of
    # range.
    def shift_pairs(self, op, d, a, b, s):
        code = self.code
        code.append(0x0680 | low(b) << 3 | _S)  # lsls #26
        code.append(0x0E80 | _S << 3 | _S)  # lsrs #26
        if op == _SHL:
            x, y, once, back = high(d), low(d), _SHIFTS_BY[0], _SHIFTS_BY[2]
        else:
            x, y, once, back = low(d), high(d), _SHIFTS_BY[2], _SHIFTS_BY[0]
        # x = x << n | y >> (32 - n) | y << (n - 32); y = y << n (left and right as op says)
        self._move(s, y)
        self._move(_V, y)
        code.append(once | _S << 3 | x)
        code.append(_SHIFTS_BY[op - _SHL] | _S << 3 | y)
        code.append(0x3F20)  # subs s, #32
        code.append(0x427F)  # rsbs s, s
        code.append(back | _S << 3 | s)
        code.append(0x4300 | s << 3 | x)
        code.append(0x427F)
        self._move(s, _V)
        if op == _SHR_S:
            # The sign must not come in for amounts below 32.
            code.append(0xD401)  # bmi
            code.append(0x4100 | _S << 3 | s)
        else:
            code.append(once | _S << 3 | s)
        code.append(0x4300 | s << 3 | x)

    # ---- what routines need besides

    # d = a | (s shifted by n)
    def or_shifted(self, d, a, op, s, n):
        self._shift_scratch(op, s, n)
        if d < 7:
            self.move(d, a)
            self.code.append(0x4300 | _S << 3 | d)
        else:
            self._high_op(_OR, d, a)

    def _shift_scratch(self, op, s, n):
        kind = 0 if op == _SHL else 0x1000 if op == _SHR_S else 0x0800
        self.code.append(kind | n << 6 | self._low(s) << 3 | _S)

    # d = n bits of a, from bit `start` on.
    def bits(self, d, a, start, n):
        r = d if d < 7 else _S
        a = self._low(a)
        if start + n < 32:
            self.code.append(32 - start - n << 6 | a << 3 | r)
            a = r
        self.code.append(0x0800 | 32 - n << 6 | a << 3 | r)
        if d > 6:
            self._move(d + 1, _S)

    # Shift by a register that holds less than 32.
    def shift_by(self, op, d, a, n):
        if d == n or n > 6:
            self._move(_S, n if n < 7 else n + 1)
            self._high_op(op, d, a)
        elif d < 7:
            self.move(d, a)
            self._op(op, d, n)
        else:
            self._move(_S, a if a < 7 else a + 1)
            self._op(op, _S, n)
            self._move(d + 1, _S)

    # hi:lo = a * b, or plus that. (T is b and then the upper word.)
    def umull(self, lo, hi, a, b):
        self._umull(a, b)
        self._move(lo if lo < 7 else lo + 1, _S)
        self.move(hi, self.T)

    def umlal(self, lo, hi, a, b):
        self._umull(a, b)
        if lo < 7:
            self.code.append(0x1800 | _S << 6 | lo << 3 | lo)
        else:
            self._move(_V, 0)
            self._move(0, lo + 1)
            self.code.append(0x1838)  # adds r0, r7, r0
            self._move(lo + 1, 0)
            self._move(0, _V)
        self._move(_S, _T)
        self.code.append(_ADCS | _S << 3 | hi)

    def _umull(self, a, b):
        self._move(_S, a if a < 7 else a + 1)
        self.move(self.T, b)
        self.call_subroutine(_UMULL)

    # hi:lo >>= n (op: by shr_u or shr_s) for n < 32; out: what is shifted out, from the top.
    # (n is made 32 - n in between.)
    def shift_out(self, op, hi, lo, out, n):
        code = self.code
        self._move(_S, lo)
        self._op(_SHR_U, lo, n)
        self._turn(n)
        self._op(_SHL, _S, n)
        self._move(out if out < 7 else out + 1, _S)
        self._move(_S, hi)
        self._op(_SHL, _S, n)
        code.append(0x4300 | _S << 3 | lo)
        self._turn(n)
        self._op(op, hi, n)

    def _turn(self, n):
        self.code.append(0x3820 | n << 8)  # subs #32
        self.code.append(0x4240 | n << 3 | n)  # rsbs

    # hi:lo <<= n for n < 32, filled with the top of `fill`, which is shifted too; s is scratch.
    def shift_in(self, hi, lo, fill, n, s):
        self._move(_S, hi if hi < 7 else hi + 1)
        self._op(_SHL, _S, n)
        self._turn(n)
        self._move(s, lo)
        self._op(_SHR_U, s, n)
        self._op(_OR, _S, s)
        self._move(hi if hi < 7 else hi + 1, _S)
        self._move(s, fill)
        self._op(_SHR_U, s, n)
        self._turn(n)
        self._op(_SHL, lo, n)
        self._op(_OR, lo, s)
        self._op(_SHL, fill, n)

    def routine(self):
        self.linked = True
        return Pairs.routine(self)

    # A routine that uses the registers below n, of which it keeps those that its callers keep
    # locals in (see registers), and words on the stack.
    def enter_routine(self, wide, n, words=0):
        self.kept = (1 << min(n, 7)) - 1 & -1 << self.registers(wide)[0]
        self.words = words
        self.eighth = n > 7
        if self.eighth:
            self._move(_S, 8)
            self.kept |= 1 << _S
        if self.kept or words:
            self.linked = False
            self.code.append(0xB500 | self.kept)  # push {.., lr}
            if words:
                self.code.append(0xB080 | words)  # sub sp, #

    def leave_routine(self):
        code = self.code
        if self.words:
            code.append(0xB000 | self.words)  # add sp, #
        if self.eighth:
            code.append(0xBC00 | self.kept)
            self._move(8, _S)
            code.append(0xBD00)  # pop {pc}
        elif self.kept or self.words:
            code.append(0xBD00 | self.kept)  # pop {.., pc}
        else:
            code.append(0x4770)  # bx lr

    def store_word(self, s, i):
        self.code.append(0x9000 | self._low(s) << 8 | i)

    def load_word(self, d, i):
        self.code.append(0x9800 | (d if d < 7 else _S) << 8 | i)
        if d > 6:
            self._move(d + 1, _S)

    # ---- comparisons

    def compare(self, condition, a, b):
        if a < 7 and b < 7:
            self.code.append(0x4280 | b << 3 | a)
        else:
            if a > 6:
                a += 1
            self.code.append(0x4500 | (a & 8) << 4 | (b if b < 7 else b + 1) << 3 | a & 7)
        self.compared = len(self.code)
        return condition

    def compare_const(self, condition, a, value):
        code = self.code
        if not value and self.flags == len(code) << 4 | a:
            # The instruction before has done it, but for what overflows.
            if condition <= _NE or condition == _LT_S or condition == _GE_S:
                self.compared = len(code)
                return condition if condition <= _NE else condition - _LT_S + _MI
        if 0 <= value < 0x100:
            code.append(0x2800 | self._low(a) << 8 | value)
        elif -8 < value < 0:
            code.append(0x1C00 | -value << 6 | self._low(a) << 3 | _S)
        elif -0x100 < value < 0 and a < 7:
            code.append(0x2000 | _S << 8 | -value)
            code.append(0x42C0 | _S << 3 | a)  # cmn
        else:
            self._const(_S, value)
            if a < 7:
                code.append(0x4280 | _S << 3 | a)
            else:
                a += 1
                code.append(0x4500 | (a & 8) << 4 | _S << 3 | a & 7)
        self.compared = len(code)
        return condition

    # The truth value: by the carry if it tells, or by branches. A comparison that was the last
    # instruction may become another one.
    def set(self, condition, d):
        code = self.code
        last = code[-1] if self.compared == len(code) else 0
        self.compared = 0
        if d > 6:
            self._set_by_branches(condition, _S)
            self._move(d + 1, _S)
            return
        if last & 0xFFC0 == 0x4280:  # cmp a, b
            a = last & 7
            b = last >> 3 & 7
            if condition <= _NE:
                code[-1] = 0x1A00 | b << 6 | a << 3 | (_S if condition == _EQ else d)
                self._is_zero(condition, d, _S if condition == _EQ else d)
                return
            if condition == _GT_U or condition == _LE_U:
                code[-1] = 0x4280 | a << 3 | b
                condition ^= 2
        elif last & 0xF8FF == 0x2800:  # cmp a, #0
            a = last >> 8 & 7
            if condition == _LT_S:
                code[-1] = 0x0FC0 | a << 3 | d  # lsrs #31
                return
            if condition <= _NE and a != _S:
                self._zero_compared(condition, d, a)
                return
        if condition == _GE_U:
            code.append(0x2000 | d << 8)
            code.append(0x4140 | d << 3 | d)  # adcs
        elif condition == _LT_U:
            code.append(0x4180 | d << 3 | d)  # sbcs
            code.append(0x4240 | d << 3 | d)  # rsbs
        else:
            self._set_by_branches(condition, d)

    # d = whether scratch, or for _NE d itself, is zero
    def _is_zero(self, condition, d, a):
        code = self.code
        if condition == _EQ:
            code.append(0x4240 | a << 3 | d)  # rsbs d, a: no borrow from 0
            code.append(0x4140 | a << 3 | d)  # adcs
        else:
            code.append(0x1E40 | d << 3 | _S)  # subs s, d, #1: no borrow from others
            code.append(0x4180 | _S << 3 | d)  # sbcs

    def _zero_compared(self, condition, d, a):
        code = self.code
        if condition == _EQ:
            r = _S if d == a else d
            code[-1] = 0x4240 | a << 3 | r
            code.append(0x4140 | (a if d != a else _S) << 3 | d)
        else:
            code[-1] = 0x1E40 | a << 3 | _S
            self.move(d, a)
            code.append(0x4180 | _S << 3 | d)

    def _set_by_branches(self, condition, d):
        code = self.code
        code.append(0xD001 | CODES[condition] << 8)
        code.append(0x2000 | d << 8)
        code.append(0xE000)
        code.append(0x2001 | d << 8)

    # d = a if the condition holds
    def select(self, condition, d, a):
        self.compared = 0
        if d != a:
            self.code.append(0xD000 | (CODES[condition] ^ 1) << 8)
            self.move(d, a)

    def select_wide(self, condition, d, a):
        self.compared = 0
        self.code.append(0xD001 | (CODES[condition] ^ 1) << 8)
        self.move_wide(d, a)

    def compare_wide(self, condition, a, b):
        code = self.code
        if condition <= _NE:
            self.compare(condition, low(a), low(b))
            code.append(0xD100)  # bne over the next one
            self.compare(condition, high(a), high(b))
            self.compared = -1
            return condition
        if condition & 2:  # gt, le
            condition ^= 2
            a, b = b, a
        self.compare(condition, low(a), low(b))
        a = high(a)
        b = high(b)
        if b < 7:
            self._move(_S, a if a < 7 else a + 1)
            code.append(_SBCS | b << 3 | _S)
        else:
            self._move(_S, b + 1)
            self._move(_V, a)
            code.append(_SBCS | _S << 3 | a)
            self._move(a, _V)
        self.compared = -1
        return condition

    # With zero, for equality.
    def compare_const_wide(self, condition, a, value):
        self._move(_S, low(a))
        self._op(_OR, _S, high(a))
        self.compared = -1
        return condition

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
            self.alu_const(_XOR, d, a, -0x80000000)
        else:
            self.bits(d, a, 0, 31)

    # copysign
    def float_binary(self, op, d, a, b, w):
        if w:
            self.move(low(d), low(a))
            b = high(b)
        self._shift_scratch(_SHR_U, b, 31)
        self._move(_V, _S)
        if w:
            d = high(d)
            a = high(a)
        self.bits(d, a, 0, 31)
        self._move(_S, _V)
        self.code.append(0x07FF)  # lsls s, s, #31
        self._high_op(_OR, d, d)
