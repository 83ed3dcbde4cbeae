"""string.h: memory blocks and NUL-terminated strings (ISO C 7.24).

What is to be written is checked as a whole before the first byte is.
"""

from ..heap import fill
from ..host import const

# Bytes that are looked at in one go.
_PIECE = const(64)
_NO_LIMIT = const(0x3FFFFFFF)


class Functions:
    def __init__(self, libc, is_2019):
        pass

    # ---- memory blocks

    def memcpy(self, instance, to, source, n):
        memory = instance.memory
        memory.check(source, n)
        memory.check(to, n)
        view = memoryview(memory.buf)
        view[to : to + n][:] = view[source : source + n]  # works for overlapping blocks
        return to

    def memset(self, instance, to, value, n):
        instance.memory.check(to, n)
        fill(instance.memory.buf, to, n, value & 0xFF)
        return to

    def memcmp(self, instance, a, b, n):
        memory = instance.memory
        memory.check(a, n)
        memory.check(b, n)
        buf = memory.buf
        view = memoryview(buf)
        i = 0
        while i < n:
            step = min(_PIECE, n - i)
            if view[a + i : a + i + step] != view[b + i : b + i + step]:
                while buf[a + i] == buf[b + i]:
                    i += 1
                return buf[a + i] - buf[b + i]
            i += step
        return 0

    def memchr(self, instance, block, value, n):
        at = _find(instance.memory, block, n, value & 0xFF)
        return at if at < block + n else 0

    # ---- strings

    def strlen(self, instance, text):
        return _end(instance.memory, text) - text

    def strchr(self, instance, text, c):
        end = _end(instance.memory, text) + 1
        at = _find(instance.memory, text, end - text, c & 0xFF)
        return at if at < end else 0

    def strcmp(self, instance, a, b):
        return self.strncmp(instance, a, b, _NO_LIMIT)

    def strncmp(self, instance, a, b, n):
        # Up to and with the first NUL, or the end of n bytes.
        memory = instance.memory
        n = min(_end(memory, a, n) - a + 1, _end(memory, b, n) - b + 1, n)
        return self.memcmp(instance, a, b, n)

    def strncasecmp(self, instance, a, b, n):
        memory = instance.memory
        n = min(_end(memory, a, n) - a + 1, _end(memory, b, n) - b + 1, n)
        buf = memory.buf
        for i in range(n):
            difference = _lower(buf[a + i]) - _lower(buf[b + i])
            if difference:
                return difference
        return 0

    def strcpy(self, instance, to, text):
        return self.memcpy(instance, to, text, _end(instance.memory, text) - text + 1)

    def strncpy(self, instance, to, text, n):
        instance.memory.check(to, n)
        length = _end(instance.memory, text, n) - text
        self.memcpy(instance, to, text, length)
        fill(instance.memory.buf, to + length, n - length)
        return to

    def strspn(self, instance, text, accepted, wanted=True):
        memory = instance.memory
        accepted = memory.read_cstr(accepted)
        end = _end(memory, text)
        buf = memory.buf
        at = text
        while at < end and (buf[at] in accepted) == wanted:
            at += 1
        return at - text

    def strcspn(self, instance, text, rejected):
        return self.strspn(instance, text, rejected, False)

    def strstr(self, instance, text, part):
        part = instance.memory.read_cstr(part)
        if not part:  # MicroPython does not find nothing in nothing
            return text
        at = instance.memory.read_cstr(text).find(part)
        return text + at if at >= 0 else 0


# Position of the first byte of this value among the n from p on, or p + n. Only what has to be
# looked at must lie in memory.
def _find(memory, p, n, value):
    stop = p + n
    wanted = bytes((value,))
    while p < stop:
        memory.check(p, 1)
        piece = bytes(memory.buf[p : min(p + _PIECE, stop)])
        at = piece.find(wanted)
        if at >= 0:
            return p + at
        p += len(piece)
    return stop


# Position of the NUL of a string, of which at most n bytes count.
def _end(memory, p, n=_NO_LIMIT):
    return _find(memory, p, n, 0)


def _lower(c):
    return c + 32 if 65 <= c <= 90 else c
