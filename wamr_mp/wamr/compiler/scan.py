"""A walk over validated code: where instructions end, and how much each local is used."""


# LEB128 at pc as an unsigned number of any length; see also next_leb.
def leb(code, pc):
    byte = code[pc]
    if byte < 128:
        return byte
    value = shift = 0
    while True:
        byte = code[pc]
        value |= (byte & 0x7F) << shift
        if byte < 128:
            return value
        shift += 7
        pc += 1


def signed_leb(code, pc):
    value = leb(code, pc)
    bits = 7 * (next_leb(code, pc) - pc)
    return value - (1 << bits) if value >> (bits - 1) else value


def next_leb(code, pc):
    while code[pc] > 127:
        pc += 1
    return pc + 1


# The position behind the immediates of the instruction `op`, which start at pc.
def skip(code, pc, op):
    if 0x45 <= op <= 0xC4 or op == 0xD1 or op in b"\x00\x01\x05\x0b\x0f\x1a\x1b":
        return pc
    if op == 0x0E:
        n = leb(code, pc)
        for _ in range(n + 2):
            pc = next_leb(code, pc)
        return pc
    if op == 0x1C:
        return next_leb(code, pc) + 1
    if op == 0x43:
        return pc + 4
    if op == 0x44:
        return pc + 8
    if op == 0xFC:
        op = leb(code, pc)
        pc = next_leb(code, pc)
        if op < 8:
            return pc
        if op in b"\x08\x0a\x0c\x0e":
            pc = next_leb(code, pc)
        return next_leb(code, pc)
    if 0x28 <= op <= 0x3E or op == 0x11 or op == 0x13:
        pc = next_leb(code, pc)
    return next_leb(code, pc)


# Instructions that have an i64 or f64 for a result: loads, constants, i64 and f64 arithmetic,
# conversions.
_WIDE = (
    b"\x29\x2b\x30\x31\x32\x33\x34\x35\x42\x44"
    b"\x79\x7a\x7b\x7c\x7d\x7e\x7f\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a"
    b"\x99\x9a\x9b\x9c\x9d\x9e\x9f\xa0\xa1\xa2\xa3\xa4\xa5\xa6"
    b"\xac\xad\xae\xaf\xb0\xb1\xb7\xb8\xb9\xba\xbb"
)


# What the compiler wants to know of a function before its single pass: uses[i]: how often local i
# is used, a use in a loop counting eightfold; written: which are set; calls: whether it calls
# anything; memory: whether it loads or stores; wide: whether it has 64-bit values.
class Scan:
    def __init__(self, code, pc, end, n_locals):
        self.uses = [0] * n_locals
        self.written = bytearray(n_locals)
        self.calls = False
        self.wide = False
        self.memory = False
        weight = 1
        blocks = []
        while pc < end:
            op = code[pc]
            pc += 1
            if 0x20 <= op <= 0x22:
                i = leb(code, pc)
                self.uses[i] += weight
                if op != 0x20:
                    self.written[i] = 1
            elif 0x02 <= op <= 0x04:
                blocks.append(weight)
                if op == 0x03 and weight < 4096:
                    weight *= 8
            elif op == 0x0B:
                if blocks:
                    weight = blocks.pop()
            elif 0x10 <= op <= 0x13:
                self.calls = True
            elif 0x28 <= op <= 0x3E:
                self.memory = True
            if op in _WIDE:
                self.wide = True
            pc = skip(code, pc, op)


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
