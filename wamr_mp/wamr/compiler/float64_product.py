"""Routines: f64 mul and div on 32-bit registers.

As in float64.py. Exponents are counted from the least normal one (less one) here, so that one
unsigned comparison tells normal numbers from the others.
"""

from wamr.host import const
from wamr.compiler.float64 import is_nan, return_nan, round_off

# Operations and conditions, see numeric.py.
_ADD = const(0)
_SUB = const(1)
_MUL = const(2)
_DIV_U = const(4)
_AND = const(7)
_OR = const(8)
_XOR = const(9)
_SHL = const(10)
_SHR_S = const(11)
_SHR_U = const(12)
_EQ = const(0)
_NE = const(1)
_LT_S = const(4)
_GE_S = const(5)
_LT_U = const(8)
_GE_U = const(9)
_LE_U = const(11)
_CLZ = const(0)

_AL = const(0)
_AH = const(1)
_BL = const(2)
_BH = const(3)
_E = const(4)
_F = const(5)
_P = const(6)
_Q = const(7)
_A = const(0x10100)
_B = const(0x10302)

_SIGN = const(-0x80000000)


# Takes the exponents out, less one; branches to `special` unless both numbers are normal.
def _exponents(a, special):
    a.const(_Q, 2046)
    a.bits(_E, _AH, 20, 11)
    a.bits(_F, _BH, 20, 11)
    a.alu_const(_ADD, _E, _E, -1)
    a.alu_const(_ADD, _F, _F, -1)
    a.branch_if(_GE_U, _E, _Q, special)
    a.branch_if(_GE_U, _F, _Q, special)


# Puts the sign of the result below the exponent in E, to keep both in a register.
def _sign(a):
    a.alu(_XOR, _P, _AH, _BH)
    a.alu_const(_SHL, _E, _E, 1)
    a.or_shifted(_E, _E, _SHR_U, _P, 31)


# Leaves the fractions, with their leading bit.
def _fractions(a):
    for high in (_AH, _BH):
        a.bits(high, high, 0, 20)
        a.alu_const(_OR, high, high, 0x100000)


def mul(a, r, op):
    """0xA2."""
    special = []
    prepared = []
    below = []
    finish = []
    r.entry(op)
    a.enter_routine(True, 8)
    _exponents(a, special)
    a.mark(prepared)
    a.alu(_ADD, _E, _E, _F)
    a.alu_const(_ADD, _E, _E, -1022)
    _sign(a)
    _multiply(a)
    a.branch_const(_LT_U, _AL, 0x200, below)
    _place(a, 11)
    a.alu_const(_ADD, _E, _E, 2)
    a.mark(finish)
    _finish(a)
    a.mark(below)
    _place(a, 12)
    a.goto(finish)

    # Infinity times zero is a NaN.
    infinite = []
    zero = []
    nan = []
    a.mark(special)
    a.branch_const(_EQ, _E, 2046, infinite)
    a.branch_const(_EQ, _F, 2046, infinite)
    _is_zero(a, _AL, _AH, zero)
    _is_zero(a, _BL, _BH, zero)
    _normalize(a, _AL, _AH, _E)
    _normalize(a, _BL, _BH, _F)
    a.goto(prepared)
    a.mark(infinite)
    is_nan(a, _AL, _AH, _P, nan)
    is_nan(a, _BL, _BH, _P, nan)
    _is_zero(a, _AL, _AH, nan)
    _is_zero(a, _BL, _BH, nan)
    _return(a, 0x7FF00000)
    a.mark(zero)
    _return(a, 0)
    return_nan(a, nan)


# AL, F, Q, P: the four words of the product, highest first.
def _multiply(a):
    _fractions(a)
    a.umull(_P, _Q, _AL, _BL)
    a.const(_F, 0)
    a.umlal(_Q, _F, _AL, _BH)
    a.umlal(_Q, _F, _AH, _BL)
    a.const(_AL, 0)
    a.umlal(_F, _AL, _AH, _BH)


