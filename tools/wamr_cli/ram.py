"""What a program takes of a board's heap before it runs, by MicroPython's own rules.

The objects of the runtime on this PC are walked, and each is counted as MicroPython would hold it
on a 32-bit board: the heap is made of blocks of 16 bytes, a reference takes 4 bytes, a small int
nothing of its own. The runtime is taken to be frozen, so that its code is in flash; its modules,
classes and functions are objects in the heap.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator
from types import FunctionType, MethodType, ModuleType
from typing import NamedTuple

_BLOCK = 16
_WORD = 4
_SMALL_INT = 1 << 30
# Constants of frozen code.
_IN_FLASH = (str, bytes, tuple)
# A class has room for all that it might implement (py/objtype.c).
_CLASS = 64
# The sizes a dict's table takes (py/map.c), as far as it matters.
_TABLE_SIZES = (0, 1, 2, 4, 6, 8, 10, 12, 17, 23, 29, 37, 47, 59, 73, 97, 127, 167, 223, 293, 389)


class Need(NamedTuple):
    """Bytes of heap: for the runtime's modules, classes and functions, and for everything else."""

    runtime: int
    data: int


def heap_bytes(root: object, without: Iterable[object] = ()) -> Need:
    """What `root` takes, and all that it needs of the runtime, but not what is in `without`."""
    seen = {id(thing) for thing in without}
    todo = [root]
    runtime = data = 0
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        size, parts = _measure(thing)
        todo.extend(parts)
        if isinstance(thing, (ModuleType, FunctionType, type, property)):
            runtime += size
        else:
            data += size
    return Need(runtime, data)


def _measure(thing: object) -> tuple[int, Iterator[object] | tuple | list]:
    """The bytes of one object, and what it refers to."""
    if thing is None or isinstance(thing, (bool, float)):
        return 0, ()
    if isinstance(thing, int):
        digits = -(-thing.bit_length() // 16) * 2
        return (0 if -_SMALL_INT <= thing < _SMALL_INT else _BLOCK + _blocks(digits)), ()
    if isinstance(thing, (bytes, str)):
        size = len(thing.encode()) if isinstance(thing, str) else len(thing)
        return (_BLOCK + _blocks(size + 1) if size > 1 else 0), ()
    if isinstance(thing, (bytearray, memoryview)):
        return _BLOCK + (_blocks(len(thing)) if isinstance(thing, bytearray) else 0), ()
    if isinstance(thing, array):
        return _BLOCK + _blocks(len(thing) * thing.itemsize), ()
    if isinstance(thing, tuple):
        return (_blocks((2 + len(thing)) * _WORD) if thing else 0), thing
    if isinstance(thing, list):
        return _BLOCK + _list_items(len(thing)), thing
    if isinstance(thing, dict):
        return _BLOCK + _table(len(thing)), [*thing, *thing.values()]
    if isinstance(thing, set):
        return _BLOCK + _table(len(thing)) // 2, list(thing)
    return _measure_code(thing)


def _measure_code(thing: object) -> tuple[int, Iterator[object] | tuple | list]:
    """Modules, classes, functions and instances of the runtime; nothing for anybody else's."""
    if isinstance(thing, MethodType):
        return _BLOCK, [thing.__self__, thing.__func__]
    name = thing.__name__ if isinstance(thing, ModuleType) else type(thing).__module__
    if isinstance(thing, property):
        name = thing.fget.__module__
    elif isinstance(thing, (FunctionType, type)):
        name = thing.__module__
    if name.split(".")[0] != "wamr":
        return 0, ()
    if isinstance(thing, ModuleType):
        kept = {key: value for key, value in vars(thing).items() if not _is_no_object(key, value)}
        # The public names come when somebody asks for them; here, this tool did.
        for _, names in getattr(thing, "_PLACES", ()):
            for public in names.split():
                kept.pop(public, None)
        # That a package knows its own modules does not mean that they are needed.
        parts = [v for k, v in kept.items() if v is not sys.modules.get(f"{name}.{k}")]
        parts = [v for v in parts if not isinstance(v, _IN_FLASH)]
        package = sys.modules.get(name.rpartition(".")[0])
        return 3 * _BLOCK + _table(len(kept) + 2), [*parts, package]
    if isinstance(thing, FunctionType):
        defaults = len(thing.__defaults__ or ())
        size = _BLOCK + (_BLOCK + _blocks((2 + defaults) * _WORD) if defaults else 0)
        cells = [cell.cell_contents for cell in thing.__closure__ or ()]
        return size + 2 * _BLOCK * len(cells), [*cells, sys.modules[name]]
    if isinstance(thing, type):
        members = [value for key, value in vars(thing).items() if not _is_dunder(key, value)]
        return _CLASS + _BLOCK + _table(len(members) + 2), [
            *(m for m in members if not isinstance(m, _IN_FLASH)),
            *thing.__bases__,
            sys.modules[name],
        ]
    if isinstance(thing, property):
        return 2 * _BLOCK, [thing.fget, thing.fset]
    attributes = vars(thing) if hasattr(thing, "__dict__") else {}
    return _BLOCK + _table(len(attributes)), [*attributes.values(), type(thing)]


def _is_no_object(name: str, value: object) -> bool:
    """Whether a module's variable does not exist on a board: Python's own, and const()."""
    is_const = name[:1] == "_" and isinstance(value, int) and not isinstance(value, bool)
    return is_const or _is_dunder(name, value)


def _is_dunder(name: str, value: object) -> bool:
    return name[:2] == "__" and not isinstance(value, FunctionType)


def _blocks(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _table(n: int) -> int:
    """The table of a dict, or of an object's attributes."""
    size = next((size for size in _TABLE_SIZES if size >= n), n * 4 // 3)
    return _blocks(size * 2 * _WORD)


def _list_items(n: int) -> int:
    """Lists begin with room for four and double."""
    room = 4
    while room < n:
        room *= 2
    return _blocks(room * _WORD)
