"""Module: a decoded and validated WebAssembly binary (specification 5.5)."""

from array import array

from ..host import const
from .constexpr import const_expr
from .reader import Reader

# The words of one entry of `bodies`, for each function that has a body.
_WORDS = const(7)  # pc, stp, params, locals, frame size, results, end: see portable.py

# Limits of this implementation: what a byte of the file may cost in time and memory stays bounded.
_MAX_FUNCTIONS = const(100000)
_MAX_NAMED = const(10000)  # imports, exports
_MAX_TABLES = const(16)
_MAX_VALUES = const(255)  # parameters, results
# The order in which the sections must stand (5.5.2), by section id: the data count
# section (12) comes before the code.
_ORDER = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0b\x0c\x0a"
_KINDS = ("func", "table", "memory", "global")


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
        self.elems = []  # see _elem
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
        self.arithmetic = 0  # bit 0: it has instructions of engine/numerics.py, bit 1: of floats.py
        self.customs = []  # (name, file offset, length)
        self.declared = set()  # functions that ref.func may name
        self.seen = {}  # function types and export names so far
        self.data_count = None
        self.native = None  # its machine code, once somebody wanted it
        self.source = data
        if isinstance(data, (bytes, bytearray, memoryview)):
            self._decode(None, data, len(data))
        else:
            self.source = str(data)
            with open(self.source, "rb") as file:
                self._decode(file, None, file.seek(0, 2))
        self.declared = self.seen = None

    # ---- sections

    # Sections are read one by one: from a file only the one at hand is loaded.
    def _decode(self, file, data, size):
        head = self._window(file, data, 0, min(8, size))
        magic = bytes(head.buf[:8])
        if magic[:4] != b"\0asm"[: len(magic)] or size < 4:
            head.fail("magic header not detected")
        if magic[4:] != b"\1\0\0\0":
            head.fail("unknown binary version", 4)
        pos = 8
        last = 0
        n_bodies = n_datas = None
        while pos < size:
            r = self._window(file, data, pos, min(6, size - pos))
            section = r.byte()
            if section > 12:
                r.fail("malformed section id", r.pos - 1)
            length = r.u32()
            pos += r.pos if file else r.pos - pos
            if length > size - pos:
                r.fail("length out of bounds")
            if section == 0:
                self._custom(file, data, pos, length)
            else:
                if _ORDER[section] <= last:
                    r.fail("unexpected content after last section")
                last = _ORDER[section]
                r = self._window(file, data, pos, length)
                if section == 10:
                    n_bodies = self._codes(r)
                elif section == 11:
                    n_datas = self._vector(r, self._data)
                elif section == 12:
                    self.data_count = r.u32()
                elif section == 8:
                    self._start(r)
                else:
                    self._vector(r, self._item(section))
                if r.pos != r.end:
                    r.fail("section size mismatch")
            pos += length
        r = Reader(b"", 0, 0, size)
        if len(self.funcs) - self.n_imported_funcs != (n_bodies or 0):
            r.fail("function and code section have inconsistent lengths")
        if self.data_count is not None and self.data_count != (n_datas or 0):
            r.fail("data count and data section have inconsistent lengths")

    def _window(self, file, data, pos, length):
        if file is None:
            return Reader(data, pos, pos + length)
        file.seek(pos)
        return Reader(file.read(length), 0, length, pos)

    def _item(self, section):
        if section == 1:
            return self._type
        if section == 2:
            return self._import
        if section == 3:
            return self._function
        if section == 4:
            return self._table
        if section == 5:
            return self._memory
        if section == 6:
            return self._global
        return self._export if section == 7 else self._elem

    def _vector(self, r, item):
        n = r.count()
        for _ in range(n):
            item(r)
        return n

    # Only the name is looked at; the content stays where it is (debug information is often
    # a hundred times larger than the code).
    def _custom(self, file, data, pos, length):
        r = self._window(file, data, pos, min(length, 5))
        start = r.pos
        n = r.u32()
        r = self._window(file, data, pos, min(length, r.pos - start + n))
        name = r.name()
        self.customs.append((name, pos + r.pos - start, length - r.pos + start))

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

    # ---- types and imports

    def _valtype(self, r):
        kind = r.byte()
        if not (0x7C <= kind <= 0x7F or kind == 0x70 or kind == 0x6F):
            r.fail("malformed value type", r.pos - 1)
        return kind

    def _type(self, r):
        if r.byte() != 0x60:
            r.fail("malformed function type", r.pos - 1)
        kind = (self._valtypes(r), self._valtypes(r))
        self.types.append(self.seen.setdefault(kind, kind))

    def _valtypes(self, r):
        n = r.count()
        if n > _MAX_VALUES:
            r.fail("too many parameters or results: at most %d" % _MAX_VALUES)
        return bytes([self._valtype(r) for _ in range(n)])

    def _type_use(self, r):
        index = r.u32()
        if index >= len(self.types):
            r.fail("unknown type %d" % index)
        return self.types[index]

    # Limits (5.3.9): flag bit 0 says that a maximum follows, bit 3 (memories only, the
    # custom-page-sizes proposal) that log2 of the page size does.
    def _limits(self, r, flags_allowed):
        flags = r.byte()
        if flags & ~flags_allowed:
            r.fail("malformed limits flags", r.pos - 1)
        at = r.pos
        low = r.u32()
        high = r.u32() if flags & 1 else None
        page = 65536
        if flags & 8:
            log2 = r.u32()
            if log2 != 0 and log2 != 16:
                r.fail("invalid custom page size: 2**%d is neither 1 nor 65536" % log2, at)
            page = 1 << log2
        if flags_allowed & 8:
            largest = 65536 if page > 1 else 0xFFFFFFFF
            if low > largest or high is not None and high > largest:
                r.fail("memory size must be at most 65536 pages (4GiB)", at)
        if high is not None and low > high:
            r.fail("size minimum must not be greater than maximum", at)
        return low, high, page

    def _table(self, r):
        self.tables.append(self._table_type(r))

    def _table_type(self, r):
        if len(self.tables) >= _MAX_TABLES:
            r.fail("too many tables: at most %d" % _MAX_TABLES)
        kind = r.byte()
        if kind != 0x70 and kind != 0x6F:
            r.fail("malformed reference type", r.pos - 1)
        low, high, _ = self._limits(r, 1)
        return kind, low, high

    def _memory(self, r):
        if self.memories:
            r.fail("multiple memories")
        self.memories.append(self._limits(r, 9))

    def _global_type(self, r):
        kind = self._valtype(r)
        mutable = r.byte()
        if mutable > 1:
            r.fail("malformed mutability", r.pos - 1)
        return kind, mutable == 1

    def _import(self, r):
        if len(self.import_list) >= _MAX_NAMED:
            r.fail("too many imports: at most %d" % _MAX_NAMED)
        module = r.name()
        name = r.name()
        kind = r.byte()
        if kind == 0:
            what = self._type_use(r)
            self.funcs.append(what)
            self.n_imported_funcs += 1
        elif kind == 1:
            what = self._table_type(r)
            self.tables.append(what)
        elif kind == 2:
            self._memory(r)
            what = self.memories[0]
        elif kind == 3:
            what = self._global_type(r)
            self.globals.append(what)
            self.n_imported_globals += 1
        else:
            r.fail("malformed import kind", r.pos - 1)
        self.import_list.append((module, name, _KINDS[kind], what))

    # ---- definitions

    def _function(self, r):
        if len(self.funcs) >= _MAX_FUNCTIONS:
            r.fail("too many functions: at most %d" % _MAX_FUNCTIONS)
        self.funcs.append(self._type_use(r))

    def _global(self, r):
        kind = self._global_type(r)
        self.global_inits.append((r.buf, r.pos, r.base))
        const_expr(r, self, kind[0])
        self.globals.append(kind)

    def _export(self, r):
        at = r.pos
        name = r.name()
        kind = r.byte()
        if kind > 3:
            r.fail("malformed export kind", r.pos - 1)
        index = r.u32()
        space = (self.funcs, self.tables, self.memories, self.globals)[kind]
        if index >= len(space):
            r.fail("unknown %s %d" % ("function" if kind == 0 else _KINDS[kind], index), at)
        if name in self.seen:
            r.fail("duplicate export name '%s'" % name, at)
        if len(self.export_list) >= _MAX_NAMED:
            r.fail("too many exports: at most %d" % _MAX_NAMED, at)
        self.seen[name] = True
        if kind == 0:
            self.declared.add(index)
        self.export_list.append((name, _KINDS[kind], index))

    def _start(self, r):
        self.start = r.u32()
        if self.start >= len(self.funcs):
            r.fail("unknown function %d" % self.start)
        if self.funcs[self.start] != (b"", b""):
            r.fail("start function must have type () -> ()")

    # Element segments (5.5.12): bit 0 passive or declarative, bit 1 an explicit table (or
    # declarative), bit 2 expressions instead of function indexes. The elements stay where
    # they are: (mode, table, offset expression, reference type, buffer, position, base, count,
    # exprs).
    def _elem(self, r):
        at = r.pos
        flags = r.u32()
        if flags > 7:
            r.fail("malformed elements segment kind", at)
        table = offset = None
        if not flags & 1:
            table = r.u32() if flags & 2 else 0
            if table >= len(self.tables):
                r.fail("unknown table %d" % table, at)
            offset = (r.buf, r.pos, r.base)
            const_expr(r, self, 0x7F)
        kind = 0x70
        if flags & 3:
            kind = r.byte()
            if flags & 4:
                if kind != 0x70 and kind != 0x6F:
                    r.fail("malformed reference type", r.pos - 1)
            elif kind != 0:
                r.fail("malformed element kind", r.pos - 1)
            else:
                kind = 0x70
        if table is not None and self.tables[table][0] != kind:
            r.fail("type mismatch: table %d holds another reference type" % table, at)
        n = r.count()
        mode = 0 if not flags & 1 else 2 if flags & 2 else 1
        pos = r.pos
        for _ in range(n):
            if flags & 4:
                const_expr(r, self, kind)
            else:
                index = r.u32()
                if index >= len(self.funcs):
                    r.fail("unknown function %d" % index)
                self.declared.add(index)
        self.elems.append((mode, table, offset, kind, r.buf, pos, r.base, n, flags & 4))

    def _data(self, r):
        at = r.pos
        flags = r.u32()
        if flags > 2:
            r.fail("malformed data segment kind", at)
        offset = None
        if flags != 1:
            memory = r.u32() if flags == 2 else 0
            if memory >= len(self.memories):
                r.fail("unknown memory %d" % memory, at)
            offset = (r.buf, r.pos, r.base)
            const_expr(r, self, 0x7F)
        n = r.count()
        self.datas.append((offset, r.buf, r.pos, n))
        r.skip(n)

    def _codes(self, r):
        from .validator import Validator  # a module without code does not need it

        self.code = r.buf
        self.code_base = r.base
        n = r.count()
        if n != len(self.funcs) - self.n_imported_funcs:
            r.fail("function and code section have inconsistent lengths")
        self.code_start = r.pos
        self.bodies = array("I", bytes(4 * _WORDS * n))
        check = Validator(self, r)
        end = r.end
        for i in range(n):
            size = r.count()
            r.end = r.pos + size
            check.function(self.n_imported_funcs + i, i * _WORDS)
            if r.pos != r.end:
                r.fail("section size mismatch: the body ends before its size")
            r.end = end
        return n

    # ---- the public face

    @property
    def imports(self):
        """List of (module, name, kind, type).

        kind: "func", "table", "memory" or "global"; type: in words.
        """
        from .externs import words

        return [(m, n, k, words(k, t)) for m, n, k, t in self.import_list]

    @property
    def exports(self):
        """List of (name, kind, type), see `imports`."""
        from .externs import words

        return [(n, k, words(k, self.type_of(k, i))) for n, k, i in self.export_list]

    def type_of(self, kind, index):
        if kind == "func":
            return self.funcs[index]
        if kind == "table":
            return self.tables[index]
        return self.memories[index] if kind == "memory" else self.globals[index]

    def function_name(self, index):
        """The name of a function for people, or None."""
        from .names import function_name

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
