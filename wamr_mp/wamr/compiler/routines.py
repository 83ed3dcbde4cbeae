"""Instructions that take too many machine instructions to stand in line: one routine for each,
behind the function that uses it first.

A routine is named by its opcode (0xFC00 and the number behind the prefix). It finds its operands
in registers 0 and 1 (of 64 bits: 0 with 1, and 2 with 3), leaves its result in register 0 (and 1),
may change the registers that functions have for operands, and keeps all others. It is written
once, with the instructions on single registers that every target has (docs/internals/compiler.md),
and reached by a call that leaves the return address where the target's calls do.
"""

from wamr.compiler import context

# The assembler's methods that routines call most, as Assembler.OFTEN.
_OFTEN = (
    "bits",
    "branch_const",
    "branch_if",
    "branch_on",
    "goto",
    "jump",
    "leave_routine",
    "mark",
)
_OFTEN += ("or_shifted", "shift_by")


class Routines:
    def __init__(self, program):
        self.program = program
        self.numbers = {}  # of those that are known, by opcode: their places in program.offsets
        self.wanted = []  # still to be emitted

    # Emits the stubs; returns their offsets by name.
    def stubs(self):
        return self.program.asm.stubs()

    def number(self, op):
        n = self.numbers.get(op)
        if n is None:
            n = self.numbers[op] = len(self.program.offsets)
            self.program.offsets.append(-1)
            self.wanted.append(op)
        return n

    def emit(self):
        asm = self.program.asm
        if self.wanted:
            for name in _OFTEN:
                setattr(asm, name, getattr(asm, name))
        while self.wanted:
            op = self.wanted.pop()
            if self.program.offsets[self.number(op)] < 0:
                self.emit_one(op)

    def emit_one(self, op):
        asm = self.program.asm
        self.program.reserve()
        if op < 0:
            asm.subroutine(self, op)
        else:
            _emitter(op)(asm, self, op)
        asm.align()

    # Where a routine starts; one emitter may make several.
    def entry(self, op):
        self.program.offsets[self.number(op)] = self.program.asm.routine()

    # Before a routine has changed the return address and the stack: leaves with this trap.
    def trap(self, number):
        asm = self.program.asm
        asm.const(0, number)
        asm.trap_routine(self.program.stubs[context.TRAP])


# What emits a routine. (Comparisons of floats share one each: the first.)
def _emitter(op):
    if op <= 0x66:
        from wamr.compiler import float_compare

        return float_compare.compare64 if op >= 0x61 else float_compare.compare32
    if op <= 0x8A:
        from wamr.compiler import int64

        if op <= 0x7B:
            return int64.count
        return int64.divide if op <= 0x82 else int64.rotate
    if op <= 0xA5:
        return _arithmetic(op)
    if op <= 0xB1 or op >= 0xFC00:
        from wamr.compiler import float_truncate

        to_i64 = op >= 0xFC04 or 0xAE <= op <= 0xB1
        return float_truncate.to_i64 if to_i64 else float_truncate.to_i32
    from wamr.compiler import float_convert

    if op == 0xB6:
        return float_convert.demote
    if op == 0xBB:
        return float_convert.promote
    if op in b"\xb4\xb5\xb9\xba":
        return float_convert.from_i64
    return float_convert.from_i32


def _arithmetic(op):
    wide = op >= 0x99
    k = op - (0x99 if wide else 0x8B)  # as in numeric.py
    if k == 6:
        from wamr.compiler import float_root

        return float_root.root64 if wide else float_root.root32
    if k < 6:
        from wamr.compiler import float_round

        return float_round.round64 if wide else float_round.round32
    if k > 10:
        from wamr.compiler import float_round

        return float_round.minmax
    if k > 8:
        from wamr.compiler import float32_product, float64_product

        product = float64_product if wide else float32_product
        return product.mul if k == 9 else product.div
    from wamr.compiler import float32, float64

    return float64.add if wide else float32.add
