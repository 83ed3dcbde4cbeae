"""A walk over validated code: where instructions end, and how much each local is used."""

from wamr.host import const
from wamr.wasm.module import leb, next_leb


def signed_leb(code, pc):
    byte = code[pc]
    value = byte & 0x7F
    bits = 7
    while byte > 127:
        pc += 1
        byte = code[pc]
        value |= (byte & 0x7F) << bits
        bits += 7
    return value - (1 << bits) if byte & 0x40 else value


# What a look at the opcode tells. The lowest bits: what stands behind it.
_NOTHING = const(0)
_LEB = const(1)
_TWO_LEBS = const(2)
_OTHER = const(3)  # by the opcode
_BLOCK = const(4)  # one that opens a block: a LEB
_END = const(5)
_SET = const(6)  # local.set and local.tee: a LEB
_BEHIND = const(7)
# The other bits: what it means for the function.
_IS_WIDE = const(0x08)  # it has i64 or f64 values
_MEMORY = const(0x10)  # it loads or stores
_CALLS = const(0x20)
_GETS = const(0x40)  # it has values of types that the module says
_STORED = const(0x80)  # it has i64 values that are stored at once, which need no cells

_ABOUT = (
    b"\x00\x00\x04\x04\x04\x00\x00\x00\x00\x00\x00\x05\x01\x01\x03\x00"  # 00 control
    b"\x61\x62\x61\x62\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00"  # 10 calls, select
    b"\x01\x06\x06\x41\x01\x01\x01\x00\x12\x1a\x12\x1a\x12\x12\x12\x12"  # 20 variables, 28 loads
    b"\x1a\x1a\x1a\x1a\x1a\x1a\x12\x1a\x12\x1a\x12\x12\x1a\x1a\x1a\x01"  # 30 36 stores
    b"\x01\x01\x09\x03\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # 40 41 constants
    b"\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x00\x00\x00\x00\x00"  # 50 comparisons
    b"\x00\x08\x08\x08\x08\x08\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # 60
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x08\x08\x08\x08\x08\x08"  # 70 79 i64
    b"\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x08\x00\x00\x00\x00\x00"  # 80
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x08\x08\x08\x08\x08\x08"  # 90 99 f64
    b"\x08\x08\x08\x08\x08\x08\x08\x08\x00\x00\x08\x08\x08\x08\x08\x08"  # A0 A7 conversions
    b"\x08\x08\x00\x00\x08\x08\x08\x08\x08\x08\x08\x08\x00\x08\x00\x08"  # B0
    b"\x00\x00\x08\x08\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # C0
    b"\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # D0 references
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # E0
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0b\x00\x00\x00"  # F0
)


# The position behind the immediates of the instruction `op`, which start at pc.
def skip(code, pc, op):
    behind = _ABOUT[op] & _BEHIND
    if behind == _OTHER:
        if op == 0x0E:
            n = leb(code, pc) + 2
        elif op == 0x1C:
            return next_leb(code, pc) + 1
        elif op == 0x43:
            return pc + 4
        elif op == 0x44:
            return pc + 8
        else:
            op = leb(code, pc)
            n = 1 if op < 8 else 3 if op in b"\x08\x0a\x0c\x0e" else 2
    elif behind == _TWO_LEBS:
        n = 2
    elif behind == _NOTHING or behind == _END:
        return pc
    else:
        n = 1
    while n:
        while code[pc] > 127:
            pc += 1
        pc += 1
        n -= 1
    return pc


# The position of the `end` or `else` that belongs to the block around pc.
def skip_block(code, pc):
    depth = 0
    while True:
        op = code[pc]
        if op == 0x0B:
            if not depth:
                return pc
            depth -= 1
        elif op == 0x05:
            if not depth:
                return pc
        elif 0x02 <= op <= 0x04:
            depth += 1
        pc = skip(code, pc + 1, op)


# What the compiler wants to know of a function before its single pass: uses[i]: how often local i
# is used, a use in a loop counting eightfold; written: which are set; fresh: which are set before
# anything may look at the zero that they start with; calls: whether it calls anything; loops:
# whether it does so in a loop; memory: whether it loads or stores; wide: whether it has 64-bit
# values; gets: whether it has values of types that the module says.
class Scan:
    def __init__(self, code, pc, end, n_locals):
        self.uses = uses = [0] * n_locals
        self.written = written = bytearray(n_locals)
        self.fresh = fresh = bytearray(n_locals)
        self.loops = calls = False
        about = _ABOUT
        seen = 0
        weight = 1
        blocks = []
        while pc < end:
            op = code[pc]
            pc += 1
            if op == 0x20:
                i = code[pc]
                pc += 1
                if i > 127:
                    i = leb(code, pc - 1)
                    pc = next_leb(code, pc)
                uses[i] += weight
                continue
            bits = about[op]
            if not bits:
                continue
            if bits & _IS_WIDE and (op == 0x42 or op == 0x29):
                behind = skip(code, pc, op)
                if code[behind] == 0x37:
                    seen |= _STORED | _MEMORY
                    pc = skip(code, behind + 1, 0x37)
                    continue
            seen |= bits
            bits &= _BEHIND
            if bits == _LEB:
                while code[pc] > 127:
                    pc += 1
                pc += 1
            elif bits == _SET:
                i = code[pc]
                pc += 1
                if i > 127:
                    i = leb(code, pc - 1)
                    pc = next_leb(code, pc)
                if not uses[i] and not blocks:
                    fresh[i] = 1
                uses[i] += weight
                written[i] = 1
            elif bits == _TWO_LEBS:
                while code[pc] > 127:
                    pc += 1
                pc += 1
                while code[pc] > 127:
                    pc += 1
                pc += 1
            elif bits == _BLOCK:
                blocks.append(weight)
                if op == 0x03:
                    if seen & _CALLS:
                        seen ^= _CALLS
                        calls = True
                        if weight > 1:
                            self.loops = True
                    if weight < 4096:
                        weight *= 8
                while code[pc] > 127:
                    pc += 1
                pc += 1
            elif bits == _END:
                if blocks:
                    bits = weight
                    weight = blocks.pop()
                    if bits > weight and seen & _CALLS:
                        self.loops = True
            elif bits == _OTHER:
                pc = skip(code, pc, op)
        # (Where there are calls, more registers for locals do not pay.)
        self.calls = calls = calls or seen & _CALLS > 0
        self.wide = seen & _IS_WIDE > 0 or seen & _STORED > 0 and calls
        self.memory = seen & _MEMORY > 0
        self.gets = seen & _GETS > 0


# The types of a function's locals, parameters included; and where its code starts.
def local_types(module, index):
    i = index - module.n_imported_funcs
    code = module.code
    # The body stands behind the previous one: its size, then groups of locals.
    pc = module.bodies[7 * i - 1] if i else module.code_start
    pc = next_leb(code, pc)
    types = bytearray(module.funcs[index][0])
    n = leb(code, pc)
    pc = next_leb(code, pc)
    for _ in range(n):
        count = leb(code, pc)
        pc = next_leb(code, pc)
        types.extend(bytes((code[pc],)) * count)
        pc += 1
    return types
