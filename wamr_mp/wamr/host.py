"""The differences between MicroPython and CPython, all of them."""

import sys

try:
    from micropython import const
except ImportError:

    def const(value):
        return value


MICROPYTHON = sys.implementation.name == "micropython"


async def _coroutine():
    pass


_coroutine = _coroutine()
_coroutine.close()
_Coroutine = type(_coroutine)
del _coroutine


# Whether this is what calling an `async def` returns (a generator on MicroPython).
def is_coroutine(value):
    return isinstance(value, _Coroutine)


# The address of a buffer's first byte. The buffer must be kept, and not be resized.
if MICROPYTHON:
    from uctypes import addressof as address_of
else:

    def address_of(buf):
        import ctypes

        return ctypes.addressof(ctypes.c_char.from_buffer(buf))
