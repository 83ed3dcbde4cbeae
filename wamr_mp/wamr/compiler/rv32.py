"""RISC-V encodings: RV32IM with compressed instructions.

Registers are numbered from x11 on, so that those of the compiler are 0 to 17 (x11 to x28). The
others have one purpose each: t0 is the linear memory, t1 the fuel, t2 the limit (an address below
it has 4 bytes in the memory), s0 the frame (cells), s1 the context, t4 the end of the stack; a0,
t5 and t6 are scratch. There are no flags: a comparison is remembered until it is used.
"""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.rv32_calls import Calls
from wamr.compiler.rv32_wide import ALU, short
from wamr.compiler.values import high, low

_U = const(19)
_V = const(20)  # for large offsets only, and where nothing has one
_ZERO = const(21)
_MEM = const(26)
_LIMIT = const(28)
_FP = const(29)
_CTX = const(30)
_T = const(31)

# The low half of an instruction's fixed bits, and from bit 16 on its highest seven.
_ADD = const(0x000033)
_SUB = const(0x200033)
_SLL = const(0x001033)
_SLT = const(0x002033)
_SLTU = const(0x003033)
_XOR = const(0x004033)
_SRL = const(0x005033)
_OR = const(0x006033)
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

_IMMEDIATE = (0x0013, 0, 0, 0, 0, 0, 0, 0x7013, 0x6013, 0x4013, 0x1013, 0x5013, 0x5013)
# Those that have a form of 16 bits, in its order; and those whose operands can be swapped.
_SHORT = (0x200033, 0x004033, 0x006033, 0x007033)
_COMMUTE = (0x000033, 0x004033, 0x006033, 0x007033)
# Those that can have one where the result is in another register.
_SHORT_ANYWHERE = (0x0013, 0x2003, 0x0067)
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


# The lowest 12 bits of a number, as a signed one.
def _low_bits(value):
    return (value + 0x800 & 0xFFF) - 0x800


