"""Instance: a module linked to its imports, with its memory, tables and globals."""

import gc

from wamr.engine import select
from wamr.engine.execution import Execution, refuse
from wamr.host import MICROPYTHON, drop, is_coroutine
from wamr.wasm.errors import Trap
from wamr.wasm.externs import Function, Native


class Instance:
    """An instance of a module.

    imports: dict of module name -> namespace: a dict of names, an Instance, or an object with
    resolve(); see docs/api.md. engine: "auto", "native" or "portable". stack: bytes for the cell
    stack (4 a cell). heap: bytes of the app's heap, made in linear memory for modules that import
    functions from `env` and have no malloc of their own; heap_start: so many of them to begin
    with, the others when they are needed (None: all). fuel: units this instance may use in all
    (None: no limit); can be read and set.

    Raises LinkError, Trap (a segment out of bounds, or in the start function), MemoryError.
    """

    def __init__(
        self,
        module,
        imports=None,
        engine="auto",
        stack=8192,
        heap=8192,
        fuel=None,
        heap_start=None,
    ):
        self.module = module
        self.engine = select(engine)
        self.native = None  # what machine code needs of it
        self.reason = "asked for"  # why it is not run as machine code
        self.stack_cells = stack // 4
        self.fuel = fuel
        self.funcs = []  # imported functions
        self.tables = []
        self.memory = None
        self.owns_memory = False
        self.globals = []  # one-element lists, shared with Global objects
        self._objects = {}  # Functions by their index, Globals by ~index, once they were asked for
        self.segments = {}  # see engine/bulk.py
        code = module.native
        try:
            try:
                self._link(imports or {}, heap, heap_start)
            except Trap:
                # Others may have its functions, from a table that they share.
                self.engine.attach(self)
                raise
            self.engine.attach(self)
            drop("wamr.engine.auto")
            if MICROPYTHON and module.native is code:  # else that was done behind compiling
                gc.collect()
            if module.start is not None:
                self.call(self.func(module.start), [])
        except BaseException:
            self.close()
            raise

    def _link(self, imports, heap, heap_start):
        from wamr.wasm.linker import link

        try:
            link(self, imports, heap, heap_start)
        finally:
            drop(
                "wamr.wasm.linker",
                "wamr.wasm.types",
                "wamr.wasm.constexpr",
                "wamr.wasm.interface",
                "wamr.wasm.reader",
            )

    # Gives the memory that it made back to the pool. From then on there is none, also for those
    # who still reach its functions through a shared table.
    def close(self):
        if self.memory and self.owns_memory:
            self.memory.free()

    # Machine code keeps numeric globals where it can reach them.
    def replace_global(self, index, cell):
        self.globals[index] = cell
        if ~index in self._objects:
            self._objects[~index].cell = cell

    # ---- calling

    def func(self, index):
        """The function of this index: a Function (always the same), or the imported object."""
        if index < len(self.funcs):
            return self.funcs[index]
        function = self._objects.get(index)
        if function is None:
            function = self._objects[index] = Function(self, index)
        return function

    # Runs a function to its end: cells in, cells out.
    def call(self, function, args):
        if not isinstance(function, Native):
            return self.engine.call(function, args)
        result = function.call(self, args)
        if is_coroutine(result):
            refuse(result)
        return list(result)

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

    # The export `name`. KeyError when there is none.
    def export(self, name):
        found = self.module.find_export(name)
        if found is None:
            raise KeyError(name)
        if found[0] == "func" and found[1] < len(self.funcs):
            # An imported one: called from Python, it is this instance that calls it.
            return Function(self, found[1])
        return self.resolve(name, None, None, None)

    def _exported(self, name):
        function = self.export(name)
        if not isinstance(function, Function):
            raise TypeError("export %r is not a function" % name)
        return function

    # ---- the face

    @property
    def exports(self):
        """The exports: `exports.name` or `exports["name"]`: Function, Memory, Table or Global."""
        from wamr.wasm.exports import Exports

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
        known = self._objects.get(~index)
        if known is None:
            from wamr.wasm.variables import Global

            code, mutable = self.module.globals[index]
            known = Global(code, 0, mutable, self.globals[index])
            self._objects[~index] = known
        return known
