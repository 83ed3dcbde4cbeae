"""RISC-V encodings: RV32IM with compressed instructions.

Registers are numbered from x11 on, so that those of the compiler are 0 to 17 (x11 to x28). The
others have one purpose each: t0 is the linear memory, t1 the fuel, t2 the limit (an address below
it has 4 bytes in the memory), s0 the frame (cells), s1 the context, t4 the end of the stack; a0,
t5 and t6 are scratch. There are no flags: a comparison is remembered until it is used.
"""

from wamr.host import array, const
from wamr.compiler import context
from wamr.compiler.pairs import Pairs
from wamr.compiler.values import high, low

_END = const(18)
_U = const(19)
_V = const(20)  # for large offsets only, and where nothing has one
_ZERO = const(21)
_RA = const(22)
_SP = const(23)
_MEM = const(26)
_FUEL = const(27)
_LIMIT = const(28)
_FP = const(29)
_CTX = const(30)
_T = const(31)

# What C code keeps: s0, s1, s2 to s11, ra.
_SAVED = b"\x1d\x1e\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x16"

# Frames of up to this many bytes are checked against a soft end of the stack, by their start only.
_GUARD = const(256)

# The low half of an instruction's fixed bits, and from bit 16 on its highest seven.
_ADD = const(0x000033)
_SUB = const(0x200033)
_SLL = const(0x001033)
_SLT = const(0x002033)
_SLTU = const(0x003033)
_XOR = const(0x004033)
_SRL = const(0x005033)
_OR = const(0x006033)
_MUL = const(0x010033)
_MULHU = const(0x013033)
_ADDI = const(0x0013)
_SLTI = const(0x2013)
_SLTIU = const(0x3013)
_XORI = const(0x4013)
_ANDI = const(0x7013)
_LW = const(0x2003)
_SW = const(0x2023)
_JALR = const(0x0067)
_LUI = const(0x37)
_AUIPC = const(0x17)

# By operation, see numeric.py: add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u.
_ALU = (
    0x000033, 0x200033, 0x010033, 0x014033, 0x015033, 0x016033, 0x017033, 0x007033, 0x006033,
    0x004033, 0x001033, 0x205033, 0x005033,
)  # fmt: skip
_IMMEDIATE = (0x0013, 0, 0, 0, 0, 0, 0, 0x7013, 0x6013, 0x4013, 0x1013, 0x5013, 0x5013)
# Those that have a form of 16 bits, in its order; and those whose operands can be swapped.
_SHORT = (0x200033, 0x004033, 0x006033, 0x007033)
_COMMUTE = (0x000033, 0x004033, 0x006033, 0x007033)
# Of loads and stores from 0x28 on.
_ACCESS = (
    0x2003, 0x2003, 0x2003, 0x2003, 0x0003, 0x4003, 0x1003, 0x5003,
    0x0003, 0x4003, 0x1003, 0x5003, 0x2003, 0x2003,
    0x2023, 0x2023, 0x2023, 0x2023, 0x0023, 0x1023, 0x0023, 0x1023, 0x2023,
)  # fmt: skip
_ADD_OP = const(0)
_MUL_OP = const(2)
_AND_OP = const(7)
_SHL = const(10)
_SHR_S = const(11)
_ROTL = const(13)
_ROTR = const(14)
# Conditions of branches by the compiler's (see numeric.py); an odd one is the opposite of the one
# before. The others swap operands.
_CODES = b"\x00\x01\x00\x00\x04\x05\x00\x00\x06\x07"
_EQ = const(0)
_NE = const(1)
_LT_U = const(8)
_GE_U = const(9)


_len = len  # found faster as a global of this module


# Whether an instruction holds this number.
def _short(value):
    return -0x800 <= value < 0x800


# How many bits a mask of the lowest bits has, if it has more than 11; or 0.
def _mask(value):
    if value < 0 or value & (value + 1):
        return 0
    n = 12
    while n < 32:
        if value >> n == 0:
            return n if value >> (n - 1) else 0
        n += 1
    return 0


