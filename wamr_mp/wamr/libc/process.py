"""Ending the program, its clocks, and what calls back into it: bsearch and qsort (ISO C 7.22)."""

from ..wasm.errors import Exit, Trap
from .clock import monotonic_ns, realtime_ns


class Functions:
    def __init__(self, libc, is_2019):
        pass

    # ---- the end

    def exit(self, instance, code):
        raise Exit(code)

    # With the texts that WAMR gives.
    def abort(self, instance, code=""):
        raise Trap("env.abort(%s)" % code)

    def abortStackOverflow(self, instance, size):
        raise Trap("env.abortStackOverflow(%d)" % size)

    # emscripten's functions for empty entries of the function table, one for each signature.
    def null_function(self, name):
        def null(instance, code):
            raise Trap("env.%s(%d)" % (name, code))

        return null

    def stack_overflow(self, instance, stack_pointer=0):
        raise Trap("wasm auxiliary stack overflow")

    def assert_fail(self, instance, condition, file, line, function):
        texts = []
        for p in (condition, file, function):
            try:
                texts.append(instance.memory.read_cstr(p).decode("utf-8") if p else "?")
            except UnicodeError:
                texts.append("?")
        raise Trap("assertion failed: %s (%s: %s: %d)" % (texts[0], texts[1], texts[2], line))

    # AssemblyScript's abort(message, file, line, column), whose strings are UTF-16 with their
    # length in front.
    def abort_assemblyscript(self, instance, message, file, line, column):
        texts = []
        for p in (message, file):
            text = ""
            if p >= 4:
                data = instance.memory.read(p, min(instance.memory.u32(p - 4), 400) & ~1)
                for i in range(0, len(data), 2):
                    c = data[i] | data[i + 1] << 8
                    text += "?" if 0xD800 <= c < 0xE000 else chr(c)
            texts.append(text)
        raise Trap("abort: %s in %s(%d:%d)" % (texts[0], texts[1], line, column))

    # C++ exceptions cannot be caught.
    def begin_catch(self, instance, exception):
        return exception

    def throw(self, instance, exception, type, destructor):
        raise Trap("exception thrown by stdc++")

    def emscripten_resize_heap(self, instance, size):
        return 0  # the app heap has a fixed size

    # ---- clocks

    # Nanoseconds, as WAMR's (ISO C would have them in CLOCKS_PER_SEC).
    def clock(self, instance):
        return monotonic_ns()

    def clock_gettime(self, instance, clock, time):
        ns = monotonic_ns() if clock else realtime_ns()
        instance.memory.check(time, 12)
        instance.memory.put_u64(time, ns // 1000000000)
        instance.memory.put_u32(time + 8, ns % 1000000000)
        return 0

    def time(self, instance, result):
        seconds = realtime_ns() // 1000000000
        if result:
            instance.memory.put_u64(result, seconds)
        return seconds

    # time_t of 32 bits: emscripten until 3.1.29.
    def time32(self, instance, result):
        seconds = realtime_ns() // 1000000000
        if result:
            instance.memory.put_u32(result, seconds)
        return seconds

    # ---- functions that call the app's comparison function

    def bsearch(self, instance, key, base, n, size, compare):
        low = 0
        while low < n:
            middle = (low + n) // 2
            order = _call(instance, compare, key, base + middle * size)
            if not order:
                return base + middle * size
            if order < 0:
                n = middle
            else:
                low = middle + 1
        return 0

    # A heap sort: in place, and never quadratic.
    def qsort(self, instance, base, n, size, compare):
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
                if child + size < end and _call(instance, compare, child, child + size) < 0:
                    child += size
                if _call(instance, compare, i, child) >= 0:
                    break
                _swap(instance.memory, i, child, size)
                i = child


def _swap(memory, a, b, size):
    kept = memory.read(a, size)
    memory.write(a, memory.read(b, size))
    memory.write(b, kept)


# Calls the function that a C function pointer stands for; the checks are those of call_indirect.
def _call(instance, pointer, a, b):
    elems = instance.tables[0].elems if instance.tables else ()
    if pointer >= len(elems):
        raise Trap("undefined element")
    function = elems[pointer]
    if function is None:
        raise Trap("uninitialized element")
    if function.type != (b"\x7f\x7f", b"\x7f"):
        raise Trap("indirect call type mismatch")
    result = instance.call(function, [a & 0xFFFFFFFF, b & 0xFFFFFFFF])[0]
    return result - 0x100000000 if result > 0x7FFFFFFF else result
