"""Routines: floats truncated to integers, trapping or saturating when they do not fit."""

from wamr.host import const
from wamr.compiler import context, float32, float64

# Operations and conditions, see numeric.py.
_ADD = const(0)
_OR = const(8)
_XOR = const(9)
_SHL = const(10)
_SHR_U = const(12)
_NE = const(1)
_LT_S = const(4)
_GE_S = const(5)
_GT_S = const(6)
_LE_S = const(7)

_AL = const(0)
_AH = const(1)
_N = const(2)
_X = const(3)
_S = const(4)
_A = const(0x10100)

_SIGN = const(-0x80000000)


# Bits of a truncation: 1 unsigned, 2 from f64, 4 to i64, 8 saturating.
def _about(op):
    if op >= 0xFC00:
        return op - 0xFC00 | 8
    return op - (0xA8 if op < 0xAC else 0xAA)


def to_i32(a, r, op):
    """The number's highest 32 bits go down to where they belong."""
    about = _about(op)
    out = []
    zero = []
    negative = []
    nan = []
    r.entry(op)
    # The word with the sign; the bits; how far they go.
    if about & 2:
        s, m, n = _AH, 2, 3
        bias = 1023
        a.enter_routine(True, 4)
        a.bits(n, s, 20, 11)
        a.alu_const(_SHL, m, s, 11)
        a.or_shifted(m, m, _SHR_U, _AL, 21)
    else:
        s, m, n = _AL, 1, 2
        bias = 127
        a.enter_routine(False, 3)
        a.bits(n, s, 23, 8)
        a.alu_const(_SHL, m, s, 8)
    a.alu_const(_OR, m, m, _SIGN)
    a.alu_const(_XOR, n, n, -1)
    a.alu_const(_ADD, n, n, bias + 32)
    a.branch_const(_LT_S, n, 0, out)
    a.branch_const(_GT_S, n, 31, zero)
    if about & 1:
        a.branch_const(_LT_S, s, 0, out)
    a.shift_by(_SHR_U, m, m, n)
    if not about & 1:
        a.branch_const(_LT_S, s, 0, negative)
        a.branch_const(_LT_S, m, 0, out)
    a.move(_AL, m)
    a.leave_routine()
    if not about & 1:
        a.mark(negative)
        a.alu_const(_XOR, m, m, -1)
        a.alu_const(_ADD, m, m, 1)
        a.branch_const(_GE_S, m, 0, out)
        a.move(_AL, m)
        a.leave_routine()
    a.mark(zero)
    a.const(_AL, 0)
    a.leave_routine()

    a.mark(out)
    if about & 2:
        float64.is_nan(a, _AL, _AH, m, nan)
    else:
        float32.is_nan(a, _AL, m, nan)
    if not about & 8:
        _trap(r, a, nan)
        return
    below = []
    a.branch_const(_LT_S, s, 0, below)
    a.const(_AL, -1 if about & 1 else 0x7FFFFFFF)
    a.leave_routine()
    a.mark(below)
    if not about & 1:
        a.const(_AL, _SIGN)
        a.leave_routine()
    a.mark(nan)
    a.const(_AL, 0)
    a.leave_routine()


def _trap(r, a, nan):
    r.trap(context.INTEGER_OVERFLOW)
    a.mark(nan)
    r.trap(context.INVALID_CONVERSION)


def to_i64(a, r, op):
    about = _about(op)
    extreme = []
    out = []
    zero = []
    few = []
    negative = []
    nan = []
    r.entry(op)
    a.enter_routine(True, 5)
    # A: the bits from the top; N: how far they go down; S: a word with the sign.
    if about & 2:
        bias = 1023
        a.move(_S, _AH)
        a.bits(_N, _AH, 20, 11)
        a.alu_const(_SHL, _AH, _AH, 11)
        a.or_shifted(_AH, _AH, _SHR_U, _AL, 21)
        a.alu_const(_SHL, _AL, _AL, 11)
    else:
        bias = 127
        a.move(_S, _AL)
        a.bits(_N, _AL, 23, 8)
        a.alu_const(_SHL, _AH, _AL, 8)
        a.const(_AL, 0)
    a.alu_const(_OR, _AH, _AH, _SIGN)
    a.alu_const(_XOR, _N, _N, -1)
    a.alu_const(_ADD, _N, _N, bias + 64)
    a.branch_const(_LT_S, _N, 0, extreme)
    a.branch_const(_GT_S, _N, 63, zero)
    if about & 1:
        a.branch_const(_LT_S, _S, 0, out)
    a.branch_const(_LE_S, _N, 31, few)
    a.move(_AL, _AH)
    a.const(_AH, 0)
    a.alu_const(_ADD, _N, _N, -32)
    a.mark(few)
    a.shift_out(_SHR_U, _AH, _AL, _X, _N)
    if not about & 1:
        a.branch_const(_LT_S, _S, 0, negative)
        a.branch_const(_LT_S, _AH, 0, out)
        a.leave_routine()
        a.mark(negative)
        a.alu_const(_XOR, _AL, _AL, -1)
        a.alu_const(_XOR, _AH, _AH, -1)
        a.add_pairs_const(_A, _A, 1, 0)
        a.branch_const(_GE_S, _AH, 0, out)
    a.leave_routine()

    # A NaN has a fraction.
    a.mark(extreme)
    a.branch_const(_NE, _N, bias + 63 - (2 * bias + 1), out)
    a.alu_const(_SHL, _X, _AH, 1)
    a.alu(_OR, _X, _X, _AL)
    a.branch_const(_NE, _X, 0, nan)
    a.mark(out)
    if not about & 8:
        _trap(r, a, nan)
        a.mark(zero)
    else:
        below = []
        a.branch_const(_LT_S, _S, 0, below)
        a.const(_AL, -1)
        a.const(_AH, -1 if about & 1 else 0x7FFFFFFF)
        a.leave_routine()
        a.mark(below)
        if not about & 1:
            a.const(_AL, 0)
            a.const(_AH, _SIGN)
            a.leave_routine()
        a.mark(nan)
        a.mark(zero)
    a.const_wide(_A, 0)
    a.leave_routine()
