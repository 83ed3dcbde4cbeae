"""Routines: floats rounded to integers (ceil, floor, trunc, nearest), min and max.

What carries into the integer part is added if that is to grow, then the fraction is cleared.
"""

from wamr.host import const
from wamr.compiler import float32, float64

# Operations and conditions, see numeric.py.
_ADD = const(0)
_AND = const(7)
_OR = const(8)
_XOR = const(9)
_SHL = const(10)
_SHR_U = const(12)
_EQ = const(0)
_LT_S = const(4)
_GE_S = const(5)
_GE_U = const(9)
_LE_U = const(11)

_AL = const(0)
_AH = const(1)
_BL = const(2)
_BH = const(3)
_X = const(4)
_A = const(0x10100)
_B = const(0x10302)

_SIGN = const(-0x80000000)

# By opcode, less that of abs.
_CEIL = const(2)
_TRUNC = const(4)
_NEAREST = const(5)


def round32(a, r, op):
    """0x8D to 0x90."""
    x = 2
    mask = 1
    below_one = []
    whole = []
    nan = []
    r.entry(op)
    op -= 0x8B
    a.enter_routine(False, 3)
    a.bits(x, 0, 23, 8)
    a.alu_const(_ADD, x, x, -127)
    a.branch_const(_GE_S, x, 23, whole)
    a.branch_const(_LT_S, x, 0, below_one)
    a.const(mask, 0x7FFFFF)
    a.shift_by(_SHR_U, mask, mask, x)
    same = []
    if op == _NEAREST:
        # Less than a half to add if the integer part is even. (The exponent of one, where its
        # lowest bit would be, is odd.)
        a.alu_const(_ADD, x, mask, 1)
        a.alu(_AND, x, x, 0)
        a.branch_const(_EQ, x, 0, same)
        a.alu_const(_ADD, 0, 0, 1)
        a.mark(same)
        a.alu_const(_SHR_U, x, mask, 1)
        a.alu(_ADD, 0, 0, x)
    elif op != _TRUNC:
        a.branch_const(_LT_S if op == _CEIL else _GE_S, 0, 0, same)
        a.alu(_ADD, 0, 0, mask)
        a.mark(same)
    a.alu_const(_XOR, mask, mask, -1)
    a.alu(_AND, 0, 0, mask)
    a.leave_routine()
    a.mark(below_one)
    a.alu_const(_SHL, x, 0, 1)
    _below_one(a, op, 0, x, 0x7E000000, 0x3F800000)
    a.leave_routine()
    a.mark(whole)
    float32.is_nan(a, 0, x, nan)
    a.leave_routine()
    float32.return_nan(a, nan)


# Makes the word that has the sign that of zero or one. magnitude: the number's, in order; half:
# that of 0.5.
def _below_one(a, op, word, magnitude, half, one):
    zero = []
    done = []
    if op != _TRUNC:
        if op == _NEAREST:
            a.branch_const(_LE_U, magnitude, half, zero)
        else:
            a.branch_const(_EQ, magnitude, 0, zero)
            a.branch_const(_LT_S if op == _CEIL else _GE_S, word, 0, zero)
        a.alu_const(_AND, word, word, _SIGN)
        a.alu_const(_OR, word, word, one)
        a.goto(done)
    a.mark(zero)
    a.alu_const(_AND, word, word, _SIGN)
    a.mark(done)


