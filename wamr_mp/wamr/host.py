"""The differences between MicroPython and CPython, all of them."""

import gc
import io
import os
import struct
import sys
from array import array

# Other files import what is named here from here: on a board each `import array`, `io` or `struct`
# looks for such a file on the flash disk first.
__all__ = (
    "MICROPYTHON", "address_of", "array", "const", "drop", "forget", "io",
    "is_coroutine", "os", "struct", "zeroed",
)  # fmt: skip

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


# Forgets files that are needed only while an app is loaded: their functions and classes take RAM,
# even when their code is in flash. They are loaded again for the next app. Their place is free at
# once, before the app's large buffers want theirs.
def forget(*files):
    drop(*files)
    if MICROPYTHON:
        gc.collect()


# The same, but their place is free when somebody needs it.
def drop(*files):
    if MICROPYTHON:
        modules = sys.modules
        for name in files:
            if modules.pop(name, None):
                package, _, file = name.rpartition(".")
                package = modules[package]
                if hasattr(package, file):  # not so while it is being imported
                    delattr(package, file)


# zeroed(n): a buffer of n zeros. address_of(buf): the address of a buffer's first byte; the buffer
# must be kept, and not be resized.
if MICROPYTHON:
    from uctypes import addressof as address_of

    zeroed = bytearray
else:
    from wamr.host_pc import address_of, zeroed  # not in firmware


# asyncio's: MicroPython closes the socket only when somebody waits for that.
def close_stream(writer):
    (writer.s if MICROPYTHON else writer).close()
