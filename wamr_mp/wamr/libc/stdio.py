"""printf and its family (ISO C 7.21.6.1), puts and putchar.

A C compiler for WebAssembly passes the variable arguments as one pointer to a block of memory:
4 bytes for each argument, 8 for long long and double. clang and today's emscripten align the
latter to 8, emscripten of 2019 (names with an underscore) did not. long double, which a
freestanding program cannot calculate with, is not known here.
"""

from wamr.host import const

# A single conversion makes at most so many characters (all that ISO C guarantees), whatever width
# an app asks for.
_MAX_WIDTH = const(4095)
# Output is passed on in pieces of about this size.
_PIECE = const(128)
_NO_LIMIT = const(0x3FFFFFFF)


def printf(libc, instance, text, arguments):
    return format_to(libc, instance.memory, text, arguments, libc.write)


def sprintf(libc, instance, to, text, arguments):
    return snprintf(libc, instance, to, _NO_LIMIT, text, arguments)


# At most size - 1 characters and a NUL; the result is how many there would be without the
# limit.
def snprintf(libc, instance, to, size, text, arguments):
    memory = instance.memory
    room = size - 1
    done = 0

    def put(data):
        nonlocal done
        if done < room:
            memory.write(to + done, data if len(data) <= room - done else data[: room - done])
        done += len(data)

    total = format_to(libc, memory, text, arguments, put)
    if size:
        memory.write(to + min(total, room), b"\0")
    return total


def puts(libc, instance, text):
    text = instance.memory.read_cstr(text) + b"\n"
    libc.write(text)
    return len(text)


def putchar(libc, instance, c):
    libc.write(bytes((c & 0xFF,)))
    return 1


# ---- the formatter


# Passes the formatted text piece by piece to `put`, returns its length.
def format_to(libc, memory, text, block, put):
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
            i, block, data = _conversion(libc, memory, text, at + 1, block)
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
def _conversion(libc, memory, text, i, block):
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
    while text[i] in b"hljzt":
        c = text[i]
        if c == 104:  # h, hh
            bits = 8 if bits == 16 else 16
        elif c == 106 or c == 108 and text[i - 1] == 108:  # j, ll
            bits = 64
        i += 1
    letter = chr(text[i])
    if not text[i]:
        return i, block, b"%"
    i += 1
    sign = b""  # what stands before the zeros that fill the width
    zeros = "0" in flags
    if letter in "diouxXp":
        value, block = _argument(libc, memory, block, bits)
        if precision >= 0:
            zeros = False
        if letter == "p":
            if libc.is_2019:
                precision = 8
            flags += "#"
            letter = "x"
            bits = 33  # 0 has its 0x as well
        precision = min(precision, _MAX_WIDTH)
        data, sign = _integer(value, letter, bits, precision, flags)
        data = data.encode()
        sign = sign.encode()
    elif letter in "eEfFgG":
        from wamr.libc.decimal import format_float

        value, block = _argument(libc, memory, block, 64)
        zeros = zeros and value >> 52 & 0x7FF != 0x7FF
        precision = min(precision, _MAX_WIDTH) if precision >= 0 else None
        data = format_float(value, letter, precision, flags).encode()
        if data[0] < 48:  # a sign
            sign = data[:1]
            data = data[1:]
    elif letter == "%":
        return i, block, b"%"
    elif letter in "csn":
        data = b""
        value = memory.u32(block)
        block += 4
        zeros = False
        if letter == "c":
            data = bytes((value & 0xFF,))
        elif letter == "s":
            data = _string(libc, memory, value, precision)
        else:
            width = 0
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
def _argument(libc, memory, block, bits):
    if bits < 64:
        return memory.u32(block), block + 4
    if not libc.is_2019:
        block = block + 7 & ~7
    return memory.u64(block), block + 8


# With a precision only so many bytes are looked at; there need not be a NUL.
def _string(libc, memory, ptr, precision):
    if not ptr and not libc.is_2019:  # in 2019 data started at address 0
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


# The digits of an integer argument, and what stands before them. bits: how many of it count.
def _integer(value, letter, bits, precision, flags):
    sign = ""
    value &= (1 << bits) - 1
    if letter in "di":
        if value >> bits - 1:
            value = (1 << bits) - value
            sign = "-"
        elif "+" in flags:
            sign = "+"
        elif " " in flags:
            sign = " "
    data = ("%" + ("d" if letter in "diu" else letter)) % value
    if not value and not precision:
        data = ""
    data = "0" * (precision - len(data)) + data
    if "#" in flags:
        if letter == "o":
            if data[:1] != "0":
                data = "0" + data
        elif letter in "xX" and (value or bits == 33):
            sign = "0" + letter
    return data, sign
