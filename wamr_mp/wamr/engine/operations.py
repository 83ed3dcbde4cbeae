"""Instructions that machine code leaves to Python, with their operands in cells.

References, tables, bulk memory, memory.size and memory.grow; and numeric ones that the target has
no code for.
"""

from wamr.compiler.scan import leb, next_leb
from wamr.wasm import opcodes
from wamr.engine import cells, floats, numerics


# Does the instruction at `pc`, whose operands end at index `top` of the cells.
def operate(instance, pc, stack, top):
    code = instance.module.code
    params, results = _signature(instance.module, code, pc)
    at = top - cells.count(params)
    values = cells.get(stack, at, params)
    cells.put(stack, at, _do(instance, code[pc], code, pc + 1, values), results)


_I = b"\x7f"


# Types of the operands and results of such an instruction.
def _signature(module, code, pc):
    op = code[pc]
    if op == 0x23 or op == 0x24:
        kind = bytes((module.globals[leb(code, pc + 1)][0],))
        return (b"", kind) if op == 0x23 else (kind, b"")
    if op == 0x25 or op == 0x26:
        kind = bytes((module.tables[leb(code, pc + 1)][0],))
        return (_I, kind) if op == 0x25 else (_I + kind, b"")
    if op == 0x3F or op == 0x40:
        return (b"" if op == 0x3F else _I), _I
    if op == 0xD2:
        return b"", b"\x70"
    codes = opcodes.TYPE_CODES
    if op != 0xFC:
        row = opcodes.NUMERIC
        i = (op - 0x45) * 3
        n = 1 if row[i + 1] == 32 else 2
        return bytes((codes[row[i]],)) * n, bytes((codes[row[i + 2]],))
    sub = leb(code, pc + 1)
    if sub < 8:
        row = opcodes.TRUNC_SAT
        return bytes((codes[row[2 * sub]],)), bytes((codes[row[2 * sub + 1]],))
    if sub == 9 or sub == 13:
        return b"", b""
    if sub < 15:
        return _I * 3, b""
    kind = bytes((module.tables[leb(code, next_leb(code, pc + 1))][0],))
    if sub == 15:
        return kind + _I, _I
    return (b"", _I) if sub == 16 else (_I + kind + _I, b"")


def _do(instance, op, code, pc, values):
    if op == 0x23:
        return (instance.globals[leb(code, pc)][0],)
    if op == 0x24:
        instance.globals[leb(code, pc)][0] = values[0]
        return ()
    if op == 0x25:
        return (instance.tables[leb(code, pc)].get(values[0]),)
    if op == 0x26:
        instance.tables[leb(code, pc)].set(values[0], values[1])
        return ()
    if op == 0x3F:
        return (instance.memory.pages,)
    if op == 0x40:
        return (instance.memory.grow(values[0]) & 0xFFFFFFFF,)
    if op <= 0xC4:
        return (_numeric(op, values),)
    from wamr.engine.portable import rare

    state = _Operands(values)
    rare(state, instance, code, pc, op)
    return state.stack[: state.sp]


# Numeric instructions that the target has no code for.
def _numeric(op, values):
    a = values[0]
    if op >= 0xA7:
        return numerics.convert(op, a)
    if op < 0x67:
        wide = op >= 0x61
        return floats.compare(op - (0x61 if wide else 0x5B), a, values[1], 64 if wide else 32)
    if op < 0x8B:
        wide = op >= 0x79
        if len(values) == 1:
            return numerics.unary(op - (0x79 if wide else 0x67), a, 64 if wide else 32)
        return numerics.binary(op - (0x7C if wide else 0x6A), a, values[1], 64 if wide else 32)
    wide = op >= 0x99
    op -= 0x99 if wide else 0x8B
    if op < 7:
        return floats.unary(op, a, 64 if wide else 32)
    return floats.binary(op - 7, a, values[1], 64 if wide else 32)


# The face of an Execution that the portable engine's rare instructions work on.
class _Operands:
    def __init__(self, values):
        self.stack = values + [None]
        self.sp = len(values)
        self.pc = 0
