"""printf and its family (ISO C 7.21.6.1), puts and putchar.

A C compiler for WebAssembly passes the variable arguments as one pointer to a block of memory: 4
bytes for each argument, 8 for long long and double. clang and today's emscripten align the latter
to 8, emscripten of 2019 (names with an underscore) did not.
"""

from ..host import const

# A single conversion makes at most so many characters (all that ISO C guarantees), whatever width
# an app asks for.
_MAX_WIDTH = const(4095)
# Output is passed on in pieces of about this size.
_PIECE = const(128)
_NO_LIMIT = const(0x3FFFFFFF)


class Functions:
    def __init__(self, libc, is_2019):
        self.libc = libc
        self.is_2019 = is_2019

    def printf(self, instance, text, arguments):
        return self.format(instance.memory, text, arguments, self.libc.write)

    def sprintf(self, instance, to, text, arguments):
        return self.snprintf(instance, to, _NO_LIMIT, text, arguments)

    # At most size - 1 characters and a NUL; the result is how many there would be without the
    # limit.
    def snprintf(self, instance, to, size, text, arguments):
        memory = instance.memory
        room = size - 1
        done = 0

        def put(data):
            nonlocal done
            if done < room:
                memory.write(to + done, data if len(data) <= room - done else data[: room - done])
            done += len(data)

        total = self.format(memory, text, arguments, put)
        if size:
            memory.write(to + min(total, room), b"\0")
        return total

    def puts(self, instance, text):
        text = instance.memory.read_cstr(text) + b"\n"
        self.libc.write(text)
        return len(text)

    def putchar(self, instance, c):
        self.libc.write(bytes((c & 0xFF,)))
        return 1

    # ---- the formatter

    # Passes the formatted text piece by piece to `put`, returns its length.
    def format(self, memory, text, block, put):
        text = memory.read_cstr(text) + b"\0"  # so that there is a byte to look at in any case
        end = len(text) - 1
        out = bytearray()
        total = i = 0
        while i < end:
            at = text.find(b"%", i)
            if at < 0:
                at = end
            if at > i:
                out.extend(text[i:at])
            if at < end:
                i, block, data = self._conversion(memory, text, at + 1, block)
                out.extend(data)
            else:
                i = end
            if len(out) >= _PIECE or i >= end:
                put(out)
                total += len(out)
                out = bytearray()
        return total

    # One conversion specification, from behind its "%". Returns the position behind it, the
    # argument block from the next argument on, and the characters.
    def _conversion(self, memory, text, i, block):
        flags = ""
        while text[i] in b"-+ #0":
            flags += chr(text[i])
            i += 1
        numbers = [0, -1]  # width, precision
        for k in (0, 1):
            if k:
                if text[i] != 46:  # "."
                    break
                i += 1
            if text[i] == 42:  # "*"
                n = memory.u32(block)
                block += 4
                i += 1
                if n > 0x7FFFFFFF:
                    n -= 0x100000000
                    if k == 0:
                        flags += "-"
                        n = -n
            else:
                n = 0
                while 48 <= text[i] <= 57:
                    n = min(n * 10 + text[i] - 48, 1000000)
                    i += 1
            numbers[k] = n
        width = min(numbers[0], _MAX_WIDTH)
        precision = numbers[1]
        bits = 32
        start = i
        while text[i] in b"hljztL":
            i += 1
        size = text[start:i]
        if size == b"ll" or size == b"j":
            bits = 64
        elif size == b"hh":
            bits = 8
        elif size == b"h":
            bits = 16
        letter = chr(text[i])
        if letter == "\0":
            return i, block, b"%"
        i += 1
        sign = b""  # what stands before the zeros that fill the width
        zeros = "0" in flags
        if letter in "diouxXp":
            value, block = self._argument(memory, block, 8 if bits == 64 else 4)
            if precision >= 0:
                zeros = False
            if letter == "p":
                if self.is_2019:
                    precision = 8
                flags += "#"
                letter = "x"
                bits = 33  # 0 has its 0x as well
            data, sign = _integer(value, letter, bits, min(precision, _MAX_WIDTH), flags)
        elif letter in "eEfFgG":
            from .decimal import format_float

            if size == b"L":
                block = block + 15 & ~15
                value = _double(memory.u64(block), memory.u64(block + 8))
                block += 16
            else:
                value, block = self._argument(memory, block, 8)
            zeros = zeros and value >> 52 & 0x7FF != 0x7FF
            keep = "".join([f for f in "#+ " if f in flags])
            if precision < 0:
                precision = 6
            data = format_float(value, letter, min(precision, _MAX_WIDTH), keep).encode()
            if data[0] in b"+- ":
                sign = data[:1]
                data = data[1:]
        elif letter == "c":
            data = bytes((memory.u32(block) & 0xFF,))
            block += 4
            zeros = False
        elif letter == "s":
            data = self._string(memory, memory.u32(block), precision)
            block += 4
            zeros = False
        elif letter == "n":
            return i, block + 4, b""
        elif letter == "%":
            return i, block, b"%"
        else:
            return i, block, bytes((37, text[i - 1]))
        fill = width - len(sign) - len(data)
        if fill > 0:
            if "-" in flags:
                data += b" " * fill
            elif zeros:
                data = b"0" * fill + data
            else:
                sign = b" " * fill + sign
        return i, block, sign + data

    # One argument of the block and the position of the next one.
    def _argument(self, memory, block, size):
        if size == 4:
            return memory.u32(block), block + 4
        if not self.is_2019:
            block = block + 7 & ~7
        return memory.u64(block), block + 8

    # With a precision only so many bytes are looked at; there need not be a NUL.
    def _string(self, memory, ptr, precision):
        if not ptr and not self.is_2019:  # in 2019 data started at address 0
            data = b"(null)"
            return data if precision < 0 else data[:precision]
        if precision < 0:
            return memory.read_cstr(ptr)
        memory.check(ptr, 0)
        data = memory.read(ptr, min(precision, len(memory.buf) - ptr))
        end = data.find(b"\0")
        if end >= 0:
            return data[:end]
        memory.check(ptr, precision)
        return data


