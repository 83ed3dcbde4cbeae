"""Where the values of a function are while it is compiled: registers, cells, constants.

The most used locals live in registers for the whole function. `valid` says that such a register
holds the local now (a call leaves nothing in registers), `dirty` that its cell does not. Operands
are entries [kind, value, type, cell] on a virtual stack; `cell` is where the operand belongs when
it must be in memory.
"""

from ..host import const
from .scan import Scan, local_types

# Kinds of an entry, and what its value is.
CONST = const(0)  # the bits
LOCAL = const(1)  # the local's index: not read yet
REG = const(2)  # a register
CELL = const(3)  # nothing: it is in its cell

_KIND = const(0)
_VALUE = const(1)
_TYPE = const(2)
_CELL = const(3)

_I64 = const(0x7E)
_F64 = const(0x7C)


def is_wide(kind):
    return kind == _I64 or kind == _F64


# Where a register holds 32 bits, an i64 has two: a pair is one number that names both.
def pair(low, high):
    return 0x10000 | high << 8 | low


def low(r):
    return r & 0xFF


def high(r):
    return r >> 8 & 0xFF


# Where a function's return address is: behind the cells of its locals.
def frame_layout(module, index):
    cell = 0
    for kind in local_types(module, index):
        cell += 2 if is_wide(kind) else 1
    return cell


