"""Tables, and globals that are shared with Python or with another module (specification 4.2)."""

from wamr.host import const
from wamr.wasm.errors import LinkError, Trap
from wamr.wasm.externs import from_bits, new_cell, to_bits
from wamr.wasm.types import type_code

_MAX_TABLE = const(1000000)


class Table:
    """A table of references. kind: "funcref" or "externref"; min, max: number of elements."""

    def __init__(self, kind, min, max=None, init=None):
        self.kind = type_code(kind) if isinstance(kind, str) else kind
        self.max = max
        self.elems = []
        self.version = 0  # changes with the elements: machine code keeps a list of its own
        if self.grow(min, init) < 0:
            raise LinkError("not enough memory: a table of %d elements wanted" % min)

    def __len__(self):
        return len(self.elems)

    def __getitem__(self, index):
        return self.elems[index]

    def __setitem__(self, index, value):
        self.elems[index] = to_bits(value, self.kind)
        self.version += 1

    # The instructions table.get and table.set.
    def get(self, index):
        if index >= len(self.elems):
            raise Trap("out of bounds table access")
        return self.elems[index]

    def set(self, index, ref):
        if index >= len(self.elems):
            raise Trap("out of bounds table access")
        self.elems[index] = ref
        self.version += 1

    def grow(self, n, init=None):
        """Add n elements. Returns the size before, or -1 when that is not possible."""
        init = to_bits(init, self.kind)
        old = len(self.elems)
        if n < 0 or old + n > (_MAX_TABLE if self.max is None else min(self.max, _MAX_TABLE)):
            return -1
        self.version += 1
        try:
            self.elems.extend([init] * n)
        except (MemoryError, OverflowError):
            return -1
        return old


class Global:
    """A global variable. kind: "i32", "i64", "f32", "f64", "funcref" or "externref"."""

    def __init__(self, kind, value=0, mutable=False, cell=None):
        self.kind = type_code(kind) if isinstance(kind, str) else kind
        self.mutable = mutable
        # Shared by everybody who sees this global; an instance gives the one it has.
        self.cell = new_cell(self.kind, to_bits(value, self.kind)) if cell is None else cell

    @property
    def value(self):
        """The value: a signed int, a float or a reference."""
        return from_bits(self.cell[0], self.kind)

    @value.setter
    def value(self, value):
        if not self.mutable:
            raise TypeError("this global is immutable")
        self.cell[0] = to_bits(value, self.kind)

    @property
    def raw(self):
        """The value as unsigned bits."""
        return self.cell[0]
