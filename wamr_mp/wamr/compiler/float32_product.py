"""Routines: f32 mul and div, for targets without a floating-point unit.

As in float64_product.py, with a single word. Exponents are counted from the least normal one (less
one) here, so that one unsigned comparison tells normal numbers from the others.
"""

from wamr.host import const
from wamr.compiler.float32 import is_nan, return_nan, round_off

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
_LT_S = const(4)
_GE_S = const(5)
_LT_U = const(8)
_GE_U = const(9)
_LE_U = const(11)
_CLZ = const(0)

_A = const(0)
_B = const(1)
_E = const(2)
_F = const(3)
_D = const(4)

_SIGN = const(-0x80000000)
_INF = const(0x7F800000)
_LEADING = const(0x800000)


# Takes the exponents out, less one; branches to `special` unless both numbers are normal.
def _exponents(a, special):
    a.bits(_E, _A, 23, 8)
    a.bits(_F, _B, 23, 8)
    a.alu_const(_ADD, _E, _E, -1)
    a.alu_const(_ADD, _F, _F, -1)
    a.branch_const(_GE_U, _E, 254, special)
    a.branch_const(_GE_U, _F, 254, special)


# Puts the sign of the result below the exponent in E, to keep both in a register.
def _sign(a):
    a.alu(_XOR, _D, _A, _B)
    a.alu_const(_SHL, _E, _E, 1)
    a.or_shifted(_E, _E, _SHR_U, _D, 31)


def mul(a, r, op):
    """0x94."""
    special = []
    prepared = []
    below = []
    finish = []
    r.entry(op)
    a.enter_routine(False, 5)
    _exponents(a, special)
    a.mark(prepared)
    a.alu(_ADD, _E, _E, _F)
    a.alu_const(_ADD, _E, _E, -126)
    _sign(a)
    # The product's highest bit is bit 22 or 23 of A; F is the rest.
    a.alu_const(_SHL, _A, _A, 8)
    a.alu_const(_OR, _A, _A, _SIGN)
    a.bits(_B, _B, 0, 23)
    a.alu_const(_OR, _B, _B, _LEADING)
    a.umull(_F, _A, _A, _B)
    a.branch_const(_LT_U, _A, _LEADING, below)
    a.alu_const(_ADD, _E, _E, 2)
    a.mark(finish)
    _finish(a)
    a.mark(below)
    a.alu_const(_SHL, _A, _A, 1)
    a.or_shifted(_A, _A, _SHR_U, _F, 31)
    a.alu_const(_SHL, _F, _F, 1)
    a.goto(finish)

    # Infinity times zero is a NaN.
    infinite = []
    zero = []
    nan = []
    a.mark(special)
    a.branch_const(_EQ, _E, 254, infinite)
    a.branch_const(_EQ, _F, 254, infinite)
    _is_zero(a, _A, zero)
    _is_zero(a, _B, zero)
    _normalize(a, _A, _E)
    _normalize(a, _B, _F)
    a.goto(prepared)
    a.mark(infinite)
    is_nan(a, _A, _D, nan)
    is_nan(a, _B, _D, nan)
    _is_zero(a, _A, nan)
    _is_zero(a, _B, nan)
    _return(a, _INF)
    a.mark(zero)
    _return(a, 0)
    return_nan(a, nan)


# The sign of a product or quotient, with these bits.
def _return(a, bits):
    a.alu(_XOR, _A, _A, _B)
    a.alu_const(_AND, _A, _A, _SIGN)
    if bits:
        a.alu_const(_OR, _A, _A, bits)
    a.leave_routine()


def _is_zero(a, x, label):
    a.alu_const(_SHL, _D, x, 1)
    a.branch_const(_EQ, _D, 0, label)


