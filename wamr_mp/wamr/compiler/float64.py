"""Routines: f64 add and sub on 32-bit registers.

Normal numbers go straight through; the others are looked at out of the way. A result is rounded to
nearest, ties to even, by `rest`, the fraction of the last place as a word. A result that is NaN is
the canonical NaN.
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
_LE_U = const(11)
_CLZ = const(0)

_AL = const(0)
_AH = const(1)
_BL = const(2)
_BH = const(3)
_E = const(4)  # A's exponent
_F = const(5)  # B's
_D = const(6)
_S = const(7)
_A = const(0x10100)
_B = const(0x10302)

_SIGN = const(-0x80000000)


def add(a, r, op):
    """add and sub, 0xA0 and 0xA1: A is made the one with the larger exponent, and its exponent
    stays where it is; so a carry or borrow of the fractions is seen in it."""
    order = []
    ordered = []
    special = []
    prepared = []
    negate = []
    align = []
    far = []
    near = []
    moved = []
    round = []
    rest = _F
    r.entry(0xA1)
    a.alu_const(_XOR, _BH, _BH, _SIGN)
    r.entry(0xA0)
    a.enter_routine(True, 8)
    a.bits(_E, _AH, 20, 11)
    a.bits(_F, _BH, 20, 11)
    a.alu(_SUB, _D, _E, _F)
    a.branch_const(_LE_S, _D, 0, order)
    a.mark(ordered)
    a.branch_const(_EQ, _F, 0, special)
    a.branch_const(_EQ, _E, 2047, special)
    a.alu(_XOR, _S, _AH, _BH)
    a.bits(_BH, _BH, 0, 20)
    a.alu_const(_OR, _BH, _BH, 0x100000)
    a.mark(prepared)
    a.branch_const(_LT_S, _S, 0, negate)
    a.mark(align)
    a.branch_const(_GT_S, _D, 31, far)
    a.shift_out(_SHR_S, _BH, _BL, rest, _D)
    a.mark(near)
    a.add_pairs(_ADD, _A, _A, _B)
    a.bits(_D, _AH, 20, 11)
    a.branch_if(_NE, _D, _E, moved)
    a.mark(round)
    round_off(a, rest)
    _carry_or_borrow(a, moved, round)

    a.mark(negate)
    a.const(_S, 0)
    a.add_pairs(_SUB, _B, 0x10000 | _S << 8 | _S, _B)
    a.goto(align)
    _far(a, far, near)
    _order(a, order, ordered)
    _special_sum(a, special, prepared)


# The end of a routine: rounds A and returns. What of the sticky register is not zero comes behind
# `rest`.
def round_off(a, rest, sticky=None):
    up = []
    tie = []
    a.branch_const(_GT_U, rest, _SIGN, up)
    a.branch_on(_EQ, tie)
    a.leave_routine()
    a.mark(tie)
    if sticky is not None:
        a.branch_const(_NE, sticky, 0, up)
    a.alu_const(_AND, rest, _AL, 1)
    a.branch_const(_NE, rest, 0, up)
    a.leave_routine()
    a.mark(up)
    a.add_pairs_const(_A, _A, 1, 0)
    a.leave_routine()


# The sum's exponent is not E: one more by a carry, or one less by a borrow.
def _carry_or_borrow(a, moved, round):
    rest = _F
    borrow = []
    deep = []
    limit = []
    limited = []
    shift = []
    zero = []
    infinite = []
    a.mark(moved)
    a.branch_if(_LT_S, _D, _E, borrow)
    # The fraction, which may have carried twice, goes one place down.
    a.alu_const(_SHL, _S, _AL, 31)
    a.or_shifted(rest, _S, _SHR_U, rest, 1)
    a.alu_const(_SHR_U, _AL, _AL, 1)
    a.or_shifted(_AL, _AL, _SHL, _AH, 31)
    a.alu_const(_ADD, _D, _E, 1)
    a.alu_const(_SHL, _D, _D, 20)
    a.alu(_XOR, _S, _AH, _D)
    a.bits(_S, _S, 1, 20)
    a.alu_const(_AND, _AH, _AH, _SIGN)
    a.alu(_OR, _AH, _AH, _D)
    a.branch_const(_EQ, _E, 2046, infinite)
    a.alu(_OR, _AH, _AH, _S)
    a.goto(round)
    a.mark(infinite)
    a.const(_AL, 0)
    a.leave_routine()

    # The fraction goes up by its leading zeros, but not below the least exponent. AH keeps sign
    # and exponent, S takes its part of the fraction.
    a.mark(borrow)
    a.bits(_S, _AH, 0, 20)
    a.alu(_SUB, _AH, _AH, _S)
    a.branch_const(_EQ, _S, 0, deep)
    a.unary(_CLZ, _D, _S)
    a.alu_const(_ADD, _D, _D, -11)
    a.branch_if(_GE_U, _D, _E, limit)
    a.mark(shift)
    a.shift_in(_S, _AL, rest, _D, _BL)
    a.alu_const(_SHL, _D, _D, 20)
    a.alu(_SUB, _AH, _AH, _D)
    a.alu(_ADD, _AH, _AH, _S)
    a.goto(round)
    # Nothing in the high word: then `rest` has one bit at most.
    a.mark(deep)
    a.unary(_CLZ, _D, _AL)
    a.alu_const(_ADD, _D, _D, 21)
    a.alu(_OR, _BL, _AL, rest)
    a.branch_const(_EQ, _BL, 0, zero)
    a.branch_if(_LT_U, _D, _E, limited)
    a.mark(limit)
    a.alu_const(_ADD, _D, _E, -1)
    a.mark(limited)
    a.branch_const(_LE_U, _D, 31, shift)
    a.move(_S, _AL)
    a.move(_AL, rest)
    a.const(rest, 0)
    a.alu_const(_ADD, _AH, _AH, -(32 << 20))
    a.alu_const(_ADD, _D, _D, -32)
    a.goto(shift)
    a.mark(zero)
    a.const(_AH, 0)
    a.leave_routine()


# B is more than 31 places below A, and does not matter below 54.
def _far(a, far, near):
    rest = _F
    exact = []
    keep = []
    a.mark(far)
    a.branch_const(_GT_S, _D, 54, keep)
    a.alu_const(_ADD, _D, _D, -32)
    a.shift_out(_SHR_S, _BH, _BL, rest, _D)
    a.branch_const(_EQ, rest, 0, exact)
    a.alu_const(_OR, _BL, _BL, 2)  # not the last bit, which a carry would shift out
    a.mark(exact)
    a.move(rest, _BL)
    a.move(_BL, _BH)
    a.alu_const(_SHR_S, _BH, _BH, 31)
    a.goto(near)
    a.mark(keep)
    a.leave_routine()


# Swaps A and B if A is less, without their signs.
def _order(a, order, ordered):
    swap = []
    done = []
    largest = []
    compare = []
    a.mark(order)
    a.branch_const(_NE, _D, 0, swap)
    a.branch_const(_EQ, _E, 2046, largest)
    a.mark(compare)
    a.alu_const(_SHL, _S, _AH, 1)
    a.alu_const(_SHL, _F, _BH, 1)
    a.branch_if(_LT_U, _S, _F, swap)
    a.branch_on(_NE, done)
    a.branch_if(_LT_U, _AL, _BL, swap)
    a.mark(done)
    a.move(_F, _E)
    a.goto(ordered)
    a.mark(swap)
    for x, y in ((_AL, _BL), (_AH, _BH)):
        a.move(_S, x)
        a.move(x, y)
        a.move(y, _S)
    a.move(_F, _E)
    a.alu(_SUB, _E, _E, _D)
    a.alu(_SUB, _D, _E, _F)
    a.goto(ordered)
    # Here a sum is infinite, and would carry into the sign.
    a.mark(largest)
    a.alu(_XOR, _S, _AH, _BH)
    a.branch_const(_LT_S, _S, 0, compare)
    a.alu_const(_AND, _AH, _AH, _SIGN)
    a.alu_const(_OR, _AH, _AH, 0x7FF00000)
    a.const(_AL, 0)
    a.leave_routine()


# A is infinite or a NaN, or B is zero or subnormal.
def _special_sum(a, special, prepared):
    infinite = []
    tiny = []
    minus = []
    nan = []
    done = []
    a.mark(special)
    a.alu(_XOR, _S, _AH, _BH)
    a.branch_const(_EQ, _E, 2047, infinite)
    a.bits(_BH, _BH, 0, 20)
    a.branch_const(_EQ, _E, 0, tiny)
    a.alu_const(_ADD, _D, _D, -1)
    a.goto(prepared)
    a.mark(tiny)
    a.branch_const(_LT_S, _S, 0, minus)
    a.add_pairs(_ADD, _A, _A, _B)
    a.leave_routine()
    a.mark(minus)
    a.add_pairs(_SUB, _A, _A, _B)
    a.alu_const(_SHL, _S, _AH, 1)
    a.alu(_OR, _S, _S, _AL)
    a.branch_const(_NE, _S, 0, done)
    a.const(_AH, 0)
    a.leave_routine()
    # Equal exponents: if B is a NaN then so is A, which is not less.
    a.mark(infinite)
    is_nan(a, _AL, _AH, _F, nan)
    a.branch_const(_NE, _D, 0, done)
    a.branch_const(_LT_S, _S, 0, nan)
    a.mark(done)
    a.leave_routine()
    return_nan(a, nan)


# Branches to `nan` if that is what low and high are.
def is_nan(a, low, high, scratch, nan):
    number = []
    a.alu_const(_SHL, scratch, high, 1)
    a.branch_const(_GT_U, scratch, -0x200000, nan)
    a.branch_on(_NE, number)
    a.branch_const(_NE, low, 0, nan)
    a.mark(number)


def return_nan(a, nan):
    a.mark(nan)
    a.const(_AL, 0)
    a.const(_AH, 0x7FF80000)
    a.leave_routine()
