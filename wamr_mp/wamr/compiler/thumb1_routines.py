"""ARMv6-M: what other processors have instructions for, as subroutines.

These find their operands in scratch and T, leave their results there, and keep all other
registers; those of one operand keep T. Among the routines they are numbered from -1 down.
"""

from wamr.host import const

_S = const(7)
_T = const(12)

_SUB = const(1)
_MUL = const(2)
_AND = const(7)
_XOR = const(9)
_SHL = const(10)
_SHR_U = const(12)
_GE_S = const(5)
_LT_U = const(8)

_DIVIDE = const(-5)
_PUSH = const(0xB400)
_POP = const(0xBC00)
_BX_LR = const(0x4770)


def subroutine(asm, routines, number):
    routines.entry(number)
    _SUBROUTINES[-1 - number](asm, asm.code.append)


# S = the zeros before the first one, from the top
def _clz(asm, emit):
    _zeros(asm, emit, 0x0800)


# From the bottom.
def _ctz(asm, emit):
    _zeros(asm, emit, 0x0000)


# Halves the place where the first one can be, five times.
def _zeros(asm, emit, shift):
    emit(_PUSH | 0x03)
    asm.const(0, 32)
    for n in (16, 8, 4, 2, 1):
        emit(shift | n << 6 | _S << 3 | 1)  # r1 = s shifted by n
        emit(0xD001)  # beq
        asm._move(_S, 1)
        asm.alu_const(0, 0, 0, -n)
    if not shift:
        emit(0x0FFF)  # lsrs s, s, #31
    emit(0x1BC7)  # subs s, r0, s
    emit(_POP | 0x03)
    emit(_BX_LR)


# Sums of bits side by side: pairs, nibbles, bytes; then the bytes by a multiplication.
def _popcnt(asm, emit):
    emit(_PUSH | 0x07)
    asm._move(0, _S)
    asm.const(2, 0x55555555)
    asm.alu_const(_SHR_U, 1, 0, 1)
    asm.alu(_AND, 1, 1, 2)
    asm.alu(_SUB, 0, 0, 1)
    asm.const(2, 0x33333333)
    asm.alu(_AND, 1, 0, 2)
    asm.alu_const(_SHR_U, 0, 0, 2)
    asm.alu(_AND, 0, 0, 2)
    asm.alu(0, 0, 0, 1)
    asm.alu_const(_SHR_U, 1, 0, 4)
    asm.alu(0, 0, 0, 1)
    asm.alu_const(_AND, 0, 0, 0x0F0F0F0F)
    asm.alu_const(_MUL, 0, 0, 0x01010101)
    asm.alu_const(_SHR_U, 0, 0, 24)
    asm._move(_S, 0)
    emit(_POP | 0x07)
    emit(_BX_LR)


# S = S / T, T = the remainder
def _divide(asm, emit):
    again = []
    emit(_PUSH | 0x0F)
    asm._move(1, _T)
    asm.const(2, 0)
    # Up with the divisor, as long as it is not larger.
    for n in (16, 8, 4, 2, 1):
        less = []
        emit(0x0800 | n << 6 | _S << 3 | 3)  # lsrs r3, s, #
        asm.branch(asm.compare(_LT_U, 3, 1), less)
        asm.alu_const(_SHL, 1, 1, n)
        asm.alu_const(0, 2, 2, n)
        asm.bind(less)
    asm.const(0, 0)
    asm.mark(again)
    emit(0x428F)  # cmp s, r1
    emit(0xD300)  # blo
    emit(0x1A7F)  # subs s, s, r1
    emit(0x4140)  # adcs r0, r0: the quotient's next bit
    asm.alu_const(_SHR_U, 1, 1, 1)
    asm.alu_const(0, 2, 2, -1)
    asm.branch_const(_GE_S, 2, 0, again)
    asm._move(_T, _S)
    asm._move(_S, 0)
    emit(_POP | 0x0F)
    emit(_BX_LR)


# The same of signed numbers: their magnitudes divided, then the signs.
def _divide_signed(asm, emit):
    emit(0xB507)  # push {r0-r2, lr}
    asm._move(0, _T)
    asm._move(1, _S)
    asm._move(2, _S)
    asm.alu(_XOR, 1, 1, 0)
    _negate_if(asm, emit, 2, _S)
    _negate_if(asm, emit, 0, 0)
    asm._move(_T, 0)
    asm.call_subroutine(_DIVIDE)
    _negate_if(asm, emit, 1, _S)
    asm._move(0, _T)
    _negate_if(asm, emit, 2, 0)
    asm._move(_T, 0)
    emit(0xBD07)  # pop {r0-r2, pc}


def _negate_if(asm, emit, sign, r):
    asm.compare_const(_GE_S, sign, 0)
    emit(0xD500)  # bpl
    emit(0x4240 | r << 3 | r)  # rsbs


# T:S = S * T, from the products of their halves
def _multiply(asm, emit):
    emit(_PUSH | 0x0F)
    asm._move(1, _T)
    emit(0xB2BA)  # uxth r2, s
    emit(0x0C3F)  # lsrs s, s, #16
    asm.alu_const(_AND, 0, 1, 0xFFFF)
    asm.alu_const(_SHR_U, 1, 1, 16)
    asm.alu(_MUL, 3, 2, 0)
    asm.alu(_MUL, 2, 2, 1)
    emit(0x4379)  # muls r1, s
    emit(0x4347)  # muls s, r0
    emit(0x18BF)  # adds s, s, r2: it may carry, into bit 16 of the upper word
    asm.const(2, 0)
    emit(0x4152)  # adcs r2, r2
    asm.alu_const(_SHL, 2, 2, 16)
    asm.alu(0, 1, 1, 2)
    emit(0x0C3A)  # lsrs r2, s, #16
    emit(0x043F)  # lsls s, s, #16
    emit(0x18FF)  # adds s, s, r3
    emit(0x4151)  # adcs r1, r2
    asm._move(_T, 1)
    emit(_POP | 0x0F)
    emit(_BX_LR)


_SUBROUTINES = (_clz, _ctz, _popcnt, _divide_signed, _divide, _multiply)
