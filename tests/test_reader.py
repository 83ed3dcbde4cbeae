"""Bytes, LEB128 integers and names (specification 5.2)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wamr.wasm.errors import CompileError
from wamr.wasm.reader import Reader, is_utf8
from wat import leb, sleb


def reader(data: bytes, base: int = 0) -> Reader:
    return Reader(data, 0, len(data), base)


def padded(shortest: bytes, size: int, negative: bool = False) -> bytes:
    """A longer form of the same LEB128 integer."""
    fill = 0x7F if negative else 0
    out = bytearray(shortest)
    while len(out) < size:
        out[-1] |= 0x80
        out.append(fill)
    return bytes(out)


# Unsigned


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.binary(max_size=3))
@example(2**32 - 1, 5, b"")
@example(127, 1, b"\xff")
def test_u32_is_read_in_every_form_of_up_to_five_bytes(n: int, size: int, rest: bytes) -> None:
    data = padded(leb(n), size)
    r = reader(data + rest)
    assert r.u32() == n
    assert r.pos == len(data)


@pytest.mark.parametrize(
    "data, message, offset",
    [
        (b"", "unexpected end", 0),
        (b"\x80", "unexpected end", 1),
        (b"\xff\xff\xff\xff", "unexpected end", 4),
        (b"\x80\x80\x80\x80\x80\x00", "integer representation too long", 4),
        (b"\xff\xff\xff\xff\x10", "integer too large", 4),
        (b"\x80\x80\x80\x80\x70", "integer too large", 4),
    ],
)
def test_u32_refuses(data: bytes, message: str, offset: int) -> None:
    with pytest.raises(CompileError, match=f"^{message} ") as caught:
        reader(data, 100).u32()
    assert caught.value.offset == 100 + offset


# Signed


@pytest.mark.parametrize("bits, longest", [(32, 5), (33, 5), (64, 10)])
@given(data=st.data())
def test_signed_is_read_in_every_form(bits: int, longest: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    raw = padded(sleb(n), data.draw(st.integers(1, longest)), n < 0)
    r = reader(raw + b"\x7f")
    assert r.signed(bits) == n
    assert r.pos == len(raw)


@pytest.mark.parametrize("bits", [32, 33, 64])
def test_signed_takes_its_limits_and_nothing_beyond(bits: int) -> None:
    top = 2 ** (bits - 1)
    for n in (top - 1, -top):
        assert reader(sleb(n)).signed(bits) == n
    for n in (top, -top - 1):
        with pytest.raises(CompileError, match="^integer (too large|representation too long) "):
            reader(sleb(n)).signed(bits)


@pytest.mark.parametrize(
    "bits, data, message, offset",
    [
        (32, b"", "unexpected end", 0),
        (32, b"\x80\x80", "unexpected end", 2),
        (32, b"\x80\x80\x80\x80\x80\x00", "integer representation too long", 4),
        (32, b"\x80\x80\x80\x80\x70", "integer too large", 4),  # unused bits 111, sign 0
        (32, b"\xff\xff\xff\xff\x0f", "integer too large", 4),  # unused bits 000, sign 1
        (33, b"\xff\xff\xff\xff\x1f", "integer too large", 4),
        (64, b"\x80" * 10 + b"\x00", "integer representation too long", 9),
        (64, b"\x80" * 9 + b"\x7e", "integer too large", 9),
        (64, b"\xff" * 9 + b"\x01", "integer too large", 9),
    ],
)
def test_signed_refuses(bits: int, data: bytes, message: str, offset: int) -> None:
    with pytest.raises(CompileError, match=f"^{message} ") as caught:
        reader(data).signed(bits)
    assert caught.value.offset == offset


# Lengths and names


def test_a_count_larger_than_what_is_left_is_a_lie() -> None:
    r = reader(b"\x03abc")
    assert r.count() == 3
    with pytest.raises(CompileError, match="^length out of bounds "):
        reader(b"\x04abc").count()
    with pytest.raises(CompileError, match="^length out of bounds "):
        reader(b"\xff\xff\xff\xff\x0f").count()


def test_skip_stays_inside() -> None:
    r = reader(b"abc")
    r.skip(3)
    with pytest.raises(CompileError, match="^unexpected end "):
        r.skip(1)


def test_a_reader_stays_inside_its_part_of_the_buffer() -> None:
    r = Reader(b"\x05hello", 0, 3)
    with pytest.raises(CompileError, match="^length out of bounds "):
        r.name()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_name(kind: type) -> None:
    raw = "naïve ☃ \U0001f40d \0".encode()
    r = reader(kind(leb(len(raw)) + raw))
    assert r.name() == "naïve ☃ \U0001f40d \0"
    assert r.pos == r.end


def test_the_longest_name() -> None:
    assert reader(leb(10000) + b"x" * 10000).name() == "x" * 10000
    with pytest.raises(CompileError, match="^name too long: at most 10000 bytes "):
        reader(leb(10001) + b"x" * 10001).name()


def test_a_malformed_name_is_reported_where_it_begins() -> None:
    with pytest.raises(CompileError, match="^malformed UTF-8 encoding ") as caught:
        reader(b"\x02a\xff", 0x30).name()
    assert caught.value.offset == 0x31


def decodes(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# Bytes that begin and go on with sequences more often than chance would have it.
NEAR_UTF8 = st.lists(
    st.sampled_from(
        [b"a", b"\x7f", b"\x80", b"\x8f", b"\x90", b"\x9f", b"\xa0", b"\xbf", b"\xc0", b"\xc1"]
        + [b"\xc2", b"\xdf", b"\xe0", b"\xe1", b"\xec", b"\xed", b"\xee", b"\xef", b"\xf0"]
        + [b"\xf1", b"\xf3", b"\xf4", b"\xf5", b"\xf8", b"\xff"]
    ),
    max_size=6,
).map(b"".join)


@given(st.one_of(NEAR_UTF8, st.binary(max_size=8), st.text(max_size=8).map(str.encode)))
@example(b"\xed\xa0\x80")  # a surrogate
@example(b"\xc0\x80")  # an overlong NUL
@example(b"\xf4\x90\x80\x80")  # beyond the last code point
@example(b"\xf0\x9f\x90")  # cut off
def test_utf8_is_what_the_specification_says(raw: bytes) -> None:
    assert is_utf8(raw) == decodes(raw)
