"""Checks the sections of a wasm file while it arrives, so that a wrong file is refused before it
is stored.
"""

from wamr.host import const

_MAX_SECTION = const(12)


class SectionCheck:
    """feed() returns the text of what is wrong, as WAMR words it, or None."""

    def __init__(self):
        self._head = b""
        self._skip = 0  # bytes of the section's content that are still to come
        # -1: a section id comes next, else the position of the next bits of its size
        self._shift = -1

    def feed(self, view):
        n = len(view)
        i = 0
        while i < n:
            if len(self._head) < 8:
                self._head += bytes(view[i : i + 1])
                i += 1
                if len(self._head) == 4 and self._head != b"\0asm":
                    return "invalid file format."
                if len(self._head) == 8 and self._head[4:] != b"\1\0\0\0":
                    return "invalid WASM version."
            elif self._skip:
                step = min(self._skip, n - i)
                self._skip -= step
                i += step
            elif self._shift < 0:
                if view[i] > _MAX_SECTION:
                    return "invalid wasm section type %d" % view[i]
                self._shift = self._size = 0
                i += 1
            else:
                byte = view[i]
                i += 1
                if self._shift == 28 and byte > 15:
                    return "LEB overflow when parsing section size"
                self._size |= (byte & 0x7F) << self._shift
                self._shift += 7
                if byte < 128:
                    self._skip = self._size
                    self._shift = -1
        return None
