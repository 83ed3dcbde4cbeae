"""Xtensa encodings: the instructions that ESP32, ESP32-S2 and ESP32-S3 have in common.

Registers are numbered from a2 on, see xtensa.py. An instruction has 24 bits, in three bytes, or
16. Its fields r, s and t, 4 bits from bit 12, 8 and 4 on, are registers, or hold numbers and more
of the opcode: then they are part of `op` here. The functions are named after the fields that are
registers.
"""

from wamr.host import const

_T = const(9)

_ADD = const(0x800000)
_MOVI = const(0xA002)
_ADDI = const(0xC002)
_ADDMI = const(0xD002)
_J = const(0x06)


def emit16(code, word):
    code.append(word & 0xFF)
    code.append(word >> 8)


def emit24(code, word):
    emit = code.append
    emit(word & 0xFF)
    emit(word >> 8 & 0xFF)
    emit(word >> 16)


def rst(code, op, r, s, t):
    r = r + 2 & 15
    s = s + 2 & 15
    t = t + 2 & 15
    if op == _ADD:
        emit16(code, 0x000A | r << 12 | s << 8 | t << 4)
    else:
        emit24(code, op | r << 12 | s << 8 | t << 4)


def rs(code, op, r, s):
    emit24(code, op | (r + 2 & 15) << 12 | (s + 2 & 15) << 8)


def rt(code, op, r, t):
    emit24(code, op | (r + 2 & 15) << 12 | (t + 2 & 15) << 4)


def st(code, op, s, t):
    emit24(code, op | (s + 2 & 15) << 8 | (t + 2 & 15) << 4)


def s_(code, op, s):
    emit24(code, op | (s + 2 & 15) << 8)


# Sets the shift amount of src.
def ssai(code, n):
    emit24(code, 0x404000 | (n & 15) << 8 | n & 16)


def slli(code, d, a, n):
    n = 32 - n
    rs(code, 0x010000 | (n & 16) << 16 | (n & 15) << 4, d, a)


# n bits of a, from bit `shift` on.
def extui(code, d, a, shift, n):
    rt(code, 0x040000 | n - 1 << 20 | (shift & 16) << 12 | (shift & 15) << 8, d, a)


def srli(code, d, a, n):
    if n < 16:
        rt(code, 0x410000 | n << 8, d, a)
    else:
        extui(code, d, a, n, 32 - n)


def srai(code, d, a, n):
    rt(code, 0x210000 | (n & 16) << 16 | (n & 15) << 8, d, a)


def move(code, d, a):
    if d != a:
        emit16(code, 0x000D | (a + 2 & 15) << 8 | (d + 2 & 15) << 4)


# What call0 goes to begins at a word. (Up to there, with instructions that do nothing.)
def align(code):
    if len(code) & 1:
        emit24(code, 0x0020F0)  # nop
    if len(code) & 2:
        emit16(code, 0xF03D)  # nop.n


# ---- numbers


# How many bits a mask of the lowest bits has; 0 if the value is none.
def ones(value):
    if value & (value + 1):
        return 0
    n = 0
    while value:
        value >>= 1
        n += 1
    return n


# The lowest byte as a signed number.
def _byte(value):
    return (value + 128 & 0xFF) - 128


# A word as a signed number. Most are, and small: a board has objects for the others.
def _signed(value):
    if -0x40000000 <= value <= 0x3FFFFFFF:
        return value
    return (value + 0x80000000 & 0xFFFFFFFF) - 0x80000000


# d = value. `literals` has the places of numbers in the function's code.
def load_number(code, literals, d, value):
    n = _signed(value)
    if -32 <= n < 96:
        emit16(code, 0x000C | (n & 15) << 12 | (d + 2 & 15) << 8 | n & 0x70)
    elif -2048 <= n < 2048:
        emit24(code, _MOVI | (n & 0xFF) << 16 | n & 0xF00 | (d + 2 & 15) << 4)
    elif not _by_two(code, d, n):
        _literal(code, literals, d, n & 0xFFFFFFFF)


# Two instructions, if they can make it: for a small number that is shifted, one of 16 bits, a mask
# of the lowest bits.
def _by_two(code, d, n):
    shift = 0
    while not n >> shift & 1:
        shift += 1
    rest = _byte(n)
    bits = ones(n & 0xFFFFFFFF)
    if -2048 <= n >> shift < 2048:
        load_number(code, None, d, n >> shift)
        slli(code, d, d, shift)
    elif -0x8000 <= n - rest < 0x8000:
        load_number(code, None, d, rest)
        st(code, _ADDMI | (n - rest >> 8 & 0xFF) << 16, d, d)
    elif bits:
        load_number(code, None, d, -1)
        srli(code, d, d, 32 - bits)
    else:
        return False
    return True


# A number in the code; where it is first used, it is jumped over.
def _literal(code, literals, d, value):
    place = literals.get(value)
    if place is None:
        place = len(code) + 6 & ~3
        emit24(code, _J | place - len(code) << 6)
        while len(code) < place:
            code.append(0)
        literals[value] = place
        for shift in (0, 8, 16, 24):
            code.append(value >> shift & 0xFF)
    n = place - (len(code) + 3 & ~3) >> 2
    emit24(code, 0x01 | (n & 0xFFFF) << 8 | (d + 2 & 15) << 4)


# d = a + value: with two instructions for 16 bits, the lower and the higher byte with a sign each.
def add_number(code, literals, d, a, value):
    n = _signed(value)
    rest = _byte(n)
    if not n:
        move(code, d, a)
    elif n == -1 or 0 < n < 16:
        t = n if n > 0 else 0
        emit16(code, 0x000B | (d + 2 & 15) << 12 | (a + 2 & 15) << 8 | t << 4)
    elif n == rest:
        st(code, _ADDI | (n & 0xFF) << 16, a, d)
    elif -0x8000 <= n - rest < 0x8000:
        st(code, _ADDMI | (n - rest >> 8 & 0xFF) << 16, a, d)
        if rest:
            add_number(code, literals, d, d, rest)
    else:
        load_number(code, literals, _T, n)
        rst(code, _ADD, d, a, _T)


# ---- words in memory at a constant offset


# Computes the address in register d, as far as the offset does not fit.
def load_word(code, d, base, offset):
    if offset > 1020:
        base, offset = _near(code, d, base, offset)
    if offset < 64:
        emit16(code, 0x0008 | offset << 10 | (base + 2 & 15) << 8 | (d + 2 & 15) << 4)
    else:
        st(code, 0x2002 | offset >> 2 << 16, base, d)


# Or in a scratch register, which is not s.
def store_word(code, s, base, offset, scratch):
    if offset > 1020:
        base, offset = _near(code, scratch, base, offset)
    if offset < 64:
        emit16(code, 0x0009 | offset << 10 | (base + 2 & 15) << 8 | (s + 2 & 15) << 4)
    else:
        st(code, 0x6002 | offset >> 2 << 16, base, s)


def _near(code, d, base, offset):
    while offset > 1020:
        n = min(offset >> 8, 127)
        st(code, _ADDMI | n << 16, base, d)
        base = d
        offset -= n << 8
    return base, offset
