"""f32 and f64 instructions in integer arithmetic alone, for any build.

A finite number is taken apart into a whole number and an exponent, worked on exactly (Python's
integers have any length) and put together by `pack`, the one place that rounds. A NaN result is
the canonical NaN.

MicroPython keeps a frame of up to 11 words on the C stack and allocates a larger one: hence small
functions with few variables.
"""

from wamr.engine.numerics import bit_length, pack


# k: add sub mul div min max copysign
def binary(k, a, b, bits):
    if bits == 32:
        s = 0x80000000
        inf = 0x7F800000
    else:
        s = 0x8000000000000000
        inf = 0x7FF0000000000000
    if k > 3:
        if k == 6:
            return (a & (s - 1)) + (b & s)
        if (a & (s - 1)) <= inf and (b & (s - 1)) <= inf:
            # As integers, negative numbers come after all others and in reverse.
            if (a > b) if (a | b) & s else (a < b):
                return a if k == 4 else b
            return b if k == 4 else a
    # From here `r` is the sign of the result, `a` and `b` are magnitudes, and k is 0 or 1 for the
    # sum or difference of these.
    r = a & s
    if k < 2:
        if (a ^ b) & s:
            k ^= 1
        a &= s - 1
        b &= s - 1
        if a < b:
            a, b = b, a
            if k:
                r ^= s
    else:
        r ^= b & s
        a &= s - 1
        b &= s - 1
    if a < inf and b < inf:
        if k == 0:
            a = _add(a, b, bits)
        elif k == 1:
            if a == b:
                return 0
            a = _add(a, -b, bits)
        elif k == 2:
            a = _mul(a, b, bits)
        elif b:
            a = _div(a, b, bits)
        elif a:
            a = inf
        else:
            a = inf + 1
        if a <= inf:
            return r | a
    elif a <= inf and b <= inf:
        if (a and b) if k == 2 else (k == 0 or a != b):
            return r if k == 3 and b == inf else r | inf
    return 0x7FC00000 if bits == 32 else 0x7FF8000000000000


# The sum of two magnitudes, or with `b` negative the difference; a > -b.
def _add(a, b, bits):
    p = 23 if bits == 32 else 52
    minus = b < 0
    if minus:
        b = -b
    e = a >> p
    if e:
        e -= 1
        a -= e << p
    f = b >> p
    if f:
        f -= 1
        b -= f << p
    # Less than a quarter of the last place cannot change `a`, not even where it borrows.
    if e > f + p + 2:
        b = 0
    else:
        a <<= e - f
        e = f
    return pack(a - b if minus else a + b, e, bits)


def _mul(a, b, bits):
    p = 23 if bits == 32 else 52
    e = a >> p
    if e:
        e -= 1
        a -= e << p
    f = b >> p
    if f:
        f -= 1
        b -= f << p
    return pack(a * b, e + f - (149 if p == 23 else 1074), bits)


def _div(a, b, bits):
    p = 23 if bits == 32 else 52
    e = a >> p
    if e:
        e -= 1
        a -= e << p
    f = b >> p
    if f:
        f -= 1
        b -= f << p
    # A subnormal dividend may have a single bit, and the quotient needs three more than p.
    f += 2 * p + 4
    a <<= 2 * p + 4
    p = a // b
    if p * b != a:
        p |= 1
    return pack(p, e - f + (149 if bits == 32 else 1074), bits)


# `a` is positive and finite.
def _sqrt(a, bits):
    p = 23 if bits == 32 else 52
    e = a >> p
    if e:
        e -= 1
        a -= e << p
    # An even exponent, and enough bits for a root of p + 3.
    e -= 149 if p == 23 else 1074
    p = 2 * p + 6 + (e & 1)
    a <<= p
    e -= p
    # Newton's method, from above
    p = 1 << ((bit_length(a) + 1) >> 1)
    while True:
        r = p
        p = (r + a // r) >> 1
        if p >= r:
            break
    if r * r != a:
        r |= 1
    return pack(r, (e >> 1) + (149 if bits == 32 else 1074), bits)


# k: abs neg ceil floor trunc nearest sqrt
def unary(k, a, bits):
    if k < 2:
        sign = 0x80000000 if bits == 32 else 0x8000000000000000
        return a ^ sign if k or a & sign else a
    if bits == 32:
        p = 23
        bias = 127
    else:
        p = 52
        bias = 1023
    sign = a >> (bits - 1)
    m = a & ((1 << p) - 1)
    e = (a >> p & (2 * bias + 1)) - bias
    if e > bias:
        return (4 * bias + 3) << (p - 1) if m or sign and k == 6 else a
    if e + bias == 0 and m == 0:
        return a
    if k == 6:
        return (4 * bias + 3) << (p - 1) if sign else _sqrt(a, bits)
    if e >= p:
        return a
    if e < 0:
        # Below one: zero or one. Half goes to zero.
        a = sign << (bits - 1)
        if k == 2 and not sign or k == 3 and sign or k == 5 and e == -1 and m:
            a |= bias << p
        return a
    # Bit e of the pattern is one. Adding it carries into the exponent rightly. It tells odd from
    # even also where it is the exponent's, as the exponent of 1.0 is odd like 1.
    e = p - e
    m &= (1 << e) - 1
    a -= m
    if k == 5:
        if (m << 1) + (a >> e & 1) > 1 << e:
            a += 1 << e
    elif m and (k == 2 and not sign or k == 3 and sign):
        a += 1 << e
    return a


# k: eq ne lt gt le ge
def compare(k, a, b, bits):
    if bits == 32:
        inf = 0x7F800000
        sign = 0x80000000
    else:
        inf = 0x7FF0000000000000
        sign = 0x8000000000000000
    # Turned into integers of the same order; what is still positive is a positive NaN.
    if a > inf:
        a = sign - a
        if a > 0 or a < -inf:
            return 1 if k == 1 else 0
    if b > inf:
        b = sign - b
        if b > 0 or b < -inf:
            return 1 if k == 1 else 0
    if k == 2:
        return 1 if a < b else 0
    if k == 3:
        return 1 if a > b else 0
    if k == 4:
        return 1 if a <= b else 0
    if k == 5:
        return 1 if a >= b else 0
    if k == 0:
        return 1 if a == b else 0
    return 1 if a != b else 0
