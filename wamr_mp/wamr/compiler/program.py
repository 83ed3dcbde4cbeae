"""A whole module as machine code: stubs first, then its functions."""

import gc

from wamr.host import MICROPYTHON, array, const
from wamr.compiler.function import Function
from wamr.compiler.routines import Routines
from wamr.compiler.scan import next_leb, signed_leb
from wamr.compiler.values import is_wide

# How many bytes of code are made between collections of garbage, at least; where there is room, a
# part of what is free.
_COLLECT = const(512)
_PART = const(5)


class Program:
    """Machine code of a module for one target, made by compile(): position-independent, in one
    buffer after the other.

    parts: the stubs, each function, each group of routines
    size: bytes of them
    stubs: offsets of stubs, see stubs() of the targets
    offsets: where functions start, imported ones have none; and behind them routines
    """

    FUNCTION = Function

    def __init__(self, module, asm):
        self.module = module
        self.asm = asm
        asm.program = self
        self.wide = _has_wide_values(module)
        asm.guaranteed = guaranteed(module)
        self.stubs = asm.stubs()
        self.parts = []
        self.bases = []  # where they start
        self.size = 0
        self.add_part()
        self.offsets = [-1] * len(module.funcs)
        self.routines = Routines(self)
        self.at_hand = self.FUNCTION(self)
        self.calls = []  # of functions and routines still to come: part, place, function, …

    def add_part(self):
        self.asm.align()
        part = self.asm.take()
        self.parts.append(part)
        self.bases.append(self.size)
        self.size += len(part) * self.asm.UNIT

    def compile(self):
        """Generator: compiles a function at each step; gives the bytes of wasm that are done."""
        module = self.module
        collected = 0
        step = max(_COLLECT, gc.mem_free() >> _PART) if MICROPYTHON else 0
        for index in range(module.n_imported_funcs, len(module.funcs)):
            self.function(index)
            self.routines.emit()
            # Code that lies scattered would leave no room for all of it in one piece.
            if MICROPYTHON and self.size - collected > step:
                gc.collect()
                collected = self.size
            yield module.bodies[7 * (index - module.n_imported_funcs) + 6] - module.code_start
        self.link()

    # Where branches reach less far than functions are large, large functions are compiled again.
    def function(self, index):
        asm = self.asm
        calls = len(self.calls)
        body = 7 * (index - self.module.n_imported_funcs)
        length = self.module.bodies[body + 6] - self.module.bodies[body]
        self.offsets[index] = self.size
        try:
            asm.begin(self.size, 2 * length // asm.UNIT)
            self.at_hand.compile(index)
        except OverflowError:
            if asm.far:
                raise
            del self.calls[calls:]
            if asm.sites is not None:
                asm.sites = {}
            asm.far = True
            asm.begin(self.size, 2 * length // asm.UNIT)
            self.at_hand.compile(index)
            asm.far = False
        self.add_part()

    # Emits a call of a function, or a jump there.
    def call(self, index, cells):
        self.fix(index, self.asm.call(self.offsets[index], cells))

    def jump(self, index):
        self.fix(index, self.asm.jump_far(self.offsets[index]))

    # The same of a routine, by opcode.
    def routine(self, op):
        number = self.routines.number(op)
        self.fix(number, self.asm.call_routine(self.offsets[number]))

    # What is called at a place of the function at hand, if it is not there yet.
    def fix(self, index, place):
        if self.offsets[index] < 0:
            self.calls.extend((len(self.parts), place, index))

    def link(self):
        asm = self.asm
        calls = self.calls
        for i in range(0, len(calls), 3):
            part, place, index = calls[i : i + 3]
            asm.code = self.parts[part]
            asm.patch(place, (self.offsets[index] - self.bases[part]) // asm.UNIT)

    # What Code is made of beside the code: the target's properties, then offsets of entries. In
    # one piece, so that it can be kept with the code.
    def table(self):
        asm = self.asm
        table = array("I", (1 if asm.WIDE else 0, asm.THUMB, asm.GUARD))
        for stub in ("start", "start_result", "again"):
            table.append(self.stubs[stub])
        module = self.module
        table.extend(array("I", self.offsets[module.n_imported_funcs : len(module.funcs)]))
        return table


# The call sites of a function: offset from its start, behind the call -> (pc, cells from its frame
# to that of the callee, number of the trap, offset where to try again). They are not kept: whoever
# wants to know has the function compiled again.
def sites(module, asm, index):
    program = Program(module, asm)
    asm.sites = {}
    program.function(index)
    start = program.offsets[index]
    found = {}
    for offset in asm.sites:
        pc, cells, number, retry = asm.sites[offset]
        found[offset - start] = (pc, cells, number, retry and retry - start)
    return found


# Whether a call or a global may give an i64 or f64.
def _has_wide_values(module):
    for kind, _ in module.globals:
        if is_wide(kind):
            return True
    for _, results in module.types:
        if b"\x7e" in results or b"\x7c" in results:
            return True
    return False


# Bytes that the memory has from the start, whatever happens: see Instance._allocate_memory.
def guaranteed(module):
    if not module.memories:
        return 0
    for _, _, kind, _ in module.import_list:
        if kind == "memory":
            return 0
    low, _, page = module.memories[0]
    size = low * page
    if module.asks_memory_size:
        return size
    found = module.find_export("__heap_base")
    if not found or found[0] != "global":
        return size
    own = found[1] - module.n_imported_globals
    if own < 0 or module.globals[found[1]] != (0x7F, False):
        return size
    buf, pos = module.global_inits[own]
    # It may be an imported global, or a sum.
    if buf[pos] != 0x41 or buf[next_leb(buf, pos + 1)] != 0x0B:
        return 0
    return min(size, signed_leb(buf, pos + 1))
