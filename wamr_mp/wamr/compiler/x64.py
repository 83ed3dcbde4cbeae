"""x86-64 encodings: the unix port and CPython.

rbx is the context, rbp the frame (cells), r15 the linear memory. rax, rcx and rdx are scratch; the
other registers are the compiler's, numbered from 0 in the order of _REGS. A `w` says that the
operands have 64 bits.
"""

from ..host import const
from . import context
from .assembler import Assembler

_RAX = const(0)
_RCX = const(1)
_RDX = const(2)
_RBX = const(3)
_RSP = const(4)
_RBP = const(5)
_R15 = const(15)

# The compiler's registers.
_REGS = b"\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e"  # rsi rdi r8 r9 r10 r11 r12 r13 r14

# Two-operand instructions: opcode of the form `op r/m, r` and the /digit of the form with an
# immediate.
_ALU = {"add": (0x01, 0), "or": (0x09, 1), "and": (0x21, 4), "sub": (0x29, 5), "xor": (0x31, 6)}
_SHIFTS = {"rotl": 0, "rotr": 1, "shl": 4, "shr_u": 5, "shr_s": 7}
_FLOAT = {
    "add": 0x0F58, "mul": 0x0F59, "sub": 0x0F5C, "min": 0x0F5D, "div": 0x0F5E, "max": 0x0F5F,
}  # fmt: skip
_ROUND = {"nearest": 8, "floor": 9, "ceil": 10, "trunc": 11}
# Condition codes of jcc and setcc.
_CONDITIONS = {
    "eq": 4, "ne": 5, "lt_s": 12, "ge_s": 13, "le_s": 14, "gt_s": 15, "lt_u": 2, "ge_u": 3,
    "le_u": 6, "gt_u": 7,
}  # fmt: skip


