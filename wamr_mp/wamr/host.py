"""The differences between MicroPython and CPython, all of them."""

import sys

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


MICROPYTHON = sys.implementation.name == "micropython"
