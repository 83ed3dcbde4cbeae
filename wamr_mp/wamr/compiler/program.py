"""A whole module as machine code: stubs first, then its functions."""

from array import array

from wamr.compiler import context
from wamr.compiler.function import Function
from wamr.compiler.scan import signed_leb


class Program:
    """Machine code of a module for one target, made by compile(). `asm.code` is
    position-independent.
    """

    def __init__(self, module, asm):
        self.module = module
        self.asm = asm
        self.stubs = {}
        names = ("exit", "start", "start_result", "again", "exact1", "exact2", "exact3")
        for name in names + tuple(range(context.TRAP + 1)):
            self.stubs[name] = asm.label()
        asm.guaranteed = guaranteed(module)
        self.functions = [asm.label() for _ in module.funcs]
        asm.stubs(self.stubs)
        asm.patch()

    def compile(self):
        """Generator: compiles a function at each step, and gives its index."""
        labels = self.asm.labels
        known = len(labels)
        for index in range(self.module.n_imported_funcs, len(self.functions)):
            self.function(index)
            # Nobody branches into a function.
            del labels[known:]
            yield index
        self.asm.patch()

    # Where branches reach less far than functions are large, large functions are compiled again.
    def function(self, index):
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

    def offset(self, label):
        return self.asm.labels[label]

    # What Code is made of beside the code: the target's properties, then offsets of entries. In
    # one piece, so that it can be kept with the code.
    def table(self):
        asm = self.asm
        table = array("I", (1 if asm.WIDE else 0, asm.THUMB, asm.GUARD))
        for stub in ("start", "start_result", "again"):
            table.append(self.offset(self.stubs[stub]))
        for index in range(self.module.n_imported_funcs, len(self.functions)):
            table.append(self.offset(self.functions[index]))
        return table


# The call sites of a function: offset from its start, behind the call -> (pc, cells from its frame
# to that of the callee, number of the trap, offset where to try again). They are not kept: whoever
# wants to know has the function compiled again.
def sites(module, asm, index):
    program = Program(module, asm)
    asm.sites = {}
    program.function(index)
    start = program.offset(program.functions[index])
    found = {}
    for offset in asm.sites:
        pc, cells, number, retry = asm.sites[offset]
        found[offset - start] = (pc, cells, number, retry and retry - start)
    return found


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
