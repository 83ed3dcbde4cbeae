"""Ending the program, its clocks, and what calls back into it: bsearch and qsort (ISO C 7.22)."""

from wamr.wasm.errors import Exit, Trap
from wamr.libc.clock import monotonic_ns, realtime_ns


# ---- the end


def exit(libc, instance, code):
    raise Exit(code)


# With the texts that WAMR gives.
def abort(libc, instance, code=""):
    raise Trap("env.abort(%s)" % code)


# abortStackOverflow, and emscripten's functions for empty entries of the function table.
def abort_as(name):
    def fail(libc, instance, code):
        raise Trap("env.%s(%d)" % (name, code))

    return fail


def stack_overflow(libc, instance, p=0):
    raise Trap("wasm auxiliary stack overflow")


def assert_fail(libc, instance, a, b, line, c):
    text = [_text(instance.memory.read_cstr(p)) if p else "?" for p in (a, b, c)]
    raise Trap("assertion failed: %s (%s: %s: %d)" % (text[0], text[1], text[2], line))


# AssemblyScript's abort(message, file, line, column): UTF-16 with its length in front.
def abort_with(libc, instance, a, b, line, column):
    memory = instance.memory
    text = [_text(memory.read(p, memory.u32(p - 4))) if p >= 4 else "" for p in (a, b)]
    raise Trap("abort: %s in %s(%d:%d)" % (text[0], text[1], line, column))


# C++ exceptions cannot be caught.
def throw(libc, instance, a, b, c):
    raise Trap("exception thrown by stdc++")


# ---- clocks


# Nanoseconds, as WAMR's (ISO C would have them in CLOCKS_PER_SEC).
def clock(libc, instance):
    return monotonic_ns()


def clock_gettime(libc, instance, clock, time):
    ns = monotonic_ns() if clock else realtime_ns()
    instance.memory.check(time, 12)
    instance.memory.put_u64(time, ns // 1000000000)
    instance.memory.put_u32(time + 8, ns % 1000000000)
    return 0


def time(libc, instance, result):
    seconds = realtime_ns() // 1000000000
    if result:
        instance.memory.put_u64(result, seconds)
    return seconds


# time_t of 32 bits: emscripten until 3.1.29.
def time32(libc, instance, result):
    seconds = realtime_ns() // 1000000000
    if result:
        instance.memory.put_u32(result, seconds)
    return seconds


# ---- functions that call the app's comparison function


def bsearch(libc, instance, key, base, n, size, function):
    low = 0
    while low < n:
        middle = (low + n) // 2
        order = _call(instance, function, key, base + middle * size)
        if not order:
            return base + middle * size
        if order < 0:
            n = middle
        else:
            low = middle + 1
    return 0


# A heap sort: in place, and never quadratic.
def qsort(libc, instance, base, n, size, function):
    instance.memory.check(base, n * size)
    if not size:
        return
    start = n // 2
    while n > 1:
        if start:
            start -= 1
        else:
            n -= 1
            _swap(instance.memory, base, base + n * size, size)
        i = base + start * size
        while True:
            child = 2 * i - base + size
            end = base + n * size
            if child >= end:
                break
            if child + size < end and _call(instance, function, child, child + size) < 0:
                child += size
            if _call(instance, function, i, child) >= 0:
                break
            _swap(instance.memory, i, child, size)
            i = child


# Text for a message, from whatever an app has there. UTF-16 has a NUL in each ASCII character.
def _text(data):
    return "".join([chr(c) if 32 <= c < 127 else "?" for c in data if c])


def _swap(memory, a, b, size):
    kept = memory.read(a, size)
    memory.write(a, memory.read(b, size))
    memory.write(b, kept)


# Calls the function that a C function pointer stands for; the checks are those of call_indirect.
def _call(instance, function, a, b):
    elems = instance.tables[0].elems if instance.tables else ()
    if function >= len(elems):
        raise Trap("undefined element")
    function = elems[function]
    if function is None:
        raise Trap("uninitialized element")
    if function.type != (b"\x7f\x7f", b"\x7f"):
        raise Trap("indirect call type mismatch")
    result = instance.call(function, [a & 0xFFFFFFFF, b & 0xFFFFFFFF])[0]
    return result - 0x100000000 if result > 0x7FFFFFFF else result