class RV32(Calls):
    NAME = "rv32imc"
    OFTEN = Calls.OFTEN + ("_32", "_r", "_i", "_s", "_compressed")
    UNIT = 2
    T = _T

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
        if d != a or not self._compressed(op, d, a, b):
            self._32(op & 0xFFFF | d << 7 | (a & 1) << 15, a >> 1 | b << 4 | op >> 16 << 9)

    # (n is a number of 12 bits, signed.)
    def _i(self, op, d, a, n):
        d = d + 11 & 31
        a = a + 11 & 31
        if d != a and op not in _SHORT_ANYWHERE or not self._compressed(op, d, a, n):
            code = self.code
            code.append(op | d << 7 | (a & 1) << 15)
            code.append(a >> 1 | (n & 0xFFF) << 4)

    # Stores.
    def _s(self, op, s, a, n):
        s = s + 11 & 31
        a = a + 11 & 31
        if op != _SW or s & 0x18 != 8 or not self._compressed(op, s, a, n):
            code = self.code
            code.append(op | (n & 31) << 7 | (a & 1) << 15)
            code.append(a >> 1 | s << 4 | (n >> 5 & 0x7F) << 9)

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
        code = self.code
        code.append(op | (d + 11 & 31) << 7 | (n & 15) << 12)
        code.append(n >> 4)

    # What is emitted most does not go through _i and _s.

    def move(self, d, s):
        if d != s:
            self.code.append(0x8002 | (d + 11 & 31) << 7 | (s + 11 & 31) << 2)  # c.mv

    def const(self, d, value):
        if -32 <= value < 32:
            d = d + 11 & 31
            self.code.append(0x4001 | (value & 32) << 7 | d << 7 | (value & 31) << 2)  # c.li
        elif -0x800 <= value < 0x800:
            code = self.code
            code.append(_ADDI | (d + 11 & 31) << 7)
            code.append((value & 0xFFF) << 4)
        else:
            self._upper(_LUI, d, value + 0x800 >> 12 & 0xFFFFF)
            if value & 0xFFF:
                self._i(_ADDI, d, d, _low_bits(value))

    # ---- loads and stores with a constant offset

    def load_at(self, d, base, offset):
        if offset >= 2048:
            base = self._far_base(base, offset)
            offset = _low_bits(offset)
        self._i(_LW, d, base, offset)

    def store_at(self, s, base, offset):
        if offset >= 2048:
            base = self._far_base(base, offset)
            offset = _low_bits(offset)
        self._s(_SW, s, base, offset)

    # A register to which the lowest 12 bits of the offset, as a signed number, are added.
    def _far_base(self, base, offset):
        self._upper(_LUI, _V, offset + 0x800 >> 12)
        self._r(_ADD, _V, _V, base)
        return _V

    def load_cell(self, d, cell):
        if d > 17 or cell > 511:
            self.load_at(d, _FP, cell * 4)
        elif d < 5 and cell < 32:  # c.lw
            bits = (cell & 14) << 9 | (cell & 1) << 6 | (cell & 16) << 1
            self.code.append(0x4000 | bits | d + 3 << 2)
        else:
            code = self.code
            code.append(_LW | d + 11 << 7)
            code.append(4 | cell << 6)

    def store_cell(self, s, cell):
        if s > 17 or cell > 511:
            self.store_at(s, _FP, cell * 4)
        elif s < 5 and cell < 32:  # c.sw
            bits = (cell & 14) << 9 | (cell & 1) << 6 | (cell & 16) << 1
            self.code.append(0xC000 | bits | s + 3 << 2)
        else:
            code = self.code
            code.append(_SW | (cell & 7) << 9)
            code.append(4 | s + 11 << 4 | cell >> 3 << 9)

    def load_context(self, d, offset):
        if offset < 2048:
            self._i(_LW, d, _CTX, offset)
        else:
            self.load_at(d, _CTX, offset)

    def store_context(self, s, offset):
        if offset < 2048:
            self._s(_SW, s, _CTX, offset)
        else:
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
            self._rotate(op == _ROTL, d, a, b)
        else:
            op = ALU[op]
            self._r(op, d, a, b)

    def _rotate(self, left, d, a, b):
        self._r(_SUB, _U, _ZERO, b)
        self._r(_SLL if left else _SRL, _T, a, b)
        self._r(_SRL if left else _SLL, _U, a, _U)
        self._r(_OR, d, _T, _U)

    def alu_const(self, op, d, a, value):
        if op >= _SHL:
            if op == _ROTR:
                value = -value
            value &= 31
            self._shift_by_const(op, d, a, value)
        elif op == _MUL_OP:
            if value > 0 and not value & value - 1:
                self._mul_by_power(d, a, value)
            else:
                self._alu_large(op, d, a, value)
        elif -0x800 <= value < 0x800:
            if value or op == _AND_OP:
                op = _IMMEDIATE[op]
                self._i(op, d, a, value)
            else:
                self.move(d, a)
        else:
            self._alu_long(op, d, a, value)

    def _shift_by_const(self, op, d, a, n):
        if not n:
            self.move(d, a)
        elif op >= _ROTL:
            self._i(0x1013, _T, a, n)
            self._i(0x5013, d, a, 32 - n)
            self._r(_OR, d, d, _T)
        else:
            self._i(_IMMEDIATE[op], d, a, n | 0x400 if op == _SHR_S else n)

    def _mul_by_power(self, d, a, value):
        n = 0
        while value >> n != 1:
            n += 1
        self._shift_by_const(_SHL, d, a, n)

    # With a constant that one instruction does not hold.
    def _alu_long(self, op, d, a, value):
        if op == _ADD_OP and -0x1000 <= value < 0xFFF:
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

    def divide(self, op, d, a, b, w):
        self._r(ALU[op], d, a, b)

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
            elif self.value and short(self.value):
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
            if not condition & 2 and short(value):
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
            words = self.code
            label.append(_len(words))
            a = a + 11 & 31
            words.append(0x63 | code << 12 | (a & 1) << 15)
            words.append(a >> 1 | (b + 11 & 31) << 4)

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
        code = self.code
        label.append(_len(code))
        code.append(0x6F)
        code.append(0)

    def jump_back(self, target):
        self._upper(0x6F, _ZERO, 0)
        self.patch(_len(self.code) - 2, target)

    # Fills in the distance of the branch or jump at `place`.
    def patch(self, place, target):
        code = self.code
        n = target - place << 1
        first = code[place]
        if 0 <= n < 2048:
            if first & 0x7F == 0x63:
                code[place] = first | (n & 30) << 7
                code[place + 1] |= (n & 0x7E0) << 4
            else:
                code[place + 1] = n << 4
            return
        sign = n >> 31 & 1
        if first & 0x7F == 0x63:
            if not -4096 <= n < 4096:
                raise OverflowError("a function is too large for its branches")
            code[place] = first & 0xF07F | (n >> 11 & 1) << 7 | (n >> 1 & 15) << 8
            code[place + 1] = code[place + 1] & 0x1FF | (n >> 5 & 63) << 9 | sign << 15
            return
        if not -0x100000 <= n < 0x100000:
            raise OverflowError("a module is too large for its jumps")
        code[place] = first & 0xFFF | n & 0xF000
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
        if extent > 4 or a is None:
            self._check_far(a, extent, traps)
        elif extent == 4:
            self._branch(7, a, _LIMIT, traps)
        else:
            slow = []
            self._branch(7, a, _LIMIT, slow)
            exact.append(slow[0] << 7 | extent << 5 | a)

    def _check_far(self, a, extent, traps):
        k = extent - 4
        if extent > 0xFFFFFFFF:
            self.jump(traps)  # beyond any memory; what follows is never reached
        elif a is None:
            if extent > self.guaranteed:
                self.load_context(_U, context.MEMORY_SIZE)
                self.const(_T, extent)
                self._branch(6, _U, _T, traps)
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

    # Base register and offset of a checked access.
    def _address(self, a, offset, size):
        offset &= 0xFFFFFFFF
        if offset + size <= 2048:
            if a is None:
                return _MEM, offset
            self.code.append(0x8533)  # add a0, t0, a
            self.code.append(2 | a + 11 << 4)
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
        self._i(code, d & 0xFF, base, offset)
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
        self._s(_ACCESS[op - 0x28], s & 0xFF, base, offset)
        if both:
            self._s(_SW, high(s), base, offset + 4)
