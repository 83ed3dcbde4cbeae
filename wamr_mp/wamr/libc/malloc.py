"""malloc and what goes with it: the app's heap, see heap.py.

As in WAMR, malloc() returns 0 when there is no room, free() of something that is not allocated is
ignored (here with a warning on stderr), and a corrupt heap is the trap "app heap corrupted".
"""

from wamr.heap import HeapError
from wamr.wasm.errors import Trap


# heap.alloc, heap.free or heap.realloc; the app must not see Python's exceptions.
def _heap(libc, instance, what, *args):
    heap = instance.heap
    if heap is None:
        return 0
    try:
        return getattr(heap, what)(*args)
    except HeapError as e:
        if e.corrupt:
            raise Trap("app heap corrupted")
        libc.write_error(("%s() ignored: %s\n" % (what, e)).encode())
        return 0


def malloc(libc, instance, size):
    return _heap(libc, instance, "alloc", size)


def calloc(libc, instance, count, size):
    return _heap(libc, instance, "alloc", count * size, True)


def realloc(libc, instance, block, size):
    return _heap(libc, instance, "realloc", block, size)


def free(libc, instance, block):
    _heap(libc, instance, "free", block)


def strdup(libc, instance, text):
    data = instance.memory.read_cstr(text) + b"\0"
    copy = malloc(libc, instance, len(data))
    if copy:
        instance.memory.write(copy, data)
    return copy