def round64(a, r, op):
    """0x9B to 0x9E. B is the mask."""
    below_one = []
    low = []
    masked = []
    whole = []
    nan = []
    r.entry(op)
    op -= 0x99
    a.enter_routine(True, 5)
    a.bits(_X, _AH, 20, 11)
    a.alu_const(_ADD, _X, _X, -1023)
    a.branch_const(_GE_S, _X, 52, whole)
    a.branch_const(_LT_S, _X, 0, below_one)
    a.const(_BL, -1)
    a.branch_const(_GE_S, _X, 20, low)
    a.const(_BH, 0xFFFFF)
    a.shift_by(_SHR_U, _BH, _BH, _X)
    a.goto(masked)
    a.mark(low)
    a.alu_const(_ADD, _X, _X, -20)
    a.shift_by(_SHR_U, _BL, _BL, _X)
    a.const(_BH, 0)
    a.mark(masked)
    same = []
    if op == _NEAREST:
        _add_half(a)
    elif op != _TRUNC:
        a.branch_const(_LT_S if op == _CEIL else _GE_S, _AH, 0, same)
        a.add_pairs(_ADD, _A, _A, _B)
        a.mark(same)
    a.alu_const(_XOR, _BL, _BL, -1)
    a.alu(_AND, _AL, _AL, _BL)
    a.alu_const(_XOR, _BH, _BH, -1)
    a.alu(_AND, _AH, _AH, _BH)
    a.leave_routine()
    a.mark(below_one)
    empty = []
    a.alu_const(_SHL, _X, _AH, 1)
    a.branch_const(_EQ, _AL, 0, empty)
    a.alu_const(_OR, _X, _X, 1)
    a.mark(empty)
    _below_one(a, op, _AH, _X, 0x7FC00000, 0x3FF00000)
    a.const(_AL, 0)
    a.leave_routine()
    a.mark(whole)
    float64.is_nan(a, _AL, _AH, _X, nan)
    a.leave_routine()
    float64.return_nan(a, nan)


# Less than a half if the integer part is even: its lowest bit is in the low word, unless that is
# all fraction.
def _add_half(a):
    high = []
    found = []
    even = []
    a.branch_const(_EQ, _BL, -1, high)
    a.alu_const(_ADD, _X, _BL, 1)
    a.alu(_AND, _X, _X, _AL)
    a.goto(found)
    a.mark(high)
    a.alu_const(_ADD, _X, _BH, 1)
    a.alu(_AND, _X, _X, _AH)
    a.mark(found)
    a.branch_const(_EQ, _X, 0, even)
    a.add_pairs_const(_A, _A, 1, 0)
    a.mark(even)
    a.alu_const(_SHR_U, _BL, _BL, 1)
    a.or_shifted(_BL, _BL, _SHL, _BH, 31)
    a.alu_const(_SHR_U, _BH, _BH, 1)
    a.add_pairs(_ADD, _A, _A, _B)
    # The mask again.
    a.alu_const(_SHL, _BH, _BH, 1)
    a.or_shifted(_BH, _BH, _SHR_U, _BL, 31)
    a.alu_const(_SHL, _BL, _BL, 1)
    a.alu_const(_OR, _BL, _BL, 1)


def minmax(a, r, op):
    """min and max: 0x96 and 0x97, of f64 0xA4 and 0xA5."""
    wide = op > 0x97
    least = op == 0x96 or op == 0xA4
    x = _X if wide else 2
    negative = []
    keep = []
    nan = []
    r.entry(op)
    a.enter_routine(wide, x + 1)
    if wide:
        float64.is_nan(a, _AL, _AH, x, nan)
        float64.is_nan(a, _BL, _BH, x, nan)
        a.alu(_OR, x, _AH, _BH)
    else:
        float32.is_nan(a, 0, x, nan)
        float32.is_nan(a, 1, x, nan)
        a.alu(_OR, x, 0, 1)
    # As integers, negative numbers come after all others and in reverse.
    a.branch_const(_LT_S, x, 0, negative)
    for condition in (_LE_U, _GE_U) if least else (_GE_U, _LE_U):
        if wide:
            a.branch_on(a.compare_wide(condition, _A, _B), keep)
            a.move_wide(_A, _B)
        else:
            a.branch_if(condition, 0, 1, keep)
            a.move(0, 1)
        a.leave_routine()
        if negative[0] >= 0:
            a.mark(negative)
    a.mark(keep)
    a.leave_routine()
    if wide:
        float64.return_nan(a, nan)
    else:
        float32.return_nan(a, nan)
