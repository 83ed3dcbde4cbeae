"""The native engine: enters machine code made by the compiler, and does what it asks for."""

import struct
from array import array

from ..compiler import context
from ..host import address_of, const
from ..wasm.errors import LinkError, Trap
from . import CALL, DONE, SUSPENDED, floats, numerics

SLICE = const(20000)

# References in cells are numbers: 0 is null, others an index here. id of the object -> number.
_refs = [None]
_numbers = {}


def _ref_to_cell(ref):
    if ref is None:
        return 0
    number = _numbers.get(id(ref))
    if number is None:
        number = _numbers[id(ref)] = len(_refs)
        _refs.append(ref)
    return number


# Writes a value of this type at a byte offset of the cells; returns the offset behind it.
def _put(cells, at, value, kind):
    if kind == 0x7E or kind == 0x7C:
        struct.pack_into("<Q", cells, at, value)
        return at + 8
    struct.pack_into("<I", cells, at, value if kind >= 0x7C else _ref_to_cell(value))
    return at + 4


def _get(cells, at, kind):
    if kind == 0x7E or kind == 0x7C:
        return struct.unpack_from("<Q", cells, at)[0]
    value = struct.unpack_from("<I", cells, at)[0]
    return value if kind >= 0x7C else _refs[value]


def _bytes(kinds):
    n = 0
    for kind in kinds:
        n += 8 if kind == 0x7E or kind == 0x7C else 4
    return n


def _get_all(cells, at, kinds):
    values = []
    for kind in kinds:
        values.append(_get(cells, at, kind))
        at += 8 if kind == 0x7E or kind == 0x7C else 4
    return values


def attach(instance):
    """Compile the module of a new instance, unless that was done, and set up its context."""
    instance.native = Native(instance)


