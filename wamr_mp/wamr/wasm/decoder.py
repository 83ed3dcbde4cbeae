"""Decoding and validating a module's sections (specification 5.5).

Not in memory any more once the module is there.
"""

import gc

from wamr.host import MICROPYTHON, array, const
from wamr.wasm.constexpr import const_expr
from wamr.wasm.module import KINDS
from wamr.wasm.reader import Reader

# The words of one entry of `bodies`, for each function that has a body.
_WORDS = const(7)  # pc, stp, params, locals, frame size, results, end: see portable.py

# Limits of this implementation: what a byte of the file may cost in time and memory stays bounded.
_MAX_FUNCTIONS = const(100000)
_MAX_NAMED = const(10000)  # imports, exports
_MAX_TABLES = const(16)
_MAX_VALUES = const(255)  # parameters, results
# Code after which the garbage of validating it is collected: what stays shall not lie far apart.
_COLLECT = const(2048)
# The order in which the sections must stand (5.5.2), by section id: the data count
# section (12) comes before the code.
_ORDER = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0b\x0c\x0a"


# ---- sections


# Sections are read one by one: from a file only the one at hand is loaded.
def decode(module, file, data, size):
    module.declared = set()  # functions that ref.func may name
    module.seen = {}  # function types, their halves, and export names so far
    head = _window(file, data, 0, min(8, size))
    magic = bytes(head.buf[:8])
    if magic[:4] != b"\0asm"[: len(magic)] or size < 4:
        head.fail("magic header not detected")
    if magic[4:] != b"\1\0\0\0":
        head.fail("unknown binary version", 4)
    pos = 8
    last = 0
    n_bodies = n_datas = None
    while pos < size:
        r = _window(file, data, pos, min(6, size - pos))
        section = r.byte()
        if section > 12:
            r.fail("malformed section id", r.pos - 1)
        length = r.u32()
        pos += r.pos if file else r.pos - pos
        if length > size - pos:
            r.fail("length out of bounds")
        if section == 0:
            _custom(module, file, data, pos, length)
        else:
            if _ORDER[section] <= last:
                r.fail("unexpected content after last section")
            last = _ORDER[section]
            r = _window(file, data, pos, length)
            if section == 10:
                n_bodies = _codes(module, r)
            elif section == 11:
                n_datas = _vector(module, r, _data)
            elif section == 12:
                module.data_count = r.u32()
            elif section == 8:
                _start(module, r)
            else:
                if section == 2:
                    module.import_section = (r.buf, r.pos)
                elif section == 7:
                    module.export_section = (r.buf, r.pos)
                items = (_type, _import, _function, _table, _memory, _global, _export, None, _elem)
                _vector(module, r, items[section - 1])
            if r.pos != r.end:
                r.fail("section size mismatch")
        pos += length
    module.declared = module.seen = None
    # clang declares a table of functions in every module, used or not.
    if not module.needs & 4 and not module.elems and [t[0] for t in module.tables] == [0x70]:
        module.tables = ()
    # Lists take more RAM than tuples.
    for name in "types funcs tables memories globals global_inits elems datas customs".split():
        setattr(module, name, tuple(getattr(module, name)))
    module.ref_locals = module.ref_locals or ()
    r = Reader(b"", 0, 0, size)
    if len(module.funcs) - module.n_imported_funcs != (n_bodies or 0):
        r.fail("function and code section have inconsistent lengths")
    if module.data_count is not None and module.data_count != (n_datas or 0):
        r.fail("data count and data section have inconsistent lengths")


def _window(file, data, pos, length):
    if file is None:
        return Reader(data, pos, pos + length)
    file.seek(pos)
    return Reader(file.read(length), 0, length, pos)


def _vector(module, r, item):
    n = r.count()
    if item is _import or item is _export:
        r.limit(n, _MAX_NAMED, "imports or exports")
    for _ in range(n):
        item(module, r)
    return n


# Only the name is looked at; the content stays where it is (debug information is often
# a hundred times larger than the code).
def _custom(module, file, data, pos, length):
    r = _window(file, data, pos, min(length, 5))
    start = r.pos
    n = r.u32()
    r = _window(file, data, pos, min(length, r.pos - start + n))
    name = r.name()
    module.customs.append((name, pos + r.pos - start, length - r.pos + start))


# ---- types and imports


def valtype(r):
    kind = r.byte()
    if not (0x7C <= kind <= 0x7F or kind == 0x70 or kind == 0x6F):
        r.fail("malformed value type", r.pos - 1)
    return kind


def _type(module, r):
    if r.byte() != 0x60:
        r.fail("malformed function type", r.pos - 1)
    kind = (_valtypes(module, r), _valtypes(module, r))
    module.types.append(module.seen.setdefault(kind, kind))


def _valtypes(module, r):
    n = r.count()
    r.limit(n, _MAX_VALUES, "parameters or results")
    kinds = bytes([valtype(r) for _ in range(n)])
    return module.seen.setdefault(kinds, kinds)


def type_use(module, r):
    return module.types[r.index(len(module.types), "type")]


