"""Where the values of a function are while it is compiled: registers, cells, constants.

An operand on the virtual stack is one number: its kind in bits 0 and 1, its type in bits 2 and 3,
and from bit 4 on what the kind says. So that of an i32 in register r is r << 4.

The most used locals live in registers for the whole function. place[i] is where local i belongs,
home[i] where it is now, both as operands: a call leaves nothing in registers, and then home[i]
says LOCAL. The sets `valid` (locals that are in their registers), `dirty` (and not in their cells)
and `written` have a bit for each register; of a pair, for the lower half's. `free` has one for
each register of operands that is free; what its other bits are means nothing.

Registers from 16 on are another class, for the floating-point types that the target keeps there:
FLOATS has bit 2 for f32, bit 3 for f64.
"""

from wamr.host import const
from wamr.compiler.scan import local_types

_KIND = const(3)
_REG = const(0)  # in a register
_LOCAL = const(1)  # the value of a local, by its index, which is not in a register
_CELL = const(2)  # in a cell of the frame
_CONST = const(3)  # a constant; signed

_TYPE = const(12)
_WIDE = const(4)  # a type of 64 bits: i64, f64
_FLOAT = const(8)

# The lowest bit of a number below 16.
_LOWEST = b"\x04\x00\x01\x00\x02\x00\x01\x00\x03\x00\x01\x00\x02\x00\x01\x00"


# The bits for a value type. (References are numbers of 32 bits.)
def type_bits(kind):
    return (0x7F - kind) << 2 if kind > 0x7B else 0


def is_wide(kind):
    return kind == 0x7E or kind == 0x7C


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


# ---- registers


# The locals used most get the registers that there are for locals, of either class.
def assign(f, scan, types, registers, float_registers):
    uses = scan.uses
    cells = f.cells
    place = f.place
    ranked = []
    cell = 0
    for i in range(len(types)):
        kind = types[i]
        bits = (0x7F - kind) << 2 if kind > 0x7B else 0
        cells.append(cell)
        place.append(i << 4 | bits | _LOCAL)
        cell += 2 if bits & _WIDE else 1
        if uses[i] > 1:
            ranked.append(uses[i] << 16 | 0xFFFF - i)
    f.home.extend(place)
    ranked.sort()
    n = m = 0
    while ranked and (n < len(registers) or m < len(float_registers)):
        i = 0xFFFF - (ranked.pop() & 0xFFFF)
        bits = place[i] & _TYPE
        if f.asm.FLOATS >> (bits >> 2) & 1:
            if m == len(float_registers):
                continue
            r = float_registers[m]
            place[i] = r << 4 | bits
            m += 1
        elif bits & _WIDE and not f.asm.WIDE:
            if n + 1 >= len(registers):
                continue
            r = registers[n]
            place[i] = pair(r, registers[n + 1]) << 4 | bits
            n += 2
        elif n < len(registers):
            r = registers[n]
            place[i] = r << 4 | bits
            n += 1
        else:
            continue
        f.owners.append(i)
        f.all |= 1 << r
        if scan.written[i]:
            f.written |= 1 << r
    return cell


# A free register; the lowest operand that has one gives it up if none is.
def temp(f):
    free = f.free & f.temps
    r = _LOWEST[free & 15]
    if r == 4:
        if not free:
            spill(f, f.temps)
            return temp(f)
        r += _LOWEST[free >> 4]
    f.free ^= 1 << r
    return r


def _float_temp(f):
    free = f.free & f.asm.FLOAT_TEMPS
    while not free:
        spill(f, f.asm.FLOAT_TEMPS)
        free = f.free & f.asm.FLOAT_TEMPS
    r = 16 + _LOWEST[free >> 16 & 15]
    if r == 20:
        r += _LOWEST[free >> 20]
    f.free ^= 1 << r
    return r


def is_float(f, bits):
    return f.asm.FLOATS >> (bits >> 2 & 3) & 1


# A register, or a pair, for a value of this type.
def temp_for(f, bits):
    if bits & _FLOAT and is_float(f, bits):
        return _float_temp(f)
    r = temp(f)
    return pair(r, temp(f)) if bits & _WIDE and not f.asm.WIDE else r


def is_temp(f, r):
    return (f.temps | f.asm.FLOAT_TEMPS) >> (r & 0xFF) & 1


# The lowest operand in one of these registers goes to its cell.
def spill(f, temps):
    stack = f.stack
    for n in range(len(stack)):
        d = stack[n]
        if not d & _KIND and temps >> (d >> 4 & 0xFF) & 1:
            flush(f, n)
            return
    raise RuntimeError("out of registers")


def take(f, r):
    f.free &= ~(1 << (r & 0xFF))
    if r > 0xFF:
        f.free &= ~(1 << (r >> 8 & 0xFF))
    return r


