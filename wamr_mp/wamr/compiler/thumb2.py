"""Thumb-2 encodings: Cortex-M3 and later (armv7m, armv7em, armv7emsp).

r0 to r7 are the compiler's. r8 is the linear memory, r9 the fuel, r10 the context, r11 the frame
(cells), r12 is scratch. lr holds the limit while a function runs that uses the memory: an address
below it has 4 bytes in the memory.
"""

from ..host import const
from . import context
from .pairs import Pairs
from .values import high, low

_MEM = const(8)
_FUEL = const(9)
_CTX = const(10)
_FP = const(11)
_IP = const(12)
_SP = const(13)
_LR = const(14)
_PC = const(15)

# Frames of up to this many bytes are checked against a soft end of the stack, by their start only.
_GUARD = const(256)

# Data processing: opcode of the 32-bit forms, opcode of the 16-bit form `op rdn, rm` (or -1).
_ALU = {"and": (0, 0x4000), "or": (2, 0x4300), "xor": (4, 0x4040), "add": (8, -1), "sub": (13, -1)}
_SHIFTS = {"shl": 0, "shr_u": 1, "shr_s": 2, "rotr": 3}
_CONDITIONS = {
    "eq": 0, "ne": 1, "ge_u": 2, "lt_u": 3, "gt_u": 8, "le_u": 9, "ge_s": 10, "lt_s": 11,
    "gt_s": 12, "le_s": 13,
    "mi": 4,
}  # fmt: skip
_SWAPPED = {"gt_s": "lt_s", "le_s": "ge_s", "gt_u": "lt_u", "le_u": "ge_u"}


# The 12 bits i:imm3:imm8 of a modified immediate, or -1.
def _modified(value):
    if value < 0x100:
        return value
    b = value & 0xFF
    if value == b << 16 | b:
        return 0x100 | b
    if value == b << 24 | b << 16 | b << 8 | b:
        return 0x300 | b
    b = value >> 8 & 0xFF
    if value == b << 24 | b << 8:
        return 0x200 | b
    for rotation in range(8, 32):
        b = (value << rotation | value >> (32 - rotation)) & 0xFFFFFFFF
        if 0x80 <= b < 0x100:
            return rotation << 7 | b & 0x7F
    return -1


