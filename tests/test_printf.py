"""printf and its family, against the C library of this machine, and where output goes."""

from __future__ import annotations

import ctypes
import ctypes.util
import struct
from io import BytesIO, StringIO

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from libc_app import BLOCK, OUT_OF_BOUNDS, SIZE, App
from wamr.libc import Libc
from wamr.wasm.errors import Trap


@pytest.fixture
def app() -> App:
    return App()


def double(value: float) -> tuple[int]:
    return struct.unpack("<Q", struct.pack("<d", value))


def test_line_of_the_fact_sheet(app: App) -> None:
    line = b"[%5d|%-5d|%05d|%x|%X|%08x|%p|%s|%5s|%-5s|%c|%%|%ld|%u|%i]"
    args = (42, 42, 42, 255, 255, 255, 0x15E0, b"ab", b"ab", b"ab", ord("Z"), 7, 3000000000, -5)
    expected = "[   42|42   |00042|ff|FF|000000ff|{}|ab|   ab|ab   |Z|%|7|3000000000|-5]"
    assert app.format(line, *args) == expected.format("0x15e0").encode()
    # Modules of 2019 print pointers with all their digits.
    assert app.format(line, *args, name="_printf") == expected.format("0x000015e0").encode()


@pytest.mark.parametrize(
    "text, args, expected",
    [
        (b"", (), b""),
        (b"plain", (), b"plain"),
        (b"%s", (0,), b"(null)"),
        (b"%.3s|%10s|%-3s|", (0, 0, 0), b"(nu|    (null)|(null)|"),
        (b"%n%d", (0x100, 5), b"5"),  # prints nothing, and is an argument
        (b"%k %y %Lf", (), b"%k %y %Lf"),
        (b"100%", (), b"100%"),
        (b"%", (), b"%"),
        (b"%-", (), b"%"),
        (b"%p %p", (0, 0xFFFFFFFF), b"0x0 0xffffffff"),
        (b"%10p|", (0x15E0,), b"    0x15e0|"),
        (b"%*d|%-*d|%*d", (5, 1, 5, 2, -5, 3), b"    1|2    |3    "),
        (b"%.*d|%.*d|%.d", (3, 1, -1, 2, 0), b"001|2|"),
        (b"%ld %zd %td %zu", (-1, -2, -3, 4), b"-1 -2 -3 4"),
        (b"%lld %d", ((-(2**63),), 1), b"-9223372036854775808 1"),
        (
            b"%d %llu %d %jx",
            (1, (2**64 - 1,), 2, (2**63,)),
            b"1 18446744073709551615 2 8000000000000000",
        ),
        (b"%hhd %hhu %hd %hu", (300, 300, 70000, 70000), b"44 44 4464 4464"),
        (b"%c%c", (0x141, 0), b"A\0"),
        (b"%5c|%-5c|", (65, 66), b"    A|B    |"),
        (b"%+d % d %+d % +d", (1, 1, -1, 1), b"+1  1 -1 +1"),
        (b"%#x %#X %#o %#x %#o %#.0o", (255, 255, 8, 0, 0, 0), b"0xff 0XFF 010 0 0 0"),
        (b"%08.3d|%-08d|%+05d", (7, 7, 7), b"     007|7       |+0007"),
        (b"%ls %lc", (b"wide", 65), b"wide A"),
        (b"%hhhhhhhd %hlld", (257, (2**40,)), b"257 1099511627776"),
        (b"%hhn%5n%5%|%-5s", (0, 0, 0), b"%|(null)"),
    ],
)
def test_conversions(app: App, text: bytes, args: tuple, expected: bytes) -> None:
    assert app.format(text, *args) == expected


def c_library() -> ctypes.CDLL | None:
    name = ctypes.util.find_library("c")
    library = ctypes.CDLL(name) if name else None
    return library if library and hasattr(library, "snprintf") else None


C = c_library()
flags = st.text("-+ #0", max_size=3)
numbers = st.none() | st.integers(0, 25)


def in_c(text: bytes, *args: object) -> bytes:
    buf = ctypes.create_string_buffer(5000)
    C.snprintf(buf, 5000, text, *args)
    return buf.value


def conversion(flags: str, width: int | None, precision: int | None, rest: str) -> bytes:
    number = "" if width is None else str(width)
    dot = "" if precision is None else f".{precision}"
    return f"[%{flags}{number}{dot}{rest}]".encode()


