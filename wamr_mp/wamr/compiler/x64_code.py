"""x86-64 encodings: integers, memory, branches.

rbx is the context, rbp the frame (cells), r14 the fuel, r15 the linear memory. rax, rcx and rdx
are scratch; the other registers are the compiler's, numbered from 0 in the order of REGS. Its
registers from 16 on are xmm0 to xmm13; xmm14 and xmm15 are scratch. A `w` says that the operands
have 64 bits.
"""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.assembler import Assembler

_RAX = const(0)
_RCX = const(1)
_RDX = const(2)
_RBX = const(3)
_RSP = const(4)
_RBP = const(5)
_R15 = const(15)

# The compiler's registers.
REGS = b"\x06\x07\x08\x09\x0a\x0b\x0c\x0d"  # rsi rdi r8 r9 r10 r11 r12 r13

# Operations and conditions, see numeric.py.
_ADD = const(0)
_SUB = const(1)
_MUL = const(2)
_DIV_U = const(4)
_SHL = const(10)
_NE = const(1)
_MI = const(2)
_LT_S = const(4)
_GE_S = const(5)
_GE_U = const(9)
_GT_U = const(10)
# By operation: opcode of the form `op r/m, r` and the /digit of the form with an immediate.
_ALU = b"\x01\x29\x00\x00\x00\x00\x00\x21\x09\x31"
_DIGITS = b"\x00\x05\x00\x00\x00\x00\x00\x04\x01\x06"
_SHIFTS = b"\x04\x07\x05\x00\x01"  # from _SHL on
# By condition: the code of jcc and setcc.
_CODES = b"\x04\x05\x08\x09\x0c\x0d\x0f\x0e\x02\x03\x07\x06"


