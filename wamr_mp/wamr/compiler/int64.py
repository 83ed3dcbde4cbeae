"""Routines: division, rotation and counting of bits of 64-bit integers on 32-bit registers."""

from wamr.host import const
from wamr.compiler import context

# Operations and conditions, see numeric.py.
_ADD = const(0)
_SUB = const(1)
_MUL = const(2)
_DIV_U = const(4)
_AND = const(7)
_OR = const(8)
_XOR = const(9)
_SHL = const(10)
_SHR_U = const(12)
_EQ = const(0)
_NE = const(1)
_LT_S = const(4)
_GE_S = const(5)
_GT_S = const(6)
_LT_U = const(8)
_GE_U = const(9)
_GT_U = const(10)
_CLZ = const(0)
_CTZ = const(1)
_POPCNT = const(2)

_AL = const(0)
_AH = const(1)
_BL = const(2)
_BH = const(3)
_X = const(4)
_Y = const(5)
_QL = const(6)
_QH = const(7)
_A = const(0x10100)
_B = const(0x10302)
_XY = const(0x10504)
_Q = const(0x10706)

# Words on the stack
_MODE = const(0)  # bit 0: the remainder is wanted; bit 1: it, or the quotient, is negative
_TOP = const(1)  # the divisor's highest 16 bits, plus 1
_ZEROS = const(2)  # and the zeros before them, less 16

_REMAINDER = const(1)
_NEGATIVE = const(2)


def divide(a, r, op):
    """div_s div_u rem_s rem_u, 0x7F to 0x82."""
    start = []
    by_zero = []
    r.entry(0x80)
    a.const(_X, 0)
    a.goto(start)
    r.entry(0x82)
    a.const(_X, _REMAINDER)
    a.goto(start)
    # The magnitudes. That of the least number is right as an unsigned one.
    for op in (0x7F, 0x81):
        r.entry(op)
        if op == 0x7F:
            _overflow(a, r)
            a.alu(_XOR, _X, _AH, _BH)
            a.alu_const(_SHR_U, _X, _X, 31)
            a.alu_const(_SHL, _X, _X, 1)
        else:
            a.alu_const(_SHR_U, _X, _AH, 31)
            a.alu_const(_SHL, _X, _X, 1)
            a.alu_const(_OR, _X, _X, _REMAINDER)
        _absolute(a, _A)
        _absolute(a, _B)
        if op == 0x7F:
            a.goto(start)
    a.mark(start)
    _unsigned(a, by_zero)
    a.mark(by_zero)
    r.trap(context.DIVIDE_BY_ZERO)


# Traps if A is the least number and B is -1.
def _overflow(a, r):
    fits = []
    a.branch_const(_NE, _BH, -1, fits)
    a.branch_const(_NE, _BL, -1, fits)
    a.branch_const(_NE, _AL, 0, fits)
    a.branch_const(_NE, _AH, -0x80000000, fits)
    r.trap(context.INTEGER_OVERFLOW)
    a.mark(fits)


# d = its magnitude
def _absolute(a, d):
    positive = []
    high = d >> 8 & 0xFF
    a.branch_const(_GE_S, high, 0, positive)
    _negate(a, d)
    a.mark(positive)


def _negate(a, d):
    low = d & 0xFF
    high = d >> 8 & 0xFF
    a.alu_const(_XOR, low, low, -1)
    a.alu_const(_XOR, high, high, -1)
    a.add_pairs_const(d, d, 1, 0)


# A divided by B as register X tells, and back.
def _unsigned(a, by_zero):
    start = []
    wide = []
    done = []
    remainder = []
    positive = []
    a.branch_const(_NE, _BH, 0, start)
    a.branch_const(_EQ, _BL, 0, by_zero)
    a.mark(start)
    a.enter_routine(True, 8, 3)
    a.store_word(_X, _MODE)
    a.alu(_OR, _X, _AH, _BH)
    a.branch_const(_NE, _X, 0, wide)
    a.const(_QH, 0)
    _digit(a, _QL, _AL)
    a.goto(done)
    a.mark(wide)
    _small_divisor(a, done)
    _large_divisor(a, done)
    a.mark(done)
    a.load_word(_X, _MODE)
    a.alu_const(_AND, _Y, _X, _REMAINDER)
    a.branch_const(_NE, _Y, 0, remainder)
    a.move_wide(_A, _Q)
    a.mark(remainder)
    a.alu_const(_AND, _X, _X, _NEGATIVE)
    a.branch_const(_EQ, _X, 0, positive)
    _negate(a, _A)
    a.mark(positive)
    a.leave_routine()


# q = n / BL, n = n % BL
def _digit(a, q, n):
    a.divide(_DIV_U, q, n, _BL, 0)
    a.alu(_MUL, _X, q, _BL)
    a.alu(_SUB, n, n, _X)


# By less than 16 bits: three digits of a long division.
def _small_divisor(a, done):
    large = []
    a.branch_const(_NE, _BH, 0, large)
    a.branch_const(_GE_U, _BL, 0x10000, large)
    _digit(a, _QH, _AH)
    a.alu_const(_SHL, _AH, _AH, 16)
    a.or_shifted(_AH, _AH, _SHR_U, _AL, 16)
    _digit(a, _QL, _AH)
    a.alu_const(_SHL, _QL, _QL, 16)
    a.bits(_AL, _AL, 0, 16)
    a.or_shifted(_AL, _AL, _SHL, _AH, 16)
    _digit(a, _Y, _AL)
    a.alu(_OR, _QL, _QL, _Y)
    a.const(_AH, 0)
    a.goto(done)
    a.mark(large)