# Limits (5.3.9): flag bit 0 says that a maximum follows, bit 3 (memories only, the
# custom-page-sizes proposal) that log2 of the page size does.
def _limits(r, flags_allowed):
    flags = r.byte()
    if flags & ~flags_allowed:
        r.fail("malformed limits flags: neither shared nor 64-bit memories are known", r.pos - 1)
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


def _table(module, r):
    r.limit(len(module.tables) + 1, _MAX_TABLES, "tables")
    kind = r.byte()
    if kind != 0x70 and kind != 0x6F:
        r.fail("malformed reference type", r.pos - 1)
    low, high, _ = _limits(r, 1)
    module.tables.append((kind, low, high))


def _memory(module, r):
    if module.memories:
        r.fail("multiple memories")
    module.memories.append(_limits(r, 9))


def _global_type(module, r):
    kind = valtype(r)
    mutable = r.byte()
    if mutable > 1:
        r.fail("malformed mutability", r.pos - 1)
    kind = (kind, mutable == 1)
    return module.seen.setdefault(kind, kind)


def _import(module, r):
    r.name()
    r.name()
    kind = r.byte()
    if kind == 0:
        _function(module, r)
        module.n_imported_funcs += 1
    elif kind == 1:
        _table(module, r)
        module.needs |= 4
    elif kind == 2:
        _memory(module, r)
    elif kind == 3:
        module.globals.append(_global_type(module, r))
        module.n_imported_globals += 1
    else:
        r.fail("malformed import kind", r.pos - 1)


# ---- definitions


def _function(module, r):
    r.limit(len(module.funcs) + 1, _MAX_FUNCTIONS, "functions")
    module.funcs.append(type_use(module, r))


def _global(module, r):
    kind = _global_type(module, r)
    module.global_inits.append((r.buf, r.pos))
    const_expr(r, module, kind[0])
    module.globals.append(kind)


def _export(module, r):
    at = r.pos
    name = r.name()
    kind = r.byte()
    if kind > 3:
        r.fail("malformed export kind", r.pos - 1)
    space = (module.funcs, module.tables, module.memories, module.globals)[kind]
    index = r.index(len(space), KINDS[kind] if kind else "function", at)
    if (name,) in module.seen:
        r.fail("duplicate export name '%s'" % name, at)
    module.seen[(name,)] = True
    if kind == 0:
        module.declared.add(index)
    elif kind == 1:
        module.needs |= 4


def _start(module, r):
    module.start = r.index(len(module.funcs), "function")
    if module.funcs[module.start] != (b"", b""):
        r.fail("start function must have type () -> ()")


# Element segments (5.5.12): bit 0 passive or declarative, bit 1 an explicit table (or
# declarative), bit 2 expressions instead of function indexes. The elements stay where
# they are: (mode, table, offset expression, reference type, buffer, position, count, exprs).
def _elem(module, r):
    at = r.pos
    flags = r.u32()
    if flags > 7:
        r.fail("malformed elements segment kind", at)
    table = offset = None
    if not flags & 1:
        table = r.u32() if flags & 2 else 0
        if table >= len(module.tables):
            r.fail("unknown table %d" % table, at)
        offset = (r.buf, r.pos)
        const_expr(r, module, 0x7F)
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
    if table is not None and module.tables[table][0] != kind:
        r.fail("type mismatch: table %d holds another reference type" % table, at)
    n = r.count()
    mode = 0 if not flags & 1 else 2 if flags & 2 else 1
    pos = r.pos
    for _ in range(n):
        if flags & 4:
            const_expr(r, module, kind)
        else:
            module.declared.add(r.index(len(module.funcs), "function"))
    module.elems.append((mode, table, offset, kind, r.buf, pos, n, flags & 4))


def _data(module, r):
    at = r.pos
    flags = r.u32()
    if flags > 2:
        r.fail("malformed data segment kind", at)
    offset = None
    if flags != 1:
        memory = r.u32() if flags == 2 else 0
        if memory >= len(module.memories):
            r.fail("unknown memory %d" % memory, at)
        offset = (r.buf, r.pos)
        const_expr(r, module, 0x7F)
    n = r.count()
    module.datas.append((offset, r.buf, r.pos, n))
    r.skip(n)


def _codes(module, r):
    from wamr.wasm.validator import Validator  # a module without code does not need it

    module.code = r.buf
    module.code_base = r.base
    n = r.count()
    if n != len(module.funcs) - module.n_imported_funcs:
        r.fail("function and code section have inconsistent lengths")
    module.code_start = r.pos
    module.bodies = array("I", bytes(4 * _WORDS * n))
    check = Validator(module, r)
    end = r.end
    collected = r.pos
    for i in range(n):
        if MICROPYTHON and r.pos - collected > _COLLECT:
            gc.collect()
            collected = r.pos
        size = r.count()
        r.end = r.pos + size
        check.function(module.n_imported_funcs + i, i * _WORDS)
        if r.pos != r.end:
            r.fail("section size mismatch: the body ends before its size")
        r.end = end
    return n
