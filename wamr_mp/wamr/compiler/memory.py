"""Variables, constants, and linear memory."""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.bounds import is_inside, learn
from wamr.compiler.calls import operation
from wamr.compiler.control import compare
from wamr.compiler.scan import leb, next_leb, signed_leb
from wamr.compiler.values import (
    flush,
    has_room,
    is_temp,
    release,
    result,
    set_local,
    take,
    temp,
    temp_for,
    type_bits,
    use,
)

_KIND = const(3)
_LOCAL = const(1)
_CONST = const(3)
_WIDE = const(4)
_TYPE = const(12)

_ZERO = const(3)  # the constant 0 as an operand
_NE = const(1)

# ---- locals, globals, constants


# (One with a small index is pushed by the loop that reads the instructions.)
def local_get(f, op, pc):
    f.stack.append(f.home[leb(f.code, pc)])
    return next_leb(f.code, pc)


# local.set and local.tee
def local_set(f, op, pc):
    i = f.code[pc]
    pc += 1
    if i > 127:
        i = leb(f.code, pc - 1)
        pc = next_leb(f.code, pc)
    e = f.stack.pop()
    set_local(f, i, e)
    if op == 0x22:
        d = f.home[i]
        if d & _KIND and not e & _KIND:
            # In memory, but still in its register too.
            if is_temp(f, e >> 4):
                take(f, e >> 4)
            d = e
        f.stack.append(d)
    return pc


def drop(f, op, pc):
    d = f.stack.pop()
    if not d & _KIND:
        release(f, d >> 4)
    return pc


def select(f, op, pc):
    if op == 0x1C:
        pc = next_leb(f.code, pc) + 1
    asm = f.asm
    if asm.FLAGS:
        return select_if(f, _NE, f.stack.pop(), _ZERO, pc)
    c = f.stack.pop()
    b = f.stack.pop()
    a = f.stack.pop()
    first = use(f, a)
    d = _copy(f, b)
    condition = use(f, c)
    kind = asm.compare_const(_NE, condition, 0)
    (asm.select_wide if a & _WIDE else asm.select)(kind, d, first)
    release(f, first)
    release(f, condition)
    f.stack.append(d << 4 | a & _TYPE)
    return pc


# An operand in a register of its own.
def _copy(f, e):
    r = use(f, e)
    if is_temp(f, r):
        return r
    d = temp_for(f, e)
    (f.asm.move_wide if e & _WIDE else f.asm.move)(d, r)
    return d


# The same with a comparison, whose operands are a and b, on a target that has flags. What comes
# between it and the choice leaves them alone: constants, which do not, are loaded before.
def select_if(f, condition, a, b, pc):
    stack = f.stack
    for n in range(len(stack) - 2, len(stack)):
        d = stack[n]
        if d & _KIND == _CONST:
            if has_room(f, d):
                stack[n] = use(f, d) << 4 | d & _TYPE
            else:
                flush(f, n)
    condition = compare(f, condition, a, b)
    d = _copy(f, stack.pop())
    e = stack.pop()
    first = use(f, e)
    (f.asm.select_wide if e & _WIDE else f.asm.select)(condition, d, first)
    release(f, first)
    take(f, d)
    stack.append(d << 4 | e & _TYPE)
    return pc


def global_(f, op, pc):
    start = pc - 1
    index = leb(f.code, pc)
    pc = next_leb(f.code, pc)
    kind = f.module.globals[index][0]
    if kind < 0x7C:  # references are the driver's
        return operation(f, start, pc, op - 0x23, bytes((kind,)) if op == 0x23 else b"")
    asm = f.asm
    bits = type_bits(kind)
    at = context.globals_at(f.module) + 8 * index
    far = index < f.module.n_imported_globals
    if op == 0x23:
        r = result(f, pc, bits)
        (asm.load_far if far else asm.load_ctx)(r, at, bits & _WIDE)
        return f.next
    r = use(f, f.stack.pop())
    (asm.store_far if far else asm.store_ctx)(r, at, bits & _WIDE)
    release(f, r)
    return pc


