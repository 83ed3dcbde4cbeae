"""The functions of module `env`, one by one; see test_printf.py for that family."""

from __future__ import annotations

import re
import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from board import Board, Unix
from hypothesis import given, settings
from hypothesis import strategies as st
from libc_app import HEAP, OUT_OF_BOUNDS, SIZE, App
from wamr.libc import Libc, functions
from wamr.wasm.errors import Exit, Trap


@pytest.fixture
def app() -> App:
    return App()


# ---- the tables


def test_every_function_of_the_tables_exists() -> None:
    space = Libc()
    names = []
    for table in functions.TABLES[1::2]:
        assert table[0] == table[-1] == " "
        for entry in table.split():
            name, params, result = re.fullmatch(r"(\w+)\((\w*)\)(\w?)(?:=\w+)?", entry).groups()
            code = {"u": b"\x7f", "i": b"\x7f", "I": b"\x7e", "": b""}
            kind = (b"".join(code[c] for c in params), code[result])
            assert space.resolve(name, "func", kind, None).type == kind, entry
            names.append((name, kind))
    assert len(set(names)) == len(names)


# Names and types as WAMR has them (those of 2019 with an underscore in front).
@pytest.mark.parametrize(
    "name, words",
    [
        *[
            (f"{name}", "ii:i")
            for name in ("printf", "vprintf", "strcmp", "strchr", "strspn", "strcspn")
        ],
        *[
            (name, "iii:i")
            for name in ("sprintf", "vsprintf", "memcmp", "memcpy", "memmove", "memset")
        ],
        *[
            (name, "iii:i")
            for name in ("strncmp", "strncpy", "strtol", "strtoul", "memchr", "strncasecmp")
        ],
        *[(name, "iiii:i") for name in ("snprintf", "vsnprintf")],
        *[
            (name, "i:i")
            for name in ("puts", "putchar", "strlen", "malloc", "strdup", "_strdup", "atoi")
        ],
        *[(name, "ii:i") for name in ("strcpy", "calloc", "realloc", "strstr", "clock_gettime")],
        *[
            (f"is{name}", "i:i")
            for name in "upper alpha space graph print digit xdigit alnum".split()
        ],
        *[(name, "i:i") for name in ("tolower", "toupper", "__cxa_allocate_exception")],
        *[
            (name, "i:")
            for name in (
                "free",
                "exit",
                "abort",
                "abortStackOverflow",
                "nullFunc_X",
                "nullFunc_iii",
            )
        ],
        *[("clock", ":I"), ("emscripten_memcpy_big", "iii:i"), ("bsearch", "iiiii:i")],
        *[("__cxa_begin_catch", "i:"), ("__cxa_throw", "iii:")],
    ],
)
def test_names_and_types(app: App, name: str, words: str) -> None:
    app.native(name, words)
    app.native("_" + name, words)


@pytest.mark.parametrize(
    "name, words",
    [
        *[
            ("setTempRet0", "i:"),
            ("getTempRet0", ":i"),
            ("_llvm_bswap_i16", "i:i"),
            ("_llvm_bswap_i32", "i:i"),
        ],
        *[("_bitshift64Lshr", "iii:i"), ("_bitshift64Shl", "iii:i"), ("_llvm_stacksave", ":i")],
        *[
            ("_llvm_stackrestore", "i:"),
            ("abortOnCannotGrowMemory", ":i"),
            ("enlargeMemory", ":i"),
        ],
        *[("getTotalMemory", ":i"), ("___setErrNo", "i:"), ("_abort", ":"), ("__strdup", "i:i")],
        *[(f"___syscall{n}", "ii:i") for n in (3, 5, 6, 54, 140, 145, 146, 183, 199, 221)],
        *[(f"__syscall{n}", "i" * (n + 1) + ":i") for n in range(6)],
    ],
)
def test_names_of_2019(app: App, name: str, words: str) -> None:
    app.native(name, words)


