"""ARMv6-M: the stubs through which code is entered and left, and those it calls for accesses.

From the stack pointer on are three words: the context's address, that of its tables, and the end
of the cell stack.
"""

from wamr.host import const
from wamr.compiler import context

_MEM = const(5)
_FP = const(6)
_S = const(7)
_FUEL = const(9)
_MINUS_ONE = const(10)
_LIMIT = const(11)
_V = const(14)
_PC = const(15)

_ADD = const(0)
_SUB = const(1)
_SHL = const(10)
_SHR_U = const(12)
_EQ = const(0)
_NE = const(1)
_LT_U = const(8)
_GE_U = const(9)
_GT_U = const(10)

_WORDS = const(3)
_PUSH_ALL = const(0xB4FF)  # push {r0-r7}
_POP_ALL = const(0xBCFF)
_BX_S = const(0x4738)


# Returns where they are: offsets by name, or by the status that code leaves with.
def stubs(asm):
    code = asm.code
    emit = code.append
    stubs = {}
    done = []
    leaving = []
    outside = []
    _enter(asm, leaving)
    for status in (context.CALL, context.INDIRECT, context.OPERATION, context.SUSPENDED):
        stubs[status] = 2 * len(code)
        emit(0x9B00)  # ldr r3, [sp]
        asm._move(2, _V)
        _store(code, 2, context.RESUME)
        _store(code, 0, context.ARG0)
        _store(code, 1, context.ARG1)
        asm.const(2, status)
        asm.jump(leaving)
    stubs["suspend"] = 2 * len(code)
    _suspend(asm, stubs[context.SUSPENDED])
    exact = []
    for extent in (1, 2, 3):
        stubs[context.EXACT + extent] = 2 * len(code)
        emit(_PUSH_ALL)
        asm.const(1, extent)
        if extent < 3:
            asm.jump(exact)
    asm.bind(exact)
    _exact(asm, outside)
    asm.bind(outside)
    emit(_POP_ALL)
    stubs[context.OUTSIDE] = 2 * len(code)
    asm._move(_S, 3)
    emit(0x9B00)
    for r in (0, 1, 2, _S, 4):
        _store(code, r, context.REGISTERS + 4 * (3 if r == _S else r))
    asm._move(0, 8)
    _store(code, 0, context.REGISTERS + 20)
    asm._move(0, _V)
    _store(code, 0, context.TRAP_SITE)
    asm.const(2, context.OUTSIDE)
    asm.jump(leaving)
    stubs[context.TRAP] = 2 * len(code)
    emit(0x9B00)
    _store(code, 0, context.REGISTERS)
    asm._move(0, _V)
    _store(code, 0, context.TRAP_SITE)
    asm.const(2, context.TRAP)
    asm.jump(leaving)
    # Goes on at TRAP_SITE with the registers as they were.
    stubs["again"] = 2 * len(code)
    emit(0x9B00)
    _load(code, _S, context.TRAP_SITE)
    _load(code, 0, context.REGISTERS + 20)
    asm._move(8, 0)
    for r in (0, 1, 2, 4, 3):
        _load(code, r, context.REGISTERS + 4 * r)
    emit(_BX_S)
    # How the driver starts a function, whose address is in TRAP_SITE: with one result, which goes
    # from registers 0 and 1 to the frame, and without.
    stubs["start_result"] = 2 * len(code)
    _start(asm)
    asm.store_cell(0, 0)
    asm.store_cell(1, 1)
    asm.jump(done)
    stubs["start"] = 2 * len(code)
    _start(asm)
    asm.bind(done)
    asm.const(2, context.DONE)
    asm.bind(leaving)
    emit(0x9B00)
    _store(code, 2, context.STATUS)
    _store(code, _FP, context.FRAME)
    asm._move(0, _FUEL)
    _store(code, 0, context.FUEL)
    asm.const(0, 1)  # the small int 0
    emit(0xB000 | _WORDS)  # add sp, #
    emit(0xBCF0)  # pop {r4-r7}
    for r in range(4):
        asm._move(8 + r, 4 + r)
    emit(0xBDF0)  # pop {r4-r7, pc}
    asm.unaligned_pair = 2 * len(code)
    emit(_PUSH_ALL)
    asm.const(6, 1)
    emit(0xE001)
    asm.unaligned = 2 * len(code)
    emit(_PUSH_ALL)
    asm.const(6, 0)
    _unaligned(asm)
    return stubs


