"""Thumb-2 encodings: Cortex-M3 and later (armv7m, armv7em, armv7emsp).

r0 to r6 and r11 are the compiler's. r7 is the frame (cells), r8 the linear memory, r9 the fuel,
r10 the context, r12 is scratch. lr holds the limit while a function runs that uses the memory: an
address below it has 4 bytes in the memory.
"""

from wamr.host import array, const
from wamr.compiler import context
from wamr.compiler.thumb2_calls import Calls
from wamr.compiler.thumb2_wide import modified
from wamr.compiler.values import high, low

_MEM = const(8)
_CTX = const(10)
_FP = const(7)
_IP = const(12)
_LR = const(14)
_PC = const(15)

# Operations and conditions, see numeric.py.
_ADD = const(0)
_SUB = const(1)
_MUL = const(2)
_DIV_U = const(4)
_AND = const(7)
_XOR = const(9)
_SHL = const(10)
_SHR_S = const(11)
_ROTL = const(13)
_ROTR = const(14)
_NE = const(1)
_MI = const(2)
_LT_S = const(4)
_GE_S = const(5)
_GE_U = const(9)
_GT_U = const(10)
_LE_U = const(11)

# By operation: the 16-bit form `op rdn, rm` of those that commute; the opcode of the 32-bit form;
# from _SHL on, the kind of shift.
_SHORT = (0, 0, 0x4340, 0, 0, 0, 0, 0x4000, 0x4300, 0x4040, 0, 0, 0, 0, 0)
_OPCODES = b"\x08\x0d\x00\x00\x00\x00\x00\x00\x02\x04"
_SHIFTS = b"\x00\x02\x01\x03\x03"
# By condition.
_CODES = b"\x00\x01\x04\x05\x0b\x0a\x0c\x0d\x03\x02\x08\x09\x06\x07"
# Of the loads and stores from 0x28 on: the form with an index register.
_ACCESS = (
    0xF850, 0xF850, 0xF850, 0xF850, 0xF910, 0xF810, 0xF930, 0xF830,
    0xF910, 0xF810, 0xF930, 0xF830, 0xF850, 0xF850,
    0xF840, 0xF840, 0xF840, 0xF840, 0xF800, 0xF820, 0xF800, 0xF820, 0xF840,
)  # fmt: skip

_len = len  # found faster as a global of this module