def release(f, r):
    f.free |= 1 << (r & 0xFF)
    if r > 0xFF:
        f.free |= 1 << (r >> 8 & 0xFF)


# The registers of the operands on the stack are taken, no others.
def free_others(f):
    busy = 0
    for d in f.stack:
        if not d & _KIND:
            r = d >> 4
            busy |= 1 << (r & 0xFF)
            if r > 0xFF:
                busy |= 1 << (r >> 8 & 0xFF)
    f.free = ~busy


# The register for the result of an instruction that ends at pc, and whose operands' registers are
# free again: that of the local which is set next, if there is one. The result counts as pushed,
# or as set; f.next is where to go on. keep: the temporary register to take, if it is one.
def result(f, pc, bits=0, keep=-1):
    op = f.code[pc]
    if op == 0x21 or op == 0x22:
        r = _result_in_local(f, pc, op)
        if r >= 0:
            return r
    f.next = pc
    if bits:
        r = temp_for(f, bits) if keep < 0 else take(f, keep)
    else:
        r = _LOWEST[f.free & f.temps & 15]
        if r == 4:
            r = temp(f)
        else:
            f.free ^= 1 << r
    f.stack.append(r << 4 | bits)
    return r


def _result_in_local(f, pc, op):
    i = f.code[pc + 1]
    if i > 127:
        return -1
    d = f.place[i]
    stack = f.stack
    if d & _KIND or stack and (d in stack or i << 4 | d & _TYPE | _LOCAL in stack):
        return -1
    f.next = pc + 2
    f.home[i] = d
    r = d >> 4
    bit = 1 << (r & 0xFF)
    f.valid |= bit
    f.dirty |= bit
    if f.facts:
        f.facts.pop(d, None)
    if op == 0x22:
        stack.append(d)
    return r


# The same after instructions on pairs, with the registers x and y of the operands: the pair of the
# result is that of an operand, or shares no register with either.
def result_of(f, pc, bits, x, y=-1):
    keep = -1
    release(f, x)
    if not f.asm.WIDE and bits & _WIDE:
        if x > 0xFF and is_temp(f, x):
            keep = x
        elif y > 0xFF and is_temp(f, y):
            keep = y
    if y >= 0:
        release(f, y)
    return result(f, pc, bits, keep)


# ---- operands


# The register that holds an operand, loading it into one if need be.
def use(f, d):
    kind = d & _KIND
    value = d >> 4
    if kind == _REG:
        return value
    wide = d & _WIDE
    if kind == _LOCAL:
        if not f.place[value] & _KIND:
            return load_local(f, value)
        value = f.cells[value]
    r = temp_for(f, d)
    if wide:
        if kind == _CONST:
            f.asm.const_wide(r, value)
        else:
            f.asm.load_wide(r, value)
    elif kind == _CONST:
        f.asm.const(r, value)
    else:
        f.asm.load_cell(r, value)
    return r


# The cell of an operand that can be read from memory, or -1.
def memory_cell(f, d):
    kind = d & _KIND
    if kind == _CELL:
        return d >> 4
    if kind == _LOCAL and f.place[d >> 4] & _KIND:
        return f.cells[d >> 4]
    return -1


# Where operand n, or the next one, has its cell.
def cell_of(f, n):
    if not f.wide:
        return f.base + n
    cell = f.base
    for k in range(n):
        cell += 2 if f.stack[k] & _WIDE else 1
    return cell


def top_cell(f):
    return cell_of(f, len(f.stack))


# Whether an operand can be loaded without another one giving up its register. Those that are
# compared are on the stack no more, and give up none.
def has_room(f, d):
    free = f.free & f.temps
    return free & free - 1 if d & _WIDE and not f.asm.WIDE else free


# Puts operand n into its cell.
def flush(f, n):
    d = f.stack[n]
    kind = d & _KIND
    if kind == _CELL:
        return
    cell = cell_of(f, n)
    if kind == _CONST:
        store_const(f, d, cell)
    elif kind == _LOCAL and not has_room(f, d) and memory_cell(f, d) >= 0:
        f.asm.copy_cells(cell, f.cells[d >> 4], 2 if d & _WIDE else 1)
    else:
        r = use(f, d)
        if d & _WIDE:
            f.asm.store_wide(r, cell)
        else:
            f.asm.store_cell(r, cell)
        release(f, r)
    f.stack[n] = cell << 4 | d & _TYPE | _CELL


def store_const(f, d, cell):
    if d & _WIDE:
        f.asm.store_const_wide(d >> 4, cell)
    elif f.asm.STORES_CONSTANTS or not f.free & f.temps:
        f.asm.store_const(d >> 4, cell)
    else:
        r = temp(f)
        f.asm.const(r, d >> 4)
        f.asm.store_cell(r, cell)
        f.free |= 1 << r


