"""RISC-V encodings: RV32IM with compressed instructions.

Registers are numbered from x11 on, so that those of the compiler are 0 to 17 (x11 to x28). The
others have one purpose each: t0 is the linear memory, t1 the fuel, t2 the limit (an address below
it has 4 bytes in the memory), s0 the frame (cells), s1 the context, t4 the end of the stack; a0,
t5 and t6 are scratch. There are no flags: a comparison is remembered until it is used.
"""

from ..host import const
from . import context
from .pairs import Pairs
from .values import high, low

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

_ALU = {
    "add": 0x000033, "sub": 0x200033, "shl": 0x001033, "xor": 0x004033, "shr_u": 0x005033,
    "shr_s": 0x205033, "or": 0x006033, "and": 0x007033, "mul": 0x010033,
}  # fmt: skip
# Those that have a form of 16 bits, in its order; and those whose operands can be swapped.
_SHORT = (0x200033, 0x004033, 0x006033, 0x007033)
_COMMUTE = (0x000033, 0x004033, 0x006033, 0x007033)
_IMMEDIATE = {"add": 0x0013, "xor": 0x4013, "or": 0x6013, "and": 0x7013}
_SHIFTS = {"shl": 0x1013, "shr_u": 0x5013, "shr_s": 0x5013}
_DIVIDE = {"div_s": 0x014033, "div_u": 0x015033, "rem_s": 0x016033, "rem_u": 0x017033}
# Conditions of branches; an odd one is the opposite of the one before. The others swap operands.
_CONDITIONS = {"eq": 0, "ne": 1, "lt_s": 4, "ge_s": 5, "lt_u": 6, "ge_u": 7}
_SWAPPED = {"gt_s": "lt_s", "le_s": "ge_s", "gt_u": "lt_u", "le_u": "ge_u"}


# Whether a word is a sign-extended number of 12 bits.
def _short(value):
    return value < 0x800 or value >= 0xFFFFF800


# How many bits a mask of the lowest bits has, if it has more than 11; or 0.
def _mask(value):
    if value & (value + 1):
        return 0
    n = 12
    while n < 32:
        if value >> n == 0:
            return n if value >> (n - 1) else 0
        n += 1
    return 0


