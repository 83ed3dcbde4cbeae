"""Numeric instructions."""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.bounds import compute
from wamr.compiler.calls import by_routine, operation
from wamr.compiler.control import branch_else, branch_if, compare, trap
from wamr.compiler.memory import select_if
from wamr.compiler.scan import leb, skip
from wamr.compiler.values import (
    is_float,
    is_temp,
    memory_cell,
    release,
    result,
    result_of,
    temp,
    use,
)

_KIND = const(3)
_REG = const(0)
_LOCAL = const(1)
_CONST = const(3)
_WIDE = const(4)
_TYPE = const(12)

_I64 = const(4)
_ZERO = const(3)  # the constant 0 as an operand

# Binary operations are numbered as wasm's: add sub mul div_s div_u rem_s rem_u and or xor shl
# shr_s shr_u rotl rotr.
_ADD = const(0)
_SUB = const(1)
_MUL = const(2)
_DIV_S = const(3)
_DIV_U = const(4)
_REM_S = const(5)
_OR = const(8)
_XOR = const(9)
_SHL = const(10)
_SHR_U = const(12)
_ROTL = const(13)
_COMMUTES = b"\1\0\1\0\0\0\0\1\1\1\0\0\0\0\0"

# Conditions: the opposite of one is its number ^ 1, that for swapped operands (from 4 on) ^ 2.
# In wasm's order: eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u.
_CONDITIONS = b"\x00\x01\x04\x08\x06\x0a\x07\x0b\x05\x09"
_EQ = const(0)
_NE = const(1)
_FLOATS = const(16)  # those of floats, see control.py


# ---- comparisons


def comparison(f, op, pc):
    b = f.stack.pop()
    op = _CONDITIONS[op - 0x46 if op < 0x50 else op - 0x51]
    return truth(f, op, f.stack.pop(), b, pc)


# The truth of a comparison; if a branch follows, it is that branch's condition.
def truth(f, condition, a, b, pc):
    while f.code[pc] == 0x45:
        pc += 1
        condition ^= 1
    if f.code[pc] == 0x0D:
        pc += 1
        return branch_if(f, condition, a, b, pc)
    if f.code[pc] == 0x04:
        pc += 1
        return branch_else(f, condition, a, b, pc)
    if f.code[pc] == 0x1B and f.asm.FLAGS:
        pc += 1
        return select_if(f, condition, a, b, pc)
    condition = compare(f, condition, a, b)
    f.asm.set(condition, result(f, pc))
    return f.next


# ---- integers


def unary(f, op, pc):
    if op >= 0x79 and not f.asm.WIDE:
        return by_routine(f, op, pc, 1, _I64)
    x = use(f, f.stack.pop())
    release(f, x)
    if op >= 0x79:
        f.asm.unary_wide(op - 0x79, result(f, pc, _I64), x)
    else:
        f.asm.unary(op - 0x67, result(f, pc), x)
    return f.next


def binary(f, op, pc):
    b = f.stack.pop()
    a = f.stack.pop()
    op -= 0x6A
    if a & _KIND == _CONST and _COMMUTES[op]:
        a, b = b, a
    a = use(f, a) if a & _KIND else a >> 4
    if b & _KIND == _CONST:
        f.free |= 1 << a
        b >>= 4
        if op >= _SHL:
            if f.asm.SHIFTS and _shifted(f, op, pc, a, b):
                return f.next
        elif op == _SUB:
            op = _ADD
            b = -b
        if 0x21 < f.code[pc] < 0x42 and op in b"\0\2\7\x0a\x0c":  # for an address, maybe
            return compute(f, op, pc, a, b)
        f.asm.alu_const(op, result(f, pc), a, b)
        return f.next
    if b & _KIND:
        if f.asm.TAKES_CELLS and op < _SHL and memory_cell(f, b) >= 0:
            f.free |= 1 << a
            f.asm.alu_cell(op, result(f, pc), a, memory_cell(f, b))
            return f.next
        b = use(f, b)
    else:
        b >>= 4
    f.free |= 1 << a | 1 << b
    f.asm.alu(op, result(f, pc), a, b)
    return f.next


# The shift of x by n and the operation that follows in one instruction, if there is one.
def _shifted(f, op, pc, x, n):
    n &= 31
    other = _partner(f, pc, 0x6A)
    if not f.asm.takes_shifted(other, op, n):
        return False
    f.free &= ~(1 << x)
    y = _other(f, pc)
    f.free |= 1 << x | 1 << y
    f.asm.alu_shifted(other, result(f, f.next), y, x, op, n)
    return True