# Words of the context, whose address is in r3.
def _load(code, d, offset):
    code.append(0x6800 | offset << 4 | 3 << 3 | d)


def _store(code, s, offset):
    code.append(0x6000 | offset << 4 | 3 << 3 | s)


def _enter(asm, leaving):
    code = asm.code
    emit = code.append
    emit(0xB5F0)  # push {r4-r7, lr}
    for r in range(4):
        asm._move(4 + r, 8 + r)
    emit(0xB4F0)  # push {r4-r7}
    emit(0xB080 | _WORDS)  # sub sp, #
    # The fourth argument of a viper function is the array of its arguments: a small int, the
    # context's address shifted right by two.
    emit(0x681B)  # ldr r3, [r3]
    asm.alu_const(_SHR_U, 3, 3, 1)
    asm.alu_const(_SHL, 3, 3, 2)
    emit(0x9300)  # str r3, [sp]
    asm.alu_const(_ADD, 0, 3, 255)
    asm.alu_const(_ADD, 0, 0, context.TABLES - 255)
    emit(0x9001)  # str r0, [sp, #4]
    _load(code, 0, context.STACK_END)
    emit(0x9002)
    _load(code, _FP, context.FRAME)
    _load(code, _MEM, context.MEMORY)
    _load(code, 0, context.FUEL)
    asm._move(_FUEL, 0)
    _load(code, 0, context.LIMIT)
    asm._move(_LIMIT, 0)
    asm.const(0, -1)
    asm._move(_MINUS_ONE, 0)
    asm._move(0, _PC)
    asm.alu_const(_ADD, 0, 0, -2 * (len(code) + 1))
    _store(code, 0, context.BASE)
    _load(code, 0, context.RESUME)
    asm.branch(asm.compare_const(_EQ, 0, 0), leaving)
    emit(0x4700)  # bx r0


def _start(asm):
    asm.code.append(0x9B00)
    _load(asm.code, _S, context.TRAP_SITE)
    asm.code.append(0x47B8)  # blx s


# Before it leaves as suspended, this saves what functions keep in registers, as many bytes above
# the frame as register 0 says: the return address, and from cell 2 on the registers. (See
# Activation.trace.)
def _suspend(asm, leave):
    asm.alu(_ADD, _FP, _FP, 0)
    asm._move(_S, _V)
    asm._store_scratch(0)
    for r in range(5):
        asm.store_cell(r, 2 + r)
    asm.store_cell(7, 7)
    asm.call_stub(leave)
    for r in range(5):
        asm.load_cell(r, 2 + r)
    asm.load_cell(7, 7)
    asm._load_scratch(0)
    asm.alu(_SUB, _FP, _FP, 0)
    asm.code.append(_BX_S)


# Comes back if as many bytes as r1 says are in the memory, from the address that was compared with
# the limit just before: where that is, this comparison tells.
def _exact(asm, outside):
    code = asm.code
    emit = code.append
    asm._move(0, _V)
    asm.alu_const(_ADD, 0, 0, -9)
    emit(0x8800)  # ldrh r0, [r0]
    _pushed(asm, 2, 0, 0)
    emit(0x0A00)  # lsrs r0, r0, #8: the carry says that it is r8
    emit(0xD300)  # bcc
    asm._move(2, 8)
    emit(0x9B08)  # ldr r3, [sp, #32]
    _load(code, 3, context.MEMORY_SIZE)
    asm.alu(_SUB, 3, 3, 1)
    asm.branch(_LT_U, outside)
    asm.branch(asm.compare(_GT_U, 2, 3), outside)
    emit(_POP_ALL)
    emit(0x4770)  # bx lr