# Moves the fraction of a subnormal number up until it has a leading bit; the sign stays.
def _normalize(a, x, exponent):
    normal = []
    a.branch_const(_GE_S, exponent, 0, normal)
    a.bits(_D, x, 0, 23)
    a.alu(_SUB, x, x, _D)
    a.unary(_CLZ, exponent, _D)
    a.alu_const(_ADD, exponent, exponent, -8)
    a.shift_by(_SHL, _D, _D, exponent)
    a.alu(_OR, x, x, _D)
    a.alu_const(_XOR, exponent, exponent, -1)
    a.alu_const(_ADD, exponent, exponent, 1)
    a.mark(normal)


# Packs what mul and div make out of the ordinary: A has its leading bit at bit 23, F follows it; E
# is the exponent, less one, twice, plus the sign.
def _finish(a):
    outside = []
    tiny = []
    shift = []
    a.alu_const(_SHL, _D, _E, 31)
    a.alu_const(_SHR_S, _E, _E, 1)
    a.branch_const(_GE_U, _E, 254, outside)
    a.or_shifted(_D, _D, _SHL, _E, 23)
    a.alu(_ADD, _A, _A, _D)
    round_off(a, _F)
    a.mark(outside)
    a.branch_const(_LT_S, _E, 0, tiny)
    a.alu_const(_OR, _A, _D, _INF)
    a.leave_routine()
    # Subnormal: down by -E places; 31 leave nothing.
    a.mark(tiny)
    a.alu_const(_XOR, _E, _E, -1)
    a.alu_const(_ADD, _E, _E, 1)
    a.branch_const(_LE_U, _E, 31, shift)
    a.const(_E, 31)
    a.mark(shift)
    a.move(_B, _F)
    a.alu_const(_SHL, _F, _A, 1)
    a.alu_const(_XOR, a.T, _E, 31)
    a.shift_by(_SHL, _F, _F, a.T)
    a.shift_by(_SHR_U, _A, _A, _E)
    a.alu(_OR, _A, _A, _D)
    round_off(a, _F, _B)


def div(a, r, op):
    """0x95, by three digits of 8 bits."""
    special = []
    prepared = []
    ordered = []
    r.entry(op)
    a.enter_routine(False, 5)
    _exponents(a, special)
    a.mark(prepared)
    a.alu(_SUB, _E, _E, _F)
    a.alu_const(_ADD, _E, _E, 126)
    _sign(a)
    for x in (_A, _B):
        a.bits(x, x, 0, 23)
        a.alu_const(_OR, x, x, _LEADING)
    a.branch_if(_GE_U, _A, _B, ordered)
    a.alu_const(_SHL, _A, _A, 1)
    a.alu_const(_ADD, _E, _E, -2)
    a.mark(ordered)
    a.alu(_SUB, _A, _A, _B)
    a.const(_F, 1)
    for _ in range(3):
        a.alu_const(_SHL, _A, _A, 8)
        a.divide(_DIV_U, _D, _A, _B, 0)
        a.alu(_MUL, a.T, _D, _B)
        a.alu(_SUB, _A, _A, a.T)
        a.or_shifted(_F, _D, _SHL, _F, 8)
    a.alu_const(_SHL, _D, _F, 31)
    a.alu_const(_SHR_U, _B, _F, 1)
    a.alu(_OR, _F, _D, _A)
    a.move(_A, _B)
    _finish(a)

    infinite = []
    by_infinite = []
    by_zero = []
    zero = []
    nan = []
    a.mark(special)
    a.branch_const(_EQ, _E, 254, infinite)
    a.branch_const(_EQ, _F, 254, by_infinite)
    _is_zero(a, _B, by_zero)
    _is_zero(a, _A, zero)
    _normalize(a, _A, _E)
    _normalize(a, _B, _F)
    a.goto(prepared)
    a.mark(infinite)
    is_nan(a, _A, _D, nan)
    a.branch_const(_EQ, _F, 254, nan)
    _return(a, _INF)
    a.mark(by_zero)
    _is_zero(a, _A, nan)
    _return(a, _INF)
    a.mark(by_infinite)
    is_nan(a, _B, _D, nan)
    a.mark(zero)
    _return(a, 0)
    return_nan(a, nan)
