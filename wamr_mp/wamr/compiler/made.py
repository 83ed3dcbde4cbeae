"""Stubs and routines as firmware has them: made when it was built (firmware/make_routines.py), and
copied from there. It takes the place of routines.py, and of all that emits any.

MADE of a target: the stubs' code, their names and offsets, and for each piece of routines

    size      in bytes
    opcodes   that enter it
    entries   their offsets in it, in bytes
    calls     opcode, offset in it of a call of what has that, …
    code      pieces, with jumps to the trap stub between them
"""

from wamr.compiler import context


class Routines:
    def __init__(self, program):
        self.program = program
        self.numbers = {}  # of those that are known, by opcode: their places in program.offsets
        self.wanted = []  # still to be copied

    def stubs(self):
        made = self.program.asm.MADE
        self._copy(made[0])
        return dict(zip(made[1], made[2]))

    def number(self, op):
        n = self.numbers.get(op)
        if n is None:
            n = self.numbers[op] = len(self.program.offsets)
            self.program.offsets.append(-1)
            self.wanted.append(op)
        return n

    def emit(self):
        program = self.program
        while self.wanted:
            op = self.wanted.pop()
            if program.offsets[self.number(op)] < 0:
                for size, opcodes, entries, calls, code in program.asm.MADE[3]:
                    if op in opcodes:
                        program.reserve(size)
                        self._copy_routine(opcodes, entries, calls, code)

    def _copy_routine(self, opcodes, entries, calls, code):
        program = self.program
        asm = program.asm
        size = program.size
        for i, piece in enumerate(code):
            if i:
                asm.jump_far(program.stubs[context.TRAP])
            self._copy(piece)
        for i in range(len(opcodes)):
            program.offsets[self.number(opcodes[i])] = size + entries[i]
        for i in range(0, len(calls), 2):
            program.calls.extend((size + calls[i + 1], self.number(calls[i])))

    def _copy(self, code):
        self.program.asm.code.extend(code)  # the bytes: MicroPython's arrays take any buffer
