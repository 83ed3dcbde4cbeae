"""What emscripten's modules of 2019 import besides libc: registers, 64-bit shifts, system calls.

Of the system calls only those that libc's own printf makes do anything (WAMR had no more): writev,
and ioctl, which says that stdout is a terminal, so that the app's libc prints line by line.
"""

from wamr.host import const
from wamr.wasm.errors import Trap

_ENOSYS = const(38)
_IOCTL = const(54)
_READV = const(145)
_WRITEV = const(146)


def setTempRet0(libc, instance, value):
    libc.register = value


def getTempRet0(libc, instance):
    return libc.register


def llvm_bswap_i16(libc, instance, x):
    return x & 0xFFFF0000 | (x & 0xFF) << 8 | x >> 8 & 0xFF


def llvm_bswap_i32(libc, instance, x):
    return (x & 0xFF) << 24 | (x & 0xFF00) << 8 | x >> 8 & 0xFF00 | x >> 24


# 64-bit shifts of (low, high); the result's upper half goes to the register.
def bitshift64Shl(libc, instance, low, high, n):
    return _split(libc, (high << 32 | low) << (n & 63))


def bitshift64Lshr(libc, instance, low, high, n):
    return _split(libc, (high << 32 | low) >> (n & 63))


def _split(libc, value):
    libc.register = value >> 32 & 0xFFFFFFFF
    return value & 0xFFFFFFFF


# What has nothing to do here: the stack is the module's own affair, the heap cannot grow.
def nothing(libc, instance, *args):
    return 0


def getTotalMemory(libc, instance):
    return instance.memory.pages * 65536


def abortOnCannotGrowMemory(libc, instance, size=0):
    raise Trap("out of memory: the memory of this app cannot grow")


# ___syscall146(146, block): arguments in memory; __syscall3(146, fd, vector, n) is older.
def syscall(libc, instance, number=0, *args):
    if number == _WRITEV and args:
        memory = instance.memory
        if len(args) < 3:
            args = [memory.u32(args[0] + i) for i in (0, 4, 8)]
        fd, vector, n = args[:3]
        memory.check(vector, n * 8)
        write = libc.write_error if fd == 2 else libc.write
        total = 0
        for i in range(n):
            data = memory.read(memory.u32(vector + 8 * i), memory.u32(vector + 8 * i + 4))
            write(data)
            total += len(data)
        return total
    return 0 if number == _IOCTL or number == _READV else -_ENOSYS