def test_unknown_names(app: App) -> None:
    for name in (
        "prinf",
        "",
        "_",
        "__printf_",
        "puts(u)i putchar",
        " puts",
        "printf(uu)i",
        "__syscallx",
    ):
        assert app.space.resolve(name, "func", (b"\x7f", b"\x7f"), None) is None
    for kind in ("memory", "table", "global"):
        assert app.space.resolve("printf", kind, (0x7F, False), None) is None


# The file of a function is loaded when somebody imports one of its functions.
def test_loading_is_lazy() -> None:
    for name in [n for n in sys.modules if n.startswith("wamr.libc.")]:
        del sys.modules[name]
    app = App()
    app.native("puts", "i:i")
    app.native("malloc", "i:i")
    app.native("free", "i:")
    loaded = {n for n in sys.modules if n.startswith("wamr.libc.")}
    assert loaded == {"wamr.libc.functions", "wamr.libc.stdio", "wamr.libc.malloc"}


# ---- malloc


def test_malloc(app: App) -> None:
    a = app.call("malloc", "i:i", 100)
    b = app.call("calloc", "ii:i", 10, 10)
    assert HEAP < a < b and a % 8 == b % 8 == 0
    assert app.memory.read(b, 100) == bytes(100)
    assert app.call("malloc", "i:i", 0) != 0
    app.memory.write(a, b"x" * 100)
    c = app.call("realloc", "ii:i", a, 1000)
    assert app.memory.read(c, 100) == b"x" * 100
    assert app.call("realloc", "ii:i", 0, 10) != 0
    for block in (b, c, 0):
        app.call("free", "i:", block)
    d = app.call("strdup", "i:i", b"copy")
    assert app.memory.read_cstr(d) == b"copy" and d > HEAP
    assert not app.warned


# In both forms, as in the last WAMR: the trap of 2019 ended programs that check the result.
@pytest.mark.parametrize("name", ["malloc", "_malloc"])
def test_malloc_without_room_returns_null(app: App, name: str) -> None:
    assert app.call(name, "i:i", 0x4000) == 0
    assert app.call(name, "i:i", 0xFFFFFFFF) == 0
    assert app.call("calloc", "ii:i", 0x10000, 0x10001) == 0
    block = app.call("malloc", "i:i", 10)
    assert app.call("realloc", "ii:i", block, 0x7FFFFFFF) == 0
    app.memory.heap = app.heap = None
    assert app.call(name, "i:i", 1) == 0
    app.call("free", "i:", 0x100)


def test_wrong_free_is_ignored_with_a_warning(app: App) -> None:
    a, _ = app.call("malloc", "i:i", 10), app.call("malloc", "i:i", 10)
    app.call("free", "i:", a)
    for wrong in (a, 0x100, 0xFFFFFFF0, a + 8):
        app.warned.clear()
        app.call("free", "i:", wrong)
        assert app.warned.startswith(b"free() ignored: 0x%x is not" % wrong)
    assert app.heap.stats()[1] == 24


def test_corrupt_heap_traps(app: App) -> None:
    a = app.call("malloc", "i:i", 10)
    app.memory.write(a, b"\xff" * 40)
    with pytest.raises(Trap, match="app heap corrupted"):
        app.call("free", "i:", a)


# ---- string.h

words = st.binary(max_size=150).map(lambda b: b.replace(b"\0", b"\1")) | st.text(
    "aAbB", max_size=6
).map(str.encode)


def sign(x: int) -> int:
    return (x > 0) - (x < 0)


def folded(text: bytes) -> bytes:
    return bytes(c + 32 if 65 <= c <= 90 else c for c in text)


@settings(max_examples=300)
@given(words, words, st.integers(0, 10) | st.sampled_from([0xFFFFFFFF, 70]))
def test_comparing(a: bytes, b: bytes, n: int) -> None:
    app = App()
    x, y = a + b"\0", b + b"\0"
    assert sign(app.call("strcmp", "ii:i", a, b)) == (x > y) - (x < y)
    assert sign(app.call("strncmp", "iii:i", a, b, n)) == (x[:n] > y[:n]) - (x[:n] < y[:n])
    x, y = folded(x[:n]), folded(y[:n])
    assert sign(app.call("strncasecmp", "iii:i", a, b, n)) == (x > y) - (x < y)
    n = min(n, len(a), len(b))
    assert sign(app.call("memcmp", "iii:i", a, b, n)) == (a[:n] > b[:n]) - (a[:n] < b[:n])


