"""malloc and what goes with it: the app's heap, see heap.py.

As in WAMR, malloc() returns 0 when there is no room, free() of something that is not allocated is
ignored (here with a warning on stderr), and a corrupt heap is the trap "app heap corrupted".
"""

from ..heap import HeapError
from ..wasm.errors import Trap


class Functions:
    # heap.alloc, heap.free or heap.realloc; the app must not see Python's exceptions.
    def _heap(self, instance, what, *args):
        heap = instance.heap
        if heap is None:
            return 0
        try:
            return getattr(heap, what)(*args)
        except HeapError as e:
            if e.corrupt:
                raise Trap("app heap corrupted")
            self.libc.write_error(("%s() ignored: %s\n" % (what, e)).encode())
            return 0

    def malloc(self, instance, size):
        return self._heap(instance, "alloc", size)

    def calloc(self, instance, count, size):
        return self._heap(instance, "alloc", count * size, True)

    def realloc(self, instance, block, size):
        return self._heap(instance, "realloc", block, size)

    def free(self, instance, block):
        self._heap(instance, "free", block)

    def strdup(self, instance, text):
        data = instance.memory.read_cstr(text) + b"\0"
        copy = self.malloc(instance, len(data))
        if copy:
            instance.memory.write(copy, data)
        return copy
