"""Routines: f32 add and sub, for targets without a floating-point unit.

As in float64.py, with a single word.
"""

from wamr.host import const

# Operations and conditions, see numeric.py.
_ADD = const(0)
_SUB = const(1)
_AND = const(7)
_OR = const(8)
_XOR = const(9)
_SHL = const(10)
_SHR_S = const(11)
_SHR_U = const(12)
_EQ = const(0)
_NE = const(1)
_LT_S = const(4)
_GT_S = const(6)
_LE_S = const(7)
_LT_U = const(8)
_GE_U = const(9)
_GT_U = const(10)
_CLZ = const(0)

_A = const(0)
_B = const(1)
_E = const(2)  # A's exponent
_F = const(3)  # B's, then the rest: what follows the last place, as a fraction in a word
_D = const(4)
_S = const(5)

_SIGN = const(-0x80000000)
_INF = const(0x7F800000)
_NAN = const(0x7FC00000)
_LEADING = const(0x800000)


def add(a, r, op):
    """add and sub, 0x92 and 0x93: A is made the one with the larger exponent, and its exponent
    stays where it is; so a carry or borrow of the fractions is seen in it."""
    order = []
    ordered = []
    special = []
    prepared = []
    negate = []
    align = []
    moved = []
    round = []
    keep = []
    r.entry(0x93)
    a.alu_const(_XOR, _B, _B, _SIGN)
    r.entry(0x92)
    a.enter_routine(False, 6)
    a.bits(_E, _A, 23, 8)
    a.bits(_F, _B, 23, 8)
    a.alu(_SUB, _D, _E, _F)
    a.branch_const(_LE_S, _D, 0, order)
    a.mark(ordered)
    a.branch_const(_EQ, _F, 0, special)
    a.branch_const(_EQ, _E, 255, special)
    a.alu(_XOR, _S, _A, _B)
    a.bits(_B, _B, 0, 23)
    a.alu_const(_OR, _B, _B, _LEADING)
    a.mark(prepared)
    a.branch_const(_LT_S, _S, 0, negate)
    a.mark(align)
    a.branch_const(_GT_S, _D, 25, keep)
    a.alu_const(_XOR, _S, _D, 31)
    a.alu_const(_SHL, _F, _B, 1)
    a.shift_by(_SHL, _F, _F, _S)
    a.shift_by(_SHR_S, _B, _B, _D)
    a.alu(_ADD, _A, _A, _B)
    a.bits(_D, _A, 23, 8)
    a.branch_if(_NE, _D, _E, moved)
    a.mark(round)
    round_off(a, _F)
    a.mark(keep)
    a.leave_routine()
    _carry_or_borrow(a, moved, round)

    a.mark(negate)
    a.alu_const(_XOR, _B, _B, -1)
    a.alu_const(_ADD, _B, _B, 1)
    a.goto(align)
    _order(a, order, ordered)
    _special_sum(a, special, prepared)


# The end of a routine: rounds A by `rest`, behind which more comes if the sticky register is not
# zero, and returns.
def round_off(a, rest, sticky=None):
    up = []
    tie = []
    a.branch_const(_GT_U, rest, _SIGN, up)
    a.branch_on(_EQ, tie)
    a.leave_routine()
    a.mark(tie)
    if sticky is not None:
        a.branch_const(_NE, sticky, 0, up)
    a.alu_const(_AND, rest, _A, 1)
    a.alu(_ADD, _A, _A, rest)
    a.leave_routine()
    a.mark(up)
    a.alu_const(_ADD, _A, _A, 1)
    a.leave_routine()


