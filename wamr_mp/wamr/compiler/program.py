"""A whole module as machine code: stubs first, then its functions."""

from wamr.host import array, const
from wamr.compiler.function import Function
from wamr.compiler.machine import buffer
from wamr.compiler.routines import Routines
from wamr.compiler.scan import next_leb, signed_leb
from wamr.compiler.values import is_wide

# Bytes of room for the stubs, for a routine; and for what a function takes beyond twice its wasm.
_STUBS = const(600)
_ROUTINE = const(512)
_MORE = const(128)
_WAITING = const(96)


class Program:
    """Machine code of a module for one target, made by compile(): position-independent, the stubs
    first, then each function, followed by the routines that it uses first.

    buf: a buffer for the code, as large as that may be
    parts: the code, in that, or in some if it is larger than expected
    stubs: their offsets, see stubs() of the targets
    offsets: where functions start, imported ones have none; and behind them routines
    """

    FUNCTION = Function

    def __init__(self, module, asm, buf=None, at_hand=None):
        self.module = module
        self.asm = asm
        asm.program = self
        self.wide = _has_wide_values(module)
        asm.guaranteed = guaranteed(module)
        self.left = 0  # bytes of wasm
        self.parts = []
        self.bases = []  # where they start
        self._open(0, buf or buffer(_STUBS, asm.UNIT))
        self.routines = Routines(self)
        self.stubs = self.routines.stubs()
        asm.align()
        self.offsets = [-1] * len(module.funcs)
        self.at_hand = at_hand or self.FUNCTION()
        self.at_hand.work_on(self)
        # Calls of functions and routines still to come: offset, function, … There is room for
        # some from the start, while it is to be had in one piece.
        self.calls = [None] * _WAITING
        del self.calls[:]

    @property
    def size(self):
        return self.asm.base + self.asm.here() * self.asm.UNIT

    # Bytes of the buffer at hand that are not used.
    @property
    def unused(self):
        return (self.asm.room - self.asm.here()) * self.asm.UNIT

    def _open(self, base, buf):
        self.asm.open(base, buf)
        self.parts.append(buf)
        self.bases.append(base)

    # What comes next takes about so many bytes.
    def reserve(self, n=_ROUTINE):
        asm = self.asm
        if asm.here() + n // asm.UNIT > asm.room:
            try:
                # That may be for all that is left.
                buf = buffer(n + 2 * self.left + (self.size >> 2), asm.UNIT)
            except MemoryError:
                buf = buffer(n, asm.UNIT)
            self._open(self.size, buf)
        asm.begin()

    def compile(self):
        """Generator: compiles a function at each step; gives the bytes of wasm that are done."""
        module = self.module
        total = self.left = module.bodies[-1] - module.code_start if module.bodies else 0
        for index in range(module.n_imported_funcs, len(module.funcs)):
            self.function(index)
            self.routines.emit()
            yield total - self.left
        self.link()

    # Where branches reach less far than functions are large, large functions are compiled again.
    def function(self, index):
        asm = self.asm
        calls = len(self.calls)
        body = 7 * (index - self.module.n_imported_funcs)
        end = self.module.bodies[body + 6]
        length = end - self.module.bodies[body]
        if self.left:
            self.left = self.module.bodies[-1] - end
        self.reserve(2 * length + min(length, _MORE))
        start = asm.here()
        self.offsets[index] = self.size
        try:
            self.at_hand.compile(index)
            asm.align()
        except OverflowError:
            if asm.far:
                raise
            del self.calls[calls:]
            if asm.sites is not None:
                asm.sites = {}
            asm.code[start:] = asm.code[:0]
            asm.far = True
            asm.begin()
            self.at_hand.compile(index)
            asm.align()
            asm.far = False

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
            self.calls.extend((self.asm.base + place * self.asm.UNIT, index))

    def link(self):
        asm = self.asm
        calls = self.calls
        bases = self.bases
        part = 0
        for i in range(0, len(calls), 2):
            while part < len(bases) - 1 and calls[i] >= bases[part + 1]:
                part += 1
            base = bases[part]
            asm.code = self.parts[part]
            target = self.offsets[calls[i + 1]]
            asm.patch((calls[i] - base) // asm.UNIT, (target - base) // asm.UNIT)
        asm.code = self.parts[-1]

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
