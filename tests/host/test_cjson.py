"""JSON as cJSON reads and prints it."""

from __future__ import annotations

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wamr.apps.attr_container import AttrContainer
from wamr.apps.attributes import items
from wamr_cli.cjson import container_of, number, show_container


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (26.5, "26.5"),
        (struct.unpack("<f", struct.pack("<f", 0.1))[0], "0.10000000149011612"),
        (2**64 - 1, "1.8446744073709552e+19"),
        (2147483647, "2147483647"),
        (-2147483648, "-2147483648"),
        (2147483648, "2147483648"),
        (1e15, "1e+15"),
        (123456789012345678, "1.2345678901234568e+17"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "1e-07"),
        (5e-324, "4.94065645841247e-324"),
        (float("inf"), "null"),
        (float("nan"), "null"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def container(**values: object) -> AttrContainer:
    made = AttrContainer("a tag")
    for key, value in values.items():
        made.set(key, *(value if isinstance(value, tuple) else (value,)))
    return made


def test_the_layout() -> None:
    made = container(
        n=5, f=(26.5, "float"), yes=True, no=False, s='a"\\\n\x01é', a=b"\x01\xff\x80"
    )
    assert (
        show_container(made.data, "B")
        == (
            '{\n\t"n":\t5,\n\t"f":\t26.5,\n\t"yes":\ttrue,\n\t"no":\tfalse,\n'
            '\t"s":\t"a\\"\\\\\\n\\u0001é",\n\t"a":\t[1, -1, -128]\n}'
        ).encode()
    )
    assert show_container(container().data, "B") == b"{\n}"
    assert show_container(container(a=b"").data, "B") == b'{\n\t"a":\t[]\n}'


def test_bytes_that_are_no_text_pass_through() -> None:
    made = AttrContainer()
    made.set(b"k\xff", b"\xfe\x80", "string")
    assert show_container(made.data, "B") == b'{\n\t"k\xff":\t"\xfe\x80"\n}'


def test_what_is_no_container_is_not_shown() -> None:
    assert show_container(b"", "B") is None
    assert show_container(b"\1\0\0\0", "B") is None
    # Neither an attribute nor room for one.
    assert show_container(struct.pack("<HIHBH", 0, 9, 1, 0, 0), "B") is None


@pytest.mark.parametrize("dialect", ["A", "B"])
def test_json_to_container(dialect: str) -> None:
    text = b' {"n": 5, "t": true, "s": "x", "a": [1, 300, -3], "null": null, "o": {"x": 1}} rest'
    assert list(items(container_of(text, dialect), dialect)) == [
        ("n", "double", 5.0),
        ("t", "bool", True),
        ("s", "string", "x"),
        ("a", "bytearray", bytes((1, 44, 0xFD))),
    ]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (b"{}", []),
        (b'{"a": [1, "x", 2]}', [("a", "bytearray", b"\1")]),
        (b'{"a": ["x"], "b": 1}', [("b", "double", 1.0)]),
        (b'{"a": 1, "b": 2, "a": 3}', [("a", "double", 3.0), ("b", "double", 2.0)]),
        (b'\xef\xbb\xbf{"a": 1.9}', [("a", "double", 1.9)]),
        (b'{"a": "b\\u0000c"}', [("a", "string", "b")]),
        (b'{"": 1, "a": [1.9]}', [("a", "bytearray", b"\1")]),
    ],
)
def test_odd_json(text: bytes, values: list) -> None:
    assert list(items(container_of(text, "B"))) == values


@pytest.mark.parametrize("text", [b"", b"x", b"[1]", b"5", b'{"a": []}', b'{"a": NaN}', b"{"])
def test_refused_json(text: bytes) -> None:
    assert container_of(text, "B") is None


@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1),
        st.one_of(st.floats(-1e9, 1e9), st.booleans(), st.text(st.characters(codec="ascii"))),
    )
)
def test_what_goes_out_comes_back(values: dict) -> None:
    shown = show_container(container_of(json.dumps(values).encode(), "B"), "B")
    cut = {k: v.partition("\0")[0] if isinstance(v, str) else v for k, v in values.items()}
    found = json.loads(shown)
    assert list(found) == list(cut)
    for key, value in cut.items():
        if isinstance(value, float):
            assert math.isclose(found[key], value, rel_tol=1e-15)
        else:
            assert found[key] == value
