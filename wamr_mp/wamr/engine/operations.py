"""Instructions that machine code leaves to Python, with their operands in cells.

References, tables, bulk memory, memory.size and memory.grow.
"""

from wamr.wasm.module import leb, next_leb
from wamr.engine import cells


# Does the instruction at `pc`, whose operands end at index `top` of the cells.
def operate(instance, pc, stack, top, refs):
    code = instance.module.code
    params, results = _signature(instance.module, code, pc)
    at = top - cells.count(params)
    values = cells.get(stack, at, params, refs)
    cells.put(stack, at, _do(instance, code[pc], code, pc + 1, values), results, refs)


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
    sub = leb(code, pc + 1)
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
    from wamr.engine.portable import rare

    state = _Operands(values)
    rare(state, instance, code, pc, op)
    return state.stack[: state.sp]


# The face of an Execution that the portable engine's rare instructions work on.
class _Operands:
    def __init__(self, values):
        self.stack = values + [None]
        self.sp = len(values)
        self.pc = 0