# The operation on a shifted value that follows at pc, if its other operand is on the stack or,
# where they can be swapped, a local. Shifting may be a part of it.
def _partner(f, pc, base):
    code = f.code
    if code[pc] == 0x20 and code[pc + 1] < 128:
        op = code[pc + 2] - base
        return op if op != _SUB and f.home[code[pc + 1]] & _KIND != _CONST else -1
    op = code[pc] - base
    return op if 0 <= op <= _XOR and f.stack[-1] & _KIND != _CONST else -1


# The register of that other operand; the operation ends at f.next.
def _other(f, pc):
    if f.code[pc] == 0x20:
        y = use(f, f.home[f.code[pc + 1]])
        f.next = pc + 3
    else:
        y = use(f, f.stack.pop())
        f.next = pc + 1
    return y


def binary_wide(f, op, pc):
    stack = f.stack
    asm = f.asm
    if not f.asm.WIDE and op >= 0x89 and stack[-1] & _KIND != _CONST:
        return by_routine(f, op, pc, 2, _I64)
    op -= 0x7C
    b = stack.pop()
    a = stack.pop()
    if a & _KIND == _CONST and b & _KIND != _CONST and _COMMUTES[op]:
        a, b = b, a
    x = use(f, a)
    if b & _KIND == _CONST:
        value = b >> 4
        if not f.asm.WIDE and f.asm.SHIFTS and (op == _SHL or op == _SHR_U):
            other = _partner(f, pc, 0x7C)
            if other == _OR or other == _XOR:
                y = _other(f, pc)
                d = result_of(f, f.next, _I64, y, x)
                asm.shift_into(other, d, y, x, op, value & 63)
                return f.next
        if op == _SUB:
            op = _ADD
            value = -value
            b = value << 4 | _I64 | _CONST
        if asm.fits_wide(op, value):
            d = result_of(f, pc, _I64, x)
            asm.alu_const_wide(op, d, x, value)
            return f.next
    elif f.asm.TAKES_CELLS and op < _SHL:
        cell = memory_cell(f, b)
        if cell >= 0:
            d = result_of(f, pc, _I64, x)
            asm.alu_cell(op, d, x, cell, True)
            return f.next
    y = use(f, b)
    if not f.asm.WIDE and _SHL <= op <= _SHR_U:
        s = temp(f)
        d = result_of(f, pc, _I64, x, y)
        asm.shift_pairs(op, d, x, y, s)
        release(f, s)
    else:
        d = result_of(f, pc, _I64, x, y)
        asm.alu_wide(op, d, x, y)
    return f.next


def _compare_const(asm, condition, a, value, wide):
    return (asm.compare_const_wide if wide else asm.compare_const)(condition, a, value)


# Division and remainder: traps for zero, and for the one quotient that does not fit; its remainder
# is 0, but the hardware would fault.
def divide(f, op, pc):
    asm = f.asm
    bits = 0 if op < 0x7C else _I64
    if bits and not f.asm.WIDE:
        return by_routine(f, op, pc, 2, bits)
    op -= 0x7C if bits else 0x6A
    b = f.stack.pop()
    x = use(f, f.stack.pop())
    y = use(f, b)
    release(f, x)
    release(f, y)
    d = result(f, pc, bits)
    constant = b & _KIND == _CONST
    value = b >> 4
    if not constant or not value:
        asm.branch(_compare_const(asm, _EQ, y, 0, bits), trap(f, context.DIVIDE_BY_ZERO, pc))
    end = []
    if (op == _DIV_S or op == _REM_S) and (not constant or value == -1):
        other = []
        asm.branch(_compare_const(asm, _NE, y, -1, bits), other)
        if op == _DIV_S:
            condition = _compare_const(asm, _EQ, x, -1 << (63 if bits else 31), bits)
            asm.branch(condition, trap(f, context.INTEGER_OVERFLOW, pc))
        else:
            asm.const(d, 0)
            asm.jump(end)
        asm.bind(other)
    asm.divide(op, d, x, y, bits)
    asm.bind(end)
    return f.next


# ---- floating point

# Operations are numbered as wasm's: abs neg ceil floor trunc nearest sqrt add sub mul div min max
# copysign; comparisons: eq ne lt gt le ge.