class RV32(Pairs):
    NAME = "rv32imc"
    T = _T
    GUARD = 512  # twice _GUARD: for a function and what it calls
    CONVERTS = b""
    FLOAT32 = False
    FLOAT64 = False

    def registers(self, wide):
        return (8, 10) if wide else (6, 12)

    # ---- encoding

    def _32(self, first, second):
        code = self.code
        code.append(first & 0xFF)
        code.append(first >> 8)
        code.append(second & 0xFF)
        code.append(second >> 8)

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
        self.code.append(word & 0xFF)
        self.code.append(word >> 8)
        return True

    def _upper(self, op, d, n):
        self._32(op | (d + 11 & 31) << 7 | (n & 15) << 12, n >> 4)

    def mov(self, d, s):
        if d != s:
            self._i(_ADDI, d, s, 0)

    def imm(self, d, value):
        if _short(value):
            self._i(_ADDI, d, _ZERO, value)
            return
        self._upper(_LUI, d, value + 0x800 >> 12 & 0xFFFFF)
        if value & 0xFFF:
            self._i(_ADDI, d, d, value)

    # ---- loads and stores with a constant offset

    def _load_store(self, store, r, base, offset):
        if offset >= 2048:
            self._upper(_LUI, _V, offset + 0x800 >> 12)
            self._r(_ADD, _V, _V, base)
            base = _V
        if store:
            self._s(_SW, r, base, offset)
        else:
            self._i(_LW, r, base, offset)

    def load_frame(self, d, offset):
        self._load_store(False, d, _FP, offset)

    def store_frame(self, s, offset):
        self._load_store(True, s, _FP, offset)

    def load_context(self, d, offset):
        self._load_store(False, d, _CTX, offset)

    def store_context(self, s, offset):
        self._load_store(True, s, _CTX, offset)

    def load_at(self, d, base, offset):
        self._load_store(False, d, base, offset)

    def store_at(self, s, base, offset):
        self._load_store(True, s, base, offset)

    # Zeros come from the register that is always zero.
    def store_cell_const(self, value, cell, w):
        while True:
            word = value & 0xFFFFFFFF
            if word:
                self.imm(_T, word)
            self.store_frame(_T if word else _ZERO, cell * 4)
            if not w:
                return
            w = False
            value >>= 32
            cell += 1

    # ---- arithmetic on single registers

    # (Machine shifts look at the lowest five bits of the amount.)
    def alu32(self, op, d, a, b):
        if op == "rotl" or op == "rotr":
            left = op == "rotl"
            self._r(_SUB, _U, _ZERO, b)
            self._r(_SLL if left else _SRL, _T, a, b)
            self._r(_SRL if left else _SLL, _U, a, _U)
            self._r(_OR, d, _T, _U)
        else:
            self._r(_ALU[op], d, a, b)

    def fits32(self, op, value):
        if op in _SHIFTS or op == "rotl" or op == "rotr":
            return True
        if op == "mul":
            return value != 0 and not value & (value - 1)
        if _short(value):
            return True
        if op == "add":
            return value < 4095 or value >= 0xFFFFF000
        return op == "and" and _mask(value) > 0

    def alu32_const(self, op, d, a, value):
        if op == "mul":
            n = 0
            while value >> n != 1:
                n += 1
            self.shift(d, "shl", a, n)
        elif op in _SHIFTS:
            n = value & 31
            if not n:
                self.mov(d, a)
                return
            if op == "shr_s":
                n |= 0x400
            self._i(_SHIFTS[op], d, a, n)
        elif op == "rotl" or op == "rotr":
            n = (value if op == "rotl" else -value) & 31
            if not n:
                self.mov(d, a)
                return
            self._i(0x1013, _T, a, n)
            self._i(0x5013, d, a, 32 - n)
            self._r(_OR, d, d, _T)
        elif _short(value):
            if value or op == "and":
                self._i(_IMMEDIATE[op], d, a, value)
            else:
                self.mov(d, a)
        elif op == "add":
            half = 2047 if value < 0x80000000 else -2048
            self._i(_ADDI, d, a, half)
            self._i(_ADDI, d, d, value - half)
        else:
            n = 32 - _mask(value)
            self._i(0x1013, d, a, n)
            self._i(0x5013, d, d, n)

    # d = a | (s shifted by n)
    def or_shifted(self, d, a, op, s, n):
        self._i(_SHIFTS[op], _U, s, n)
        self._r(_OR, d, a, _U)

    def unary32(self, op, d, a):
        if op == "popcnt":
            self._popcnt(d, a)
        elif op == "clz" or op == "ctz":
            self._count_zeros(d, a, op == "clz")
        else:
            n = 24 if op == "extend8_s" else 16
            self._i(0x1013, d, a, n)
            self._i(0x5013, d, d, 0x400 | n)

    # Halves the place where the first one can be: five times, and once more for 0.
    def _count_zeros(self, d, a, leading):
        away, back = (0x5013, 0x1013) if leading else (0x1013, 0x5013)
        self.mov(_T, a)
        self.imm(d, 0)
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
        self.imm(_V, 0x55555555)
        self._r(0x7033, _T, _T, _V)
        self._r(_SUB, _T, a, _T)
        self.imm(_V, 0x33333333)
        self._r(0x7033, _U, _T, _V)
        self._i(0x5013, _T, _T, 2)
        self._r(0x7033, _T, _T, _V)
        self._r(_ADD, _T, _T, _U)
        self._i(0x5013, _U, _T, 4)
        self._r(_ADD, _T, _T, _U)
        self.imm(_V, 0x0F0F0F0F)
        self._r(0x7033, _T, _T, _V)
        self.imm(_V, 0x01010101)
        self._r(_MUL, _T, _T, _V)
        self._i(0x5013, d, _T, 24)

    def divide(self, op, d, a, b, w):
        self._r(_DIVIDE[op], d, a, b)

    # ---- pairs

    # The carry of a sum is what makes it less than either operand.
    def add_pairs(self, op, d, a, b):
        al, bl, dl, dh = low(a), low(b), low(d), high(d)
        if op == "sub":
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

    def fits_pairs(self, op, lo, hi):
        if op == "add":
            return _short(lo) and _short(hi)
        return self.fits32(op, lo) and self.fits32(op, hi)

    def add_pairs_const(self, d, a, lo, hi):
        self.alu32_const("add", low(d), low(a), lo)
        if lo:
            self._i(_SLTIU, _T, low(d), lo)
        self.alu32_const("add", high(d), high(a), hi)
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
            self.mov(s, low(b))
        else:
            s = low(b)
        shift = _ALU[op]
        if op == "shl":
            back, once, x, y, dx, dy = _SRL, 0x5013, high(a), low(a), high(d), low(d)
        else:
            back, once, x, y, dx, dy = _SLL, 0x1013, low(a), high(a), low(d), high(d)
        self._i(0x1013, _T, s, 26)
        other = self._skip(4, _T, _ZERO)
        # dx = x << s | y >> 1 >> (31 - s); dy = y << s
        self._i(_XORI, _T, s, -1)
        self._i(once, _U, y, 1)
        self._r(back, _U, _U, _T)
        self._r(_SRL if op != "shl" else _SLL, dx, x, s)
        self._r(_OR, dx, dx, _U)
        self._r(shift, dy, y, s)
        end = self._skip(0, _ZERO, _ZERO)
        self._land(other)
        self._r(shift, dx, y, s)
        if op == "shr_s":
            self._i(0x5013, dy, y, 0x41F)
        else:
            self.imm(dy, 0)
        self._land(end)

    # ---- comparisons and branches

    # What was compared: two registers, or a register and a constant.
    def compare32(self, condition, a, b):
        self.left = a
        self.right = b
        self.value = None
        return condition

    def compare32_const(self, condition, a, value):
        self.left = a
        self.right = _ZERO
        self.value = value
        return condition

    def compare_pairs(self, condition, a, b):
        if condition in ("eq", "ne"):
            self._r(_XOR, _T, low(a), low(b))
            self._r(_XOR, _U, high(a), high(b))
            self._r(_OR, _T, _T, _U)
            return self.compare32_const(condition, _T, 0)
        if condition in _SWAPPED:
            condition = _SWAPPED[condition]
            a, b = b, a
        self._r(_SLTU, _T, low(a), low(b))
        skip = self._skip(0, high(a), high(b))
        self._r(_SLT if condition[-1] == "s" else _SLTU, _T, high(a), high(b))
        self._land(skip)
        return self.compare32_const("ne" if condition[0] == "l" else "eq", _T, 0)

    def compare_zero(self, condition, a):
        self._r(_OR, _T, low(a), high(a))
        return self.compare32_const(condition, _T, 0)

    # The operands in registers, swapped if need be.
    def _operands(self, condition):
        b = self.right
        if self.value:
            b = _T
            self.imm(b, self.value)
        if condition in _SWAPPED:
            return _SWAPPED[condition], b, self.left
        return condition, self.left, b

    # The truth value.
    def set(self, condition, d):
        if condition == "eq" or condition == "ne":
            a = self.left
            if self.value is None:
                self._r(_XOR, d, a, self.right)
                a = d
            elif self.value and _short(self.value):
                self._i(_XORI, d, a, self.value)
                a = d
            elif self.value:
                self.imm(_T, self.value)
                self._r(_XOR, d, a, _T)
                a = d
            if condition == "eq":
                self._i(_SLTIU, d, a, 1)
            else:
                self._r(_SLTU, d, _ZERO, a)
            return
        value = self.value
        if value is not None:
            # a <= n is a < n + 1, but for the largest n.
            largest = 0x7FFFFFFF if condition[-1] == "s" else 0xFFFFFFFF
            if condition in _SWAPPED and value != largest:
                value = value + 1 & 0xFFFFFFFF
                condition = ("lt" if condition[0] == "l" else "ge") + condition[2:]
            if condition[0:2] in ("lt", "ge") and _short(value):
                self._i(_SLTI if condition[-1] == "s" else _SLTIU, d, self.left, value)
                if condition[0] == "g":
                    self._i(_XORI, d, d, 1)
                return
            self.value = value
        condition, a, b = self._operands(condition)
        self._r(_SLT if condition[-1] == "s" else _SLTU, d, a, b)
        if condition[0] == "g":
            self._i(_XORI, d, d, 1)

    def move_if(self, condition, d, a):
        if d != a:
            condition, x, y = self._operands(condition)
            skip = self._skip(_CONDITIONS[condition] ^ 1, x, y)
            self.move(d, a)
            self._land(skip)

    # A branch over the next few instructions, up to where _land is told of it.
    def _skip(self, condition, a, b):
        self._s(0x63 | condition << 12, b, a, 0)
        return len(self.code) - 4

    def _land(self, place):
        self.patch_at(place, -1, len(self.code))

    def branch(self, condition, label):
        condition, a, b = self._operands(condition)
        self._branch(_CONDITIONS[condition], a, b, label)

    # What is too far away is reached by a jump that the opposite branches over.
    def _branch(self, condition, a, b, label):
        at = len(self.code)
        target = self.labels[label]
        if self.far if target < 0 else target - at < -4096:
            skip = self._skip(condition ^ 1, a, b)
            self.jump(label)
            self._land(skip)
        else:
            self._s(0x63 | condition << 12, b, a, 0)
            self._to(label, at)

    def jump(self, label):
        at = len(self.code)
        self._upper(0x6F, _ZERO, 0)
        self._to(label, at)

    def _to(self, label, at):
        if self.labels[label] < 0:
            self.waiting.append((label, at, -1))
        else:
            self.patch_at(at, -1, self.labels[label])

    # Fills in the distance of the branch or jump at `place`.
    def patch_at(self, place, base, target):
        code = self.code
        n = target - place
        sign = n >> 31 & 1
        if code[place] & 0x7F == 0x63:
            if not -4096 <= n < 4096:
                raise OverflowError("a function is too large for its branches")
            first = 0x63 | (n >> 11 & 1) << 7 | (n >> 1 & 15) << 8
            code[place] = first & 0xFF
            code[place + 1] = code[place + 1] & 0xF0 | first >> 8
            code[place + 3] = code[place + 3] & 1 | (n >> 5 & 63) << 1 | sign << 7
            return
        if not -0x100000 <= n < 0x100000:
            raise OverflowError("a module is too large for its jumps")
        code[place + 1] = code[place + 1] & 0x0F | n >> 8 & 0xF0
        n = n >> 16 & 15 | (n >> 11 & 1) << 4 | (n >> 1 & 0x3FF) << 5 | sign << 15
        code[place + 2] = n & 0xFF
        code[place + 3] = n >> 8

    # Into a table of jumps.
    def jump_table(self, a, labels):
        n = len(labels) - 1
        self.branch(self.compare32_const("ge_u", a, n), labels[n])
        if not n:
            return
        self._i(0x1013, _T, a, 2)
        at = len(self.code)
        self._upper(_AUIPC, _U, 0)
        self._r(_ADD, _U, _U, _T)
        self._i(_JALR, _ZERO, _U, len(self.code) + 4 - at)
        for label in labels[:n]:
            self.jump(label)

    # ---- linear memory

    # Traps unless `extent` bytes from the address in register a (None: from 0) are inside.
    # Accesses of fewer than 4 bytes near the end are looked at more closely, out of the way.
    def check(self, a, extent, label, function):
        k = extent - 4
        if extent > 0xFFFFFFFF:
            self.jump(label)  # beyond any memory; what follows is never reached
        elif a is None:
            if extent > self.guaranteed:
                self.load_context(_U, context.MEMORY_SIZE)
                self.imm(_T, extent)
                self._branch(6, _U, _T, label)
        elif k == 0:
            self._branch(7, a, _LIMIT, label)
        elif k < 0:
            slow = self.label()
            back = self.label()
            self._branch(7, a, _LIMIT, slow)
            self.bind(back)
            function.later(slow, back, a, extent)
        elif extent <= self.guaranteed:
            if k <= 2048:
                self._i(_ADDI, _T, _LIMIT, -k)
            else:
                self.imm(_T, k)
                self._r(_SUB, _T, _LIMIT, _T)
            self._branch(7, a, _T, label)
        else:
            self.imm(_T, k)
            self._r(_ADD, _T, _T, a)
            self._branch(6, _T, a, label)
            self._branch(7, _T, _LIMIT, label)

    def check_exact(self, a, extent, stubs, back):
        self.mov(_T, a)
        self.call_stub(stubs["exact%d" % extent])
        self.jump(back)

    # Comes back if `extent` bytes from the address in the scratch register are in the memory.
    def _exact_stub(self, extent, labels):
        self.bind(labels["exact%d" % extent])
        self.load_context(_U, context.MEMORY_SIZE)
        self._i(_ADDI, _V, _U, -extent)
        self._branch(6, _U, _V, labels[context.TRAP])
        self._branch(6, _V, _T, labels[context.TRAP])
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

    def load(self, d, a, offset, size, signed, w):
        base, offset = self._address(a, offset, size)
        op = _LW if size >= 4 else 0x0003 if size == 1 else 0x1003
        if size < 4 and not signed:
            op |= 0x4000
        self._i(op, low(d), base, offset)
        if size == 8:
            self._i(_LW, high(d), base, offset + 4)
        elif w and signed:
            self.alu32_const("shr_s", high(d), low(d), 31)
        elif w:
            self.imm(high(d), 0)

    def store(self, s, a, offset, size):
        base, offset = self._address(a, offset, size)
        self._s(_SW if size >= 4 else 0x0023 if size == 1 else 0x1023, low(s), base, offset)
        if size == 8:
            self._s(_SW, high(s), base, offset + 4)

    # ---- floating point

    def does_float(self, name, w):
        return name in ("abs", "neg", "copysign")

    def float_sign(self, op, d, a, b, w):
        if w:
            if op == "copysign":
                b = high(b)
            self.mov(low(d), low(a))
            d = high(d)
            a = high(a)
        if op == "neg":
            self._upper(_LUI, _T, 0x80000)
            self._r(_XOR, d, a, _T)
            return
        if op == "copysign":
            self._i(0x5013, _T, b, 31)
            self._i(0x1013, _T, _T, 31)
        self._i(0x1013, d, a, 1)
        self._i(0x5013, d, d, 1)
        if op == "copysign":
            self._r(_OR, d, d, _T)

    # ---- calls and stubs

    def _frame(self, cells):
        if cells:
            n = cells * 4 & 0xFFFFFFFF
            if self.fits32("add", n):
                self.alu32_const("add", _FP, _FP, n)
            else:
                self.imm(_T, n)
                self._r(_ADD, _FP, _FP, _T)

    def call(self, label, cells):
        self._frame(cells)
        self.call_stub(label)
        self._frame(-cells)

    def jump_far(self, label):
        self.jump(label)

    def call_stub(self, label):
        at = len(self.code)
        self._upper(0x6F, _RA, 0)
        self._to(label, at)
        self.site()

    # Leaves the function's entry in the second scratch register.
    def find_entry(self, a, table, number, undefined, mismatch):
        at = context.TABLES + 16 * table
        self.load_context(_U, at + 8)
        self._branch(7, a, _U, undefined)
        self.load_context(_U, at)
        self._i(0x1013, _T, a, 2)
        self._r(_ADD, _U, _U, _T)
        self._i(_LW, _U, _U, 0)
        self._i(_LW, _V, _U, 0)
        self.branch(self.compare32_const("ne", _V, number), mismatch)

    def call_entry(self, cells):
        self._frame(cells)
        self._i(_LW, _T, _U, 8)
        self._i(_JALR, _RA, _T, 0)
        self.site()
        self._frame(-cells)

    def jump_entry(self):
        self._i(_LW, _T, _U, 8)
        self._i(_JALR, _ZERO, _T, 0)

    def check_stack(self, cells, label):
        if cells * 4 > _GUARD:
            self.imm(_T, cells * 4 - _GUARD)
            self._r(_ADD, _T, _T, _FP)
            self._branch(6, _END, _T, label)
        elif not self.is_leaf:
            self._branch(6, _END, _FP, label)

    def enter_function(self, cell):
        self.store_frame(_RA, cell * 4)

    def leave_function(self, cell):
        self.load_frame(_RA, cell * 4)
        self._i(_JALR, _ZERO, _RA, 0)

    def leave_with(self, cell, source, n):
        self.replace_frame(cell, source, n)
        self._i(_JALR, _ZERO, _RA, 0)

    def replace_frame(self, cell, source, n):
        self.load_frame(_RA, cell * 4)
        self.copy_cells(0, source, n)

    def burn_fuel(self, label):
        self._i(_ADDI, _FUEL, _FUEL, -1)
        self._branch(4, _FUEL, _ZERO, label)

    def leave(self, stub, arg0=None, arg1=None):
        if arg0 is not None:
            self.imm(0, arg0)
            self.imm(1, arg1)
        self.call_stub(stub)

    def stubs(self, labels):
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
        at = len(self.code)
        self._upper(_AUIPC, _T, 0)
        self._i(_ADDI, _T, _T, -at)
        self.store_context(_T, context.BASE)
        self.load_context(_T, context.RESUME)
        self._branch(0, _T, _ZERO, labels["exit"])
        self._i(_JALR, _ZERO, _T, 0)
        for status in (context.CALL, context.INDIRECT, context.OPERATION, context.SUSPENDED):
            self.bind(labels[status])
            self.store_context(_RA, context.RESUME)
            self.store_context(0, context.ARG0)
            self.store_context(1, context.ARG1)
            self._status(status, labels)
        for extent in (1, 2, 3):
            self._exact_stub(extent, labels)
        self.bind(labels[context.TRAP])
        self.store_context(_RA, context.TRAP_SITE)
        for r in range(18):
            self.store_context(r, context.REGISTERS + 4 * r)
        self._status(context.TRAP, labels)
        # Goes on at TRAP_SITE with the registers as they were.
        self.bind(labels["again"])
        for r in range(18):
            self.load_context(r, context.REGISTERS + 4 * r)
        self.load_context(_T, context.TRAP_SITE)
        self._i(_JALR, _ZERO, _T, 0)
        # How the driver starts a function, whose address is in TRAP_SITE: with one result, which
        # goes from registers 0 and 1 to the frame, and without.
        self.bind(labels["start_result"])
        self.load_context(_T, context.TRAP_SITE)
        self._i(_JALR, _RA, _T, 0)
        self.store_frame(0, 0)
        self.store_frame(1, 4)
        self.jump(labels[context.DONE])
        self.bind(labels["start"])
        self.load_context(_T, context.TRAP_SITE)
        self._i(_JALR, _RA, _T, 0)
        self.bind(labels[context.DONE])
        self._status(context.DONE, labels)
        self.bind(labels["exit"])
        self.store_context(2, context.STATUS)
        self.store_context(_FP, context.FRAME)
        self.store_context(_FUEL, context.FUEL)
        self.imm(_T, 1)  # the small int 0
        for i, r in enumerate(_SAVED):
            self._i(_LW, r, _SP, 4 * i)
        self._i(_ADDI, _SP, _SP, 64)
        self._i(_JALR, _ZERO, _RA, 0)

    def _status(self, status, labels):
        self.imm(2, status)
        self.jump(labels["exit"])
