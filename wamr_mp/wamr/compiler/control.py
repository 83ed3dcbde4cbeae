"""Structured control: blocks, branches, and how the values agree where paths meet."""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.scan import leb, next_leb, skip_block
from wamr.compiler.values import (
    agree,
    cell_of,
    flush_all,
    flush_last,
    free_others,
    meet,
    meeting_register,
    memory_cell,
    push_cells,
    release,
    result_register,
    save_locals,
    set_valid,
    top_cell,
    type_bits,
    use,
)

_KIND = const(3)
_CONST = const(3)
_WIDE = const(4)
_TYPE = const(12)

_ZERO = const(3)  # the constant 0 as an operand

# Fields of a control frame.
_OP = const(0)
_LABEL = const(1)  # of a block its end: the branches to it; of a loop: its position
_ELSE = const(2)  # of `if` while it has no else: the branch there
_HEIGHT = const(3)  # operands below the block, parameters not counted
_PARAMS = const(4)
_RESULTS = const(5)
_WANTED = const(6)  # locals in registers where the label is; None: nothing goes there yet
_STATE = const(7)  # of `if`, for its else: see _snapshot
_DIRTY = const(8)  # locals that may differ from their cells at the label; of a loop: are set in it
_FACTS = const(9)  # of a block: what is known at the label, see bounds.py; None as above

_NE = const(1)
# Conditions of floats: equal, less, greater, less or equal, greater or equal; each number + 1 says
# that it is not so.
_FLOATS = const(16)


def trap(f, number, pc):
    """A label, where the instruction before pc ends with this trap."""
    label = []
    f.traps.append((label, number, pc))
    return label


# ---- state


def _snapshot(f):
    return f.valid, f.dirty, dict(f.facts), list(f.stack)


def _restore(f, state):
    set_valid(f, state[0])
    f.dirty = state[1]
    f.facts = state[2]
    f.latest = (-1,)
    f.stack[:] = state[3]
    free_others(f)


# Nothing more can be reached up to the end of the block, or its else.
def dead(f, pc):
    f.live = False
    return skip_block(f.code, pc)


# Makes the operands and locals what they have to be where `frame`'s label is. One result goes to
# register 0, several and those of a loop to their cells.
def _settle(f, frame):
    loop = frame[_OP] == 0x03
    n = len(frame[_PARAMS] if loop else frame[_RESULTS])
    if n:
        if n == 1 and not loop:
            _to_result(f, meeting_register(f, f.stack[-1]))
        else:
            flush_last(f, n)
            source = cell_of(f, len(f.stack) - n)
            target = cell_of(f, frame[_HEIGHT])
            if target != source:
                f.asm.copy_cells(target, source, top_cell(f) - source)
    if frame[_WANTED] is None:
        frame[_WANTED] = f.valid
    else:
        agree(f, frame[_WANTED])
    if not loop:
        _join(frame, f.dirty, f.facts)


# The label of a block is reached from here: what is known there is what is known wherever it is.
def _join(frame, dirty, facts):
    frame[_DIRTY] |= dirty
    known = frame[_FACTS]
    if known is None:
        frame[_FACTS] = dict(facts)
    else:
        for d in list(known) if known else ():
            if facts.get(d) != known[d]:
                del known[d]


# Puts the one result where the label, or the caller, wants it. What else is in registers is not
# needed any more.
def _to_result(f, r):
    asm = f.asm
    e = f.stack[-1]
    wide = e & _WIDE
    kind = e & _KIND
    if kind == _CONST:
        (asm.const_wide if wide else asm.const)(r, e >> 4)
    elif e != r << 4 | e & _TYPE:
        cell = memory_cell(f, e)
        if cell >= 0:
            (asm.load_wide if wide else asm.load_cell)(r, cell)
        else:
            (asm.move_wide if wide else asm.move)(r, use(f, e))
    f.stack[-1] = r << 4 | e & _TYPE


def _branch(f, frame):
    if frame is f.frames[0]:
        leave(f)
        return
    _settle(f, frame)
    if frame[_OP] == 0x03:
        f.asm.jump_back(frame[_LABEL])
    else:
        f.asm.jump(frame[_LABEL])


# Returns from the function, with the results on the stack.
def leave(f):
    n = len(f.frames[0][_RESULTS])
    if n == 1:
        _to_result(f, result_register(f, f.stack[-1]))
    if n > 1:
        flush_last(f, n)
        source = cell_of(f, len(f.stack) - n)
        f.asm.leave_with(f.return_cell, source, top_cell(f) - source)
    else:
        f.asm.leave_function(f.return_cell)


# ---- comparisons


