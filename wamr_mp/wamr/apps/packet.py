"""Requests, events and responses as they travel: packing, unpacking, and matching of URLs.

All integers are big endian. URLs are bytes without the NUL that ends them on the wire. The field
of an int on the wire says how wide it may be: action, status u8, fmt u16, mid, sender, receiver
u32.
"""

import struct

from wamr.host import const

GET = const(1)
POST = const(2)
PUT = const(3)
DELETE = const(4)
EVENT = const(6)

FMT_NONE = const(0)
FMT_RAW = const(98)
FMT_ATTR_CONTAINER = const(99)

CREATED = const(65)
DELETED = const(66)
CONTENT = const(69)
NOT_FOUND = const(132)
TOO_LARGE = const(141)
INTERNAL_SERVER_ERROR = const(160)

# Who sends and receives, beside the module ids of apps.
HOST = 0xFFFFFFFD
MANAGER = 0xFFFFFFFE

REQUEST_SIZE = const(18)
RESPONSE_SIZE = const(16)


class Request:
    """A request, or an event (action EVENT). url and payload: bytes."""

    def __init__(self, action, url, fmt=0, payload=b"", mid=0, sender=0):
        self.action = action
        self.url = url
        self.fmt = fmt
        self.payload = payload
        self.mid = mid
        self.sender = sender

    def pack(self, url=None):
        """The packet as bytes; url: another one than its own."""
        url = self.url if url is None else url
        head = struct.pack(
            ">BBHIIHI",
            1,
            self.action,
            self.fmt,
            self.mid,
            self.sender,
            len(url) + 1,
            len(self.payload),
        )
        return b"".join((head, url, b"\0", self.payload))


class Response:
    """The answer to a request. payload: bytes."""

    def __init__(self, status, fmt=0, payload=b"", mid=0, receiver=0):
        self.status = status
        self.fmt = fmt
        self.payload = payload
        self.mid = mid
        self.receiver = receiver

    def pack(self):
        """The packet as bytes."""
        return (
            struct.pack(
                ">BBHIII",
                1,
                self.status,
                self.fmt,
                self.mid,
                self.receiver,
                len(self.payload),
            )
            + self.payload
        )


# The fields of the first 18 bytes: (version, action, fmt, mid, sender, url length with NUL,
# payload length).
def request_fields(data):
    return struct.unpack_from(">BBHIIHI", data, 0)


def unpack_request(data):
    """A Request, or None when `data` is not exactly one."""
    if len(data) < REQUEST_SIZE:
        return None
    version, action, fmt, mid, sender, url_len, payload_len = request_fields(data)
    end = REQUEST_SIZE + url_len
    if version != 1 or end + payload_len != len(data) or not url_len or data[end - 1]:
        return None
    url = bytes(data[REQUEST_SIZE : end - 1])
    return Request(action, url, fmt, bytes(data[end:]), mid, sender)


def unpack_response(data):
    """A Response, or None when `data` is not exactly one."""
    if len(data) < RESPONSE_SIZE:
        return None
    version, status, fmt, mid, receiver, length = struct.unpack_from(">BBHIII", data, 0)
    if version != 1 or RESPONSE_SIZE + length != len(data):
        return None
    return Response(status, fmt, bytes(data[RESPONSE_SIZE:]), mid, receiver)


def match(url, prefix):
    """Whether `url` starts with `prefix`: -1, or the index in `url` where the rest starts.

    Slashes at both ends of the prefix and at the start of the URL do not count; `/abc` matches
    `abc`, `/abc/x` and `/abc?x=1`, not `/abcd`.
    """
    start = 1 if url[:1] == b"/" else 0
    if prefix[:1] == b"/":
        prefix = prefix[1:]
    if prefix[-1:] == b"/":
        prefix = prefix[:-1]
    n = len(prefix)
    if not n or url[start : start + n] != prefix:
        return -1
    end = start + n
    if end == len(url):
        return end
    return end + 1 if url[end : end + 1] in (b"/", b"?") else -1


def parameter(query, key):
    """The value of the first `key=value` between the `&` of `query`, as bytes, or None."""
    key += b"="
    for item in query.split(b"&"):
        item = item.lstrip(b" ")
        if item[: len(key)] == key:
            return item[len(key) :]
    return None


def to_text(data):
    """Bytes from a peer as str, whatever they are."""
    try:
        return str(data, "utf-8")
    except UnicodeError:
        return "".join([chr(c) for c in data])


def to_bytes(text):
    return text.encode() if isinstance(text, str) else bytes(text)
