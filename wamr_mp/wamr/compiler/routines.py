"""Instructions that take too many machine instructions to stand in line: one routine for each,
behind the function that uses it first.

A routine is named by its opcode (0xFC00 and the number behind the prefix). It finds its operands
in registers 0 and 1 (of 64 bits: 0 with 1, and 2 with 3), leaves its result in register 0 (and 1),
may change the registers that functions have for operands, and keeps all others. It is written
once, with the instructions on single registers that every target has (docs/internals/compiler.md),
and reached by a call that leaves the return address where the target's calls do.
"""

from wamr.compiler import context


class Routines:
    def __init__(self, program):
        self.program = program
        self.numbers = {}  # of those that are known, by opcode: their places in program.offsets
        self.wanted = []  # still to be emitted

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
                program.asm.begin(program.size)
                _emitter(op)(program.asm, self, op)
                program.add_part()

    # Where a routine starts; one emitter may make several.
    def entry(self, op):
        asm = self.program.asm
        self.program.offsets[self.number(op)] = asm.base + asm.here() * asm.UNIT

    # Before a routine has changed the return address and the stack: leaves with this trap.
    def trap(self, number):
        asm = self.program.asm
        asm.const(0, number)
        asm.jump_far(self.program.stubs[context.TRAP])


# What emits a routine. (Comparisons of floats share one each: the first.)
def _emitter(op):
    if op <= 0x66:
        from wamr.compiler import float32, float64

        return float64.compare if op >= 0x61 else float32.compare
    if op <= 0x8A:
        from wamr.compiler import int64

        if op <= 0x7B:
            return int64.count
        return int64.divide if op <= 0x82 else int64.rotate
    if op == 0x92 or op == 0x93:
        from wamr.compiler import float32

        return float32.add
    if op == 0xA0 or op == 0xA1:
        from wamr.compiler import float64

        return float64.add
    if op <= 0x95:
        from wamr.compiler import float32_product

        return float32_product.mul if op == 0x94 else float32_product.div
    from wamr.compiler import float64_product

    return float64_product.mul if op == 0xA2 else float64_product.div
