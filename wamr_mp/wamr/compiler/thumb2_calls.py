"""Thumb-2: calls, and how code is entered and left."""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.thumb2_wide import Wide, modified

_MEM = const(8)
_FUEL = const(9)
_CTX = const(10)
_FP = const(7)
_IP = const(12)
_LR = const(14)
_PC = const(15)
_EQ = const(0)
_NE = const(1)
_MI = const(2)
_GE_U = const(9)
_GT_U = const(10)

# Frames of up to this many bytes are checked against a soft end of the stack, by their start only.
_GUARD = const(256)


class Calls(Wide):
    GUARD = 640  # twice _GUARD, for a function and what it calls, and what the suspend stub saves

    def _frame(self, cells):
        if cells:
            self._add_const(_FP, _FP, cells * 4)

    def _reload(self):
        if self.keep_limit:
            self.load_context(_LR, context.LIMIT)

    # Calls the function at an offset, or one that is not known yet (-1), with its frame that many
    # cells up; returns the place of the call.
    def call(self, target, cells):
        self._frame(cells)
        place = self.here()
        self.call_stub(target)
        self._frame(-cells)
        self._reload()
        return place

    def call_routine(self, target):
        place = self.here()
        self.call_stub(target)
        self._reload()
        return place

    def jump_far(self, target):
        return self._far(0xB800, target)

    def call_stub(self, target):
        self._far(0xF800, target)
        if self.sites is not None:
            self.site()

    def _far(self, second, target):
        code = self.code
        place = len(code)
        n = (target - self.base >> 1) - place - 2 if target >= 0 else 0
        code.append(0xF000 | n >> 11 & 0x7FF)
        code.append(second | n & 0x7FF)
        return place

    # Leaves the function's entry in the scratch register; goes to `mismatch` unless it has this
    # type number.
    def find_entry(self, a, table, length, number, undefined, mismatch):
        at = context.TABLES + 16 * table
        if length is None:
            self.load_context(_IP, at + 8)
            self.compare(0, a, _IP)
        else:
            self.compare_const(_GE_U, a, length)
        self.branch(_GE_U, undefined)
        self.load_context(_IP, at)
        self._32(0xF850 | _IP, _IP << 12 | 0x20 | a)  # ldr ip, [ip, a, lsl #2]
        self.load_at(_LR, _IP, 0)
        if modified(number) < 0:
            while number > 0xFFF:
                self._immediate(0xF2A0 | _LR, _LR, 0xFFF)  # subw
                number -= 0xFFF
            self._immediate(0xF2A0 | _LR, _LR, number)
            number = 0
        self.compare_const(0, _LR, number)
        self.branch(_NE, mismatch)

    def call_entry(self, cells):
        self.load_at(_LR, _IP, 8)
        self._frame(cells)
        self.code.append(0x47F0)  # blx lr
        self.site()
        self._frame(-cells)
        self._reload()

    # Behind replace_frame.
    def jump_entry(self):
        self.load_at(1, 1, 8)
        self.code.append(0x4708)  # bx r1

    def check_stack(self, cells, traps):
        if cells * 4 <= _GUARD:
            if self.is_leaf:
                return
            self.load_context(0, context.STACK_END)
            self.compare(0, _FP, 0)
        else:
            self.const(1, cells * 4 - _GUARD)
            self._32(0xEB00 | _FP, 1 << 8 | 1)
            self.load_context(0, context.STACK_END)
            self.compare(0, 1, 0)
        self.branch(_GT_U, traps)

    def enter_function(self, cell):
        self.store_cell(_LR, cell)
        self._reload()

    def leave_function(self, cell):
        self.load_cell(_PC, cell)

    def leave_with(self, cell, source, n):
        self.load_cell(0, cell)
        self.copy_cells(0, source, n)
        self.code.append(0x4700)  # bx r0

    # What find_entry found goes to register 1: cells far away take the scratch register.
    def replace_frame(self, cell, source, n):
        self.move(1, _IP)
        self.load_cell(_LR, cell)
        for i in range(n):
            self.load_cell(0, source + i)
            self.store_cell(0, i)

    # A jump over what burn_fuel makes.
    def skip_fuel(self):
        self.code.append(0xE003)

    def burn_fuel(self, label):
        self._32(0xF1B0 | _FUEL, _FUEL << 8 | 1)
        self.branch(_MI, label)

    def leave(self, stub, arg0=None, arg1=None):
        if arg0 is not None:
            self.const(0, arg0)
            self.const(1, arg1)
        self.call_stub(stub)
        self._reload()

    # Returns where they are: offsets by name, or by the status that code leaves with.
    def stubs(self):
        stubs = {}
        done = []
        trap = []
        leaving = []
        self._32(0xE92D, 0x4FF0)  # push {r4-r11, lr}
        # The fourth argument of a viper function is the array of its arguments: a small int, the
        # context's address shifted right by two.
        self._32(0xF8D3, _CTX << 12)  # ldr r10, [r3]
        self._immediate(0xF020 | _CTX, _CTX, 1)  # bic
        self._32(0xEB00 | _CTX, _CTX << 8 | _CTX)
        self.load_context(_FP, context.FRAME)
        self.load_context(_MEM, context.MEMORY)
        self.load_context(_FUEL, context.FUEL)
        self.load_context(_LR, context.LIMIT)
        # (Not by adr: frozen code may start between two words.)
        self.code.append(0x4678)  # mov r0, pc
        self._immediate(0xF2A0, 0, 2 * self.here() + 2)  # subw r0, r0, #
        self.store_context(0, context.BASE)
        self.load_context(0, context.RESUME)
        self.compare_const(0, 0, 0)
        self.branch(_EQ, leaving)
        self.code.append(0x4700)  # bx r0
        for status in (context.CALL, context.INDIRECT, context.OPERATION, context.SUSPENDED):
            stubs[status] = 2 * self.here()
            self.store_context(_LR, context.RESUME)
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
        self.store_context(_LR, context.TRAP_SITE)
        self._save()
        self.const(2, context.OUTSIDE)
        self.jump(leaving)
        stubs[context.TRAP] = 2 * self.here()
        self.store_context(_LR, context.TRAP_SITE)
        self.store_context(0, context.REGISTERS)
        self.const(2, context.TRAP)
        self.jump(leaving)
        # Goes on at TRAP_SITE with the registers as they were.
        stubs["again"] = 2 * self.here()
        self._restore()
        self.load_context(_PC, context.TRAP_SITE)
        # How the driver starts a function, whose address is in TRAP_SITE: with one result, which
        # goes from registers 0 and 1 to the frame, and without.
        stubs["start_result"] = 2 * self.here()
        self.load_context(_LR, context.TRAP_SITE)
        self.code.append(0x47F0)
        self.store_cell(0, 0)
        self.store_cell(1, 1)
        self.jump(done)
        stubs["start"] = 2 * self.here()
        self.load_context(_LR, context.TRAP_SITE)
        self.code.append(0x47F0)
        self.bind(done)
        self.const(2, context.DONE)
        self.bind(leaving)
        self.store_context(2, context.STATUS)
        self.store_context(_FP, context.FRAME)
        self.store_context(_FUEL, context.FUEL)
        self.const(0, 1)  # the small int 0
        self._32(0xE8BD, 0x8FF0)  # pop {r4-r11, pc}
        return stubs

    # Before it leaves as suspended, this saves what functions keep in registers, r0 bytes above
    # the frame: the return address, and from cell 2 on the registers. (See Activation.trace.)
    def _suspend_stub(self, leave):
        self.code.append(0x183F)  # adds r7, r7, r0
        self.store_cell(_LR, 0)
        self._add_const(_IP, _FP, 8)
        self._keep()
        self.call_stub(leave)
        self._add_const(_IP, _FP, 8)
        self._get()
        self.load_cell(_IP, 0)
        self.code.append(0x1A3F)  # subs r7, r7, r0
        self.load_context(_LR, context.LIMIT)
        self.code.append(0x4760)  # bx ip

    def _keep(self):
        self._32(0xE8AC, 0x087F)  # stm ip!, {r0-r6, r11}

    def _get(self):
        self._32(0xE8BC, 0x087F)

    # Registers at a trap: the scratch register points to where they are kept.
    def _save(self):
        self._immediate(0xF100 | _CTX, _IP, context.REGISTERS)
        self._32(0xE880 | _IP, 0x087F)  # stm ip, {r0-r6, r11}

    def _restore(self):
        self._immediate(0xF100 | _CTX, _IP, context.REGISTERS)
        self._32(0xE890 | _IP, 0x087F)

    # ---- accesses near the end of the memory

    def check_exact(self, note, stubs):
        place = note >> 7
        self.patch(place, self.here())
        self.move(_IP, note & 31)
        self.call_stub(stubs[context.EXACT + (note >> 5 & 3)])
        self.jump_back(place + 2)

    # Comes back if `extent` bytes from the address in the scratch register are in the memory. r12
    # and lr are all there is to work with: the size is read, and subtracted from, before the
    # address is compared with it.
    def _exact_stub(self, extent, trap):
        self._32(0xF84D, 0xED04)  # push {lr}
        self.load_context(_LR, context.MEMORY_SIZE)
        self._immediate(0xF1B0 | _LR, _LR, extent)  # subs lr, lr, #extent
        self.code.append(0xBF28)  # it hs
        self.compare(0, _LR, _IP)
        self._32(0xF85D, 0xCB04)  # pop {ip}
        self.code.append(0xD202)  # bhs over the next two
        self.move(_LR, _IP)
        self.jump(trap)
        self.load_context(_LR, context.LIMIT)
        self.code.append(0x4760)  # bx ip