# The sum's exponent is not E: more by a carry, or one less by a borrow.
def _carry_or_borrow(a, moved, round):
    borrow = []
    deep = []
    limit = []
    shift = []
    zero = []
    infinite = []
    a.mark(moved)
    a.branch_if(_LT_S, _D, _E, borrow)
    # The fraction, which may have carried twice, goes one place down.
    a.alu_const(_SHL, _S, _A, 31)
    a.or_shifted(_F, _S, _SHR_U, _F, 1)
    a.alu_const(_ADD, _D, _E, 1)
    a.alu_const(_SHL, _D, _D, 23)
    a.alu(_XOR, _S, _A, _D)
    a.bits(_S, _S, 1, 23)
    a.alu_const(_AND, _A, _A, _SIGN)
    a.alu(_OR, _A, _A, _D)
    a.branch_const(_EQ, _E, 254, infinite)
    a.alu(_OR, _A, _A, _S)
    a.goto(round)
    a.mark(infinite)
    a.leave_routine()

    # The fraction goes up by its leading zeros, but not below the least exponent. A keeps sign and
    # exponent, S takes the fraction.
    a.mark(borrow)
    a.bits(_S, _A, 0, 23)
    a.alu(_SUB, _A, _A, _S)
    a.branch_const(_EQ, _S, 0, deep)
    a.unary(_CLZ, _D, _S)
    a.alu_const(_ADD, _D, _D, -8)
    a.branch_if(_GE_U, _D, _E, limit)
    a.mark(shift)
    a.alu_const(_XOR, _B, _D, 31)
    a.shift_by(_SHL, _S, _S, _D)
    a.alu_const(_SHR_U, a.T, _F, 1)
    a.shift_by(_SHR_U, a.T, a.T, _B)
    a.alu(_OR, _S, _S, a.T)
    a.shift_by(_SHL, _F, _F, _D)
    a.alu_const(_SHL, _D, _D, 23)
    a.alu(_SUB, _A, _A, _D)
    a.alu(_ADD, _A, _A, _S)
    a.goto(round)
    # No fraction: then F has one bit at most.
    a.mark(deep)
    a.branch_const(_EQ, _F, 0, zero)
    a.const(_D, 24)
    a.branch_if(_LT_U, _D, _E, shift)
    a.mark(limit)
    a.alu_const(_ADD, _D, _E, -1)
    a.goto(shift)
    a.mark(zero)
    a.const(_A, 0)
    a.leave_routine()


# Swaps A and B if A is less, without their signs.
def _order(a, order, ordered):
    swap = []
    largest = []
    compare = []
    a.mark(order)
    a.branch_const(_NE, _D, 0, swap)
    a.branch_const(_EQ, _E, 254, largest)
    a.mark(compare)
    a.alu_const(_SHL, _S, _A, 1)
    a.alu_const(_SHL, _F, _B, 1)
    a.branch_if(_LT_U, _S, _F, swap)
    a.move(_F, _E)
    a.goto(ordered)
    a.mark(swap)
    a.move(_S, _A)
    a.move(_A, _B)
    a.move(_B, _S)
    a.move(_F, _E)
    a.alu(_SUB, _E, _E, _D)
    a.alu(_SUB, _D, _E, _F)
    a.goto(ordered)
    # Here a sum is infinite, and would carry into the sign.
    a.mark(largest)
    a.alu(_XOR, _S, _A, _B)
    a.branch_const(_LT_S, _S, 0, compare)
    a.alu_const(_AND, _A, _A, _SIGN)
    a.alu_const(_OR, _A, _A, _INF)
    a.leave_routine()


# A is infinite or a NaN, or B is zero or subnormal.
def _special_sum(a, special, prepared):
    infinite = []
    tiny = []
    minus = []
    nan = []
    done = []
    a.mark(special)
    a.alu(_XOR, _S, _A, _B)
    a.branch_const(_EQ, _E, 255, infinite)
    a.bits(_B, _B, 0, 23)
    a.branch_const(_EQ, _E, 0, tiny)
    a.alu_const(_ADD, _D, _D, -1)
    a.goto(prepared)
    a.mark(tiny)
    a.branch_const(_LT_S, _S, 0, minus)
    a.alu(_ADD, _A, _A, _B)
    a.leave_routine()
    a.mark(minus)
    a.alu(_SUB, _A, _A, _B)
    a.alu_const(_SHL, _S, _A, 1)
    a.branch_const(_NE, _S, 0, done)
    a.const(_A, 0)
    a.leave_routine()
    # Equal exponents: if B is a NaN then so is A, which is not less.
    a.mark(infinite)
    is_nan(a, _A, _F, nan)
    a.branch_const(_NE, _D, 0, done)
    a.branch_const(_LT_S, _S, 0, nan)
    a.mark(done)
    a.leave_routine()
    return_nan(a, nan)


def is_nan(a, x, scratch, nan):
    a.alu_const(_SHL, scratch, x, 1)
    a.branch_const(_GT_U, scratch, -0x1000000, nan)


def return_nan(a, nan):
    a.mark(nan)
    a.const(_A, _NAN)
    a.leave_routine()
