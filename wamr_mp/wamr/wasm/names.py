"""The name section: function names for backtraces, read from its place each time.

Specification: 7.4.1 Name Section.
"""

from wamr.wasm.interface import custom
from wamr.wasm.reader import Reader


# The name of function `index`: from the name section, else from an export, else None.
def function_name(module, index):
    try:
        name = _from_section(module, index)
    except Exception:  # a damaged name section or a file that has gone must not hide the trap
        name = None
    if name is None:
        for known, kind, i in module.export_list:
            if kind == "func" and i == index:
                return known
    return name


def _from_section(module, index):
    section = custom(module, "name")
    if section is None:
        return None
    r = Reader(section, 0, len(section))
    while r.pos < r.end:
        kind = r.byte()
        size = r.u32()
        if kind != 1:
            r.skip(size)
            continue
        for _ in range(r.count()):
            if r.u32() == index:
                return r.name()
            r.skip(r.u32())
    return None