@given(words, words, st.integers(0, 255) | st.sampled_from(b"aAbB"), st.integers(0, 200))
def test_searching(a: bytes, b: bytes, c: int, n: int) -> None:
    app = App()
    p, q = app.put(a), app.put(b)
    whole = a + b"\0"
    assert app.call("strlen", "i:i", p) == len(a)
    expected = p + whole.find(c) if c in whole else 0
    assert app.call("strchr", "ii:i", p, c + 0x100) == expected
    expected = p + whole[:n].find(c) if c in whole[:n] else 0
    assert app.call("memchr", "iii:i", p, c, min(n, len(whole))) == expected
    assert app.call("strstr", "ii:i", p, q) == (p + a.find(b) if b in a else 0)
    span = len(a) - len(a.lstrip(b)) if b else 0
    assert app.call("strspn", "ii:i", p, q) == span
    rejected = [i for i, x in enumerate(a) if x in b]
    assert app.call("strcspn", "ii:i", p, q) == (rejected[0] if rejected else len(a))


@given(words, st.integers(0, 300), st.integers(0, 60), st.integers(0, 60), st.integers(0, 300))
def test_copying(text: bytes, n: int, source: int, to: int, count: int) -> None:
    app = App()
    p = app.put(text)
    q = app.heap.alloc(400)
    blank = b"\xee" * 400

    def result(name: str, words: str, *args: int) -> bytes:
        app.memory.write(q, blank)
        assert app.call(name, words, q, *args) == q
        return app.memory.read(q, 400)

    def expected(data: bytes) -> bytes:
        return data + blank[len(data) :]

    assert result("strcpy", "ii:i", p) == expected(text + b"\0")
    assert result("strncpy", "iii:i", p, n) == expected(text[:n] + bytes(max(n - len(text), 0)))
    assert result("memset", "iii:i", 0x177, n) == expected(b"w" * n)
    size = min(n, len(text))
    assert result("memcpy", "iii:i", p, size) == expected(text[:size])
    data = bytes(range(256)) + bytes(144)
    app.memory.write(q, data)
    assert app.call("memmove", "iii:i", q + to, q + source, count) == q + to
    moved = data[:to] + data[source : source + count] + data[to + count :]
    assert app.memory.read(q, 400) == moved[:400]


def test_ranges_are_checked_before_writing(app: App) -> None:
    for name in ("memcpy", "memmove", "memcmp"):
        for args in ((SIZE - 3, 0, 4), (0, SIZE - 3, 4), (0, 1, 0xFFFFFFFF), (0xFFFFFFFF, 0, 1)):
            with pytest.raises(Trap, match=OUT_OF_BOUNDS):
                app.call(name, "iii:i", *args)
    app.memory.write(SIZE - 4, b"\0abc")
    for name, words, *args in (
        ("memset", "iii:i", SIZE - 3, 7, 4),
        ("strncpy", "iii:i", SIZE - 3, 0, 5),
        ("strcpy", "ii:i", SIZE - 3, app.put(b"long")),
        ("strlen", "i:i", SIZE - 3),
        ("strlen", "i:i", 0x80000000),
        ("strcmp", "ii:i", SIZE - 3, app.put(b"abcd")),
        ("strchr", "ii:i", SIZE, 65),
        ("memchr", "iii:i", SIZE - 3, 0x100, 9),
        ("strdup", "i:i", SIZE - 3),
    ):
        with pytest.raises(Trap, match=OUT_OF_BOUNDS):
            app.call(name, words, *args)
    assert app.memory.read(SIZE - 4, 4) == b"\0abc"
    # Only what counts is looked at.
    assert app.call("strncmp", "iii:i", SIZE - 3, b"abc", 3) == 0
    assert app.call("memchr", "iii:i", SIZE - 3, ord("c"), 1000) == SIZE - 1
    assert app.call("memcpy", "iii:i", SIZE, SIZE, 0) == SIZE - (1 << 32) * (SIZE >> 31)


