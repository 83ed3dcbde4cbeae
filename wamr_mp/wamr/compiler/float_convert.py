"""Routines: integers to floats, and floats to floats of the other width."""

from wamr.host import const
from wamr.compiler import float32, float64

# Operations and conditions, see numeric.py.
_ADD = const(0)
_SUB = const(1)
_AND = const(7)
_OR = const(8)
_XOR = const(9)
_SHL = const(10)
_SHR_U = const(12)
_EQ = const(0)
_NE = const(1)
_LT_S = const(4)
_GE_S = const(5)
_GE_U = const(9)
_GT_U = const(10)
_LE_U = const(11)
_CLZ = const(0)

_AL = const(0)
_AH = const(1)
_S = const(2)  # sign, then exponent too
_N = const(3)
_X = const(4)
_A = const(0x10100)

_SIGN = const(-0x80000000)


def from_i32(a, r, op):
    """f32: 0xB2 signed, 0xB3 unsigned; f64: 0xB7, 0xB8."""
    wide = op >= 0xB7
    signed = op == 0xB2 or op == 0xB7
    word = _AL
    s, n = (_S, _N) if wide else (1, 2)
    zero = []
    positive = []
    r.entry(op)
    a.enter_routine(wide, n + 1)
    a.branch_const(_EQ, word, 0, zero)
    if signed:
        a.alu_const(_AND, s, word, _SIGN)
        a.branch_const(_GE_S, word, 0, positive)
        a.alu_const(_XOR, word, word, -1)
        a.alu_const(_ADD, word, word, 1)
        a.mark(positive)
    else:
        a.const(s, 0)
    # The leading bit, at the top, will add one to the exponent.
    a.unary(_CLZ, n, word)
    a.shift_by(_SHL, word, word, n)
    a.alu_const(_XOR, n, n, -1)
    a.alu_const(_ADD, n, n, (1023 if wide else 127) + 31)
    a.or_shifted(s, s, _SHL, n, 20 if wide else 23)
    if wide:
        a.alu_const(_SHR_U, _AH, _AL, 11)
        a.alu(_ADD, _AH, _AH, s)
        a.alu_const(_SHL, _AL, _AL, 21)
        a.leave_routine()
        a.mark(zero)
        a.const(_AH, 0)
    else:
        a.alu_const(_SHL, n, word, 24)
        a.alu_const(_SHR_U, word, word, 8)
        a.alu(_ADD, word, word, s)
        float32.round_off(a, n)
        a.mark(zero)
    a.leave_routine()


def from_i64(a, r, op):
    """f32: 0xB4 signed, 0xB5 unsigned; f64: 0xB9, 0xBA."""
    wide = op >= 0xB7
    signed = op == 0xB4 or op == 0xB9
    zero = []
    positive = []
    high = []
    r.entry(op)
    a.enter_routine(True, 5)
    a.branch_on(a.compare_const_wide(_EQ, _A, 0), zero)
    if signed:
        a.alu_const(_AND, _S, _AH, _SIGN)
        a.branch_const(_GE_S, _AH, 0, positive)
        a.alu_const(_XOR, _AL, _AL, -1)
        a.alu_const(_XOR, _AH, _AH, -1)
        a.add_pairs_const(_A, _A, 1, 0)
        a.mark(positive)
    else:
        a.const(_S, 0)
    # The leading bit goes to the top; it will add one to the exponent.
    a.const(_X, (1023 if wide else 127) + 62)
    a.branch_const(_NE, _AH, 0, high)
    a.alu_const(_ADD, _X, _X, -32)
    a.move(_AH, _AL)
    a.const(_AL, 0)
    a.mark(high)
    a.unary(_CLZ, _N, _AH)
    a.alu(_SUB, _X, _X, _N)
    a.or_shifted(_S, _S, _SHL, _X, 20 if wide else 23)
    a.alu_const(_XOR, _X, _N, 31)
    a.alu_const(_SHR_U, a.T, _AL, 1)
    a.shift_by(_SHR_U, a.T, a.T, _X)
    a.shift_by(_SHL, _AH, _AH, _N)
    a.alu(_OR, _AH, _AH, a.T)
    a.shift_by(_SHL, _AL, _AL, _N)
    if wide:
        a.alu_const(_SHL, _N, _AL, 21)
        a.alu_const(_SHR_U, _AL, _AL, 11)
        a.or_shifted(_AL, _AL, _SHL, _AH, 21)
        a.alu_const(_SHR_U, _AH, _AH, 11)
        a.alu(_ADD, _AH, _AH, _S)
        float64.round_off(a, _N)
    else:
        a.move(_X, _AL)
        a.alu_const(_SHL, _N, _AH, 24)
        a.alu_const(_SHR_U, _AL, _AH, 8)
        a.alu(_ADD, _AL, _AL, _S)
        float32.round_off(a, _N, _X)
    a.mark(zero)
    a.leave_routine()


