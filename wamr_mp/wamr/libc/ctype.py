"""ctype.h for ASCII, and numbers out of text: atoi, strtol, strtoul (ISO C 7.4, 7.22.1)."""

# Classes of characters, and the ends of the ranges that each is made of.
_CLASSES = (
    "isupper AZ,isalpha AZaz,isspace \t\r  ,isgraph !~,isprint  ~,isdigit 09,isxdigit 09AFaf,"
    "isalnum 09AZaz,"
)


# isupper and its like: one function for each that an app imports.
def __getattr__(name):
    at = _CLASSES.find(name + " ")
    if at < 0:
        raise AttributeError(name)
    ranges = _CLASSES[at + len(name) + 1 : _CLASSES.find(",", at)].encode()

    def is_one(libc, instance, c):
        for i in range(0, len(ranges), 2):
            if ranges[i] <= c <= ranges[i + 1]:
                return 1
        return 0

    return is_one


def tolower(libc, instance, c):
    return c + 32 if 65 <= c <= 90 else c


def toupper(libc, instance, c):
    return c - 32 if 97 <= c <= 122 else c


def atoi(libc, instance, text):
    return strtol(libc, instance, text, 0, 10)


def strtol(libc, instance, text, end, base):
    value = _number(instance.memory, text, end, base)
    return max(min(value, 0x7FFFFFFF), -0x80000000)


# A minus sign negates modulo 2**32, as C wants it.
def strtoul(libc, instance, text, end, base):
    value = _number(instance.memory, text, end, base)
    return 0xFFFFFFFF if abs(value) > 0xFFFFFFFF else value & 0xFFFFFFFF


def _number(memory, text, end, base):
    p = text
    while memory.read(p, 1) in (b" ", b"\t", b"\n", b"\v", b"\f", b"\r"):
        p += 1
    sign = memory.read(p, 1)
    if sign == b"-" or sign == b"+":
        p += 1
    value = 0
    behind = text  # nothing is taken unless there is a digit
    if 2 <= base <= 36 or base == 0:
        if base == 0 or base == 16:
            prefixed = memory.read(p, 1) == b"0" and memory.read(p + 1, 1) in (b"x", b"X")
            if prefixed and _digit(memory.read(p + 2, 1)[0]) < 16:
                p += 2
                base = 16
            elif base == 0:
                base = 8 if memory.read(p, 1) == b"0" else 10
        while True:
            digit = _digit(memory.read(p, 1)[0])
            if digit >= base:
                break
            # Large enough to be out of range, without growing for ever.
            value = min(value * base + digit, 0x100000000)
            p += 1
            behind = p
    if end:
        memory.put_u32(end, behind)
    return -value if sign == b"-" else value


def _digit(c):
    if 48 <= c <= 57:
        return c - 48
    c |= 32
    return c - 87 if 97 <= c <= 122 else 99