# ---- ctype.h, numbers


def test_classes(app: App) -> None:
    tests = {
        "upper": str.isupper,
        "alpha": str.isalpha,
        "digit": str.isdigit,
        "alnum": str.isalnum,
        "space": lambda c: c in " \t\n\v\f\r",
        "print": lambda c: " " <= c <= "~",
        "graph": lambda c: " " < c <= "~",
        "xdigit": lambda c: c in "0123456789abcdefABCDEF",
    }
    for code in range(-1, 257):
        c = chr(code) if 0 <= code < 128 else "\0"
        for name, is_one in tests.items():
            assert bool(app.call("is" + name, "i:i", code)) == is_one(c), (name, code)
        ascii_letter = c.isalpha()
        assert app.call("tolower", "i:i", code) == (ord(c.lower()) if ascii_letter else code)
        assert app.call("toupper", "i:i", code) == (ord(c.upper()) if ascii_letter else code)


@pytest.mark.parametrize(
    "text, base, value, taken",
    [
        (b"42", 10, 42, 2),
        (b" \t\n-42abc", 10, -42, 6),
        (b"+7", 10, 7, 2),
        (b"0x1F", 0, 31, 4),
        (b"0X1f", 16, 31, 4),
        (b"1f", 16, 31, 2),
        (b"0x", 0, 0, 1),  # a zero, and an x that does not belong to it
        (b"0xg", 16, 0, 1),
        (b"017", 0, 15, 3),
        (b"08", 0, 0, 1),
        (b"zZ", 36, 35 * 36 + 35, 2),
        (b"12", 2, 1, 1),
        (b"abc", 10, 0, 0),
        (b"  -", 10, 0, 0),
        (b"", 10, 0, 0),
        (b"5", 1, 0, 0),
        (b"5", 37, 0, 0),
        (b"2147483647", 10, 2**31 - 1, 10),
        (b"2147483648", 10, 2**31 - 1, 10),
        (b"-2147483648", 10, -(2**31), 11),
        (b"-99999999999999999999999999", 10, -(2**31), 27),
    ],
)
def test_strtol(app: App, text: bytes, base: int, value: int, taken: int) -> None:
    end = app.heap.alloc(4)
    p = app.put(text)
    assert app.call("strtol", "iii:i", p, end, base) == value
    assert app.memory.u32(end) == p + taken
    assert app.call("strtol", "iii:i", p, 0, base) == value
    if base == 10:
        assert app.call("atoi", "i:i", p) == value


@pytest.mark.parametrize(
    "text, value",
    [
        (b"4294967295", -1),
        (b"4294967296", -1),
        (b"-1", -1),
        (b"-4294967297", -1),
        (b"3000000000", 3000000000 - 2**32),
    ],
)
def test_strtoul(app: App, text: bytes, value: int) -> None:
    assert app.call("strtoul", "iii:i", text, 0, 10) == value


# ---- ending, clocks, callbacks


def test_exit(app: App) -> None:
    with pytest.raises(Exit) as error:
        app.call("exit", "i:", -3)
    assert error.value.code == -3


