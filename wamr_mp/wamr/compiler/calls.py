"""Calls, direct and through tables; tail calls; and what is left to the driver."""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.control import dead, leave, trap
from wamr.compiler.scan import leb, next_leb
from wamr.compiler.values import (
    cell_of,
    flush,
    flush_last,
    free_others,
    high,
    is_float,
    is_temp,
    is_wide,
    memory_cell,
    pair,
    push_cells,
    release,
    result_register,
    save_locals,
    set_valid,
    temp_for,
    top_cell,
    type_bits,
    use,
)

_KIND = const(3)
_KIND_AND_REGISTER = const(0xFF3)
_LOCAL = const(1)
_CONST = const(3)
_TYPE = const(12)
_WIDE = const(4)


# Everything into cells, as the callee or the driver wants it.
def _prepare(f, n_args):
    stack = f.stack
    if stack:
        flush_last(f, n_args)
        for n in range(len(stack) - n_args):
            d = stack[n]
            if not d & _KIND:
                if is_temp(f, d >> 4):
                    flush(f, n)
                else:  # a local, which loses its register
                    stack[n] = f.place.index(d) << 4 | d & _TYPE | _LOCAL
    save_locals(f)


def _finish(f, n_args, results, in_register):
    stack = f.stack
    if n_args:
        del stack[len(stack) - n_args :]
    if f.valid:
        set_valid(f, 0)
    if in_register and len(results) == 1:
        _push_result(f, type_bits(results[0]))
        return
    if results:
        push_cells(f, results)
    free_others(f)


# A result that came in its register.
def _push_result(f, bits):
    stack = f.stack
    stack.append(result_register(f, bits) << 4 | bits)
    free_others(f)
    if is_float(f, bits):
        r = temp_for(f, bits)
        (f.asm.move_wide if bits & _WIDE else f.asm.move)(r, 0)
        release(f, 0)
        stack[-1] = r << 4 | bits


# The call at hand leads to a frame `cells` from this one: for backtraces.
def _note(f, pc, cells):
    if f.asm.sites is not None:
        f.asm.about = pc, cells, None, None


# An instruction the driver does, with its operands in their cells. It stands at `start`.
def operation(f, start, pc, n_args, results):
    _prepare(f, n_args)
    _note(f, pc, 0)
    f.asm.leave(f.program.stubs[context.OPERATION], start, top_cell(f))
    _finish(f, n_args, results, False)
    return pc


# An instruction done by a routine, whose operands are in the first registers. It leaves the
# registers of locals alone.
def by_routine(f, op, pc, n_args, bits):
    asm = f.asm
    stack = f.stack
    first = len(stack) - n_args
    for n in range(first):
        d = stack[n]
        if not d & _KIND and is_temp(f, d >> 4):
            flush(f, n)
    args = stack[first:]
    del stack[first:]
    # Products take either operand first: best what is in register 0, from a routine. (Sums want
    # the larger one, and that to which others are added mostly is first.)
    if (op == 0x94 or op == 0xA2) and not args[1] & _KIND_AND_REGISTER:
        args.reverse()
    _to_arguments(f, args)
    if asm.sites is not None:
        asm.about = pc, 0, None, None
    f.program.routine(op)
    _push_result(f, bits)
    return pc


# Puts operands into the registers from 0 on: first what is in other registers, each when nothing
# waits in its new one any more; one that goes around in a circle by way of T.
def _to_arguments(f, args):
    asm = f.asm
    targets = []
    sources = []
    r = 0
    for d in args:
        if not d & _KIND or d & _KIND == _LOCAL and not f.place[d >> 4] & _KIND:
            s = use(f, d)
            targets.append(r)
            sources.append(s & 0xFF)
            if d & _WIDE:
                targets.append(r + 1)
                sources.append(high(s))
        r += 2 if d & _WIDE else 1
    while targets:
        n = len(targets) - 1
        while n >= 0 and targets[n] in sources and targets[n] != sources[n]:
            n -= 1
        if n < 0:
            n = sources.index(targets[0])
            asm.move(asm.T, sources[n])
            sources[n] = asm.T
        else:
            asm.move(targets.pop(n), sources.pop(n))
    r = 0
    for d in args:
        cell = memory_cell(f, d)
        if d & _WIDE:
            if cell >= 0:
                asm.load_wide(pair(r, r + 1), cell)
            elif d & _KIND == _CONST:
                asm.const_wide(pair(r, r + 1), d >> 4)
            r += 2
        else:
            if cell >= 0:
                asm.load_cell(r, cell)
            elif d & _KIND == _CONST:
                asm.const(r, d >> 4)
            r += 1