# The last n operands go to their cells.
def flush_last(f, count):
    size = len(f.stack)
    for n in range(size - count, size):
        flush(f, n)


# Frees all registers: everything but constants (and, if they cannot change meanwhile, locals)
# goes to its cell.
def flush_all(f, keep_locals=False):
    stack = f.stack
    for n in range(len(stack)):
        kind = stack[n] & _KIND
        if kind == _LOCAL:
            if not keep_locals:
                flush(f, n)
        elif kind == _REG:
            if not keep_locals or is_temp(f, stack[n] >> 4):
                flush(f, n)


def push_cells(f, kinds):
    for kind in kinds:
        f.stack.append(top_cell(f) << 4 | type_bits(kind) | _CELL)


# Where a single result is when a function returns, whatever its class.
def result_register(f, bits):
    return pair(0, 1) if bits & _WIDE and not f.asm.WIDE else 0


# And when paths meet.
def meeting_register(f, bits):
    return 16 if is_float(f, bits) else result_register(f, bits)


# ---- locals


def load_local(f, i):
    d = f.place[i]
    r = d >> 4
    bit = 1 << (r & 0xFF)
    if not f.valid & bit:
        if d & _WIDE:
            f.asm.load_wide(r, f.cells[i])
        else:
            f.asm.load_cell(r, f.cells[i])
        f.home[i] = d
        f.valid |= bit
        f.dirty &= ~bit
    return r


# Operands that stand for the old value of local i, which is about to change, get it now.
def detach(f, i):
    stack = f.stack
    d = f.place[i]
    other = i << 4 | d & _TYPE | _LOCAL
    for n in range(len(stack)):
        if stack[n] == d or stack[n] == other:
            if d & _KIND:
                r = use(f, d)
            else:
                load_local(f, i)
                r = temp_for(f, d)
                if d & _WIDE:
                    f.asm.move_wide(r, d >> 4)
                else:
                    f.asm.move(r, d >> 4)
            stack[n] = r << 4 | d & _TYPE


def set_local(f, i, e):
    d = f.place[i]
    if e == d or e == i << 4 | d & _TYPE | _LOCAL:
        return
    if f.facts:
        f.facts.pop(d, None)
    if f.stack:
        detach(f, i)
    if d & _KIND:
        if e & _KIND == _CONST:
            store_const(f, e, f.cells[i])
            return
        r = use(f, e)
        (f.asm.store_wide if e & _WIDE else f.asm.store_cell)(r, f.cells[i])
        release(f, r)
        return
    _set_register(f, d, e)
    f.home[i] = d
    d = 1 << (d >> 4 & 0xFF)
    f.valid |= d
    f.dirty |= d


def _set_register(f, d, e):
    asm = f.asm
    r = d >> 4
    wide = d & _WIDE
    kind = e & _KIND
    if kind == _REG:
        e >>= 4
        (asm.move_wide if wide else asm.move)(r, e)
        release(f, e)
    elif kind == _CONST:
        (asm.const_wide if wide else asm.const)(r, e >> 4)
    elif memory_cell(f, e) >= 0:
        (asm.load_wide if wide else asm.load_cell)(r, memory_cell(f, e))
    else:
        (asm.move_wide if wide else asm.move)(r, use(f, e))


def store_locals(f, bits):
    for i in f.owners:
        d = f.place[i]
        r = d >> 4
        if bits >> (r & 0xFF) & 1:
            if d & _WIDE:
                f.asm.store_wide(r, f.cells[i])
            else:
                f.asm.store_cell(r, f.cells[i])


# Before anything that may look at the cells or lose the registers.
def save_locals(f, bits=-1):
    bits &= f.valid & f.dirty
    if bits:
        store_locals(f, bits)
        f.dirty &= ~bits


# From here on these locals are in their registers, and no others.
def set_valid(f, valid):
    changed = f.valid ^ valid
    f.valid = valid
    if changed:
        for i in f.owners:
            d = f.place[i]
            r = d >> 4 & 0xFF
            if changed >> r & 1:
                f.home[i] = d if valid >> r & 1 else i << 4 | d & _TYPE | _LOCAL


# Brings the locals into the state `wanted`: those must be in registers.
def agree(f, wanted):
    missing = wanted & ~f.valid
    if missing:
        for i in f.owners:
            if missing >> (f.place[i] >> 4 & 0xFF) & 1:
                load_local(f, i)
    bits = f.valid & f.dirty & ~wanted
    if bits:
        store_locals(f, bits)
        f.dirty &= ~bits


# Where paths meet: what is in registers there, which of that may differ from its cell, and what is
# known, see bounds.py.
def meet(f, wanted, dirty, facts):
    set_valid(f, wanted)
    f.dirty = wanted & dirty
    f.facts = facts
    f.latest = (-1,)
