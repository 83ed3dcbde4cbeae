"""Thumb-2 with the single-precision FPU of Cortex-M4F (armv7emsp).

The compiler's registers from 16 on are s0 to s13; s14 and s15 are scratch. The linear memory is
accessed by way of the other registers: vldr and vstr want aligned addresses.
"""

from wamr.host import const
from wamr.compiler.thumb2 import Thumb2

_IP = const(12)
_SCRATCH = const(30)  # s14

# Operations and conditions, see numeric.py and control.py.
_ADD = const(7)
_MIN = const(11)
_COPYSIGN = const(13)
_NE = const(1)
_MI = const(2)
_GE_S = const(5)
_LE_U = const(11)
_VS = const(12)
# add sub mul div, in two halfwords
_BINARY = (0xEE30, 0x0A00, 0xEE30, 0x0A40, 0xEE20, 0x0A00, 0xEE80, 0x0A00)
# What equal, less, greater, less or equal, greater or equal are after vcmp: with a NaN, none.
_COMPARED = b"\x00\x02\x06\x0b\x05"


class Thumb2F(Thumb2):
    NAME = "armv7emsp"
    FLOATS = 4  # f32
    FLOAT_TEMPS = 0x3F0000
    CONVERTS = b"\xb2\xb3"
    TRUNCATES = b"\xa8\xa9"
    SATURATES = b"\0\1"

    # An instruction d = n op m.
    def _float3(self, first, second, d, n, m):
        self._32(
            first | (d & 1) << 6 | n - 16 >> 1,
            second | d - 16 >> 1 << 12 | (n & 1) << 7 | (m & 1) << 5 | m - 16 >> 1,
        )

    # d = op m
    def _float2(self, first, second, d, m):
        self._float3(first, second, d, 16, m)

    # vmov between the classes of registers: s = r, or with 0x10 more r = s
    def _vmov(self, first, s, r):
        self._32(first | s - 16 >> 1, r << 12 | 0x0A10 | (s & 1) << 7)

    # vldr or vstr
    def _access(self, op, r, base, offset):
        if offset >= 1024:
            self.const(_IP, offset)
            self._32(0xEB00 | base, _IP << 8 | _IP)  # add ip, base, ip
            base = _IP
            offset = 0
        self._32(op | 0x80 | (r & 1) << 6 | base, r - 16 >> 1 << 12 | 0x0A00 | offset >> 2)

    # ---- moves: what Thumb2 has for registers from 16 on

    def move_float(self, d, s):
        if d < 16:
            self._vmov(0xEE10, s, d)
        elif s < 16:
            self._vmov(0xEE00, d, s)
        elif d != s:
            self._float2(0xEEB0, 0x0A40, d, s)

    def load_float(self, d, base, offset):
        self._access(0xED10, d, base, offset)  # vldr

    def store_float(self, s, base, offset):
        self._access(0xED00, s, base, offset)  # vstr

    # ---- arithmetic

    def does_float(self, op, w):
        if w:
            return Thumb2.does_float(self, op, w)
        return op < 2 or op > 5

    # abs neg sqrt
    def float_unary(self, op, d, a, w):
        if w:
            Thumb2.float_unary(self, op, d, a, w)
        elif op:
            self._float2(0xEEB1, 0x0AC0 if op > 1 else 0x0A40, d, a)
        else:
            self._float2(0xEEB0, 0x0AC0, d, a)

    # add sub mul div min max copysign
    def float_binary(self, op, d, a, b, w):
        if w:
            Thumb2.float_binary(self, op, d, a, b, w)
        elif op == _COPYSIGN:
            self.move(_IP, b)
            self._float2(0xEEB0, 0x0AC0, d, a)  # vabs
            self._32(0xF1BC, 0x0F00)  # cmp ip, #0
            self.code.append(0xBF48)  # it mi
            self._float2(0xEEB1, 0x0A40, d, d)  # vneg
        elif op >= _MIN:
            self._minmax(op, d, a, b)
        else:
            op = 2 * (op - _ADD)
            self._float3(_BINARY[op], _BINARY[op + 1], d, a, b)

    # Of equal operands, which differ in the sign of zero at most, the sign of the first one
    # decides; a NaN on either side makes one.
    def _minmax(self, op, d, a, b):
        nan = []
        different = []
        end = []
        self._vcmp(a, b)
        self.branch(_VS, nan)
        self.branch(_NE, different)
        self.move(_IP, a)
        self._32(0xF1BC, 0x0F00)  # cmp ip, #0
        self.bind(different)
        # min: the second operand, unless the first is less or negative; max the other way round.
        self.move(_SCRATCH, b if op == _MIN else a)
        self.code.append(0xBF48)  # it mi
        self.move(_SCRATCH, a if op == _MIN else b)
        self.jump(end)
        self.bind(nan)
        self._float3(_BINARY[0], _BINARY[1], _SCRATCH, a, b)
        self.bind(end)
        self.move(d, _SCRATCH)

    def _vcmp(self, a, b):
        self._float2(0xEEB4, 0x0A40, a, b)
        self._32(0xEEF1, 0xFA10)  # vmrs APSR_nzcv, fpscr

    # Returns the condition that says whether it is so.
    def float_compare(self, condition, a, b, w):
        self._vcmp(a, b)
        return _COMPARED[condition - 16 >> 1]

    # ---- conversions

    # f32 from i32: signed, unsigned
    def convert(self, op, d, a):
        self.move(d, a)
        self._float2(0xEEB8, 0x0AC0 if op == 0xB2 else 0x0A40, d, d)

    def truncate(self, op, d, a, invalid, overflow):
        signed = op == 0xA8
        self.const(_SCRATCH, 0x4F000000 if signed else 0x4F800000)  # 2 ** 31, 2 ** 32
        self._vcmp(a, _SCRATCH)
        self.branch(_VS, invalid)
        self.branch(_GE_S, overflow)
        if signed:
            self._float2(0xEEB1, 0x0A40, _SCRATCH, _SCRATCH)  # vneg
        else:
            self._32(0xEEBF, 0x7A00)  # vmov s14, #-1
        self._vcmp(a, _SCRATCH)
        self.branch(_MI if signed else _LE_U, overflow)
        self.saturate(0 if signed else 1, d, a)

    # i32 from f32: signed, unsigned
    def saturate(self, op, d, a):
        self._float2(0xEEBC if op else 0xEEBD, 0x0AC0, _SCRATCH, a)
        self.move(d, _SCRATCH)

    # ---- stubs

    def _keep(self):
        Thumb2._keep(self)
        self._32(0xEC8C, 0x0A0E)  # vstm ip, {s0-s13}

    def _get(self):
        Thumb2._get(self)
        self._32(0xEC9C, 0x0A0E)

    # Registers at a trap: the scratch register points to where they are kept.
    def _save(self):
        Thumb2._save(self)
        self._32(0xF10C, 0x0C48)  # add ip, ip, #FLOAT_REGISTERS - REGISTERS
        self._32(0xEC8C, 0x0A0E)  # vstm ip, {s0-s13}

    def _restore(self):
        Thumb2._restore(self)
        self._32(0xF10C, 0x0C48)
        self._32(0xEC9C, 0x0A0E)
