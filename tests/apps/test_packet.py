"""Packing and unpacking of requests and responses, and matching of URLs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wamr.apps.packet import (
    Request,
    Response,
    match,
    parameter,
    to_text,
    unpack_request,
    unpack_response,
)

u8 = st.integers(0, 0xFF)
u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)


@given(u8, st.binary(max_size=50), u16, st.binary(max_size=50), u32, u32)
def test_request(action: int, url: bytes, fmt: int, payload: bytes, mid: int, sender: int) -> None:
    request = Request(action, url, fmt, payload, mid, sender)
    data = request.pack()
    assert len(data) == 18 + len(url) + 1 + len(payload)
    assert vars(unpack_request(data)) == vars(request)
    assert unpack_request(data[:-1]) is None
    assert unpack_request(data + b"\0") is None
    assert unpack_request(b"\2" + data[1:]) is None


@given(u8, u16, st.binary(max_size=50), u32, u32)
def test_response(status: int, fmt: int, payload: bytes, mid: int, receiver: int) -> None:
    response = Response(status, fmt, payload, mid, receiver)
    data = response.pack()
    assert vars(unpack_response(data)) == vars(response)
    assert unpack_response(data[:-1]) is None
    assert unpack_response(data + b"\0") is None
    assert unpack_response(b"\0" + data[1:]) is None


@given(st.binary(max_size=60))
def test_anything(data: bytes) -> None:
    for version in (b"", b"\1"):
        request = unpack_request(version + data)
        if request:
            assert request.pack() == version + data
        response = unpack_response(version + data)
        if response:
            assert response.pack() == version + data
    to_text(data)


def test_layout() -> None:
    request = Request(1, b"/applet", 99, b"", 0x11220001, 0)
    assert request.pack().hex() == "0101006311220001000000000008000000002f6170706c657400"


def test_url_without_nul() -> None:
    data = bytearray(Request(1, b"/abc").pack())
    data[-1] = 65
    assert unpack_request(data) is None


@pytest.mark.parametrize(
    "url, prefix, rest",
    [
        ("/abc", "/abc", ""),
        ("abc", "/abc", ""),
        ("/abc/", "/abc", ""),
        ("/abc/x", "/abc", "x"),
        ("/abc/x", "abc/", "x"),
        ("/abc?x=1", "/abc", "x=1"),
        ("/ab", "/abc", None),
        ("/abcd", "/abc", None),
        ("/ABC", "/abc", None),
        ("/abc", "", None),
        ("/abc", "/", None),
        ("//abc", "/abc", None),
        ("//abc", "//abc", ""),
    ],
)
def test_match(url: str, prefix: str, rest: str | None) -> None:
    at = match(url.encode(), prefix.encode())
    assert (url[at:] if at >= 0 else None) == rest


@pytest.mark.parametrize(
    "query, value",
    [
        ("name=a", "a"),
        ("x=1&name=a&name=b", "a"),
        ("x=1&& name=a", "a"),
        ("xname=a", None),
        ("name=", ""),
        ("", None),
    ],
)
def test_parameter(query: str, value: str | None) -> None:
    found = parameter(query.encode(), b"name")
    assert found == (None if value is None else value.encode())
