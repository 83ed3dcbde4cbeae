"""CPython's part of host.py; firmware does not freeze it."""

import ctypes
from mmap import mmap


def zeroed(n):
    if n < 0x1000000:
        return bytearray(n)
    try:
        return memoryview(mmap(-1, n))  # it takes memory only where something is written
    except OSError:
        raise MemoryError


def address_of(buf):
    return ctypes.addressof(ctypes.c_char.from_buffer(buf))
