"""attr_containers from and to Python values and JSON."""

from __future__ import annotations

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wamr.apps.attributes import items
from wamr_cli.device import from_json, pack, to_json
from wamr_cli.device._values import unpack

KEYS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=20)
PLAIN = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=50),
    st.binary(max_size=50),
)


# A container whose type codes mean something in both dialects is read as what the reader prefers.
@given(st.dictionaries(KEYS, PLAIN, max_size=8), st.sampled_from("AB"))
def test_values_come_back(values: dict, dialect: str) -> None:
    assert unpack(pack(values, "tag", dialect), dialect) == values


def test_floats_have_the_digits_of_single_precision() -> None:
    data = pack({"a": (0.1, "float"), "b": (1 / 3, "float"), "c": (1e38, "float"), "d": 0.1})
    assert unpack(data) == {"a": 0.1, "b": 0.33333334, "c": 1e38, "d": 0.1}


@given(st.floats(width=32, allow_nan=False))
def test_the_short_form_of_a_float_is_the_same_float(value: float) -> None:
    (found,) = unpack(pack({"x": (value, "float")})).values()
    assert struct.pack("<f", found) == struct.pack("<f", value)


def test_what_is_no_container_has_no_values() -> None:
    assert unpack(b"") == {}
    assert unpack(b"hello, this is no container") == {}


def test_json_is_read_as_host_tool_does() -> None:
    data = from_json({"n": 5, "f": 0.5, "b": True, "s": "text", "a": [1, 300, -3], "none": None})
    assert [(k, kind) for k, kind, _ in items(data)] == [
        ("n", "double"),
        ("f", "double"),
        ("b", "bool"),
        ("s", "string"),
        ("a", "bytearray"),
    ]
    assert unpack(data)["a"] == bytes((1, 44, 0xFD))


def test_an_object_names_the_kind() -> None:
    data = from_json({"n": {"int32": 5}, "u": {"uint8": 200}, "f": {"float": 1}})
    assert list(items(data)) == [("n", "int32", 5), ("u", "uint8", 200), ("f", "float", 1.0)]


@pytest.mark.parametrize(
    ("given", "dialect", "message"),
    [
        ([1], "B", "must be a JSON object"),
        ({"a": {"int32": 1, "int8": 2}}, "B", "names the kind of one value"),
        ({"a": {"int9": 1}}, "B", "is no int9"),
        ({"a": {"bool": 1}}, "B", "is no bool"),
        ({"a": {"uint8": 256}}, "B", "a: "),
        ({"a": {"uint8": 1}}, "A", "has no type uint8"),
        ({"a": ["x"]}, "B", "only have numbers"),
        ({"": 1}, "B", "empty key"),
    ],
)
def test_what_cannot_be_sent_is_said(given: object, dialect: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(given, dialect)


def test_json_can_show_everything() -> None:
    shown = to_json({"b": b"\x01\xff", "nan": math.nan, "x": 1.5, "s": "é"})
    assert json.loads(json.dumps(shown)) == {"b": [1, 255], "nan": None, "x": 1.5, "s": "é"}
