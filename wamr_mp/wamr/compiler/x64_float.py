"""x86-64: floating point, in the xmm registers.

Numbers of registers are the compiler's, 16 more than the machine's.
"""

from wamr.host import const
from wamr.compiler.x64_code import Encoder

_RAX = const(0)
_RCX = const(1)
_SCRATCH = const(30)  # xmm14

# Conditions, see numeric.py and control.py.
_NE = const(1)
_GE_U = const(9)
_GT_U = const(10)
_EQUAL = const(16)
_LESS_EQUAL = const(22)

# Operations, see numeric.py: rounding modes from ceil on; opcodes from add on.
_ROUND = b"\x0a\x09\x0b\x08"
_OPCODES = b"\x58\x5c\x59\x5e\x5d\x5f"
_SUBTRACT = const(8)
_DIVIDE = const(10)
_MIN = const(11)
_COPYSIGN = const(13)


class Floats(Encoder):
    def does_float(self, op, w):
        return True

    # An instruction on packed values, where the operand's size is that of the registers.
    def _packed(self, op, d, a, prefix=0):
        self._rr(0x0F00 | op, d - 16, a - 16, False, prefix)

    # One on scalars.
    def _scalar(self, op, d, a, w):
        self._rr(0x0F00 | op, d - 16, a - 16, False, 0xF2 if w else 0xF3)

    def _compare(self, a, b, w):
        self._packed(0x2E, a, b, 0x66 if w else 0)  # ucomisd, ucomiss

    # add sub mul div min max copysign
    def float_binary(self, op, d, a, b, w):
        if op == _COPYSIGN:
            self._copysign(d, a, b, w)
        elif op > _DIVIDE:
            self._minmax(op, d, a, b, w)
        else:
            if d == b and d != a:
                if op == _SUBTRACT or op == _DIVIDE:
                    self.move(_SCRATCH, b)
                    b = _SCRATCH
                else:
                    a, b = b, a
            self.move(d, a)
            self._scalar(_OPCODES[op - 7], d, b, w)

    # Equal operands differ in the sign of zero at most, so their bits are combined; a NaN on
    # either side makes one.
    def _minmax(self, op, d, a, b, w):
        nan = []
        equal = []
        end = []
        self.move(_SCRATCH, a)
        self._compare(_SCRATCH, b, w)
        self._jump_if(0x8A, nan)
        self._jump_if(0x84, equal)
        self._scalar(_OPCODES[op - 7], _SCRATCH, b, w)
        self.jump(end)
        self.bind(nan)
        self._scalar(0x58, _SCRATCH, b, w)
        self.jump(end)
        self.bind(equal)
        self._packed(0x56 if op == _MIN else 0x54, _SCRATCH, b)  # orps, andps
        self.bind(end)
        self.move(d, _SCRATCH)

    # The scratch register gets all bits set, shifted: left by all but one, or right by one.
    def _mask(self, left, w):
        self._packed(0x76, _SCRATCH, _SCRATCH, 0x66)  # pcmpeqd
        self._rr(0x0F73 if w else 0x0F72, 6 if left else 2, _SCRATCH - 16, False, 0x66)
        self.code.append((63 if w else 31) if left else 1)

    def _copysign(self, d, a, b, w):
        self._mask(True, w)
        self._packed(0x28, _SCRATCH + 1, _SCRATCH)  # movaps
        self._packed(0x54, _SCRATCH + 1, b)  # andps: the sign
        self._packed(0x55, _SCRATCH, a)  # andnps: the rest
        self._packed(0x56, _SCRATCH, _SCRATCH + 1)  # orps
        self.move(d, _SCRATCH)

    # abs neg ceil floor trunc nearest sqrt
    def float_unary(self, op, d, a, w):
        if op < 2:
            self._mask(op, w)
            self.move(d, a)
            self._packed(0x57 if op else 0x54, d, _SCRATCH)  # xorps, andps
        elif op == 6:
            self._scalar(0x51, d, a, w)
        else:  # roundsd, roundss
            self._rr(0x0F3A0B if w else 0x0F3A0A, d - 16, a - 16, False, 0x66)
            self.code.append(_ROUND[op - 2])

    # Returns the condition that says whether it is so, never with a NaN.
    def float_compare(self, condition, a, b, w):
        if condition == _EQUAL:
            self._compare(a, b, w)
            # Equal and not unordered, which the parity flag says.
            self._rr(0x0F9B, 0, _RCX, byte=True)
            self._rr(0x0F94, 0, _RAX, byte=True)
            self._rr(0x20, _RCX, _RAX, byte=True)
            return _NE
        if condition & 2:  # less: the operands are swapped
            a, b = b, a
        self._compare(a, b, w)
        return _GT_U if condition < _LESS_EQUAL else _GE_U
