"""attr_containers as Python and JSON values. The bytes are the device package's own doing."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any, Union

from wamr.apps.attr_container import AttrContainer
from wamr.apps.attributes import from_dict, is_container, items

Value = Union[int, float, bool, str, bytes]
Values = Mapping[str, Union[Value, "tuple[Value, str]"]]

# What the kinds of numbers are in Python.
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
_FLOATS = ("float", "double")


def pack(values: Values, tag: str = "", dialect: str = "B") -> bytes:
    """A container of these values. A value is a bool, int, float, str, bytes, or a pair of a value
    and its kind, such as (5, "uint8"); ints are int32 or int64, floats double.
    """
    return from_dict(values, tag, dialect)


def unpack(data: bytes, dialect: str = "B") -> dict[str, Value]:
    """The values of a container in either dialect; {} when it is none. `dialect` decides what the
    bytes leave open.
    """
    if not is_container(data):
        return {}
    return {
        key: _shortest(value) if kind == "float" else value
        for key, kind, value in items(data, None, dialect)
    }


def _shortest(value: float) -> float:
    """The number with the fewest digits that is the same in single precision: 0.1, not
    0.10000000149011612.
    """
    if not math.isfinite(value):
        return value
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        try:
            if struct.pack("<f", short) == struct.pack("<f", value):
                return short
        except OverflowError:
            pass
    return value


def from_json(given: Any, dialect: str = "B") -> bytes:
    """A container of a JSON object, as WAMR's host tool makes it: every number becomes a double,
    an array of numbers a byte array; null is left out.

    An object with one member names the kind: {"count": {"uint16": 7}}. ValueError says what cannot
    be sent.
    """
    if not isinstance(given, dict):
        raise ValueError('the payload must be a JSON object, such as {"value": 21.5}')
    container = AttrContainer("", dialect)
    for key, value in given.items():
        if value is None:
            continue
        kind = None
        if isinstance(value, dict):
            if len(value) != 1:
                raise ValueError(
                    f'{key}: an object here names the kind of one value, such as {{"int32": 5}}'
                )
            ((kind, value),) = value.items()
        try:
            container.set(key, *_typed(value, kind))
        except (ValueError, TypeError, struct.error, OverflowError) as error:
            raise ValueError(f"{key or 'empty key'}: {error}") from None
    return bytes(container.data)


def _typed(value: Any, kind: str | None) -> tuple[Value, str]:
    if isinstance(value, list):
        if not all(isinstance(n, (int, float)) for n in value):
            raise ValueError("an array can only have numbers: it is sent as bytes")
        value = bytes(int(n) & 0xFF for n in value)
        natural = "bytearray"
    elif isinstance(value, bool):
        natural = "bool"
    elif isinstance(value, str):
        natural = "string"
    elif isinstance(value, (int, float)):
        natural = "double"
    else:
        raise ValueError(f"{value!r} cannot be sent")
    kind = kind or natural
    if kind in _INTEGERS and natural == "double":
        return int(value), kind
    if kind == natural or (kind in _FLOATS and natural == "double"):
        return (float(value) if kind in _FLOATS else value), kind
    raise ValueError(f"{value!r} is no {kind}")


def to_json(values: Mapping[str, Value]) -> dict[str, Any]:
    """Values as json.dumps() takes them: bytes as a list of numbers, what is no number as null."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, bytes):
            found[key] = list(value)
        elif isinstance(value, float) and not math.isfinite(value):
            found[key] = None
        else:
            found[key] = value
    return found
