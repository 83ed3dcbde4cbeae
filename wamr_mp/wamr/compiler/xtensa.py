"""Xtensa (ESP32, ESP32-S2 and S3): what the compiler wants, in those instructions.

The compiler's registers, 0 to 8, are a2 to a10. The others have one purpose each: a11 is scratch,
a12 the linear memory, a13 the fuel, a14 the limit (an address below it has 4 bytes in the memory),
a15 the frame (cells), a1 the C stack, on which the context's address is kept. a0 is the link
register, and a second scratch register between calls. There are no flags: a comparison is
remembered until it is used.

Executable RAM of these chips cannot be read but in aligned words. So numbers in the code are
loaded by l32r, and a table of jumps is made of jumps.
"""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.values import high, low
from wamr.compiler.xtensa_calls import Calls
from wamr.compiler.xtensa_code import add_number, align, emit24, extui, load_number, load_word
from wamr.compiler.xtensa_code import move, ones, rs, rst, rt, s_, slli, srai, srli, ssai, st
from wamr.compiler.xtensa_code import store_word
from wamr.compiler.xtensa_wide import ALU

_T = const(9)
_MEM = const(10)
_LIMIT = const(12)
_FP = const(13)
_U = const(14)
_SP = const(15)

_ADD = const(0x800000)
_ADDX2 = const(0x900000)
_SUB = const(0xC00000)
_AND = const(0x100000)
_OR = const(0x200000)
_XOR = const(0x300000)
_MULL = const(0x820000)
_NEG = const(0x600000)
_MOVEQZ = const(0x830000)
_NSAU = const(0x40F000)
_SEXT = const(0x230000)
# By the shift amount: src takes 32 bits out of two registers. And what sets it.
_SRC = const(0x810000)
_SRL = const(0x910000)
_SRA = const(0xB10000)
_SLL = const(0xA10000)
_SSR = const(0x400000)
_SSL = const(0x401000)
_ADDI = const(0xC002)
_CALL0 = const(0x05)
_J = const(0x06)
_JX = const(0xA0)
# Branches that compare registers; an opposite differs in bit 15.
_LTU = const(0x3007)
_GEU = const(0xB007)
# With zero, and 12 bits for the distance; an opposite differs in bit 6.
_BEQZ = const(0x16)

# Operations and conditions, see numeric.py.
_ADD_OP = const(0)
_MUL_OP = const(2)
_AND_OP = const(7)
_XOR_OP = const(9)
_SHL = const(10)
_SHR_S = const(11)
_SHR_U = const(12)
_ROTL = const(13)
_ROTR = const(14)
_IF_EQ = const(0)
_IF_NE = const(1)
_IF_LT_S = const(4)
_IF_LT_U = const(8)
_IF_GE_U = const(9)
_COPYSIGN = const(13)

# By condition, those that are not made of others: branches that compare registers, with zero (0:
# there is none), and with one of a few numbers; and moves by a comparison with zero.
_CODES = (0x1007, 0x9007, 0, 0, 0x2007, 0xA007, 0, 0, 0x3007, 0xB007)
_ZERO = (0x16, 0x56, 0, 0, 0x96, 0xD6, 0, 0, 0, 0)
_NUMBER = (0x26, 0x66, 0, 0, 0xA6, 0xE6, 0, 0, 0xB6, 0xF6)
_MOVE = (0x830000, 0x930000, 0, 0, 0xA30000, 0xB30000, 0, 0, 0, 0)
_SIGNED = (-1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256)
_UNSIGNED = (32768, 65536, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 32, 64, 128, 256)
# Of loads and stores from 0x28 on: l32i, l8ui, l16si, l16ui, s32i, s8i, s16i; and how much one
# shifts its offset.
_ACCESS = (
    0x2002, 0x2002, 0x2002, 0x2002, 0x0002, 0x0002, 0x9002, 0x1002, 0x0002, 0x0002, 0x9002, 0x1002,
    0x2002, 0x2002, 0x6002, 0x6002, 0x6002, 0x6002, 0x4002, 0x5002, 0x4002, 0x5002, 0x6002,
)  # fmt: skip
_SCALES = b"\2\2\2\2\0\0\1\1\0\0\1\1\2\2\2\2\2\2\0\1\0\1\2"

