"""The differences between MicroPython and CPython, all of them."""

import sys

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


MICROPYTHON = sys.implementation.name == "micropython"


# What calling an `async def` returns (a generator on MicroPython).
def is_coroutine(value):
    return hasattr(value, "send")
