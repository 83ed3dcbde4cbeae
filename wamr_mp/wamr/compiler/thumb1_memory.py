"""ARMv6-M: cells, the context, and linear memory."""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.thumb1_calls import Calls
from wamr.compiler.values import high, low

_MEM = const(5)
_FP = const(6)
_S = const(7)
_LIMIT = const(11)
_T = const(12)
_V = const(14)

_SHR_S = const(11)

# Of the loads and stores from 0x28 on: the form with an index register; that with a constant
# offset, which signed loads have not; how much this one shifts its offset.
_INDEXED = (
    0x5800, 0x5800, 0x5800, 0x5800, 0x5600, 0x5C00, 0x5E00, 0x5A00,
    0x5600, 0x5C00, 0x5E00, 0x5A00, 0x5800, 0x5800,
    0x5000, 0x5000, 0x5000, 0x5000, 0x5400, 0x5200, 0x5400, 0x5200, 0x5000,
)  # fmt: skip
_OFFSET = (
    0x6800, 0x6800, 0x6800, 0x6800, 0, 0x7800, 0, 0x8800, 0, 0x7800, 0, 0x8800, 0x6800, 0x6800,
    0x6000, 0x6000, 0x6000, 0x6000, 0x7000, 0x8000, 0x7000, 0x8000, 0x6000,
)  # fmt: skip
_SCALES = b"\2\2\2\2\0\0\1\1\0\0\1\1\2\2\2\2\2\2\0\1\0\1\2"


