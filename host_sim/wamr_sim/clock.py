"""Virtual time: an event loop that never waits, and the device package's clocks on it.

The same inputs then give the same run, as fast as the PC can. An app's code takes time, too: so
many units of fuel in a millisecond.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import selectors
import time
from collections.abc import Iterator

from wamr.apps import clock
from wamr.libc import clock as libc_clock
from wamr.libc import wasi

# 2025-01-01 00:00:00 UTC: when virtual time begins for apps that ask for the date.
EPOCH = 1_735_689_600
_STUCK = 100  # waits in vain, of 50 ms


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to whatever is next."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self.now


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._idle = 0

    def select(self, timeout: float | None = None) -> list:
        # Nothing is going to happen by itself: only another thread or the network can go on.
        ready = super().select(0.05 if timeout is None else 0)
        if timeout is None and not ready:
            self._idle += 1
            if self._idle > _STUCK:
                raise RuntimeError("in virtual time nothing is left to happen: a wait without end")
        else:
            self._idle = 0
        if not ready and timeout:
            self._loop.now += timeout
        return ready


class _Time:
    """What wamr.libc.clock finds in place of the module `time`."""

    gmtime = staticmethod(time.gmtime)

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def monotonic_ns(self) -> int:
        return round(self._loop.now * 1e9)

    def time_ns(self) -> int:
        return EPOCH * 1_000_000_000 + self.monotonic_ns()


@contextlib.contextmanager
def virtual_time(loop: VirtualLoop, fuel_per_ms: float, chance: random.Random) -> Iterator[None]:
    """While this lasts, the device package in this process lives in the loop's time, and its
    random numbers are those of `chance`. There can be one such loop at a time.
    """
    if getattr(clock.raw_ms, "virtual", False):
        raise RuntimeError("another simulation runs in virtual time in this process")
    rest = 0.0

    def raw_ms() -> int:
        return round(loop.now * 1000)

    raw_ms.virtual = True  # type: ignore[attr-defined]

    def charge(fuel: int) -> None:
        nonlocal rest
        rest += fuel / fuel_per_ms
        whole = int(rest)
        rest -= whole
        loop.now += whole / 1000

    def sleep(ms: int) -> None:
        loop.now += ms / 1000

    def getrandom(n: int) -> bytes:
        return bytes(chance.getrandbits(8) for _ in range(n))

    changes = (
        (clock, "raw_ms", raw_ms),
        (clock, "charge", charge),
        (clock, "_last", None),
        (clock, "_now", 0),
        (libc_clock, "time", _Time(loop)),
        (wasi, "_sleep", sleep),
        (wasi, "_random", getrandom),
    )
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
