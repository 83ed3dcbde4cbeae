"""Machine code on the PC, between guards: unicorn and QEMU emulate other processors.

`emulate(target)` makes engine "native" compile for that target and run in the emulator, or, if the
code is for this machine, in a process's own memory, by replacing what engine/native.py takes from
the host: addresses of buffers, and how code is loaded. Each buffer lies between bytes that nobody
may change, which is checked after every call.
"""

from __future__ import annotations

import bisect
import ctypes
import mmap
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import unicorn
import unicorn.arm_const as arm
import unicorn.riscv_const as riscv
from wamr.compiler import code, loader, machine
from wamr.engine import native

from native.qemu import BUFFERS, CODE, STACK, Cpu

RETURN = STACK + 0x100
LOAD = loader.load  # which emulate() replaces
MAP_NORESERVE = 0x4000  # which the module mmap does not name


class Processor:
    """What differs between processors; a subclass for each."""

    ARCH = 0
    MODE = 0
    ARRAY = 0  # the register for the fourth argument
    SP = 0
    RETURN_ADDRESS = 0
    PC = 0
    THUMB = 0  # what an address to jump to has in its lowest bit

    def prepare(self, uc: unicorn.Uc, target: type) -> None:
        """Whatever the processor needs before it runs."""


class Arm(Processor):
    ARCH = unicorn.UC_ARCH_ARM
    MODE = unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS
    ARRAY = arm.UC_ARM_REG_R3
    SP = arm.UC_ARM_REG_SP
    RETURN_ADDRESS = arm.UC_ARM_REG_LR
    PC = arm.UC_ARM_REG_PC
    THUMB = 1

    def prepare(self, uc: unicorn.Uc, target: type) -> None:
        uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M4)
        if target.FLOATS:
            uc.reg_write(arm.UC_ARM_REG_FPEXC, 0x40000000)


class ArmV6M(Arm):
    """Without what only later processors do, as far as words at any address go: the emulator does
    them, and executes all of Thumb-2.
    """

    def prepare(self, uc: unicorn.Uc, target: type) -> None:
        uc.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M0)
        uc.hook_add(unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, self.aligned)

    @staticmethod
    def aligned(uc: unicorn.Uc, kind: int, at: int, size: int, value: int, _: object) -> None:
        """Refuse what the processor would."""
        assert not at & size - 1, f"{size} bytes at {at:#x}"


class RiscV(Processor):
    ARCH = unicorn.UC_ARCH_RISCV
    MODE = unicorn.UC_MODE_RISCV32
    ARRAY = riscv.UC_RISCV_REG_A3
    SP = riscv.UC_RISCV_REG_SP
    RETURN_ADDRESS = riscv.UC_RISCV_REG_RA
    PC = riscv.UC_RISCV_REG_PC


PROCESSORS = {"armv6m": ArmV6M, "armv7m": Arm, "armv7emsp": Arm, "rv32imc": RiscV}


class Addresses:
    """Addresses that the machine has for Python's buffers, each with a guard behind it."""

    def __init__(self, start: int) -> None:
        self.buffers: dict[int, Any] = {}
        self.known: dict[int, int] = {}
        self.free = self.start = start

    def address_of(self, buffer: Any) -> int:
        if id(buffer) not in self.known:
            self.known[id(buffer)] = self.free
            self.buffers[self.free] = buffer  # kept, so that its id stays its own
            self.free += guarded(memoryview(buffer).nbytes)
        return self.known[id(buffer)]

    def around(self, pointer: int) -> int | None:
        """The start of the buffer that a pointer points into."""
        if not self.start <= pointer < self.free:
            return None
        starts = sorted(self.buffers)
        return starts[bisect.bisect_right(starts, pointer) - 1]


def guarded(size: int) -> int:
    """Bytes with a guard of a page or two behind them, in whole pages."""
    return size + 0x1FFF & ~0xFFF


