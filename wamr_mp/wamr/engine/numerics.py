"""Integer instructions and the conversions between number types, on bit patterns.

Everything here is integer arithmetic, also the conversions to and from floats: MicroPython's
float(int) is not correctly rounded, and a board's float may be single precision.
"""

from wamr.host import const
from wamr.wasm.errors import Trap

_M32 = const(0xFFFFFFFF)
_M64 = const(0xFFFFFFFFFFFFFFFF)

try:
    bit_length = int.bit_length
except AttributeError:
    # MicroPython before 1.27. Long steps first; 24 bits keep small ints on 32-bit boards.
    def bit_length(v):
        n = 0
        while v > 0xFFFFFF:
            v >>= 24
            n += 24
        while v > 15:
            v >>= 4
            n += 4
        return n + b"\0\1\2\2\3\3\3\3\4\4\4\4\4\4\4\4"[v]


# A result is masked only when it does not fit, because a mask is a big int on most builds and an
# operation with a big int allocates.
def binary(k, a, b, bits):
    mask = _M32 if bits == 32 else _M64
    if k > 9:  # shl shr_s shr_u rotl rotr
        if b >= bits:
            b &= bits - 1
        if k == 12:
            return a >> b
        if k == 11:
            if a >> (bits - 1):
                return (a >> b) | (mask ^ (mask >> b))
            return a >> b
        if k == 14:
            b = bits - b
        a <<= b
        if a > mask:
            if k != 10:
                a |= a >> bits
            a &= mask
        return a
    if k < 3:  # add sub mul
        if k == 0:
            a += b
        elif k == 1:
            a -= b
            return a if a >= 0 else a + mask + 1
        else:
            a *= b
        return a if a <= mask else a & mask
    if k == 7:
        return a & b
    if k == 8:
        return a | b
    if k == 9:
        return a ^ b
    if b == 0:
        raise Trap("integer divide by zero")
    if k == 4:
        return a // b
    if k == 6:
        return a % b
    # div_s and rem_s truncate towards zero: divide the magnitudes.
    sign = a >> (bits - 1)
    if sign:
        a = mask + 1 - a
    if b >> (bits - 1):
        b = mask + 1 - b
        if k == 3:
            sign ^= 1
    if k == 3:
        a //= b
        if not sign and a > mask >> 1:
            raise Trap("integer overflow")
    else:
        a %= b
    return mask + 1 - a if sign and a else a


def unary(k, a, bits):
    if k == 2:
        return bin(a).count("1")
    if a == 0:
        return bits
    if k == 0:
        return bits - bit_length(a)
    return bit_length(a & -a) - 1


def compare(k, a, b, bits):
    if k == 0:
        return 1 if a == b else 0
    if k == 1:
        return 1 if a != b else 0
    # Of two numbers with different signs the one that is greater unsigned is less signed.
    if not k & 1 and (a ^ b) >> (bits - 1):
        a, b = b, a
    if k < 4:
        return 1 if a < b else 0
    if k < 6:
        return 1 if a > b else 0
    if k < 8:
        return 1 if a <= b else 0
    return 1 if a >= b else 0


# Bits of the float nearest to m * 2**(e - 149) in f32 or m * 2**(e - 1074) in f64, ties to even;
# those are the least positive floats. `m` >= 0 may have any length. A caller that has dropped a
# non-zero remainder says so by setting the lowest bit, which must be at least the third too many.
def pack(m, e, bits):
    if bits == 32:
        p = 23
        inf = 0x7F800000
    else:
        p = 52
        inf = 0x7FF0000000000000
    if m == 0:
        return 0
    # The exponent of the last bit that is kept; all subnormals have the least one.
    n = bit_length(m) + e - p - 1
    if n < 0:
        n = 0
    e = n - e
    if e > 0:
        m = (m + (1 << (e - 1)) - 1 + (m >> e & 1)) >> e
    elif e:
        m <<= -e
    # The leading one of a normal `m` adds the last unit of the exponent field, as does a carry.
    if n:
        m += n << p
    return m if m < inf else inf


# Float to integer. `k`: bit 0 unsigned, bit 1 from f64, bit 2 to i64. Out of range it saturates
# or traps.
def _to_int(k, a, saturate):
    if k & 2:
        sign = a >> 63
        e = (a >> 52 & 0x7FF) - 1075
        a = (a & 0xFFFFFFFFFFFFF) + 0x10000000000000
    else:
        sign = a >> 31
        e = (a >> 23 & 0xFF) - 150
        a = (a & 0x7FFFFF) + 0x800000
    # Subnormals have no leading one, but they come to 0 with it as well.
    if e == (972 if k & 2 else 105) and a & (a - 1):
        if saturate:
            return 0
        raise Trap("invalid conversion to integer")
    # No integer type reaches 2**64.
    a = a >> -e if e < 0 else a << e if e < 64 else _M64 + 1
    mask = _M64 if k & 4 else _M32
    if k & 1:
        most = 0 if sign else mask
    else:
        most = (mask >> 1) + sign
    if a > most:
        if not saturate:
            raise Trap("integer overflow")
        a = most
    return mask + 1 - a if sign and a else a


def trunc_sat(k, a):
    return _to_int(k, a, True)


# f32.demote_f64 (`bits` is 32) and f64.promote_f32
def _to_float(a, bits):
    if bits == 32:
        p = 52
        top = 0x7FF
    else:
        p = 23
        top = 0xFF
    e = a >> p
    a &= (1 << p) - 1
    sign = e > top
    e &= top
    if e == top:
        if a:
            return 0x7FC00000 if bits == 32 else 0x7FF8000000000000
        a = 0x7F800000 if bits == 32 else 0x7FF0000000000000
    else:
        if e:
            e -= 1
            a += 1 << p
        a = pack(a, e - 925 if bits == 32 else e + 925, bits)
    return a | 1 << (bits - 1) if sign else a


# `op` is the opcode, 0xA7 i32.wrap_i64 to 0xC4 i64.extend32_s.
def convert(op, a):
    if op == 0xA7:
        return a & _M32
    if op == 0xAD or 0xBC <= op < 0xC0:  # i64.extend_i32_u, reinterpret
        return a
    if op == 0xAC:
        return a if a < 0x80000000 else a + 0xFFFFFFFF00000000
    if op >= 0xC0:
        bits = 32 if op < 0xC2 else 64
        n = 32 if op == 0xC4 else 16 if op & 1 else 8
        a &= (1 << n) - 1
        return a + (1 << bits) - (1 << n) if a >> (n - 1) else a
    if op < 0xB2:
        return _to_int(op - (0xA8 if op < 0xAC else 0xAA), a, False)
    if op == 0xB6:
        return _to_float(a, 32)
    if op == 0xBB:
        return _to_float(a, 64)
    # Integer to float: bit 0 of `op` unsigned, bit 1 from i64.
    bits = 32
    if op > 0xB6:
        bits = 64
        op -= 5
    op -= 0xB2
    n = 64 if op & 2 else 32
    if not op & 1 and a >> (n - 1):
        return pack((1 << n) - a, 149 if bits == 32 else 1074, bits) + (1 << (bits - 1))
    return pack(a, 149 if bits == 32 else 1074, bits)
