"""One routine of compiler/routines.py at a time, on an emulated processor."""

from __future__ import annotations

import unicorn
import unicorn.arm_const as arm
import unicorn.riscv_const as riscv
import wamr
from numerics import reference
from wamr.compiler import context
from wamr.compiler.program import Program

from native.emulator import CODE, PROCESSORS, RETURN, STACK
from native.qemu import Cpu, Registers

# Their registers by number, the compiler's first; the others must be as they were.
REGISTERS = {
    "armv6m": [arm.UC_ARM_REG_R0 + i for i in (0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11)],
    "armv7m": [arm.UC_ARM_REG_R0 + i for i in range(12)],
    "rv32imc": [riscv.UC_RISCV_REG_X0 + (i + 11) % 32 for i in range(29)],
    "xtensawin": range(2, 16),
}
REGISTERS["armv7emsp"] = REGISTERS["armv7m"]
# Scratch of rv32imc: t5, t6, and x0, sp, ra, gp, tp, which have no value of their own here. Of
# Xtensa: a11.
FREE = {"rv32imc": {19, 20, 21, 22, 23, 24, 25}, "xtensawin": {9}}
WIDE = ("i64", "f64")
TOP = STACK + 0x3F00


class Routine:
    """A routine by opcode, or 0xFC00 and the number behind the prefix."""

    def __init__(self, target: type, op: int) -> None:
        program = Program(wamr.Module(b"\0asm\1\0\0\0"), target())
        stubs = program.size
        program.routines.number(op)
        program.routines.emit()
        program.link()
        self.code = b"".join(map(bytes, program.parts))
        self.entry = CODE + program.offsets[program.routines.number(op)]
        self.trap = CODE + program.stubs[context.TRAP]
        self.size = len(self.code) - stubs
        self.operands, self.result = reference.INSTRUCTIONS[op][1:]
        self.wide = any(type in WIDE for type in (*self.operands, self.result))
        self.registers = REGISTERS[target.NAME]
        self.free = FREE.get(target.NAME, set()) | set(range(program.asm.registers(self.wide)[0]))

    def run(self, values: dict[int, int]) -> tuple[bool, list[int]]:
        """Enter the routine with these registers: whether it trapped, and what registers hold."""
        raise NotImplementedError

    def __call__(self, *operands: int) -> int | str:
        """The bits of the result, or the text of the trap."""
        words: list[int] = []
        for type, value in zip(self.operands, operands):
            words.append(value & 0xFFFFFFFF)
            if type in WIDE:
                words.append(value >> 32)
        words += [0xA5A50000 + i for i in range(len(words), len(self.registers))]
        given = [i for i in range(len(words)) if i < len(operands) * 2 or i not in self.free]
        trapped, found = self.run({self.registers[i]: words[i] for i in given})
        for i, (value, before) in enumerate(zip(found, words)):
            assert i in self.free or value == before, f"register {i} is not kept"
        if trapped:
            return context.TRAPS[found[0]]
        return found[0] | found[1] << 32 if self.result in WIDE else found[0]


class OnUnicorn(Routine):
    """Arm and RISC-V."""

    def __init__(self, target: type, op: int) -> None:
        super().__init__(target, op)
        self.processor = PROCESSORS[target.NAME]()
        self.uc = unicorn.Uc(self.processor.ARCH, self.processor.MODE)
        self.processor.prepare(self.uc, target)
        self.uc.mem_map(CODE, len(self.code) + 0x1FFF & ~0xFFF)
        self.uc.mem_write(CODE, self.code)
        self.uc.mem_map(STACK, 0x4000)

    def count(self, *operands: int) -> int:
        """Instructions, the return included."""
        seen = [0]

        def one(uc: unicorn.Uc, address: int, size: int, data: object) -> None:
            seen[0] += 1

        self.uc.ctl_flush_tb()
        hook = self.uc.hook_add(unicorn.UC_HOOK_CODE, one)
        self(*operands)
        self.uc.hook_del(hook)
        return seen[0]

    def run(self, values: dict[int, int]) -> tuple[bool, list[int]]:
        uc = self.uc
        for register, value in values.items():
            uc.reg_write(register, value)
        thumb = self.processor.THUMB
        uc.reg_write(self.processor.SP, TOP)
        uc.reg_write(self.processor.RETURN_ADDRESS, RETURN | thumb)
        uc.ctl_exits_enabled(True)
        uc.ctl_set_exits([RETURN, self.trap])
        uc.emu_start(self.entry | thumb, 0, 0, 20000)
        assert uc.reg_read(self.processor.SP) == TOP
        trapped = uc.reg_read(self.processor.PC) & ~1 == self.trap
        if trapped:
            assert uc.reg_read(self.processor.RETURN_ADDRESS) == RETURN | thumb
        return trapped, [uc.reg_read(register) for register in self.registers]


class OnQemu(Routine):
    """Xtensa."""

    def __init__(self, target: type, op: int) -> None:
        super().__init__(target, op)
        self.cpu = Cpu(self.code)
        self.cpu.gdb.ask(f"Z0,{self.trap:x},3")

    def run(self, values: dict[int, int]) -> tuple[bool, list[int]]:
        registers = Registers(self.cpu.gdb)
        for register, value in values.items():
            registers[register] = value
        registers[0] = self.cpu.end
        registers[1] = TOP
        registers.pc = self.entry
        registers.set()
        registers = self.cpu.go((self.cpu.end, self.trap))
        assert (registers[0], registers[1]) == (self.cpu.end, TOP)
        return registers.pc == self.trap, [registers[register] for register in self.registers]


def routine(target: type, op: int) -> Routine:
    return (OnQemu if target.NAME == "xtensawin" else OnUnicorn)(target, op)