# Compares; returns the condition, which changes when the operands are better swapped. Nothing may
# stand between this and what uses the flags but moves.
def compare(f, condition, a, b):
    if condition >= _FLOATS:
        return _compare_floats(f, condition, a, b)
    if a & _KIND == _CONST and b & _KIND != _CONST:
        a, b = b, a
        if condition > 3:
            condition ^= 2
    if a & _WIDE:
        return _compare_wide(f, condition, a, b)
    a = use(f, a) if a & _KIND else a >> 4
    if b & _KIND == _CONST:
        f.free |= 1 << a
        b >>= 4
        return f.asm.compare_const(condition, a, b)
    if b & _KIND:
        if f.asm.TAKES_CELLS and memory_cell(f, b) >= 0:
            f.free |= 1 << a
            b = memory_cell(f, b)
            return f.asm.compare_cell(condition, a, b)
        b = use(f, b)
    else:
        b >>= 4
    f.free |= 1 << a | 1 << b
    return f.asm.compare(condition, a, b)


def _compare_floats(f, condition, a, b):
    y = use(f, b)
    x = use(f, a)
    release(f, x)
    release(f, y)
    return f.asm.float_compare(condition & ~1, x, y, a & _WIDE) ^ condition & 1


# Pairs are compared with pairs, or with zero for equality.
def _compare_wide(f, condition, a, b):
    if b & _KIND == _CONST and (f.asm.WIDE or b >> 4 == 0 and condition < 2):
        x = use(f, a)
        release(f, x)
        return f.asm.compare_const_wide(condition, x, b >> 4)
    if f.asm.TAKES_CELLS:
        cell = memory_cell(f, b)
        if cell >= 0:
            x = use(f, a)
            release(f, x)
            return f.asm.compare_cell(condition, x, cell, True)
    y = use(f, b)
    x = use(f, a)
    release(f, x)
    release(f, y)
    return f.asm.compare_wide(condition, x, y)


# ---- blocks


# Parameters and results of the block whose type is at pc, and where that ends.
def _block_type(f, pc):
    byte = f.code[pc]
    if byte & 0xC0 == 0x40:
        return b"", b"" if byte == 0x40 else bytes((byte,)), pc + 1
    params, results = f.module.types[leb(f.code, pc)]
    return params, results, next_leb(f.code, pc)


def open_block(f, op, label, params, results):
    frame = [op, label, None, len(f.stack) - len(params), params, results, None, None, 0, None]
    f.frames.append(frame)
    return frame


def block(f, op, pc):
    params, results, pc = _block_type(f, pc)
    if f.stack:
        flush_last(f, len(params))
        flush_all(f)
    open_block(f, op, [], params, results)
    return pc


# A loop starts with all locals in registers; the way back passes by the fuel. If it calls
# something, those that it does not use are in their cells only, those that it does not set are in
# both, and those that it sets before it uses them need no cell.
def loop(f, op, pc):
    start = pc
    params, results, pc = _block_type(f, pc)
    if f.stack:
        flush_last(f, len(params))
        flush_all(f)
    asm = f.asm
    wanted = f.all
    written = f.written
    fresh = 0
    loops = f.loops
    if loops:
        for frame in f.frames:
            if frame[_OP] == 0x03:
                wanted = frame[_WANTED]
                written = frame[_DIRTY]
        if start in loops.idle:
            idle, constant, fresh = loops.registers(f, start)
            save_locals(f, constant)
            wanted &= ~idle
            written &= ~constant
    agree(f, wanted)
    facts = f.facts
    for d in list(facts) if facts else ():
        if d & _KIND or written >> (d >> 4) & 1:
            del facts[d]
    meet(f, wanted, written & ~fresh, facts)
    asm.skip_fuel()
    frame = open_block(f, op, asm.here(), params, results)
    frame[_WANTED] = wanted
    frame[_DIRTY] = written
    burn_fuel(f, pc)
    return pc


# Pays for what comes. At both places where this is done, registers hold locals and nothing else.
def burn_fuel(f, pc):
    out = []
    f.asm.burn_fuel(out)
    f.fuel.append((out, f.asm.here(), top_cell(f), pc))


# The block at pc is for when a compares so with b.
def branch_else(f, condition, a, b, pc):
    params, results, pc = _block_type(f, pc)
    if f.stack:
        flush_last(f, len(params))
        flush_all(f)
    frame = open_block(f, 0x04, [], params, results)
    frame[_ELSE] = []
    condition = compare(f, condition, a, b)
    frame[_STATE] = _snapshot(f)
    f.asm.branch(condition ^ 1, frame[_ELSE])
    return pc


