"""Answers and events as the host sees them."""

from __future__ import annotations

from dataclasses import dataclass

from wamr.apps import packet

from wamr_cli.device._values import Value, unpack

ACTIONS = {
    "GET": packet.GET,
    "POST": packet.POST,
    "PUT": packet.PUT,
    "DELETE": packet.DELETE,
    "EVENT": packet.EVENT,
}

_STATUS = {
    0: "no error",
    65: "created",
    66: "deleted",
    67: "valid",
    68: "changed",
    69: "content",
    95: "continue",
    128: "bad request",
    129: "unauthorized",
    130: "bad option",
    131: "forbidden",
    132: "not found",
    133: "method not allowed",
    134: "not acceptable",
    140: "precondition failed",
    141: "request entity too large",
    143: "unsupported media type",
    160: "internal server error",
    161: "not implemented",
    162: "bad gateway",
    163: "service unavailable",
    164: "gateway timeout",
    165: "proxying not supported",
}


def status_text(status: int) -> str:
    """A status as CoAP writes it, with its name: 69 is `2.05 content`."""
    name = _STATUS.get(status, "")
    return f"{status >> 5}.{status & 31:02d} {name}".rstrip()


@dataclass(frozen=True)
class Answer:
    """The answer to a request. payload: an attr_container when fmt is 99."""

    status: int
    fmt: int
    payload: bytes
    mid: int
    receiver: int
    dialect: str = "B"

    @property
    def ok(self) -> bool:
        return self.status < 128

    @property
    def status_text(self) -> str:
        return status_text(self.status)

    @property
    def values(self) -> dict[str, Value]:
        """The payload's attributes; {} when it is no attr_container."""
        is_container = self.fmt == packet.FMT_ATTR_CONTAINER
        return unpack(self.payload, self.dialect) if is_container else {}

    @property
    def error(self) -> str:
        """The device's own words for what went wrong, or ""."""
        return str(self.values.get("error message", ""))


@dataclass(frozen=True)
class Event:
    """An event that an app has published. sender: the number that the device gave the app."""

    url: str
    fmt: int
    payload: bytes
    sender: int
    mid: int
    dialect: str = "B"

    @property
    def values(self) -> dict[str, Value]:
        """The payload's attributes; {} when it is no attr_container."""
        is_container = self.fmt == packet.FMT_ATTR_CONTAINER
        return unpack(self.payload, self.dialect) if is_container else {}
