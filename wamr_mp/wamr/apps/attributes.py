"""Reading an attr_container of either dialect, and making one of a dict: see attr_container.py."""

import struct

from wamr.apps.attr_container import AttrContainer, attributes, format_of, kinds_of, walk
from wamr.apps.packet import to_text


def is_container(data):
    return attributes(data) is not None


def tag(data):
    """The tag of a container as bytes; None when `data` is no container."""
    found = attributes(data)
    return bytes(data[8 : found[0] - 3]) if found else None


def dialect_of(data, default="B"):
    """Which dialect a container was written in, as far as its type codes tell; else `default`."""
    # Of the two readings, the one that explains more of the attributes: each stops at a code that
    # it does not know.
    a = len(list(walk(data, "A")))
    b = len(list(walk(data, "B")))
    if a == b:
        return default
    return "A" if a > b else "B"


def items(data, dialect=None, default="B"):
    """Generate (key, kind, value) of a container of either dialect: str, str, and an int, float,
    bool, str or bytes.
    """
    dialect = dialect or dialect_of(data, default)
    kinds = kinds_of(dialect)
    for key, code, at, _, end in walk(data, dialect):
        kind = kinds[code]
        if kind == "string":
            value = to_text(bytes(data[at + 2 : end - 1]))
        elif kind == "bytearray":
            value = bytes(data[at + 4 : end])
        else:
            value = struct.unpack_from(format_of(kind), data, at)[0]
            if kind == "bool":
                value = value != 0
        yield to_text(key), kind, value


def get(data, key, default=None, dialect="B"):
    """The value of one attribute of a container; `default` when it has none. dialect: for what is
    ambiguous.
    """
    for name, _, value in items(data, None, dialect):
        if name == key:
            return value
    return default


def used(data):
    """The container without its unused tail, for comparing two."""
    found = attributes(data)
    if not found:
        return bytes(data)
    end = found[0]
    for item in walk(data, dialect_of(data)):
        end = item[4]
    return bytes(data[6:end])


def from_dict(values, tag="", dialect="B"):
    """A container (bytes) of a dict's items; a value may be a pair (value, kind)."""
    container = AttrContainer(tag, dialect)
    for key in values:
        value = values[key]
        kind = None
        if isinstance(value, tuple):
            value, kind = value
        container.set(key, value, kind)
    return bytes(container.data)