# What an instance needs to run machine code: its context, kept in step with its memory, globals
# and tables.
class Native:
    def __init__(self, instance):
        module = instance.module
        self.instance = instance
        self.code = load(module)
        self.wide = self.code.program.asm.WIDE
        self.context = array("Q", bytes(context.size(module)))
        self.address = address_of(self.context)
        self.memory = None
        self.shadows = [None] * len(module.tables)
        self.versions = [-1] * len(module.tables)
        self._link_globals()
        at = context.functions_at(module)
        for index, kind in enumerate(module.funcs):
            own = index >= module.n_imported_funcs
            number = self.code.program.type_number(kind) if own else 0xFFFFFFFF
            entry = self.code.address(index) if own else 0
            struct.pack_into("<QQ", self.context, at + 16 * index, number, entry)
        struct.pack_into("<Q", self.context, at + 16 * len(module.funcs), 0xFFFFFFFF)

    # Own numeric globals live in the context; imported ones are reached through their address.
    def _link_globals(self):
        module = self.instance.module
        variables = self.instance.globals
        at = context.globals_at(module)
        view = memoryview(self.context)
        for i, (kind, _) in enumerate(module.globals):
            if kind < 0x7C:
                continue
            if i < module.n_imported_globals:
                self.context[at // 8 + i] = address_of(variables[i])
            else:
                cell = view[at // 8 + i : at // 8 + i + 1]
                cell[0] = variables[i][0]
                self.instance.replace_global(i, cell)

    # The memory may have been replaced, and tables changed, since the code last ran.
    def refresh(self):
        memory = self.instance.memory
        if memory and memory.buf is not self.memory:
            self.memory = memory.buf
            address = address_of(memory.buf) if len(memory.buf) else 0
            size = len(memory.buf)
            struct.pack_into("<QQ", self.context, context.MEMORY, address, size)
            struct.pack_into("<I", self.context, context.LIMIT, max(size - 3, 0) & 0xFFFFFFFF)
        for i, table in enumerate(self.instance.tables):
            if table.version != self.versions[i]:
                self._shadow(i, table)

    def _shadow(self, i, table):
        at = context.functions_at(self.instance.module)
        if not self.wide:
            at += self.address
        other = at + 16 * len(self.instance.module.funcs)
        shadow = array("I")
        for ref in table.elems:
            own = ref is not None and getattr(ref, "instance", None) is self.instance
            shadow.append(at + 16 * ref.index if own else other)
        self.shadows[i] = shadow
        self.versions[i] = table.version
        struct.pack_into(
            "<QQ",
            self.context,
            context.TABLES + 16 * i,
            address_of(shadow) if len(shadow) else 0,
            len(shadow),
        )


# One call into machine code.
class Activation:
    def __init__(self, function, args, limit):
        self.instance = function.instance
        self.native = self.instance.native
        self.function = function
        self.cells = bytearray(max(limit, 256) * 4)
        self.address = address_of(self.cells)
        at = 0
        for value, kind in zip(args, function.type[0]):
            at = _put(self.cells, at, value, kind)
        self.frame = 0  # byte offset of the running frame
        self.resume = self.native.code.start(len(function.type[1]))
        self.entry = 0
        if function.index >= self.instance.module.n_imported_funcs:
            self.entry = self.native.code.address(function.index)
        self.fuel = 0
        self.callee = None  # the function that is to be called
        self.top = 0  # byte offset behind its arguments

    def run(self, fuel):
        native = self.native
        self.fuel = fuel
        if not self.entry:
            # An imported function that is exported: called, and done.
            if self.callee:
                return DONE
            self.callee = self.instance.funcs[self.function.index]
            self.top = _bytes(self.function.type[0])
            return CALL
        while True:
            native.refresh()
            cells = self.address
            struct.pack_into(
                "<QQQ",
                native.context,
                0,
                self.resume,
                cells + self.frame,
                cells + len(self.cells) - self.native.code.program.asm.GUARD,
            )
            struct.pack_into("<i", native.context, context.FUEL, fuel)
            struct.pack_into("<Q", native.context, context.TRAP_SITE, self.entry)
            native.code.call(native.address)
            self.resume, frame = struct.unpack_from("<QQ", native.context, 0)
            self.frame = frame - cells
            fuel, status, arg0, arg1 = struct.unpack_from("<iIII", native.context, context.FUEL)
            self.fuel = fuel
            if status == context.DONE:
                return DONE
            if status == context.SUSPENDED:
                return SUSPENDED
            if status == context.TRAP:
                self._trap()
                continue
            top = self.frame + 4 * arg1
            if status == context.OPERATION:
                self._operate(arg0, top)
                continue
            self._find_callee(status, arg0, top)
            return CALL

    def _trap(self):
        self.resume = struct.unpack_from("<Q", self.native.context, context.TRAP_SITE)[0]
        code = self.native.code
        about = code.site(self.resume)
        memory = self.instance.memory
        if about[3] == context.OUT_OF_BOUNDS and memory.shrunk and memory.whole():
            # The memory was cut to less than its pages, and is whole now: once more.
            self.entry = code.at(about[4])
            self.resume = code.at_label("again")
            return
        raise Trap(context.TRAPS[about[3]])

    def _find_callee(self, status, arg0, top):
        instance = self.instance
        if status == context.CALL:
            callee = instance.funcs[arg0]
        else:
            from ..compiler.scan import leb, next_leb

            code = instance.module.code
            kind = instance.module.types[leb(code, arg0)]
            elems = instance.tables[leb(code, next_leb(code, arg0))].elems
            i = _get(self.cells, top, 0x7F)
            callee = elems[i]
            if callee is None:
                raise Trap("uninitialized element %d" % i)
            if callee.type != kind:
                raise Trap("indirect call type mismatch")
        self.callee = callee
        self.top = top

    def take_arguments(self):
        self.top -= _bytes(self.callee.type[0])
        return _get_all(self.cells, self.top, self.callee.type[0])

    # The results of the callee.
    def push(self, values):
        at = self.top
        for value, kind in zip(values, self.callee.type[1]):
            at = _put(self.cells, at, value, kind)

    def results(self):
        return _get_all(self.cells, 0, self.function.type[1])

    def is_over(self):
        return False

    def cells_used(self):
        return self.top // 4

    # Appends (function index, name, file offset) of each call, innermost first, up to n in all.
    def trace(self, out, n):
        from ..compiler.values import frame_layout

        module = self.instance.module
        address = self.resume
        frame = self.frame
        while len(out) < n:
            about = self.native.code.site(address)
            if about is None:
                break
            index, pc, cells, number, _ = about
            frame -= cells * 4 if out else 0
            out.append((index, module.function_name(index), module.code_base + pc))
            if number == context.STACK_EXHAUSTED:
                break  # it had no frame yet, and so no return address
            at = frame + 4 * frame_layout(module, index)
            address = _get(self.cells, at, 0x7E if self.native.wide else 0x7F)

    # An instruction that machine code leaves to Python; its operands end at byte `top` of the
    # cells.
    def _operate(self, pc, top):
        module = self.instance.module
        code = module.code
        op = code[pc]
        params, results = _signature(module, code, pc)
        at = top - _bytes(params)
        values = _get_all(self.cells, at, params)
        values = _do(self.instance, op, code, pc + 1, values)
        for value, kind in zip(values, results):
            at = _put(self.cells, at, value, kind)


_I = b"\x7f"


# Types of the operands and results of such an instruction.
def _signature(module, code, pc):
    from ..compiler.scan import leb, next_leb
    from ..wasm import opcodes

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
    from ..compiler.scan import leb
    from .portable import rare

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


class Code:
    """The machine code of a module, loaded."""

    def __init__(self, module):
        from ..compiler.loader import Loaded, assembler
        from ..compiler.program import Program

        asm = assembler()
        if asm is None:
            raise LinkError("engine 'native': no machine code for this kind of machine")
        self.program = Program(module, asm)
        self.bytes = asm.code
        self.loaded = Loaded(asm.code)
        # Entered with nothing to resume, the code only tells where it is.
        probe = array("Q", bytes(context.TABLES))
        self.call(address_of(probe))
        self.base = probe[context.BASE // 8]

    # The address of an offset in the code, as the machine wants to jump to it.
    def at(self, offset):
        return self.base + offset + self.program.asm.THUMB

    def at_label(self, stub):
        return self.at(self.program.offset(self.program.stubs[stub]))

    def address(self, index):
        return self.at(self.program.offset(self.program.functions[index]))

    def start(self, n_results):
        return self.at_label("start_result" if n_results == 1 else "start")

    def call(self, address):
        self.loaded.call(address >> 2)

    # See Program.site; `address` is that of an instruction behind a call.
    def site(self, address):
        return self.program.site(address - self.base - self.program.asm.THUMB)


# Compiled once for a module, whatever the number of its instances.
def load(module):
    if module.native is None:
        module.native = Code(module)
    return module.native
