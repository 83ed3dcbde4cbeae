"""Imports, exports and custom sections of a module, read from their place each time.

Decoded they would take several times the RAM. For a single export see Module.find_export.
"""

from wamr.wasm.module import KINDS
from wamr.wasm.reader import Reader


# List of (module, name, kind, type).
def imports(module):
    buf, pos = module.import_section
    r = Reader(buf, pos, len(buf))
    # What is imported comes first among the things of its kind.
    index = [0, 0, 0, 0]
    found = []
    for _ in range(r.count()):
        where = r.name()
        name = r.name()
        kind = r.byte()
        if kind == 0:
            r.u32()
        elif kind == 3:
            r.skip(2)
        else:
            if kind == 1:
                r.skip(1)
            flags = r.byte()
            for _ in range(1 + (flags & 1) + (flags >> 3)):  # minimum, maximum, page size
                r.u32()
        found.append((where, name, KINDS[kind], type_of(module, KINDS[kind], index[kind])))
        index[kind] += 1
    return found


# List of (name, kind, index).
def exports(module):
    buf, pos = module.export_section
    r = Reader(buf, pos, len(buf))
    return [(r.name(), KINDS[r.byte()], r.u32()) for _ in range(r.count())]


def type_of(module, kind, index):
    if kind == "func":
        return module.funcs[index]
    if kind == "table":
        return module.tables[index]
    return module.memories[index] if kind == "memory" else module.globals[index]


# The content of the custom section `name` as bytes, or None.
def custom(module, name):
    for key, pos, length in module.customs:
        if key == name:
            if isinstance(module.source, str):
                with open(module.source, "rb") as file:
                    file.seek(pos)
                    return file.read(length)
            return bytes(module.source[pos : pos + length])
    return None
