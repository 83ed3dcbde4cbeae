"""The record of what happened in a simulation: what tests compare and the live view shows."""

from __future__ import annotations

from collections import deque
from typing import Callable, NamedTuple


class Entry(NamedTuple):
    """ms: since the start. kind: host> and host< (frames from and to the host), app (a message
    for an app), event (published by one), log, print, sensor, pin, pwm, uart, display.
    """

    ms: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.ms:8} {self.kind:8} {self.text}"


class Trace:
    """Entries in the order in which they came, the last `length` of them (None: all)."""

    def __init__(self, now: Callable[[], int], length: int | None = None) -> None:
        self._now = now
        self.entries: deque[Entry] = deque(maxlen=length)
        self.listeners: list[Callable[[Entry], None]] = []
        self._line = bytearray()

    def add(self, kind: str, text: str) -> None:
        entry = Entry(self._now(), kind, text)
        self.entries.append(entry)
        for listener in self.listeners:
            listener(entry)

    def log(self, text: str) -> None:
        """What the app manager says."""
        self.add("log", text)

    def print(self, data: bytes) -> None:
        """What apps print, in pieces of any size."""
        self._line += data
        while b"\n" in self._line:
            line, _, rest = bytes(self._line).partition(b"\n")
            self._line = bytearray(rest)
            self.add("print", line.decode(errors="replace"))

    def text(self) -> str:
        return "".join(f"{entry}\n" for entry in self.entries)
