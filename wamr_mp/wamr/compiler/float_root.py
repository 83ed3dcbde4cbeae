"""Routines: square roots, bit by bit.

Q is the root so far, R the next bit, X what is left of the number: the bit is one if 2 * Q + R is
not more than X, and then taken from it. One bit more than is kept rounds, as no root lies
half way between two numbers.
"""

from wamr.host import const
from wamr.compiler import float32, float64

# Operations and conditions, see numeric.py.
_ADD = const(0)
_SUB = const(1)
_AND = const(7)
_OR = const(8)
_SHL = const(10)
_SHR_S = const(11)
_SHR_U = const(12)
_EQ = const(0)
_NE = const(1)
_LT_S = const(4)
_LT_U = const(8)
_GT_U = const(10)
_CLZ = const(0)


# f32
_X = const(0)
_Q = const(1)
_R = const(2)
_E = const(3)
_D = const(4)

# f64: the number is A
_AL = const(0)
_AH = const(1)
_A = const(0x10100)
_QQ = const(0x10302)
_RL = const(4)
_RH = const(5)
_RR = const(0x10504)
_DD = const(0x10706)


def root32(a, r, op):
    """0x91."""
    special = []
    normal = []
    odd = []
    again = []
    less = []
    r.entry(op)
    a.enter_routine(False, 5)
    a.bits(_E, _X, 23, 8)
    a.branch_const(_EQ, _E, 0, special)
    a.branch_const(_LT_S, _X, 0, special)
    a.branch_const(_EQ, _E, 255, special)
    a.bits(_X, _X, 0, 23)
    a.alu_const(_OR, _X, _X, 0x800000)
    a.mark(normal)
    a.alu_const(_SHL, _X, _X, 1)
    a.alu_const(_AND, _D, _E, 1)
    a.branch_const(_NE, _D, 0, odd)
    a.alu_const(_SHL, _X, _X, 1)
    a.mark(odd)
    a.const(_Q, 0)
    a.const(_R, 0x1000000)
    a.mark(again)
    a.alu_const(_SHL, _D, _Q, 1)
    a.alu(_ADD, _D, _D, _R)
    a.branch_if(_LT_U, _X, _D, less)
    a.alu(_SUB, _X, _X, _D)
    a.alu(_ADD, _Q, _Q, _R)
    a.mark(less)
    a.alu_const(_SHL, _X, _X, 1)
    a.alu_const(_SHR_U, _R, _R, 1)
    a.branch_const(_NE, _R, 0, again)
    # The leading bit adds one to the exponent.
    a.alu_const(_ADD, _E, _E, 127)
    a.alu_const(_SHR_S, _E, _E, 1)
    a.alu_const(_ADD, _E, _E, -1)
    a.alu_const(_SHL, _E, _E, 23)
    a.alu_const(_ADD, _Q, _Q, 1)
    a.alu_const(_SHR_U, _Q, _Q, 1)
    a.alu(_ADD, _X, _Q, _E)
    a.leave_routine()

    nan = []
    done = []
    a.mark(special)
    a.alu_const(_SHL, _D, _X, 1)
    a.branch_const(_EQ, _D, 0, done)
    a.branch_const(_LT_S, _X, 0, nan)
    a.branch_const(_GT_U, _D, -0x1000000, nan)
    a.branch_const(_NE, _E, 0, done)
    # Subnormal.
    a.unary(_CLZ, _D, _X)
    a.alu_const(_ADD, _D, _D, -8)
    a.shift_by(_SHL, _X, _X, _D)
    a.const(_E, 1)
    a.alu(_SUB, _E, _E, _D)
    a.goto(normal)
    a.mark(done)
    a.leave_routine()
    float32.return_nan(a, nan)


def root64(a, r, op):
    """0x9F."""
    special = []
    normal = []
    odd = []
    again = []
    less = []
    r.entry(op)
    a.enter_routine(True, 8, 1)
    a.bits(_RL, _AH, 20, 11)
    a.branch_const(_EQ, _RL, 0, special)
    a.branch_const(_LT_S, _AH, 0, special)
    a.branch_const(_EQ, _RL, 2047, special)
    a.bits(_AH, _AH, 0, 20)
    a.alu_const(_OR, _AH, _AH, 0x100000)
    a.mark(normal)
    a.store_word(_RL, 0)
    a.add_pairs(_ADD, _A, _A, _A)
    a.alu_const(_AND, _RH, _RL, 1)
    a.branch_const(_NE, _RH, 0, odd)
    a.add_pairs(_ADD, _A, _A, _A)
    a.mark(odd)
    a.const_wide(_QQ, 0)
    a.const(_RL, 0)
    a.const(_RH, 0x200000)
    a.mark(again)
    a.add_pairs(_ADD, _DD, _QQ, _QQ)
    a.add_pairs(_ADD, _DD, _DD, _RR)
    a.branch_on(a.compare_wide(_LT_U, _A, _DD), less)
    a.add_pairs(_SUB, _A, _A, _DD)
    a.add_pairs(_ADD, _QQ, _QQ, _RR)
    a.mark(less)
    a.add_pairs(_ADD, _A, _A, _A)
    a.alu_const(_SHR_U, _RL, _RL, 1)
    a.or_shifted(_RL, _RL, _SHL, _RH, 31)
    a.alu_const(_SHR_U, _RH, _RH, 1)
    a.branch_on(a.compare_const_wide(_NE, _RR, 0), again)
    # The leading bit adds one to the exponent.
    a.load_word(_RL, 0)
    a.alu_const(_ADD, _RL, _RL, 1023)
    a.alu_const(_SHR_S, _RL, _RL, 1)
    a.alu_const(_ADD, _RL, _RL, -1)
    a.alu_const(_SHL, _RL, _RL, 20)
    a.add_pairs_const(_QQ, _QQ, 1, 0)
    a.alu_const(_SHR_U, _AL, 2, 1)
    a.or_shifted(_AL, _AL, _SHL, 3, 31)
    a.alu_const(_SHR_U, _AH, 3, 1)
    a.alu(_ADD, _AH, _AH, _RL)
    a.leave_routine()

    nan = []
    done = []
    above = []
    a.mark(special)
    float64.is_nan(a, _AL, _AH, 2, nan)
    a.alu_const(_SHL, 2, _AH, 1)
    a.alu(_OR, 2, 2, _AL)
    a.branch_const(_EQ, 2, 0, done)
    a.branch_const(_LT_S, _AH, 0, nan)
    a.branch_const(_NE, _RL, 0, done)
    # Subnormal: up until bit 52 is set.
    a.mark(above)
    a.add_pairs(_ADD, _A, _A, _A)
    a.alu_const(_ADD, _RL, _RL, -1)
    a.alu_const(_SHR_U, 2, _AH, 20)
    a.branch_const(_EQ, 2, 0, above)
    a.alu_const(_ADD, _RL, _RL, 1)
    a.goto(normal)
    a.mark(done)
    a.leave_routine()
    float64.return_nan(a, nan)
