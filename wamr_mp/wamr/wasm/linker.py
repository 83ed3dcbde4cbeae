"""Instantiation: imports are matched, memory, tables and globals made and filled.

Specification: 4.5.4 Instantiation. Not in memory any more once the instance is there.
"""

import gc

from wamr.host import MICROPYTHON
from wamr.wasm.constexpr import const_expr, references
from wamr.wasm.errors import LinkError, Trap
from wamr.wasm.externs import Function, Memory, Native, new_cell
from wamr.wasm.reader import Reader


# All steps in their order, but for the engine and the start function.
def link(instance, imports, heap, heap_start):
    _link(instance, imports)
    _allocate(instance, heap, heap_start)
    _initialize(instance)


# ---- linking


def _link(instance, imports):
    missing = []
    module = instance.module
    for i, (where, name, kind, what) in enumerate(module.import_list):
        if MICROPYTHON and not i & 7:
            gc.collect()  # what stays shall not lie far apart
        space = imports.get(where)
        if space is None:
            found = None
        elif hasattr(space, "resolve"):
            found = space.resolve(name, kind, what, module)
        else:
            found = space.get(name)
        if found is None:
            missing.append('"%s" "%s" %s %s' % (where, name, kind, _words(kind, what)))
        elif kind == "func":
            _link_func(instance, where, name, what, found)
        else:
            _link_state(instance, where, name, kind, what, found)
    if missing:
        raise LinkError(
            "unknown import: %s; give them with imports={...}, or build the app without them"
            % "; ".join(missing)
        )


def _link_func(instance, where, name, what, found):
    if isinstance(found, (Function, Native)):
        if found.type != what:
            _refuse(instance, where, name, "func", what, _describe(found))
    elif callable(found):
        found = Native(None, found, what)
    else:
        _refuse(instance, where, name, "func", what, _describe(found))
    instance.funcs.append(found)


def _link_state(instance, where, name, kind, what, found):
    if kind != "memory":
        from wamr.wasm.variables import Global, Table
    if kind == "global":
        if isinstance(found, (int, float)) and not what[1]:
            try:
                found = Global(what[0], found)
            except TypeError:  # a float for an i32: refused below
                pass
        fits = isinstance(found, Global) and (found.kind, found.mutable) == what
    elif kind == "table":
        fits = isinstance(found, Table) and found.kind == what[0]
        fits = fits and _limits_fit(len(found), found.max, what[1], what[2])
    else:
        fits = isinstance(found, Memory) and found.page_size == what[2]
        fits = fits and _limits_fit(found.pages, found.max, what[0], what[1])
    if not fits:
        _refuse(instance, where, name, kind, what, _describe(found))
    if kind == "global":
        instance._objects[~len(instance.globals)] = found
        instance.globals.append(found.cell)
    elif kind == "table":
        instance.tables.append(found)
    else:
        if not found.whole():
            raise LinkError("not enough memory to share the memory of another module")
        instance.memory = found


def _refuse(instance, where, name, kind, what, has):
    raise LinkError(
        'incompatible import type: "%s" "%s" wants %s %s, given %s'
        % (where, name, kind, _words(kind, what), has)
    )


# ---- allocation


def _allocate(instance, heap, heap_start):
    module = instance.module
    for kind, low, high in module.tables[len(instance.tables) :]:
        from wamr.wasm.variables import Table

        instance.tables.append(Table(kind, low, high))
    # Lists take more RAM than tuples.
    instance.funcs = tuple(instance.funcs)
    instance.tables = tuple(instance.tables)
    if module.memories and not instance.memory:
        _allocate_memory(instance, heap, heap_start)
    for i, place in enumerate(module.global_inits):
        kind = module.globals[module.n_imported_globals + i][0]
        instance.globals.append(new_cell(kind, _const(instance, place, kind)))


# A page is 64 KiB, more than many a board has. A module that never asks for its memory's size,
# and says where its data and stack end (`__heap_base`), gets only that, and the app's heap
# behind it, the first `heap_start` bytes of that to begin with.
def _allocate_memory(instance, heap, heap_start):
    module = instance.module
    low, high, page = module.memories[0]
    if not _wants_heap(instance):
        heap = 0
    place = low * page
    if not module.asks_memory_size:
        place = min(place, _heap_base(instance, place) + 7 & ~7)
    if heap:
        # The heap is part of the first pages, as the memory may grow.
        low = max(low, -(-(place + heap) // page))
    now = heap if module.asks_memory_size else min(heap, heap_start or heap)
    size = low * page if module.asks_memory_size else place + now
    instance.memory = memory = Memory(low, high, page, size)
    instance.owns_memory = True
    if heap:
        from wamr.heap import Heap

        memory.heap = Heap(memory.buf, place, now)
        if now < heap:
            memory.heap_end = place + heap & ~7
            memory.heap.more = memory.more_heap


def _wants_heap(instance):
    module = instance.module
    if module.find_export("malloc") and module.find_export("free"):
        return False
    for where, _, kind, _ in module.import_list:
        if where == "env" and kind == "func":
            return True
    return False


def _heap_base(instance, default):
    found = instance.module.find_export("__heap_base")
    if not found or found[0] != "global":
        return default
    own = found[1] - instance.module.n_imported_globals
    if own < 0 or instance.module.globals[found[1]] != (0x7F, False):
        return default
    return _const(instance, instance.module.global_inits[own], 0x7F)


# The value of the constant expression at a (buffer, position).
def _const(instance, place, kind):
    buf, pos = place
    return const_expr(Reader(buf, pos, len(buf)), instance.module, kind, instance)


# ---- segments


def _initialize(instance):
    for i, segment in enumerate(instance.module.elems):
        if segment[0] == 0:
            offset = _const(instance, segment[2], 0x7F)
            refs = references(instance, i)
            table = instance.tables[segment[1]]
            table.version += 1
            elems = table.elems
            if offset + len(refs) > len(elems):
                raise Trap("out of bounds table access")
            elems[offset : offset + len(refs)] = refs
        if segment[0] != 1:
            instance.segments[i] = ()
    for i, (offset, buf, start, length) in enumerate(instance.module.datas):
        if offset:
            at = _const(instance, offset, 0x7F)
            instance.memory.write(at, memoryview(buf)[start : start + length])
            instance.segments[~i] = ()


# For messages only.
def _words(kind, what):
    from wamr.wasm.types import words

    return words(kind, what)


def _describe(found):
    from wamr.wasm.variables import Global, Table

    if isinstance(found, (Function, Native)):
        return "func " + _words("func", found.type)
    if isinstance(found, Table):
        return "table " + _words("table", (found.kind, len(found), found.max))
    if isinstance(found, Memory):
        return "memory " + _words("memory", (found.pages, found.max, found.page_size))
    if isinstance(found, Global):
        return "global " + _words("global", (found.kind, found.mutable))
    return "%r" % (found,)


# `size` and `max` are what there is; the import asks for at least `low` and, if it says so, at
# most `high`.
def _limits_fit(size, max, low, high):
    return size >= low and (high is None or (max is not None and max <= high))