@pytest.mark.skipif(C is None, reason="no C library to compare with")
@settings(max_examples=400)
@given(
    flags,
    numbers,
    numbers,
    st.sampled_from("diouxX"),
    st.sampled_from(["", "hh", "h", "ll"]),
    st.data(),
)
def test_integers_as_in_c(flags, width, precision, letter, size, data) -> None:
    assume(not ("#" in flags and letter in "diu"))  # undefined in C
    bits = 64 if size == "ll" else 32
    value = data.draw(st.integers(-(2**bits) // 2, 2**bits - 1) | st.integers(-300, 300))
    text = conversion(flags, width, precision, size + letter)
    argument = ctypes.c_ulonglong(value) if bits == 64 else ctypes.c_uint(value)
    assert App().format(text, (value,) if bits == 64 else value) == in_c(text, argument)


@pytest.mark.skipif(C is None, reason="no C library to compare with")
@settings(max_examples=400)
@given(flags, numbers, numbers, st.sampled_from("eEfFgG"), st.sampled_from(["", "l"]), st.floats())
def test_floats_as_in_c(flags, width, precision, letter, size, value) -> None:
    text = conversion(flags, width, precision, size + letter)
    expected = in_c(text, ctypes.c_double(value))
    if value != value:  # C libraries differ in the sign of a NaN
        assert App().format(text, double(value)).strip(b"[]+- ") == expected.strip(b"[]+- ")
    else:
        assert App().format(text, double(value)) == expected


@pytest.mark.skipif(C is None, reason="no C library to compare with")
@given(
    st.text("-", max_size=1), numbers, numbers, st.binary(max_size=30).filter(lambda b: 0 not in b)
)
def test_strings_as_in_c(flags, width, precision, text) -> None:
    how = conversion(flags, width, precision, "s")
    assert App().format(how, text) == in_c(how, ctypes.c_char_p(text))


def test_varargs_of_2019_are_not_aligned(app: App) -> None:
    text, args = b"%d %lld %d %g", (1, (2**40,), 2, double(0.5))
    for name in ("printf", "_printf"):
        assert app.format(text, *args, name=name) == b"1 1099511627776 2 0.5"


def test_huge_widths_are_cut(app: App) -> None:
    assert len(app.format(b"%2000000000d", 1)) == 4095
    assert len(app.format(b"%.999999999999999999999d", 1)) == 4095
    assert len(app.format(b"%*d", 0x80000000, 1)) == 4095


def test_long_output_comes_in_pieces() -> None:
    app = App()
    pieces = []
    app.space = Libc(pieces.append)
    app.call("printf", "ii:i", b"%s" * 20, app.block(*[b"x" * 30] * 20))
    assert b"".join(pieces) == b"x" * 600
    assert max(map(len, pieces)) < 200


@pytest.mark.parametrize("name", ["snprintf", "vsnprintf", "sniprintf", "__small_snprintf"])
def test_snprintf(app: App, name: str) -> None:
    to = app.heap.alloc(32)
    text, block = app.put(b"%s-%d"), app.block(b"sensor", 42)
    for size in range(16):
        app.memory.write(to, b"\xee" * 16)
        assert app.call(name, "iiii:i", to, size, text, block) == 9
        expected = b"sensor-42"[: size - 1] + b"\0" if size else b""
        assert app.memory.read(to, 16) == expected + b"\xee" * (16 - len(expected))


def test_sprintf(app: App) -> None:
    to = app.heap.alloc(300)
    for name in ("sprintf", "vsprintf", "siprintf", "__small_sprintf", "_sprintf"):
        assert app.call(name, "iii:i", to, b"%d:%s", app.block(7, b"y" * 200)) == 202
        assert app.memory.read_cstr(to) == b"7:" + b"y" * 200
    with pytest.raises(Trap, match=OUT_OF_BOUNDS):
        app.call("sprintf", "iii:i", SIZE - 4, b"%d", app.block(123456))


def test_pointers_are_checked(app: App) -> None:
    for args in (
        (SIZE, BLOCK),
        (0xFFFFFFFF, BLOCK),
        (app.put(b"%d"), SIZE - 3),
        (app.put(b"%lld"), SIZE - 4),
    ):
        with pytest.raises(Trap, match=OUT_OF_BOUNDS):
            app.call("printf", "ii:i", *args)
    app.memory.write(SIZE - 3, b"abc")  # no NUL before the end
    for text in (b"%s", b"%.4s"):
        with pytest.raises(Trap, match=OUT_OF_BOUNDS):
            app.format(text, SIZE - 3)
    assert app.format(b"%.3s", SIZE - 3) == b"abc"
    with pytest.raises(Trap, match=OUT_OF_BOUNDS):
        app.call("puts", "i:i", SIZE - 3)


def test_puts_and_putchar(app: App) -> None:
    assert app.call("puts", "i:i", b"Hello") == 6
    assert app.call("putchar", "i:i", 0x121) == 1
    assert app.printed == b"Hello\n!"


# ---- where it goes


def test_console(capfdbinary: pytest.CaptureFixture) -> None:
    app = App(Libc())
    print("first")
    app.call("puts", "i:i", b"gr\xc3\xbc\xc3\x9fe \xff")
    app.call("fputs", "ii:i", b"warning", 0)
    assert capfdbinary.readouterr().out == b"first\ngr\xc3\xbc\xc3\x9fe \xff\nwarning"


def test_text_streams_get_text() -> None:
    stream = StringIO()
    App(Libc(stream)).call("puts", "i:i", b"\xc3\xbc\xff")
    assert stream.getvalue() == "ü\ufffd\n"


def test_stderr() -> None:
    out, error = BytesIO(), BytesIO()

    class Cells:
        stderr = 0x20

    App(Libc(out, error, Cells)).call("fputs", "ii:i", b"x", 0x20)
    assert (out.getvalue(), error.getvalue()) == (b"", b"x")
    App(Libc(out, None, Cells)).call("fputs", "ii:i", b"y", 0x20)
    assert out.getvalue() == b"y"


def test_files(app: App) -> None:
    assert app.call("fprintf", "iii:i", 0, b"%d,", app.block(1)) == 2
    assert app.call("fiprintf", "iii:i", 0, b"%d,", app.block(2)) == 2
    assert app.call("fwrite", "iiii:i", b"abcdef", 2, 3, 0) == 3
    assert app.call("fwrite", "iiii:i", b"abcdef", 0, 3, 0) == 0
    assert app.call("fputc", "ii:i", 0x141, 0) == 65
    assert app.call("fflush", "i:i", 0) == 0
    assert app.printed == b"1,2,abcdefA"
