"""x86-64: conversions between integers and floats."""

from wamr.host import const
from wamr.compiler.x64_code import REGS
from wamr.compiler.x64_float import Floats

_RAX = const(0)
_RCX = const(1)
_SCRATCH = const(30)  # xmm14

# Bits of a truncation
_UNSIGNED = const(1)
_FROM_F64 = const(2)
_TO_I64 = const(4)


class Conversions(Floats):
    CONVERTS = b"\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xbb"
    TRUNCATES = b"\xa8\xa9\xaa\xab\xae\xaf\xb0\xb1"
    SATURATES = b"\0\1\2\3\4\5\6\7"

    def convert(self, op, d, a):
        wide = op >= 0xB7
        if op == 0xB6 or op == 0xBB:
            self._scalar(0x5A, d, a, op == 0xB6)  # cvtsd2ss, cvtss2sd
        elif op == 0xB5 or op == 0xBA:
            # Half of what is more than a signed number, its last bit made sticky, and doubled.
            half = []
            end = []
            a = REGS[a]
            self._rr(0x85, a, a, True)
            self._jump_if(0x88, half)
            self._from_integer(d, a, True, wide)
            self.jump(end)
            self.bind(half)
            self._mov(_RAX, a)
            self._mov(_RCX, a)
            self._rr(0xD1, 5, _RAX, True)  # shr
            self._op_imm(4, _RCX, 1, True)  # and
            self._rr(0x09, _RCX, _RAX, True)
            self._from_integer(d, _RAX, True, wide)
            self._scalar(0x58, d, d, wide)
            self.bind(end)
        else:
            # An unsigned i32 is a positive i64.
            self._from_integer(d, REGS[a], op != 0xB2 and op != 0xB7, wide)

    # cvtsi2ss, cvtsi2sd
    def _from_integer(self, d, s, w, wide):
        self._rr(0x0F2A, d - 16, s, w, 0xF2 if wide else 0xF3)

    # By opcode.
    def truncate(self, op, d, a, invalid, overflow):
        about = op - (0xA8 if op < 0xAC else 0xAA)
        outside = []
        end = []
        self._to_integer(about, a, outside)
        self._mov(REGS[d], _RAX)
        self.jump(end)
        self.bind(outside)
        self._compare(a, a, about & _FROM_F64)
        self._jump_if(0x8A, invalid)
        self.jump(overflow)
        self.bind(end)

    # By the number behind the prefix.
    def saturate(self, about, d, a):
        d = REGS[d]
        outside = []
        below = []
        nan = []
        end = []
        wide = about & _TO_I64
        self._to_integer(about, a, outside)
        self._mov(d, _RAX)
        self.jump(end)
        self.bind(outside)
        self._packed(0x57, _SCRATCH, _SCRATCH)  # xorps
        self._compare(a, _SCRATCH, about & _FROM_F64)
        self._jump_if(0x8A, nan)
        self._jump_if(0x82, below)
        most = 0xFFFFFFFFFFFFFFFF if wide else 0xFFFFFFFF
        self._imm(d, most if about & _UNSIGNED else most >> 1, wide)
        self.jump(end)
        self.bind(below)
        if not about & _UNSIGNED:
            self._imm(d, (most >> 1) + 1, wide)
            self.jump(end)
        self.bind(nan)
        self._imm(d, 0, False)
        self.bind(end)

    # Into rax; goes to `outside` if it does not fit.
    def _to_integer(self, about, a, outside):
        w = about & _FROM_F64
        if about & _TO_I64:
            if about & _UNSIGNED:
                self._to_u64(a, w, outside)
            else:
                self._to_i64(a, w, outside)
            return
        # By way of 64 bits, which hold every result and tell those that do not fit.
        self._cvtt(a, w)
        if about & _UNSIGNED:
            self._mov(_RCX, _RAX, False)
        else:
            self._rr(0x63, _RCX, _RAX, True)  # movsxd
        self._rr(0x39, _RAX, _RCX, True)
        self._jump_if(0x85, outside)
        self._mov(_RAX, _RCX, False)

    # cvttss2si, cvttsd2si: what does not fit gives the least number.
    def _cvtt(self, a, w):
        self._rr(0x0F2C, _RAX, a - 16, True, 0xF2 if w else 0xF3)

    # The scratch register gets 2 ** 63, or less that.
    def _limit(self, negative, w):
        if w:
            self.const_wide(_SCRATCH, 0xC3E << 52 if negative else 0x43E << 52)
        else:
            self.const(_SCRATCH, 0xDF << 24 if negative else 0x5F << 24)

    def _to_i64(self, a, w, outside):
        fits = []
        self._cvtt(a, w)
        self._op_imm(7, _RAX, 1, True)  # cmp, which overflows for the least number alone
        self._jump_if(0x81, fits)
        self._limit(True, w)
        self._compare(a, _SCRATCH, w)
        self._jump_if(0x85, outside)
        self._jump_if(0x8A, outside)
        self._imm(_RAX, 1 << 63, True)
        self.bind(fits)

    def _to_u64(self, a, w, outside):
        large = []
        end = []
        self._limit(False, w)
        self._compare(a, _SCRATCH, w)
        self._jump_if(0x83, large)
        self._cvtt(a, w)
        self._rr(0x85, _RAX, _RAX, True)
        self._jump_if(0x88, outside)
        self.jump(end)
        self.bind(large)
        self.move(_SCRATCH + 1, a)
        self._scalar(0x5C, _SCRATCH + 1, _SCRATCH, w)
        self._cvtt(_SCRATCH + 1, w)
        self._rr(0x85, _RAX, _RAX, True)
        self._jump_if(0x88, outside)
        self._rr(0x0FBA, 7, _RAX, True)  # btc rax, 63
        self.code.append(63)
        self.bind(end)