class RV32(Pairs):
    NAME = "rv32imc"
    UNIT = 2
    T = _T
    GUARD = 640  # twice _GUARD, for a function and what it calls, and what the suspend stub saves

    def buffer(self, n):
        return array("H", bytes(2 * n))

    def registers(self, wide):
        return (8, bytes(range(8, 18))) if wide else (6, bytes(range(6, 18)))

    # ---- encoding

    def _32(self, first, second):
        code = self.code
        code.append(first)
        code.append(second)

    def _r(self, op, d, a, b):
        if d == b and op in _COMMUTE:
            b = a
            a = d
        d = d + 11 & 31
        a = a + 11 & 31
        b = b + 11 & 31
        if not self._compressed(op, d, a, b):
            self._32(op & 0xFFFF | d << 7 | (a & 1) << 15, a >> 1 | b << 4 | op >> 16 << 9)

    def _i(self, op, d, a, n):
        d = d + 11 & 31
        a = a + 11 & 31
        n = (n + 0x800 & 0xFFF) - 0x800
        if not self._compressed(op, d, a, n):
            self._32(op | d << 7 | (a & 1) << 15, a >> 1 | (n & 0xFFF) << 4)

    # Stores, and with their kind of immediate: branches, whose distance is filled in later.
    def _s(self, op, s, a, n):
        s = s + 11 & 31
        a = a + 11 & 31
        n = (n + 0x800 & 0xFFF) - 0x800
        if not self._compressed(op, s, a, n):
            self._32(op | (n & 31) << 7 | (a & 1) << 15, a >> 1 | s << 4 | (n >> 5 & 0x7F) << 9)

    # The form of 16 bits, if there is one. These are machine registers; n is the second operand,
    # a register or a signed number.
    def _compressed(self, op, d, a, n):
        word = 0
        if op == _ADDI:
            if not n and a:
                word = 0x8002 | a << 2
            elif -32 <= n < 32 and (a == d or not a):
                word = (0x0001 if a else 0x4001) | (n & 32) << 7 | (n & 31) << 2
        elif op == _ADD:
            if d == a:
                word = 0x9002 | n << 2
        elif op == 0x1013:
            if d == a:
                word = 0x0002 | n << 2
        elif op == _JALR:
            if not n and d < 2:
                word = 0x8002 | d << 12 | a << 7
                d = 0
        elif d & 0x18 != 8:
            return False
        elif op == _LW or op == _SW:
            if a & 0x18 == 8 and 0 <= n < 128 and not n & 3:
                word = (0x4000 if op == _LW else 0xC000) | (n & 0x38) << 7
                word |= (n & 4) << 4 | (n & 0x40) >> 1 | (d & 7) << 2
                d = a & 7
        elif d == a:
            d &= 7
            if op == 0x5013:
                word = 0x8001 | n & 0x400 | (n & 31) << 2
            elif op == _ANDI:
                if -32 <= n < 32:
                    word = 0x8801 | (n & 32) << 7 | (n & 31) << 2
            elif n & 0x18 == 8 and op in _SHORT:
                word = 0x8C01 | _SHORT.index(op) << 5 | (n & 7) << 2
        if not word:
            return False
        word |= d << 7
        self.code.append(word)
        return True

    def _upper(self, op, d, n):
        self._32(op | (d + 11 & 31) << 7 | (n & 15) << 12, n >> 4)

    def move(self, d, s):
        if d != s:
            self._i(_ADDI, d, s, 0)

    def const(self, d, value):
        if -0x800 <= value < 0x800:
            self._i(_ADDI, d, _ZERO, value)
            return
        self._upper(_LUI, d, value + 0x800 >> 12 & 0xFFFFF)
        if value & 0xFFF:
            self._i(_ADDI, d, d, value)

    # ---- loads and stores with a constant offset

    def load_at(self, d, base, offset):
        if offset >= 2048:
            base = self._far_base(base, offset)
        self._i(_LW, d, base, offset)

    def store_at(self, s, base, offset):
        if offset >= 2048:
            base = self._far_base(base, offset)
        self._s(_SW, s, base, offset)

    # A register to which the lowest 12 bits of the offset, as a signed number, are added.
    def _far_base(self, base, offset):
        self._upper(_LUI, _V, offset + 0x800 >> 12)
        self._r(_ADD, _V, _V, base)
        return _V

    def load_cell(self, d, cell):
        self.load_at(d, _FP, cell * 4)

    def store_cell(self, s, cell):
        self.store_at(s, _FP, cell * 4)

    def load_context(self, d, offset):
        self.load_at(d, _CTX, offset)

    def store_context(self, s, offset):
        self.store_at(s, _CTX, offset)

    # Zeros come from the register that is always zero.
    def store_const(self, value, cell):
        if value:
            self.const(_T, value)
        self.store_cell(_T if value else _ZERO, cell)

    # ---- arithmetic

    # (Machine shifts look at the lowest five bits of the amount.)
    def alu(self, op, d, a, b):
        if op >= _ROTL:
            left = op == _ROTL
            self._r(_SUB, _U, _ZERO, b)
            self._r(_SLL if left else _SRL, _T, a, b)
            self._r(_SRL if left else _SLL, _U, a, _U)
            self._r(_OR, d, _T, _U)
        else:
            self._r(_ALU[op], d, a, b)

    def alu_const(self, op, d, a, value):
        if op >= _SHL:
            n = (value if op != _ROTR else -value) & 31
            if not n:
                self.move(d, a)
            elif op >= _ROTL:
                self._i(0x1013, _T, a, n)
                self._i(0x5013, d, a, 32 - n)
                self._r(_OR, d, d, _T)
            else:
                self._i(_IMMEDIATE[op], d, a, n | 0x400 if op == _SHR_S else n)
        elif op == _MUL_OP:
            if value > 0 and not value & value - 1:
                n = 0
                while value >> n != 1:
                    n += 1
                self.alu_const(_SHL, d, a, n)
            else:
                self._alu_large(op, d, a, value)
        elif -0x800 <= value < 0x800:
            if value or op == _AND_OP:
                self._i(_IMMEDIATE[op], d, a, value)
            else:
                self.move(d, a)
        elif op == _ADD_OP and -0x1000 <= value < 0xFFF:
            half = 2047 if value > 0 else -2048
            self._i(_ADDI, d, a, half)
            self._i(_ADDI, d, d, value - half)
        else:
            n = _mask(value) if op == _AND_OP else 0
            if n:
                self._i(0x1013, d, a, 32 - n)
                self._i(0x5013, d, d, 32 - n)
            else:
                self._alu_large(op, d, a, value)

    def _alu_large(self, op, d, a, value):
        self.const(_T, value)
        self.alu(op, d, a, _T)

    # d = a | (s shifted by n)
    def or_shifted(self, d, a, op, s, n):
        self._i(_IMMEDIATE[op], _U, s, n)
        self._r(_OR, d, a, _U)

    # clz, ctz, popcnt
    def unary(self, op, d, a):
        if op == 2:
            self._popcnt(d, a)
        else:
            self._count_zeros(d, a, op == 0)

    # d = the lowest 8 or 16 bits of a with their sign
    def sign_extend(self, d, a, bits):
        self._i(0x1013, d, a, 32 - bits)
        self._i(0x5013, d, d, 0x400 | 32 - bits)

    # Halves the place where the first one can be: five times, and once more for 0.
    def _count_zeros(self, d, a, leading):
        away, back = (0x5013, 0x1013) if leading else (0x1013, 0x5013)
        self.move(_T, a)
        self.const(d, 0)
        n = 16
        while n:
            self._i(away, _U, _T, 32 - n)
            skip = self._skip(1, _U, _ZERO)
            self._i(back, _T, _T, n)
            self._i(_ADDI, d, d, n)
            self._land(skip)
            n >>= 1
        self._i(_SLTIU, _T, _T, 1)
        self._r(_ADD, d, d, _T)

    # Sums of bits side by side: pairs, nibbles, bytes; then the bytes by a multiplication.
    def _popcnt(self, d, a):
        self._i(0x5013, _T, a, 1)
        self.const(_V, 0x55555555)
        self._r(0x7033, _T, _T, _V)
        self._r(_SUB, _T, a, _T)
        self.const(_V, 0x33333333)
        self._r(0x7033, _U, _T, _V)
        self._i(0x5013, _T, _T, 2)
        self._r(0x7033, _T, _T, _V)
        self._r(_ADD, _T, _T, _U)
        self._i(0x5013, _U, _T, 4)
        self._r(_ADD, _T, _T, _U)
        self.const(_V, 0x0F0F0F0F)
        self._r(0x7033, _T, _T, _V)
        self.const(_V, 0x01010101)
        self._r(_MUL, _T, _T, _V)
        self._i(0x5013, d, _T, 24)

    def divide(self, op, d, a, b, w):
        self._r(_ALU[op], d, a, b)

    # ---- pairs

    # The carry of a sum is what makes it less than either operand.
    def add_pairs(self, op, d, a, b):
        al, bl, dl, dh = low(a), low(b), low(d), high(d)
        if op:
            self._r(_SLTU, _T, al, bl)
            self._r(_SUB, dl, al, bl)
        elif dl == al and dl == bl:
            self._i(0x5013, _T, al, 31)
            self._r(_ADD, dl, al, bl)
        else:
            self._r(_ADD, dl, al, bl)
            self._r(_SLTU, _T, dl, bl if dl == al else al)
        self._r(_ALU[op], dh, high(a), high(b))
        self._r(_ALU[op], dh, dh, _T)

    def fits_pairs(self, lo, hi):
        return _short(lo) and _short(hi)

    def add_pairs_const(self, d, a, lo, hi):
        self.alu_const(_ADD_OP, low(d), low(a), lo)
        if lo:
            self._i(_SLTIU, _T, low(d), lo)
        self.alu_const(_ADD_OP, high(d), high(a), hi)
        if lo:
            self._r(_ADD, high(d), high(d), _T)

    def mul_pairs(self, d, a, b):
        self._r(_MULHU, _T, low(a), low(b))
        self._r(_MUL, _U, high(a), low(b))
        self._r(_ADD, _T, _T, _U)
        self._r(_MUL, _U, low(a), high(b))
        self._r(_MUL, low(d), low(a), low(b))
        self._r(_ADD, high(d), _T, _U)

    # Shifts by a variable amount: s is a register of its own for this. Bit 5 of the amount says
    # that one word goes to the other.
    def shift_pairs(self, op, d, a, b, s):
        if low(d) == low(b):
            self.move(s, low(b))
        else:
            s = low(b)
        shift = _ALU[op]
        if op == _SHL:
            back, once, x, y, dx, dy = _SRL, 0x5013, high(a), low(a), high(d), low(d)
        else:
            back, once, x, y, dx, dy = _SLL, 0x1013, low(a), high(a), low(d), high(d)
        self._i(0x1013, _T, s, 26)
        other = self._skip(4, _T, _ZERO)
        # dx = x << s | y >> 1 >> (31 - s); dy = y << s
        self._i(_XORI, _T, s, -1)
        self._i(once, _U, y, 1)
        self._r(back, _U, _U, _T)
        self._r(_SRL if op != _SHL else _SLL, dx, x, s)
        self._r(_OR, dx, dx, _U)
        self._r(shift, dy, y, s)
        end = self._skip(0, _ZERO, _ZERO)
        self._land(other)
        self._r(shift, dx, y, s)
        if op == _SHR_S:
            self._i(0x5013, dy, y, 0x41F)
        else:
            self.const(dy, 0)
        self._land(end)

    # ---- what routines need besides

    # d = n bits of a, from bit `start` on.
    def bits(self, d, a, start, n):
        if start + n < 32:
            self._i(0x1013, d, a, 32 - start - n)
            a = d
        self._i(0x5013, d, a, 32 - n)

    # Shift by a register that holds less than 32.
    def shift_by(self, op, d, a, n):
        self._r(_ALU[op], d, a, n)

    # hi:lo = a * b, or plus that.
    def umull(self, lo, hi, a, b):
        self._r(_MULHU, _T, a, b)
        self._r(_MUL, lo, a, b)
        self.move(hi, _T)

    def umlal(self, lo, hi, a, b):
        self._r(_MUL, _T, a, b)
        self._r(_MULHU, _U, a, b)
        self._r(_ADD, lo, lo, _T)
        self._r(_SLTU, _T, lo, _T)
        self._r(_ADD, hi, hi, _U)
        self._r(_ADD, hi, hi, _T)

    # hi:lo >>= n (op: by shr_u or shr_s) for n < 32; out: what is shifted out, from the top.
    # (Shifts by 32 - n are made of two, as n may be 0.)
    def shift_out(self, op, hi, lo, out, n):
        self._i(_XORI, _T, n, -1)
        self._i(0x1013, out, lo, 1)
        self._r(_SLL, out, out, _T)
        self._r(_SRL, lo, lo, n)
        self._i(0x1013, _U, hi, 1)
        self._r(_SLL, _U, _U, _T)
        self._r(_OR, lo, lo, _U)
        self._r(_ALU[op], hi, hi, n)

    # hi:lo <<= n for n < 32, filled with the top of `fill`, which is shifted too; s is scratch.
    def shift_in(self, hi, lo, fill, n, s):
        self._i(_XORI, _T, n, -1)
        self._r(_SLL, hi, hi, n)
        self._i(0x5013, s, lo, 1)
        self._r(_SRL, s, s, _T)
        self._r(_OR, hi, hi, s)
        self._r(_SLL, lo, lo, n)
        self._i(0x5013, s, fill, 1)
        self._r(_SRL, s, s, _T)
        self._r(_OR, lo, lo, s)
        self._r(_SLL, fill, fill, n)

    # A routine that uses the registers below n, of which it keeps those that its callers keep
    # locals in (see registers), and words on the stack.
    def enter_routine(self, wide, n, words=0):
        self.kept = range(self.registers(wide)[0], n)
        self.words = words
        words += len(self.kept)
        if words:
            self._i(_ADDI, _SP, _SP, -words * 4 & ~15)
        for i, r in enumerate(self.kept):
            self._s(_SW, r, _SP, 4 * (i + self.words))

    def leave_routine(self):
        words = len(self.kept) + self.words
        for i, r in enumerate(self.kept):
            self._i(_LW, r, _SP, 4 * (i + self.words))
        if words:
            self._i(_ADDI, _SP, _SP, words * 4 + 15 & ~15)
        self._i(_JALR, _ZERO, _RA, 0)

    def store_word(self, s, i):
        self._s(_SW, s, _SP, 4 * i)

    def load_word(self, d, i):
        self._i(_LW, d, _SP, 4 * i)

    # ---- comparisons and branches

    # What was compared: two registers, or a register and a constant.
    def compare(self, condition, a, b):
        self.left = a
        self.right = b
        self.value = None
        return condition

    def compare_const(self, condition, a, value):
        self.left = a
        self.right = _ZERO
        self.value = value
        return condition

    def compare_wide(self, condition, a, b):
        if condition <= _NE:
            self._r(_XOR, _T, low(a), low(b))
            self._r(_XOR, _U, high(a), high(b))
            self._r(_OR, _T, _T, _U)
            return self.compare_const(condition, _T, 0)
        if condition & 2:  # gt, le
            condition ^= 2
            a, b = b, a
        self._r(_SLTU, _T, low(a), low(b))
        skip = self._skip(0, high(a), high(b))
        self._r(_SLT if condition < _LT_U else _SLTU, _T, high(a), high(b))
        self._land(skip)
        return self.compare_const(_EQ if condition & 1 else _NE, _T, 0)

    # With zero, for equality.
    def compare_const_wide(self, condition, a, value):
        self._r(_OR, _T, low(a), high(a))
        return self.compare_const(condition, _T, 0)

    # The operands in registers, swapped if need be.
    def _operands(self, condition):
        b = self.right
        if self.value:
            b = _T
            self.const(b, self.value)
        if condition & 2:  # gt, le
            return condition ^ 2, b, self.left
        return condition, self.left, b

    # The truth value.
    def set(self, condition, d):
        if condition <= _NE:
            a = self.left
            if self.value is None:
                self._r(_XOR, d, a, self.right)
                a = d
            elif self.value and _short(self.value):
                self._i(_XORI, d, a, self.value)
                a = d
            elif self.value:
                self.const(_T, self.value)
                self._r(_XOR, d, a, _T)
                a = d
            if condition == _EQ:
                self._i(_SLTIU, d, a, 1)
            else:
                self._r(_SLTU, d, _ZERO, a)
            return
        value = self.value
        less = _SLT if condition < _LT_U else _SLTU
        if value is not None:
            # a <= n is a < n + 1, but for the largest n.
            largest = 0x7FFFFFFF if less == _SLT else -1
            if condition & 2 and value != largest:
                value += 1
                condition ^= 3
            if not condition & 2 and _short(value):
                self._i(_SLTI if less == _SLT else _SLTIU, d, self.left, value)
                if condition & 1:
                    self._i(_XORI, d, d, 1)
                return
            self.value = value
        condition, a, b = self._operands(condition)
        self._r(less, d, a, b)
        if condition & 1:
            self._i(_XORI, d, d, 1)

    # d = a if the condition holds
    def select(self, condition, d, a):
        if d != a:
            skip = self._skip_unless(condition)
            self.move(d, a)
            self._land(skip)

    def select_wide(self, condition, d, a):
        skip = self._skip_unless(condition)
        self.move_wide(d, a)
        self._land(skip)

    def _skip_unless(self, condition):
        condition, a, b = self._operands(condition)
        return self._skip(_CODES[condition] ^ 1, a, b)

    # A branch over the next few instructions, up to where _land is told of it.
    def _skip(self, code, a, b):
        self._s(0x63 | code << 12, b, a, 0)
        return _len(self.code) - 2

    def _land(self, place):
        self.patch(place, _len(self.code))

    # Forwards; the distance is filled in by patch.
    def branch(self, condition, label):
        condition, a, b = self._operands(condition)
        self._branch(_CODES[condition], a, b, label)

    # What is too far away is reached by a jump that the opposite branches over.
    def _branch(self, code, a, b, label):
        if self.far:
            skip = self._skip(code ^ 1, a, b)
            self.jump(label)
            self._land(skip)
        else:
            label.append(_len(self.code))
            self._s(0x63 | code << 12, b, a, 0)

    def branch_back(self, condition, target):
        condition, a, b = self._operands(condition)
        code = _CODES[condition]
        if target - _len(self.code) < -2048:
            skip = self._skip(code ^ 1, a, b)
            self.jump_back(target)
            self._land(skip)
        else:
            self.patch(self._skip(code, a, b), target)

    def jump(self, label):
        label.append(_len(self.code))
        self._upper(0x6F, _ZERO, 0)

    def jump_back(self, target):
        self._upper(0x6F, _ZERO, 0)
        self.patch(_len(self.code) - 2, target)

    # Fills in the distance of the branch or jump at `place`.
    def patch(self, place, target):
        code = self.code
        n = target - place << 1
        sign = n >> 31 & 1
        if code[place] & 0x7F == 0x63:
            if not -4096 <= n < 4096:
                raise OverflowError("a function is too large for its branches")
            code[place] = code[place] & 0xF07F | (n >> 11 & 1) << 7 | (n >> 1 & 15) << 8
            code[place + 1] = code[place + 1] & 0x1FF | (n >> 5 & 63) << 9 | sign << 15
            return
        if not -0x100000 <= n < 0x100000:
            raise OverflowError("a module is too large for its jumps")
        code[place] = code[place] & 0xFFF | n & 0xF000
        code[place + 1] = n >> 16 & 15 | (n >> 11 & 1) << 4 | (n >> 1 & 0x3FF) << 5 | sign << 15

    # Goes to one of n cases, by a table of jumps; for anything beyond to another. Returns what
    # `case` is told.
    def jump_table(self, a, n):
        label = []
        if not n:
            return label, 0
        self.branch(self.compare_const(_GE_U, a, n), label)
        self._i(0x1013, _T, a, 2)
        at = _len(self.code)
        self._upper(_AUIPC, _U, 0)
        self._r(_ADD, _U, _U, _T)
        self._i(_JALR, _ZERO, _U, 2 * (_len(self.code) + 2 - at))
        base = _len(self.code)
        for _ in range(n):
            self._upper(0x6F, _ZERO, 0)
        return label, base

    # Case i of n (n itself: the other one) goes to target.
    def case(self, table, i, n, target):
        label, base = table
        if i < n:
            self.patch(base + 2 * i, target)
        elif n:
            self.patch(label[0], target)

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
                self._branch(6, _U, _T, traps)
        elif k == 0:
            self._branch(7, a, _LIMIT, traps)
        elif k < 0:
            slow = []
            self._branch(7, a, _LIMIT, slow)
            exact.append(slow[0] << 7 | extent << 5 | a)
        elif extent <= self.guaranteed:
            if k <= 2048:
                self._i(_ADDI, _T, _LIMIT, -k)
            else:
                self.const(_T, k)
                self._r(_SUB, _T, _LIMIT, _T)
            self._branch(7, a, _T, traps)
        else:
            self.const(_T, k)
            self._r(_ADD, _T, _T, a)
            self._branch(6, _T, a, traps)
            self._branch(7, _T, _LIMIT, traps)

    def check_exact(self, note, stubs):
        place = note >> 7
        self.patch(place, self.here())
        self.move(_T, note & 31)
        self.call_stub(stubs[context.EXACT + (note >> 5 & 3)])
        self.jump_back(place + 2)

    # Comes back if `extent` bytes from the address in the scratch register are in the memory.
    def _exact_stub(self, extent, trap):
        self.load_context(_U, context.MEMORY_SIZE)
        self._i(_ADDI, _V, _U, -extent)
        self._branch(6, _U, _V, trap)
        self._branch(6, _V, _T, trap)
        self._i(_JALR, _ZERO, _RA, 0)

    # Base register and offset of a checked access.
    def _address(self, a, offset, size):
        offset &= 0xFFFFFFFF
        if offset + size <= 2048:
            if a is None:
                return _MEM, offset
            self._r(_ADD, _T, _MEM, a)
            return _T, offset
        self._upper(_LUI, _T, offset + 0x800 >> 12 & 0xFFFFF)
        if a is not None:
            self._r(_ADD, _T, _T, a)
        self._r(_ADD, _T, _T, _MEM)
        offset = (offset + 0x800 & 0xFFF) - 0x800
        if offset + size > 2048:
            self._i(_ADDI, _T, _T, offset)
            offset = 0
        return _T, offset

    # The access by instruction `op` (0x28…), an offset from the address in register a (None: 0).
    def load(self, op, d, a, offset):
        both = op == 0x29 or op == 0x2B
        base, offset = self._address(a, offset, 8 if both else 4)
        code = _ACCESS[op - 0x28]
        self._i(code, low(d), base, offset)
        if both:
            self._i(_LW, high(d), base, offset + 4)
        elif d > 0xFF:
            if op & 1:
                self.const(high(d), 0)
            else:
                self.alu_const(_SHR_S, high(d), low(d), 31)

    def store(self, op, s, a, offset):
        both = op == 0x37 or op == 0x39
        base, offset = self._address(a, offset, 8 if both else 4)
        self._s(_ACCESS[op - 0x28], low(s), base, offset)
        if both:
            self._s(_SW, high(s), base, offset + 4)

    # ---- floating point

    def does_float(self, op, w):
        return op < 2 or op == 13

    # abs, neg
    def float_unary(self, op, d, a, w):
        if w:
            self.move(low(d), low(a))
            d = high(d)
            a = high(a)
        if op:
            self._upper(_LUI, _T, 0x80000)
            self._r(_XOR, d, a, _T)
        else:
            self._i(0x1013, d, a, 1)
            self._i(0x5013, d, d, 1)

    # copysign
    def float_binary(self, op, d, a, b, w):
        if w:
            self.move(low(d), low(a))
            b = high(b)
        self._i(0x5013, _T, b, 31)
        self._i(0x1013, _T, _T, 31)
        self.float_unary(0, high(d) if w else d, high(a) if w else a, 0)
        d = high(d) if w else d
        self._r(_OR, d, d, _T)

    # ---- calls and stubs

    def _frame(self, cells):
        if cells:
            self.alu_const(_ADD_OP, _FP, _FP, cells * 4)

    # Calls the function at an offset, or one that is not known yet (-1), with its frame that many
    # cells up; returns the place of the call.
    def call(self, target, cells):
        self._frame(cells)
        place = self.here()
        self.call_stub(target)
        self._frame(-cells)
        return place

    def call_routine(self, target):
        return self.call(target, 0)

    def jump_far(self, target):
        return self._far(_ZERO, target)

    def call_stub(self, target):
        self._far(_RA, target)
        self.site()

    def _far(self, link, target):
        place = self.here()
        self._upper(0x6F, link, 0)
        if target >= 0:
            self.patch(place, target - self.base >> 1)
        return place

    # Leaves the function's entry in the second scratch register.
    def find_entry(self, a, table, length, number, undefined, mismatch):
        at = context.TABLES + 16 * table
        if length is None:
            self.load_context(_U, at + 8)
            self._branch(7, a, _U, undefined)
        else:
            self.branch(self.compare_const(_GE_U, a, length), undefined)
        self.load_context(_U, at)
        self._i(0x1013, _T, a, 2)
        self._r(_ADD, _U, _U, _T)
        self._i(_LW, _U, _U, 0)
        self._i(_LW, _V, _U, 0)
        self.branch(self.compare_const(_NE, _V, number), mismatch)

    def call_entry(self, cells):
        self._frame(cells)
        self._i(_LW, _T, _U, 8)
        self._i(_JALR, _RA, _T, 0)
        self.site()
        self._frame(-cells)

    def jump_entry(self):
        self._i(_LW, _T, _U, 8)
        self._i(_JALR, _ZERO, _T, 0)

    def check_stack(self, cells, traps):
        if cells * 4 > _GUARD:
            self.const(_T, cells * 4 - _GUARD)
            self._r(_ADD, _T, _T, _FP)
            self._branch(6, _END, _T, traps)
        elif not self.is_leaf:
            self._branch(6, _END, _FP, traps)

    def enter_function(self, cell):
        self.store_cell(_RA, cell)

    def leave_function(self, cell):
        self.load_cell(_RA, cell)
        self._i(_JALR, _ZERO, _RA, 0)

    def leave_with(self, cell, source, n):
        self.replace_frame(cell, source, n)
        self._i(_JALR, _ZERO, _RA, 0)

    def replace_frame(self, cell, source, n):
        self.load_cell(_RA, cell)
        self.copy_cells(0, source, n)

    # A jump over what burn_fuel makes.
    def skip_fuel(self):
        self.code.append(0xA031 if self.far else 0xA021)  # c.j

    def burn_fuel(self, label):
        self._i(_ADDI, _FUEL, _FUEL, -1)
        self._branch(4, _FUEL, _ZERO, label)

    def leave(self, stub, arg0=None, arg1=None):
        if arg0 is not None:
            self.const(0, arg0)
            self.const(1, arg1)
        self.call_stub(stub)

    # Returns where they are: offsets by name, or by the status that code leaves with.
    def stubs(self):
        stubs = {}
        done = []
        trap = []
        leaving = []
        self._i(_ADDI, _SP, _SP, -64)
        for i, r in enumerate(_SAVED):
            self._s(_SW, r, _SP, 4 * i)
        # The fourth argument of a viper function is the array of its arguments: a small int, the
        # context's address shifted right by two.
        self._i(_LW, _CTX, 2, 0)
        self._i(_ANDI, _CTX, _CTX, -2)
        self._r(_ADD, _CTX, _CTX, _CTX)
        self.load_context(_FP, context.FRAME)
        self.load_context(_END, context.STACK_END)
        self.load_context(_MEM, context.MEMORY)
        self.load_context(_FUEL, context.FUEL)
        self.load_context(_LIMIT, context.LIMIT)
        at = self.here() * 2
        self._upper(_AUIPC, _T, 0)
        self._i(_ADDI, _T, _T, -at)
        self.store_context(_T, context.BASE)
        self.load_context(_T, context.RESUME)
        self._branch(0, _T, _ZERO, leaving)
        self._i(_JALR, _ZERO, _T, 0)
        for status in (context.CALL, context.INDIRECT, context.OPERATION, context.SUSPENDED):
            stubs[status] = 2 * self.here()
            self.store_context(_RA, context.RESUME)
            self.store_context(0, context.ARG0)
            self.store_context(1, context.ARG1)
            self.const(2, status)
            self.jump(leaving)
        stubs["suspend"] = 2 * self.here()
        self._suspend_stub(stubs[context.SUSPENDED])
        for extent in (1, 2, 3):
            stubs[context.EXACT + extent] = 2 * self.here()
            self._exact_stub(extent, trap)
        self.bind(trap)
        stubs[context.TRAP] = 2 * self.here()
        self.store_context(_RA, context.TRAP_SITE)
        for r in range(18):
            self.store_context(r, context.REGISTERS + 4 * r)
        self.const(2, context.TRAP)
        self.jump(leaving)
        # Goes on at TRAP_SITE with the registers as they were.
        stubs["again"] = 2 * self.here()
        for r in range(18):
            self.load_context(r, context.REGISTERS + 4 * r)
        self.load_context(_T, context.TRAP_SITE)
        self._i(_JALR, _ZERO, _T, 0)
        # How the driver starts a function, whose address is in TRAP_SITE: with one result, which
        # goes from registers 0 and 1 to the frame, and without.
        stubs["start_result"] = 2 * self.here()
        self.load_context(_T, context.TRAP_SITE)
        self._i(_JALR, _RA, _T, 0)
        self.store_cell(0, 0)
        self.store_cell(1, 1)
        self.jump(done)
        stubs["start"] = 2 * self.here()
        self.load_context(_T, context.TRAP_SITE)
        self._i(_JALR, _RA, _T, 0)
        self.bind(done)
        self.const(2, context.DONE)
        self.bind(leaving)
        self.store_context(2, context.STATUS)
        self.store_context(_FP, context.FRAME)
        self.store_context(_FUEL, context.FUEL)
        self.const(_T, 1)  # the small int 0
        for i, r in enumerate(_SAVED):
            self._i(_LW, r, _SP, 4 * i)
        self._i(_ADDI, _SP, _SP, 64)
        self._i(_JALR, _ZERO, _RA, 0)
        return stubs

    # Before it leaves as suspended, this saves what functions keep in registers, as many bytes
    # above the frame as register 0 says: the return address, and from cell 2 on the registers.
    # (See Activation.trace.)
    def _suspend_stub(self, leave):
        self._r(_ADD, _FP, _FP, 0)
        self.store_cell(_RA, 0)
        for r in range(18):
            self.store_cell(r, 2 + r)
        self.call_stub(leave)
        self.load_cell(_RA, 0)
        for r in range(18):
            self.load_cell(r, 2 + r)
        self._r(_SUB, _FP, _FP, 0)
        self._i(_JALR, _ZERO, _RA, 0)
