"""Constant expressions: checked when a module is decoded, evaluated when it is instantiated.

Specification: 3.3.10 Constant Expressions, with the extended-const proposal (add, sub and mul).
"""

from wamr.host import const
from wamr.wasm.reader import Reader

_I32 = const(0x7F)
_I64 = const(0x7E)
_F32 = const(0x7D)
_F64 = const(0x7C)


# Walks one expression from r.pos. Without an instance it only checks; `expected` is the value
# type wanted. With one, it returns the value. One walk serves both, so that they cannot differ.
def const_expr(r, module, expected, instance=None):
    types = []
    values = []
    while True:
        at = r.pos
        op = r.byte()
        value = None
        if op == 0x41:
            kind = _I32
            value = r.signed(32) & 0xFFFFFFFF
        elif op == 0x42:
            kind = _I64
            value = r.signed(64) & 0xFFFFFFFFFFFFFFFF
        elif op == 0x43 or op == 0x44:
            kind = _F32 if op == 0x43 else _F64
            n = 4 if op == 0x43 else 8
            r.skip(n)
            value = int.from_bytes(bytes(r.buf[r.pos - n : r.pos]), "little")
        elif op == 0x23:
            # Only imported globals have a value before the module's own are made.
            index = r.index(module.n_imported_globals, "global", at)
            kind, mutable = module.globals[index]
            if mutable:
                r.fail("constant expression required: global %d is mutable" % index, at)
            if instance:
                value = instance.globals[index][0]
        elif op == 0xD0:
            kind = r.byte()
            if kind != 0x70 and kind != 0x6F:
                r.fail("malformed reference type", at)
        elif op == 0xD2:
            kind = 0x70
            index = r.index(len(module.funcs), "function", at)
            if instance:
                value = instance.func(index)
            else:
                module.declared.add(index)
        elif 0x6A <= op <= 0x6C or 0x7C <= op <= 0x7E:
            kind = _I32 if op < 0x70 else _I64
            if len(types) < 2 or types.pop() != kind or types.pop() != kind:
                r.fail("type mismatch in constant expression", at)
            b = values.pop()
            a = values.pop()
            op -= 0x6A if kind == _I32 else 0x7C
            value = a + b if op == 0 else a - b if op == 1 else a * b
            value &= 0xFFFFFFFF if kind == _I32 else 0xFFFFFFFFFFFFFFFF
        elif op == 0x0B:
            if len(types) != 1 or types[0] != expected:
                r.fail("type mismatch in constant expression", at)
            return values[0]
        else:
            r.fail("constant expression required", at)
        types.append(kind)
        # While checking, the value of an imported global is not known; 0 stands for it.
        values.append(0 if value is None and not instance else value)


# The references of an element segment.
def references(instance, index):
    _, _, _, kind, buf, pos, n, exprs = instance.module.elems[index]
    r = Reader(buf, pos, len(buf))
    if exprs:
        return [const_expr(r, instance.module, kind, instance) for _ in range(n)]
    return [instance.func(r.u32()) for _ in range(n)]