class Values:
    def __init__(self, asm, module, index):
        self.asm = asm
        body = 7 * (index - module.n_imported_funcs)
        self.pc = module.bodies[body]
        self.end = module.bodies[body + 6]
        self.types = local_types(module, index)
        self.scan = Scan(module.code, self.pc, self.end, len(self.types))
        self.n_params = len(module.funcs[index][0])
        cell = 0
        self.cells = []  # of the locals
        for kind in self.types:
            self.cells.append(cell)
            cell += 2 if is_wide(kind) else 1
        self.return_cell = cell
        self.base = cell + 2  # of the operands
        operands = module.bodies[body + 4] - 4 - len(self.types)
        self.frame_size = self.base + 2 * operands
        self.stack = []
        wide = self.scan.wide or (self.scan.calls and module.has_wide_results())
        for kind in self.types:
            wide = wide or is_wide(kind)
        self.n_temps, self.n_locals = asm.registers(wide)
        self.busy = [False] * self.n_temps
        self.checked = {}  # local -> bytes from its value on that are inside the memory
        self._assign()

    # The locals used most get the registers.
    def _assign(self):
        uses = self.scan.uses
        self.reg = [-1] * len(uses)
        self.owner = []  # the locals that have registers
        r = self.n_temps
        end = r + self.n_locals
        while r < end:
            best = -1
            for i in range(len(uses)):
                if uses[i] > 1 and self.reg[i] < 0 and (best < 0 or uses[i] > uses[best]):
                    if r + 1 < end or not self._is_pair(self.types[i]):
                        best = i
            if best < 0:
                break
            self.reg[best] = r
            if self._is_pair(self.types[best]):
                self.reg[best] = pair(r, r + 1)
                r += 1
            r += 1
            self.owner.append(best)
        self.valid = [False] * len(uses)
        self.dirty = [False] * len(uses)

    def _is_pair(self, kind):
        return is_wide(kind) and not self.asm.WIDE

    # Where a single result is when paths meet and when a function returns.
    def result_register(self, kind):
        return pair(0, 1) if self._is_pair(kind) else 0

    def is_temp(self, r):
        return low(r) < self.n_temps

    def _mark(self, r, busy):
        self.busy[low(r)] = busy
        if r > 0xFF:
            self.busy[high(r)] = busy

    # ---- the virtual stack

    def top_cell(self):
        if not self.stack:
            return self.base
        e = self.stack[-1]
        return e[_CELL] + (2 if is_wide(e[_TYPE]) else 1)

    def push(self, kind, value, type):
        if kind == REG and self.is_temp(value):
            self._mark(value, True)
        self.stack.append([kind, value, type, self.top_cell()])

    def pop(self):
        return self.stack.pop()

    # A register, or a pair, for a value of this type.
    def temp(self, kind=0x7F):
        r = self._free_register()
        return pair(r, self._free_register()) if self._is_pair(kind) else r

    # The lowest operand that has one gives it up if none is free.
    def _free_register(self):
        busy = self.busy
        for r in range(len(busy)):
            if not busy[r]:
                busy[r] = True
                return r
        for e in self.stack:
            if e[_KIND] == REG and self.is_temp(e[_VALUE]):
                self.flush(e)
                return self._free_register()
        raise RuntimeError("out of registers")

    # The register that holds an entry, loading it into one if need be.
    def use(self, e):
        kind = e[_KIND]
        value = e[_VALUE]
        wide = is_wide(e[_TYPE])
        if kind == REG:
            return value
        if kind == LOCAL and self.reg[value] >= 0:
            return self.load_local(value)
        r = self.temp(e[_TYPE])
        if kind == CONST:
            self.asm.const(r, value, wide)
        else:
            self.asm.load_cell(r, self.cells[value] if kind == LOCAL else e[_CELL], wide)
        e[_KIND] = REG
        e[_VALUE] = r
        return r

    # The cell of an entry that can be read from memory, or -1.
    def memory_cell(self, e):
        if e[_KIND] == CELL:
            return e[_CELL]
        if e[_KIND] == LOCAL and self.reg[e[_VALUE]] < 0:
            return self.cells[e[_VALUE]]
        return -1

    def release(self, e):
        if e[_KIND] == REG and self.is_temp(e[_VALUE]):
            self._mark(e[_VALUE], False)

    # Puts an entry into its cell.
    def flush(self, e):
        kind = e[_KIND]
        if kind == CELL:
            return
        wide = is_wide(e[_TYPE])
        if kind == CONST:
            self.asm.store_cell_const(e[_VALUE], e[_CELL], wide)
        else:
            self.asm.store_cell(self.use(e), e[_CELL], wide)
            self.release(e)
        e[_KIND] = CELL

    # Frees all registers: everything but constants (and, if they cannot change meanwhile, locals)
    # goes to its cell.
    def flush_all(self, keep_locals=False):
        for e in self.stack:
            if e[_KIND] == REG or e[_KIND] == LOCAL and not keep_locals:
                self.flush(e)

    # ---- locals

    def load_local(self, i):
        r = self.reg[i]
        if not self.valid[i]:
            self.asm.load_cell(r, self.cells[i], is_wide(self.types[i]))
            self.valid[i] = True
            self.dirty[i] = False
        return r

    # Operands that stand for the old value of local i, which is about to change, get it now.
    def detach(self, i):
        for e in self.stack:
            if e[_KIND] == LOCAL and e[_VALUE] == i:
                r = self.reg[i]
                if r < 0:
                    self.use(e)
                else:
                    self.load_local(i)
                    e[_VALUE] = self.temp(e[_TYPE])
                    e[_KIND] = REG
                    self.asm.move(e[_VALUE], r)

    def is_on_stack(self, i):
        for e in self.stack:
            if e[_KIND] == LOCAL and e[_VALUE] == i:
                return True
        return False

    def set_local(self, i, e):
        wide = is_wide(self.types[i])
        r = self.reg[i]
        self.checked.pop(i, None)
        if e[_KIND] == LOCAL and e[_VALUE] == i:
            return
        self.detach(i)
        if r < 0:
            if e[_KIND] == CONST:
                self.asm.store_cell_const(e[_VALUE], self.cells[i], wide)
            else:
                self.asm.store_cell(self.use(e), self.cells[i], wide)
            return
        if e[_KIND] == CONST:
            self.asm.const(r, e[_VALUE], wide)
        elif self.memory_cell(e) >= 0:
            self.asm.load_cell(r, self.memory_cell(e), wide)
        else:
            s = self.use(e)
            if s != r:
                self.asm.move(r, s)
        self.valid[i] = True
        self.dirty[i] = True

    # Before anything that may look at the cells or lose the registers.
    def save_locals(self):
        for i in self.owner:
            if self.valid[i] and self.dirty[i]:
                self.asm.store_cell(self.reg[i], self.cells[i], is_wide(self.types[i]))
                self.dirty[i] = False

    def lose_locals(self):
        for i in self.owner:
            self.valid[i] = False

    # Brings the locals into the state `wanted`, a list of those that must be in registers.
    def agree(self, wanted):
        for i in self.owner:
            if i in wanted:
                self.load_local(i)
            elif self.valid[i] and self.dirty[i]:
                self.asm.store_cell(self.reg[i], self.cells[i], is_wide(self.types[i]))
                self.dirty[i] = False

    def agrees(self, wanted):
        for i in self.owner:
            if i in wanted:
                if not self.valid[i]:
                    return False
            elif self.valid[i] and self.dirty[i]:
                return False
        return True

    # Where paths meet: what is in a register may differ from its cell if it is ever written.
    def meet(self, wanted):
        for i in self.owner:
            self.valid[i] = i in wanted
            self.dirty[i] = self.valid[i] and bool(self.scan.written[i])
        self.checked.clear()

    def in_registers(self):
        return [i for i in self.owner if self.valid[i]]
