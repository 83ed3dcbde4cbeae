"""x86-64 encodings: the unix port and CPython.

rbx is the context, rbp the frame (cells), r15 the linear memory. rax, rcx and rdx are scratch; the
other registers are the compiler's, numbered from 0 in the order of _REGS. A `w` says that the
operands have 64 bits.
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
_REGS = b"\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e"  # rsi rdi r8 r9 r10 r11 r12 r13 r14

# Operations and conditions, see numeric.py.
_ADD = const(0)
_SUB = const(1)
_MUL = const(2)
_DIV_U = const(4)
_SHL = const(10)
_EQ = const(0)
_NE = const(1)
_GE_U = const(9)
_GT_U = const(10)
# By operation: opcode of the form `op r/m, r` and the /digit of the form with an immediate.
_ALU = b"\x01\x29\x00\x00\x00\x00\x00\x21\x09\x31"
_DIGITS = b"\x00\x05\x00\x00\x00\x00\x00\x04\x01\x06"
_SHIFTS = b"\x04\x07\x05\x00\x01"  # from _SHL on
# By condition: the code of jcc and setcc.
_CODES = b"\x04\x05\x00\x00\x0c\x0d\x0f\x0e\x02\x03\x07\x06"
# Floating point, see numeric.py: rounding modes from ceil on; opcodes from add on.
_ROUND = b"\x0a\x09\x0b\x08"
_FLOAT = b"\x58\x5c\x59\x5e\x5d\x5f"


class X64(Assembler):
    NAME = "x64"
    WIDE = True  # a register holds an i64
    TAKES_CELLS = True

    def buffer(self):
        return bytearray()

    def _u32(self, value):
        code = self.code
        code.append(value & 0xFF)
        code.append(value >> 8 & 0xFF)
        code.append(value >> 16 & 0xFF)
        code.append(value >> 24 & 0xFF)

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
            self._u32(disp)

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

    # ---- moves

    def move(self, d, s):
        self._mov(_REGS[d], _REGS[s])

    move_wide = move

    def const(self, d, value):
        self._imm(_REGS[d], value & 0xFFFFFFFF, False)

    def const_wide(self, d, value):
        self._imm(_REGS[d], value & 0xFFFFFFFFFFFFFFFF, True)

    def load_cell(self, d, cell, w=False):
        self._rm(0x8B, _REGS[d], _RBP, cell * 4, w)

    def load_wide(self, d, cell):
        self.load_cell(d, cell, True)

    def store_cell(self, s, cell, w=False):
        self._rm(0x89, _REGS[s], _RBP, cell * 4, w)

    def store_wide(self, s, cell):
        self.store_cell(s, cell, True)

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
        self._rm(0x8B, _REGS[d], _RBX, offset, w)

    def store_ctx(self, s, offset, w):
        self._rm(0x89, _REGS[s], _RBX, offset, w)

    # Imported globals, through a pointer that is kept in the context.
    def load_far(self, d, offset, w):
        self._rm(0x8B, _RAX, _RBX, offset, True)
        self._rm(0x8B, _REGS[d], _RAX, 0, w)

    def store_far(self, s, offset, w):
        self._rm(0x8B, _RAX, _RBX, offset, True)
        self._rm(0x89, _REGS[s], _RAX, 0, w)

    # ---- integer arithmetic

    def alu(self, op, d, a, b, w=False):
        d = _REGS[d]
        a = _REGS[a]
        b = _REGS[b]
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

    def alu_wide(self, op, d, a, b):
        self.alu(op, d, a, b, True)

    # The second operand is in a cell.
    def alu_cell(self, op, d, a, cell, w=False):
        self._mov(_REGS[d], _REGS[a], w)
        if op == _MUL:
            self._rm(0x0FAF, _REGS[d], _RBP, cell * 4, w)
        else:
            self._rm(_ALU[op] + 2, _REGS[d], _RBP, cell * 4, w)

    # Whether alu_const_wide can take this constant.
    def fits_wide(self, op, value):
        return op >= _SHL or -0x80000000 <= value < 0x80000000

    def alu_const(self, op, d, a, value, w=False):
        d = _REGS[d]
        a = _REGS[a]
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

    def alu_const_wide(self, op, d, a, value):
        self.alu_const(op, d, a, value, True)

    # Quotient or remainder. The compiler has checked for zero and for overflow of the quotient.
    def divide(self, op, d, a, b, w):
        self._mov(_RAX, _REGS[a], w)
        if op & 1:  # div_s, rem_s
            if w:
                self.code.append(0x48)
            self.code.append(0x99)  # cdq, cqo
            self._rr(0xF7, 7, _REGS[b], w)
        else:
            self._rr(0x31, _RDX, _RDX)
            self._rr(0xF7, 6, _REGS[b], w)
        self._mov(_REGS[d], _RAX if op <= _DIV_U else _RDX, w)

    # clz, ctz, popcnt
    def unary(self, op, d, a, w=False):
        d = _REGS[d]
        a = _REGS[a]
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
        d = _REGS[d]
        a = _REGS[a]
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
        self._rr(0x39, _REGS[b], _REGS[a], w)
        return condition

    def compare_wide(self, condition, a, b):
        return self.compare(condition, a, b, True)

    def compare_const(self, condition, a, value, w=False):
        a = _REGS[a]
        if not value:
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
        self._rm(0x3B, _REGS[a], _RBP, cell * 4, w)
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
        self._rr(0x0FB6, _REGS[d], _RAX, byte=True)

    # d = a if the condition holds, else d stays.
    def select(self, condition, d, a):
        self._rr(0x0F40 | _CODES[condition], _REGS[d], _REGS[a], True)

    select_wide = select

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
        a = _REGS[a]
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
                self._rr(0x01, _REGS[a], _RAX, True)
        elif extent == 1:
            self._rm(0x3B, _REGS[a], _RBX, context.MEMORY_SIZE, True)
            self.branch(_GE_U, traps)
            return
        else:
            self._rm(0x8D, _RAX, _REGS[a], extent, True)
        self._rm(0x3B, _RAX, _RBX, context.MEMORY_SIZE, True)
        self.branch(_GT_U, traps)

    # Base, index and displacement of a checked address.
    def _address(self, a, offset):
        if offset > 0x7FFFFFFF:
            self._imm(_RAX, offset, True)
            if a is not None:
                self._rr(0x01, _REGS[a], _RAX, True)
            return _RAX, 0
        return None if a is None else _REGS[a], offset

    # The access by instruction `op` (0x28…), an offset from the address in register a (None: 0).
    def load(self, op, d, a, offset):
        index, disp = self._address(a, offset)
        w = op == 0x29 or op == 0x2B
        code = 0x8B
        if 0x2C <= op < 0x34:
            code = (0x0FB6 if op & 1 else 0x0FBE) + (op >> 1 & 1)
            w = op == 0x30 or op == 0x32
        elif op == 0x34:
            code = 0x63
            w = True
        self._rm(code, _REGS[d], _R15, disp, w, index)

    def store(self, op, s, a, offset):
        index, disp = self._address(a, offset)
        if op == 0x3A or op == 0x3C:
            self._rm(0x88, _REGS[s], _R15, disp, False, index, byte=True)
        elif op == 0x3B or op == 0x3D:
            self._rm(0x89, _REGS[s], _R15, disp, False, index, 0x66)
        else:
            self._rm(0x89, _REGS[s], _R15, disp, op == 0x37 or op == 0x39, index)

    def does_float(self, op, w):
        return True

    def compares_floats(self, w):
        return True

    # ---- floating point: operands and results are bit patterns in the registers

    def _to_xmm(self, x, s, w):
        self._rr(0x0F6E, x, _REGS[s], w, 0x66)

    def _from_xmm(self, d, x, w):
        self._rr(0x0F7E, x, _REGS[d], w, 0x66)

    # add sub mul div min max copysign
    def float_binary(self, op, d, a, b, w):
        if op == 13:
            self._copysign(d, a, b, w)
            return
        self._to_xmm(0, a, w)
        self._to_xmm(1, b, w)
        if op > 10:
            self._minmax(op, w)
        else:
            self._rr(0x0F00 | _FLOAT[op - 7], 0, 1, False, 0xF2 if w else 0xF3)
        self._from_xmm(d, 0, w)

    # min and max: equal operands differ in the sign of zero at most, so their bits are combined;
    # a NaN on either side makes one.
    def _minmax(self, op, w):
        prefix = 0xF2 if w else 0xF3
        nan = []
        equal = []
        end = []
        self._rr(0x0F2E, 0, 1, False, 0x66 if w else 0)
        self._jump_if(0x8A, nan)
        self._jump_if(0x84, equal)
        self._rr(0x0F00 | _FLOAT[op - 7], 0, 1, False, prefix)
        self.jump(end)
        self.bind(nan)
        self._rr(0x0F58, 0, 1, False, prefix)
        self.jump(end)
        self.bind(equal)
        self._rr(0x0F56 if op == 11 else 0x0F54, 0, 1)
        self.bind(end)

    # abs neg ceil floor trunc nearest sqrt
    def float_unary(self, op, d, a, w):
        if op < 2:
            self._bit(7 if op else 6, _REGS[a], 63 if w else 31, w, _REGS[d])
            return
        self._to_xmm(0, a, w)
        if op == 6:
            self._rr(0x0F51, 0, 0, False, 0xF2 if w else 0xF3)
        else:
            # roundsd, roundss
            self._rr(0x0F3A0B if w else 0x0F3A0A, 0, 0, False, 0x66)
            self.code.append(_ROUND[op - 2])
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
        fits = []
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

    # d = truth of a comparison of floats (eq ne lt gt le ge); one with a NaN is false, but for ne.
    def float_compare(self, op, d, a, b, w):
        if op == 2 or op == 4:
            a, b = b, a
        self._to_xmm(0, a, w)
        self._to_xmm(1, b, w)
        self._rr(0x0F2E, 0, 1, False, 0x66 if w else 0)
        d = _REGS[d]
        if op < 2:
            # equal and ordered, or different or unordered: the parity flag says unordered
            self._rr(0x0F9A if op else 0x0F9B, 0, _RCX, byte=True)
            self._rr(0x0F95 if op else 0x0F94, 0, _RAX, byte=True)
            self._rr(0x09 if op else 0x21, _RCX, _RAX)
        else:
            self._rr(0x0F97 if op < 4 else 0x0F93, 0, _RAX, byte=True)
        self._rr(0x0FB6, d, _RAX, byte=True)

    def _copysign(self, d, a, b, w):
        bit = 63 if w else 31
        self._mov(_RAX, _REGS[b], w)
        self._bit(6, _REGS[a], bit, w, _RCX)
        self._shift(_RAX, bit, w)
        self._rr(0x09, _RAX, _RCX, w)
        self._mov(_REGS[d], _RCX, w)

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

    # Calls the function at an offset, or one that is not known yet (-1), with its frame that many
    # cells up; returns the place of the call.
    def call(self, target, cells):
        self._frame(cells)
        self.call_stub(target)
        place = len(self.code) - 4
        self._frame(-cells)
        return place

    def jump_far(self, target):
        return self._far(0xE9, target)

    def call_stub(self, target):
        self._far(0xE8, target)
        self.site()

    def _far(self, op, target):
        self.code.append(op)
        place = len(self.code)
        self._u32(target - self.base - place - 4 if target >= 0 else 0)
        return place

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
        self.branch(_GE_U, undefined)
        self._rm(0x8B, _RAX, _RBX, at, True)
        code = self.code
        code.append(0x42 if _REGS[a] > 7 else 0x40)
        code.extend(b"\x8b\x04")
        code.append(0x80 | (_REGS[a] & 7) << 3 | _RAX)
        self._rm(0x81, 7, _RBX, 0, False, _RAX)
        self._u32(number)
        self.branch(_NE, mismatch)

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
    def check_stack(self, cells, traps):
        self._rm(0x8D, _RAX, _RBP, cells * 4, True)
        self._rm(0x3B, _RAX, _RBX, context.STACK_END, True)
        self.branch(_GT_U, traps)

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

    # How MicroPython and ctypes enter, and how code leaves. Returns where that is: offsets by
    # name, or by the status that code leaves with.
    def stubs(self):
        stubs = {}
        leaving = []
        done = []
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
        self._u32(-len(code) - 4)
        self._rm(0x89, _RAX, _RBX, context.BASE, True)
        self._rm(0x8B, _RAX, _RBX, context.RESUME, True)
        self._rr(0x85, _RAX, _RAX, True)
        self._jump_if(0x84, leaving)
        code.extend(b"\xff\xe0")  # jmp rax
        self.bind(leaving)
        out = len(code)
        self._rm(0x8B, _RSP, _RBX, context.HOST_STACK, True)
        self._rm(0x89, _RBP, _RBX, context.FRAME, True)
        code.extend(b"\xb8\x01\x00\x00\x00")  # the small int 0
        code.extend(b"\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3")
        for status in (context.CALL, context.INDIRECT, context.OPERATION, context.SUSPENDED):
            stubs[status] = len(code)
            self._rm(0x8F, 0, _RBX, context.RESUME)
            self._rm(0x89, _RAX, _RBX, context.ARG0)
            self._rm(0x89, _RCX, _RBX, context.ARG1)
            self._status(status, out)
        stubs[context.TRAP] = len(code)
        self._rm(0x8F, 0, _RBX, context.TRAP_SITE)
        for i, r in enumerate(_REGS):
            self._rm(0x89, r, _RBX, context.REGISTERS + 8 * i, True)
        self._status(context.TRAP, out)
        # Goes on at TRAP_SITE with the registers as they were.
        stubs["again"] = len(code)
        for i, r in enumerate(_REGS):
            self._rm(0x8B, r, _RBX, context.REGISTERS + 8 * i, True)
        self._rm(0xFF, 4, _RBX, context.TRAP_SITE)
        # How the driver starts a function, whose address is in TRAP_SITE: with one result, which
        # goes from register 0 to the frame, and without.
        stubs["start_result"] = len(code)
        self._rm(0xFF, 2, _RBX, context.TRAP_SITE)
        self.store_wide(0, 0)
        self.jump(done)
        stubs["start"] = len(code)
        self._rm(0xFF, 2, _RBX, context.TRAP_SITE)
        self.bind(done)
        self._status(context.DONE, out)
        return stubs

    def _status(self, status, out):
        self._rm(0xC7, 0, _RBX, context.STATUS)
        self._u32(status)
        self.jump_back(out)
