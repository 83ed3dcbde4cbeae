"""Globals that are shared: with Python or with another module (specification 4.2.9)."""

from .externs import from_bits, new_cell, to_bits
from .types import type_code


class Global:
    """A global variable. kind: "i32", "i64", "f32", "f64", "funcref" or "externref"."""

    def __init__(self, kind, value=0, mutable=False, cell=None):
        self.kind = type_code(kind) if isinstance(kind, str) else kind
        self.mutable = mutable
        # Shared by everybody who sees this global; an instance gives the one it has.
        self.cell = new_cell(self.kind, to_bits(value, self.kind)) if cell is None else cell

    def type(self):
        return self.kind, self.mutable

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