# d = the register, as it was pushed, that bits from `start` on of an instruction name; d is not a.
def _pushed(asm, d, a, start):
    asm.bits(d, a, start, 3)
    asm.alu_const(_SHL, d, d, 2)
    asm._add(d, 13)
    asm.code.append(0x6800 | d << 3 | d)


# Does what the access behind the call would do, byte by byte, and goes on behind it; twice if r6
# is 1. The access is one of
#     op r, [base, index]
#     adds s, base, index; op r, [s, #offset]
def _unaligned(asm):
    code = asm.code
    emit = code.append
    again = []
    indexed = []
    bytes_ = []
    load = []
    word = []
    put = []
    next = []
    done = []
    asm._move(0, _V)
    asm.alu_const(_ADD, 0, 0, -1)
    emit(0x8801)  # ldrh r1, [r0]
    _pushed(asm, 2, 1, 3)
    _pushed(asm, 3, 1, 6)
    asm.alu(_ADD, 2, 2, 3)
    asm.alu_const(_SHR_U, 4, 1, 14)
    asm.branch(asm.compare_const(_NE, 4, 0), indexed)
    asm.alu_const(_ADD, 0, 0, 2)
    emit(0x8801)
    # r5: whether it is a half; the offset counts words or halves.
    asm.bits(3, 1, 6, 5)
    asm.alu_const(_SHL, 3, 3, 1)
    asm.alu(_ADD, 2, 2, 3)
    asm.alu_const(_SHR_U, 5, 1, 15)
    asm.branch(_NE, bytes_)
    asm.alu(_ADD, 2, 2, 3)
    asm.jump(bytes_)
    asm.bind(indexed)
    asm.bits(5, 1, 9, 1)
    asm.bind(bytes_)
    asm.mark(again)
    asm.alu_const(_SHL, 3, 1, 29)
    asm.alu_const(_SHR_U, 3, 3, 27)
    asm._add(3, 13)  # where r was pushed
    emit(0x054C)  # lsls r4, r1, #21: the carry tells loads
    asm.branch(_GE_U, load)
    emit(0x681C)  # ldr r4, [r3]
    emit(0x7014)  # strb r4, [r2]
    asm.alu_const(_SHR_U, 4, 4, 8)
    emit(0x7054)
    asm.branch(asm.compare_const(_NE, 5, 0), next)
    asm.alu_const(_SHR_U, 4, 4, 8)
    emit(0x7094)
    asm.alu_const(_SHR_U, 4, 4, 8)
    emit(0x70D4)
    asm.jump(next)
    asm.bind(load)
    emit(0x7814)  # ldrb r4, [r2]
    _more(asm, 1)
    asm.branch(asm.compare_const(_EQ, 5, 0), word)
    emit(0x0A4D)  # lsrs r5, r1, #9
    asm.branch(asm.compare_const(_NE, 5, 0x2F), put)
    asm.sign_extend(4, 4, 16)  # ldrsh
    asm.jump(put)
    asm.bind(word)
    _more(asm, 2)
    _more(asm, 3)
    asm.bind(put)
    emit(0x601C)  # str r4, [r3]
    asm.bind(next)
    asm.alu_const(_ADD, 0, 0, 2)
    asm.branch(asm.compare_const(_EQ, 6, 0), done)
    asm.const(6, 0)
    emit(0x8801)
    asm.alu_const(_ADD, 2, 2, 4)
    asm.goto(again)
    asm.bind(done)
    asm.alu_const(_ADD, 0, 0, 1)
    asm._move(_V, 0)
    emit(_POP_ALL)
    emit(0x4770)


# r4 |= the byte at r2 + n, shifted to its place
def _more(asm, n):
    asm.code.append(0x7817 | n << 6)  # ldrb s, [r2, #]
    asm.code.append(0x003F | 8 * n << 6)  # lsls s
    asm.code.append(0x433C)  # orrs r4, s
