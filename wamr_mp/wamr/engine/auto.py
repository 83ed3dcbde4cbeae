"""The engine "auto": machine code where it can be had and pays, else the portable interpreter.

A module is compiled as a whole: the frames of the two engines differ, and a call from one into the
other goes through the driver, which costs more than most functions do.
"""

import gc

from wamr.engine import portable
from wamr.host import MICROPYTHON, const

# Bytes that compiling takes for a while: 15 KiB for the compiler's files and what it works with;
# and holes.
_COMPILER = const(20480)
# Bytes of a stack in one piece, for a cell of it: a function that is called may call another
# instance, which then wants one more; and the app may want some.
_PIECE = const(6)
# Bytes of code for a byte of wasm. (While it is loaded it may be there twice, without the compiler
# then.) And what stays of any module, with the driver.
_CODE = const(3)
_STUBS = const(4096)


def attach(instance):
    """Choose the engine of a new instance; `instance.reason` says why it is not machine code."""
    module = instance.module
    code = module.native  # another instance's
    reason = ""
    if code is None and not find(module):
        if module.needs & 8:
            reason = no_room(instance, 10 * instance.stack_cells)
        else:
            reason = "it has neither loops nor recursion, and is done before it would be compiled"
    if not reason:
        use_native(instance, code)
    else:
        instance.reason = reason
    if instance.reason:
        instance.engine = portable
        portable.attach(instance)


# Whether there is code that was kept; it is loaded then.
def find(module):
    if MICROPYTHON:
        gc.collect()  # what stays of this must not lie in the middle of the free memory
    from wamr.compiler import find_code, unload

    try:
        module.native = find_code(module)
    except Exception:
        # What cannot be used is as good as not there.
        module.native = None
    unload()
    return module.native is not None


# Makes an instance run machine code from its next call on. What goes wrong must not keep the app
# from running: it stays as it is, and `instance.reason` says why. Nobody else may have imported a
# global of it before. code: what the module had before, for another instance.
def use_native(instance, code=None):
    module = instance.module
    try:
        from wamr.engine import native

        native.load(module, False)  # find() has looked for it
        native.attach(instance)
        bytearray(_PIECE * instance.stack_cells)
        instance.engine = native
        instance.reason = ""
        return
    except Exception as e:
        instance.reason = reason_of(e)
    module.native = code
    instance.native = None
    gc.collect()


def reason_of(error):
    if isinstance(error, MemoryError):
        return "not enough memory for machine code"
    return str(error) or type(error).__name__


# Why there is not enough memory for machine code: a text, empty if there is. reserve: bytes that
# have to be free afterwards. kept: bytes of the file that has the code; 0: it has to be compiled.
def no_room(instance, reserve, kept=0):
    module = instance.module
    bodies = module.bodies
    if not bodies or not hasattr(gc, "mem_free"):
        return ""
    size = kept or _CODE * (bodies[-1] - module.code_start)
    gc.collect()
    free = gc.mem_free()
    wanted = _COMPILER + size
    if not kept and free < wanted:
        return "not enough memory: compiling takes about %d bytes, %d are free" % (wanted, free)
    left = free - size - _STUBS
    if left < reserve:
        return "not enough memory: about %d bytes would be left" % left
    pieces = kept or size >> 1, _PIECE * instance.stack_cells
    try:
        [bytearray(n) for n in pieces + (4 * instance.stack_cells,)]
    except MemoryError:
        return "not enough memory: %d and %d bytes in one piece wanted" % pieces
    return ""