class Thumb2(Pairs):
    NAME = "armv7m"
    T = _IP
    THUMB = 1
    GUARD = 512  # twice _GUARD: for a function and what it calls
    CONVERTS = b""
    FLOAT32 = False
    FLOAT64 = False

    def registers(self, wide):
        return (5, 3) if wide else (3, 5)

    # ---- encoding

    def _16(self, word):
        self.code.append(word & 0xFF)
        self.code.append(word >> 8)

    def _32(self, first, second):
        self._16(first)
        self._16(second)

    def mov(self, d, s):
        if d != s:
            self._16(0x4600 | (d & 8) << 4 | s << 3 | d & 7)

    # Sets the flags for small constants in low registers.
    def imm(self, d, value):
        if value < 0x100 and d < 8:
            self._16(0x2000 | d << 8 | value)
            return
        bits = _modified(value)
        if bits >= 0:
            self._immediate(0xF04F, d, bits)
            return
        bits = _modified(~value & 0xFFFFFFFF)
        if bits >= 0:
            self._immediate(0xF06F, d, bits)
            return
        self._movw(0xF240, d, value & 0xFFFF)
        if value >> 16:
            self._movw(0xF2C0, d, value >> 16)

    def _movw(self, op, d, half):
        self._32(
            op | half >> 12 | (half >> 11 & 1) << 10, (half >> 8 & 7) << 12 | d << 8 | half & 0xFF
        )

    def _immediate(self, op, d, bits):
        self._32(op | (bits >> 11) << 10, (bits >> 8 & 7) << 12 | d << 8 | bits & 0xFF)

    # ---- loads and stores with a constant offset

    def _load_store(self, store, r, base, offset):
        if r < 8 and base < 8 and offset < 128 and not offset & 3:
            self._16((0x6000 if store else 0x6800) | offset >> 2 << 6 | base << 3 | r)
        elif offset < 4096:
            self._32((0xF8C0 if store else 0xF8D0) | base, r << 12 | offset)
        else:
            # Only frames are that large: through the scratch register, which is not the value
            # then.
            self.imm(_IP, offset)
            self._32((0xF840 if store else 0xF850) | base, r << 12 | _IP)

    def load_frame(self, d, offset):
        self._load_store(False, d, _FP, offset)

    # A value in the scratch register cannot go far, but through another one.
    def store_frame(self, s, offset):
        if s == _IP and offset >= 4096:
            self._32(0xF84D, 0x0D04)  # push {r0}
            self.mov(0, _IP)
            self._load_store(True, 0, _FP, offset)
            self._32(0xF85D, 0x0B04)  # pop {r0}
        else:
            self._load_store(True, s, _FP, offset)

    def load_context(self, d, offset):
        self._load_store(False, d, _CTX, offset)

    def store_context(self, s, offset):
        self._load_store(True, s, _CTX, offset)

    def load_at(self, d, base, offset):
        self._load_store(False, d, base, offset)

    def store_at(self, s, base, offset):
        self._load_store(True, s, base, offset)

    # ---- arithmetic on single registers

    def alu32(self, op, d, a, b):
        low_registers = d < 8 and a < 8 and b < 8
        if op == "mul":
            if low_registers and (d == a or d == b):
                self._16(0x4340 | (a if d == b else b) << 3 | d)
            else:
                self._32(0xFB00 | a, 0xF000 | d << 8 | b)
        elif op == "rotl":
            self._32(0xF1C0 | b, _IP << 8)  # rsb ip, b, #0
            self._32(0xFA60 | a, 0xF000 | d << 8 | _IP)
        elif op in _SHIFTS:
            if op != "rotr":
                # A machine shift by 32 or more gives 0.
                self._32(0xF000 | b, _IP << 8 | 31)
                b = _IP
            self._32(0xFA00 | _SHIFTS[op] << 5 | a, 0xF000 | d << 8 | b)
        elif low_registers and op == "add":
            self._16(0x1800 | b << 6 | a << 3 | d)
        elif low_registers and op == "sub":
            self._16(0x1A00 | b << 6 | a << 3 | d)
        elif low_registers and op in ("and", "or", "xor") and (d == a or d == b):
            self._16(_ALU[op][1] | (a if d == b else b) << 3 | d)
        else:
            self._32(0xEA00 | _ALU[op][0] << 5 | a, d << 8 | b)

    def fits32(self, op, value):
        if op in _SHIFTS or op == "rotl":
            return True
        if op == "mul":
            return value != 0 and not value & (value - 1)
        negative = -value & 0xFFFFFFFF
        if op == "add":
            return (
                value < 4096
                or negative < 4096
                or _modified(value) >= 0
                or _modified(negative) >= 0
            )
        if op == "and":
            return _modified(value) >= 0 or _modified(~value & 0xFFFFFFFF) >= 0 or value == 0xFFFF
        if op == "or":
            return _modified(value) >= 0 or _modified(~value & 0xFFFFFFFF) >= 0
        return _modified(value) >= 0 or value == 0xFFFFFFFF

    def alu32_const(self, op, d, a, value):
        if op == "mul":
            n = 0
            while value >> n != 1:
                n += 1
            self.shift(d, "shl", a, n)
        elif op in _SHIFTS or op == "rotl":
            n = value & 31
            if op == "rotl":
                op = "rotr"
                n = -n & 31
            if not n:
                self.mov(d, a)
            elif d < 8 and a < 8 and op != "rotr":
                self._16(_SHIFTS[op] << 11 | n << 6 | a << 3 | d)
            else:
                self._32(0xEA4F, n >> 2 << 12 | d << 8 | (n & 3) << 6 | _SHIFTS[op] << 4 | a)
        elif op == "add":
            self._add_const(d, a, value)
        elif value == 0xFFFFFFFF and op == "xor":
            self._32(0xEA6F, d << 8 | a)  # mvn
        elif value == 0xFFFF and op == "and":
            self.unary32("extend16_u", d, a)
        else:
            bits = _modified(value)
            opcode = _ALU[op][0]
            if bits < 0:
                # bic and orn take the complement.
                bits = _modified(~value & 0xFFFFFFFF)
                opcode += 1
            self._immediate(0xF000 | opcode << 5 | a, d, bits)

    def _add_const(self, d, a, value):
        negative = -value & 0xFFFFFFFF
        sub = negative < value
        n = negative if sub else value
        if not n:
            self.mov(d, a)
        elif d < 8 and a < 8 and n < 8:
            self._16((0x1E00 if sub else 0x1C00) | n << 6 | a << 3 | d)
        elif d < 8 and d == a and n < 256:
            self._16((0x3800 if sub else 0x3000) | d << 8 | n)
        elif _modified(n) >= 0:
            self._immediate((0xF1A0 if sub else 0xF100) | a, d, _modified(n))
        elif n < 4096:
            self._immediate((0xF2A0 if sub else 0xF200) | a, d, n)
        else:  # the other sign can be a modified immediate
            n = value if sub else negative
            self._immediate((0xF100 if sub else 0xF1A0) | a, d, _modified(n))

    # d = a | (s shifted by n)
    def or_shifted(self, d, a, op, s, n):
        self._32(0xEA40 | a, n >> 2 << 12 | d << 8 | (n & 3) << 6 | _SHIFTS[op] << 4 | s)

    def unary32(self, op, d, a):
        if op == "clz":
            self._32(0xFAB0 | a, 0xF080 | d << 8 | a)
        elif op == "ctz":
            self._32(0xFA90 | a, 0xF0A0 | d << 8 | a)
            self._32(0xFAB0 | d, 0xF080 | d << 8 | d)
        elif op == "popcnt":
            self._popcnt(d, a)
        else:
            i = ("extend16_s", "extend8_s", "extend16_u", "extend8_u").index(op)
            if d < 8 and a < 8:
                self._16(0xB200 | i << 6 | a << 3 | d)
            else:
                self._32((0xFA0F, 0xFA4F, 0xFA1F, 0xFA5F)[i], 0xF080 | d << 8 | a)

    # Sums of bits side by side: pairs, nibbles, bytes; then the bytes by a multiplication.
    def _popcnt(self, d, a):
        self._32(0xEA4F, 0x0050 | _IP << 8 | a)  # lsr ip, a, #1
        self._immediate(0xF000 | _IP, _IP, 0x355)  # and ip, ip, #0x55555555
        self._32(0xEBA0 | a, d << 8 | _IP)  # sub d, a, ip
        self._immediate(0xF000 | d, _IP, 0x333)  # and ip, d, #0x33333333
        self._32(0xEA4F, 0x0090 | d << 8 | d)  # lsr d, d, #2
        self._immediate(0xF000 | d, d, 0x333)
        self._32(0xEB00 | d, d << 8 | _IP)  # add d, d, ip
        self._32(0xEB00 | d, 0x1010 | d << 8 | d)  # add d, d, d, lsr #4
        self._immediate(0xF000 | d, d, 0x30F)  # and d, d, #0x0f0f0f0f
        self._immediate(0xF04F, _IP, 0x301)  # mov ip, #0x01010101
        self._32(0xFB00 | d, 0xF000 | d << 8 | _IP)
        self._32(0xEA4F, 0x6010 | d << 8 | d)  # lsr d, d, #24

    def divide(self, op, d, a, b, w):
        code = 0xFB90 if op[-1] == "s" else 0xFBB0
        if op[:3] == "div":
            self._32(code | a, 0xF0F0 | d << 8 | b)
        else:
            self._32(code | a, 0xF0F0 | _IP << 8 | b)
            self._32(0xFB00 | _IP, a << 12 | d << 8 | 0x10 | b)  # mls

    # ---- pairs

    def add_pairs(self, op, d, a, b):
        add = op == "add"
        if low(d) < 8 and low(a) < 8 and low(b) < 8:
            self._16((0x1800 if add else 0x1A00) | low(b) << 6 | low(a) << 3 | low(d))
        else:
            self._32((0xEB10 if add else 0xEBB0) | low(a), low(d) << 8 | low(b))
        self._32((0xEB40 if add else 0xEB60) | high(a), high(d) << 8 | high(b))

    def fits_pairs(self, op, lo, hi):
        if op == "add":
            return _modified(lo) >= 0 and _modified(hi) >= 0
        return self.fits32(op, lo) and self.fits32(op, hi)

    def add_pairs_const(self, d, a, lo, hi):
        self._immediate(0xF110 | low(a), low(d), _modified(lo))
        self._immediate(0xF140 | high(a), high(d), _modified(hi))

    def mul_pairs(self, d, a, b):
        self._32(0xFB00 | low(a), 0xF000 | _IP << 8 | high(b))
        self._32(0xFB00 | high(a), _IP << 12 | _IP << 8 | low(b))
        self._32(0xFBA0 | low(a), low(d) << 12 | high(d) << 8 | low(b))
        self._32(0xEB00 | high(d), high(d) << 8 | _IP)

    # Shifts by a variable amount: s is a register of its own for this. A machine shift looks at
    # the lowest byte of the amount, so that one by 32 - n or n - 32 gives 0 when that is out of
    # range.
    def shift_pairs(self, op, d, a, b, s):
        self._immediate(0xF000 | low(b), s, 63)  # and s, b, #63
        al, ah, dl, dh = low(a), high(a), low(d), high(d)
        if op == "shl":
            left, right, x, y, dx, dy = 0, 1, ah, al, dh, dl
        else:
            left, right, x, y, dx, dy = 1, 0, al, ah, dl, dh
        # dx = x << s | y >> (32 - s) | y << (s - 32); dy = y << s (left and right as op says)
        self._shift_by(left, dx, x, s)
        self._immediate(0xF1C0 | s, _IP, 32)  # rsb ip, s, #32
        self._shift_by(right, _IP, y, _IP)
        self._32(0xEA40 | dx, dx << 8 | _IP)
        self._immediate(0xF1B0 | s, _IP, 32)  # subs ip, s, #32
        if op == "shr_s":
            # The sign must not come in for amounts below 32.
            self._16(0xBF5C)  # itt pl
            self._shift_by(2, _IP, y, _IP)
            self._32(0xEA40 | dx, dx << 8 | _IP)
            self._shift_by(2, dy, y, s)
        else:
            self._shift_by(left, _IP, y, _IP)
            self._32(0xEA40 | dx, dx << 8 | _IP)
            self._shift_by(left, dy, y, s)

    def _shift_by(self, kind, d, a, s):
        self._32(0xFA00 | kind << 5 | a, 0xF000 | d << 8 | s)

    # ---- comparisons and branches

    def compare32(self, condition, a, b):
        if a < 8 and b < 8:
            self._16(0x4280 | b << 3 | a)
        else:
            self._16(0x4500 | (a & 8) << 4 | b << 3 | a & 7)
        return condition

    def compare32_const(self, condition, a, value):
        negative = -value & 0xFFFFFFFF
        if value < 256 and a < 8:
            self._16(0x2800 | a << 8 | value)
        elif _modified(value) >= 0:
            self._immediate(0xF1B0 | a, _PC, _modified(value))
        elif _modified(negative) >= 0:
            self._immediate(0xF110 | a, _PC, _modified(negative))  # cmn
        else:
            self.imm(_IP, value)
            self.compare32(condition, a, _IP)
        return condition

    def compare_pairs(self, condition, a, b):
        if condition in ("eq", "ne"):
            self.compare32(condition, low(a), low(b))
            self._16(0xBF08)  # it eq
            self.compare32(condition, high(a), high(b))
            return condition
        if condition in _SWAPPED:
            condition = _SWAPPED[condition]
            a, b = b, a
        self.compare32(condition, low(a), low(b))
        self._32(0xEB70 | high(a), _IP << 8 | high(b))  # sbcs ip, ah, bh
        return condition

    def compare_zero(self, condition, a):
        self._32(0xEA50 | low(a), _IP << 8 | high(a))  # orrs ip, al, ah
        return condition

    # The truth value. (Inside an IT block, mov of a small constant leaves the flags alone.)
    def set(self, condition, d):
        code = _CONDITIONS[condition]
        self._16(0xBF00 | code << 4 | (~code & 1) << 3 | 4)  # ite
        self._16(0x2001 | d << 8)
        self._16(0x2000 | d << 8)

    def move_if(self, condition, d, a):
        code = _CONDITIONS[condition]
        if d < 0x10000:
            if d != a:
                self._16(0xBF08 | code << 4)  # it
                self.mov(d, a)
        else:
            self._16(0xBF00 | code << 4 | (code & 1) << 3 | 4)  # itt
            self._16(0x4600 | (low(d) & 8) << 4 | low(a) << 3 | low(d) & 7)
            self._16(0x4600 | (high(d) & 8) << 4 | high(a) << 3 | high(d) & 7)

    def branch(self, condition, label):
        code = _CONDITIONS[condition]
        at = len(self.code)
        target = self.labels[label]
        if target >= 0 and -256 <= target - at - 4:
            self._16(0xD000 | code << 8 | (target - at - 4) >> 1 & 0xFF)
            return
        self._32(0xF000 | code << 6, 0x8000)
        self._to(label, at)

    def jump(self, label):
        at = len(self.code)
        target = self.labels[label]
        if target >= 0 and -2048 <= target - at - 4:
            self._16(0xE000 | (target - at - 4) >> 1 & 0x7FF)
            return
        self._32(0xF000, 0x9000)
        self._to(label, at)

    def _to(self, label, at):
        if self.labels[label] < 0:
            self.waiting.append((label, at, -1))
        else:
            self.patch_at(at, -1, self.labels[label])

    # Fills in the distance of the branch at `place`, or the entry of a table that counts from
    # `base`.
    def patch_at(self, place, base, target):
        code = self.code
        if base >= 0:
            n = (target - base) >> 1
            code[place] = n & 0xFF
            code[place + 1] = n >> 8
            return
        n = target - place - 4
        sign = 1 if n < 0 else 0
        second = code[place + 3] << 8
        if second & 0x1000:  # b, bl: 24 bits
            j1 = (~(n >> 23) ^ sign) & 1
            j2 = (~(n >> 22) ^ sign) & 1
            first = 0xF000 | sign << 10 | n >> 12 & 0x3FF
            second |= j1 << 13 | j2 << 11
        else:  # a condition: 20 bits
            if not -0x100000 <= n < 0x100000:
                raise OverflowError("a function is too large for its branches")
            first = code[place] | code[place + 1] << 8
            first |= sign << 10 | n >> 12 & 0x3F
            second |= (n >> 18 & 1) << 13 | (n >> 19 & 1) << 11
        second |= n >> 1 & 0x7FF
        code[place] = first & 0xFF
        code[place + 1] = first >> 8
        code[place + 2] = second & 0xFF
        code[place + 3] = second >> 8

    def jump_table(self, a, labels):
        n = len(labels) - 1
        self.branch(self.compare32_const("ge_u", a, n), labels[n])
        if not n:
            return
        self._32(0xE8DF, 0xF010 | a)  # tbh [pc, a, lsl #1]
        base = len(self.code)
        for label in labels[:n]:
            self.waiting.append((label, len(self.code), base))
            self._16(0)

    # ---- linear memory

    # Traps unless `extent` bytes from the address in register a (None: from 0) are inside.
    # Accesses of fewer than 4 bytes near the end are looked at more closely, out of the way.
    def check(self, a, extent, label, function):
        k = extent - 4
        if extent > 0xFFFFFFFF:
            self.jump(label)  # beyond any memory; what follows is never reached
            return
        if a is None:
            if extent > self.guaranteed:
                self.imm(_IP, extent)
                self.load_context(_LR, context.MEMORY_SIZE)
                self.compare32("", _IP, _LR)
                self.branch("gt_u", label)
                self.load_context(_LR, context.LIMIT)
            return
        if k <= 0:
            self.compare32("", a, _LR)
            if k == 0:
                self.branch("ge_u", label)
            else:
                slow = self.label()
                back = self.label()
                self.branch("ge_u", slow)
                self.bind(back)
                function.later(slow, back, a, extent)
            return
        bits = _modified(k)
        if extent <= self.guaranteed and k < 4096:
            self._immediate(0xF2A0 | _LR, _IP, k)  # subw
            self.compare32("", a, _IP)
            self.branch("ge_u", label)
            return
        if bits >= 0:
            self._immediate(0xF1B0 | _LR, _IP, bits)
        else:
            self.imm(_IP, k)
            self._32(0xEBB0 | _LR, _IP << 8 | _IP)
        self._16(0xBF28)  # it hs: no borrow
        self.compare32("", _IP, a)
        self.branch("le_u", label)

    def check_exact(self, a, extent, stubs, back):
        self.mov(_IP, a)
        self.call_stub(stubs["exact%d" % extent])
        self.load_context(_LR, context.LIMIT)
        self.jump(back)

    # Comes back if `extent` bytes from the address in the scratch register are in the memory. r12
    # and lr are all there is to work with: the size is read, and subtracted from, before the
    # address is compared with it.
    def _exact_stub(self, extent, labels):
        self.bind(labels["exact%d" % extent])
        self._32(0xF84D, 0xED04)  # push {lr}
        self.load_context(_LR, context.MEMORY_SIZE)
        self._immediate(0xF1B0 | _LR, _LR, extent)  # subs lr, lr, #extent
        self._16(0xBF28)  # it hs
        self.compare32("", _LR, _IP)
        self._32(0xF85D, 0xEB04)  # pop {lr}
        self.branch("lt_u", labels[context.TRAP])
        self._16(0x4770)  # bx lr

    # Base register and offset of a checked access; offset None: the scratch register is the index.
    def _address(self, a, offset, size):
        offset &= 0xFFFFFFFF
        if a is None:
            if offset + size <= 4096:
                return _MEM, offset
            self.imm(_IP, offset)
        elif offset + size <= 4096:
            self._32(0xEB00 | _MEM, _IP << 8 | a)
            return _IP, offset
        else:
            self.imm(_IP, offset)
            self._32(0xEB00 | _IP, _IP << 8 | a)
        self._32(0xEB00 | _MEM, _IP << 8 | _IP)
        return _IP, 0

    def load(self, d, a, offset, size, signed, w):
        lo = low(d)
        op = 0xF850 if size >= 4 else (0xF930 if size == 2 else 0xF910) - (0 if signed else 0x100)
        if a is not None and not offset and size < 8:
            self._32(op | _MEM, lo << 12 | a)
        else:
            base, offset = self._address(a, offset, size)
            self._32(op + 0x80 | base, lo << 12 | offset)
            if size == 8:
                self._32(0xF8D0 | base, high(d) << 12 | offset + 4)
        if w and size < 8:
            if signed:
                self.alu32_const("shr_s", high(d), lo, 31)
            else:
                self.imm(high(d), 0)

    def store(self, s, a, offset, size):
        op = 0xF840 if size >= 4 else 0xF820 if size == 2 else 0xF800
        if a is not None and not offset and size < 8:
            self._32(op | _MEM, low(s) << 12 | a)
            return
        base, offset = self._address(a, offset, size)
        self._32(op + 0x80 | base, low(s) << 12 | offset)
        if size == 8:
            self._32(0xF8C0 | base, high(s) << 12 | offset + 4)

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
        if op == "copysign":
            self._immediate(0xF000 | b, _IP, 0x400)  # and ip, b, #0x80000000
        self._immediate((0xF080 if op == "neg" else 0xF020) | a, d, 0x400)
        if op == "copysign":
            self._32(0xEA40 | d, d << 8 | _IP)

    # ---- calls and stubs

    def _frame(self, cells):
        if cells:
            n = cells * 4 & 0xFFFFFFFF
            if self.fits32("add", n):
                self.alu32_const("add", _FP, _FP, n)
            else:
                self.imm(_IP, n)
                self._32(0xEB00 | _FP, _FP << 8 | _IP)

    def _reload(self):
        if self.keep_limit:
            self.load_context(_LR, context.LIMIT)

    def call(self, label, cells):
        self._frame(cells)
        self.call_stub(label)
        self._frame(-cells)
        self._reload()

    # A jump of the same length whatever the distance.
    def jump_far(self, label):
        at = len(self.code)
        self._32(0xF000, 0x9000)
        self._to(label, at)

    def call_stub(self, label):
        at = len(self.code)
        self._32(0xF000, 0xD000)
        self._to(label, at)
        self.site()

    def find_entry(self, a, table, number, undefined, mismatch):
        at = context.TABLES + 16 * table
        self.load_context(_IP, at + 8)
        self.compare32("", a, _IP)
        self.branch("ge_u", undefined)
        self.load_context(_IP, at)
        self._32(0xF850 | _IP, _IP << 12 | 0x20 | a)  # ldr ip, [ip, a, lsl #2]
        self._load_store(False, _LR, _IP, 0)
        if _modified(number) < 0:
            self._immediate(0xF2A0 | _LR, _LR, number)
            number = 0
        self.compare32_const("", _LR, number)
        self.branch("ne", mismatch)

    def call_entry(self, cells):
        self._load_store(False, _LR, _IP, 8)
        self._frame(cells)
        self._16(0x47F0)  # blx lr
        self.site()
        self._frame(-cells)
        self._reload()

    def jump_entry(self):
        self._load_store(False, _IP, _IP, 8)
        self._16(0x4760)  # bx ip

    def check_stack(self, cells, label):
        if cells * 4 <= _GUARD:
            if self.is_leaf:
                return
            self.load_context(0, context.STACK_END)
            self.compare32("", _FP, 0)
        else:
            self.imm(1, cells * 4 - _GUARD)
            self._32(0xEB00 | _FP, 1 << 8 | 1)
            self.load_context(0, context.STACK_END)
            self.compare32("", 1, 0)
        self.branch("gt_u", label)

    def enter_function(self, cell):
        self.store_frame(_LR, cell * 4)
        self._reload()

    def leave_function(self, cell):
        self.load_frame(_PC, cell * 4)

    def leave_with(self, cell, source, n):
        self.load_frame(0, cell * 4)
        self.copy_cells(0, source, n)
        self._16(0x4700)  # bx r0

    def replace_frame(self, cell, source, n):
        self.load_frame(_LR, cell * 4)
        for i in range(n):
            self.load_frame(0, (source + i) * 4)
            self.store_frame(0, i * 4)

    def burn_fuel(self, label):
        self._32(0xF1B0 | _FUEL, _FUEL << 8 | 1)
        self.branch("mi", label)

    def leave(self, stub, arg0=None, arg1=None):
        if arg0 is not None:
            self.imm(0, arg0)
            self.imm(1, arg1)
        self.call_stub(stub)
        self._reload()

    def stubs(self, labels):
        self._32(0xE92D, 0x4FF0)  # push {r4-r11, lr}
        # The fourth argument of a viper function is the array of its arguments: a small int, the
        # context's address shifted right by two.
        self._load_store(False, _CTX, 3, 0)
        self._immediate(0xF020 | _CTX, _CTX, 1)  # bic
        self._32(0xEB00 | _CTX, _CTX << 8 | _CTX)
        self.load_context(_FP, context.FRAME)
        self.load_context(_MEM, context.MEMORY)
        self.load_context(_FUEL, context.FUEL)
        self.load_context(_LR, context.LIMIT)
        while len(self.code) & 3:
            self._16(0xBF00)  # nop
        self._32(0xF2AF, len(self.code) + 4)  # adr r0, start
        self.store_context(0, context.BASE)
        self.load_context(0, context.RESUME)
        self.compare32_const("", 0, 0)
        self.branch("eq", labels["exit"])
        self._16(0x4700)  # bx r0
        for status in (context.CALL, context.INDIRECT, context.OPERATION, context.SUSPENDED):
            self.bind(labels[status])
            self.store_context(_LR, context.RESUME)
            self.store_context(0, context.ARG0)
            self.store_context(1, context.ARG1)
            self._status(status, labels)
        for extent in (1, 2, 3):
            self._exact_stub(extent, labels)
        self.bind(labels[context.TRAP])
        self.store_context(_LR, context.TRAP_SITE)
        self._immediate(0xF100 | _CTX, _IP, context.REGISTERS)
        self._32(0xE880 | _IP, 0x00FF)  # stm ip, {r0-r7}
        self._status(context.TRAP, labels)
        # Goes on at TRAP_SITE with the registers as they were.
        self.bind(labels["again"])
        self._immediate(0xF100 | _CTX, _IP, context.REGISTERS)
        self._32(0xE890 | _IP, 0x00FF)  # ldm ip, {r0-r7}
        self.load_context(_PC, context.TRAP_SITE)
        # How the driver starts a function, whose address is in TRAP_SITE: with one result, which
        # goes from registers 0 and 1 to the frame, and without.
        self.bind(labels["start_result"])
        self.load_context(_LR, context.TRAP_SITE)
        self._16(0x47F0)
        self.store_frame(0, 0)
        self.store_frame(1, 4)
        self.jump(labels[context.DONE])
        self.bind(labels["start"])
        self.load_context(_LR, context.TRAP_SITE)
        self._16(0x47F0)
        self.bind(labels[context.DONE])
        self._status(context.DONE, labels)
        self.bind(labels["exit"])
        self.store_context(2, context.STATUS)
        self.store_context(_FP, context.FRAME)
        self.store_context(_FUEL, context.FUEL)
        self.imm(0, 1)  # the small int 0
        self._32(0xE8BD, 0x8FF0)  # pop {r4-r11, pc}

    def _status(self, status, labels):
        self.imm(2, status)
        self.jump(labels["exit"])


