"""ARMv6-M: branches and calls; for how code is entered and left see thumb1_stubs.py."""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.thumb1_stubs import stubs
from wamr.compiler.thumb1_wide import CODES, Wide

_FP = const(6)
_S = const(7)
_FUEL = const(9)
_MINUS_ONE = const(10)
_T = const(12)
_V = const(14)
_NE = const(1)
_LE_S = const(7)
_GE_U = const(9)
_GT_U = const(10)

# Frames of up to this many bytes are checked against a soft end of the stack, by their start only.
_GUARD = const(256)


class Calls(Wide):
    GUARD = 640  # twice _GUARD, for a function and what it calls, and what the suspend stub saves

    stubs = stubs

    # Forwards, over a jump, which patch makes a branch alone if it is not far. Where functions are
    # large, jumps are calls that do not return.
    def branch(self, condition, label):
        self.make_room()
        code = self.code
        self.compared = 0
        code.append((0xD001 if self.far else 0xD000) | (CODES[condition] ^ 1) << 8)
        label.append(len(code))
        if self.far:
            self._call_later()
        else:
            code.append(0xE001)

    # The same for what is hardly ever so, where the jump is better left there.
    def branch_away(self, condition, label):
        self.compared = 0
        self.code.append((0xD001 if self.far else 0xD000) | (CODES[condition] ^ 1) << 8)
        self._jump(label)

    def jump(self, label):
        self._jump(label)
        self.end_path()

    def _jump(self, label):
        label.append(len(self.code))
        if self.far:
            self._call_later()
        else:
            self.code.append(0xE000)

    # A call whose distance is filled in by patch.
    def _call_later(self):
        self.code.append(0xF000)
        self.code.append(0xF800)

    def branch_back(self, condition, target):
        self.compared = 0
        code = self.code
        n = target - len(code) - 2
        if n >= -128:
            code.append(0xD000 | CODES[condition] << 8 | n & 0xFF)
        else:
            code.append((0xD000 if n > -1024 else 0xD001) | (CODES[condition] ^ 1) << 8)
            self._jump_back(target)

    def jump_back(self, target):
        self._jump_back(target)
        self.end_path()

    def _jump_back(self, target):
        n = target - len(self.code) - 2
        if n >= -1024:
            self.code.append(0xE000 | n & 0x7FF)
        else:
            self._call_later()
            self.patch(len(self.code) - 2, target)

    # Fills in the distance of the branch, jump or call at `place`.
    def patch(self, place, target):
        code = self.code
        word = code[place]
        n = target - place - 2
        if word == 0xF000:
            if not -0x200000 <= n < 0x200000:
                raise OverflowError("a module is too large for its calls")
            code[place] = 0xF000 | n >> 11 & 0x7FF
            code[place + 1] = 0xF800 | n & 0x7FF
        elif word & 0xFF00 == 0x4F00:
            self._patch_far(place, target)
        elif word == 0xE001 and n < 127:
            code[place - 1] = code[place - 1] & 0xFF00 ^ 0x100 | n + 1
            code[place] = 0xBF00  # nop
        elif n < 1024:
            code[place] = 0xE000 | n & 0x7FF
        else:
            raise OverflowError("a function is too large for its branches")

    # Goes to one of n cases, by a table of jumps; for anything beyond to another. Returns what
    # `case` is told.
    def jump_table(self, a, n):
        label = []
        if not n:
            return label, 0
        self.branch(self.compare_const(_GE_U, a, n), label)
        code = self.code
        code.append((0x0080 if self.far else 0x0040) | self._low(a) << 3 | _S)  # lsls #2, #1
        code.append(0x44BF)  # add pc, s
        code.append(0xBF00)
        base = len(code)
        places = []
        for _ in range(n):
            self._jump(places)
        return label, base

    # Case i of n (n itself: the other one) goes to target.
    def case(self, table, i, n, target):
        label, base = table
        if i < n:
            self.patch(base + (2 * i if self.far else i), target)
        elif n:
            self.patch(label[0], target)

    # ---- calls

    def _frame(self, cells):
        if cells:
            self._add_const(_FP, _FP, cells * 4)

    # Calls the function at an offset, or one that is not known yet (-1), with its frame that many
    # cells up; returns the place of the call.
    def call(self, target, cells):
        self._frame(cells)
        place = len(self.code)
        self.call_stub(target)
        self._frame(-cells)
        return place

    def call_routine(self, target):
        place = len(self.code)
        self.call_stub(target)
        return place

    def call_stub(self, target):
        self._call(target)
        self.site()

    def _call(self, target):
        place = len(self.code)
        self._call_later()
        if target >= 0:
            self.patch(place, target - self.base >> 1)
        return place

    # Of thumb1_routines.py, by number: nothing there traps.
    def call_subroutine(self, number):
        program = self.program
        number = program.routines.number(number)
        program.fix(number, self._call(program.offsets[number]))

    def subroutine(self, routines, number):
        from wamr.compiler.thumb1_routines import subroutine

        subroutine(self, routines, number)

    # By a distance in the code, as lr is not free.
    def jump_far(self, target):
        place = len(self.code)
        self._inline(_S, 0)
        self.code.append(0x44BF)  # add pc, s
        if target >= 0:
            self._patch_far(place, target - self.base >> 1)
        return place

    # Puts the distance of a far jump into its number.
    def _patch_far(self, place, target):
        at = place + 2 + (place & 1)
        n = 2 * (target - at - 4)
        self.code[at] = n & 0xFFFF
        self.code[at + 1] = n >> 16 & 0xFFFF

    # A call where an access is outside of the memory becomes that of the stub; a jump needs one
    # elsewhere.
    def trap_exits(self, places, stub, about):
        for i in range(len(places)):
            if self.sites is not None:
                self.about = about[i]
            if self.code[places[i]] == 0xF000:
                self.trap_call(places[i], stub)
            else:
                self.patch(places[i], len(self.code))
                self.call_stub(stub)

    # Makes the call at a place go to a stub that may trap.
    def trap_call(self, place, stub):
        self.patch(place, stub - self.base >> 1)
        if self.sites is not None:
            self.sites[self.base + 2 * place + 4] = self.about

    # Leaves the function's entry in T.
    def find_entry(self, a, table, length, number, undefined, mismatch):
        code = self.code
        at = context.TABLES + 16 * table
        if length is None:
            self._load_context(_S, at + 8)
            code.append(0x4280 | _S << 3 | a if a < 7 else 0x4580 | _S << 3 | (a + 1) & 7)
        else:
            self.compare_const(_GE_U, a, length)
        self.branch_away(_GE_U, undefined)
        self._load_context(_S, at)
        self._move(_V, _S)
        code.append(0x0080 | self._low(a) << 3 | _S)
        self._add(_S, _V)
        code.append(0x683F)  # ldr s, [s]
        self._move(_T, _S)
        code.append(0x683F)
        if number < 0x100:
            code.append(0x2F00 | number)  # cmp s, #
        else:
            self._move(_V, _S)
            self._const(_S, number)
            code.append(0x4577)  # cmp s, lr
        self.branch_away(_NE, mismatch)

    def call_entry(self, cells):
        self._frame(cells)
        self._move(_S, _T)
        self.code.append(0x68BF)  # ldr s, [s, #8]
        self.code.append(0x47B8)  # blx s
        self.site()
        self._frame(-cells)

    # Behind replace_frame.
    def jump_entry(self):
        self._move(_S, _T)
        self.code.append(0x68BF)
        self.code.append(0x4738)  # bx s

    # The return address is in lr still.
    def check_stack(self, cells, traps):
        code = self.code
        compare = 0x4280 | _S << 3 | _FP
        if cells * 4 > _GUARD:
            self._const(_S, cells * 4 - _GUARD)
            self._add(_S, _FP)
            compare = 0x4580 | _S << 3 | _T & 7
            self._move(_T, _S)
        elif self.is_leaf:
            return
        code.append(0x9F02)  # ldr s, [sp, #8]: the end of the stack
        code.append(compare)
        self.branch_away(_GT_U, traps)

    def enter_function(self, cell):
        self._move(_S, _V)
        self._store_scratch(cell)

    def leave_function(self, cell):
        self._load_scratch(cell)
        self.code.append(0x4738)  # bx s
        self.end_path()

    def leave_with(self, cell, source, n):
        self.replace_frame(cell, source, n)
        self.code.append(0x4770)  # bx lr
        self.end_path()

    # Registers for operands are free. (T has what find_entry found.)
    def replace_frame(self, cell, source, n):
        self.load_cell(1, cell)
        self.copy_cells(0, source, n)
        self._move(_V, 1)

    # A jump over what burn_fuel makes.
    def skip_fuel(self):
        self.code.append(0xE004 if self.far else 0xE003)

    def burn_fuel(self, label):
        self._add(_FUEL, _MINUS_ONE)
        self.code.append(0x45D1)  # cmp r9, r10
        self.branch_away(_LE_S, label)

    def leave(self, stub, arg0=None, arg1=None):
        if arg0 is not None:
            self.const(0, arg0)
            self.const(1, arg1)
        self.call_stub(stub)
