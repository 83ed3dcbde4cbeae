"""Validation of function bodies, and the side table that the engines run by.

Specification: 3.3 Instructions and the algorithm of appendix 7.3. The side table is described
in docs/internals/architecture.md: four numbers per branch, (dpc, dstp, arity, height).
"""

from wamr.host import array, const
from wamr.wasm import opcodes
from wamr.wasm.decoder import type_use, valtype

_I32 = const(0x7F)
_I64 = const(0x7E)
_FUNCREF = const(0x70)
_EXTERNREF = const(0x6F)

# Fields of a control frame.
_OP = const(0)
_PARAMS = const(1)
_RESULTS = const(2)
_HEIGHT = const(3)  # operands below the block
_UNREACHABLE = const(4)
_PC = const(5)  # of a loop's first instruction
_STP = const(6)
_FIXUPS = const(7)  # side table entries that wait for the block's end

_MAX_LOCALS = const(50000)
_MAX_OPERANDS = const(50000)
_MANY = const(8)
# The arithmetic that the portable engine does by itself: add sub mul and or xor shl shr_u.
_PLAIN = b"\x6a\x6b\x6c\x71\x72\x73\x74\x76\x7c\x7d\x7e\x83\x84\x85\x86\x88"
_SAVED = const(4)  # cells of a frame between its locals and its operands


