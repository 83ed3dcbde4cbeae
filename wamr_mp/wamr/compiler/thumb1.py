"""ARMv6-M encodings: Cortex-M0 and M0+ (RP2040), which have little but 16-bit instructions.

Few of these take a register from r8 on. The compiler's are 0 to 4, which are r0 to r4, and 7,
which is r8, as r7 is scratch inside of what is emitted here (_S). Routines use 5 and 6 as well,
which elsewhere are the linear memory and the frame (cells). r9 is the fuel, r10 holds -1, r11 the
limit (an address below it has 4 bytes in the memory), r12 (11 to the compiler) is T, lr scratch
between calls (_V). The context's address and what is near it are words on the C stack, see
thumb1_stubs.py.

Branches forward, which do not reach far, go over a jump; what traps is called on the spot.
"""

from wamr.host import const
from wamr.compiler.thumb1_memory import Memory

_S = const(7)
_T = const(12)
_V = const(14)

# Operations and conditions, see numeric.py.
_ADD = const(0)
_SUB = const(1)
_MUL = const(2)
_DIV_U = const(4)
_AND = const(7)
_XOR = const(9)
_SHL = const(10)
_ROTL = const(13)
_ROTR = const(14)

# By operation: the form `op rdn, rm`. (Left rotations turn right by the opposite.)
_OPS = (
    0, 0, 0x4340, 0, 0, 0, 0, 0x4000, 0x4300, 0x4040, 0x4080, 0x4100, 0x40C0, 0x41C0, 0x41C0,
)  # fmt: skip
# From _SHL on: the form with a constant.
_SHIFTS = (0x0000, 0x1000, 0x0800)

# How many units the first load may be away, at most and where it costs nothing to end that.
_FULL = const(400)
_OLD = const(120)

_len = len  # found faster as a global of this module


