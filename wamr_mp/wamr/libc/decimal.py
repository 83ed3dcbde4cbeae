"""Floats as text, exactly: what printf's e, f and g need.

Only integers are used: a finite value is m * 2**e, and 10**n is an int of any length. So a board
whose float is single precision prints an f64 to its last digit.
"""

from wamr.engine.numerics import bit_length
from wamr.host import const

# No f64 has a digit other than 0 farther behind its point, or behind its first digit.
_MOST = const(1074)


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
