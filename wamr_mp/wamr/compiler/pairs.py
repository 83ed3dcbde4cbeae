"""64-bit integer instructions for targets whose registers hold 32 bits.

A value of 64 bits is a pair of registers (values.pair). The pair of a result is that of an
operand, or shares no register with any; only where the other value has 32 bits may it contain that
one's register. The target gives the instructions on single registers; T is its scratch register.
"""

from wamr.host import const
from wamr.compiler.assembler import Assembler
from wamr.compiler.values import high, low

# Operations, see numeric.py.
_ADD = const(0)
_SUB = const(1)
_MUL = const(2)
_AND = const(7)
_XOR = const(9)
_SHL = const(10)
_SHR_S = const(11)
_SHR_U = const(12)
_ROTL = const(13)
_ROTR = const(14)


# The lower word of a number, signed: the targets know short numbers, of either sign.
def _word(value):
    value &= 0xFFFFFFFF
    return value - 0x100000000 if value > 0x7FFFFFFF else value


class Pairs(Assembler):
    WIDE = False

    # ---- moves

    # (The two pairs may overlap.)
    def move_wide(self, d, s):
        s_low = low(s)
        s_high = high(s)
        if low(d) == s_high:
            if high(d) == s_low:
                self.move(self.T, s_low)
                s_low = self.T
            self.move(high(d), s_high)
            self.move(low(d), s_low)
        else:
            self.move(low(d), s_low)
            self.move(high(d), s_high)

    def const_wide(self, d, value):
        self.const(low(d), _word(value))
        self.const(high(d), _word(value >> 32))

    def load_wide(self, d, cell):
        self.load_cell(low(d), cell)
        self.load_cell(high(d), cell + 1)

    def store_wide(self, s, cell):
        self.store_cell(low(s), cell)
        self.store_cell(high(s), cell + 1)

    def store_const(self, value, cell):
        self.const(self.T, value)
        self.store_cell(self.T, cell)

    def store_const_wide(self, value, cell):
        self.store_const(_word(value), cell)
        self.store_const(_word(value >> 32), cell + 1)

    # Globals: of this instance, in the context, and imported ones, whose address is there.
    def load_ctx(self, d, offset, w):
        self.load_context(low(d), offset)
        if w:
            self.load_context(high(d), offset + 4)

    def store_ctx(self, s, offset, w):
        self.store_context(low(s), offset)
        if w:
            self.store_context(high(s), offset + 4)

    def load_far(self, d, offset, w):
        self.load_context(self.T, offset)
        self.load_at(low(d), self.T, 0)
        if w:
            self.load_at(high(d), self.T, 4)

    def store_far(self, s, offset, w):
        self.load_context(self.T, offset)
        self.store_at(low(s), self.T, 0)
        if w:
            self.store_at(high(s), self.T, 4)

    # Through the scratch register: a lower target may overlap its source.
    def copy_cells(self, target, source, n):
        for i in range(n):
            self.load_cell(self.T, source + i)
            self.store_cell(self.T, target + i)

    # ---- arithmetic

    def alu_wide(self, op, d, a, b):
        if op <= _SUB:
            self.add_pairs(op, d, a, b)
        elif op == _MUL:
            self.mul_pairs(d, a, b)
        else:
            self.alu(op, low(d), low(a), low(b))
            self.alu(op, high(d), high(a), high(b))

    # Whether alu_const_wide can take this constant.
    def fits_wide(self, op, value):
        if op == _ADD:
            return self.fits_pairs(_word(value), _word(value >> 32))
        return op != _MUL

    def alu_const_wide(self, op, d, a, value):
        if op >= _SHL:
            self._shift_const(op, d, a, value & 63)
            return
        lo = _word(value)
        hi = _word(value >> 32)
        if op == _ADD:
            self.add_pairs_const(d, a, lo, hi)
        else:
            self.alu_const(op, low(d), low(a), lo)
            self.alu_const(op, high(d), high(a), hi)

    # Shifts by a constant are made of shifts of the two words.
    def _shift_const(self, op, d, a, n):
        al, ah, dl, dh = low(a), high(a), low(d), high(d)
        if op == _ROTR:
            op = _ROTL
            n = -n & 63
        if n == 0:
            self.move_wide(d, a)
        elif op == _ROTL:
            self.move(self.T, ah)
            if n < 32:
                self.alu_const(_SHL, dh, ah, n)
                self.or_shifted(dh, dh, _SHR_U, al, 32 - n)
                self.alu_const(_SHL, dl, al, n)
                self.or_shifted(dl, dl, _SHR_U, self.T, 32 - n)
            elif n == 32:
                self.move(dh, al)
                self.move(dl, self.T)
            else:
                self.alu_const(_SHL, dh, al, n - 32)
                self.or_shifted(dh, dh, _SHR_U, self.T, 64 - n)
                self.alu_const(_SHR_U, dl, al, 64 - n)
                self.or_shifted(dl, dl, _SHL, self.T, n - 32)
        elif op == _SHL:
            if n < 32:
                self.alu_const(_SHL, dh, ah, n)
                self.or_shifted(dh, dh, _SHR_U, al, 32 - n)
                self.alu_const(_SHL, dl, al, n)
            else:
                self.alu_const(_SHL, dh, al, n - 32)
                self.const(dl, 0)
        elif n < 32:
            self.alu_const(_SHR_U, dl, al, n)
            self.or_shifted(dl, dl, _SHL, ah, 32 - n)
            self.alu_const(op, dh, ah, n)
        else:
            self.alu_const(op, dl, ah, n - 32)
            if op == _SHR_S:
                self.alu_const(op, dh, ah, 31)
            else:
                self.const(dh, 0)

    # ---- for routines (see routines.py)

    # Places that are branched to before or after they are marked: their label holds what waits
    # for them, then their position.

    def mark(self, label):
        self.bind(label)
        label.clear()
        label.append(~self.here())

    def branch_on(self, condition, label):
        if label and label[0] < 0:
            self.branch_back(condition, ~label[0])
        else:
            self.branch(condition, label)

    def branch_if(self, condition, a, b, label):
        self.branch_on(self.compare(condition, a, b), label)

    def branch_const(self, condition, a, value, label):
        self.branch_on(self.compare_const(condition, a, value), label)

    def goto(self, label):
        if label and label[0] < 0:
            self.jump_back(~label[0])
        else:
            self.jump(label)

    # ---- conversions

    # What makes an integer of another width, by opcode: wrap, extend…
    def extend(self, op, d, a):
        lo = low(d)
        if op == 0xC0 or op == 0xC2:
            self.sign_extend(lo, low(a), 8)
        elif op == 0xC1 or op == 0xC3:
            self.sign_extend(lo, low(a), 16)
        else:
            self.move(lo, low(a))
        if op == 0xAD:  # i64.extend_i32_u
            self.const(high(d), 0)
        elif d > 0xFF:
            self.alu_const(_SHR_S, high(d), lo, 31)
