"""Floats as text and text as floats, exactly: what printf's e, f, g and strtod need.

Only integers are used: a finite value is m * 2**e, and 10**n is an int of any length. So a board
whose float is single precision prints an f64 to its last digit and reads it to its last bit.
"""

from wamr.engine.numerics import bit_length, pack
from wamr.host import const

# No f64 has a digit other than 0 farther behind its point, or behind its first digit.
_MOST = const(1074)
# Halfway between two neighbouring floats, no number has more digits (it is 768 at most).
_KEPT = const(800)


# m * 2**e * 10**n rounded to an integer, ties to even.
def _scaled(m, e, n):
    d = 1
    if n > 0:
        m *= 10**n
    else:
        d = 10**-n
    if e > 0:
        m <<= e
    else:
        d <<= -e
    q = m // d
    m = (m - q * d) << 1
    return q + 1 if m > d or (m == d and q & 1) else q


def format_float(bits, spec, precision=None, flags=""):
    """The text that C's printf gives for an f64 (ISO C 7.21.6.1), without the padding.

    bits: the f64's bit pattern. spec: one of e E f F g G. precision: 0 or more; None is 6. flags:
    "#", "+" and " " count, others do not.
    """
    sign = "-" if bits >> 63 else "+" if "+" in flags else " " if " " in flags else ""
    kind = spec.lower()
    e = bits >> 52 & 0x7FF
    m = bits & 0xFFFFFFFFFFFFF
    if e == 0x7FF:
        text = sign + ("nan" if m else "inf")
        return text if kind == spec else text.upper()
    if e:
        e -= 1
        m += 0x10000000000000
    e -= 1074
    if precision is None:
        precision = 6
    if kind == "g" and precision:
        precision -= 1
    n = min(precision, _MOST)
    # `x` is the power of ten of the first of `digits`.
    x = 0
    if kind == "f":
        digits = str(_scaled(m, e, n))
        digits = "0" * (n + 1 - len(digits)) + digits
        x = len(digits) - n - 1
    elif m == 0:
        digits = "0" * (n + 1)
    else:
        # log10(2) is 0.30103: the right power of ten or the one below.
        x = (bit_length(m) + e - 1) * 315653 >> 20
        while True:
            digits = str(_scaled(m, e, n - x))
            if len(digits) == n + 1:
                break
            x += 1
    digits += "0" * (precision - n)
    tail = ""
    if kind == "e" or kind == "g" and not -4 <= x <= precision:
        tail = "e%s%02d" % ("-" if x < 0 else "+", abs(x))
        x = 0
    elif x < 0:
        digits = "0" * -x + digits
        x = 0
    fraction = digits[x + 1 :]
    if kind == "g" and "#" not in flags:
        fraction = fraction.rstrip("0")
    point = "." if fraction or "#" in flags else ""
    text = sign + digits[: x + 1] + point + fraction + tail
    return text if kind == spec else text.upper()


def parse_float(text, bits=64):
    """The float that a text begins with, as C's strtod reads it (ISO C 7.22.1.3).

    text: str or bytes. bits: 64 or 32, the size of the float. Returns its bit pattern, correctly
    rounded from the text itself, and how many characters it took; (0, 0) if there is no number.
    What is too large becomes infinity.
    """
    if isinstance(text, str):
        text = text.encode()
    text = bytes(text) + b"\0"  # so that there is a character to look at in any case
    i = 0
    while text[i] in b" \t\n\v\f\r":
        i += 1
    sign = 1 << (bits - 1) if text[i] == 45 else 0
    if text[i] in b"+-":
        i += 1
    word = text[i : i + 8].lower()
    if word[:3] == b"inf":
        return sign | pack(1, 5000, bits), i + (8 if word == b"infinity" else 3)
    if word[:3] == b"nan":
        i += 3
        if text[i] == 40:
            n = i + 1
            while text[n] == 95 or 48 <= text[n] <= 57 or 97 <= text[n] | 32 <= 122:
                n += 1
            if text[n] == 41:
                i = n + 1
        return sign | (0x7FC00000 if bits == 32 else 0x7FF8000000000000), i
    base = 10
    if word[:2] == b"0x" and _digit(word[3 if word[2] == 46 else 2], 16) >= 0:
        base = 16
        i += 2
    # The value is m * base**x; `kept` counts the digits of `m`. A digit left out can say no more
    # than that the value is above a halfway point.
    m = x = kept = 0
    any_digit = point = False
    while True:
        d = _digit(text[i], base)
        if d < 0:
            if point or text[i] != 46:
                break
            point = True
        else:
            any_digit = True
            if kept < _KEPT:
                m = m * base + d
                if m:
                    kept += 1
                if point:
                    x -= 1
            else:
                if d:
                    m |= 1
                if not point:
                    x += 1
        i += 1
    if not any_digit:
        return 0, 0
    if base == 16:
        x *= 4
    if text[i] | 32 == (101 if base == 10 else 112):
        n = i + 1
        if text[n] in b"+-":
            n += 1
        if _digit(text[n], 10) >= 0:
            minus = text[n - 1] == 45
            i = n
            n = 0
            while True:
                d = _digit(text[i], 10)
                if d < 0:
                    break
                if n < 100000000:
                    n = n * 10 + d
                i += 1
            x += -n if minus else n
    return sign | _nearest(m, base, x, kept, bits), i


def _digit(c, base):
    if 48 <= c <= 57:
        return c - 48
    c |= 32
    return c - 87 if base == 16 and 97 <= c <= 102 else -1


# Bits of the float nearest to m * 10**x, or m * 2**x if `base` is 16.
def _nearest(m, base, x, kept, bits):
    least = 149 if bits == 32 else 1074
    if base == 16:
        # Far below the least float: pack would shift by as many bits.
        return 0 if bit_length(m) + x < -1080 else pack(m, x + least, bits)
    if m == 0 or kept + x < -330:
        return 0
    if kept + x > 310:
        return pack(1, 5000, bits)
    if x >= 0:
        return pack(m * 10**x, least, bits)
    d = 10**-x
    # At least 66 bits of quotient
    x = bit_length(d) - bit_length(m) + 66
    if x < 0:
        x = 0
    m <<= x
    q = m // d
    if q * d != m:
        q |= 1
    return pack(q, least - x, bits)
