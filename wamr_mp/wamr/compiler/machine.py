"""Which machine this is, and the assembler for it."""

import sys

from wamr.compiler import load, targets
from wamr.host import MICROPYTHON, array

# .mpy architectures (bits 10 and up of sys.implementation._mpy) and the targets for them: the
# class, and where it is.
TARGETS = {
    2: ("X64", "wamr.compiler.x64"),
    4: ("Thumb1", "wamr.compiler.thumb1"),
    5: ("Thumb2", "wamr.compiler.thumb2"),
    6: ("Thumb2", "wamr.compiler.thumb2"),
    7: ("Thumb2F", "wamr.compiler.vfp"),
    8: ("Thumb2F", "wamr.compiler.vfp"),
    10: ("Xtensa", "wamr.compiler.xtensa"),  # with register windows: ESP32, ESP32-S2 and S3
    11: ("RV32", "wamr.compiler.rv32"),
}
_UNITS = {2: 1, 10: 1}  # bytes, where that is not 2
# What else has to be loaded before it.
BASES = {"wamr.compiler.vfp": "wamr.compiler.thumb2"}


# The .mpy architecture of the machine this runs on.
def here():
    if MICROPYTHON:
        return getattr(sys.implementation, "_mpy", 0) >> 10
    import platform

    return 2 if platform.machine() in ("x86_64", "AMD64") and sys.platform == "linux" else 0


# The name of the target for an architecture, that of this machine by default; or None.
def target(arch=None):
    return TARGETS.get(arch or here(), (None,))[0]


# A buffer for code of n bytes, as array of the units that instructions consist of.
def buffer(n, unit=None):
    if (unit or _UNITS.get(here())) == 1:
        return bytearray(n)
    # What is in it does not matter; zeros to copy would take as much again.
    return array("H", range(min(n >> 1, 0x10000)))


# An assembler for it, or None.
def assembler(arch=None):
    name, group = TARGETS.get(arch or here(), (None, None))
    if not name:
        return None
    load("wamr.compiler.core")
    if group in BASES:
        load(BASES[group])
    kind = getattr(load(group), name)
    targets.append(kind)
    return kind()
