"""f32 and f64 arithmetic with the host's own floats, where those are IEEE doubles.

An f32 operation computed in double and then rounded to single is right: a double has more than
twice the bits of a single, so the first rounding never moves a result across the second's halfway
points. Whatever Python makes an exception of is left to softfloat, as are operations on bits.
floats.py decides whether to use this, and uses it for f32 on hosts whose float is an IEEE single.
"""

from math import sqrt
from struct import pack, unpack

from wamr.engine import softfloat
from wamr.engine.numerics import convert
from wamr.engine.numerics import pack as pack_integer


# k: add sub mul div min max copysign; 7 is the square root of `a`, with b = a
def binary(k, a, b, bits):
    if k > 2 and k < 7 and (k > 3 or b == 0 or b == 1 << (bits - 1)):
        return softfloat.binary(k, a, b, bits)
    if bits == 64:
        a, b = unpack("<dd", pack("<QQ", a, b))
    else:
        a, b = unpack("<ff", pack("<II", a, b))
    if k == 0:
        a += b
    elif k == 2:
        a *= b
    elif k == 1:
        a -= b
    elif k == 3:
        a /= b
    else:
        a = sqrt(a)
    if a != a:
        return 0x7FC00000 if bits == 32 else 0x7FF8000000000000
    return unpack("<Q", pack("<d", a))[0] if bits == 64 else _single(a)


# Alone because a `try` makes the frame larger, see softfloat.py.
def _single(x):
    try:
        return unpack("<I", pack("<f", x))[0]
    except OverflowError:  # CPython's; MicroPython gives infinity
        return 0x7F800000 if x > 0 else 0xFF800000


# k: abs neg ceil floor trunc nearest sqrt
def unary(k, a, bits):
    if k == 6 and not a >> (bits - 1):
        return binary(7, a, a, bits)
    return softfloat.unary(k, a, bits)


# The two conversions at the Python face are for every host: struct knows both formats everywhere.
def to_float(bits_value, bits):
    if bits == 64:
        return unpack("<d", pack("<Q", bits_value))[0]
    return unpack("<f", pack("<I", bits_value))[0]


# An int is rounded once, from its exact value.
def from_float(x, bits):
    if isinstance(x, int):
        s = 1 << (bits - 1) if x < 0 else 0
        return s | pack_integer(abs(x), 149 if bits == 32 else 1074, bits)
    x = unpack("<Q", pack("<d", x * 1.0))[0]
    return x if bits == 64 else convert(0xB6, x)
