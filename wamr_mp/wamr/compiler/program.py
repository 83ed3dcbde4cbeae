"""A whole module as machine code: stubs first, then its functions."""

from . import context
from .function import Function
from .scan import signed_leb


class Program:
    """Machine code of a module for one target. `asm.code` is position-independent.

    only: compile no other function than this (index), and note its call sites: for backtraces.
    """

    def __init__(self, module, asm, only=None):
        self.module = module
        self.asm = asm
        self.stubs = {}
        names = ("exit", "start", "start_result", "again", "exact1", "exact2", "exact3")
        for name in names + tuple(range(context.TRAP + 1)):
            self.stubs[name] = asm.label()
        asm.guaranteed = guaranteed(module)
        n = len(module.funcs)
        self.functions = [asm.label() for _ in range(n)]
        asm.stubs(self.stubs)
        asm.patch()
        if only is not None:
            asm.sites = {}
            self._compile(only)
            return
        for index in range(module.n_imported_funcs, n):
            self._compile(index)
        asm.patch()

    # Where branches reach less far than functions are large, large functions are compiled again.
    def _compile(self, index):
        asm = self.asm
        code, labels, waiting = len(asm.code), len(asm.labels), len(asm.waiting)
        try:
            Function(self, index).compile()
        except OverflowError:
            if asm.far:
                raise
            del asm.labels[labels:]
            del asm.waiting[waiting:]
            asm.code = asm.code[:code]
            if asm.sites is not None:
                asm.sites = {}
            asm.far = True
            Function(self, index).compile()
            asm.far = False

    # Where in the module the code before `offset` stands: (function, pc, cells from its frame to
    # that of the callee, number of the trap, where to try again), or None. What was not kept is
    # found by compiling that function again.
    def site(self, offset):
        labels = self.asm.labels
        found = None
        for index in range(self.module.n_imported_funcs, len(self.functions)):
            at = labels[self.functions[index]]
            if at < offset and (found is None or at > labels[self.functions[found]]):
                found = index
        if found is None:
            return None
        again = Program(self.module, type(self.asm)(), found)
        start = again.offset(again.functions[found])
        here = labels[self.functions[found]] - start
        about = again.asm.sites.get(offset - here)
        if about is None:
            return None
        pc, cells, number, retry = about
        return found, pc, cells, number, retry and retry + here

    def offset(self, label):
        return self.asm.labels[label]

    # A number for a function type, the same for equal ones.
    def type_number(self, kind):
        for i, known in enumerate(self.module.types):
            if known is kind:
                return i
        return self.module.types.index(kind)


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
    buf, pos, _ = module.global_inits[own]
    return min(size, signed_leb(buf, pos + 1)) if buf[pos] == 0x41 else 0