class Thumb2F(Thumb2):
    """With the single-precision FPU of Cortex-M4F: f32 arithmetic by way of s0 and s1."""

    NAME = "armv7emsp"
    FLOAT32 = True
    CONVERTS = b"\xb2\xb3"
    _BINARY = {
        "add": 0xEE300A20, "sub": 0xEE300A60, "mul": 0xEE200A20, "div": 0xEE800A20,
    }  # fmt: skip
    _COMPARE = {"eq": 0, "ne": 1, "lt": 4, "gt": 12, "le": 9, "ge": 10}

    def does_float(self, name, w):
        if w:
            return name in ("abs", "neg", "copysign")
        return name not in ("min", "max", "ceil", "floor", "trunc", "nearest")

    def _to_float(self, a, b=None):
        self._32(0xEE00, a << 12 | 0x0A10)  # vmov s0, a
        if b is not None:
            self._32(0xEE00, b << 12 | 0x0A90)  # vmov s1, b

    def _word(self, word):
        self._32(word >> 16, word & 0xFFFF)

    def float_binary(self, op, d, a, b, w):
        self._to_float(a, b)
        self._word(self._BINARY[op])
        self._32(0xEE10, d << 12 | 0x0A10)  # vmov d, s0

    def float_unary(self, op, d, a, w):
        self._to_float(a)
        self._word(0xEEB10AC0)  # vsqrt.f32 s0, s0
        self._32(0xEE10, d << 12 | 0x0A10)

    def float_compare(self, op, d, a, b, w):
        self._to_float(a, b)
        self._word(0xEEB40A60)  # vcmp.f32 s0, s1
        self._word(0xEEF1FA10)  # vmrs APSR_nzcv, fpscr
        code = self._COMPARE[op]
        self._16(0xBF00 | code << 4 | (~code & 1) << 3 | 4)
        self._16(0x2001 | d << 8)
        self._16(0x2000 | d << 8)

    def convert(self, op, d, a):
        self._to_float(a)
        self._word(0xEEB80AC0 if op == 0xB2 else 0xEEB80A40)
        self._32(0xEE10, d << 12 | 0x0A10)
