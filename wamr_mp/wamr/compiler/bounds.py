"""What is known of addresses: accesses that must be inside of the memory are not checked again.

f.facts has, for a local (as an operand): (low, high, most). The bytes from the local's value + low
to before that + high are all inside, and the value is at most `most`, -1 if nobody knows. That
holds until the local is set, however the memory grows: it never shrinks.

Of what was computed last, if that is in a register for operands, f.latest has the position behind
it and that register as one number, the local to which a constant was added (or None), the
constant, and at most what it is. As long as neither code nor a label follows, that is so; (-1,):
nothing is known.
"""

from wamr.host import const
from wamr.compiler.values import result


# Operations, see numeric.py.
_ADD = const(0)
_AND = const(7)
_SHL = const(10)
_SHR_U = const(12)

# Of two checks the bytes between are inside too, if these are fewer than addresses are beyond the
# largest memory of a 32-bit machine.
_APART = const(0x1000000)


# The value in register r is at most `most`; it is local + more.
def learn(f, r, local, more, most):
    asm = f.asm
    if most >= asm.guaranteed:
        most = -1
    if f.temps >> r & 1:
        f.latest = len(asm.code) << 4 | r, local, more, most
    elif most >= 0:
        f.facts[r << 4] = 0, asm.guaranteed - most, most


# Whether `extent` bytes from the address in register r are inside; from here on they are, or it
# traps. local: as an operand, if it is one's; None: it is what was computed last.
def is_inside(f, r, local, extent):
    more = 0
    if local is None:
        _, local, more, most = f.latest
        if 0 <= most <= f.asm.guaranteed - extent:
            return True
        if local is None:
            return False
    low, high, most = f.facts.get(local) or (0, 0, -1)
    extent += more
    if low <= more and extent <= high:
        return True
    if low < high and (not f.asm.WIDE or more < high and low < extent):
        # So is what is between, as it does not wrap: the memory would be all there is.
        if more < low:
            low = more
        if extent > high:
            high = extent
        if high - low < _APART:
            f.facts[local] = low, high, most
            return False
    f.facts[local] = more, extent, most
    return False


# An operation with a constant on register r, which may make an address.
def compute(f, op, pc, r, value):
    local = None
    most = -1
    if f.temps >> r & 1:
        latest = f.latest
        if latest[0] == len(f.asm.code) << 4 | r:
            most = latest[3]
    else:
        local = r << 4
        if local in f.facts:
            most = f.facts[local][2]
    if op == _ADD:
        if most >= 0:
            most = most + value if value >= 0 else -1
    else:
        local = None
        if op == _AND:
            if value >= 0:
                most = value
        elif op == _SHR_U:
            most = 0xFFFFFFFF >> (value & 31)
        elif most >= 0:
            most = most << (value & 31) if op == _SHL else most * value if value >= 0 else -1
    s = result(f, pc)
    f.asm.alu_const(op, s, r, value)
    if most >= 0 or local is not None:
        learn(f, s, local, value, most)
    return f.next