@pytest.mark.parametrize(
    "name, words, args, text",
    [
        ("abort", "i:", (5,), "env.abort(5)"),
        ("_abort", ":", (), "env.abort()"),
        ("abortStackOverflow", "i:", (48,), "env.abortStackOverflow(48)"),
        ("nullFunc_X", "i:", (-2,), "env.nullFunc_X(-2)"),
        ("_nullFunc_viii", "i:", (1,), "env.nullFunc_viii(1)"),
        ("__handle_stack_overflow", "i:", (0,), "wasm auxiliary stack overflow"),
        ("__handle_stack_overflow", ":", (), "wasm auxiliary stack overflow"),
        (
            "__assert_fail",
            "iiii:",
            (b"x > 0", b"a.c", 7, b"main"),
            "assertion failed: x > 0 (a.c: main: 7)",
        ),
        ("__assert_fail", "iiii:", (b"\xff", b"a.c", 7, 0), "assertion failed: ? (a.c: ?: 7)"),
        ("__cxa_throw", "iii:", (0, 0, 0), "exception thrown by stdc++"),
        ("abortOnCannotGrowMemory", ":i", (), "out of memory: the memory of this app cannot grow"),
    ],
)
def test_traps(app: App, name: str, words: str, args: tuple, text: str) -> None:
    with pytest.raises(Trap) as error:
        app.call(name, words, *args)
    assert str(error.value) == text


def test_abort_of_assemblyscript(app: App) -> None:
    pointers = []
    for text in ("Index out of range", "words/index.ts"):
        data = text.encode("utf-16-le")
        at = app.heap.alloc(len(data) + 4)
        app.memory.put_u32(at, len(data))
        app.memory.write(at + 4, data)
        pointers.append(at + 4)
    with pytest.raises(Trap) as error:
        app.call("abort", "iiii:", *pointers, 12, 5)
    assert str(error.value) == "abort: Index out of range in words/index.ts(12:5)"
    with pytest.raises(Trap, match=r"abort:  in \(0:0\)"):
        app.call("abort", "iiii:", 0, 0, 0, 0)


def test_clocks(app: App) -> None:
    a = app.call("clock", ":I")
    time.sleep(0.01)
    assert 10_000_000 <= app.call("clock", ":I") - a < 10_000_000_000
    ts = app.heap.alloc(16)
    for clock, now in ((0, time.time()), (1, time.monotonic())):
        assert app.call("clock_gettime", "ii:i", clock, ts) == 0
        ns = app.memory.u32(ts + 8)
        assert ns < 10**9
        assert abs(app.memory.u64(ts) + ns / 1e9 - now) < 5
    assert abs(app.call("time", "i:I", ts) - time.time()) < 5
    assert app.memory.u64(ts) == app.call("time", "i:i", 0)
    with pytest.raises(Trap, match=OUT_OF_BOUNDS):
        app.call("clock_gettime", "ii:i", 0, SIZE - 8)


class Comparison:
    """A function of the app that compares two u16 in memory."""

    type = (b"\x7f\x7f", b"\x7f")


class AppWithTable(App):
    def __init__(self) -> None:
        super().__init__()

        class Table:
            elems = [None, Comparison, type("Wrong", (), {"type": (b"", b"")})]

        self.tables = [Table]

    def call_(self, function: object, args: list[int]) -> list[int]:
        a, b = (int.from_bytes(self.memory.read(p, 2), "little") for p in args)
        return [(a > b) - (a < b) & 0xFFFFFFFF]


@given(st.lists(st.integers(0, 50), max_size=40), st.sampled_from([2, 5]))
def test_qsort_and_bsearch(values: list[int], size: int) -> None:
    app = AppWithTable()
    call = app.call
    base = app.heap.alloc(size * len(values) + 2)
    key = app.heap.alloc(2)
    for i, value in enumerate(values):
        app.memory.write(
            base + i * size, value.to_bytes(2, "little") + bytes([value] * (size - 2))
        )
    qsort, bsearch = app.native("qsort", "iiii:"), app.native("bsearch", "iiiii:i")
    app.call = app.call_
    qsort.call(app, [base, len(values), size, 1])
    found = [app.memory.read(base + i * size, size) for i in range(len(values))]
    assert [int.from_bytes(f[:2], "little") for f in found] == sorted(values)
    assert all(f[2:] == bytes(f[:1] * (size - 2)) for f in found)
    for value in range(51):
        app.memory.write(key, value.to_bytes(2, "little"))
        (at,) = bsearch.call(app, [key, base, len(values), size, 1])
        assert (at != 0) == (value in values)
        assert not at or app.memory.read(at, 2) == app.memory.read(key, 2)
    app.call = call