# The digits of an integer argument, and what stands before them. bits: how many of the argument
# count.
def _integer(value, letter, bits, precision, flags):
    sign = b""
    value &= (1 << bits) - 1
    if letter in "di":
        if value >> bits - 1:
            value = (1 << bits) - value
            sign = b"-"
        elif "+" in flags:
            sign = b"+"
        elif " " in flags:
            sign = b" "
    if letter in "diu":
        data = ("%d" % value).encode()
    else:
        data = (("%o" if letter == "o" else "%x" if letter == "x" else "%X") % value).encode()
    if not value and not precision:
        data = b""
    data = b"0" * (precision - len(data)) + data
    if "#" in flags:
        if letter == "o":
            if data[:1] != b"0":
                data = b"0" + data
        elif letter in "xX" and (value or bits == 33):
            sign = b"0" + letter.encode()
    return data, sign


# A long double (IEEE 754 binary128, here in two halves) as the bits of the nearest double.
def _double(low, high):
    sign = high >> 63 << 63
    exponent = (high >> 48 & 0x7FFF) - 16383 + 1023
    fraction = (high & 0xFFFFFFFFFFFF) << 64 | low
    if exponent == 0x7FFF - 16383 + 1023:
        return sign | 0x7FF << 52 | (1 << 51 if fraction else 0)
    drop = 60
    fraction |= 1 << 112
    if exponent < 1:  # subnormal, or 0
        drop += min(1 - exponent, 60)
        exponent = 1
    kept = fraction >> drop
    rest = fraction - (kept << drop)
    half = 1 << drop - 1
    if rest > half or rest == half and kept & 1:
        kept += 1
    # The leading 1 of `kept` (and a carry of rounding) adds to the exponent.
    kept += exponent - 1 << 52
    return sign | min(kept, 0x7FF << 52)