class Machine:
    """What has one module's code, and copies of the buffers while it runs."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self.guards: dict[int, bytes] = {}  # by the address of the buffer

    def map(self, at: int, size: int) -> None:
        """Make room for a buffer."""

    def write(self, at: int, data: bytes) -> None:
        raise NotImplementedError

    def read(self, at: int, size: int) -> bytes:
        raise NotImplementedError

    def enter(self, shifted: int) -> None:
        """Run the code."""
        raise NotImplementedError

    def call(self, shifted: int) -> None:
        """Enter the code as MicroPython does; buffers go in before and come back after."""
        context = shifted << 2
        used = {context}
        view = memoryview(self.addresses.buffers[context]).cast("B")
        for at in range(0, len(view) - 7, 8):
            start = self.addresses.around(struct.unpack_from("<Q", view, at)[0])
            if start is not None:
                used.add(start)
        views = {at: memoryview(self.addresses.buffers[at]).cast("B") for at in used}
        for at, data in views.items():
            if at not in self.guards:
                self.map(at, guarded(len(data)))
                self.guards[at] = b"\xa5" * (guarded(len(data)) - len(data))
                self.write(at + len(data), self.guards[at])
            self.write(at, bytes(data))
        self.enter(shifted)
        for at, data in views.items():
            data[:] = self.read(at, len(data))
            guard = self.guards[at]
            assert self.read(at + len(data), len(guard)) == guard, f"{len(data)} bytes overrun"


class Emulated(Machine):
    """A processor that unicorn emulates."""

    def __init__(self, code: bytes, addresses: Addresses, target: type) -> None:
        super().__init__(addresses)
        self.processor = PROCESSORS[target.NAME]()
        self.uc = unicorn.Uc(self.processor.ARCH, self.processor.MODE)
        self.processor.prepare(self.uc, target)
        self.uc.mem_map(CODE & ~0xFFF, guarded(len(code)))
        self.uc.mem_write(CODE, bytes(code))
        self.uc.mem_map(STACK, 0x4000)
        self.map = self.uc.mem_map
        self.read = self.uc.mem_read
        self.write = self.uc.mem_write

    def enter(self, shifted: int) -> None:
        self.uc.mem_write(STACK, struct.pack("<I", (shifted << 1 | 1) & 0xFFFFFFFF))
        processor = self.processor
        for register, value in (
            (processor.ARRAY, STACK),
            (processor.SP, STACK + 0x3F00),
            (processor.RETURN_ADDRESS, RETURN | processor.THUMB),
        ):
            self.uc.reg_write(register, value)
        self.uc.emu_start(CODE | processor.THUMB, RETURN)
        assert self.uc.reg_read(processor.SP) == STACK + 0x3F00


class Xtensa(Machine):
    """A processor that QEMU emulates."""

    def __init__(self, code: bytes, addresses: Addresses, target: type) -> None:
        super().__init__(addresses)
        self.cpu = Cpu(code)
        self.read = self.cpu.read
        self.write = self.cpu.write

    def enter(self, shifted: int) -> None:
        self.cpu.call((shifted << 1 | 1) & 0xFFFFFFFF)


class Host(Machine):
    """This machine itself; the buffers get a range of addresses of their own."""

    ARENA = mmap.mmap(-1, 1 << 30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE)
    START = ctypes.addressof(ctypes.c_char.from_buffer(ARENA))

    def __init__(self, code: bytes, addresses: Addresses) -> None:
        super().__init__(addresses)
        self.enter = LOAD([code])

    def write(self, at: int, data: bytes) -> None:
        at -= self.START
        self.ARENA[at : at + len(data)] = data

    def read(self, at: int, size: int) -> bytes:
        at -= self.START
        return self.ARENA[at : at + size]


def host() -> list[type]:
    """The target that is this machine, if code can be made for it."""
    asm = machine.assembler()
    return [type(asm)] if asm else []


@contextmanager
def emulate(target: type) -> Iterator[None]:
    """Run engine "native" on an emulated machine for the time being."""
    ours = target in host()
    emulated = Xtensa if target.NAME == "xtensawin" else Emulated
    addresses = Addresses(Host.START if ours else BUFFERS)

    def load(parts: list[Any]) -> Callable[[int], object]:
        data = b"".join(parts)
        made = Host(data, addresses) if ours else emulated(data, addresses, target)
        return made.call

    buffer = machine.buffer
    replaced = {
        (native, "address_of"): addresses.address_of,
        (code, "address_of"): addresses.address_of,
        (machine, "assembler"): target,
        (machine, "buffer"): lambda n: buffer(n, target.UNIT),
        (loader, "load"): load,
    }
    before = {place: getattr(*place) for place in replaced}
    for place, value in replaced.items():
        setattr(*place, value)
    native._spare[0] = None  # its address was another machine's
    try:
        yield
    finally:
        for place, value in before.items():
            setattr(*place, value)
        native._spare[0] = None  # its address was another machine's
