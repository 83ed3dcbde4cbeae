"""What emscripten's modules of 2019 import besides libc: registers, 64-bit shifts, system calls.

Of the system calls only those that libc's own printf makes do anything (WAMR had no more): writev,
and ioctl, which says that stdout is a terminal, so that the app's libc prints line by line.
"""

from ..host import const
from ..wasm.errors import Trap

_ENOSYS = const(38)
_IOCTL = const(54)
_READV = const(145)
_WRITEV = const(146)


class Functions:
    def __init__(self, libc, is_2019):
        self.libc = libc

    def setTempRet0(self, instance, value):
        self.libc.register = value

    def getTempRet0(self, instance):
        return self.libc.register

    def llvm_bswap_i16(self, instance, x):
        return x & 0xFFFF0000 | (x & 0xFF) << 8 | x >> 8 & 0xFF

    def llvm_bswap_i32(self, instance, x):
        return (x & 0xFF) << 24 | (x & 0xFF00) << 8 | x >> 8 & 0xFF00 | x >> 24

    # 64-bit shifts of (low, high); the result's upper half goes to the register.
    def bitshift64Shl(self, instance, low, high, n):
        return self._split((high << 32 | low) << (n & 63))

    def bitshift64Lshr(self, instance, low, high, n):
        return self._split((high << 32 | low) >> (n & 63))

    def bitshift64Ashr(self, instance, low, high, n):
        if high > 0x7FFFFFFF:
            high -= 0x100000000
        return self._split((high << 32 | low) >> (n & 63))

    def _split(self, value):
        self.libc.register = value >> 32 & 0xFFFFFFFF
        return value & 0xFFFFFFFF

    # The stack of such a module is its own affair.
    def llvm_stacksave(self, instance):
        return 0

    def llvm_stackrestore(self, instance, stack):
        pass

    def enlargeMemory(self, instance):
        return 0

    def getTotalMemory(self, instance):
        return instance.memory.pages * 65536

    def abortOnCannotGrowMemory(self, instance, size=0):
        raise Trap("out of memory: the memory of this app cannot grow")

    def set_errno(self, instance, code):
        pass

    # ___syscall146(146, block): the arguments are in memory.
    def syscall_block(self, instance, number, block):
        if number != _WRITEV:
            return self.syscall(instance, number)
        u32 = instance.memory.u32
        return self.syscall(instance, number, u32(block), u32(block + 4), u32(block + 8))

    # __syscall3(146, fd, vector, n): the older form.
    def syscall(self, instance, number=0, *args):
        if number == _WRITEV and len(args) > 2:
            memory = instance.memory
            fd, vector, n = args[:3]
            memory.check(vector, n * 8)
            write = self.libc.write_error if fd == 2 else self.libc.write
            total = 0
            for i in range(n):
                data = memory.read(memory.u32(vector + 8 * i), memory.u32(vector + 8 * i + 4))
                write(data)
                total += len(data)
            return total
        return 0 if number == _IOCTL or number == _READV else -_ENOSYS