# Takes multiples of B from A, which are never too large, until nothing is left to take: the
# highest 32 bits of A divided by (the highest 16 of B) + 1 tell 15 bits of the quotient at a time.
def _large_divisor(a, done):
    again = []
    down = []
    up = []
    one = []
    take = []
    _leading(a, _BH, _BL, _QH, _X)
    a.alu_const(_SHR_U, _QH, _QH, 16)
    a.alu_const(_ADD, _QH, _QH, 1)
    a.store_word(_QH, _TOP)
    a.alu_const(_ADD, _X, _X, -16)
    a.store_word(_X, _ZEROS)
    a.const_wide(_Q, 0)
    a.mark(again)
    a.branch_on(a.compare_wide(_LT_U, _A, _B), done)
    _leading(a, _AH, _AL, _Y, _X)
    a.load_word(a.T, _TOP)
    a.divide(_DIV_U, _Y, _Y, a.T, 0)
    a.load_word(a.T, _ZEROS)
    a.alu(_SUB, _X, a.T, _X)
    # Y shifted by X, to the left or right, as a pair; at least 1
    a.branch_const(_LT_S, _X, 0, down)
    a.branch_const(_GT_S, _X, 31, up)
    a.shift_by(_SHL, a.T, _Y, _X)
    a.alu_const(_XOR, _X, _X, 31)
    a.alu_const(_SHR_U, _Y, _Y, 1)
    a.shift_by(_SHR_U, _Y, _Y, _X)
    a.move(_X, a.T)
    a.goto(take)
    a.mark(up)
    a.alu_const(_ADD, _X, _X, -32)
    a.shift_by(_SHL, _Y, _Y, _X)
    a.const(_X, 0)
    a.goto(take)
    a.mark(down)
    a.alu_const(_XOR, _X, _X, -1)
    a.alu_const(_SHR_U, _Y, _Y, 1)
    a.branch_const(_GT_U, _X, 31, one)
    a.shift_by(_SHR_U, _X, _Y, _X)
    a.const(_Y, 0)
    a.branch_const(_NE, _X, 0, take)
    a.mark(one)
    a.const_wide(_XY, 1)
    a.mark(take)
    a.add_pairs(_ADD, _Q, _Q, _XY)
    a.mul_pairs(_XY, _XY, _B)
    a.add_pairs(_SUB, _A, _A, _XY)
    a.goto(again)


# n = the zeros at the top of a pair, d = its highest 32 bits behind them
def _leading(a, high, low, d, n):
    above = []
    found = []
    a.branch_const(_NE, high, 0, above)
    a.unary(_CLZ, n, low)
    a.shift_by(_SHL, d, low, n)
    a.alu_const(_ADD, n, n, 32)
    a.goto(found)
    a.mark(above)
    a.unary(_CLZ, n, high)
    a.alu_const(_XOR, d, n, 31)
    a.alu_const(_SHR_U, a.T, low, 1)
    a.shift_by(_SHR_U, a.T, a.T, d)
    a.shift_by(_SHL, d, high, n)
    a.alu(_OR, d, d, a.T)
    a.mark(found)


def rotate(a, r, op):
    """rotl, or rotr which is that by the negative amount; 0x89 and 0x8A."""
    start = []
    r.entry(0x8A)
    a.alu_const(_XOR, _BL, _BL, -1)
    a.alu_const(_ADD, _BL, _BL, 1)
    r.entry(0x89)
    a.alu_const(_AND, _BH, _BL, 32)
    a.alu_const(_AND, _BL, _BL, 31)
    a.branch_const(_EQ, _BH, 0, start)
    a.move(_BH, _AL)
    a.move(_AL, _AH)
    a.move(_AH, _BH)
    a.mark(start)
    # What leaves at one end comes in at the other. (A shift by 32 - n is made of two.)
    a.alu_const(_XOR, _X, _BL, 31)
    a.alu_const(_SHR_U, _BH, _AL, 1)
    a.shift_by(_SHR_U, _BH, _BH, _X)
    a.alu_const(_SHR_U, a.T, _AH, 1)
    a.shift_by(_SHR_U, a.T, a.T, _X)
    a.shift_by(_SHL, _AH, _AH, _BL)
    a.alu(_OR, _AH, _AH, _BH)
    a.shift_by(_SHL, _AL, _AL, _BL)
    a.alu(_OR, _AL, _AL, a.T)
    a.enter_routine(True, 5)
    a.leave_routine()


def count(a, r, op):
    """clz ctz popcnt, 0x79 to 0x7B: of the word that decides, or the sum."""
    r.entry(op)
    a.enter_routine(True, 4)
    if op == 0x7B:
        a.unary(_POPCNT, _BL, _AL)
        a.unary(_POPCNT, _AL, _AH)
        a.alu(_ADD, _AL, _AL, _BL)
    else:
        name, first, second = (_CLZ, _AH, _AL) if op == 0x79 else (_CTZ, _AL, _AH)
        one = []
        end = []
        a.branch_const(_NE, first, 0, one)
        a.unary(name, _AL, second)
        a.alu_const(_ADD, _AL, _AL, 32)
        a.goto(end)
        a.mark(one)
        a.unary(name, _AL, first)
        a.mark(end)
    a.const(_AH, 0)
    a.leave_routine()
