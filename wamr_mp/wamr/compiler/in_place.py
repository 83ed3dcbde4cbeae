"""Runs machine code in the very buffers that it was compiled into.

Where MicroPython's own loader puts native code on the heap, any buffer there can be executed, and
none ever moves. So only one function goes through that loader, which jumps to the address in the
context, and the code needs its place once. (Where executable memory is a thing of its own, as on
ESP32, and for code that is kept, there is loader.py alone.)
"""

import sys

from wamr.compiler import code, machine
from wamr.host import MICROPYTHON, const

# The function, by .mpy architecture. The fourth argument of a viper function is the array of its
# arguments: a small int, the context's address shifted right by two. In the context is BASE. What
# was written as data has to be there when instructions are fetched.
_THUMB = (
    b"\x18\x68\x40\x08\x80\x00"  # ldr r0, [r3]; lsrs r0, r0, #1; lsls r0, r0, #2
    b"\x00\x6d\x01\x21\x08\x43"  # ldr r0, [r0, #80]; movs r1, #1; orrs r0, r1
    b"\xbf\xf3\x4f\x8f\xbf\xf3\x6f\x8f\x00\x47"  # dsb; isb; bx r0
)
_RV32 = (
    b"\x03\xa5\x06\x00\x13\x55\x15\x00\x13\x15\x25\x00"  # lw a0, (a3); srli a0, a0, 1; slli …, 2
    b"\x03\x25\x05\x05\x0f\x10\x00\x00\x67\x00\x05\x00"  # lw a0, 80(a0); fence.i; jr a0
)
_RISCV = const(11)
JUMPS = {4: _THUMB, 5: _THUMB, 6: _THUMB, 7: _THUMB, 8: _THUMB, _RISCV: _RV32}

# Ports whose executable memory is not the heap.
_OTHERS = ("esp32", "linux", "darwin")
# Arm cores without caches: M0, M0+, M3, M4, M23, M33.
_UNCACHED = (0xC20, 0xC60, 0xC23, 0xC24, 0xD20, 0xD21)


# What jumps to code, or None: on this machine it cannot run so.
def enter():
    if not _is_possible():
        return None
    if code.jump is None:
        from wamr.compiler import loader

        code.jump = loader.load([JUMPS[machine.here()]])
    return code.jump


def _is_possible():
    if not MICROPYTHON or sys.platform in _OTHERS:
        return False
    arch = machine.here()
    if arch not in JUMPS or arch == _RISCV:
        return arch == _RISCV
    # With the u nobody looks for a file of that name.
    return __import__("umachine").mem32[0xE000ED00] >> 4 & 0xFFF in _UNCACHED
