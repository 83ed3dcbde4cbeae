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

import sys

from wamr.host import MICROPYTHON, drop

# What the engine needs as long as code runs.
_KEPT = ("wamr.compiler.code", "wamr.compiler.context")


# Files that are always loaded together, each after those that it imports: an import within an
# import takes 700 bytes of C stack, of which some boards have 8 KiB. In firmware they are one file
# with the group's name, and this is empty: see firmware/bundle.py.
GROUPS = {
    "wamr.compiler.core": "scan values control calls memory numeric function assembler pairs"
    " routines program",
    "wamr.compiler.rv32": "rv32_wide rv32_calls rv32",
    "wamr.compiler.thumb1": "thumb1_wide thumb1_stubs thumb1_calls thumb1_memory thumb1",
    "wamr.compiler.thumb2": "thumb2_wide thumb2_calls thumb2",
    "wamr.compiler.x64": "x64_code x64_float x64_convert x64",
    "wamr.compiler.xtensa": "xtensa_code xtensa_wide xtensa_stubs xtensa_calls xtensa",
}


# The modules that load() has imported: most of the compiler.
_loaded = []
# What is being built, or looked for in code: as long as there is anything, the compiler stays.
builds = []


# Imports a group, or a file that is none, by its full name, which as part of the code takes no
# RAM; returns the last file of it.
def load(group):
    files = GROUPS.get(group)
    for name in ["wamr.compiler." + file for file in files.split()] if files else [group]:
        _loaded.append(__import__(name, None, None, ("",)))
    return _loaded[-1]


# Takes from an object or a class what it has. (MicroPython leaves the value of a deleted attribute
# where it was.)
def empty(thing):
    put = setattr  # found faster as a local variable
    for name in thing.__dict__:
        put(thing, name, None)


# Forgets the compiler, which is needed only for a while; what it took is free once garbage is
# collected. A board's collector takes for a pointer what an earlier call has left on the C stack,
# and a single one into these files would keep them all: so they, and their classes, lose what they
# have.
def unload():
    if builds:
        return
    files = [name for name in sys.modules if name.startswith("wamr.compiler.")]
    kept = False
    for name in _KEPT:
        if name in files:
            files.remove(name)
            kept = True
    if not kept:
        files.append("wamr.compiler")
    drop(*files)
    if MICROPYTHON:
        kind_of = kind = type
        for module in _loaded:
            for value in module.__dict__.values():
                if kind_of(value) is kind and getattr(value, "__module__", "") == module.__name__:
                    try:
                        empty(value)
                    except MemoryError:
                        pass
            module.__dict__.clear()
    _loaded.clear()
