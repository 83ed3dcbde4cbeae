"""The compiler: machine code from validated wasm, in one pass, on the device itself.

build.py       makes the code of a module: the way in
program.py     a whole module: stubs, functions
function.py    the single pass over one function; control.py, calls.py, memory.py, numeric.py: its
               instructions
values.py      where a function's values are: registers, cells, constants
scan.py        the walk over a function's bytes: immediates, and how much each local is used
assembler.py   labels and the code buffer; what every target shares
x64.py, ...    one file of encodings per instruction set
loader.py      makes code callable
code.py        Code: what the engine needs of it from then on
"""

import gc
import sys

from wamr.host import MICROPYTHON, drop

# What the engine needs as long as code runs.
_KEPT = ("wamr.compiler.code", "wamr.compiler.context")


# Files that are always loaded together, each after those that it imports: an import within an
# import takes 700 bytes of C stack, of which some boards have 8 KiB. In firmware they are one file
# with the group's name, and this is empty: see firmware/bundle.py.
GROUPS = {
    "core": "scan values control calls memory numeric function assembler pairs routines program",
    "rv32": "rv32_wide rv32_calls rv32",
    "thumb1": "thumb1_wide thumb1_stubs thumb1_calls thumb1_memory thumb1",
    "thumb2": "thumb2_wide thumb2_calls thumb2",
    "x64": "x64_code x64_float x64_convert x64",
    "xtensa": "xtensa_code xtensa_wide xtensa_stubs xtensa_calls xtensa",
}


# The modules that load() has imported: most of the compiler.
_loaded = []
# What is being built, or looked for in code: as long as there is anything, the compiler stays.
builds = []


# Imports a group, or a file that is none; returns the last file of it.
def load(group):
    for name in GROUPS.get(group, group).split():
        _loaded.append(__import__("wamr.compiler." + name, None, None, ("",)))
    return _loaded[-1]


# Takes from an object or a class what it has. (MicroPython leaves the value of a deleted attribute
# where it was.)
def empty(thing):
    for name in thing.__dict__:
        setattr(thing, name, None)


# Forgets the compiler, which is needed only for a while. A board's collector takes for a pointer
# what an earlier call has left on the C stack, and a single one into these files would keep them
# all: so they, and their classes, lose what they have.
def unload():
    if builds:
        return
    files = [name for name in sys.modules if name[:14] == "wamr.compiler." and name not in _KEPT]
    if not [name for name in _KEPT if name in sys.modules]:
        files.append("wamr.compiler")
    drop(*files)
    if MICROPYTHON:
        for module in _loaded:
            for value in module.__dict__.values():
                if getattr(value, "__module__", None) == module.__name__:
                    empty(value)
            module.__dict__.clear()
        gc.collect()
    _loaded.clear()
