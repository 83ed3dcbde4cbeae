"""Xtensa: the stubs through which code is entered and left.

MicroPython calls with register windows; inside, wasm functions do not: they call with call0. The
stub that is entered opens one window, which is this code's alone until it returns, so that a0 may
be anything meanwhile. Only retw looks at the caller's address and window size in a0, and it gets
back what was there at entry. When an older window has to make room in the register file, or the
RTOS saves all windows at an interrupt, then where it is stored is told by a1 of the window that it
called, here by ours, which never changes. Our own window is not stored that way, because it is the
last one: an interrupt or a task switch saves and restores its registers as they are, a0 and the
shift amount (SAR) included. (What is seen in a0 by a backtrace after a crash is wrong.)
"""

from wamr.host import const
from wamr.compiler import context
from wamr.compiler.xtensa_code import align, emit16, emit24, load_word, rst, s_, slli, srli
from wamr.compiler.xtensa_code import store_word

_REGISTERS = const(9)  # of the compiler
_T = const(9)
_MEM = const(10)
_FUEL = const(11)
_LIMIT = const(12)
_FP = const(13)
_U = const(14)
_SP = const(15)

_ADD = const(0x800000)
_SUB = const(0xC00000)
_RET = const(0xF00D)  # ret.n
_JX = const(0xA0)
_LTU = const(0x3007)
_EQ = const(0)
_LT_U = const(8)


# Returns where they are: offsets by name, or by the status that code leaves with.
def stubs(asm):
    code = asm.code
    stubs = {}
    done = []
    leaving = []
    _enter(asm, leaving)
    for status in (context.CALL, context.INDIRECT, context.OPERATION, context.SUSPENDED):
        _start(asm, stubs, status)
        asm.store_context(_U, context.RESUME)
        asm.store_context(0, context.ARG0)
        asm.store_context(1, context.ARG1)
        asm.const(2, status)
        asm.jump(leaving)
    _start(asm, stubs, "suspend")
    _suspend(asm, stubs[context.SUSPENDED])
    trap = []
    for extent in (1, 2, 3):
        _start(asm, stubs, context.EXACT + extent)
        _exact(asm, extent, trap)
    _start(asm, stubs, context.OUTSIDE)
    asm.bind(trap)
    asm.store_context(_U, context.TRAP_SITE)
    for r in range(_REGISTERS):
        store_word(code, r, _T, context.REGISTERS + 4 * r, _U)
    asm.const(2, context.OUTSIDE)
    asm.jump(leaving)
    _start(asm, stubs, context.TRAP)
    asm.store_context(_U, context.TRAP_SITE)
    asm.store_context(0, context.REGISTERS)
    asm.const(2, context.TRAP)
    asm.jump(leaving)
    # Goes on at TRAP_SITE with the registers as they were.
    _start(asm, stubs, "again")
    asm.load_context(_T, context.TRAP_SITE)
    load_word(code, _U, _SP, 4)
    for r in range(_REGISTERS):
        load_word(code, r, _U, context.REGISTERS + 4 * r)
    s_(code, _JX, _T)
    # How the driver starts a function, whose address is in TRAP_SITE: with one result, which goes
    # from registers 0 and 1 to the frame, and without.
    _start(asm, stubs, "start_result")
    asm.load_context(_T, context.TRAP_SITE)
    asm.call_scratch()
    asm.store_cell(0, 0)
    asm.store_cell(1, 1)
    asm.jump(done)
    _start(asm, stubs, "start")
    asm.load_context(_T, context.TRAP_SITE)
    asm.call_scratch()
    asm.bind(done)
    asm.const(2, context.DONE)
    asm.bind(leaving)
    asm.store_context(2, context.STATUS)
    asm.store_context(_FP, context.FRAME)
    asm.store_context(_FUEL, context.FUEL)
    asm.const(0, 1)  # the small int 0
    load_word(code, _U, _SP, 0)
    emit16(code, 0xF01D)  # retw.n
    return stubs


def _start(asm, stubs, name):
    align(asm.code)
    stubs[name] = asm.here()


def _enter(asm, leaving):
    code = asm.code
    emit24(code, 0x008136)  # entry a1, 64
    store_word(code, _U, _SP, 0, _T)
    # The fourth argument of a viper function is the array of its arguments: a small int, the
    # context's address shifted right by two.
    load_word(code, _T, 3, 0)
    srli(code, _T, _T, 1)
    slli(code, _T, _T, 2)
    store_word(code, _T, _SP, 4, _U)
    asm.load_context(_FP, context.FRAME)
    asm.load_context(_MEM, context.MEMORY)
    asm.load_context(_FUEL, context.FUEL)
    asm.load_context(_LIMIT, context.LIMIT)
    behind = asm.find_code()
    asm.alu_const(0, _U, _U, -behind)
    asm.store_context(_U, context.BASE)
    asm.load_context(_T, context.RESUME)
    asm.branch(asm.compare_const(_EQ, _T, 0), leaving)
    s_(code, _JX, _T)


# Before it leaves as suspended, this saves what functions keep in registers, as many bytes above
# the frame as register 0 says: the return address, and from cell 2 on the registers. (See
# Activation.trace.)
def _suspend(asm, leave):
    rst(asm.code, _ADD, _FP, _FP, 0)
    asm.store_cell(_U, 0)
    for r in range(_REGISTERS):
        asm.store_cell(r, 2 + r)
    asm.call_stub(leave)
    asm.load_cell(_U, 0)
    for r in range(_REGISTERS):
        asm.load_cell(r, 2 + r)
    rst(asm.code, _SUB, _FP, _FP, 0)
    emit16(asm.code, _RET)


# Comes back if `extent` bytes from the address in the scratch register are in the memory. The
# limit's register is free for this: a trap leaves, and the code is entered anew.
def _exact(asm, extent, trap):
    asm.load_context(_LIMIT, context.MEMORY_SIZE)
    asm.branch_registers(_LTU, _LIMIT, _T, trap)
    rst(asm.code, _SUB, _LIMIT, _LIMIT, _T)
    asm.branch(asm.compare_const(_LT_U, _LIMIT, extent), trap)
    asm.load_context(_LIMIT, context.LIMIT)
    emit16(asm.code, _RET)