def call(f, op, pc):
    index = leb(f.code, pc)
    pc = next_leb(f.code, pc)
    params, results = f.module.funcs[index]
    n = len(params)
    _prepare(f, n)
    start = cell_of(f, len(f.stack) - n)
    _note(f, pc, start)
    own = index >= f.module.n_imported_funcs
    if own:
        f.program.call(index, start)
    else:
        f.asm.leave(f.program.stubs[context.CALL], index, top_cell(f))
    _finish(f, n, results, own)
    return pc


# Finds the function to call: (its type, and what is wanted if only the driver can call it). The
# type index is at pc.
def _find(f, pc):
    asm = f.asm
    code = f.code
    kind = f.module.types[leb(code, pc)]
    slow = []
    r = use(f, f.stack.pop())
    n = len(kind[0])
    _prepare(f, n)
    behind = next_leb(code, pc)
    table = leb(code, behind)
    _, least, most = f.module.tables[table]
    length = least if least == most else None  # if it cannot grow
    undefined = trap(f, context.UNDEFINED_ELEMENT, next_leb(code, behind))
    asm.find_entry(r, table, length, context.type_number(f.module, kind), undefined, slow)
    release(f, r)
    start = cell_of(f, len(f.stack) - n)
    return slow, r, pc, top_cell(f), start, kind[1], n


def call_indirect(f, op, pc):
    found = _find(f, pc)
    slow, r, at, top, start, results, n = found
    pc = next_leb(f.code, next_leb(f.code, pc))
    _note(f, pc, start)
    f.asm.call_entry(start)
    f.indirect.append((f.asm.here(), found))
    _finish(f, n, results, True)
    return pc


# A call and a return in one: the arguments take the place of this frame. What only the driver can
# call is called as usual, and its results returned.
def return_call(f, op, pc):
    index = leb(f.code, pc)
    if index < f.module.n_imported_funcs:
        pc = call(f, op, pc)
        leave(f)
        return dead(f, pc)
    n = len(f.module.funcs[index][0])
    _prepare(f, n)
    start = cell_of(f, len(f.stack) - n)
    f.asm.replace_frame(f.return_cell, start, top_cell(f) - start)
    f.program.jump(index)
    return dead(f, next_leb(f.code, pc))


def return_call_indirect(f, op, pc):
    found = _find(f, pc)
    slow, r, at, top, start, results, n = found
    f.indirect.append((None, found))
    f.asm.replace_frame(f.return_cell, start, top - start)
    f.asm.jump_entry()
    return dead(f, next_leb(f.code, next_leb(f.code, pc)))


# Cold: call_indirect of something that is no function of this instance, or not of that type; back
# to where a call would be.
def call_by_driver(f, back, found):
    asm = f.asm
    slow, r, pc, top, start, results, n = found
    asm.bind(slow)
    _note(f, pc, 0)
    asm.store_cell(r, top)
    asm.leave(f.program.stubs[context.INDIRECT], pc, top)
    if back is None and len(results) > 1:
        size = 0
        for kind in results:
            size += 2 if is_wide(kind) else 1
        asm.leave_with(f.return_cell, start, size)
        return
    if len(results) == 1:
        bits = type_bits(results[0])
        (asm.load_wide if bits & _WIDE else asm.load_cell)(result_register(f, bits), start)
    if back is None:
        asm.leave_function(f.return_cell)
    else:
        asm.jump_back(back)