def promote(a, r, op):
    """f64 from f32, 0xBB."""
    special = []
    infinite = []
    zero = []
    pack = []
    nan = []
    r.entry(op)
    a.enter_routine(True, 5)
    a.alu_const(_AND, _S, _AL, _SIGN)
    a.bits(_N, _AL, 23, 8)
    a.alu_const(_ADD, _X, _N, -1)
    a.branch_const(_GE_U, _X, 254, special)
    a.bits(_AH, _AL, 3, 28)
    a.mark(pack)
    a.alu_const(_ADD, _AH, _AH, 1023 - 127 << 20)
    a.alu(_OR, _AH, _AH, _S)
    a.alu_const(_SHL, _AL, _AL, 29)
    a.leave_routine()
    a.mark(special)
    a.alu_const(_SHL, _X, _AL, 1)
    a.branch_const(_EQ, _X, 0, zero)
    a.branch_const(_NE, _N, 0, infinite)
    # Subnormal: the leading bit goes where those of normal numbers are, and adds one to the
    # exponent.
    a.bits(_AL, _AL, 0, 23)
    a.unary(_CLZ, _N, _AL)
    a.alu_const(_ADD, _N, _N, -8)
    a.shift_by(_SHL, _AL, _AL, _N)
    a.alu_const(_SHL, _N, _N, 20)
    a.alu_const(_SHR_U, _AH, _AL, 3)
    a.alu(_SUB, _AH, _AH, _N)
    a.goto(pack)
    a.mark(infinite)
    a.branch_const(_GT_U, _X, -0x1000000, nan)
    a.alu_const(_OR, _S, _S, 0x7FF00000)
    a.mark(zero)
    a.move(_AH, _S)
    a.const(_AL, 0)
    a.leave_routine()
    float64.return_nan(a, nan)


def demote(a, r, op):
    """f32 from f64, 0xB6."""
    special = []
    tiny = []
    shift = []
    nan = []
    r.entry(op)
    a.enter_routine(True, 5)
    a.alu_const(_AND, _S, _AH, _SIGN)
    a.bits(_N, _AH, 20, 11)
    a.alu_const(_ADD, _N, _N, 127 - 1023 - 1)
    a.branch_const(_GE_U, _N, 254, special)
    # (Exponents are equal when counted modulo 2**9.)
    a.alu_const(_SHL, _X, _AH, 3)
    a.or_shifted(_X, _X, _SHR_U, _AL, 29)
    a.alu_const(_ADD, _X, _X, 0x40000000)
    a.alu_const(_SHL, _N, _AL, 3)
    a.alu(_OR, _AL, _X, _S)
    float32.round_off(a, _N)
    a.mark(special)
    a.branch_const(_LT_S, _N, 0, tiny)
    float64.is_nan(a, _AL, _AH, _X, nan)
    a.alu_const(_OR, _AL, _S, 0x7F800000)
    a.leave_routine()
    # Down by -N places; 31 leave nothing.
    a.mark(tiny)
    a.alu_const(_XOR, _N, _N, -1)
    a.alu_const(_ADD, _N, _N, 1)
    a.branch_const(_LE_U, _N, 31, shift)
    a.const(_N, 31)
    a.mark(shift)
    a.bits(_X, _AH, 0, 20)
    a.alu_const(_OR, _X, _X, 0x100000)
    a.alu_const(_SHL, _X, _X, 3)
    a.or_shifted(_X, _X, _SHR_U, _AL, 29)
    a.alu_const(_SHL, _AH, _AL, 3)  # sticky
    a.shift_by(_SHR_U, _AL, _X, _N)
    a.alu(_OR, _AL, _AL, _S)
    a.alu_const(_SHL, _X, _X, 1)
    a.alu_const(_XOR, a.T, _N, 31)
    a.shift_by(_SHL, _N, _X, a.T)
    float32.round_off(a, _N, _AH)
    float32.return_nan(a, nan)