def floating(f, op, pc):
    bits = 8 if op < 0x99 else 12
    code = op
    op -= 0x8B if op < 0x99 else 0x99
    n = 1 if op < 7 else 2
    if not f.asm.does_float(op, bits & _WIDE):
        return by_routine(f, code, pc, n, bits)
    if n == 1:
        x = use(f, f.stack.pop())
        d = result_of(f, pc, bits, x)
        f.asm.float_unary(op, d, x, bits & _WIDE)
        return f.next
    b = f.stack.pop()
    x = use(f, f.stack.pop())
    y = use(f, b)
    d = result_of(f, pc, bits, x, y)
    f.asm.float_binary(op, d, x, y, bits & _WIDE)
    return f.next


# What is asked about the number that a routine gives, by instruction: the condition, the constant.
# (-1, 0, 1, 2: less, equal, greater, unordered.)
_ANSWERS = b"\x00\x00\x01\x00\x04\x00\x00\x01\x07\x00\x08\x02"


# eq, ne, lt, gt, le, ge
def float_comparison(f, op, pc):
    bits = 8 if op < 0x61 else 12
    first = 0x5B if bits == 8 else 0x61
    op -= first
    if not is_float(f, bits):
        by_routine(f, first, pc, 2, 0)
        value = _ANSWERS[2 * op + 1] << 4 | _CONST
        return truth(f, _ANSWERS[2 * op], f.stack.pop(), value, pc)
    b = f.stack.pop()
    condition = _FLOATS + b"\x00\x01\x02\x04\x06\x08"[op]
    return truth(f, condition, f.stack.pop(), b, pc)


# ---- conversions

# The types that they give, from 0xA7 on.
_CONVERTED = (
    b"\x00\x00\x00\x00\x00\x04\x04\x04\x04\x04\x04\x08\x08\x08\x08\x08"
    b"\x0c\x0c\x0c\x0c\x0c\x00\x04\x08\x0c\x00\x00\x04\x04\x04"
)


def convert(f, op, pc):
    asm = f.asm
    bits = _CONVERTED[op - 0xA7]
    if 0xBC <= op <= 0xBF:  # reinterpretations: the bits stay where they are
        d = f.stack[-1]
        if is_float(f, d) == is_float(f, bits) and (
            d & _KIND > _LOCAL or not d & _KIND and is_temp(f, d >> 4)
        ):
            f.stack[-1] = d & ~_TYPE | bits
            return pc
        x = use(f, f.stack.pop())
        d = result_of(f, pc, bits, x)
        (asm.move_wide if bits & _WIDE else asm.move)(d, x)
        return f.next
    if op == 0xA7 or op == 0xAC or op == 0xAD or op >= 0xC0:
        x = use(f, f.stack.pop())
        d = result_of(f, pc, bits, x)
        asm.extend(op, d, x)
    elif op in asm.CONVERTS:
        x = use(f, f.stack.pop())
        d = result_of(f, pc, bits, x)
        asm.convert(op, d, x)
    elif op in asm.TRUNCATES:
        x = use(f, f.stack.pop())
        d = result_of(f, pc, bits, x)
        invalid = trap(f, context.INVALID_CONVERSION, pc)
        asm.truncate(op, d, x, invalid, trap(f, context.INTEGER_OVERFLOW, pc))
    else:
        return by_routine(f, op, pc, 1, bits)
    return f.next


# ---- references, saturating truncations, bulk memory and tables


def ref_null(f, op, pc):
    f.stack.append(_ZERO)
    return pc + 1


def prefixed(f, op, pc):
    start = pc - 1
    sub = leb(f.code, pc)
    pc = skip(f.code, pc, op)
    if sub < 8:
        bits = _I64 if sub > 3 else 0
        if sub not in f.asm.SATURATES:
            return by_routine(f, 0xFC00 + sub, pc, 1, bits)
        x = use(f, f.stack.pop())
        d = result_of(f, pc, bits, x)
        f.asm.saturate(sub, d, x)
        return f.next
    if sub == 9 or sub == 13:  # data.drop, elem.drop
        return operation(f, start, pc, 0, b"")
    if sub == 15:  # table.grow
        return operation(f, start, pc, 2, b"\x7f")
    if sub == 16:  # table.size
        return operation(f, start, pc, 0, b"\x7f")
    return operation(f, start, pc, 3, b"")
