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

from wamr.host import MICROPYTHON, drop, os

# What the engine needs as long as code runs.
_KEPT = ("wamr.compiler.code", "wamr.compiler.context")


# Files that are always loaded together, each after those that it imports: an import within an
# import takes 700 bytes of C stack, of which some boards have 8 KiB. In firmware they are one file
# with the group's name, and this is empty: see firmware/bundle.py.
GROUPS = {
    "wamr.compiler.core": "scan loops values bounds control calls memory numeric function"
    " assembler pairs routines program",
    "wamr.compiler.rv32": "rv32_wide rv32_calls rv32",
    "wamr.compiler.thumb1": "thumb1_wide thumb1_stubs thumb1_calls thumb1_memory thumb1",
    "wamr.compiler.thumb2": "thumb2_wide thumb2_calls thumb2",
    "wamr.compiler.x64": "x64_code x64_float x64_convert x64",
    "wamr.compiler.xtensa": "xtensa_code xtensa_wide xtensa_stubs xtensa_calls xtensa",
}


# The modules that load() has imported: most of the compiler. And the targets' classes in use.
_loaded = []
targets = []
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
# and a single one into these files would keep them all: so they, and the large classes, lose what
# they have.
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
        for module in _loaded:
            module.__dict__.clear()
        for kind in targets:
            while kind is not object:
                try:
                    empty(kind)
                except MemoryError:
                    pass
                kind = kind.__bases__[0]
    _loaded.clear()
    targets.clear()


# The package of code that is frozen in the firmware, and whether there is any; None: not known.
FROZEN = "wamr_kept"
_any_frozen = None


def has_frozen():
    """Whether the firmware has machine code of modules."""
    global _any_frozen
    if _any_frozen is None:
        path = sys.path[:]
        sys.path[:] = (".frozen",)  # nowhere else is it looked for
        try:
            __import__(FROZEN)
            _any_frozen = True
        except ImportError:
            _any_frozen = False
        finally:
            sys.path[:] = path
    return _any_frozen


def code_path(source):
    """The file that keeps the code of the module in the file `source`."""
    return (source[:-5] if source[-5:] == ".wasm" else source) + ".code"


def find_code(module):
    """The Code of a module if it was kept, else None. OSError, MemoryError, ValueError."""
    if not (MICROPYTHON and has_frozen()) and not is_kept(module.source):
        return None
    from wamr.compiler import cache

    try:
        return cache.find(module)
    finally:
        unload()


# Whether there is a file with code of this module.
def is_kept(source):
    try:
        return isinstance(source, str) and bool(os.stat(code_path(source)))
    except OSError:
        return False
