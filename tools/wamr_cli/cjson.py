"""JSON as the C library cJSON reads and prints it, which WAMR's host tool uses; to and from
attr_containers.
"""

from __future__ import annotations

import json
import math
from typing import Any

from wamr.apps.attr_container import AttrContainer, walk
from wamr.apps.attributes import dialect_of, is_container, items

_EPSILON = 2.0**-52
_INT_MAX = 0x7FFFFFFF
_ESCAPES = {0x22: '"', 0x5C: "\\", 8: "b", 12: "f", 10: "n", 13: "r", 9: "t"}


class _Object(list):
    """The members of an object, in their order."""


def container_of(text: bytes, dialect: str) -> bytes | None:
    """The container of a JSON object; None when there is something in it that is refused."""
    try:
        root = _parse(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(root, _Object):
        return None
    container = AttrContainer("", dialect)
    for key, value in root:
        if isinstance(value, list) and not isinstance(value, _Object):
            if not value:
                return None
            value = _bytes(value)
            if not value:
                continue
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            value = float(value)
        elif isinstance(value, str):
            # A C string ends at its first NUL.
            value = value.partition("\0")[0].encode(errors="surrogateescape")
        elif not isinstance(value, bool):
            continue
        kind = "string" if isinstance(value, bytes) and not isinstance(value, bytearray) else None
        try:
            container.set(key.encode(errors="surrogateescape"), value, kind)
        except ValueError:
            continue  # an empty key, a string that is too long
    return bytes(container.data)


def _parse(text: bytes) -> Any:
    def refuse(name: str) -> None:
        raise ValueError(name)

    if text[:3] == b"\xef\xbb\xbf":
        text = text[3:]
    shown = text.partition(b"\0")[0].decode(errors="surrogateescape")
    start = next((i for i, c in enumerate(shown) if c > " "), len(shown))
    decoder = json.JSONDecoder(
        object_pairs_hook=_Object, parse_constant=refuse, parse_int=float, strict=False
    )
    # What stands behind the value is not looked at.
    root, _ = decoder.raw_decode(shown[start:])
    return root


def _bytes(values: list) -> bytearray:
    """The numbers that an array begins with, as a cast to int8_t makes them."""
    found = bytearray()
    for value in values:
        if not isinstance(value, float) or not math.isfinite(value):
            break
        found.append(int(value) & 0xFF)
    return found


def show_container(data: bytes, dialect: str) -> bytes | None:
    """A container as the host tool prints it; None when it is none."""
    # To the C library, a container that ends behind the number of attributes is none.
    if not is_container(data) or 10 + int.from_bytes(data[6:8], "little") >= len(data):
        return None
    dialect = dialect_of(data, dialect)
    lines = []
    for (key, _, at, _, end), (_, kind, value) in zip(walk(data, dialect), items(data, dialect)):
        if kind == "string":
            shown = _string(data[at + 2 : end - 1])
        elif kind == "bytearray":
            signed = (str(b - 256 if b > 127 else b) for b in data[at + 4 : end])
            shown = f"[{', '.join(signed)}]".encode()
        elif kind == "bool":
            shown = b"true" if value else b"false"
        else:
            shown = number(value).encode()
        lines.append(b"\t" + _string(key) + b":\t" + shown)
    return b"{\n" + b",\n".join(lines) + (b"\n}" if lines else b"}")


def number(value: float) -> str:
    """A number with 15 significant digits, or 17 when those are not near enough."""
    d = float(value)
    if not math.isfinite(d):
        return "null"
    whole = int(min(max(d, -_INT_MAX - 1), _INT_MAX))
    if d == whole:
        return str(whole)
    text = f"{d:.15g}"
    near = float(text)
    if abs(near - d) <= max(abs(near), abs(d)) * _EPSILON:
        return text
    return f"{d:.17g}"


def _string(data: bytes) -> bytes:
    out = bytearray(b'"')
    for byte in data.partition(b"\0")[0]:
        if byte in _ESCAPES:
            out += b"\\" + _ESCAPES[byte].encode()
        elif byte < 32:
            out += b"\\u%04x" % byte
        else:
            out.append(byte)
    return bytes(out + b'"')