class Thumb2(Calls):
    NAME = "armv7m"
    OFTEN = Calls.OFTEN + ("_32", "_immediate", "_add_const")
    UNIT = 2
    T = _IP
    THUMB = 1
    STORES_CONSTANTS = False
    FLAGS = True
    SHIFTS = True

    def registers(self, wide):
        return (5, b"\x05\x06\x0b") if wide else (3, b"\x03\x04\x05\x06\x0b")

    # ---- encoding

    def _32(self, first, second):
        code = self.code
        code.append(first)
        code.append(second)

    # (Registers from 16 on are those of Thumb2F, which has what is named …_float.)

    def move(self, d, s):
        if d | s > 15:
            self.move_float(d, s)
        elif d != s:
            self.code.append(0x4600 | (d & 8) << 4 | s << 3 | d & 7)

    # Sets the flags for small constants in low registers.
    def const(self, d, value):
        if 0 <= value < 0x100 and d < 8:
            self.code.append(0x2000 | d << 8 | value)
        elif d > 15:
            self.const(_IP, value)
            self.move_float(d, _IP)
        else:
            self._const(d, value)

    def _const(self, d, value):
        if 0 <= value < 0x10000:
            self._movw(0xF240, d, value)
            return
        bits = modified(value if value >= 0 else ~value)
        if bits >= 0:
            self._immediate(0xF04F if value >= 0 else 0xF06F, d, bits)
            return
        bits = modified((value if value < 0 else ~value) & 0xFFFFFFFF)
        if bits >= 0:
            self._immediate(0xF04F if value < 0 else 0xF06F, d, bits)
            return
        self._movw(0xF240, d, value & 0xFFFF)
        self._movw(0xF2C0, d, value >> 16 & 0xFFFF)

    def _movw(self, op, d, half):
        self._32(
            op | half >> 12 | (half >> 11 & 1) << 10, (half >> 8 & 7) << 12 | d << 8 | half & 0xFF
        )

    def _immediate(self, op, d, bits):
        code = self.code
        code.append(op | (bits >> 11) << 10)
        code.append((bits >> 8 & 7) << 12 | d << 8 | bits & 0xFF)

    # ---- loads and stores with a constant offset

    def load_cell(self, d, cell):
        if cell < 32 and d < 8:
            self.code.append(0x6838 | cell << 6 | d)  # ldr d, [r7, #]
        elif d > 15:
            self.load_float(d, _FP, cell * 4)
        elif cell < 1024:
            self._32(0xF8D7, d << 12 | cell << 2)
        else:
            self.const(_IP, cell * 4)
            self._32(0xF850 | _FP, d << 12 | _IP)

    # A value in the scratch register cannot go far, but through another one.
    def store_cell(self, s, cell):
        if cell < 32 and s < 8:
            self.code.append(0x6038 | cell << 6 | s)
        elif s > 15:
            self.store_float(s, _FP, cell * 4)
        elif cell < 1024:
            self._32(0xF8C7, s << 12 | cell << 2)
        elif s == _IP:
            self._32(0xF84D, 0x0D04)  # push {r0}
            self.move(0, _IP)
            self.store_cell(0, cell)
            self._32(0xF85D, 0x0B04)  # pop {r0}
        else:
            self.const(_IP, cell * 4)
            self._32(0xF840 | _FP, s << 12 | _IP)

    def load_at(self, d, base, offset):
        if d > 15:
            self.load_float(d, base, offset)
        elif offset >= 4096:
            self.const(_IP, offset)
            self._32(0xF850 | base, d << 12 | _IP)
        elif d < 8 and base < 8 and offset < 128:
            self.code.append(0x6800 | offset >> 2 << 6 | base << 3 | d)
        else:
            self._32(0xF8D0 | base, d << 12 | offset)

    def store_at(self, s, base, offset):
        if s > 15:
            self.store_float(s, base, offset)
        elif offset >= 4096:
            self.const(_IP, offset)
            self._32(0xF840 | base, s << 12 | _IP)
        else:
            self._32(0xF8C0 | base, s << 12 | offset)

    def load_context(self, d, offset):
        if d < 16 and offset < 4096:
            self._32(0xF8D0 | _CTX, d << 12 | offset)
        else:
            self.load_at(d, _CTX, offset)

    def store_context(self, s, offset):
        if s < 16 and offset < 4096:
            self._32(0xF8C0 | _CTX, s << 12 | offset)
        else:
            self.store_at(s, _CTX, offset)

    # ---- arithmetic

    def alu(self, op, d, a, b):
        if d | a | b < 8:
            if op <= _SUB:
                code = self.code
                code.append(0x1800 | op << 9 | b << 6 | a << 3 | d)
                self.flags = _len(code) << 4 | d
                return
            if _SHORT[op] and (d == a or d == b):
                code = self.code
                code.append(_SHORT[op] | (a if d == b else b) << 3 | d)
                self.flags = _len(code) << 4 | d
                return
        if op == _MUL:
            self._32(0xFB00 | a, 0xF000 | d << 8 | b)
        elif op < _SHL:
            self._32(0xEA00 | _OPCODES[op] << 5 | a, d << 8 | b)
        else:
            self._shift(op, d, a, b)

    def _shift(self, op, d, a, b):
        if op == _ROTL:
            self._32(0xF1C0 | b, _IP << 8)  # rsb ip, b, #0
            b = _IP
        elif op != _ROTR:
            # A machine shift by 32 or more gives 0.
            self._32(0xF000 | b, _IP << 8 | 31)
            b = _IP
        self._32(0xFA00 | _SHIFTS[op - _SHL] << 5 | a, 0xF000 | d << 8 | b)

    def alu_const(self, op, d, a, value):
        if op == _ADD:
            self._add_const(d, a, value)
        elif op >= _SHL:
            if op == _ROTL:
                value = -value
            value &= 31
            self._shift_by_const(op, d, a, value)
        elif op == _MUL:
            if value > 0 and not value & value - 1:
                value = self._log2(value)
                self._shift_by_const(_SHL, d, a, value)
            else:
                self._alu_large(op, d, a, value)
        elif op == _AND and (value == 0xFF or value == 0xFFFF) and d | a < 8:
            self.code.append((0xB2C0 if value == 0xFF else 0xB280) | a << 3 | d)  # uxtb, uxth
        elif op == _XOR and value == -1:
            self._32(0xEA6F, d << 8 | a)  # mvn
        else:
            self._logic_const(op, d, a, value)

    def _shift_by_const(self, op, d, a, n):
        if not n:
            self.move(d, a)
        elif op < _ROTL and d | a < 8:
            self.code.append(_SHIFTS[op - _SHL] << 11 | n << 6 | a << 3 | d)
        else:
            n = self._amount(op, n)
            self._32(0xEA4F, d << 8 | n | a)

    def _logic_const(self, op, d, a, value):
        # bic and orn take the complement.
        opcode = _OPCODES[op]
        bits = -1
        if value < 0 and op != _XOR:
            bits = modified(~value)
            if bits >= 0:
                opcode += 1
        if bits < 0:
            bits = modified(value & 0xFFFFFFFF)
        if bits < 0 and value > 0 and op != _XOR:
            bits = modified(~value & 0xFFFFFFFF)
            opcode += 1
        if bits < 0:
            self._alu_large(op, d, a, value)
        else:
            self._immediate(0xF000 | opcode << 5 | a, d, bits)

    # With a constant that no instruction holds: by way of the result's register, or the scratch
    # register.
    def _alu_large(self, op, d, a, value):
        t = d if d != a else _IP
        self.const(t, value)
        self.alu(op, d, a, t)

    def _log2(self, value):
        n = 0
        while value >> n != 1:
            n += 1
        return n

    def _add_const(self, d, a, value):
        if d | a < 8 and -256 < value < 256:
            code = self.code
            if -8 < value < 8:
                if value < 0:
                    code.append(0x1E00 | -value << 6 | a << 3 | d)
                elif value or d != a:
                    code.append(0x1C00 | value << 6 | a << 3 | d)
                else:
                    return
                self.flags = _len(code) << 4 | d
                return
            if d == a:
                if value < 0:
                    code.append(0x3800 | d << 8 | -value)
                else:
                    code.append(0x3000 | d << 8 | value)
                self.flags = _len(code) << 4 | d
                return
        if not value:
            self.move(d, a)
        elif 0 < value < 4096:
            self._immediate(0xF200 | a, d, value)
        elif -4096 < value < 0:
            self._immediate(0xF2A0 | a, d, -value)
        else:
            self._add_large(d, a, value)

    def _add_large(self, d, a, value):
        bits = modified(value & 0xFFFFFFFF)
        if bits >= 0:
            self._immediate(0xF100 | a, d, bits)
            return
        bits = modified(-value & 0xFFFFFFFF)
        if bits >= 0:
            self._immediate(0xF1A0 | a, d, bits)
        else:
            self._alu_large(_ADD, d, a, value)

    # The bits for a shift by n of the last operand.
    def _amount(self, op, n):
        return n >> 2 << 12 | (n & 3) << 6 | _SHIFTS[op - _SHL] << 4

    # d = a | (s shifted by n)
    def or_shifted(self, d, a, op, s, n):
        self._32(0xEA40 | a, d << 8 | self._amount(op, n) | s)

    def takes_shifted(self, op, shift, n):
        return n and (op == _ADD or op == _SUB or _AND <= op <= _XOR)

    # d = a op (b shifted by n)
    def alu_shifted(self, op, d, a, b, shift, n):
        if shift == _ROTL:
            n = 32 - n
        self._32(0xEA00 | _OPCODES[op] << 5 | a, d << 8 | self._amount(shift, n) | b)

    # clz, ctz, popcnt
    def unary(self, op, d, a):
        if op == 0:
            self._32(0xFAB0 | a, 0xF080 | d << 8 | a)
        elif op == 1:
            self._32(0xFA90 | a, 0xF0A0 | d << 8 | a)
            self._32(0xFAB0 | d, 0xF080 | d << 8 | d)
        else:
            self._popcnt(d, a)

    # d = the lowest 8 or 16 bits of a with their sign
    def sign_extend(self, d, a, bits):
        if d | a < 8:
            self.code.append((0xB240 if bits == 8 else 0xB200) | a << 3 | d)
        else:
            self._32(0xFA4F if bits == 8 else 0xFA0F, 0xF080 | d << 8 | a)

    def divide(self, op, d, a, b, w):
        code = 0xFBB0 if op & 1 == _DIV_U & 1 else 0xFB90
        if op <= _DIV_U:
            self._32(code | a, 0xF0F0 | d << 8 | b)
        else:
            self._32(code | a, 0xF0F0 | _IP << 8 | b)
            self._32(0xFB00 | _IP, a << 12 | d << 8 | 0x10 | b)  # mls

    # ---- comparisons and branches

    def compare(self, condition, a, b):
        if a | b < 8:
            self.code.append(0x4280 | b << 3 | a)
        else:
            self.code.append(0x4500 | (a & 8) << 4 | b << 3 | a & 7)
        return condition

    def compare_const(self, condition, a, value):
        if not value and self.flags == _len(self.code) << 4 | a:
            # The instruction before has done it, but for what overflows.
            if condition <= _NE:
                return condition
            if condition == _LT_S or condition == _GE_S:
                return condition - _LT_S + _MI
        if 0 <= value < 256 and a < 8:
            self.code.append(0x2800 | a << 8 | value)
            return condition
        bits = -1
        if value >= 0:
            bits = modified(value)
        if bits < 0:
            if value > -0x80000000:  # whose opposite is another number
                bits = modified(-value & 0xFFFFFFFF)
                if bits >= 0:
                    self._immediate(0xF110 | a, _PC, bits)  # cmn
                    return condition
            bits = modified(value & 0xFFFFFFFF)
        if bits >= 0:
            self._immediate(0xF1B0 | a, _PC, bits)
        else:
            self.const(_IP, value)
            self.compare(condition, a, _IP)
        return condition

    # The truth value. (Inside an IT block, mov of a small constant leaves the flags alone.)
    def set(self, condition, d):
        self._set(_CODES[condition], d)

    def _set(self, bits, d):
        self.code.append(0xBF00 | bits << 4 | (~bits & 1) << 3 | 4)  # ite
        if d < 8:
            self._32(0x2001 | d << 8, 0x2000 | d << 8)
        else:
            self._32(0xF04F, d << 8 | 1)
            self._32(0xF04F, d << 8)

    # d = a if the condition holds
    def select(self, condition, d, a):
        if d != a:
            self.code.append(0xBF08 | _CODES[condition] << 4)  # it
            self.move(d, a)

    def select_wide(self, condition, d, a):
        code = _CODES[condition]
        self.code.append(0xBF00 | code << 4 | (code & 1) << 3 | 4)  # itt
        self.code.append(0x4600 | (low(d) & 8) << 4 | low(a) << 3 | low(d) & 7)
        self.code.append(0x4600 | (high(d) & 8) << 4 | high(a) << 3 | high(d) & 7)

    # Forwards, in the form of 32 bits; the distance is filled in by patch.
    def branch(self, condition, label):
        code = self.code
        label.append(_len(code))
        code.append(0xF000 | _CODES[condition] << 6)
        code.append(0x8000)

    def jump(self, label):
        code = self.code
        label.append(_len(code))
        code.append(0xF000)
        code.append(0xB800)

    def branch_back(self, condition, target):
        n = target - _len(self.code) - 2
        if n >= -128:
            self.code.append(0xD000 | _CODES[condition] << 8 | n & 0xFF)
        elif n >= -0x20000:
            self._32(0xF400 | _CODES[condition] << 6 | n >> 11 & 0x3F, 0xA800 | n & 0x7FF)
        else:
            raise OverflowError("a function is too large for its branches")

    def jump_back(self, target):
        n = target - _len(self.code) - 2
        if n >= -1024:
            self.code.append(0xE000 | n & 0x7FF)
        else:
            self._32(0xF000 | n >> 11 & 0x7FF, 0xB800 | n & 0x7FF)

    # Fills in the distance of the branch, jump or call forward at `place`.
    def patch(self, place, target):
        code = self.code
        n = target - place - 2
        if n >> 17 and (n >> 21 or not code[place + 1] & 0x1000):
            raise OverflowError("a function is too large for its branches")
        code[place] |= n >> 11
        code[place + 1] |= n & 0x7FF

    # Goes to one of n cases, for anything beyond to another. Returns what `case` is told.
    def jump_table(self, a, n):
        if not n:
            return 0
        label = []
        self.branch(self.compare_const(_GE_U, a, n), label)
        self._32(0xE8DF, 0xF010 | a)  # tbh [pc, a, lsl #1]
        base = _len(self.code)
        self.code.extend(array("H", bytes(2 * n)))
        return base

    # Case i of n (n itself: the other one) goes to target.
    def case(self, base, i, n, target):
        if i < n:
            if target - base > 0xFFFF:  # of which MicroPython would keep the lower half
                raise OverflowError("a function is too large for its branches")
            self.code[base + i] = target - base
        elif n:
            self.patch(base - 4, target)

    # ---- linear memory

    # Traps unless `extent` bytes from the address in register a (None: from 0) are inside.
    # Accesses of fewer than 4 bytes near the end are looked at more closely, out of the way: what
    # is noted in `exact`.
    def check(self, a, extent, traps, exact):
        if extent > 4 or a is None:
            self._check_far(a, extent, traps)
            return
        code = self.code
        code.append(0x4570 | (a & 8) << 4 | a & 7)  # cmp a, lr
        if extent < 4:
            exact.append(_len(code) << 7 | extent << 5 | a)
        else:
            traps.append(_len(code))
        code.append(0xF080)  # bhs
        code.append(0x8000)

    def _check_far(self, a, extent, traps):
        if extent > 0xFFFFFFFF:
            self.jump(traps)  # beyond any memory; what follows is never reached
            return
        if a is None:
            if extent > self.guaranteed:
                self.const(_IP, extent)
                self.load_context(_LR, context.MEMORY_SIZE)
                self.compare(0, _IP, _LR)
                self.branch(_GT_U, traps)
                self.load_context(_LR, context.LIMIT)
            return
        extent -= 4
        if extent < 4096 and extent + 4 <= self.guaranteed:
            self._immediate(0xF2A0 | _LR, _IP, extent)  # subw
            self.compare(0, a, _IP)
            self.branch(_GE_U, traps)
            return
        bits = modified(extent)
        if bits >= 0:
            self._immediate(0xF1B0 | _LR, _IP, bits)
        else:
            self.const(_IP, extent)
            self._32(0xEBB0 | _LR, _IP << 8 | _IP)
        self.code.append(0xBF28)  # it hs: no borrow
        self.compare(0, _IP, a)
        self.branch(_LE_U, traps)

    # The access by instruction `op` (0x28…), an offset from the address in register a (None: 0).
    def load(self, op, d, a, offset):
        if d > 0xFF:
            self._load_wide(op, d, a, offset)
        else:
            self._reach(_ACCESS[op - 0x28], d, a, offset)

    def _load_wide(self, op, d, a, offset):
        if op == 0x29 or op == 0x2B:
            self._reach_both(0xF8D0, d, a, offset)
            return
        self._reach(_ACCESS[op - 0x28], low(d), a, offset)
        if op & 1:
            self.const(high(d), 0)
        else:
            self.alu_const(_SHR_S, high(d), low(d), 31)

    def store(self, op, s, a, offset):
        if op == 0x37 or op == 0x39:
            self._reach_both(0xF8C0, s, a, offset)
        else:
            self._reach(_ACCESS[op - 0x28], s & 0xFF, a, offset)

    def _reach(self, word, r, a, offset):
        code = self.code
        base = _IP
        if offset > 4088:
            offset = self._address(a, offset)
        elif a is None:
            base = _MEM
        elif not offset:
            code.append(word | _MEM)
            code.append(r << 12 | a)
            return
        else:
            code.append(0xEB00 | _MEM)  # add ip, r8, a
            code.append(_IP << 8 | a)
        code.append(word + 0x80 | base)
        code.append(r << 12 | offset)

    def _reach_both(self, word, r, a, offset):
        base = _MEM
        if a is not None or offset > 4088:
            base = _IP
            offset = self._address(a, offset)
        self._32(word | base, low(r) << 12 | offset)
        self._32(word | base, high(r) << 12 | offset + 4)

    # Brings a checked address into the scratch register; returns what is still to be added.
    def _address(self, a, offset):
        if offset > 4088:
            self.const(_IP, offset)
            if a is not None:
                self._32(0xEB00 | _IP, _IP << 8 | a)
            a = _IP
            offset = 0
        self._32(0xEB00 | _MEM, _IP << 8 | a)
        return offset
