"""Routines: comparisons of floats: -1, 0, 1, 2 if the first is less, equal, greater, unordered."""

from wamr.host import const
from wamr.compiler import float32

# Operations and conditions, see numeric.py.
_OR = const(8)
_XOR = const(9)
_SHL = const(10)
_EQ = const(0)
_NE = const(1)
_LT_S = const(4)
_LT_U = const(8)
_GE_U = const(9)
_GT_U = const(10)

_AL = const(0)
_AH = const(1)
_BL = const(2)
_BH = const(3)


def compare32(a, r, op):
    """By the name of 0x5B."""
    x = 2
    less = []
    greater = []
    equal = []
    negative = []
    opposite = []
    nan = []
    r.entry(op)
    a.enter_routine(False, 3)
    float32.is_nan(a, 0, x, nan)
    float32.is_nan(a, 1, x, nan)
    a.branch_if(_EQ, 0, 1, equal)
    a.alu(_OR, x, 0, 1)
    a.branch_const(_LT_S, x, 0, negative)
    a.branch_if(_LT_S, 0, 1, less)
    a.mark(greater)
    _answer(a, 1)
    # As integers, negative numbers are in reverse.
    a.mark(negative)
    a.alu(_XOR, x, 0, 1)
    a.branch_const(_LT_S, x, 0, opposite)
    a.branch_if(_LT_S, 0, 1, greater)
    a.mark(less)
    _answer(a, -1)
    # Zeros are equal, whatever their signs.
    a.mark(opposite)
    a.alu(_OR, x, 0, 1)
    a.alu_const(_SHL, x, x, 1)
    a.branch_const(_EQ, x, 0, equal)
    a.branch_const(_LT_S, 0, 0, less)
    _answer(a, 1)
    a.mark(equal)
    _answer(a, 0)
    a.mark(nan)
    _answer(a, 2)


def compare64(a, r, op):
    """By the name of 0x61."""
    x = 4
    less = []
    greater = []
    equal = []
    highs = []
    negative = []
    opposite = []
    nan = []
    r.entry(op)
    a.enter_routine(True, 5)
    checks = []
    for low, high in ((_AL, _AH), (_BL, _BH)):
        check = [], [], low
        a.alu_const(_SHL, x, high, 1)
        a.branch_const(_GE_U, x, -0x200000, check[0])
        a.mark(check[1])
        checks.append(check)
    a.branch_if(_NE, _AH, _BH, highs)
    a.branch_if(_EQ, _AL, _BL, equal)
    a.branch_const(_LT_S, _AH, 0, negative)
    a.branch_if(_LT_U, _AL, _BL, less)
    a.mark(greater)
    _answer(a, 1)
    a.mark(negative)
    a.branch_if(_LT_U, _AL, _BL, greater)
    a.mark(less)
    _answer(a, -1)
    # As integers, negative numbers are in reverse.
    a.mark(highs)
    a.alu(_OR, x, _AH, _BH)
    both = []
    a.branch_const(_LT_S, x, 0, both)
    a.branch_if(_LT_S, _AH, _BH, less)
    _answer(a, 1)
    a.mark(both)
    a.alu(_XOR, x, _AH, _BH)
    a.branch_const(_LT_S, x, 0, opposite)
    a.branch_if(_LT_S, _AH, _BH, greater)
    _answer(a, -1)
    # Zeros are equal, whatever their signs.
    a.mark(opposite)
    a.alu(_OR, x, _AH, _BH)
    a.alu_const(_SHL, x, x, 1)
    a.alu(_OR, x, x, _AL)
    a.alu(_OR, x, x, _BL)
    a.branch_const(_EQ, x, 0, equal)
    a.branch_const(_LT_S, _AH, 0, less)
    _answer(a, 1)
    a.mark(equal)
    _answer(a, 0)
    for check, back, low in checks:
        a.mark(check)
        a.branch_const(_GT_U, x, -0x200000, nan)
        a.branch_const(_NE, low, 0, nan)
        a.goto(back)
    a.mark(nan)
    _answer(a, 2)


# Returns it.
def _answer(a, value):
    a.const(0, value)
    a.leave_routine()
