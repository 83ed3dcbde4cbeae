"""The engine "auto": machine code where it can be had and pays, else the portable interpreter.

A module is compiled as a whole: the frames of the two engines differ, and a call from one into the
other goes through the driver, which costs more than most functions do.
"""

import gc

from wamr.host import const
from wamr.engine import portable

# RAM for compiling: the compiler's files and what it works with; and for each byte of wasm, the
# code that comes of it, while it grows.
_COMPILER = const(16384)
_GROWTH = const(6)


def attach(instance):
    """Choose the engine of a new instance, and why it is not machine code: `instance.reason`."""
    module = instance.module
    try:
        instance.reason = _refuse(module) if module.native is None else ""
        if not instance.reason:
            from wamr.engine import native

            native.attach(instance)
            instance.engine = native
            return
    except Exception as e:
        # Whatever it is, it must not keep the app from running.
        instance.reason = str(e) or type(e).__name__
        if isinstance(e, MemoryError):
            instance.reason = "not enough memory for machine code"
    module.native = instance.native = None
    gc.collect()
    instance.engine = portable
    portable.attach(instance)


# Why this module is not to be compiled: a text, empty if it is.
def _refuse(module):
    if not module.needs & 8:
        return "it has neither loops nor recursion, and is done before it would be compiled"
    if hasattr(gc, "mem_free"):
        gc.collect()
        wanted = _COMPILER + _GROWTH * (module.bodies[-1] - module.code_start)
        free = gc.mem_free()
        if free < wanted:
            return "compiling it takes about %d bytes of memory, and %d are free" % (wanted, free)
    return ""