class Thumb1(Memory):
    NAME = "armv6m"
    OFTEN = Memory.OFTEN + ("_const", "_move", "_add_const", "_op")
    UNIT = 2
    T = 11
    THUMB = 1
    STORES_CONSTANTS = False
    FLAGS = True

    # Only one for locals is high: adds and comparisons take it, others first move it.
    def registers(self, wide):
        return (5, b"\x07") if wide else (3, b"\x03\x04\x07")

    def begin(self):
        Memory.begin(self)
        self.multiple = -1  # position, and register that holds a multiple of 4 there
        self.compared = 0  # where flags were set that are not used yet
        self.linked = False  # whether lr has a routine's return address
        self.numbers = []  # that shall lie in the code
        self.loads = []  # of these: place << 8 | index

    # Numbers in the code are found at words.
    def align(self):
        if self.loads:
            self._pool(0)
        if _len(self.code) & 1:
            self.code.append(0xBF00)  # nop

    def bind(self, label):
        Memory.bind(self, label)
        self.multiple = -1

    # ---- moves. (What begins with _ takes r0 to r15, the others the compiler's numbers.)

    def move(self, d, s):
        if d != s:
            if d > 6:
                d += 1
            if s > 6:
                s += 1
            self.code.append(0x4600 | (d & 8) << 4 | s << 3 | d & 7)

    def _move(self, d, s):
        self.code.append(0x4600 | (d & 8) << 4 | s << 3 | d & 7)

    # The register, or scratch with what is in it.
    def _low(self, r):
        if r < 7:
            return r
        self._move(_S, r + 1)
        return _S

    # Sets the flags for most constants.
    def const(self, d, value):
        if d > 6:
            self._const(_S, value)
            self._move(d + 1, _S)
        elif 0 <= value < 0x100:
            self.code.append(0x2000 | d << 8 | value)
        else:
            self._const(d, value)

    def _const(self, d, value):
        code = self.code
        if -0x100 <= value < 0:
            code.append(0x2000 | d << 8 | ~value)
            code.append(0x43C0 | d << 3 | d)  # mvns
            return
        if not 0 <= value <= 0x3FFFFFFF:
            value &= 0xFFFFFFFF
        if value < 0x100:
            code.append(0x2000 | d << 8 | value)
            return
        n = 0
        bits = value
        while not bits & 1:
            bits >>= 1
            n += 1
        if bits < 0x100:
            code.append(0x2000 | d << 8 | bits)
            code.append(n << 6 | d << 3 | d)  # lsls
        elif value < 0x1FF:
            code.append(0x20FF | d << 8)
            code.append(0x3000 - 0xFF + value | d << 8)
        else:
            self._literal(d, value)

    # A number in the code, which is reached up to 1,020 bytes ahead. The flags stay as they are.
    def _literal(self, d, value):
        if self.far:
            self._inline(d, value)
            return
        self.make_room()
        code = self.code
        if value not in self.numbers:
            self.numbers.append(value)
        self.loads.append(_len(code) << 8 | self.numbers.index(value))
        code.append(0x4800 | d << 8)  # ldr d, [pc, #]

    # The same, right behind, where it is jumped over.
    def _inline(self, d, value):
        code = self.code
        odd = _len(code) & 1
        code.append(0x4800 | d << 8 | odd)
        code.append(0xE001 + odd)
        if odd:
            code.append(0xBF00)
        code.append(value & 0xFFFF)
        code.append(value >> 16 & 0xFFFF)

    # Puts the numbers that are waited for here before they get out of reach.
    def make_room(self):
        if self.loads and self._age() > _FULL:
            self._pool(1)

    # Where nothing goes on they need no jump.
    def end_path(self):
        if self.loads and self._age() > _OLD:
            self._pool(0)

    # What the first load that waits would have to reach.
    def _age(self):
        return _len(self.code) + 2 * _len(self.numbers) - (self.loads[0] >> 8)

    def _pool(self, jump):
        code = self.code
        odd = _len(code) + jump & 1
        if jump:
            code.append(0xE000 | 2 * _len(self.numbers) + odd - 1)
        if odd:
            code.append(0xBF00)
        start = _len(code)
        for value in self.numbers:
            code.append(value & 0xFFFF)
            code.append(value >> 16)
        for load in self.loads:
            place = load >> 8
            n = (start - (place + 2 & ~1) >> 1) + (load & 0xFF)
            if n > 0xFF:
                raise OverflowError("a function is too large for its numbers")
            code[place] |= n
        self.numbers.clear()
        self.loads.clear()

    # ---- arithmetic

    def alu(self, op, d, a, b):
        if d | a | b < 7 or d < 7 and a < 7 and b < 7:
            code = self.code
            if op <= _SUB:
                code.append(0x1800 | op << 9 | b << 6 | a << 3 | d)
            elif op >= _SHL:
                self._shift(op, d, a, b)
            else:
                if d == b:
                    b = a
                elif d != a:
                    code.append(0x4600 | a << 3 | d)
                code.append(_OPS[op] | b << 3 | d)
            self.flags = _len(code) << 4 | d
        elif op == _ADD:
            if d == b:
                b = a
            else:
                self.move(d, a)
            self._add(d if d < 7 else d + 1, b if b < 7 else b + 1)
        elif op >= _SHL:
            self._amount(op, self._low(b))
            self._high_op(op, d, a)
        elif b > 6:
            self._move(_S, b + 1)
            self._high_op(op, d, a)
        elif d < 7 and d != b:
            self.move(d, a)
            self._op(op, d, b)
        else:
            self._move(_S, a if a < 7 else a + 1)
            self._op(op, _S, b)
            self._move(d if d < 7 else d + 1, _S)

    # d op= b
    def _op(self, op, d, b):
        if op == _SUB:
            self.code.append(0x1A00 | b << 6 | d << 3 | d)
        else:
            self.code.append(_OPS[op] | b << 3 | d)

    # The same of any registers; the flags stay as they are.
    def _add(self, d, b):
        self.code.append(0x4400 | (d & 8) << 4 | b << 3 | d & 7)

    # d = a op what is in scratch
    def _high_op(self, op, d, a):
        if d < 7:
            self.move(d, a)
            self._op(op, d, _S)
            return
        self._move(_V, 0)
        self.move(0, a)
        self._op(op, 0, _S)
        self.move(d, 0)
        self._move(0, _V)

    # The amount of a shift by b, in scratch. (A machine shift by 32 or more gives 0.)
    def _amount(self, op, b):
        code = self.code
        if op == _ROTL:
            code.append(0x4240 | b << 3 | _S)  # rsbs
        elif op == _ROTR:
            if b != _S:
                self._move(_S, b)
        else:
            code.append(0x06C0 | b << 3 | _S)  # lsls #27
            code.append(0x0EC0 | _S << 3 | _S)  # lsrs #27

    def _shift(self, op, d, a, b):
        if op != _ROTR or d == b:
            self._amount(op, b)
            b = _S
        if d != a:
            self._move(d, a)
        self.code.append(_OPS[op] | b << 3 | d)

    def alu_const(self, op, d, a, value):
        if op == _ADD:
            self._add_const(d, a, value)
            return
        if op >= _SHL:
            value = (-value if op == _ROTL else value) & 31
            if not value:
                self.move(d, a)
                return
            self._shift_one(op, d, a, value)
        elif op == _MUL and value > 1 and not value & value - 1:
            self._shift_one(_SHL, d, a, self._log2(value))
        elif d > 6 or a > 6:
            self._with_const(op, d, a, value)
        elif op == _AND and (value == 0xFF or value == 0xFFFF):
            # uxtb, uxth, which leave the flags alone
            self.code.append((0xB2C0 if value == 0xFF else 0xB280) | a << 3 | d)
            return
        elif op == _AND:
            self._and_const(d, a, value)
        elif op == _XOR and value == -1:
            self.code.append(0x43C0 | a << 3 | d)  # mvns
        else:
            self._with_const(op, d, a, value)
        if d < 7:
            self.flags = _len(self.code) << 4 | d
        if op == _AND and not value & 3:
            self.multiple = _len(self.code) << 4 | d

    def _with_const(self, op, d, a, value):
        if d < 7 and d != a:
            self._const(d, value)
            self._op(op, d, self._low(a))
        elif d < 7:
            self._const(_S, value)
            self._op(op, d, _S)
        else:
            self._const(_S, value)
            if a < 7:
                self._op(op, _S, a)
                self._move(d + 1, _S)
            else:
                self._high_op(op, d, a)

    # Masks are made of shifts.
    def _and_const(self, d, a, value):
        code = self.code
        if value > 0xFF and not value & value + 1:
            n = 31 - self._log2(value + 1 >> 1)
            code.append(n << 6 | a << 3 | d)
            code.append(0x0800 | n << 6 | d << 3 | d)
        elif value < -1 and not ~value & ~value + 1:
            n = self._log2(-value)
            code.append(0x0800 | n << 6 | a << 3 | d)
            code.append(n << 6 | d << 3 | d)
        elif -0x100 <= value < 0:
            code.append(0x2000 | _S << 8 | ~value)
            self.move(d, a)
            code.append(0x4380 | _S << 3 | d)  # bics
        else:
            self._with_const(_AND, d, a, value)

    def _log2(self, value):
        n = 0
        while value >> n != 1:
            n += 1
        return n

    # A rotation turns right.
    def _shift_one(self, op, d, a, n):
        code = self.code
        if op >= _ROTL:
            code.append(0x2000 | _S << 8 | n)
            self._high_op(_ROTR, d, a)
            return
        r = d if d < 7 else _S
        code.append(_SHIFTS[op - _SHL] | n << 6 | self._low(a) << 3 | r)
        if d > 6:
            self._move(d + 1, _S)
        if op == _SHL and n > 1:
            self.multiple = _len(code) << 4 | d

    def _add_const(self, d, a, value):
        code = self.code
        r = d if d < 7 else _S
        n = value if value >= 0 else -value
        minus = 0 if value >= 0 else 1
        if not value:
            self.move(d, a)
            return
        if self.multiple == _len(code) << 4 | a and not value & 3:
            self.multiple = -1
            self._add_const(d, a, value)
            self.multiple = _len(code) << 4 | d
            return
        if n < 8:
            code.append(0x1C00 | minus << 9 | n << 6 | self._low(a) << 3 | r)
        elif n < 0x100 or n < 0x1FF and d == a:
            if d > 6 or d != a:
                self._move(r, a if a < 7 else a + 1)
            if n > 0xFF:
                code.append(0x30FF | minus << 11 | r << 8)
                n -= 0xFF
            code.append(0x3000 | minus << 11 | r << 8 | n)
        elif a > 6 and d < 7:
            self._const(d, value)
            self._add(d, a + 1)
            return
        else:
            r = _S if d > 6 or d == a else d
            self._const(r, value)
            if a > 6:
                self._add(r, a + 1)
            else:
                code.append(0x1800 | r << 6 | a << 3 | (d if d < 7 else _S))
        if d > 6:
            self._move(d + 1, _S)
        else:
            self.flags = _len(code) << 4 | d

    # d = the lowest 8 or 16 bits of a with their sign
    def sign_extend(self, d, a, bits):
        r = d if d < 7 else _S
        self.code.append((0xB240 if bits == 8 else 0xB200) | self._low(a) << 3 | r)
        if d > 6:
            self._move(d + 1, _S)

    # ---- by subroutines, see thumb1_routines.py: scratch and T in and out, no other register

    # clz, ctz, popcnt
    def unary(self, op, d, a):
        self._move(_S, a if a < 7 else a + 1)
        if self.linked:
            self._move(_T, _V)
        self.call_subroutine(-1 - op)
        if self.linked:
            self._move(_V, _T)
        self._move(d if d < 7 else d + 1, _S)

    def divide(self, op, d, a, b, w):
        self._move(_S, a if a < 7 else a + 1)
        self.move(self.T, b)
        self.call_subroutine(-4 if op & 1 else -5)
        self._move(d if d < 7 else d + 1, _S if op <= _DIV_U else _T)