def else_(f, op, pc):
    frame = f.frames[-1]
    if f.live:
        _settle(f, frame)
        f.asm.jump(frame[_LABEL])
    f.asm.bind(frame[_ELSE])
    frame[_ELSE] = None
    # As at the branch of `if`, with the parameters in their cells.
    _restore(f, frame[_STATE])
    f.live = True
    return pc


def end(f, op, pc):
    frames = f.frames
    frame = frames[-1]
    if len(frames) == 1:
        if f.live:
            leave(f)
    elif frame[_OP] != 0x03:
        if frame[_ELSE] is not None:
            _end_without_else(f, frame)
        elif f.live and frame[_WANTED] is not None:
            _settle(f, frame)
        if frame[_WANTED] is not None:
            _meet_at(f, frame)
        # (Else nobody branches here: as it was, or dead.)
    frames.pop()
    if not f.live and frames:
        return skip_block(f.code, pc)
    return pc


def _meet_at(f, frame):
    f.asm.bind(frame[_LABEL])
    f.live = True
    del f.stack[frame[_HEIGHT] :]
    meet(f, frame[_WANTED], frame[_DIRTY], frame[_FACTS])
    kinds = frame[_RESULTS]
    if len(kinds) == 1:
        bits = type_bits(kinds[0])
        f.stack.append(meeting_register(f, bits) << 4 | bits)
    else:
        push_cells(f, kinds)
    free_others(f)


# A false condition comes to the end with the parameters as results.
def _end_without_else(f, frame):
    asm = f.asm
    if f.live:
        _settle(f, frame)
    if frame[_RESULTS]:
        if f.live:
            asm.jump(frame[_LABEL])
        asm.bind(frame[_ELSE])
        _restore(f, frame[_STATE])
        _settle(f, frame)
        return
    valid, dirty, facts = frame[_STATE][0:3]
    _join(frame, dirty, facts)
    wanted = frame[_WANTED]
    if wanted is None:
        wanted = frame[_WANTED] = valid
    if not (wanted & ~valid or valid & dirty & ~wanted):
        asm.bind(frame[_ELSE])
        return
    if f.live:
        asm.jump(frame[_LABEL])
    asm.bind(frame[_ELSE])
    set_valid(f, valid)
    f.dirty = dirty
    agree(f, wanted)


# ---- branches


def unreachable(f, op, pc):
    f.asm.jump(trap(f, context.UNREACHABLE, pc))
    return dead(f, pc)


def br(f, op, pc):
    _branch(f, f.frames[-1 - leb(f.code, pc)])
    return dead(f, next_leb(f.code, pc))


def return_(f, op, pc):
    leave(f)
    return dead(f, pc)


# Branches if a compares so with b; the depth of the branch is at pc.
def branch_if(f, condition, a, b, pc):
    frame = f.code[pc]
    pc += 1
    if frame > 127:
        frame = leb(f.code, pc - 1)
        pc = next_leb(f.code, pc)
    frame = f.frames[-1 - frame]
    if frame is f.frames[0] or frame[_PARAMS if frame[_OP] == 0x03 else _RESULTS]:
        _branch_with(f, condition, a, b, frame)
        return pc
    # Nothing but locals to agree on, which can be done before the comparison.
    if frame[_WANTED] is None:
        frame[_WANTED] = f.valid
    elif f.valid != frame[_WANTED]:
        agree(f, frame[_WANTED])
    condition = compare(f, condition, a, b)
    if frame[_OP] == 0x03:
        f.asm.branch_back(condition, frame[_LABEL])
    else:
        _join(frame, f.dirty, f.facts)
        f.asm.branch(condition, frame[_LABEL])
    return pc


# With operands that go along.
def _branch_with(f, condition, a, b, frame):
    over = []
    flush_all(f, True)
    f.asm.branch(compare(f, condition, a, b) ^ 1, over)
    state = _snapshot(f)
    _branch(f, frame)
    f.asm.bind(over)
    _restore(f, state)


def br_table(f, op, pc):
    asm = f.asm
    code = f.code
    n = leb(code, pc)
    pc = next_leb(code, pc)
    e = f.stack.pop()
    flush_all(f, True)
    r = use(f, e)
    release(f, r)
    state = _snapshot(f)
    table = asm.jump_table(r, n)
    # An edge of its own for each label, because what it needs may differ.
    edges = {}
    for i in range(n + 1):
        depth = leb(code, pc)
        pc = next_leb(code, pc)
        if depth not in edges:
            edges[depth] = asm.here()
            _restore(f, state)
            asm.case(table, i, n, edges[depth])
            _branch(f, f.frames[-1 - depth])
        else:
            asm.case(table, i, n, edges[depth])
    return dead(f, pc)
