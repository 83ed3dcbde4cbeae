"""attr_container: the tagged list of typed attributes that requests, responses, events and sensors
carry.

A container is the bytes that travel: flags u16, size u32 (of all that follows, itself included),
tag, number of attributes u16, the attributes, unused tail; little endian. Strings are preceded by
their length as u16, counting the NUL that ends them. In the codes of the types there are two
dialects: "A" of 2019 to 2022 and "B" since 2023.
"""

import struct

from wamr.host import const

# The kinds by their code. An int8 was called byte, short int16 and int int32 in dialect A.
_KINDS_A = " int16 int32 int64 int8 uint16 float double bool string bytearray"
_KINDS_B = "int8 int16 int32 int64 uint8 uint16 uint32 uint64   float double bool string bytearray"
_STRUCT = (
    ("int8", "b"),
    ("int16", "h"),
    ("int32", "i"),
    ("int64", "q"),
    ("uint8", "B"),
    ("uint16", "H"),
)
_STRUCT_2 = (("uint32", "I"), ("uint64", "Q"), ("float", "f"), ("double", "d"), ("bool", "B"))

# Bytes that a new container, and one that has to grow, gets for attributes to come.
_SPARE = const(100)
_BYTEARRAY_A = const(10)


def format_of(kind):
    for table in (_STRUCT, _STRUCT_2):
        for name, letter in table:
            if name == kind:
                return "<" + letter
    return None


def kinds_of(dialect):
    return (_KINDS_A if dialect == "A" else _KINDS_B).split(" ")


def _encode(text):
    return text.encode() if isinstance(text, str) else bytes(text)


class AttrContainer:
    """A container being written. tag: str; dialect: "A" or "B". `data` is the container as a
    bytearray.
    """

    def __init__(self, tag="", dialect="B"):
        tag = _encode(tag)
        size = 6 + len(tag) + 1 + _SPARE
        self.dialect = dialect
        self.data = bytearray(2 + size)
        struct.pack_into("<IH", self.data, 2, size, len(tag) + 1)
        self.data[8 : 8 + len(tag)] = tag
        self._count = 9 + len(tag)  # where the number of attributes stands
        self._end = self._count + 2

    def set(self, key, value, kind=None):
        """Set an attribute, as the C library would: the bytes are the same.

        kind: int8 int16 int32 int64 uint8 uint16 uint32 uint64 float double bool string bytearray;
        by default bool, int32 or int64, double, string or bytearray, as the value is. ValueError
        when the dialect has no such kind.
        """
        item = self._attribute(_encode(key), value, kind or _kind_of(value))
        start = self._end
        old = 0
        for found, _, _, at, end in walk(self.data, self.dialect):
            if found == _encode(key):
                start = at
                old = end - at
        if old and old == len(item):
            self.data[start : start + old] = item
            return
        if old:
            rest = self.data[start + old : self._end]
            self.data[start : self._end] = rest + bytes(old)
            self._end -= old
            self._add_count(-1)
        if len(self.data) - self._end < len(item):
            self.data.extend(bytes(len(item) + _SPARE))
            struct.pack_into("<I", self.data, 2, len(self.data) - 2)
        self.data[self._end : self._end + len(item)] = item
        self._end += len(item)
        self._add_count(1)

    def _add_count(self, n):
        (count,) = struct.unpack_from("<H", self.data, self._count)
        struct.pack_into("<H", self.data, self._count, count + n)

    def _attribute(self, key, value, kind):
        kinds = kinds_of(self.dialect)
        if not key or len(key) > 65534:
            raise ValueError("an attribute's key has from 1 to 65534 bytes")
        if kind not in kinds:
            raise ValueError("dialect %s of attr_container has no type %s" % (self.dialect, kind))
        if kind == "string":
            value = _encode(value)
            if len(value) > 65534:
                raise ValueError("a string attribute has at most 65534 bytes")
            value = struct.pack("<H", len(value) + 1) + value + b"\0"
        elif kind == "bytearray":
            value = struct.pack("<I", len(value)) + bytes(value)
        elif kind == "bool":
            value = b"\1" if value else b"\0"
        else:
            value = struct.pack(format_of(kind), value)
        return b"".join(
            (struct.pack("<H", len(key) + 1), key, b"\0", bytes((kinds.index(kind),)), value)
        )


def _kind_of(value):
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int32" if -0x80000000 <= value <= 0x7FFFFFFF else "int64"
    if isinstance(value, float):
        return "double"
    return "string" if isinstance(value, str) else "bytearray"


# Where the attributes of a container start, and their number; None when this is not a container.
def attributes(data):
    if len(data) < 11:
        return None
    size, tag_len = struct.unpack_from("<IH", data, 2)
    at = 8 + tag_len
    if not tag_len or at + 2 > len(data) or size < 9 or at + 2 > size + 2 or data[at - 1]:
        return None
    return at + 2, struct.unpack_from("<H", data, at)[0]


# Generates (key, type code, start of the value's bytes, start and end of the attribute). In
# dialect A the code 10 has a length before the value, in B it is a float. Unknown codes and cut
# attributes end the walk.
def walk(data, dialect):
    found = attributes(data)
    if not found:
        return
    at, count = found
    size = min(len(data), 2 + struct.unpack_from("<I", data, 2)[0])
    kinds = kinds_of(dialect)
    while count and at + 4 <= size:
        (key_len,) = struct.unpack_from("<H", data, at)
        value = at + 3 + key_len
        if not key_len or value > size:
            return
        code = data[value - 1]
        kind = kinds[code] if code < len(kinds) else ""
        if not kind:
            return
        if kind == "string" and value + 2 <= size:
            end = value + 2 + struct.unpack_from("<H", data, value)[0]
        elif kind == "bytearray" and value + 4 <= size:
            end = value + 4 + struct.unpack_from("<I", data, value)[0]
        else:
            end = value + (1 << (code & 3))
        if end > size or (kind == "string" and (end == value + 2 or data[end - 1])):
            return
        yield bytes(data[at + 2 : value - 2]), code, value, at, end
        at = end
        count -= 1
