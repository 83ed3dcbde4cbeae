"""Module: a decoded and validated WebAssembly binary (specification 5.5)."""

from wamr.host import array, forget

KINDS = ("func", "table", "memory", "global")


class Module:
    """A validated module.

    data: the binary as a bytes-like object, which is run in place and must not change, or the
    path of a .wasm file, of which custom sections are not loaded.

    Raises CompileError, whose `offset` is the position of the fault in the file, and OSError.
    """

    def __init__(self, data):
        self.types = []  # (params, results), equal types share one tuple
        self.funcs = []  # the type of each function, imported ones first
        self.tables = []  # (reference type, min, max or None)
        self.memories = []  # (min, max or None, page size)
        self.globals = []  # (value type, mutable)
        self.import_section = self.export_section = (b"\0", 0)  # (buffer, position)
        self.global_inits = []  # (buffer, position) of the constant expression
        self.elems = []  # see decoder.py
        self.datas = []  # (active, offset expression, buffer, start, length)
        self.start = None
        self.n_imported_funcs = 0
        self.n_imported_globals = 0
        self.code = b""
        self.code_base = 0  # file offset of code[0]
        self.code_start = 0  # where the first body stands in code
        self.bodies = array("I")
        self.side = array("h")
        self.side_wide = False
        self.ref_locals = {}  # entry of bodies -> first, end, … of its locals of reference type
        self.asks_memory_size = False  # some function has memory.size or memory.grow
        # 1: engine/numerics.py, 2: engine/floats.py, 4: its tables, 8: speed, as it has a loop or
        # a function that calls itself
        self.needs = 0
        self.customs = []  # (name, file offset, length)
        self.data_count = None
        self.native = None  # its machine code, once somebody wanted it
        self.source = data
        from wamr.wasm.decoder import decode

        try:
            if isinstance(data, (bytes, bytearray, memoryview)):
                decode(self, None, data, len(data))
            else:
                self.source = str(data)
                with open(self.source, "rb") as file:
                    decode(self, file, None, file.seek(0, 2))
        finally:
            forget(
                "wamr.wasm.decoder",
                "wamr.wasm.validator",
                "wamr.wasm.opcodes",
                "wamr.wasm.constexpr",
                "wamr.wasm.reader",
            )

    # ---- the public face

    @property
    def imports(self):
        """List of (module, name, kind, type).

        kind: "func", "table", "memory" or "global"; type: in words.
        """
        from wamr.wasm.types import words

        return [(m, n, k, words(k, t)) for m, n, k, t in self.import_list]

    @property
    def exports(self):
        """List of (name, kind, type), see `imports`."""
        from wamr.wasm.interface import type_of
        from wamr.wasm.types import words

        return [(n, k, words(k, type_of(self, k, i))) for n, k, i in self.export_list]

    @property
    def import_list(self):
        buf, pos = self.import_section
        if not buf[pos]:
            return ()
        from wamr.wasm.interface import imports

        return imports(self)

    @property
    def export_list(self):
        from wamr.wasm.interface import exports

        return exports(self)

    def function_name(self, index):
        """The name of a function for people, or None."""
        from wamr.wasm.names import function_name

        return function_name(self, index)

    def find_export(self, name):
        """(kind, index) of the export `name`, or None."""
        name = name.encode()
        buf, pos = self.export_section
        left = leb(buf, pos)
        while left:
            left -= 1
            pos = next_leb(buf, pos)
            size = leb(buf, pos)
            pos = next_leb(buf, pos)
            same = size == len(name) and buf[pos : pos + size] == name
            pos += size + 1
            if same:
                return KINDS[buf[pos - 1]], leb(buf, pos)
        return None

    def find_function(self, name, type=None):
        """Index of the function that is exported as `name`, if it has this type; or None."""
        found = self.find_export(name)
        if found and found[0] == "func" and (type is None or self.funcs[found[1]] == type):
            return found[1]
        return None


# Unsigned LEB128 at `pos` of a section that has been checked, and the position behind it.
def leb(buf, pos):
    value = buf[pos]
    if value > 127:
        value &= 0x7F
        shift = 7
        while buf[pos] > 127:
            pos += 1
            value |= (buf[pos] & 0x7F) << shift
            shift += 7
    return value


def next_leb(buf, pos):
    while buf[pos] > 127:
        pos += 1
    return pos + 1