def table(f, op, pc):
    start = pc - 1
    kind = f.module.tables[leb(f.code, pc)][0]
    pc = next_leb(f.code, pc)
    if op == 0x25:
        return operation(f, start, pc, 1, bytes((kind,)))
    return operation(f, start, pc, 2, b"")


def constant(f, op, pc):
    code = f.code
    if op <= 0x42:
        value = signed_leb(code, pc)
        while code[pc] > 127:
            pc += 1
        pc += 1
    else:
        n = 4 if op == 0x43 else 8
        value = int.from_bytes(bytes(code[pc : pc + n]), "little")
        if value >> (8 * n - 1):
            value -= 1 << 8 * n
        pc += n
    f.stack.append(value << 4 | (op - 0x41) << 2 | _CONST)
    return pc


# ---- linear memory

# Of the loads and stores from 0x28 on: bytes that they access, and the type of the value.
_SIZES = b"\4\x08\4\x08\1\1\2\2\1\1\2\2\4\4\4\x08\4\x08\1\2\1\2\4"
_TYPES = b"\0\4\x08\x0c\0\0\0\0\4\4\4\4\4\4\0\4\x08\x0c\0\0\4\4\4"


# The register of a checked address, and in f.offset what to add to it; None: only the offset.
def _address(f, op, pc):
    while f.code[pc] > 127:  # the alignment
        pc += 1
    pc += 1
    offset = f.code[pc]
    pc += 1
    if offset > 127:
        offset = leb(f.code, pc - 1)
        pc = next_leb(f.code, pc)
    f.next = pc
    f.offset = offset
    offset += _SIZES[op - 0x28]  # from here on: how far the access goes
    d = f.stack.pop()
    if d & _KIND == _CONST:
        d = d >> 4 & 0xFFFFFFFF
        f.offset += d
        _check(f, None, offset + d)
        return None
    r = use(f, d) if d & _KIND else d >> 4
    if not f.temps >> r & 1:
        d = r << 4  # a local in its register
    elif d & _KIND != _LOCAL:
        if f.latest[0] != len(f.asm.code) << 4 | r:
            _check(f, r, offset)
            return r
        d = None
    if not is_inside(f, r, d, offset):
        _check(f, r, offset)
    return r


def _check(f, r, extent):
    asm = f.asm
    at = asm.base + asm.here() * asm.UNIT if asm.sites is not None else -1
    asm.check(r, extent, f.outside, f.exact)
    if at < 0:
        return
    # For a backtrace.
    about = f.next, 0, None, at
    while len(f.about_outside) < len(f.outside):
        f.about_outside.append(about)
    while len(f.about_exact) < len(f.exact):
        f.about_exact.append(about)


def load(f, op, pc):
    r = _address(f, op, pc)
    if r is not None:
        f.free |= 1 << r
    d = result(f, f.next, _TYPES[op - 0x28])
    if d >> 4 == 1 and not f.asm.LOADS_FLOATS:
        # By way of another register.
        s = temp(f)
        f.asm.load(op, s, r, f.offset)
        f.asm.move(d, s)
        f.free |= 1 << s
    else:
        f.asm.load(op, d, r, f.offset)
        if op in b"\x2d\x2f":
            learn(f, d, None, 0, 0xFF if op == 0x2D else 0xFFFF)
    return f.next


def store(f, op, pc):
    s = f.stack.pop()
    s = use(f, s) if s & _KIND else s >> 4
    if s >> 4 == 1 and not f.asm.LOADS_FLOATS:
        r = s
        s = temp(f)
        f.asm.move(s, r)
        release(f, r)
    r = _address(f, op, pc)
    f.asm.store(op, s, r, f.offset)
    if r is not None:
        f.free |= 1 << r
    release(f, s)
    return f.next
