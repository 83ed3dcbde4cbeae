"""Instance: a module linked to its imports, with its memory, tables and globals.

Specification: 4.5.4 Instantiation.
"""

from ..engine import select
from ..engine.execution import Execution
from ..host import is_coroutine
from .constexpr import const_expr
from .errors import LinkError, Trap
from .externs import Function, Global, Memory, Native, Table, new_cell, words
from .reader import Reader


class Instance:
    """An instance of a module.

    imports: dict of module name -> namespace: a dict of names, an Instance, or an object with
    resolve(); see docs/api.md. engine: "auto" or "portable". stack: bytes for the cell stack (4 a
    cell). heap: bytes of the app's heap, made in linear memory for modules that import functions
    from `env` and have no malloc of their own. fuel: units this instance may use in all (None: no
    limit); can be read and set.

    Raises LinkError, Trap (a segment out of bounds, or in the start function), MemoryError.
    """

    def __init__(self, module, imports=None, engine="auto", stack=8192, heap=8192, fuel=None):
        self.module = module
        self.engine = select(engine)
        self.stack_cells = stack // 4
        self.fuel = fuel
        self.funcs = []  # imported functions
        self.tables = []
        self.memory = None
        self.globals = []  # one-element lists, shared with Global objects
        self._global_objects = {}
        self._functions = {}
        self._elems = {}  # evaluated element segments; dropped ones are empty
        self._dropped = set()  # data segments
        self._link(imports or {})
        self._allocate(heap)
        self.engine.attach(self)
        self._initialize()
        if module.start is not None:
            self.call(self.func(module.start), [])

    # ---- linking

    def _link(self, imports):
        missing = []
        module = self.module
        for where, name, kind, what in module.import_list:
            space = imports.get(where)
            if space is None:
                found = None
            elif hasattr(space, "resolve"):
                found = space.resolve(name, kind, what, module)
            else:
                found = space.get(name)
            if found is None:
                missing.append('"%s" "%s" %s %s' % (where, name, kind, words(kind, what)))
            elif kind == "func":
                self._link_func(where, name, what, found)
            else:
                self._link_state(where, name, kind, what, found)
        if missing:
            raise LinkError("unknown import: " + "; ".join(missing))

    def _link_func(self, where, name, what, found):
        if isinstance(found, (Function, Native)):
            if found.type != what:
                self._refuse(where, name, "func", what, _describe(found))
        elif callable(found):
            found = Native(None, found, what)
        else:
            self._refuse(where, name, "func", what, _describe(found))
        self.funcs.append(found)

    def _link_state(self, where, name, kind, what, found):
        if kind == "global":
            if isinstance(found, (int, float)) and not what[1]:
                try:
                    found = Global(what[0], found)
                except TypeError:  # a float for an i32: refused below
                    pass
            fits = isinstance(found, Global) and found.type() == what
        elif kind == "table":
            fits = isinstance(found, Table) and found.kind == what[0]
            fits = fits and _limits_fit(len(found), found.max, what[1], what[2])
        else:
            fits = isinstance(found, Memory) and found.page_size == what[2]
            fits = fits and _limits_fit(found.pages, found.max, what[0], what[1])
        if not fits:
            self._refuse(where, name, kind, what, _describe(found))
        if kind == "global":
            self._global_objects[len(self.globals)] = found
            self.globals.append(found.cell)
        elif kind == "table":
            self.tables.append(found)
        else:
            if not found.whole():
                raise LinkError("not enough memory to share the memory of another module")
            self.memory = found

    def _refuse(self, where, name, kind, what, has):
        raise LinkError(
            'incompatible import type: "%s" "%s" wants %s %s, given %s'
            % (where, name, kind, words(kind, what), has)
        )

    # ---- allocation

    def _allocate(self, heap):
        module = self.module
        for kind, low, high in module.tables[len(self.tables) :]:
            self.tables.append(Table(kind, low, high))
        if module.memories and not self.memory:
            self._allocate_memory(heap)
        for i, (buf, pos, base) in enumerate(module.global_inits):
            kind = module.globals[module.n_imported_globals + i][0]
            self.globals.append(new_cell(kind, self._const(buf, pos, base, kind)))

    # A page is 64 KiB, more than many a board has. A module that never asks for its memory's size,
    # and says where its data and stack end (`__heap_base`), gets only that, and the app's heap
    # behind it.
    def _allocate_memory(self, heap):
        module = self.module
        low, high, page = module.memories[0]
        if not self._wants_heap():
            heap = 0
        place = low * page
        if not module.asks_memory_size:
            place = min(place, self._heap_base(place) + 7 & ~7)
        if heap:
            # The heap is part of the first pages, as the memory may grow.
            low = max(low, -(-(place + heap) // page))
        size = low * page if module.asks_memory_size else place + heap
        self.memory = Memory(low, high, page, size)
        if heap:
            from ..heap import Heap

            self.memory.heap = Heap(self.memory.buf, place, heap)

    # Machine code keeps numeric globals where it can reach them.
    def replace_global(self, index, cell):
        self.globals[index] = cell
        if index in self._global_objects:
            self._global_objects[index].cell = cell

    def _wants_heap(self):
        module = self.module
        if module.find_export("malloc") and module.find_export("free"):
            return False
        for where, _, kind, _ in module.import_list:
            if where == "env" and kind == "func":
                return True
        return False

    def _heap_base(self, default):
        found = self.module.find_export("__heap_base")
        if not found or found[0] != "global":
            return default
        own = found[1] - self.module.n_imported_globals
        if own < 0 or self.module.globals[found[1]] != (0x7F, False):
            return default
        buf, pos, base = self.module.global_inits[own]
        return self._const(buf, pos, base, 0x7F)

    def _const(self, buf, pos, base, kind):
        return const_expr(Reader(buf, pos, len(buf), base), self.module, kind, self)

    # ---- segments

    def _initialize(self):
        for i, segment in enumerate(self.module.elems):
            if segment[0] == 0:
                offset = self._const(*segment[2], 0x7F)
                refs = self.elem(i)
                table = self.tables[segment[1]]
                table.version += 1
                elems = table.elems
                if offset + len(refs) > len(elems):
                    raise Trap("out of bounds table access")
                elems[offset : offset + len(refs)] = refs
            if segment[0] != 1:
                self.drop_elem(i)
        for i, (offset, buf, start, length) in enumerate(self.module.datas):
            if offset:
                at = self._const(*offset, 0x7F)
                self.memory.write(at, memoryview(buf)[start : start + length])
                self._dropped.add(i)

    def data(self, index):
        if index in self._dropped:
            return b"", 0, 0
        return self.module.datas[index][1:]

    def drop_data(self, index):
        self._dropped.add(index)

    # The references of an element segment. They stay encoded until somebody wants them.
    def elem(self, index):
        refs = self._elems.get(index)
        if refs is None:
            _, _, _, kind, buf, pos, base, n, exprs = self.module.elems[index]
            r = Reader(buf, pos, len(buf), base)
            if exprs:
                refs = [const_expr(r, self.module, kind, self) for _ in range(n)]
            else:
                refs = [self.func(r.u32()) for _ in range(n)]
            self._elems[index] = refs
        return refs

    def drop_elem(self, index):
        self._elems[index] = ()

    # ---- calling

    def func(self, index):
        """The function of this index: a Function (always the same), or the imported object."""
        if index < len(self.funcs):
            return self.funcs[index]
        function = self._functions.get(index)
        if function is None:
            function = self._functions[index] = Function(self, index)
        return function

    # Runs a function to its end: cells in, cells out.
    def call(self, function, args):
        if isinstance(function, Native):
            pending = result = function.call(self, args)
            if not is_coroutine(result):
                return list(result)
        else:
            execution = Execution(function, args)
            if execution.step():
                return execution.raw
            pending = execution.pending
        pending.close()
        raise RuntimeError("an imported function is async: use call_async()")

    def call_raw(self, name, args=()):
        """Call an export with unsigned bits (references: None or an object); a list of such."""
        return self.call(self._exported(name), list(args))

    def start(self, name, *args):
        """Prepare a call of the export `name`; returns an Execution to be run with step()."""
        function = self._exported(name)
        return Execution(function, function.args_to_bits(args))

    async def call_async(self, name, *args):
        """Call an export from asyncio: other tasks have their turn, and imports may be async."""
        return await self.start(name, *args).run_async()

    def _exported(self, name):
        function = self.exports[name]
        if not isinstance(function, Function):
            raise TypeError("export %r is not a function" % name)
        return function

    # ---- the face

    @property
    def exports(self):
        """The exports: `exports.name` or `exports["name"]`: Function, Memory, Table or Global."""
        return Exports(self)

    @property
    def heap(self):
        """The app's Heap inside linear memory, or None."""
        return self.memory.heap if self.memory else None

    @heap.setter
    def heap(self, heap):
        self.memory.heap = heap

    # What an Instance is as a namespace for other modules.
    def resolve(self, name, kind, type, module):
        found = self.module.find_export(name)
        if not found:
            return None
        kind, index = found
        if kind == "func":
            return self.func(index)
        if kind == "table":
            return self.tables[index]
        if kind == "memory":
            return self.memory
        known = self._global_objects.get(index)
        if known is None:
            code, mutable = self.module.globals[index]
            known = Global(code, 0, mutable, self.globals[index])
            self._global_objects[index] = known
        return known


def _describe(found):
    for kind, cls in (("func", (Function, Native)), ("table", Table), ("memory", Memory)):
        if isinstance(found, cls):
            return kind + " " + words(kind, found.type if kind == "func" else found.type())
    if isinstance(found, Global):
        return "global " + words("global", found.type())
    return "%r" % (found,)


# `size` and `max` are what there is; the import asks for at least `low` and, if it says so, at
# most `high`.
def _limits_fit(size, max, low, high):
    return size >= low and (high is None or (max is not None and max <= high))


class Exports:
    def __init__(self, instance):
        self._instance = instance

    def __getattr__(self, name):
        if name not in self:
            raise AttributeError("the module does not export '%s'" % name)
        return self[name]

    def __getitem__(self, name):
        instance = self._instance
        found = instance.module.find_export(name)
        if found is None:
            raise KeyError(name)
        if found[0] == "func" and found[1] < len(instance.funcs):
            # An imported one: called from Python, it is this instance that calls it.
            return Function(instance, found[1])
        return instance.resolve(name, None, None, None)

    def __iter__(self):
        return iter([e[0] for e in self._instance.module.export_list])

    def __contains__(self, name):
        return self._instance.module.find_export(name) is not None