class X64(Assembler):
    NAME = "x64"
    WIDE = True  # a register holds an i64

    # How many registers are for operands (from number 0) and, behind them, for locals.
    def registers(self, wide):
        return 4, 5

    # ---- encoding

    # reg is the machine register or /digit of the ModRM byte, rm the other machine register.
    def _rr(self, op, reg, rm, w=False, prefix=0, byte=False):
        code = self.code
        if prefix:
            code.append(prefix)
        rex = (8 if w else 0) | (4 if reg > 7 else 0) | (1 if rm > 7 else 0)
        if rex or byte and (reg > 3 or rm > 3):
            code.append(0x40 | rex)
        if op > 0xFF:
            if op > 0xFFFF:
                code.append(op >> 16)
            code.append(op >> 8 & 0xFF)
        code.append(op & 0xFF)
        code.append(0xC0 | (reg & 7) << 3 | rm & 7)

    # The same with a memory operand [base + disp], or [base + index + disp].
    def _rm(self, op, reg, base, disp, w=False, index=None, prefix=0, byte=False):
        code = self.code
        if prefix:
            code.append(prefix)
        rex = (8 if w else 0) | (4 if reg > 7 else 0) | (1 if base > 7 else 0)
        if index is not None and index > 7:
            rex |= 2
        if rex or byte and reg > 3:
            code.append(0x40 | rex)
        if op > 0xFF:
            code.append(op >> 8)
        code.append(op & 0xFF)
        short = -128 <= disp < 128
        mod = 0x40 if short else 0x80
        if index is None and base & 7 != _RSP:
            code.append(mod | (reg & 7) << 3 | base & 7)
        else:
            code.append(mod | (reg & 7) << 3 | 4)
            code.append((4 if index is None else index & 7) << 3 | base & 7)
        if short:
            code.append(disp & 0xFF)
        else:
            self.u32(disp)

    def _mov(self, d, s, w=True):
        if d != s:
            self._rr(0x89, s, d, w)

    def _imm(self, d, value, w):
        if not value:
            self._rr(0x31, d, d)
        elif value >> 32:
            if value >> 31 == 0x1FFFFFFFF:  # a negative number of 32 bits
                self._rr(0xC7, 0, d, True)
                self.u32(value)
            else:
                self.code.append(0x49 if d > 7 else 0x48)
                self.code.append(0xB8 | d & 7)
                self.u32(value)
                self.u32(value >> 32)
        else:
            if d > 7:
                self.code.append(0x41)
            self.code.append(0xB8 | d & 7)
            self.u32(value)

    # Signed value of an immediate if the instructions can hold it, else None.
    def _simm(self, value, w):
        if not w:
            return value - 0x100000000 if value > 0x7FFFFFFF else value
        if value < 0x80000000:
            return value
        if value >= 0xFFFFFFFF80000000:
            return value - 0x10000000000000000
        return None

    def _op_imm(self, digit, d, value, w):
        short = -128 <= value < 128
        self._rr(0x83 if short else 0x81, digit, d, w)
        if short:
            self.code.append(value & 0xFF)
        else:
            self.u32(value)

    # ---- moves

    def move(self, d, s):
        self._mov(_REGS[d], _REGS[s])

    def const(self, d, value, w):
        self._imm(_REGS[d], value, w)

    def load_cell(self, d, cell, w):
        self._rm(0x8B, _REGS[d], _RBP, cell * 4, w)

    def store_cell(self, s, cell, w):
        self._rm(0x89, _REGS[s], _RBP, cell * 4, w)

    def store_cell_const(self, value, cell, w):
        simm = self._simm(value, w)
        if simm is None:
            self._imm(_RAX, value, w)
            self._rm(0x89, _RAX, _RBP, cell * 4, w)
        else:
            self._rm(0xC7, 0, _RBP, cell * 4, w)
            self.u32(simm)

    def load_ctx(self, d, offset, w):
        self._rm(0x8B, _REGS[d], _RBX, offset, w)

    def store_ctx(self, s, offset, w):
        self._rm(0x89, _REGS[s], _RBX, offset, w)

    # Through a pointer that is kept in the context (imported globals).
    def load_far(self, d, offset, w):
        self._rm(0x8B, _RAX, _RBX, offset, True)
        self._rm(0x8B, _REGS[d], _RAX, 0, w)

    def store_far(self, s, offset, w):
        self._rm(0x8B, _RAX, _RBX, offset, True)
        self._rm(0x89, _REGS[s], _RAX, 0, w)

    # ---- integer arithmetic

    def alu(self, op, d, a, b, w):
        d = _REGS[d]
        a = _REGS[a]
        b = _REGS[b]
        if op == "mul":
            if d == b:
                a, b = b, a
            self._mov(d, a, w)
            self._rr(0x0FAF, d, b, w)
            return
        if op in _SHIFTS:
            self._mov(_RCX, b, False)
            self._mov(d, a, w)
            self._rr(0xD3, _SHIFTS[op], d, w)
            return
        if d == b and d != a:
            if op == "sub":
                self._mov(_RAX, a, w)
                self._rr(0x29, b, _RAX, w)
                self._mov(d, _RAX, w)
                return
            a, b = b, a
        if op == "add" and d != a:
            self._rm(0x8D, d, a, 0, w, b)
            return
        self._mov(d, a, w)
        self._rr(_ALU[op][0], b, d, w)

    # The second operand is in a cell.
    def alu_cell(self, op, d, a, cell, w):
        self._mov(_REGS[d], _REGS[a], w)
        if op == "mul":
            self._rm(0x0FAF, _REGS[d], _RBP, cell * 4, w)
        else:
            self._rm(_ALU[op][0] + 2, _REGS[d], _RBP, cell * 4, w)

    def takes_cell(self, op):
        return op not in _SHIFTS

    # Whether alu_const can take this constant.
    def fits(self, op, value, w):
        return op in _SHIFTS or self._simm(value, w) is not None

    def alu_const(self, op, d, a, value, w):
        d = _REGS[d]
        a = _REGS[a]
        if op in _SHIFTS:
            self._mov(d, a, w)
            self._rr(0xC1, _SHIFTS[op], d, w)
            self.code.append(value & (63 if w else 31))
            return
        simm = self._simm(value, w)
        if op == "mul":
            if simm > 0 and not simm & (simm - 1):
                self._mov(d, a, w)
                n = 0
                while simm >> n != 1:
                    n += 1
                if n:
                    self._rr(0xC1, 4, d, w)
                    self.code.append(n)
            else:
                self._rr(0x69, d, a, w)
                self.u32(simm)
        elif d != a and op == "add":
            self._rm(0x8D, d, a, simm, w)
        else:
            self._mov(d, a, w)
            self._op_imm(_ALU[op][1], d, simm, w)

    # Quotient or remainder. The compiler has checked for zero and for overflow of the quotient.
    def divide(self, op, d, a, b, w):
        self._mov(_RAX, _REGS[a], w)
        if op.endswith("_s"):
            if w:
                self.code.append(0x48)
            self.code.append(0x99)  # cdq, cqo
            self._rr(0xF7, 7, _REGS[b], w)
        else:
            self._rr(0x31, _RDX, _RDX)
            self._rr(0xF7, 6, _REGS[b], w)
        self._mov(_REGS[d], _RAX if op.startswith("div") else _RDX, w)

    def unary(self, op, d, a, w):
        d = _REGS[d]
        a = _REGS[a]
        if op == "clz":
            # bsr gives the index of the highest bit; nothing for 0, where -1 stands ready.
            self._imm(_RCX, 0xFFFFFFFFFFFFFFFF, True)
            self._rr(0x0FBD, _RAX, a, w)
            self._rr(0x0F44, _RAX, _RCX, w)
            self._imm(_RCX, 63 if w else 31, False)
            self._rr(0x29, _RAX, _RCX, w)
            self._mov(d, _RCX, w)
        elif op == "ctz":
            self._imm(_RCX, 64 if w else 32, False)
            self._rr(0x0FBC, _RAX, a, w)
            self._rr(0x0F44, _RAX, _RCX, w)
            self._mov(d, _RAX, w)
        elif op == "popcnt":
            self._rr(0x0FB8, d, a, w, 0xF3)
        elif op == "extend8_s":
            self._rr(0x0FBE, d, a, w, byte=True)
        elif op == "extend16_s":
            self._rr(0x0FBF, d, a, w)
        elif op == "extend32_s":
            self._rr(0x63, d, a, True)
        else:  # wrap: the upper half becomes zero
            self._rr(0x89, a, d)

    # ---- comparisons and branches

    def _compare(self, a, b, w):
        self._rr(0x39, _REGS[b], _REGS[a], w)

    def _compare_const(self, a, value, w):
        a = _REGS[a]
        if not value:
            self._rr(0x85, a, a, w)
            return
        simm = self._simm(value, w)
        if simm is None:
            self._imm(_RAX, value, w)
            self._rr(0x39, _RAX, a, w)
        else:
            self._op_imm(7, a, simm, w)

    def compare(self, condition, a, b, w):
        self._compare(a, b, w)
        return condition

    def compare_const(self, condition, a, value, w):
        self._compare_const(a, value, w)
        return condition

    def compare_cell(self, a, cell, w):
        self._rm(0x3B, _REGS[a], _RBP, cell * 4, w)

    # What follows a comparison: a branch, or the truth value.
    def branch(self, condition, label):
        self.code.append(0x0F)
        self.code.append(0x80 | _CONDITIONS[condition])
        self._rel32(label)

    def set(self, condition, d):
        self._rr(0x0F90 | _CONDITIONS[condition], 0, _RAX, byte=True)
        self._rr(0x0FB6, _REGS[d], _RAX, byte=True)

    # d = a if the condition holds, else d stays.
    def move_if(self, condition, d, a):
        self._rr(0x0F40 | _CONDITIONS[condition], _REGS[d], _REGS[a], True)

    def jump(self, label):
        self.code.append(0xE9)
        self._rel32(label)

    def _rel32(self, label):
        at = len(self.code)
        target = self.labels[label]
        if target < 0:
            self.waiting.append((label, at, at + 4))
        self.u32(target - at - 4 if target >= 0 else 0)

    # The distance from `base` to the label, at `place`.
    def patch_at(self, place, base, target):
        value = target - base
        for i in range(4):
            self.code[place + i] = value >> 8 * i & 0xFF

    # Goes to the label of `labels` that register a selects; to the last one for anything beyond.
    def jump_table(self, a, labels):
        a = _REGS[a]
        n = len(labels) - 1
        self._op_imm(7, a, n, False)
        self.branch("ge_u", labels[n])
        if not n:
            return
        # lea rax, [rip + table]; movsxd rcx, [rax + a * 4]; add rax, rcx; jmp rax
        code = self.code
        code.extend(b"\x48\x8d\x05\x09\x00\x00\x00")
        code.append(0x4A if a > 7 else 0x48)
        code.extend(b"\x63\x0c")
        code.append(0x80 | (a & 7) << 3)
        code.extend(b"\x48\x01\xc8\xff\xe0")
        base = len(code)
        for label in labels[:n]:
            place = len(code)
            target = self.labels[label]
            if target < 0:
                self.waiting.append((label, place, base))
            self.u32(target - base if target >= 0 else 0)

    # ---- linear memory

    # Traps unless `extent` bytes from the address in register a (None: from 0) are inside.
    def check(self, a, extent, label, function):
        if a is None or extent > 0x7FFFFFFF:
            self._imm(_RAX, extent, True)
            if a is not None:
                self._rr(0x01, _REGS[a], _RAX, True)
        elif extent == 1:
            self._rm(0x3B, _REGS[a], _RBX, context.MEMORY_SIZE, True)
            self.branch("ge_u", label)
            return
        else:
            self._rm(0x8D, _RAX, _REGS[a], extent, True)
        self._rm(0x3B, _RAX, _RBX, context.MEMORY_SIZE, True)
        self.branch("gt_u", label)

    # Base, index and displacement of a checked address.
    def _address(self, a, offset):
        if offset > 0x7FFFFFFF:
            self._imm(_RAX, offset, True)
            if a is not None:
                self._rr(0x01, _REGS[a], _RAX, True)
            return _RAX, 0
        return None if a is None else _REGS[a], offset

    # size: bytes; signed: sign extension, to 64 bits with w.
    def load(self, d, a, offset, size, signed, w):
        index, disp = self._address(a, offset)
        if size == 8:
            op, w = 0x8B, True
        elif size == 4:
            op = 0x63 if signed and w else 0x8B
            w = w and signed
        else:
            op = (0x0FBE if signed else 0x0FB6) + (size == 2)
            w = w and signed
        self._rm(op, _REGS[d], _R15, disp, w, index)

    def store(self, s, a, offset, size):
        index, disp = self._address(a, offset)
        if size == 1:
            self._rm(0x88, _REGS[s], _R15, disp, False, index, byte=True)
        elif size == 2:
            self._rm(0x89, _REGS[s], _R15, disp, False, index, 0x66)
        else:
            self._rm(0x89, _REGS[s], _R15, disp, size == 8, index)

    def does_float(self, name, w):
        return True

    # ---- floating point: operands and results are bit patterns in the registers

    def _to_xmm(self, x, s, w):
        self._rr(0x0F6E, x, _REGS[s], w, 0x66)

    def _from_xmm(self, d, x, w):
        self._rr(0x0F7E, x, _REGS[d], w, 0x66)

    def float_binary(self, op, d, a, b, w):
        self._to_xmm(0, a, w)
        self._to_xmm(1, b, w)
        prefix = 0xF2 if w else 0xF3
        self._rr(_FLOAT[op], 0, 1, False, prefix)
        self._from_xmm(d, 0, w)

    # min and max: equal operands differ in the sign of zero at most, so their bits are combined;
    # a NaN on either side makes one.
    def float_minmax(self, op, d, a, b, w):
        self._to_xmm(0, a, w)
        self._to_xmm(1, b, w)
        prefix = 0xF2 if w else 0xF3
        nan = self.label()
        equal = self.label()
        end = self.label()
        self._rr(0x0F2E, 0, 1, False, 0x66 if w else 0)
        self._jump_if(0x8A, nan)
        self._jump_if(0x84, equal)
        self._rr(_FLOAT[op], 0, 1, False, prefix)
        self.jump(end)
        self.bind(nan)
        self._rr(0x0F58, 0, 1, False, prefix)
        self.jump(end)
        self.bind(equal)
        self._rr(0x0F56 if op == "min" else 0x0F54, 0, 1)
        self.bind(end)
        self._from_xmm(d, 0, w)

    def _jump_if(self, code, label):
        self.code.append(0x0F)
        self.code.append(code)
        self._rel32(label)

    def float_unary(self, op, d, a, w):
        self._to_xmm(0, a, w)
        if op == "sqrt":
            self._rr(0x0F51, 0, 0, False, 0xF2 if w else 0xF3)
        else:
            # roundsd, roundss
            self._rr(0x0F3A0B if w else 0x0F3A0A, 0, 0, False, 0x66)
            self.code.append(_ROUND[op])
        self._from_xmm(d, 0, w)

    # Conversions that are one instruction. cvtsi2ss, cvtsi2sd, cvtsd2ss, cvtss2sd
    CONVERTS = b"\xb2\xb3\xb4\xb6\xb7\xb8\xb9\xbb"

    TRUNCATES = b"\xa8\xa9\xaa\xab"

    # i32 from f32 or f64, by way of 64 bits, which hold every result and tell those that do not
    # fit.
    def truncate(self, op, d, a, invalid, overflow):
        w = op >= 0xAA
        self._to_xmm(0, a, w)
        self._rr(0x0F2C, _RAX, 0, True, 0xF2 if w else 0xF3)  # cvttsd2si, cvttss2si
        if op & 1:
            self._mov(_RCX, _RAX, False)
        else:
            self._rr(0x63, _RCX, _RAX, True)  # movsxd
        self._rr(0x39, _RAX, _RCX, True)
        fits = self.label()
        self._jump_if(0x84, fits)
        self._rr(0x0F2E, 0, 0, False, 0x66 if w else 0)
        self._jump_if(0x8A, invalid)
        self.jump(overflow)
        self.bind(fits)
        self._mov(_REGS[d], _RCX, False)

    def convert(self, op, d, a):
        to_f64 = op >= 0xB7
        if op == 0xB6 or op == 0xBB:
            self._to_xmm(0, a, op == 0xB6)
            self._rr(0x0F5A, 0, 0, False, 0xF2 if op == 0xB6 else 0xF3)
        else:
            # An unsigned i32 is a positive i64.
            self._rr(0x0F2A, 0, _REGS[a], op not in b"\xb2\xb7", 0xF2 if to_f64 else 0xF3)
        self._from_xmm(d, 0, to_f64)

    # d = truth of a comparison of floats; one with a NaN is false, but for ne.
    def float_compare(self, op, d, a, b, w):
        if op == "lt" or op == "le":
            a, b = b, a
        self._to_xmm(0, a, w)
        self._to_xmm(1, b, w)
        self._rr(0x0F2E, 0, 1, False, 0x66 if w else 0)
        d = _REGS[d]
        if op == "eq" or op == "ne":
            # equal and ordered, or different or unordered: the parity flag says unordered
            self._rr(0x0F9B if op == "eq" else 0x0F9A, 0, _RCX, byte=True)
            self._rr(0x0F94 if op == "eq" else 0x0F95, 0, _RAX, byte=True)
            self._rr(0x21 if op == "eq" else 0x09, _RCX, _RAX)
        else:
            self._rr(0x0F97 if op in ("gt", "lt") else 0x0F93, 0, _RAX, byte=True)
        self._rr(0x0FB6, d, _RAX, byte=True)

    def float_sign(self, op, d, a, b, w):
        bit = 63 if w else 31
        if op == "copysign":
            self._mov(_RAX, _REGS[b], w)
            self._bit(6, _REGS[a] if d == a else _REGS[a], bit, w, _RCX)
            self._shift(_RAX, bit, w)
            self._rr(0x09, _RAX, _RCX, w)
            self._mov(_REGS[d], _RCX, w)
        else:
            self._bit(7 if op == "neg" else 6, _REGS[a], bit, w, _REGS[d])

    # Copies s to d with one bit cleared (6, btr) or flipped (7, btc).
    def _bit(self, digit, s, bit, w, d):
        self._mov(d, s, w)
        self._rr(0x0FBA, digit, d, w)
        self.code.append(bit)

    # Keeps only the top bit of a scratch register.
    def _shift(self, r, bit, w):
        self._rr(0xC1, 5, r, w)
        self.code.append(bit)
        self._rr(0xC1, 4, r, w)
        self.code.append(bit)

    # ---- calls and stubs

    def call(self, label, cells):
        self._frame(cells)
        self.code.append(0xE8)
        self._rel32(label)
        self.site()
        self._frame(-cells)

    # The function whose entry in the context register a points to (an offset from the context).
    def call_entry(self, cells):
        self._frame(cells)
        self._rm(0xFF, 2, _RBX, 8, False, _RAX)
        self.site()
        self._frame(-cells)

    def _frame(self, cells):
        if cells:
            self._op_imm(0, _RBP, cells * 4, True)

    # Jumps to `mismatch` unless element a of the table is a function of this type number; leaves
    # the offset of its entry for call_entry.
    def find_entry(self, a, table, number, undefined, mismatch):
        at = context.TABLES + 16 * table
        self._rm(0x3B, _REGS[a], _RBX, at + 8, False)
        self.branch("ge_u", undefined)
        self._rm(0x8B, _RAX, _RBX, at, True)
        code = self.code
        code.append(0x42 if _REGS[a] > 7 else 0x40)
        code.extend(b"\x8b\x04")
        code.append(0x80 | (_REGS[a] & 7) << 3 | _RAX)
        self._rm(0x81, 7, _RBX, 0, False, _RAX)
        self.u32(number)
        self.branch("ne", mismatch)

    # A function's first instruction: the return address goes into the frame.
    def enter_function(self, cell):
        self._rm(0x8F, 0, _RBP, cell * 4)

    def leave_function(self, cell):
        self._rm(0xFF, 4, _RBP, cell * 4)

    # The same with several results, which go from their cells to the frame's first ones.
    def leave_with(self, cell, source, n):
        self._rm(0x8B, _RDX, _RBP, cell * 4, True)
        self.copy_cells(0, source, n)
        self._rr(0xFF, 4, _RDX)

    # Upwards: a lower target may overlap its source.
    def copy_cells(self, target, source, n):
        for i in range(n):
            self._rm(0x8B, _RCX, _RBP, (source + i) * 4)
            self._rm(0x89, _RCX, _RBP, (target + i) * 4)

    # For a tail call: the arguments go down, the return address to where a call puts it.
    def replace_frame(self, cell, source, n):
        self._rm(0x8B, _RDX, _RBP, cell * 4, True)
        self.copy_cells(0, source, n)
        self.code.append(0x52)

    # Goes to the function that find_entry found.
    def jump_entry(self):
        self._rm(0xFF, 4, _RBX, 8, False, _RAX)

    # Traps when the frame of this many cells does not fit.
    def check_stack(self, cells, label):
        self._rm(0x8D, _RAX, _RBP, cells * 4, True)
        self._rm(0x3B, _RAX, _RBX, context.STACK_END, True)
        self.branch("gt_u", label)

    def burn_fuel(self, label):
        self._rm(0x83, 5, _RBX, context.FUEL, False)
        self.code.append(1)
        self._jump_if(0x88, label)

    # Leaves with the address of the next instruction as the point to resume at.
    def leave(self, stub, arg0=None, arg1=None):
        if arg0 is not None:
            self._imm(_RAX, arg0, False)
            self._imm(_RCX, arg1, False)
        self.call_stub(stub)

    def call_stub(self, stub):
        self.code.append(0xE8)
        self._rel32(stub)
        self.site()

    def jump_far(self, label):
        self.jump(label)

    # The stubs of a module, in this order: how MicroPython and ctypes enter, and how code leaves.
    def stubs(self, labels):
        code = self.code
        saved = b"\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57"  # push rbx rbp r12-r15
        code.extend(saved)
        # The fourth argument of a viper function is the array of its arguments: a small int, the
        # context's address shifted right by two.
        self._rm(0x8B, _RBX, _RCX, 0, True)
        self._op_imm(4, _RBX, -2, True)
        self._rr(0x01, _RBX, _RBX, True)
        self._rm(0x8B, _RBP, _RBX, context.FRAME, True)
        self._rm(0x8B, _R15, _RBX, context.MEMORY, True)
        self._rm(0x89, _RSP, _RBX, context.HOST_STACK, True)
        code.extend(b"\x48\x8d\x05")  # lea rax, [rip - what was emitted so far]
        self.u32(-len(code) - 4)
        self._rm(0x89, _RAX, _RBX, context.BASE, True)
        self._rm(0x8B, _RAX, _RBX, context.RESUME, True)
        self._rr(0x85, _RAX, _RAX, True)
        self._jump_if(0x84, labels["exit"])
        code.extend(b"\xff\xe0")  # jmp rax
        self.bind(labels["exit"])
        self._rm(0x8B, _RSP, _RBX, context.HOST_STACK, True)
        self._rm(0x89, _RBP, _RBX, context.FRAME, True)
        code.extend(b"\xb8\x01\x00\x00\x00")  # the small int 0
        code.extend(b"\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3")
        for status in (context.CALL, context.INDIRECT, context.OPERATION, context.SUSPENDED):
            self.bind(labels[status])
            self._rm(0x8F, 0, _RBX, context.RESUME)
            self._rm(0x89, _RAX, _RBX, context.ARG0)
            self._rm(0x89, _RCX, _RBX, context.ARG1)
            self._status(status, labels)
        self.bind(labels[context.TRAP])
        self._rm(0x8F, 0, _RBX, context.TRAP_SITE)
        for i, r in enumerate(_REGS):
            self._rm(0x89, r, _RBX, context.REGISTERS + 8 * i, True)
        self._status(context.TRAP, labels)
        # Goes on at TRAP_SITE with the registers as they were.
        self.bind(labels["again"])
        for i, r in enumerate(_REGS):
            self._rm(0x8B, r, _RBX, context.REGISTERS + 8 * i, True)
        self._rm(0xFF, 4, _RBX, context.TRAP_SITE)
        # How the driver starts a function, whose address is in TRAP_SITE: with one result, which
        # goes from register 0 to the frame, and without.
        self.bind(labels["start_result"])
        self._rm(0xFF, 2, _RBX, context.TRAP_SITE)
        self.store_cell(0, 0, True)
        self.jump(labels[context.DONE])
        self.bind(labels["start"])
        self._rm(0xFF, 2, _RBX, context.TRAP_SITE)
        self.bind(labels[context.DONE])
        self._status(context.DONE, labels)

    def _status(self, status, labels):
        self._rm(0xC7, 0, _RBX, context.STATUS)
        self.u32(status)
        self.jump(labels["exit"])
