"""RV32: calls, and how code is entered and left."""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.rv32_wide import Wide

_END = const(18)
_U = const(19)
_V = const(20)
_ZERO = const(21)
_RA = const(22)
_SP = const(23)
_MEM = const(26)
_FUEL = const(27)
_LIMIT = const(28)
_FP = const(29)
_CTX = const(30)
_T = const(31)
_ADD = const(0x000033)
_SUB = const(0x200033)
_ADDI = const(0x0013)
_ANDI = const(0x7013)
_LW = const(0x2003)
_SW = const(0x2023)
_JALR = const(0x0067)
_AUIPC = const(0x17)
_ADD_OP = const(0)
_NE = const(1)
_GE_U = const(9)

# What C code keeps: s0, s1, s2 to s11, ra.
_SAVED = b"\x1d\x1e\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x16"

# Frames of up to this many bytes are checked against a soft end of the stack, by their start only.
_GUARD = const(256)


class Calls(Wide):
    GUARD = 640  # twice _GUARD, for a function and what it calls, and what the suspend stub saves

    def _frame(self, cells):
        if cells:
            self.alu_const(_ADD_OP, _FP, _FP, cells * 4)

    # Calls the function at an offset, or one that is not known yet (-1), with its frame that many
    # cells up; returns the place of the call.
    def call(self, target, cells):
        self._frame(cells)
        place = self.here()
        self.call_stub(target)
        self._frame(-cells)
        return place

    def call_routine(self, target):
        return self.call(target, 0)

    def jump_far(self, target):
        return self._far(_ZERO, target)

    def call_stub(self, target):
        self._far(_RA, target)
        self.site()

    def _far(self, link, target):
        code = self.code
        place = len(code)
        code.append(0x6F | (link + 11 & 31) << 7)
        code.append(0)
        if target >= 0:
            self.patch(place, target - self.base >> 1)
        return place

    # Leaves the function's entry in the second scratch register.
    def find_entry(self, a, table, length, number, undefined, mismatch):
        at = context.TABLES + 16 * table
        if length is None:
            self.load_context(_U, at + 8)
            self._branch(7, a, _U, undefined)
        else:
            self.branch(self.compare_const(_GE_U, a, length), undefined)
        self.load_context(_U, at)
        self._i(0x1013, _T, a, 2)
        self._r(_ADD, _U, _U, _T)
        self._i(_LW, _U, _U, 0)
        self._i(_LW, _V, _U, 0)
        self.branch(self.compare_const(_NE, _V, number), mismatch)

    def call_entry(self, cells):
        self._frame(cells)
        self._i(_LW, _T, _U, 8)
        self._i(_JALR, _RA, _T, 0)
        self.site()
        self._frame(-cells)

    def jump_entry(self):
        self._i(_LW, _T, _U, 8)
        self._i(_JALR, _ZERO, _T, 0)

    def check_stack(self, cells, traps):
        if cells * 4 > _GUARD:
            self.const(_T, cells * 4 - _GUARD)
            self._r(_ADD, _T, _T, _FP)
            self._branch(6, _END, _T, traps)
        elif not self.is_leaf:
            self._branch(6, _END, _FP, traps)

    def enter_function(self, cell):
        self.store_cell(_RA, cell)

    def leave_function(self, cell):
        self.load_cell(_RA, cell)
        self._i(_JALR, _ZERO, _RA, 0)

    def leave_with(self, cell, source, n):
        self.replace_frame(cell, source, n)
        self._i(_JALR, _ZERO, _RA, 0)

    def replace_frame(self, cell, source, n):
        self.load_cell(_RA, cell)
        self.copy_cells(0, source, n)

    # A jump over what burn_fuel makes.
    def skip_fuel(self):
        self.code.append(0xA031 if self.far else 0xA021)  # c.j

    def burn_fuel(self, label):
        self._i(_ADDI, _FUEL, _FUEL, -1)
        self._branch(4, _FUEL, _ZERO, label)

    def leave(self, stub, arg0=None, arg1=None):
        if arg0 is not None:
            self.const(0, arg0)
            self.const(1, arg1)
        self.call_stub(stub)

    # Returns where they are: offsets by name, or by the status that code leaves with.
    def stubs(self):
        stubs = {}
        done = []
        trap = []
        leaving = []
        self._i(_ADDI, _SP, _SP, -64)
        for i, r in enumerate(_SAVED):
            self._s(_SW, r, _SP, 4 * i)
        # The fourth argument of a viper function is the array of its arguments: a small int, the
        # context's address shifted right by two.
        self._i(_LW, _CTX, 2, 0)
        self._i(_ANDI, _CTX, _CTX, -2)
        self._r(_ADD, _CTX, _CTX, _CTX)
        self.load_context(_FP, context.FRAME)
        self.load_context(_END, context.STACK_END)
        self.load_context(_MEM, context.MEMORY)
        self.load_context(_FUEL, context.FUEL)
        self.load_context(_LIMIT, context.LIMIT)
        at = self.here() * 2
        self._upper(_AUIPC, _T, 0)
        self._i(_ADDI, _T, _T, -at)
        self.store_context(_T, context.BASE)
        self.load_context(_T, context.RESUME)
        self._branch(0, _T, _ZERO, leaving)
        self._i(_JALR, _ZERO, _T, 0)
        for status in (context.CALL, context.INDIRECT, context.OPERATION, context.SUSPENDED):
            stubs[status] = 2 * self.here()
            self.store_context(_RA, context.RESUME)
            self.store_context(0, context.ARG0)
            self.store_context(1, context.ARG1)
            self.const(2, status)
            self.jump(leaving)
        stubs["suspend"] = 2 * self.here()
        self._suspend_stub(stubs[context.SUSPENDED])
        for extent in (1, 2, 3):
            stubs[context.EXACT + extent] = 2 * self.here()
            self._exact_stub(extent, trap)
        self.bind(trap)
        stubs[context.OUTSIDE] = 2 * self.here()
        self.store_context(_RA, context.TRAP_SITE)
        for r in range(18):
            self.store_context(r, context.REGISTERS + 4 * r)
        self.const(2, context.OUTSIDE)
        self.jump(leaving)
        stubs[context.TRAP] = 2 * self.here()
        self.store_context(_RA, context.TRAP_SITE)
        self.store_context(0, context.REGISTERS)
        self.const(2, context.TRAP)
        self.jump(leaving)
        # Goes on at TRAP_SITE with the registers as they were.
        stubs["again"] = 2 * self.here()
        for r in range(18):
            self.load_context(r, context.REGISTERS + 4 * r)
        self.load_context(_T, context.TRAP_SITE)
        self._i(_JALR, _ZERO, _T, 0)
        # How the driver starts a function, whose address is in TRAP_SITE: with one result, which
        # goes from registers 0 and 1 to the frame, and without.
        stubs["start_result"] = 2 * self.here()
        self.load_context(_T, context.TRAP_SITE)
        self._i(_JALR, _RA, _T, 0)
        self.store_cell(0, 0)
        self.store_cell(1, 1)
        self.jump(done)
        stubs["start"] = 2 * self.here()
        self.load_context(_T, context.TRAP_SITE)
        self._i(_JALR, _RA, _T, 0)
        self.bind(done)
        self.const(2, context.DONE)
        self.bind(leaving)
        self.store_context(2, context.STATUS)
        self.store_context(_FP, context.FRAME)
        self.store_context(_FUEL, context.FUEL)
        self.const(_T, 1)  # the small int 0
        for i, r in enumerate(_SAVED):
            self._i(_LW, r, _SP, 4 * i)
        self._i(_ADDI, _SP, _SP, 64)
        self._i(_JALR, _ZERO, _RA, 0)
        return stubs

    # Before it leaves as suspended, this saves what functions keep in registers, as many bytes
    # above the frame as register 0 says: the return address, and from cell 2 on the registers.
    # (See Activation.trace.)
    def _suspend_stub(self, leave):
        self._r(_ADD, _FP, _FP, 0)
        self.store_cell(_RA, 0)
        for r in range(18):
            self.store_cell(r, 2 + r)
        self.call_stub(leave)
        self.load_cell(_RA, 0)
        for r in range(18):
            self.load_cell(r, 2 + r)
        self._r(_SUB, _FP, _FP, 0)
        self._i(_JALR, _ZERO, _RA, 0)

    # ---- accesses near the end of the memory

    def check_exact(self, note, stubs):
        place = note >> 7
        self.patch(place, self.here())
        self.move(_T, note & 31)
        self.call_stub(stubs[context.EXACT + (note >> 5 & 3)])
        self.jump_back(place + 2)

    # Comes back if `extent` bytes from the address in the scratch register are in the memory.
    def _exact_stub(self, extent, trap):
        self.load_context(_U, context.MEMORY_SIZE)
        self._i(_ADDI, _V, _U, -extent)
        self._branch(6, _U, _V, trap)
        self._branch(6, _V, _T, trap)
        self._i(_JALR, _ZERO, _RA, 0)
