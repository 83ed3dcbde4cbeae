"""Loops that call something: which locals they use, for a function that has such loops."""

from wamr.compiler.scan import leb, skip


class Loops:
    """A second walk over a function, which notes where each local is used and set.

    idle, constant: by loop, which is named by the position of its type, the locals that it does
    not use, and those that it uses but does not set
    fresh: by local, the loop that has it for itself and sets it first in each pass, or 0
    """

    def __init__(self, code, pc, end, n_locals):
        self.idle = {}
        self.constant = {}
        self.fresh = fresh = [0] * n_locals
        used = [0] * n_locals  # where last
        written = [0] * n_locals
        called = 0
        blocks = []  # that are open: the loop, or 0
        ends = {0: end}
        while pc < end:
            op = code[pc]
            pc += 1
            if 0x20 <= op <= 0x22:
                i = leb(code, pc)
                if op > 0x20:
                    written[i] = pc
                    if not used[i] and blocks:
                        fresh[i] = blocks[-1]
                used[i] = pc
            elif 0x10 <= op <= 0x13:
                called = pc
            elif 0x02 <= op <= 0x04:
                blocks.append(pc if op == 0x03 else 0)
            elif op == 0x0B and blocks:
                start = blocks.pop()
                if called > start > 0:
                    ends[start] = pc
                    self._note(start, used, written)
            pc = skip(code, pc, op)
        for i in range(n_locals):
            # (Of a loop that calls nothing it does not matter.)
            if used[i] > ends.get(fresh[i], 0):
                fresh[i] = 0

    # Of the locals that have registers, as sets: those that are not used in the loop at `start`;
    # those that are but keep their value; and those that it sets first.
    def registers(self, f, start):
        idle = constant = fresh = 0
        for i in f.owners:
            bit = 1 << (f.place[i] >> 4 & 0xFF)
            if i in self.idle[start]:
                idle |= bit
            elif i in self.constant[start]:
                constant |= bit
            elif self.fresh[i] == start:
                fresh |= bit
        return idle, constant, fresh

    def _note(self, start, used, written):
        self.idle[start] = idle = []
        self.constant[start] = constant = []
        for i in range(len(used)):
            if used[i] < start:
                idle.append(i)
            elif written[i] < start:
                constant.append(i)
