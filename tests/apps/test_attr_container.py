"""attr_container: the bytes of both dialects."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wamr.apps import attributes
from wamr.apps.attr_container import AttrContainer
from wamr.apps.attributes import dialect_of, from_dict, get, items

RANGES = {"int8": 7, "int16": 15, "int32": 31, "int64": 63}
BOTH = [
    "int8",
    "int16",
    "int32",
    "int64",
    "uint16",
    "float",
    "double",
    "bool",
    "string",
    "bytearray",
]
ONLY_B = ["uint8", "uint32", "uint64"]


def values_of(kind: str) -> st.SearchStrategy[Any]:
    if kind.startswith("uint"):
        return st.integers(0, (1 << int(kind[4:])) - 1)
    if kind.startswith("int"):
        return st.integers(-(1 << RANGES[kind]), (1 << RANGES[kind]) - 1)
    if kind == "string":
        return st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
    if kind == "bytearray":
        return st.binary(max_size=60)
    if kind == "bool":
        return st.booleans()
    return st.floats(width=32 if kind == "float" else 64, allow_nan=False)


keys = st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=12)


def attribute_lists(dialect: str) -> st.SearchStrategy[list[tuple[str, str, Any]]]:
    kinds = BOTH + (ONLY_B if dialect == "B" else [])
    one = st.sampled_from(kinds).flatmap(lambda k: st.tuples(keys, st.just(k), values_of(k)))
    return st.lists(one, max_size=10)


@given(st.data(), st.sampled_from("AB"), st.text(max_size=10))
def test_set_and_read(data: st.DataObject, dialect: str, tag: str) -> None:
    tag = tag.replace("\0", "")
    container = AttrContainer(tag, dialect)
    expected: dict[str, tuple[str, Any]] = {}
    for key, kind, value in data.draw(attribute_lists(dialect)):
        container.set(key, value, kind)
        expected[key] = kind, value
        # The size field tells the length of the whole, less the flags.
        assert struct.unpack_from("<I", container.data, 2)[0] + 2 == len(container.data)
    found = {key: (kind, value) for key, kind, value in items(container.data, dialect)}
    assert found == expected
    assert attributes.tag(container.data) == tag.encode()


@given(st.data())
def test_dialect_is_seen(data: st.DataObject) -> None:
    for dialect in "AB":
        container = AttrContainer("", dialect)
        container.set("s", "text")
        for key, kind, value in data.draw(attribute_lists(dialect)):
            container.set("x" + key, value, kind)
        assert dialect_of(container.data, "?") == dialect


@given(st.binary(max_size=200), st.booleans())
def test_anything(data: bytes, plausible: bool) -> None:
    if plausible:
        data = b"\0\0" + struct.pack("<IH", len(data) + 9, 1) + b"\0\3\0" + data
    for dialect in (None, "A", "B"):
        list(items(data, dialect))
    attributes.tag(data)
    attributes.used(data)


def test_growth() -> None:
    container = AttrContainer("")
    assert len(container.data) == 109
    container.set("error message", "Query Applet failed: the app is not found.", "string")
    assert len(container.data) == 109
    text = "x" * 119
    container = AttrContainer("")
    container.set("error message", text)
    # What was there, and the attribute, and 100 more.
    assert len(container.data) == 109 + len("error message") + 1 + 2 + 1 + 2 + 120 + 100


def test_replacing() -> None:
    container = AttrContainer("")
    container.set("a", 1, "int32")
    container.set("b", 2, "int32")
    container.set("a", 3, "int32")
    assert [i[0] for i in items(container.data)] == ["a", "b"]
    # Another length: to the end, and what is not used any more is zero.
    container.set("a", 4, "int8")
    assert [i[0] for i in items(container.data)] == ["b", "a"]
    assert get(container.data, "a") == 4
    assert not any(container.data[11 + 9 + 6 :])


def test_kinds_without_a_name() -> None:
    data = from_dict(
        {"b": True, "i": 5, "l": 1 << 40, "f": 0.5, "s": "x", "y": b"\1", "u": (7, "uint8")}
    )
    kinds = {k: kind for k, kind, _ in items(data)}
    assert kinds == {
        "b": "bool",
        "i": "int32",
        "l": "int64",
        "f": "double",
        "s": "string",
        "y": "bytearray",
        "u": "uint8",
    }


def test_what_a_dialect_does_not_have() -> None:
    with pytest.raises(ValueError, match="dialect A"):
        AttrContainer("", "A").set("x", 1, "uint32")
    with pytest.raises(ValueError):
        AttrContainer("").set("", 1)
    with pytest.raises(ValueError):
        AttrContainer("").set("x", "y" * 65535)
