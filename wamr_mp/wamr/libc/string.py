"""string.h: memory blocks and NUL-terminated strings (ISO C 7.24).

What is to be written is checked as a whole before the first byte is.
"""

from wamr.heap import fill
from wamr.host import const

# Bytes that are looked at in one go.
_PIECE = const(64)
_NO_LIMIT = const(0x3FFFFFFF)


# ---- memory blocks


def memcpy(libc, instance, a, b, n):
    memory = instance.memory
    memory.check(b, n)
    memory.check(a, n)
    view = memoryview(memory.buf)
    view[a : a + n][:] = view[b : b + n]  # works for overlapping blocks
    return a


def memset(libc, instance, a, c, n):
    instance.memory.check(a, n)
    fill(instance.memory.buf, a, n, c & 0xFF)
    return a


# -1, 0 or 1. seen: a function through which the bytes are looked at.
def memcmp(libc, instance, a, b, n, seen=bytes):
    memory = instance.memory
    memory.check(a, n)
    memory.check(b, n)
    for i in range(0, n, _PIECE):
        size = min(_PIECE, n - i)
        x = seen(memory.read(a + i, size))
        y = seen(memory.read(b + i, size))
        if x != y:
            return 1 if x > y else -1
    return 0


def memchr(libc, instance, a, c, n):
    at = _find(instance.memory, a, n, c & 0xFF)
    return at if at < a + n else 0


# ---- strings


def strlen(libc, instance, a):
    return _find(instance.memory, a) - a


def strchr(libc, instance, a, c):
    return memchr(libc, instance, a, c, _find(instance.memory, a) - a + 1)


# strcmp, too. Up to and with the first NUL, or the end of n bytes.
def strncmp(libc, instance, a, b, n=_NO_LIMIT, seen=bytes):
    memory = instance.memory
    n = min(_find(memory, a, n) - a + 1, _find(memory, b, n) - b + 1, n)
    return memcmp(libc, instance, a, b, n, seen)


def strncasecmp(libc, instance, a, b, n):
    return strncmp(libc, instance, a, b, n, bytes.lower)


def strcpy(libc, instance, a, b):
    return memcpy(libc, instance, a, b, _find(instance.memory, b) - b + 1)


def strncpy(libc, instance, a, b, n):
    instance.memory.check(a, n)
    size = _find(instance.memory, b, n) - b
    memcpy(libc, instance, a, b, size)
    fill(instance.memory.buf, a + size, n - size)
    return a


def strspn(libc, instance, a, b, wanted=True):
    memory = instance.memory
    b = memory.read_cstr(b)
    end = _find(memory, a)
    buf = memory.buf
    at = a
    while at < end and (buf[at] in b) == wanted:
        at += 1
    return at - a


def strcspn(libc, instance, a, b):
    return strspn(libc, instance, a, b, False)


def strstr(libc, instance, a, b):
    b = instance.memory.read_cstr(b)
    if not b:  # MicroPython does not find nothing in nothing
        return a
    at = instance.memory.read_cstr(a).find(b)
    return a + at if at >= 0 else 0


# Position of the first c among the n bytes from p on, or p + n. Only what has to be looked at must
# lie in memory.
def _find(memory, p, n=_NO_LIMIT, c=0):
    stop = p + n
    c = bytes((c,))
    while p < stop:
        memory.check(p, 1)
        piece = bytes(memory.buf[p : min(p + _PIECE, stop)])
        at = piece.find(c)
        if at >= 0:
            return p + at
        p += len(piece)
    return stop
