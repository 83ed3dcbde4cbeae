"""x86-64, for the unix port and CPython: calls, and how code is entered and left."""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.x64_code import REGS
from wamr.compiler.x64_convert import Conversions

_RAX = const(0)
_RCX = const(1)
_RDX = const(2)
_RBX = const(3)
_RSP = const(4)
_RBP = const(5)
_R14 = const(14)
_R15 = const(15)
_NE = const(1)
_GE_U = const(9)
_GT_U = const(10)

# Frames of up to this many bytes are checked against a soft end of the stack, by their start only.
_GUARD = const(256)


class X64(Conversions):
    NAME = "x64"
    GUARD = 768  # twice _GUARD, for a function and what it calls, and what the suspend stub saves

    # Calls the function at an offset, or one that is not known yet (-1), with its frame that many
    # cells up; returns the place of the call.
    def call(self, target, cells):
        self._frame(cells)
        self.call_stub(target)
        place = len(self.code) - 4
        self._frame(-cells)
        return place

    def jump_far(self, target):
        return self._far(0xE9, target)

    def call_stub(self, target):
        self._far(0xE8, target)
        self.site()

    def _far(self, op, target):
        self.code.append(op)
        place = len(self.code)
        self._u32(target - self.base - place - 4 if target >= 0 else 0)
        return place

    # The function whose entry in the context register a points to (an offset from the context).
    def call_entry(self, cells):
        self._frame(cells)
        self._rm(0xFF, 2, _RBX, 8, False, _RAX)
        self.site()
        self._frame(-cells)

    def _frame(self, cells):
        if cells:
            self._op_imm(0, _RBP, cells * 4, True)

    # Jumps to `mismatch` unless element a of the table is a function of this type number; leaves
    # the offset of its entry for call_entry.
    def find_entry(self, a, table, length, number, undefined, mismatch):
        at = context.TABLES + 16 * table
        if length is None:
            self._rm(0x3B, REGS[a], _RBX, at + 8, False)
        else:
            self.compare_const(_GE_U, a, length)
        self.branch(_GE_U, undefined)
        self._rm(0x8B, _RAX, _RBX, at, True)
        code = self.code
        code.append(0x42 if REGS[a] > 7 else 0x40)
        code.extend(b"\x8b\x04")
        code.append(0x80 | (REGS[a] & 7) << 3 | _RAX)
        self._rm(0x81, 7, _RBX, 0, False, _RAX)
        self._u32(number)
        self.branch(_NE, mismatch)

    # A function's first instruction: the return address goes into the frame.
    def enter_function(self, cell):
        self._rm(0x8F, 0, _RBP, cell * 4)

    def leave_function(self, cell):
        self._rm(0xFF, 4, _RBP, cell * 4)

    # The same with several results, which go from their cells to the frame's first ones.
    def leave_with(self, cell, source, n):
        self._rm(0x8B, _RDX, _RBP, cell * 4, True)
        self.copy_cells(0, source, n)
        self._rr(0xFF, 4, _RDX)

    # Upwards: a lower target may overlap its source.
    def copy_cells(self, target, source, n):
        for i in range(n):
            self._rm(0x8B, _RCX, _RBP, (source + i) * 4)
            self._rm(0x89, _RCX, _RBP, (target + i) * 4)

    # For a tail call: the arguments go down, the return address to where a call puts it.
    def replace_frame(self, cell, source, n):
        self._rm(0x8B, _RDX, _RBP, cell * 4, True)
        self.copy_cells(0, source, n)
        self.code.append(0x52)

    # Goes to the function that find_entry found.
    def jump_entry(self):
        self._rm(0xFF, 4, _RBX, 8, False, _RAX)

    # Traps when the frame of this many cells does not fit.
    def check_stack(self, cells, traps):
        if cells * 4 > _GUARD:
            self._rm(0x8D, _RAX, _RBP, cells * 4 - _GUARD, True)
            self._rm(0x3B, _RAX, _RBX, context.STACK_END, True)
        elif self.is_leaf:
            return
        else:
            self._rm(0x3B, _RBP, _RBX, context.STACK_END, True)
        self.branch(_GT_U, traps)

    # A jump over what burn_fuel makes.
    def skip_fuel(self):
        self.code.extend(b"\xeb\x09")

    def burn_fuel(self, label):
        self.code.extend(b"\x41\xff\xce")  # dec r14d
        self._jump_if(0x88, label)

    # Leaves with the address of the next instruction as the point to resume at.
    def leave(self, stub, arg0=None, arg1=None):
        if arg0 is not None:
            self._imm(_RAX, arg0, False)
            self._imm(_RCX, arg1, False)
        self.call_stub(stub)

    # How MicroPython and ctypes enter, and how code leaves. Returns where that is: offsets by
    # name, or by the status that code leaves with.
    def stubs(self):
        stubs = {}
        leaving = []
        done = []
        code = self.code
        saved = b"\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57"  # push rbx rbp r12-r15
        code.extend(saved)
        # The fourth argument of a viper function is the array of its arguments: a small int, the
        # context's address shifted right by two.
        self._rm(0x8B, _RBX, _RCX, 0, True)
        self._op_imm(4, _RBX, -2, True)
        self._rr(0x01, _RBX, _RBX, True)
        self._rm(0x8B, _RBP, _RBX, context.FRAME, True)
        self._rm(0x8B, _R14, _RBX, context.FUEL)
        self._rm(0x8B, _R15, _RBX, context.MEMORY, True)
        self._rm(0x89, _RSP, _RBX, context.HOST_STACK, True)
        code.extend(b"\x48\x8d\x05")  # lea rax, [rip - what was emitted so far]
        self._u32(-len(code) - 4)
        self._rm(0x89, _RAX, _RBX, context.BASE, True)
        self._rm(0x8B, _RAX, _RBX, context.RESUME, True)
        self._rr(0x85, _RAX, _RAX, True)
        self._jump_if(0x84, leaving)
        code.extend(b"\xff\xe0")  # jmp rax
        self.bind(leaving)
        out = len(code)
        self._rm(0x8B, _RSP, _RBX, context.HOST_STACK, True)
        self._rm(0x89, _RBP, _RBX, context.FRAME, True)
        self._rm(0x89, _R14, _RBX, context.FUEL)
        code.extend(b"\xb8\x01\x00\x00\x00")  # the small int 0
        code.extend(b"\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3")
        for status in (context.CALL, context.INDIRECT, context.OPERATION, context.SUSPENDED):
            stubs[status] = len(code)
            self._rm(0x8F, 0, _RBX, context.RESUME)
            self._rm(0x89, _RAX, _RBX, context.ARG0)
            self._rm(0x89, _RCX, _RBX, context.ARG1)
            self._status(status, out)
        stubs["suspend"] = len(code)
        self._suspend_stub(stubs[context.SUSPENDED])
        stubs[context.TRAP] = len(code)
        self._rm(0x8F, 0, _RBX, context.TRAP_SITE)
        self._store(0, _RBX, context.REGISTERS, True)
        self._status(context.TRAP, out)
        stubs[context.OUTSIDE] = len(code)
        self._rm(0x8F, 0, _RBX, context.TRAP_SITE)
        for r in range(len(REGS)):
            self._store(r, _RBX, context.REGISTERS + 8 * r, True)
        for r in range(14):
            self._store(16 + r, _RBX, context.FLOAT_REGISTERS + 8 * r, True)
        self._status(context.OUTSIDE, out)
        # Goes on at TRAP_SITE with the registers as they were.
        stubs["again"] = len(code)
        for r in range(len(REGS)):
            self._load(r, _RBX, context.REGISTERS + 8 * r, True)
        for r in range(14):
            self._load(16 + r, _RBX, context.FLOAT_REGISTERS + 8 * r, True)
        self._rm(0xFF, 4, _RBX, context.TRAP_SITE)
        # How the driver starts a function, whose address is in TRAP_SITE: with one result, which
        # goes from register 0 to the frame, and without.
        stubs["start_result"] = len(code)
        self._rm(0xFF, 2, _RBX, context.TRAP_SITE)
        self.store_wide(0, 0)
        self.jump(done)
        stubs["start"] = len(code)
        self._rm(0xFF, 2, _RBX, context.TRAP_SITE)
        self.bind(done)
        self._status(context.DONE, out)
        return stubs

    # Before it leaves as suspended, this saves what functions keep in registers, as many bytes
    # above the frame as register 0 says: the return address, and from cell 2 on the registers.
    # (See Activation.trace.)
    def _suspend_stub(self, leave):
        self._rr(0x01, REGS[0], _RBP, True)
        self._rm(0x8F, 0, _RBP, 0)  # pop
        for r in range(len(REGS)):
            self.store_wide(r, 2 + 2 * r)
        for r in range(8):
            self.store_wide(22 + r, 20 + 2 * r)
        self.call_stub(leave)
        for r in range(len(REGS)):
            self.load_wide(r, 2 + 2 * r)
        for r in range(8):
            self.load_wide(22 + r, 20 + 2 * r)
        self._rm(0x8B, _RAX, _RBP, 0, True)
        self._rr(0x29, REGS[0], _RBP, True)
        self.code.extend(b"\xff\xe0")  # jmp rax

    def _status(self, status, out):
        self._rm(0xC7, 0, _RBX, context.STATUS)
        self._u32(status)
        self.jump_back(out)