# Up by n: the leading bit goes to bit 52 of A, what follows to Q.
def _place(a, n):
    a.alu_const(_SHL, _AH, _AL, n)
    a.or_shifted(_AH, _AH, _SHR_U, _F, 32 - n)
    a.alu_const(_SHL, _AL, _F, n)
    a.or_shifted(_AL, _AL, _SHR_U, _Q, 32 - n)
    a.alu_const(_SHL, _Q, _Q, n)


# The sign of a product or quotient, with this for a high word.
def _return(a, high):
    a.alu(_XOR, _AH, _AH, _BH)
    a.alu_const(_AND, _AH, _AH, _SIGN)
    if high:
        a.alu_const(_OR, _AH, _AH, high)
    a.const(_AL, 0)
    a.leave_routine()


def _is_zero(a, low, high, label):
    a.alu_const(_SHL, _Q, high, 1)
    a.alu(_OR, _Q, _Q, low)
    a.branch_const(_EQ, _Q, 0, label)


# Moves the fraction of a subnormal number up until it has a leading bit; the sign stays.
def _normalize(a, low, high, exponent):
    above = []
    negate = []
    normal = []
    a.branch_const(_GE_S, exponent, 0, normal)
    a.bits(_P, high, 0, 20)
    a.alu(_SUB, high, high, _P)
    a.branch_const(_NE, _P, 0, above)
    a.unary(_CLZ, exponent, low)
    a.shift_by(_SHL, low, low, exponent)
    a.or_shifted(high, high, _SHR_U, low, 11)
    a.alu_const(_SHL, low, low, 21)
    a.alu_const(_ADD, exponent, exponent, 21)
    a.goto(negate)
    a.mark(above)
    a.unary(_CLZ, exponent, _P)
    a.alu_const(_ADD, exponent, exponent, -11)
    a.shift_by(_SHL, _P, _P, exponent)
    a.alu(_OR, high, high, _P)
    a.alu_const(_XOR, _P, exponent, 31)
    a.alu_const(_SHR_U, _Q, low, 1)
    a.shift_by(_SHR_U, _Q, _Q, _P)
    a.alu(_OR, high, high, _Q)
    a.shift_by(_SHL, low, low, exponent)
    a.mark(negate)
    a.alu_const(_XOR, exponent, exponent, -1)
    a.alu_const(_ADD, exponent, exponent, 1)
    a.mark(normal)


# Packs what mul and div make out of the ordinary: A has its leading bit at bit 52, Q follows it, P
# is what is lost if it is not zero; E is the exponent, less one, twice, plus the sign.
def _finish(a):
    outside = []
    tiny = []
    shift = []
    a.alu_const(_SHL, _F, _E, 31)
    a.alu_const(_SHR_S, _E, _E, 1)
    a.branch_const(_GE_U, _E, 2046, outside)
    a.or_shifted(_F, _F, _SHL, _E, 20)
    a.alu(_ADD, _AH, _AH, _F)
    round_off(a, _Q, _P)
    a.mark(outside)
    a.branch_const(_LT_S, _E, 0, tiny)
    a.alu_const(_OR, _AH, _F, 0x7FF00000)
    a.const(_AL, 0)
    a.leave_routine()
    # Subnormal: down by -E places, in two steps; 62 leave nothing.
    a.mark(tiny)
    a.alu_const(_XOR, _E, _E, -1)
    a.alu_const(_ADD, _E, _E, 1)
    a.branch_const(_LE_U, _E, 31, shift)
    a.alu(_OR, _P, _P, _Q)
    a.const(_BL, 31)
    a.shift_out(_SHR_U, _AH, _AL, _Q, _BL)
    a.alu_const(_ADD, _E, _E, -31)
    a.branch_const(_LE_U, _E, 31, shift)
    a.const(_E, 31)
    a.mark(shift)
    a.alu(_OR, _P, _P, _Q)
    a.shift_out(_SHR_U, _AH, _AL, _Q, _E)
    a.alu(_OR, _AH, _AH, _F)
    round_off(a, _Q, _P)


