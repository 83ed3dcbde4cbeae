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

# Their registers by number, the compiler's first; the others must be as they were.
REGISTERS = {
    "armv6m": [arm.UC_ARM_REG_R0 + i for i in (0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11)],
    "armv7m": [arm.UC_ARM_REG_R0 + i for i in range(12)],
    "rv32imc": [riscv.UC_RISCV_REG_X0 + (i + 11) % 32 for i in range(29)],
}
REGISTERS["armv7emsp"] = REGISTERS["armv7m"]
# Scratch of rv32imc: t5, t6, and x0, sp, ra, gp, tp, which have no value of their own here.
FREE = {"rv32imc": {19, 20, 21, 22, 23, 24, 25}}
WIDE = ("i64", "f64")
TOP = STACK + 0x3F00


class Routine:
    """A routine by opcode, or 0xFC00 and the number behind the prefix."""

    def __init__(self, target: type, op: int) -> None:
        program = Program(wamr.Module(b"\0asm\1\0\0\0"), target())
        program.routines.number(op)
        program.routines.emit()
        program.link()
        self.code = b"".join(map(bytes, program.parts))
        self.entry = CODE + program.offsets[program.routines.number(op)]
        self.trap = CODE + program.stubs[context.TRAP]
        self.size = program.size - program.bases[1]
        self.operands, self.result = reference.INSTRUCTIONS[op][1:]
        self.wide = any(type in WIDE for type in (*self.operands, self.result))
        self.processor = PROCESSORS[target.NAME]()
        self.registers = REGISTERS[target.NAME]
        self.free = FREE.get(target.NAME, set()) | set(range(program.asm.registers(self.wide)[0]))
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

    def __call__(self, *operands: int) -> int | str:
        """The bits of the result, or the text of the trap."""
        words: list[int] = []
        for type, value in zip(self.operands, operands):
            words.append(value & 0xFFFFFFFF)
            if type in WIDE:
                words.append(value >> 32)
        words += [0xA5A50000 + i for i in range(len(words), len(self.registers))]
        registers = self.registers
        for i, (register, value) in enumerate(zip(registers, words)):
            if i < len(operands) * 2 or i not in self.free:
                self.uc.reg_write(register, value)
        thumb = self.processor.THUMB
        self.uc.reg_write(self.processor.SP, TOP)
        self.uc.reg_write(self.processor.RETURN_ADDRESS, RETURN | thumb)
        stops = [RETURN, self.trap]
        self.uc.ctl_exits_enabled(True)
        self.uc.ctl_set_exits(stops)
        self.uc.emu_start(self.entry | thumb, 0, 0, 20000)
        for i, register in enumerate(registers):
            if i not in self.free:
                assert self.uc.reg_read(register) == words[i], f"register {i} is not kept"
        assert self.uc.reg_read(self.processor.SP) == TOP
        low = self.uc.reg_read(registers[0])
        if self.uc.reg_read(self.processor.PC) & ~1 == self.trap:
            assert self.uc.reg_read(self.processor.RETURN_ADDRESS) == RETURN | thumb
            return context.TRAPS[low]
        high = self.uc.reg_read(registers[1])
        return low | high << 32 if self.result in WIDE else low