class Memory(Calls):
    # ---- cells of the frame

    def load_cell(self, d, cell):
        if d > 6:
            self._load_scratch(cell)
            self._move(d + 1, _S)
        elif cell < 32:
            self.code.append(0x6800 | cell << 6 | _FP << 3 | d)
        else:
            self._cell_offset(_S, cell)
            self.code.append(0x5800 | _S << 6 | _FP << 3 | d)

    def _load_scratch(self, cell):
        if cell < 32:
            self.code.append(0x6800 | cell << 6 | _FP << 3 | _S)
        else:
            self._cell_offset(_S, cell)
            self.code.append(0x5800 | _S << 6 | _FP << 3 | _S)

    def store_cell(self, s, cell):
        if s > 6:
            self._move(_S, s + 1)
            self._store_scratch(cell)
        elif cell < 32:
            self.code.append(0x6000 | cell << 6 | _FP << 3 | s)
        else:
            self._cell_offset(_S, cell)
            self.code.append(0x5000 | _S << 6 | _FP << 3 | s)

    def _store_scratch(self, cell):
        if cell < 32:
            self.code.append(0x6000 | cell << 6 | _FP << 3 | _S)
        else:
            self._move(_V, 0)
            self._cell_offset(0, cell)
            self.code.append(0x5000 | _FP << 3 | _S)  # str s, [fp, r0]
            self._move(0, _V)

    # Flags that are waited for stay as they are.
    def _cell_offset(self, r, cell):
        if self.compared:
            self._literal(r, cell * 4)
        else:
            self._const(r, cell * 4)

    def store_const(self, value, cell):
        self._const(_S, value)
        self._store_scratch(cell)

    def copy_cells(self, target, source, n):
        for i in range(n):
            self._load_scratch(source + i)
            self._store_scratch(target + i)

    # ---- the context, from its tables on: globals

    # Brings register r near a word; returns what is still to be added.
    def _near(self, r, offset):
        code = self.code
        offset -= context.TABLES
        rest = min(offset, 124)
        if offset - rest < 0x100:
            code.append(0x9801 | r << 8)  # ldr r, [sp, #4]
            if offset > rest:
                code.append(0x3000 | r << 8 | offset - rest)
            return rest
        self._const(r, offset)
        self._move(_V, r)
        code.append(0x9801 | r << 8)
        self._add(r, _V)
        return 0

    def load_context(self, d, offset):
        r = d if d < 7 else _S
        self._load_context(r, offset)
        if d > 6:
            self._move(d + 1, _S)

    def _load_context(self, r, offset):
        rest = self._near(r, offset)
        self.code.append(0x6800 | rest << 4 | r << 3 | r)

    def store_context(self, s, offset):
        self._store_at(s, self._near(_S, offset))

    # Behind the address in scratch.
    def _store_at(self, s, offset):
        if s > 6:
            self._move(_T, 0)
            self._move(0, s + 1)
        self.code.append(0x6000 | offset << 4 | _S << 3 | (s if s < 7 else 0))
        if s > 6:
            self._move(0, _T)

    # Through pointers there.
    def load_far(self, d, offset, w):
        self._load_context(_S, offset)
        if w:
            self.code.append(0x6838 | low(d))
            d = high(d)
            self.code.append(0x6878 | d)
        elif d < 7:
            self.code.append(0x6838 | d)
        else:
            self.code.append(0x683F)
            self._move(d + 1, _S)

    def store_far(self, s, offset, w):
        self._load_context(_S, offset)
        self._store_at(low(s), 0)
        if w:
            self._store_at(high(s), 4)

    # ---- linear memory

    # Traps unless `extent` bytes from the address in register a (None: from 0) are inside.
    # Accesses of fewer than 4 bytes near the end are looked at more closely, out of the way.
    def check(self, a, extent, traps, exact):
        code = self.code
        if a is not None and self.multiple == len(code) << 4 | a:
            self.multiple = -1
            self.check(a, extent, traps, exact)
            self.multiple = len(code) << 4 | a
            return
        if extent > 4 or a is None:
            self._check_far(a, extent, traps)
            return
        if a > 6:
            a += 1
        code.append(0x4500 | (a & 8) << 4 | _LIMIT << 3 | a & 7)
        code.append(0xD301)  # blo over the call
        if extent < 4:
            exact.append(len(code) << 2 | extent)
        else:
            traps.append(len(code))
        code.append(0xF000)
        code.append(0xF800)

    def _check_far(self, a, extent, traps):
        code = self.code
        k = extent - 4
        if extent > 0xFFFFFFFF:
            self.jump(traps)  # beyond any memory; what follows is never reached
            return
        if a is None:
            if extent <= self.guaranteed:
                return
            code.append(0x9F00)  # ldr s, [sp]: the context
            code.append(0x6800 | context.MEMORY_SIZE << 4 | _S << 3 | _S)
            self._move(_V, _S)
            self._const(_S, extent)
            code.append(0x4577)  # cmp s, lr
            code.append(0xD901)  # bls
        elif extent <= self.guaranteed:
            if k < 0x100:
                self._move(_S, _LIMIT)
                code.append(0x3800 | _S << 8 | k)  # subs
            else:
                self._const(_S, -k)
                self._add(_S, _LIMIT)
            if a < 7:
                code.append(0x4280 | _S << 3 | a)
            else:
                code.append(0x45B8 | a - 7)  # cmp a, s
            code.append(0xD301)  # blo
        else:
            # Nor may the sum be too large for 32 bits.
            if a > 6:
                a += 1
            self._const(_S, k)
            self._add(_S, a)
            code.append((0x4280 if a < 8 else 0x4500) | a << 3 | _S)
            code.append(0xD301)
            code.append(0x4500 | _LIMIT << 3 | _S)
            code.append(0xD301)
        traps.append(len(code))
        self._call_later()

    def check_exact(self, note, stubs):
        self.trap_call(note >> 2, stubs[context.EXACT + (note & 3)])

    # The access by instruction `op` (0x28…), an offset from the address in register a (None: 0).
    def load(self, op, d, a, offset):
        both = op == 0x29 or op == 0x2B
        r = low(d) if low(d) < 7 else _S
        self._access(op - 0x28, r, high(d) if both else -1, a, offset, r)
        if r == _S:
            self._move(low(d) + 1, _S)
        if d > 0xFF and not both:
            if op & 1:
                self.const(high(d), 0)
            else:
                self.alu_const(_SHR_S, high(d), low(d), 31)

    def store(self, op, s, a, offset):
        both = op == 0x37 or op == 0x39
        r = low(s)
        if r < 7:
            self._access(op - 0x28, r, high(s) if both else -1, a, offset, _S)
            return
        # By way of a register that is not the address.
        r = 0 if a != 0 else 1
        self._move(_T, r)
        self._move(r, low(s) + 1)
        self._access(op - 0x28, r, -1, a, offset, _S)
        self._move(r, _T)

    # Of register r, and of `second` behind it; `spare` is one more register to use, or scratch.
    # Words and halves have to be aligned: what is not is called for on the spot, see
    # thumb1_stubs.py.
    def _access(self, i, r, second, a, offset, spare):
        scale = _SCALES[i]
        odd = offset & (1 << scale) - 1
        if a is not None and self.multiple == len(self.code) << 4 | a and not odd:
            scale = 0
        fits = _OFFSET[i] and not odd and offset <= (31 << _SCALES[i] if second < 0 else 120)
        if a is None and fits:
            self._words(i, r, second, _MEM, offset)
            return
        index = _S
        if a is not None and (fits or not offset):
            # The address alone tells.
            if a < 7:
                index = a
                self._test(scale, a, _S, second)
            else:
                self._move(_S, a + 1)
                self._test(scale, _S, spare, second, a + 1)
        else:
            self._address(a, offset)
            if odd or a is not None:
                if scale and spare == _S:
                    self._move(_V, _S)
                self._test(scale, _S, spare, second, _V)
            offset = 0
        if offset or second >= 0:
            self.code.append(0x1800 | index << 6 | _MEM << 3 | _S)
            self._words(i, r, second, _S, offset)
        else:
            self.code.append(_INDEXED[i] | index << 6 | _MEM << 3 | r)

    def _words(self, i, r, second, base, offset):
        code = self.code
        code.append(_OFFSET[i] | offset >> _SCALES[i] << 6 | base << 3 | r)
        if second >= 0:
            code.append(_OFFSET[i] | offset + 4 << 4 | base << 3 | second)

    # Scratch = a + offset
    def _address(self, a, offset):
        if a is None:
            self._const(_S, offset)
        elif a < 7 and offset < 8:
            self.code.append(0x1C00 | offset << 6 | a << 3 | _S)
        else:
            self._const(_S, offset)
            self._add(_S, a if a < 7 else a + 1)

    # Goes around the call of a stub if the address in register a is aligned. `spare` is free, or
    # it is the address in scratch, which is in register `copy` too.
    def _test(self, scale, a, spare, second, copy=0):
        if not scale:
            return
        code = self.code
        code.append((0x0780 if scale == 2 else 0x0840) | a << 3 | spare)  # lsls #30, lsrs #1
        if spare == a:
            self._move(_S, copy)
        code.append(0xD001 if scale == 2 else 0xD301)  # beq, bcc
        self._call(self.unaligned if second < 0 else self.unaligned_pair)
