"""What emscripten's modules want to be given: memory, table, where their data and stack are,
addresses of symbols.

A module built with SIDE_MODULE is position-independent: it says in its section `dylink` (2019) or
`dylink.0` (today) how much data it has, and imports everything else. Memory is laid out as small
as possible:

    2019     data, stack (grows upwards), cells, app heap
    today    stack (grows downwards: an overflow traps), data, cells, app heap

`cells` are the variables stdin, stdout and stderr, and what DYNAMICTOP_PTR and tempDoublePtr point
to. A module without such a section gets all its pages, and the app heap behind them, as in WAMR.
"""

from wamr.host import const
from wamr.wasm.constexpr import const_expr
from wamr.wasm.externs import Memory
from wamr.wasm.interface import custom
from wamr.wasm.reader import Reader
from wamr.wasm.variables import Global, Table

_CELLS = const(24)
_MEM_INFO = const(1)
_ALIGN = const(15)


class Environment:
    """Memory, table and globals for one module.

    stack: bytes for the C stack of modules that do not bring their own. heap: bytes of the app
    heap.
    """

    def __init__(self, module, stack, heap):
        self.module = module
        self.memory = self.table = None
        wanted = [i[1] for i in module.import_list]
        size, align, self.table_size = _dylink(module)
        self.is_side_module = size is not None
        base = 0
        if "__stack_pointer" in wanted and size is not None:
            base = (stack + _ALIGN & ~_ALIGN) + align - 1 & -align
            self.stack_low = 0
            top = base + size
        else:
            if size is None:
                size = module.memories[0][0] * module.memories[0][2] if module.memories else 0
            self.stack_low = top = size + _ALIGN & ~_ALIGN
            if "__memory_base" in wanted or "STACKTOP" in wanted or "__stack_pointer" in wanted:
                top += stack + _ALIGN & ~_ALIGN
        self.stack_high = base or top
        self.base = base
        # Index 0 is what NULL points to; in 2019 the table began with functions that abort.
        self.table_base = 1 if "__stack_pointer" in wanted else 0
        self.cells = top + 7 & ~7
        self.stderr = self.cells + 8
        self.heap = heap
        self.slots = []  # names of the functions behind the module's own in the table

    # ---- what is imported from `env`

    def resolve(self, name, kind, type):
        if kind == "memory":
            if not self.memory:
                self._make_memory(type)
            return self.memory
        if kind == "table":
            if not self.table:
                n = self.table_base + max(type[1], self.table_size) + len(self.slots)
                self.table = Table(type[0], n, type[2])
            return self.table
        value = self._value(name)
        return None if value is None else Global("i32", value, type[1])

    def _value(self, name):
        if name == "__memory_base" or name == "memoryBase":
            return self.base
        if name == "__table_base" or name == "tableBase":
            return self.table_base
        if name == "__stack_pointer" or name == "STACK_MAX":
            return self.stack_high
        if name == "STACKTOP":
            return self.stack_low
        if name == "ABORT":
            return 0
        if name == "DYNAMICTOP_PTR":
            return self.cells + 12
        if name == "tempDoublePtr":
            return self.cells + 16
        return self._file(name[1:] if name[:1] == "_" else name)

    # Address of the variable stdin, stdout or stderr.
    def _file(self, name):
        for i, known in enumerate(("stdin", "stdout", "stderr")):
            if name == known:
                return self.cells + 4 * i
        return None

    def _make_memory(self, type):
        low, high, page = type
        heap_start = self.cells + _CELLS
        size = heap_start + self.heap
        # The pages say at least what is there. A module that may grow its memory finds the heap
        # inside of them.
        if self.module.asks_memory_size or self.is_side_module:
            pages = max(low, -(-size // page))
            if high is None or pages <= high:
                low = pages
            elif self.module.asks_memory_size:
                high = low
        self.memory = memory = Memory(low, high, page, size)
        memory.shrunk = False  # linking shall not make it whole: nobody else has it
        for p in range(self.cells, self.cells + 12, 4):
            memory.put_u32(p, p)
        memory.put_u32(self.cells + 12, low * page)
        if self.heap:
            from wamr.heap import Heap

            memory.heap = Heap(memory.buf, heap_start, self.heap)

    # ---- the global offset table

    # Addresses of the module's own symbols, as dicts for "GOT.mem" and "GOT.func". They are needed
    # before the module runs: its start function writes them into its data.
    def got(self, libc):
        data = {}
        functions = {}
        for where, name, _, _ in self.module.import_list:
            if where == "GOT.mem":
                value = self._file(name)
                found = self.module.find_export(name)
                if found and found[0] == "global":
                    value = self._exported(found[1])
                if value is not None:
                    data[name] = Global("i32", value, True)
            elif where == "GOT.func":
                if (
                    self.module.find_function(name) is not None
                    or self._imported(name)
                    or libc.resolve(name, "func", None, None)
                ):
                    place = self.table_base + self.table_size + len(self.slots)
                    functions[name] = Global("i32", place, True)
                    self.slots.append(name)
        return {"GOT.mem": data, "GOT.func": functions}

    # The address of an exported variable: its global holds the offset in the module's data.
    def _exported(self, index):
        own = index - self.module.n_imported_globals
        if own < 0 or self.module.globals[index] != (0x7F, False):
            return None
        buf, pos = self.module.global_inits[own]
        return self.base + const_expr(Reader(buf, pos, len(buf)), self.module, 0x7F)

    # Index of the imported function of this name, plus 1; or 0.
    def _imported(self, name):
        index = 0
        for where, known, kind, _ in self.module.import_list:
            if kind == "func":
                index += 1
                if where == "env" and known == name:
                    return index
        return 0

    # ---- after instantiation

    # Fills the table behind the module's own functions.
    def finish(self, instance, libc):
        if self.memory:
            self.memory.shrunk = len(self.memory.buf) < self.memory.pages * self.memory.page_size
        for i, name in enumerate(self.slots):
            own = self.module.find_function(name)
            if own is not None:
                function = instance.func(own)
            elif self._imported(name):
                function = instance.func(self._imported(name) - 1)
            else:
                function = libc.resolve(name, "func", None, None)
            instance.tables[0].elems[self.table_base + self.table_size + i] = function

    # What __set_stack_limits() wants.
    def stack_limits(self):
        return [self.stack_high, self.stack_low]


# (bytes of data or None, alignment, entries of the table) from the section `dylink` or `dylink.0`
# (WebAssembly tool conventions, "Dynamic linking").
def _dylink(module):
    data = custom(module, "dylink.0")
    if data is None:
        data = custom(module, "dylink")
        if data is None:
            return None, 1, 0
        r = Reader(data, 0, len(data))
    else:
        r = Reader(data, 0, len(data))
        while r.byte() != _MEM_INFO:
            r.skip(r.u32())
        r.u32()
    size = r.u32()
    align = 1 << min(r.u32(), 16)
    return size, max(align, 16), r.u32()
