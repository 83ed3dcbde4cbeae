"""The clocks of apps, in nanoseconds, from what MicroPython's or CPython's `time` has."""

import time

_state = [0, 0]  # the last ticks_ms(), and the milliseconds it wrapped around in all


def realtime_ns():
    """Nanoseconds since 1970 in UTC. Some boards count from 2000."""
    ns = time.time_ns()
    if time.gmtime(0)[0] == 2000:
        ns += 946684800 * 1000000000
    return ns


def monotonic_ns():
    """Nanoseconds since some moment, never set back; steps of 1 ms on MicroPython.

    MicroPython's ticks wrap around after some days; that is noticed if this is called at least
    that often.
    """
    if hasattr(time, "monotonic_ns"):
        return time.monotonic_ns()
    now = time.ticks_ms()
    _state[1] += time.ticks_diff(now, _state[0])
    _state[0] = now
    return _state[1] * 1000000