_len = len  # found faster as a global of this module


class Xtensa(Calls):
    NAME = "xtensawin"
    T = _T
    CONVERTS = b""
    SHIFTS = True

    def begin(self):
        Calls.begin(self)
        self.literals = {}  # numbers in the function's code -> their places

    def align(self):
        align(self.code)

    def registers(self, wide):
        return (5, b"\5\6\7\x08") if wide else (3, b"\3\4\5\6\7\x08")

    def move(self, d, s):
        move(self.code, d, s)

    def const(self, d, value):
        load_number(self.code, self.literals, d, value)

    # ---- words at a constant offset

    def load_at(self, d, base, offset):
        load_word(self.code, d, base, offset)

    def store_at(self, s, base, offset):
        store_word(self.code, s, base, offset, _T if s == _U else _U)

    def load_cell(self, d, cell):
        load_word(self.code, d, _FP, cell * 4)

    def store_cell(self, s, cell):
        store_word(self.code, s, _FP, cell * 4, _T if s == _U else _U)

    # The context's address is on the C stack.
    def load_context(self, d, offset):
        load_word(self.code, d, _SP, 4)
        load_word(self.code, d, d, offset)

    def store_context(self, s, offset):
        base = _U if s == _T else _T
        load_word(self.code, base, _SP, 4)
        store_word(self.code, s, base, offset, _T if s == _U else _U)

    # ---- arithmetic

    # (A shift looks at the lowest five bits of the amount.)
    def alu(self, op, d, a, b):
        code = self.code
        if op < _SHL:
            rst(code, ALU[op], d, a, b)
            return
        s_(code, _SSL if op == _SHL or op == _ROTL else _SSR, b)
        if op >= _ROTL:
            rst(code, _SRC, d, a, a)
        elif op == _SHL:
            rs(code, _SLL, d, a)
        else:
            rt(code, _SRL if op == _SHR_U else _SRA, d, a)

    def alu_const(self, op, d, a, value):
        code = self.code
        if op == _ADD_OP:
            add_number(code, self.literals, d, a, value)
            return
        if op >= _SHL:
            self._shift(op, d, a, value & 31)
            return
        bits = 0
        if op == _AND_OP:
            bits = ones(value & 0xFFFFFFFF)
        elif op == _MUL_OP and value > 0:
            bits = ones(value - 1)
            if bits or value == 1:
                self._shift(_SHL, d, a, bits)
                return
        elif op == _XOR_OP and value == -1:
            rt(code, _NEG, d, a)
            add_number(code, None, d, d, -1)
            return
        if not bits:
            # (Routines count on T with small numbers, and on U with large ones.)
            t = _U if -2048 <= value < 2048 else _T
            self.const(t, value)
            rst(code, ALU[op], d, a, t)
        elif bits <= 16:
            extui(code, d, a, 0, bits)
        else:
            self._shift(_SHL, d, a, 32 - bits)
            self._shift(_SHR_U, d, d, 32 - bits)

    def _shift(self, op, d, a, n):
        code = self.code
        if not n:
            move(code, d, a)
        elif op == _SHL:
            slli(code, d, a, n)
        elif op == _SHR_U:
            srli(code, d, a, n)
        elif op == _SHR_S:
            srai(code, d, a, n)
        else:
            ssai(code, n if op == _ROTR else 32 - n)
            rst(code, _SRC, d, a, a)

    # addx2, addx4, addx8
    def takes_shifted(self, op, shift, n):
        return op == _ADD_OP and shift == _SHL and 0 < n < 4

    # d = a op (b shifted by n)
    def alu_shifted(self, op, d, a, b, shift, n):
        rst(self.code, _ADD + (n << 20), d, b, a)

    def divide(self, op, d, a, b, w):
        rst(self.code, ALU[op], d, a, b)

    # clz, ctz, popcnt
    def unary(self, op, d, a):
        code = self.code
        if op == 0:
            st(code, _NSAU, a, d)
        elif op == 1:
            # The ones below the first one, counted.
            self.alu_const(_ADD_OP, _T, a, -1)
            rst(code, _OR, _U, _T, a)
            rst(code, _XOR, _U, _U, a)
            st(code, _NSAU, _U, _U)
            self.const(_T, 32)
            rst(code, _SUB, d, _T, _U)
        else:
            self._popcnt(d, a)

    # Sums of bits side by side: pairs, nibbles, bytes; then the bytes by a multiplication.
    def _popcnt(self, d, a):
        code = self.code
        srli(code, _T, a, 1)
        self.const(_U, 0x55555555)
        rst(code, _AND, _T, _T, _U)
        rst(code, _SUB, d, a, _T)
        self.const(_U, 0x33333333)
        rst(code, _AND, _T, d, _U)
        srli(code, d, d, 2)
        rst(code, _AND, d, d, _U)
        rst(code, _ADD, d, d, _T)
        srli(code, _T, d, 4)
        rst(code, _ADD, d, d, _T)
        self.const(_U, 0x0F0F0F0F)
        rst(code, _AND, d, d, _U)
        self.const(_U, 0x01010101)
        rst(code, _MULL, d, d, _U)
        srli(code, d, d, 24)

    # d = the lowest 8 or 16 bits of a with their sign
    def sign_extend(self, d, a, bits):
        rs(self.code, _SEXT | bits - 8 << 4, d, a)

    # ---- comparisons

    # What was compared: two registers, or a register and a number.
    def compare(self, condition, a, b):
        self.left = a
        self.right = b
        self.value = None
        return condition

    def compare_const(self, condition, a, value):
        self.left = a
        self.right = None
        self.value = value
        return condition

    # Emits the branch with no distance yet; returns its place.
    def _branch(self, condition):
        a = self.left
        b = self.right
        value = self.value
        if value is not None:
            # a <= n is a < n + 1, but for the largest n.
            if condition & 2 and value != (-1 if condition >= _IF_LT_U else 0x7FFFFFFF):
                value += 1
                condition ^= 3
            place = self._branch_number(condition, a, value)
            if place >= 0:
                return place
            b = _T
            self.const(b, value)
        if condition & 2:  # gt, le
            return self._skip(_CODES[condition ^ 2], b, a)
        return self._skip(_CODES[condition], a, b)

    # The same with a number that has a code, or with zero, which some can be made; or returns -1.
    def _branch_number(self, condition, a, value):
        code = self.code
        if condition & 2:
            return -1
        unsigned = condition >= _IF_LT_U
        numbers = _UNSIGNED if unsigned else _SIGNED
        op = _ZERO[condition]
        if value in numbers:
            op = _NUMBER[condition] | numbers.index(value) << 12
        elif unsigned and value > 0 and not value & value - 1:
            # Less than a power of two: nothing but zeros from there on.
            op = _ZERO[condition & 1]
            if value > 1:
                srli(code, _T, a, ones(value - 1))
                a = _T
        elif (
            value
            and condition <= _IF_NE
            and (-128 < value <= 128 or not value & 0xFF and -0x8000 < value < 0x8000)
        ):
            add_number(code, None, _T, a, -value)
            a = _T
        elif value or not op:
            return -1
        place = _len(code)
        s_(code, op, a)
        return place

    # The truth value.
    def set(self, condition, d):
        code = self.code
        value = self.value
        a = self.left
        t = _U if d == a or d == self.right else d
        if condition == _IF_LT_S and value == 0:
            srli(code, d, a, 31)
            return
        if condition > _IF_NE:
            self.const(t, 1)
            skip = self._branch(condition)
            self.const(t, 0)
            self._land(skip)
            move(code, d, t)
            return
        if value is None:
            rst(code, _SUB, _T, a, self.right)
            a = _T
        elif value:
            self.alu_const(_ADD_OP, _T, a, -value)
            a = _T
        if condition == _IF_EQ:
            # Nothing but 0 has 32 leading zeros.
            st(code, _NSAU, a, d)
            srli(code, d, d, 5)
        else:
            self.const(t, 1)
            rst(code, _MOVEQZ, t, a, a)
            move(code, d, t)

    # d = a if the condition holds
    def select(self, condition, d, a):
        op = _MOVE[condition] if self.value == 0 else 0
        if op:
            rst(self.code, op, d, a, self.left)
        else:
            skip = self._branch(condition ^ 1)
            self.move(d, a)
            self._land(skip)

    # ---- branches

    # A branch over the next few instructions, up to where _land is told of it.
    def _skip(self, op, s, t):
        st(self.code, op, s, t)
        return _len(self.code) - 3

    def _land(self, place):
        self.patch(place, _len(self.code))

    # Forwards; the distance is filled in by patch. A branch that does not reach far goes over a
    # jump.
    def branch(self, condition, label):
        place = self._branch(condition)
        code = self.code
        if code[place] & 0x3F == _BEQZ and not self.far:
            label.append(place)
            return
        self._invert(place)
        self.jump(label)
        self._land(place)

    def branch_registers(self, op, a, b, label):
        skip = self._skip(op ^ 0x8000, a, b)
        self.jump(label)
        self._land(skip)

    def branch_back(self, condition, target):
        place = self._branch(condition)
        n = place - target
        if n < 120 or n < 2040 and self.code[place] & 0x3F == _BEQZ:
            self.patch(place, target)
            return
        self._invert(place)
        self.jump_back(target)
        self._land(place)

    # Makes a branch its opposite.
    def _invert(self, place):
        code = self.code
        if code[place] & 15 == 7:
            code[place + 1] ^= 0x80
        else:
            code[place] ^= 0x40

    def jump(self, label):
        label.append(_len(self.code))
        emit24(self.code, _J)

    def jump_back(self, target):
        place = _len(self.code)
        emit24(self.code, _J)
        self.patch(place, target)

    # Fills in the distance of the branch, jump or call at `place`.
    def patch(self, place, target):
        code = self.code
        kind = code[place] & 0x3F
        n = target - place - 4
        if kind == _J or kind == _CALL0:
            if kind == _CALL0:
                n = target - (place & ~3) - 4 >> 2
            if not -0x20000 <= n < 0x20000:
                raise OverflowError("a module is too large for its jumps")
            code[place] = kind | (n & 3) << 6
            code[place + 1] = n >> 2 & 0xFF
            code[place + 2] = n >> 10 & 0xFF
        elif kind == _BEQZ:
            if not -2048 <= n < 2048:
                raise OverflowError("a function is too large for its branches")
            code[place + 1] = code[place + 1] & 15 | (n & 15) << 4
            code[place + 2] = n >> 4 & 0xFF
        else:
            code[place + 2] = n & 0xFF

    # Goes to one of n cases, by a table of jumps; for anything beyond to another. Returns what
    # `case` is told.
    def jump_table(self, a, n):
        label = []
        if not n:
            return label, 0
        self.branch(self.compare_const(_IF_GE_U, a, n), label)
        code = self.code
        rst(code, _ADDX2, _T, a, a)
        behind = self.find_code()
        rst(code, _ADD, _T, _T, _U)
        st(code, _ADDI | _len(code) + 6 - behind << 16, _T, _T)
        s_(code, _JX, _T)
        base = _len(code)
        for _ in range(n):
            emit24(code, _J)
        return label, base

    # Case i of n (n itself: the other one) goes to target.
    def case(self, table, i, n, target):
        label, base = table
        if i < n:
            self.patch(base + 3 * i, target)
        elif n:
            self.patch(label[0], target)

    # Puts an address of the code into the second scratch register; returns the position there.
    def find_code(self):
        place = _len(self.code)
        emit24(self.code, _CALL0)
        align(self.code)
        self._land(place)
        return place + 3

    # ---- linear memory

    # Traps unless `extent` bytes from the address in register a (None: from 0) are inside.
    # Accesses of fewer than 4 bytes near the end are looked at more closely, out of the way.
    def check(self, a, extent, traps, exact):
        k = extent - 4
        if extent > 0xFFFFFFFF:
            self.jump(traps)  # beyond any memory; what follows is never reached
        elif a is None:
            if extent > self.guaranteed:
                self.load_context(_U, context.MEMORY_SIZE)
                self.const(_T, extent)
                self.branch_registers(_LTU, _U, _T, traps)
        elif k == 0:
            self.branch_registers(_GEU, a, _LIMIT, traps)
        elif k < 0:
            slow = []
            self.branch_registers(_GEU, a, _LIMIT, slow)
            exact.append(slow[0] << 7 | extent << 5 | a)
        elif extent <= self.guaranteed:
            self.alu_const(_ADD_OP, _T, _LIMIT, -k)
            self.branch_registers(_GEU, a, _T, traps)
        else:
            self.alu_const(_ADD_OP, _T, a, k)
            self.branch_registers(_LTU, _T, a, traps)
            self.branch_registers(_GEU, _T, _LIMIT, traps)

    def check_exact(self, note, stubs):
        place = note >> 7
        self.patch(place, self.here())
        self.move(_T, note & 31)
        self.call_stub(stubs[context.EXACT + (note >> 5 & 3)])
        self.jump_back(place + 3)

    # Base register and offset of a checked access to `size` bytes, in units of 1 << scale.
    def _address(self, a, offset, size, scale):
        code = self.code
        offset &= 0xFFFFFFFF
        base = _MEM
        if a is not None:
            rst(code, _ADD, _T, _MEM, a)
            base = _T
        unit = 1 << scale
        last = 255 * unit - size + unit  # the largest offset of an instruction
        if offset <= last and not offset & unit - 1:
            return base, offset
        rest = offset & 0xFF
        if rest & unit - 1 or rest > last:
            rest = 0
        if offset < 0x7F00:
            add_number(code, None, _T, base, offset - rest)
        else:
            self.const(_U, offset - rest)
            rst(code, _ADD, _T, base, _U)
        return _T, rest

    # The access by instruction `op` (0x28…), an offset from the address in register a (None: 0).
    def load(self, op, d, a, offset):
        code = self.code
        both = op == 0x29 or op == 0x2B
        scale = _SCALES[op - 0x28]
        base, offset = self._address(a, offset, 8 if both else 1 << scale, scale)
        lo = low(d)
        if scale == 2:
            load_word(code, lo, base, offset)
        else:
            st(code, _ACCESS[op - 0x28] | offset >> scale << 16, base, lo)
        if op == 0x2C or op == 0x30:
            self.sign_extend(lo, lo, 8)
        if both:
            load_word(code, high(d), base, offset + 4)
        elif d > 0xFF:
            if op & 1:
                self.const(high(d), 0)
            else:
                srai(code, high(d), lo, 31)

    def store(self, op, s, a, offset):
        code = self.code
        both = op == 0x37 or op == 0x39
        scale = _SCALES[op - 0x28]
        base, offset = self._address(a, offset, 8 if both else 1 << scale, scale)
        if scale == 2:
            store_word(code, low(s), base, offset, _U)
        else:
            st(code, _ACCESS[op - 0x28] | offset >> scale << 16, base, low(s))
        if both:
            store_word(code, high(s), base, offset + 4, _U)

    # ---- floating point

    def does_float(self, op, w):
        return op < 2 or op == _COPYSIGN

    # abs, neg
    def float_unary(self, op, d, a, w):
        if w:
            self.move(low(d), low(a))
            d = high(d)
            a = high(a)
        if op:
            self.alu_const(_XOR_OP, d, a, -1 << 31)
        else:
            slli(self.code, d, a, 1)
            srli(self.code, d, d, 1)

    # copysign: the other bits, with another one on top of them.
    def float_binary(self, op, d, a, b, w):
        if w:
            self.move(low(d), low(a))
            d = high(d)
            a = high(a)
            b = high(b)
        code = self.code
        srli(code, _U, b, 31)
        slli(code, d, a, 1)
        ssai(code, 1)
        rst(code, _SRC, d, _U, d)
