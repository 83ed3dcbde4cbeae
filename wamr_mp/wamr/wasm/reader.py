"""Reading the binary format's basic values: bytes, LEB128 integers, names (specification 5.2)."""

from wamr.host import const
from wamr.wasm.errors import CompileError

_MAX_NAME = const(10000)


# A position in a buffer. `base` is the file offset of the buffer's first byte, so that
# errors name the byte of the file even when only one section was loaded from it.
class Reader:
    def __init__(self, buf, pos, end, base=0):
        self.buf = buf
        self.pos = pos
        self.end = end
        self.base = base

    def fail(self, message, pos=None):
        offset = self.base + (self.pos if pos is None else pos)
        error = CompileError("%s (at offset 0x%x)" % (message, offset))
        error.offset = offset
        raise error

    def byte(self):
        pos = self.pos
        if pos >= self.end:
            self.fail("unexpected end")
        self.pos = pos + 1
        return self.buf[pos]

    # Unsigned LEB128 of at most `bits` bits (5.2.2): no more bytes than needed for that
    # many bits, and no bits set beyond them.
    def u32(self):
        value = self.byte()
        if value < 128:
            return value
        value &= 0x7F
        shift = 7
        while True:
            byte = self.byte()
            if shift == 28:
                if byte > 127:
                    self.fail("integer representation too long", self.pos - 1)
                if byte > 15:
                    self.fail("integer too large", self.pos - 1)
            value |= (byte & 0x7F) << shift
            if byte < 128:
                return value
            shift += 7

    # An index among n things.
    def index(self, n, what, at=None):
        index = self.u32()
        if index >= n:
            self.fail("unknown %s %d" % (what, index), at)
        return index

    def limit(self, n, most, what, at=None):
        if n > most:
            self.fail("too many %s: at most %d" % (what, most), at)

    # Signed LEB128 of `bits` bits: the unused bits of the last byte repeat the sign.
    def signed(self, bits):
        value = shift = 0
        while True:
            byte = self.byte()
            left = bits - shift
            if left < 7:
                if byte > 127:
                    self.fail("integer representation too long", self.pos - 1)
                top = (byte & 0x7F) >> (left - 1)
                if top != 0 and top != 0x7F >> (left - 1):
                    self.fail("integer too large", self.pos - 1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 128:
                if byte & 0x40:
                    value -= 1 << shift
                return value

    def skip(self, n):
        if n > self.end - self.pos:
            self.fail("unexpected end")
        self.pos += n

    # A vector's length: every element takes a byte at least, so a larger count is a lie
    # that would only make loops long.
    def count(self):
        n = self.u32()
        if n > self.end - self.pos:
            self.fail("length out of bounds")
        return n

    def name(self):
        n = self.count()
        start = self.pos
        if n > _MAX_NAME:
            self.fail("name too long: at most %d bytes" % _MAX_NAME)
        self.pos = start + n
        raw = bytes(self.buf[start : self.pos])
        if not is_utf8(raw):
            self.fail("malformed UTF-8 encoding", start)
        return str(raw, "utf-8")


# MicroPython's own check lets surrogates and overlong forms pass (5.2.4 does not).
def is_utf8(raw):
    i = 0
    n = len(raw)
    while i < n:
        c = raw[i]
        i += 1
        if c < 0x80:
            continue
        if c < 0xC2 or c > 0xF4:
            return False
        more = 1 if c < 0xE0 else 2 if c < 0xF0 else 3
        if i + more > n:
            return False
        d = raw[i]
        if c == 0xE0 and d < 0xA0 or c == 0xED and d > 0x9F:
            return False
        if c == 0xF0 and d < 0x90 or c == 0xF4 and d > 0x8F:
            return False
        for k in range(i, i + more):
            if raw[k] & 0xC0 != 0x80:
                return False
        i += more
    return True