class Encoder(Assembler):
    WIDE = True  # a register holds an i64
    TAKES_CELLS = True
    FLAGS = True
    SHIFTS = True
    FLOATS = 12  # f32, f64
    FLOAT_TEMPS = 0x3F0000
    LOADS_FLOATS = True

    def _u32(self, value):
        code = self.code
        code.append(value & 0xFF)
        code.append(value >> 8 & 0xFF)
        code.append(value >> 16 & 0xFF)
        code.append(value >> 24 & 0xFF)

    # How many registers, from number 0, are for operands; and those for locals.
    def registers(self, wide):
        return 3, b"\x03\x04\x05\x06\x07"

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
    def _rm(self, op, reg, base, disp, w=False, index=None, prefix=0, byte=False, scale=0):
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
            code.append(scale << 6 | (4 if index is None else index & 7) << 3 | base & 7)
        if short:
            code.append(disp & 0xFF)
        else:
            self._u32(disp)

    def _movaps(self, d, s):
        if d != s:
            self._rr(0x0F28, d, s)

    def _mov(self, d, s, w=True):
        if d != s:
            self._rr(0x89, s, d, w)

    def _imm(self, d, value, w):
        if not value:
            self._rr(0x31, d, d)
        elif value >> 32:
            if value >> 31 == 0x1FFFFFFFF:  # a negative number of 32 bits
                self._rr(0xC7, 0, d, True)
                self._u32(value)
            else:
                self.code.append(0x49 if d > 7 else 0x48)
                self.code.append(0xB8 | d & 7)
                self._u32(value)
                self._u32(value >> 32)
        else:
            if d > 7:
                self.code.append(0x41)
            self.code.append(0xB8 | d & 7)
            self._u32(value)

    def _op_imm(self, digit, d, value, w):
        short = -128 <= value < 128
        self._rr(0x83 if short else 0x81, digit, d, w)
        if short:
            self.code.append(value & 0xFF)
        else:
            self._u32(value)

    # ---- moves, between the classes of registers too

    def move(self, d, s, w=False):
        if d > 15:
            if s > 15:
                self._movaps(d - 16, s - 16)
            else:
                self._rr(0x0F6E, d - 16, REGS[s], w, 0x66)
        elif s > 15:
            self._rr(0x0F7E, s - 16, REGS[d], w, 0x66)
        else:
            self._mov(REGS[d], REGS[s])

    def move_wide(self, d, s):
        self.move(d, s, True)

    def const(self, d, value):
        self._const(d, value & 0xFFFFFFFF, False)

    def const_wide(self, d, value):
        self._const(d, value & 0xFFFFFFFFFFFFFFFF, True)

    def _const(self, d, value, w):
        if d < 16:
            self._imm(REGS[d], value, w)
        elif value:
            self._imm(_RAX, value, w)
            self._rr(0x0F6E, d - 16, _RAX, w, 0x66)
        else:
            self._rr(0x0F57, d - 16, d - 16)  # xorps

    def load_cell(self, d, cell, w=False):
        self._load(d, _RBP, cell * 4, w)

    def load_wide(self, d, cell):
        self._load(d, _RBP, cell * 4, True)

    def store_cell(self, s, cell, w=False):
        self._store(s, _RBP, cell * 4, w)

    def store_wide(self, s, cell):
        self._store(s, _RBP, cell * 4, True)

    def _load(self, d, base, disp, w, index=None):
        if d > 15:
            self._rm(0x0F10, d - 16, base, disp, False, index, 0xF2 if w else 0xF3)
        else:
            self._rm(0x8B, REGS[d], base, disp, w, index)

    def _store(self, s, base, disp, w, index=None):
        if s > 15:
            self._rm(0x0F11, s - 16, base, disp, False, index, 0xF2 if w else 0xF3)
        else:
            self._rm(0x89, REGS[s], base, disp, w, index)

    def store_const(self, value, cell):
        self._rm(0xC7, 0, _RBP, cell * 4)
        self._u32(value)

    def store_const_wide(self, value, cell):
        if -0x80000000 <= value < 0x80000000:
            self._rm(0xC7, 0, _RBP, cell * 4, True)
            self._u32(value)
        else:
            self._imm(_RAX, value & 0xFFFFFFFFFFFFFFFF, True)
            self._rm(0x89, _RAX, _RBP, cell * 4, True)

    # Globals of this instance.
    def load_ctx(self, d, offset, w):
        self._load(d, _RBX, offset, w)

    def store_ctx(self, s, offset, w):
        self._store(s, _RBX, offset, w)

    # Imported globals, through a pointer that is kept in the context.
    def load_far(self, d, offset, w):
        self._rm(0x8B, _RAX, _RBX, offset, True)
        self._load(d, _RAX, 0, w)

    def store_far(self, s, offset, w):
        self._rm(0x8B, _RAX, _RBX, offset, True)
        self._store(s, _RAX, 0, w)

    # ---- integer arithmetic

    def alu(self, op, d, a, b, w=False):
        d = REGS[d]
        a = REGS[a]
        b = REGS[b]
        if op == _MUL:
            if d == b:
                a, b = b, a
            self._mov(d, a, w)
            self._rr(0x0FAF, d, b, w)
            return
        if op >= _SHL:
            self._mov(_RCX, b, False)
            self._mov(d, a, w)
            self._rr(0xD3, _SHIFTS[op - _SHL], d, w)
            return
        if d == b and d != a:
            if op == _SUB:
                self._mov(_RAX, a, w)
                self._rr(0x29, b, _RAX, w)
                self._mov(d, _RAX, w)
                return
            a, b = b, a
        if op == _ADD and d != a:
            self._rm(0x8D, d, a, 0, w, b)
            return
        self._mov(d, a, w)
        self._rr(_ALU[op], b, d, w)
        self._set_flags(d, w)

    # The flags are those of a comparison of machine register d with 0.
    def _set_flags(self, d, w):
        self.flags = len(self.code) << 5 | (16 if w else 0) | d

    def takes_shifted(self, op, shift, n):
        return op == _ADD and shift == _SHL and n < 4

    # d = a + (b shifted left by n)
    def alu_shifted(self, op, d, a, b, shift, n):
        self._rm(0x8D, REGS[d], REGS[a], 0, False, REGS[b], scale=n)

    def alu_wide(self, op, d, a, b):
        self.alu(op, d, a, b, True)

    # The second operand is in a cell.
    def alu_cell(self, op, d, a, cell, w=False):
        self._mov(REGS[d], REGS[a], w)
        if op == _MUL:
            self._rm(0x0FAF, REGS[d], _RBP, cell * 4, w)
        else:
            self._rm(_ALU[op] + 2, REGS[d], _RBP, cell * 4, w)

    # Whether alu_const_wide can take this constant.
    def fits_wide(self, op, value):
        return op >= _SHL or -0x80000000 <= value < 0x80000000

    def alu_const(self, op, d, a, value, w=False):
        d = REGS[d]
        a = REGS[a]
        if op >= _SHL:
            self._mov(d, a, w)
            self._rr(0xC1, _SHIFTS[op - _SHL], d, w)
            self.code.append(value & (63 if w else 31))
        elif op == _MUL:
            if value > 0 and not value & (value - 1):
                self._mov(d, a, w)
                n = 0
                while value >> n != 1:
                    n += 1
                if n:
                    self._rr(0xC1, 4, d, w)
                    self.code.append(n)
            else:
                self._rr(0x69, d, a, w)
                self._u32(value)
        elif d != a and op == _ADD:
            self._rm(0x8D, d, a, value, w)
        else:
            self._mov(d, a, w)
            self._op_imm(_DIGITS[op], d, value, w)
            self._set_flags(d, w)

    def alu_const_wide(self, op, d, a, value):
        self.alu_const(op, d, a, value, True)

    # Quotient or remainder. The compiler has checked for zero and for overflow of the quotient.
    def divide(self, op, d, a, b, w):
        self._mov(_RAX, REGS[a], w)
        if op & 1:  # div_s, rem_s
            if w:
                self.code.append(0x48)
            self.code.append(0x99)  # cdq, cqo
            self._rr(0xF7, 7, REGS[b], w)
        else:
            self._rr(0x31, _RDX, _RDX)
            self._rr(0xF7, 6, REGS[b], w)
        self._mov(REGS[d], _RAX if op <= _DIV_U else _RDX, w)

    # clz, ctz, popcnt
    def unary(self, op, d, a, w=False):
        d = REGS[d]
        a = REGS[a]
        if op == 0:
            # bsr gives the index of the highest bit; nothing for 0, where -1 stands ready.
            self._imm(_RCX, 0xFFFFFFFFFFFFFFFF, True)
            self._rr(0x0FBD, _RAX, a, w)
            self._rr(0x0F44, _RAX, _RCX, w)
            self._imm(_RCX, 63 if w else 31, False)
            self._rr(0x29, _RAX, _RCX, w)
            self._mov(d, _RCX, w)
        elif op == 1:
            self._imm(_RCX, 64 if w else 32, False)
            self._rr(0x0FBC, _RAX, a, w)
            self._rr(0x0F44, _RAX, _RCX, w)
            self._mov(d, _RAX, w)
        else:
            self._rr(0x0FB8, d, a, w, 0xF3)

    def unary_wide(self, op, d, a):
        self.unary(op, d, a, True)

    # What makes an integer of another width, by opcode: wrap, extend…
    def extend(self, op, d, a):
        d = REGS[d]
        a = REGS[a]
        w = op >= 0xC2
        if op == 0xC0 or op == 0xC2:
            self._rr(0x0FBE, d, a, w, byte=True)
        elif op == 0xC1 or op == 0xC3:
            self._rr(0x0FBF, d, a, w)
        elif op == 0xAC or op == 0xC4:
            self._rr(0x63, d, a, True)
        else:  # the upper half becomes zero
            self._rr(0x89, a, d)

    # ---- comparisons and branches

    def compare(self, condition, a, b, w=False):
        self._rr(0x39, REGS[b], REGS[a], w)
        return condition

    def compare_wide(self, condition, a, b):
        return self.compare(condition, a, b, True)

    def compare_const(self, condition, a, value, w=False):
        a = REGS[a]
        if not value:
            if self.flags == len(self.code) << 5 | (16 if w else 0) | a:
                # The instruction before has done it, but for what overflows.
                if condition <= _NE:
                    return condition
                if condition == _LT_S or condition == _GE_S:
                    return condition - _LT_S + _MI
            self._rr(0x85, a, a, w)
        elif -0x80000000 <= value < 0x80000000:
            self._op_imm(7, a, value, w)
        else:
            self._imm(_RAX, value & 0xFFFFFFFFFFFFFFFF, True)
            self._rr(0x39, _RAX, a, w)
        return condition

    def compare_const_wide(self, condition, a, value):
        return self.compare_const(condition, a, value, True)

    def compare_cell(self, condition, a, cell, w=False):
        self._rm(0x3B, REGS[a], _RBP, cell * 4, w)
        return condition

    # What follows a comparison: a branch, or the truth value.
    def branch(self, condition, label):
        self._jump_if(0x80 | _CODES[condition], label)

    def _jump_if(self, code, label):
        self.code.append(0x0F)
        self.code.append(code)
        self._forward(label)

    def branch_back(self, condition, target):
        self.code.append(0x0F)
        self.code.append(0x80 | _CODES[condition])
        self._back(target)

    def set(self, condition, d):
        self._rr(0x0F90 | _CODES[condition], 0, _RAX, byte=True)
        self._rr(0x0FB6, REGS[d], _RAX, byte=True)

    # d = a if the condition holds, else d stays.
    def select(self, condition, d, a):
        if d < 16:
            self._rr(0x0F40 | _CODES[condition], REGS[d], REGS[a], True)
        elif d != a:
            code = self.code
            code.append(0x70 | _CODES[condition ^ 1])
            code.append(0)
            start = len(code)
            self._movaps(d - 16, a - 16)
            code[start - 1] = len(code) - start

    def select_wide(self, condition, d, a):
        self.select(condition, d, a)

    def jump(self, label):
        self.code.append(0xE9)
        self._forward(label)

    def jump_back(self, target):
        self.code.append(0xE9)
        self._back(target)

    def _forward(self, label):
        label.append(len(self.code))
        self._u32(0)

    def _back(self, target):
        self._u32(target - len(self.code) - 4)

    # Fills in the distance of the branch forward, or the call, at `place`.
    def patch(self, place, target):
        self._word(place, target - place - 4)

    def _word(self, place, value):
        for i in range(4):
            self.code[place + i] = value >> 8 * i & 0xFF

    # Goes to one of n cases, for anything beyond to another. Returns what `case` is told.
    def jump_table(self, a, n):
        label = []
        if not n:
            return label, 0
        a = REGS[a]
        self._op_imm(7, a, n, False)
        self.branch(_GE_U, label)
        # lea rax, [rip + table]; movsxd rcx, [rax + a * 4]; add rax, rcx; jmp rax
        code = self.code
        code.extend(b"\x48\x8d\x05\x09\x00\x00\x00")
        code.append(0x4A if a > 7 else 0x48)
        code.extend(b"\x63\x0c")
        code.append(0x80 | (a & 7) << 3)
        code.extend(b"\x48\x01\xc8\xff\xe0")
        base = len(code)
        code.extend(bytes(4 * n))
        return label, base

    # Case i of n (n itself: the other one) goes to target.
    def case(self, table, i, n, target):
        label, base = table
        if i < n:
            self._word(base + 4 * i, target - base)
        elif n:
            self.patch(label[0], target)

    # ---- linear memory

    # Traps unless `extent` bytes from the address in register a (None: from 0) are inside.
    def check(self, a, extent, traps, exact):
        if a is None or extent > 0x7FFFFFFF:
            self._imm(_RAX, extent, True)
            if a is not None:
                self._rr(0x01, REGS[a], _RAX, True)
        elif extent == 1 or extent == 4:
            # (What limits 4 bytes has 32 bits.)
            at = context.MEMORY_SIZE if extent == 1 else context.LIMIT
            self._rm(0x3B, REGS[a], _RBX, at, extent == 1)
            self.branch(_GE_U, traps)
            return
        else:
            self._rm(0x8D, _RAX, REGS[a], extent, True)
        self._rm(0x3B, _RAX, _RBX, context.MEMORY_SIZE, True)
        self.branch(_GT_U, traps)

    # Base, index and displacement of a checked address.
    def _address(self, a, offset):
        if offset > 0x7FFFFFFF:
            self._imm(_RAX, offset, True)
            if a is not None:
                self._rr(0x01, REGS[a], _RAX, True)
            return _RAX, 0
        return None if a is None else REGS[a], offset

    # The access by instruction `op` (0x28…), an offset from the address in register a (None: 0).
    def load(self, op, d, a, offset):
        index, disp = self._address(a, offset)
        if 0x2C <= op < 0x34:
            code = (0x0FB6 if op & 1 else 0x0FBE) + (op >> 1 & 1)
            self._rm(code, REGS[d], _R15, disp, op == 0x30 or op == 0x32, index)
        elif op == 0x34:
            self._rm(0x63, REGS[d], _R15, disp, True, index)
        else:
            self._load(d, _R15, disp, op == 0x29 or op == 0x2B, index)

    def store(self, op, s, a, offset):
        index, disp = self._address(a, offset)
        if op == 0x3A or op == 0x3C:
            self._rm(0x88, REGS[s], _R15, disp, False, index, byte=True)
        elif op == 0x3B or op == 0x3D:
            self._rm(0x89, REGS[s], _R15, disp, False, index, 0x66)
        else:
            self._store(s, _R15, disp, op == 0x37 or op == 0x39, index)