@pytest.mark.parametrize(
    "pointer, text",
    [(0, "uninitialized element"), (2, "indirect call type mismatch"), (3, "undefined element")],
)
def test_wrong_function_pointers(pointer: int, text: str) -> None:
    app = AppWithTable()
    with pytest.raises(Trap, match=text):
        app.call("qsort", "iiii:", HEAP, 2, 4, pointer)
    app.tables = []
    with pytest.raises(Trap, match="undefined element"):
        app.call("bsearch", "iiiii:i", HEAP, HEAP, 2, 4, 0)


def test_qsort_of_nothing(app: App) -> None:
    app.call("qsort", "iiii:", HEAP, 0xFFFFFFFF, 0, 0)
    with pytest.raises(Trap, match=OUT_OF_BOUNDS):
        app.call("qsort", "iiii:", HEAP, 0x10000000, 16, 0)


# ---- emscripten of 2019


def test_shifts(app: App) -> None:
    for name, shift in (
        ("Shl", lambda x, n: x << n),
        ("Lshr", lambda x, n: x >> n),
    ):
        for value in (0x123456789ABCDEF0, 0xFEDCBA9876543210):
            for n in (0, 1, 31, 32, 33, 63):
                low = app.call("_bitshift64" + name, "iii:i", value & 0xFFFFFFFF, value >> 32, n)
                high = app.call("getTempRet0", ":i")
                expected = shift(value, n) & 2**64 - 1
                assert ((high & 0xFFFFFFFF) << 32 | low & 0xFFFFFFFF) == expected
    app.call("setTempRet0", "i:", 77)
    assert app.call("getTempRet0", ":i") == 77


def test_byte_swaps(app: App) -> None:
    assert app.call("_llvm_bswap_i16", "i:i", 0x12345678) == 0x12347856
    assert app.call("_llvm_bswap_i32", "i:i", 0x12345678) == 0x78563412


def test_system_calls(app: App) -> None:
    a, b = app.put(b"Hello "), app.put(b"world")
    vector = app.block(a, 6, b, 5)
    block = app.heap.alloc(12)
    for i, value in enumerate((1, vector, 2)):
        app.memory.put_u32(block + 4 * i, value)
    assert app.call("___syscall146", "ii:i", 146, block) == 11
    assert app.call("__syscall3", "iiii:i", 146, 1, vector, 2) == 11
    assert app.printed == b"Hello worldHello world"
    assert app.call("___syscall54", "ii:i", 54, block) == 0
    assert app.call("___syscall5", "ii:i", 5, block) == -38
    assert app.call("__syscall0", "i:i", 20) == -38
    with pytest.raises(Trap, match=OUT_OF_BOUNDS):
        app.call("__syscall3", "iiii:i", 146, 1, vector, 0xFFFFFFFF)


def test_memory_of_2019(app: App) -> None:
    assert app.call("enlargeMemory", ":i") == 0
    assert app.call("getTotalMemory", ":i") == 65536
    assert app.call("_llvm_stacksave", ":i") == 0
    app.call("_llvm_stackrestore", "i:", 0)
    app.call("___setErrNo", "i:", 5)
    assert app.call("emscripten_resize_heap", "i:i", 100000) == 0


# ---- on MicroPython


@pytest.fixture(scope="module")
def lines_of_cpython() -> list[str]:
    code = (Path(__file__).parent / "libc_device.py").read_text()
    out = StringIO()
    with redirect_stdout(out):
        exec(compile(code, "libc_device.py", "exec"), {"__name__": "device"})
    return out.getvalue().splitlines()


def test_the_same_on_micropython(unix: Unix, lines_of_cpython: list[str]) -> None:
    lines = unix.exec_file(Path(__file__).parent / "libc_device.py").splitlines()
    assert lines == lines_of_cpython


def test_the_same_on_boards(board: Board, lines_of_cpython: list[str]) -> None:
    code = (Path(__file__).parent / "libc_device.py").read_text()
    assert board.exec(code, timeout_s=120).splitlines() == lines_of_cpython
