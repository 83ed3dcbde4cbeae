"""Module: a decoded and validated WebAssembly binary (specification 5.5)."""

from wamr.host import array, forget


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
        self.import_list = []  # (module, name, kind, type)
        self.export_list = []  # (name, kind, index)
        self.global_inits = []  # (buffer, position, base) of the constant expression
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

    def custom(self, name):
        """The content of the custom section `name` as bytes, or None. Loaded at each call."""
        for key, pos, length in self.customs:
            if key == name:
                if isinstance(self.source, str):
                    with open(self.source, "rb") as file:
                        file.seek(pos)
                        return file.read(length)
                return bytes(self.source[pos : pos + length])
        return None

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
        from wamr.wasm.types import words

        return [(n, k, words(k, self.type_of(k, i))) for n, k, i in self.export_list]

    def type_of(self, kind, index):
        if kind == "func":
            return self.funcs[index]
        if kind == "table":
            return self.tables[index]
        return self.memories[index] if kind == "memory" else self.globals[index]

    def function_name(self, index):
        """The name of a function for people, or None."""
        from wamr.wasm.names import function_name

        return function_name(self, index)

    # Whether some function may return an i64 or f64.
    def has_wide_results(self):
        for kind in self.types:
            if b"\x7e" in kind[1] or b"\x7c" in kind[1]:
                return True
        return False

    def find_export(self, name):
        """(kind, index) of the export `name`, or None."""
        for known, kind, index in self.export_list:
            if known == name:
                return kind, index
        return None
