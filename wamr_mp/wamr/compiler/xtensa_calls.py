"""Xtensa: calls; for how code is entered and left see xtensa_stubs.py."""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.xtensa_code import emit16, emit24, load_word, move, rst, s_, store_word
from wamr.compiler.xtensa_stubs import stubs
from wamr.compiler.xtensa_wide import Wide

_T = const(9)
_FUEL = const(11)
_FP = const(13)
_U = const(14)

# Frames of up to this many bytes are checked against a soft end of the stack, by their start only.
_GUARD = const(256)

_ADD = const(0x800000)
_ADDX4 = const(0xA00000)
_CALL0 = const(0x05)
_J = const(0x06)
_JX = const(0xA0)
_CALLX0 = const(0xC0)
_RET = const(0xF00D)
_LTU = const(0x3007)
_GEU = const(0xB007)
_ADD_OP = const(0)
_IF_NE = const(1)
_IF_LT_S = const(4)
_IF_GE_U = const(9)


class Calls(Wide):
    GUARD = 576  # twice _GUARD, for a function and what it calls, and what the suspend stub saves

    stubs = stubs

    def _frame(self, cells):
        self.alu_const(_ADD_OP, _FP, _FP, cells * 4)

    # Calls the function at an offset, or one that is not known yet (-1), with its frame that many
    # cells up; returns the place of the call.
    def call(self, target, cells):
        self._frame(cells)
        place = self._far(_CALL0, target)
        self.site()
        self._frame(-cells)
        return place

    def call_stub(self, target):
        self._far(_CALL0, target)
        self.site()

    def call_routine(self, target):
        return self.call(target, 0)

    def jump_far(self, target):
        return self._far(_J, target)

    def _far(self, op, target):
        place = len(self.code)
        emit24(self.code, op)
        if target >= 0:
            self.patch(place, target - self.base)
        return place

    # A jump to where code traps becomes the call itself; a branch needs one elsewhere.
    def trap_exits(self, places, stub, about):
        code = self.code
        for i, place in enumerate(places):
            if self.sites is not None:
                self.about = about[i]
            if code[place] & 0x3F == _J:
                code[place] = _CALL0
                self.patch(place, stub - self.base)
                if self.sites is not None:
                    self.sites[self.base + place + 3] = self.about
            else:
                self.patch(place, len(code))
                self.call_stub(stub)

    def call_scratch(self):
        s_(self.code, _CALLX0, _T)
        self.site()

    # Leaves the function's entry in the second scratch register.
    def find_entry(self, a, table, length, number, undefined, mismatch):
        at = context.TABLES + 16 * table
        if length is None:
            self.load_context(_U, at + 8)
            self.branch_registers(_GEU, a, _U, undefined)
        else:
            self.branch(self.compare_const(_IF_GE_U, a, length), undefined)
        self.load_context(_U, at)
        rst(self.code, _ADDX4, _U, a, _U)
        load_word(self.code, _U, _U, 0)
        load_word(self.code, _T, _U, 0)
        self.alu_const(_ADD_OP, _T, _T, -number)
        self.branch(self.compare_const(_IF_NE, _T, 0), mismatch)

    def call_entry(self, cells):
        self._frame(cells)
        load_word(self.code, _T, _U, 8)
        self.call_scratch()
        self._frame(-cells)

    # Behind replace_frame.
    def jump_entry(self):
        load_word(self.code, _T, 2, 8)
        s_(self.code, _JX, _T)

    # The return address is in the link register still.
    def check_stack(self, cells, traps):
        frame = _FP
        if cells * 4 > _GUARD:
            self.const(0, cells * 4 - _GUARD)
            rst(self.code, _ADD, 0, 0, _FP)
            frame = 0
        elif self.is_leaf:
            return
        self.load_context(_T, context.STACK_END)
        self.branch_registers(_LTU, _T, frame, traps)

    def enter_function(self, cell):
        self.store_cell(_U, cell)

    def leave_function(self, cell):
        self.load_cell(_U, cell)
        emit16(self.code, _RET)

    def leave_with(self, cell, source, n):
        self.replace_frame(cell, source, n)
        emit16(self.code, _RET)

    # What find_entry found goes to register 2, and the return address to the link register.
    def replace_frame(self, cell, source, n):
        self.load_cell(0, cell)
        for i in range(n):
            self.load_cell(1, source + i)
            store_word(self.code, 1, _FP, i * 4, _T)
        move(self.code, 2, _U)
        move(self.code, _U, 0)

    # A jump over what burn_fuel makes.
    def skip_fuel(self):
        emit24(self.code, _J | (7 if self.far else 4) << 6)

    def burn_fuel(self, label):
        self.alu_const(_ADD_OP, _FUEL, _FUEL, -1)
        self.branch(self.compare_const(_IF_LT_S, _FUEL, 0), label)

    def leave(self, stub, arg0=None, arg1=None):
        if arg0 is not None:
            self.const(0, arg0)
            self.const(1, arg1)
        self.call_stub(stub)
