"""The single pass over one function: machine code from validated wasm."""

from ..host import const
from ..wasm import opcodes
from . import context
from .calls import Calls
from .control import inverse
from .scan import leb, next_leb, signed_leb, skip
from .values import CONST, LOCAL, REG, is_wide

_I32 = const(0x7F)
_I64 = const(0x7E)

_BINARY = (
    "add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl", "shr_s",
    "shr_u", "rotl", "rotr",
)  # fmt: skip
_COMPARE = ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u")
_COMMUTES = ("add", "mul", "and", "or", "xor")
_FLOAT_UNARY = ("abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt")
_FLOAT_BINARY = ("add", "sub", "mul", "div", "min", "max", "copysign")
_FLOAT_COMPARE = ("eq", "ne", "lt", "gt", "le", "ge")
_EXTEND = ("extend8_s", "extend16_s", "extend8_s", "extend16_s", "extend32_s")


class Function(Calls):
    def __init__(self, program, index):
        self.program = program
        self.module = program.module
        self.index = index
        Calls.__init__(self, program.asm, program.module, index)
        self.code = self.module.code
        self.cold = []  # (label, what to emit out of the way)
        self.frames = []
        self.live = True

    def compile(self):
        asm = self.asm
        results = self.module.funcs[self.index][1]
        asm.keep_limit = self.scan.memory
        asm.is_leaf = not self.scan.calls
        asm.bind(self.program.functions[self.index])
        asm.check_stack(self.frame_size, self._trap(context.STACK_EXHAUSTED))
        asm.enter_function(self.return_cell)
        again = asm.label()
        out = asm.label()
        self.cold.append(("fuel", out, again, (), self.pc))
        asm.burn_fuel(out)
        asm.bind(again)
        for i in range(self.n_params, len(self.types)):
            if self.reg[i] >= 0:
                asm.const(self.reg[i], 0, is_wide(self.types[i]))
                self.valid[i] = self.dirty[i] = True
                self.scan.written[i] = 1  # even if only here: its cell does not know
            else:
                asm.store_cell_const(0, self.cells[i], is_wide(self.types[i]))
        self._open(0x02, b"", results)
        while self.frames:
            op = self.code[self.pc]
            self.pc += 1
            if op == 0x0B:
                self._end()
            elif op == 0x05:
                self._else()
            elif not self.live:
                self._skip_dead(op)
            elif op >= 0x45:
                self._numeric(op)
            elif op >= 0x41:
                self._constant(op)
            elif op >= 0x28:
                self._memory(op)
            elif op >= 0x1A:
                self._variable(op)
            else:
                self._control(op)
        # (Cold code may need more of its kind, which is put behind it.)
        for job in self.cold:
            self._emit_cold(job)
        asm.patch()

    # ---- cold code

    # For the assembler: an address that may be out of bounds is looked at more closely there, and
    # comes back.
    def later(self, slow, back, a, extent):
        self.cold.append(("exact", slow, back, a, extent, self.checked_from, self.pc))

    def _trap(self, number):
        label = self.asm.label()
        self.cold.append(("trap", label, number, self.pc, len(self.asm.code)))
        return label

    def _emit_cold(self, job):
        asm = self.asm
        asm.bind(job[1])
        if job[0] == "trap":
            asm.about = (job[3], 0, job[2], job[4])
            asm.call_stub(self.program.stubs[context.TRAP])
            return
        if job[0] == "indirect":
            self._call_by_driver(job)
            return
        if job[0] == "exact":
            asm.about = (job[6], 0, context.OUT_OF_BOUNDS, job[5])
            asm.check_exact(job[3], job[4], self.program.stubs, job[2])
            return
        # Out of fuel: save the locals, leave; when resumed load them again and go on.
        asm.about = (job[4], 0, None, None)
        for i in job[3]:
            if self.scan.written[i]:
                asm.store_cell(self.reg[i], self.cells[i], is_wide(self.types[i]))
        asm.leave(self.program.stubs[context.SUSPENDED])
        for i in job[3]:
            asm.load_cell(self.reg[i], self.cells[i], is_wide(self.types[i]))
        asm.jump(job[2])

    # ---- variables

    def _variable(self, op):
        if op == 0x20:
            i = self._immediate()
            self.push(LOCAL, i, self.types[i])
        elif op == 0x21 or op == 0x22:
            i = self._immediate()
            e = self.pop()
            self.set_local(i, e)
            self.release(e)
            if op == 0x22:
                self.push(LOCAL, i, self.types[i])
        elif op == 0x1A:
            self.release(self.pop())
        elif op == 0x1B or op == 0x1C:
            if op == 0x1C:
                self.pc = next_leb(self.code, self.pc) + 1
            self._select()
        elif op == 0x23 or op == 0x24:
            pc = self.pc - 1
            self._global(op, pc, self._immediate())
        else:
            pc = self.pc - 1
            kind = self.module.tables[self._immediate()][0]
            if op == 0x25:
                self._operation(pc, 1, bytes((kind,)))
            else:
                self._operation(pc, 2, b"")

    def _select(self):
        asm = self.asm
        c = self.pop()
        b = self.pop()
        a = self.pop()
        first = self.use(a)
        second = self.use(b)
        condition = self.use(c)
        if b[0] == REG and self.is_temp(second):
            d = second
        else:
            d = self.temp(a[2])
            asm.move(d, second)
        asm.move_if(asm.compare_const("ne", condition, 0, False), d, first)
        self.release(a)
        self.release(c)
        self.push(REG, d, a[2])

    def _global(self, op, pc, index):
        kind = self.module.globals[index][0]
        wide = is_wide(kind)
        at = context.globals_at(self.module) + 8 * index
        far = index < self.module.n_imported_globals
        if kind < 0x7C:  # references are the driver's
            self._operation(pc, op - 0x23, bytes((kind,)) if op == 0x23 else b"")
        elif op == 0x23:
            d = self._dest(kind)
            (self.asm.load_far if far else self.asm.load_ctx)(d, at, wide)
            self.push(REG, d, kind)
        else:
            e = self.pop()
            (self.asm.store_far if far else self.asm.store_ctx)(self.use(e), at, wide)
            self.release(e)

    # An instruction the driver does, with its operands in their cells.
    def _operation(self, pc, n_args, results):
        self._prepare(n_args)
        self.asm.about = (self.pc, 0, None, None)
        self.asm.leave(self.program.stubs[context.OPERATION], pc, self.top_cell())
        self._finish(n_args, results, False)

    # The register for a result: that of the local which is set next, if there is one. Else one of
    # an operand's, which are free from here on; a pair is taken over as a pair.
    def _result(self, kind, a, b=None):
        if not self._is_pair(kind):
            self.release(a)
            if b is not None:
                self.release(b)
            return self._dest(kind)
        keep = None
        for e in (a, b):
            if e is not None and e[0] == REG and self.is_temp(e[1]):
                if keep is None and e[1] > 0xFF:
                    keep = e
                else:
                    self.release(e)
        if keep is None:
            return self._dest(kind)
        d = self._local_dest()
        if d is None:
            return keep[1]
        self.release(keep)
        return d

    def _dest(self, kind=_I32):
        d = self._local_dest()
        return self.temp(kind) if d is None else d

    def _local_dest(self):
        code = self.code
        if code[self.pc] == 0x21 or code[self.pc] == 0x22:
            i = leb(code, self.pc + 1)
            if self.reg[i] >= 0 and not self.is_on_stack(i):
                return self.reg[i]
        return None

    # ---- memory and constants

    def _memory(self, op):
        pc = self.pc - 1
        if op >= 0x3F:
            self.pc += 1
            self._operation(pc, op - 0x3F, b"\x7f")
            return
        self.pc = next_leb(self.code, self.pc)
        offset = self._immediate()
        load = op < 0x36
        row = opcodes.LOADS if load else opcodes.STORES
        i = 2 * (op - (0x28 if load else 0x36))
        size = 1 << row[i + 1] - 0x30
        kind = opcodes.TYPE_CODES[row[i]]
        if not load:
            value = self.pop()
            s = self.use(value)
        e = self.pop()
        if e[0] == CONST:
            a = None
            offset += e[1]
            self.checked_from = len(self.asm.code)
            self.asm.check(None, offset + size, self._trap(context.OUT_OF_BOUNDS), self)
        else:
            local = e[1] if e[0] == LOCAL else -1
            a = self.use(e)
            if self.checked.get(local, 0) < offset + size:
                self.checked_from = len(self.asm.code)
                self.asm.check(a, offset + size, self._trap(context.OUT_OF_BOUNDS), self)
                if local >= 0:
                    self.checked[local] = offset + size
        self.release(e)
        if load:
            signed = op >= 0x2C and not op & 1 and op != 0x2A
            d = self._dest(kind)
            self.asm.load(d, a, offset, size, signed, is_wide(kind))
            self.push(REG, d, kind)
        else:
            self.asm.store(s, a, offset, size)
            self.release(value)

    def _constant(self, op):
        code = self.code
        if op == 0x41 or op == 0x42:
            value = signed_leb(code, self.pc)
            self.pc = next_leb(code, self.pc)
            value &= 0xFFFFFFFF if op == 0x41 else 0xFFFFFFFFFFFFFFFF
        else:
            n = 4 if op == 0x43 else 8
            value = int.from_bytes(bytes(code[self.pc : self.pc + n]), "little")
            self.pc += n
        self.push(CONST, value, 0xC0 - op)

    # ---- numeric instructions

    def _numeric(self, op):
        if op == 0x45 or op == 0x50:
            self._comparison("eq", self.pop(), None)
        elif op < 0x5B:
            b = self.pop()
            self._comparison(_COMPARE[op - (0x46 if op < 0x50 else 0x51)], self.pop(), b)
        elif op < 0x67:
            wide = op >= 0x61
            self._float2(
                "float_compare", _FLOAT_COMPARE[op - (0x61 if wide else 0x5B)], wide, _I32
            )
        elif 0x6A <= op <= 0x78 or 0x7C <= op <= 0x8A:
            self._binary(_BINARY[op - (0x6A if op < 0x79 else 0x7C)])
        elif op < 0x6A or op < 0x7C:
            self._unary(
                ("clz", "ctz", "popcnt")[op - (0x67 if op < 0x6A else 0x79)], self.stack[-1][2]
            )
        elif op < 0xA7:
            self._float(op)
        elif op <= 0xC4:
            self._convert(op)
        else:
            self._rare(op)

    def _unary(self, name, kind):
        if not self.asm.WIDE and is_wide(kind) and name in ("clz", "ctz", "popcnt"):
            self._operation(self.pc - 1, 1, bytes((kind,)))
            return
        e = self.pop()
        wide = is_wide(e[2])
        a = self.use(e)
        d = self._result(kind, e)
        self.asm.unary(name, d, a, wide)
        self.push(REG, d, kind)

    # The truth of a comparison; if a branch follows, it is that branch's condition.
    def _comparison(self, condition, a, b):
        while self.code[self.pc] == 0x45:
            self.pc += 1
            condition = inverse(condition)
        op = self.code[self.pc]
        if op == 0x0D:
            self.pc += 1
            self._branch_if(condition, a, b)
        elif op == 0x04:
            self.pc += 1
            self._if(condition, a, b)
        else:
            condition = self._compare(condition, a, b)
            d = self._dest()
            self.asm.set(condition, d)
            self.push(REG, d, _I32)

    def _binary(self, op):
        if not self.asm.WIDE and is_wide(self.stack[-1][2]):
            # Left to the driver: what takes many instructions on halves and is rare.
            if op[:3] in ("div", "rem") or op[:3] == "rot" and self.stack[-1][0] != CONST:
                self._operation(self.pc - 1, 2, bytes((_I64,)))
                return
        b = self.pop()
        a = self.pop()
        if op[:3] == "div" or op[:3] == "rem":
            self._divide(op, a, b)
            return
        asm = self.asm
        wide = is_wide(a[2])
        if a[0] == CONST and b[0] != CONST and op in _COMMUTES:
            a, b = b, a
        first = self.use(a)
        if b[0] == CONST:
            value = b[1]
            if op == "sub":
                op = "add"
                value = -value & (0xFFFFFFFFFFFFFFFF if wide else 0xFFFFFFFF)
            if asm.fits(op, value, wide):
                d = self._result(a[2], a)
                asm.alu_const(op, d, first, value, wide)
                self.push(REG, d, a[2])
                return
            b[1] = value
        cell = self.memory_cell(b)
        if cell >= 0 and asm.takes_cell(op):
            d = self._result(a[2], a)
            asm.alu_cell(op, d, first, cell, wide)
        else:
            second = self.use(b)
            if wide and not asm.WIDE and op in ("shl", "shr_u", "shr_s"):
                s = self.temp()
                d = self._result(a[2], a, b)
                asm.shift_pairs(op, d, first, second, s)
                self._mark(s, False)
            else:
                d = self._result(a[2], a, b)
                asm.alu(op, d, first, second, wide)
        self.push(REG, d, a[2])

    def _divide(self, op, a, b):
        asm = self.asm
        wide = is_wide(a[2])
        ones = 0xFFFFFFFFFFFFFFFF if wide else 0xFFFFFFFF
        value = b[1] if b[0] == CONST else None
        first = self.use(a)
        second = self.use(b)
        if not value:
            condition = asm.compare_const("eq", second, 0, wide)
            asm.branch(condition, self._trap(context.DIVIDE_BY_ZERO))
        end = None
        if op[-1] == "s" and (value is None or value == ones):
            # The one quotient that does not fit; its remainder is 0, but the hardware would fault.
            other = asm.label()
            asm.branch(asm.compare_const("ne", second, ones, wide), other)
            if op == "div_s":
                condition = asm.compare_const("eq", first, (ones >> 1) + 1, wide)
                asm.branch(condition, self._trap(context.INTEGER_OVERFLOW))
                asm.bind(other)
            else:
                end = asm.label()
        self.release(a)
        self.release(b)
        d = self.temp(a[2]) if end is not None else self._dest(a[2])
        if end is not None:
            asm.const(d, 0, wide)
            asm.jump(end)
            asm.bind(other)
        asm.divide(op, d, first, second, wide)
        if end is not None:
            asm.bind(end)
        self.push(REG, d, a[2])

    # ---- floating point and conversions

    def _float(self, op):
        op -= 0x8B
        wide = op >= 14
        if wide:
            op -= 14
        kind = 0x7C if wide else 0x7D
        if op >= 7:
            name = _FLOAT_BINARY[op - 7]
            method = "float_binary"
            if name == "copysign":
                method = "float_sign"
            elif name == "min" or name == "max":
                method = "float_minmax"
            self._float2(method, name, wide, kind)
            return
        name = _FLOAT_UNARY[op]
        if not self.asm.does_float(name, wide):
            self._operation(self.pc - 1, 1, bytes((kind,)))
            return
        e = self.pop()
        a = self.use(e)
        d = self._result(kind, e)
        if name == "abs" or name == "neg":
            self.asm.float_sign(name, d, a, a, wide)
        else:
            self.asm.float_unary(name, d, a, wide)
        self.push(REG, d, kind)

    def _float2(self, method, name, wide, kind):
        if not self.asm.does_float(name, wide):
            self._operation(self.pc - 1, 2, bytes((kind,)))
            return
        b = self.pop()
        a = self.pop()
        first = self.use(a)
        second = self.use(b)
        d = self._result(kind, a, b)
        getattr(self.asm, method)(name, d, first, second, wide)
        self.push(REG, d, kind)

    def _convert(self, op):
        i = (op - 0x45) * 3
        kind = opcodes.TYPE_CODES[opcodes.NUMERIC[i + 2]]
        if 0xBC <= op <= 0xBF:  # reinterpretations: the bits stay where they are
            self.stack[-1][2] = kind
        elif op == 0xA7 or op == 0xAD:
            self._unary("wrap", kind)
        elif op == 0xAC:
            self._unary("extend32_s", kind)
        elif op >= 0xC0:
            self._unary(_EXTEND[op - 0xC0], kind)
        elif op in self.asm.CONVERTS:
            e = self.pop()
            a = self.use(e)
            self.release(e)
            d = self._dest(kind)
            self.asm.convert(op, d, a)
            self.push(REG, d, kind)
        elif op in self.asm.TRUNCATES:
            e = self.pop()
            a = self.use(e)
            d = self._result(kind, e)
            invalid = self._trap(context.INVALID_CONVERSION)
            self.asm.truncate(op, d, a, invalid, self._trap(context.INTEGER_OVERFLOW))
            self.push(REG, d, kind)
        else:
            self._operation(self.pc - 1, 1, bytes((kind,)))

    # References, saturating truncations, bulk memory and tables.
    def _rare(self, op):
        pc = self.pc - 1
        if op == 0xD0:
            self.push(CONST, 0, self.code[self.pc])
            self.pc += 1
        elif op == 0xD1:
            self._comparison("eq", self.pop(), None)
        elif op == 0xD2:
            self._immediate()
            self._operation(pc, 0, b"\x70")
        else:
            sub = leb(self.code, self.pc)
            self.pc = skip(self.code, self.pc, op)
            if sub < 8:
                kind = opcodes.TYPE_CODES[opcodes.TRUNC_SAT[2 * sub + 1]]
                self._operation(pc, 1, bytes((kind,)))
            elif sub == 9 or sub == 13:
                self._operation(pc, 0, b"")
            elif sub == 15:
                self._operation(pc, 2, b"\x7f")
            elif sub == 16:
                self._operation(pc, 0, b"\x7f")
            else:
                self._operation(pc, 3, b"")
