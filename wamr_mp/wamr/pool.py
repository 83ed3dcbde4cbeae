"""The pool: linear memories, stacks and code come from one block that is reserved once.

MicroPython's heap does not move objects. On a board that installs and removes apps for weeks,
small objects end up scattered over it, until no 64 KiB in one piece are left although most of it
is free. A pool reserved right after boot, when the heap is whole, keeps the large buffers apart
from the small objects; inside it, freed neighbours are merged again. Without init(), every buffer
is a bytearray.
"""

import sys

from wamr.host import zeroed

_heap = None
taken = []  # (view, index in the pool)


def init(pool):
    """Reserve `pool` bytes. RuntimeError when an earlier pool is in use; MemoryError."""
    global _heap
    from wamr.heap import Heap
    from wamr.wasm import externs

    if taken:
        raise RuntimeError("the pool is in use: call wamr.init() before the first app starts")
    _heap = None  # an earlier one is freed before the new one is made
    _heap = Heap(bytearray(pool), 0, pool)
    externs.pool = sys.modules[__name__]


def take(n):
    """A zeroed buffer of n bytes: a bytearray, or a memoryview of the pool. Raises MemoryError."""
    if not _heap or not n:
        return zeroed(n)
    p = _heap.alloc(n, True)
    if not p:
        raise MemoryError("pool: %d bytes wanted, at most %d left" % (n, _heap.stats()[3]))
    view = memoryview(_heap.buf)[p : p + n]
    taken.append((view, p))
    return view


def give(view):
    """Give back what take() returned: whether it was the pool's. Nobody may use it any more."""
    for i in range(len(taken)):
        if taken[i][0] is view:
            _heap.free(taken.pop(i)[1])
            return True
    return False


def stats():
    """(total, used, free, largest, peak) in bytes, or None without a pool."""
    return _heap.stats() if _heap else None