def div(a, r, op):
    """0xA3, by a reciprocal of 28 bits and two digits of 27 bits, each one too small at most."""
    special = []
    prepared = []
    ordered = []
    r.entry(op)
    a.enter_routine(True, 8, 2)
    _exponents(a, special)
    a.mark(prepared)
    a.alu(_SUB, _E, _E, _F)
    a.alu_const(_ADD, _E, _E, 1022)
    _sign(a)
    _fractions(a)
    a.branch_on(a.compare_wide(_GE_U, _A, _B), ordered)
    a.add_pairs(_ADD, _A, _A, _A)
    a.alu_const(_ADD, _E, _E, -2)
    a.mark(ordered)
    a.store_word(_E, 0)
    a.add_pairs(_SUB, _A, _A, _B)  # the quotient's leading bit
    # P = 2**84 / B, or a little less: from 16 bits of F, the top of B, then a step of Newton's
    # method; and 2 less, as there is more behind F.
    a.alu_const(_SHL, _F, _BH, 11)
    a.or_shifted(_F, _F, _SHR_U, _BL, 21)
    a.alu_const(_SHR_U, _P, _F, 16)
    a.alu_const(_ADD, _P, _P, 1)
    a.const(_Q, -1)
    a.divide(_DIV_U, _P, _Q, _P, 0)
    a.alu_const(_SHL, _P, _P, 15)
    a.umull(_F, _Q, _F, _P)
    a.alu_const(_XOR, _Q, _Q, 0x7FFFFFFF)
    a.alu_const(_SHL, _Q, _Q, 1)
    a.umull(_F, _Q, _P, _Q)
    a.alu(_ADD, _P, _P, _Q)
    a.alu_const(_ADD, _P, _P, -2)
    _quotient(a)
    a.store_word(_F, 1)
    _quotient(a)
    a.alu(_OR, _P, _AL, _AH)
    a.load_word(_Q, 1)
    a.load_word(_E, 0)
    a.alu_const(_SHR_U, _AH, _Q, 7)
    a.alu_const(_OR, _AH, _AH, 0x100000)
    a.alu_const(_SHL, _AL, _Q, 25)
    a.or_shifted(_AL, _AL, _SHR_U, _F, 2)
    a.alu_const(_SHL, _Q, _F, 30)
    _finish(a)

    infinite = []
    by_infinite = []
    by_zero = []
    zero = []
    nan = []
    a.mark(special)
    a.branch_const(_EQ, _E, 2046, infinite)
    a.branch_const(_EQ, _F, 2046, by_infinite)
    _is_zero(a, _BL, _BH, by_zero)
    _is_zero(a, _AL, _AH, zero)
    _normalize(a, _AL, _AH, _E)
    _normalize(a, _BL, _BH, _F)
    a.goto(prepared)
    a.mark(infinite)
    is_nan(a, _AL, _AH, _P, nan)
    a.branch_const(_EQ, _F, 2046, nan)
    _return(a, 0x7FF00000)
    a.mark(by_zero)
    _is_zero(a, _AL, _AH, nan)
    _return(a, 0x7FF00000)
    a.mark(by_infinite)
    is_nan(a, _BL, _BH, _P, nan)
    a.mark(zero)
    _return(a, 0)
    return_nan(a, nan)


# The next 27 bits of A / B into F; A becomes the remainder.
def _quotient(a):
    less = []
    a.alu_const(_SHL, _F, _AH, 11)
    a.or_shifted(_F, _F, _SHR_U, _AL, 21)
    a.umull(_Q, _F, _F, _P)
    a.alu_const(_SHR_U, _F, _F, 4)
    a.alu_const(_SHL, _AH, _AH, 27)
    a.or_shifted(_AH, _AH, _SHR_U, _AL, 5)
    a.alu_const(_SHL, _AL, _AL, 27)
    a.umull(_Q, _E, _F, _BL)
    a.add_pairs(_SUB, _A, _A, 0x10000 | _E << 8 | _Q)
    a.alu(_MUL, _Q, _F, _BH)
    a.alu(_SUB, _AH, _AH, _Q)
    a.branch_on(a.compare_wide(_LT_U, _A, _B), less)
    a.add_pairs(_SUB, _A, _A, _B)
    a.alu_const(_ADD, _F, _F, 1)
    a.mark(less)