class Validator:
    def __init__(self, module, r):
        self.module = module
        self.r = r

    # Checks the body at r.pos, up to r.end, and writes its entry of module.bodies.
    def function(self, index, entry):
        r = self.r
        module = self.module
        self.index = index
        params, results = module.funcs[index]
        refs = self._locals(params)
        if refs:
            module.ref_locals[entry] = refs
        side_start = len(module.side)
        pc = r.pos
        self.opds = []  # types of the operands; 0 is a value of any type, in dead code
        self.ctrl = []
        self.highest = 0
        self._push_ctrl(0x02, b"", results)
        while self.ctrl:
            self.at = r.pos
            op = r.byte()
            if op >= 0x45:
                self._numeric(op)
            elif op >= 0x28:
                self._memory(op)
            elif op >= 0x1A:
                self._variable(op)
            else:
                self._control(op)
        size = len(self.locals) + _SAVED + self.highest
        for word in (pc, side_start, len(params), len(self.locals), size, len(results), r.pos):
            module.bodies[entry] = word
            entry += 1

    # Reads the locals' types; returns where those of reference type are: first, end, first, end, …
    def _locals(self, params):
        r = self.r
        local_types = bytearray(params)
        refs = []
        for _ in range(r.count()):
            n = r.u32()
            kind = valtype(r)
            r.limit(n + len(local_types), _MAX_LOCALS, "locals")
            if kind == _FUNCREF or kind == _EXTERNREF:
                refs.extend((len(local_types), len(local_types) + n))
            local_types.extend(bytes([kind]) * n)
        self.locals = local_types
        return refs

    # ---- the operand and control stacks of the specification's algorithm

    def fail(self, message):
        self.r.fail(message, self.at)

    def mismatch(self, message):
        self.fail("type mismatch: " + message)

    def _push(self, kind):
        self.opds.append(kind)
        if len(self.opds) > self.highest:
            self._higher()

    def _push_all(self, kinds):
        self.opds.extend(kinds)
        if len(self.opds) > self.highest:
            self._higher()

    def _higher(self):
        self.highest = len(self.opds)
        self.r.limit(self.highest, _MAX_OPERANDS, "operands", self.at)

    def _pop(self, want=0):
        frame = self.ctrl[-1]
        opds = self.opds
        if len(opds) == frame[_HEIGHT]:
            if frame[_UNREACHABLE]:
                return 0
            self.mismatch("an operand is missing")
        kind = opds.pop()
        if kind != want and kind and want:
            self.mismatch("%s found, %s wanted" % (_name(kind), _name(want)))
        return kind

    def _pop_all(self, kinds):
        n = len(kinds)
        if n > _MANY and self._are(kinds):
            del self.opds[-n:]
            return
        for i in range(n - 1, -1, -1):
            self._pop(kinds[i])

    # Whether the topmost operands are just these: a short way for hundreds of them.
    def _are(self, kinds):
        n = len(kinds)
        return len(self.opds) - self.ctrl[-1][_HEIGHT] >= n and bytes(self.opds[-n:]) == kinds

    def _push_ctrl(self, op, params, results):
        pc = self.r.pos
        stp = len(self.module.side)
        self.ctrl.append([op, params, results, len(self.opds), False, pc, stp, []])
        self._push_all(params)

    def _pop_ctrl(self):
        frame = self.ctrl[-1]
        self._pop_all(frame[_RESULTS])
        if len(self.opds) != frame[_HEIGHT]:
            self.mismatch("values remain on the stack at the end of the block")
        self.ctrl.pop()
        return frame

    def _set_unreachable(self):
        frame = self.ctrl[-1]
        del self.opds[frame[_HEIGHT] :]
        frame[_UNREACHABLE] = True

    # The types a branch to this label carries.
    def _label(self, depth):
        if depth >= len(self.ctrl):
            self.fail("unknown label %d" % depth)
        frame = self.ctrl[-1 - depth]
        return frame[_PARAMS] if frame[_OP] == 0x03 else frame[_RESULTS]

    # ---- side table

    # One entry for a branch to `frame`, made where the branch stands.
    def _branch(self, frame):
        side = self.module.side
        entry = len(side)
        loop = frame[_OP] == 0x03
        kinds = frame[_PARAMS] if loop else frame[_RESULTS]
        height = len(self.locals) + _SAVED + frame[_HEIGHT]
        if loop:
            self.module.needs |= 8
            self._entry(frame[_PC] - self.at - 1, frame[_STP] - entry, len(kinds), height)
        else:
            # Until the target is known, dpc holds where it counts from: see _resolve.
            frame[_FIXUPS].append(entry)
            frame[_FIXUPS].append(self.at + 1)
            self._entry(0, 0, len(kinds), height)

    def _entry(self, dpc, dstp, arity, height):
        self._widen(dpc if dpc < 0 else -dpc)
        self._widen(dstp if dstp < 0 else -dstp)
        self._widen(-height)
        self._widen(-arity)
        side = self.module.side
        side.append(dpc)
        side.append(dstp)
        side.append(arity)
        side.append(height)

    # 16-bit items are enough for almost every module; the first number that does not fit
    # makes all of them 32 bits wide.
    def _widen(self, n):
        if n < -32767 and not self.module.side_wide:
            self.module.side = array("i", self.module.side)
            self.module.side_wide = True

    def _resolve(self, fixups, pc):
        for i in range(0, len(fixups), 2):
            entry = fixups[i]
            dpc = pc - fixups[i + 1]
            dstp = len(self.module.side) - entry
            self._widen(-dpc)
            self._widen(-dstp)
            self.module.side[entry] = dpc
            self.module.side[entry + 1] = dstp

    # ---- instructions

    def _block_type(self):
        r = self.r
        byte = r.buf[r.pos] if r.pos < r.end else 0
        if byte & 0xC0 == 0x40:
            if byte == 0x40:
                r.pos += 1
                return b"", b""
            return b"", bytes((valtype(r),))
        index = r.signed(33)
        if not 0 <= index < len(self.module.types):
            self.fail("unknown type %d" % index)
        return self.module.types[index]

    def _control(self, op):
        r = self.r
        if op == 0x0B:
            frame = self._pop_ctrl()
            if frame[_OP] == 0x04:
                # Without an else, a false condition leaves the parameters as the results.
                if frame[_PARAMS] != frame[_RESULTS]:
                    self.mismatch("if without else must not change the stack")
            # A branch to the body itself goes to this `end`, which then returns.
            self._resolve(frame[_FIXUPS], r.pos if self.ctrl else r.pos - 1)
            self._push_all(frame[_RESULTS])
        elif op == 0x02 or op == 0x03:
            params, results = self._block_type()
            self._pop_all(params)
            self._push_ctrl(op, params, results)
        elif op == 0x04:
            self._pop(_I32)
            params, results = self._block_type()
            self._pop_all(params)
            entry = len(self.module.side)
            self._entry(0, 0, 0, 0)
            self._push_ctrl(op, params, results)
            self.ctrl[-1][_FIXUPS].extend((entry, self.at + 1))
        elif op == 0x05:
            if self.ctrl[-1][_OP] != 0x04:
                self.fail("else without if")
            frame = self._pop_ctrl()
            entry = len(self.module.side)
            self._entry(0, 0, 0, 0)
            fixups = frame[_FIXUPS]
            # The first fixup is the false condition of `if`: it comes here.
            self._resolve(fixups[:2], r.pos)
            self._push_ctrl(op, frame[_PARAMS], frame[_RESULTS])
            self.ctrl[-1][_FIXUPS] = fixups[2:]
            self.ctrl[-1][_FIXUPS].extend((entry, self.at + 1))
        elif op == 0x0C or op == 0x0D:
            depth = r.u32()
            if op == 0x0D:
                self._pop(_I32)
            kinds = self._label(depth)
            self._pop_all(kinds)
            self._branch(self.ctrl[-1 - depth])
            if op == 0x0D:
                self._push_all(kinds)
            else:
                self._set_unreachable()
        elif op == 0x0E:
            self._br_table()
        elif op == 0x0F:
            self._pop_all(self.ctrl[0][_RESULTS])
            self._set_unreachable()
        elif 0x10 <= op <= 0x13:
            self._call(op)
        elif op == 0x00:
            self._set_unreachable()
        elif op != 0x01:
            self.fail("illegal opcode 0x%02x" % op)

    def _br_table(self):
        r = self.r
        n = r.count()
        self._pop(_I32)
        checked = None
        for _ in range(n + 1):
            depth = r.u32()
            kinds = self._label(depth)
            if checked is not None and len(kinds) != len(checked):
                self.mismatch("the labels of br_table differ in arity")
            # Checked against the operands as they are: in dead code they may be of any type. Once
            # for equal labels, as a table of thousands would take long otherwise.
            if kinds != checked:
                checked = kinds
                popped = [self._pop(kinds[i]) for i in range(len(kinds) - 1, -1, -1)]
                for i in range(len(kinds)):
                    self._push(popped[-1 - i])
            self._branch(self.ctrl[-1 - depth])
        self._set_unreachable()

    def _call(self, op):
        r = self.r
        module = self.module
        if op & 1:
            kind = type_use(module, r)
            if self._table() != _FUNCREF:
                self.mismatch("call_indirect through a table of externref")
            self._pop(_I32)
        else:
            index = r.index(len(module.funcs), "function", self.at)
            kind = module.funcs[index]
            if index == self.index:
                module.needs |= 8
        self._pop_all(kind[0])
        if op >= 0x12:
            if kind[1] != self.ctrl[0][_RESULTS]:
                self.mismatch("a tail call must return what the function returns")
            self._set_unreachable()
        else:
            self._push_all(kind[1])

    def _variable(self, op):
        r = self.r
        if 0x20 <= op <= 0x22:
            kind = self.locals[r.index(len(self.locals), "local", self.at)]
            if op != 0x20:
                self._pop(kind)
            if op != 0x21:
                self._push(kind)
        elif op == 0x23 or op == 0x24:
            index = r.index(len(self.module.globals), "global", self.at)
            kind, mutable = self.module.globals[index]
            if op == 0x23:
                self._push(kind)
            else:
                if not mutable:
                    self.fail("global is immutable: %d" % index)
                self._pop(kind)
        elif op == 0x25 or op == 0x26:
            kind = self._table()
            if op == 0x26:
                self._pop(kind)
            self._pop(_I32)
            if op == 0x25:
                self._push(kind)
        elif op == 0x1A:
            self._pop()
        elif op == 0x1B:
            self._pop(_I32)
            kind = self._pop()
            kind = self._pop(kind) or kind
            if kind == _FUNCREF or kind == _EXTERNREF:
                self.mismatch("select of references needs a type")
            self._push(kind)
        elif op == 0x1C:
            if r.u32() != 1:
                self.fail("invalid result arity of select")
            kind = valtype(r)
            self._pop(_I32)
            self._pop(kind)
            self._pop(kind)
            self._push(kind)
        else:
            self.fail("illegal opcode 0x%02x" % op)

    # The reference type of the table whose index comes next.
    def _table(self):
        self.module.needs |= 4
        tables = self.module.tables
        return tables[self.r.index(len(tables), "table", self.at)][0]

    def _need_memory(self):
        if not self.module.memories:
            self.fail("unknown memory 0")

    # Loads, stores, memory.size, memory.grow and the constants.
    def _memory(self, op):
        r = self.r
        if op < 0x3F:
            self._need_memory()
            align = r.u32()
            if align >= 32:
                self.fail("malformed memop flags")
            i = (op - 0x28) * 2
            row = opcodes.LOADS if op < 0x36 else opcodes.STORES
            if op >= 0x36:
                i -= 28
            if align > row[i + 1] - 0x30:
                self.fail("alignment must not be larger than natural")
            r.u32()
            kind = opcodes.TYPE_CODES[row[i]]
            if op >= 0x36:
                self._pop(kind)
            self._pop(_I32)
            if op < 0x36:
                self._push(kind)
        elif op < 0x41:
            if r.byte():
                self.fail("zero byte expected")
            self._need_memory()
            self.module.asks_memory_size = True
            if op == 0x40:
                self._pop(_I32)
            self._push(_I32)
        else:
            if op == 0x41:
                r.signed(32)
            elif op == 0x42:
                r.signed(64)
            else:
                r.skip(4 if op == 0x43 else 8)
            self._push(0xC0 - op)

    def _numeric(self, op):
        if op <= 0xC4:
            i = (op - 0x45) * 3
            codes = opcodes.TYPE_CODES
            row = opcodes.NUMERIC
            kind = codes[row[i]]
            self._pop(kind)
            if row[i + 1] != 32:
                self._pop(kind)
            self._push(codes[row[i + 2]])
            if op > 0x66 and op not in _PLAIN:
                self.module.needs |= 1
            if 0x5B <= op <= 0x66 or 0x8B <= op <= 0xA6:
                self.module.needs |= 2
        elif op == 0xFC:
            self._prefixed(self.r.u32())
        elif op == 0xD0:
            kind = self.r.byte()
            if kind != _FUNCREF and kind != _EXTERNREF:
                self.fail("malformed reference type")
            self._push(kind)
        elif op == 0xD1:
            kind = self._pop()
            if kind and kind != _FUNCREF and kind != _EXTERNREF:
                self.mismatch("ref.is_null wants a reference")
            self._push(_I32)
        elif op == 0xD2:
            index = self.r.index(len(self.module.funcs), "function", self.at)
            if index not in self.module.declared:
                self.fail("undeclared function reference %d" % index)
            self._push(_FUNCREF)
        else:
            self.fail("illegal opcode 0x%02x: SIMD, threads and GC are not supported" % op)

    # The instructions after the 0xFC byte.
    def _prefixed(self, op):
        r = self.r
        module = self.module
        if op < 8:
            codes = opcodes.TYPE_CODES
            self._pop(codes[opcodes.TRUNC_SAT[op * 2]])
            self._push(codes[opcodes.TRUNC_SAT[op * 2 + 1]])
            return
        if op > 17:
            self.fail("illegal opcode 0xfc %d" % op)
        three = True
        if op == 8 or op == 9:  # memory.init, data.drop
            index = r.u32()
            if op == 8:
                if r.byte():
                    self.fail("zero byte expected")
                self._need_memory()
            else:
                three = False
            if module.data_count is None:
                self.fail("data count section required")
            if index >= module.data_count:
                self.fail("unknown data segment %d" % index)
        elif op == 10 or op == 11:  # memory.copy, memory.fill
            if r.byte() or op == 10 and r.byte():
                self.fail("zero byte expected")
            self._need_memory()
        elif op == 12 or op == 13:  # table.init, elem.drop
            index = r.index(len(module.elems), "elem segment", self.at)
            if op == 12:
                if self._table() != module.elems[index][3]:
                    self.mismatch("table.init of another reference type")
            else:
                three = False
        elif op == 14:  # table.copy
            if self._table() != self._table():
                self.mismatch("table.copy between different reference types")
        else:
            kind = self._table()
            three = False
            if op == 15:  # table.grow
                self._pop(_I32)
                self._pop(kind)
                self._push(_I32)
            elif op == 16:  # table.size
                self._push(_I32)
            else:  # table.fill
                self._pop(_I32)
                self._pop(kind)
                self._pop(_I32)
        if three:
            self._pop(_I32)
            self._pop(_I32)
            self._pop(_I32)


def _name(kind):
    from wamr.wasm.types import type_name

    return type_name(kind)
