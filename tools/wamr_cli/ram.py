"""What a module and its instance take of a board's heap, by MicroPython's own rules.

The objects of the runtime on this PC are walked, and each is counted as MicroPython would hold it
on a 32-bit board: the heap is made of blocks of 16 bytes, a reference takes 4 bytes, a small int
nothing of its own.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

_BLOCK = 16
_WORD = 4
_SMALL_INT = 1 << 30
# The sizes a dict's table takes (py/map.c), up to where they only matter to the per cent.
_TABLE_SIZES = (0, 1, 2, 4, 6, 8, 10, 12, 17, 23, 29, 37, 47, 59, 73, 97, 127, 167, 223, 293, 389)


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


def heap_bytes(root: object, known: Iterable[object] = ()) -> int:
    """Bytes of heap for `root` and all that hangs on it: data, without classes and functions.

    What is in `known` is not counted.
    """
    seen = {id(thing) for thing in known}
    todo = [root]
    total = 0
    while todo:
        thing = todo.pop()
        if thing is None or isinstance(thing, (bool, float, type)) or id(thing) in seen:
            continue
        if isinstance(thing, int):
            # Big ints: an object and its digits of 16 bits.
            if not -_SMALL_INT <= thing < _SMALL_INT:
                total += _BLOCK + _blocks(-(-thing.bit_length() // 16) * 2)
            continue
        seen.add(id(thing))
        if isinstance(thing, (bytes, str)):
            n = len(thing.encode()) if isinstance(thing, str) else len(thing)
            total += _BLOCK + _blocks(n + 1) if n > 1 else 0
        elif isinstance(thing, bytearray):
            total += _BLOCK + _blocks(len(thing))
        elif isinstance(thing, array):
            total += _BLOCK + _blocks(len(thing) * thing.itemsize)
        elif isinstance(thing, memoryview):
            total += _BLOCK
        elif isinstance(thing, tuple):
            total += _blocks((2 + len(thing)) * _WORD) if thing else 0
            todo.extend(thing)
        elif isinstance(thing, list):
            total += _BLOCK + _list_items(len(thing))
            todo.extend(thing)
        elif isinstance(thing, (dict, set)):
            total += _BLOCK + _table(len(thing))
            todo.extend(thing)
            if isinstance(thing, dict):
                todo.extend(thing.values())
        elif hasattr(thing, "__dict__") and type(thing).__module__.startswith("wamr"):
            total += _BLOCK + _table(len(thing.__dict__))
            todo.extend(thing.__dict__.values())
    return total
