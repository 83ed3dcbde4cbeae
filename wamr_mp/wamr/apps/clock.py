"""The clock of the app framework: every time that it measures or waits for goes through here.

A simulator with a virtual clock replaces raw_ms() and charge(), and gives asyncio an event loop
with the same clock.
"""

import asyncio
import time

from wamr.host import MICROPYTHON

_last = None
_now = 0


# Milliseconds from anywhere; may wrap around as time.ticks_ms() does.
def raw_ms():
    return time.ticks_ms() if MICROPYTHON else time.monotonic_ns() // 1000000


# Called with the fuel of each slice of an app's code: virtual time passes here.
def charge(fuel):
    pass


def ticks_ms():
    """Milliseconds since the first call; never wraps around, as time.ticks_ms() does."""
    global _last, _now
    raw = raw_ms()
    if _last is not None:
        _now += time.ticks_diff(raw, _last) if MICROPYTHON else raw - _last
    _last = raw
    return _now


def sleep_ms(ms):
    return asyncio.sleep_ms(ms) if MICROPYTHON else asyncio.sleep(ms / 1000)


async def wait(event, ms=None):
    """Wait until the Event is set, or for so long (None: for ever). Whether it is set."""
    if ms is None:
        await event.wait()
    elif not event.is_set():
        try:
            if MICROPYTHON:
                await asyncio.wait_for_ms(event.wait(), ms)
            else:
                await asyncio.wait_for(event.wait(), ms / 1000)
        except asyncio.TimeoutError:
            pass
    return event.is_set()
