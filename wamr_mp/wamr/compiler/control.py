"""Structured control: blocks, branches, and how the values agree where paths meet."""

from ..host import const
from . import context
from .scan import leb, next_leb, skip
from .values import CELL, CONST, REG, Values, is_wide

# Fields of a control frame.
_OP = const(0)
_LABEL = const(1)  # the end of a block, the back-edge of a loop
_ELSE = const(2)
_HEIGHT = const(3)  # operands below the block, parameters not counted
_PARAMS = const(4)
_RESULTS = const(5)
_WANTED = const(6)  # locals in registers where the label is; None: nothing goes there yet
_STATE = const(7)  # of `if`, for its else: valid and dirty locals

# Each condition beside its opposite, and beside the one for swapped operands.
_OPPOSITES = ("eq", "ne", "lt_s", "ge_s", "gt_s", "le_s", "lt_u", "ge_u", "gt_u", "le_u")
_MIRRORED = ("lt_s", "gt_s", "le_s", "ge_s", "lt_u", "gt_u", "le_u", "ge_u")


def inverse(condition):
    return _OPPOSITES[_OPPOSITES.index(condition) ^ 1]


def swapped(condition):
    if condition in _MIRRORED:
        return _MIRRORED[_MIRRORED.index(condition) ^ 1]
    return condition


class Control(Values):
    def _open(self, op, params, results):
        height = len(self.stack) - len(params)
        self.frames.append([op, self.asm.label(), None, height, params, results, None, None])

    def _block_type(self):
        byte = self.code[self.pc]
        if byte & 0xC0 == 0x40:
            self.pc += 1
            return b"", b"" if byte == 0x40 else bytes((byte,))
        index = leb(self.code, self.pc)
        self.pc = next_leb(self.code, self.pc)
        return self.module.types[index]

    # Code that cannot be reached makes nothing; only the nesting is followed.
    def _skip_dead(self, op):
        self.pc = skip(self.code, self.pc, op)
        if 0x02 <= op <= 0x04:
            self.frames.append([-1, None, None, len(self.stack), b"", b"", None, None])

    def _control(self, op):
        if op == 0x02 or op == 0x03:
            self._block(op)
        elif op == 0x04:
            self._if("ne", self.pop(), None)
        elif op == 0x0C:
            self._branch(self.frames[-1 - self._immediate()])
        elif op == 0x0D:
            self._branch_if("ne", self.pop(), None)
        elif op == 0x0E:
            self._branch_table()
        elif op == 0x0F:
            self._return()
        elif op == 0x10 or op == 0x11:
            self._call(op)
        elif op == 0x12 or op == 0x13:
            self._tail_call(op)
        elif op == 0x00:
            self.asm.jump(self._trap(context.UNREACHABLE))
            self._die()

    def _immediate(self):
        value = leb(self.code, self.pc)
        self.pc = next_leb(self.code, self.pc)
        return value

    def _die(self):
        self.live = False

    def _block(self, op):
        params, results = self._block_type()
        for e in self.stack[len(self.stack) - len(params) :]:
            self.flush(e)
        self.flush_all()
        if op == 0x02:
            self._open(op, params, results)
            return
        # A loop starts with all its locals in registers; the way back passes by the fuel.
        asm = self.asm
        self.agree(self.owner)
        self.meet(self.owner)
        start = asm.label()
        out = asm.label()
        self._open(op, params, results)
        frame = self.frames[-1]
        frame[_WANTED] = self.owner
        asm.jump(start)
        asm.bind(frame[_LABEL])
        asm.burn_fuel(out)
        asm.bind(start)
        self.cold.append(("fuel", out, start, self.owner, self.pc))

    # Makes the operands and locals what they have to be where `frame`'s label is. One result goes
    # to register 0, several and those of a loop to their cells.
    def _settle(self, frame):
        loop = frame[_OP] == 0x03
        kinds = frame[_PARAMS] if loop else frame[_RESULTS]
        n = len(kinds)
        if n == 1 and not loop:
            self._to_result(self.stack[-1])
        elif n:
            for e in self.stack[-n:]:
                self.flush(e)
            source = self.stack[-n][3]
            height = frame[_HEIGHT]
            target = self.stack[height][3] if height < len(self.stack) else self.top_cell()
            cells = self.top_cell() - source
            if target != source:
                self.asm.copy_cells(target, source, cells)
        if frame[_WANTED] is None:
            frame[_WANTED] = self.in_registers()
        else:
            self.agree(frame[_WANTED])

    # Puts the one result where the label, or the caller, wants it. What else is in registers is
    # not needed any more.
    def _to_result(self, e):
        d = self.result_register(e[2])
        wide = is_wide(e[2])
        if e[0] == REG and e[1] == d:
            return
        if e[0] == CONST:
            self.asm.const(d, e[1], wide)
        elif self.memory_cell(e) >= 0:
            self.asm.load_cell(d, self.memory_cell(e), wide)
        else:
            self.asm.move(d, self.use(e))
        e[0] = REG
        e[1] = d

    def _branch(self, frame):
        if frame is self.frames[0]:
            self._return()
            return
        self._settle(frame)
        self.asm.jump(frame[_LABEL])
        self._die()

    # Branches if a compares so with b (None: with zero).
    def _branch_if(self, condition, a, b):
        frame = self.frames[-1 - self._immediate()]
        kinds = frame[_PARAMS] if frame[_OP] == 0x03 else frame[_RESULTS]
        if frame is not self.frames[0] and not kinds:
            # Nothing but locals to agree on, which can be done before the comparison.
            if frame[_WANTED] is None:
                frame[_WANTED] = self.in_registers()
            else:
                self.agree(frame[_WANTED])
            condition = self._compare(condition, a, b)
            self.asm.branch(condition, frame[_LABEL])
            return
        over = self.asm.label()
        self.flush_all(True)
        condition = self._compare(condition, a, b)
        self.asm.branch(inverse(condition), over)
        state = self._snapshot()
        stack = [list(x) for x in self.stack]
        self._branch(frame)
        self.asm.bind(over)
        self.stack = stack
        self.live = True
        self._restore(state)
        self._free_all()

    # Sets the flags; returns the condition, which changes when the operands are better swapped.
    # Nothing may stand between this and what uses the flags but moves.
    def _compare(self, condition, a, b):
        wide = is_wide(a[2])
        if b is not None and a[0] == CONST and b[0] != CONST:
            a, b = b, a
            condition = swapped(condition)
        if wide and not self.asm.WIDE:
            # Pairs are compared with pairs, or with zero for equality.
            zero = b is None or b[0] == CONST and not b[1]
            if zero and condition in ("eq", "ne"):
                b = None
            else:
                self.use(b)
        r = self.use(a)
        if b is None:
            condition = self.asm.compare_const(condition, r, 0, wide)
        elif b[0] == CONST:
            condition = self.asm.compare_const(condition, r, b[1], wide)
        elif self.asm.takes_cell("cmp") and self.memory_cell(b) >= 0:
            self.asm.compare_cell(r, self.memory_cell(b), wide)
        else:
            condition = self.asm.compare(condition, r, self.use(b), wide)
            self.release(b)
        self.release(a)
        return condition

    def _snapshot(self):
        return list(self.valid), list(self.dirty), dict(self.checked)

    def _restore(self, state):
        self.valid = list(state[0])
        self.dirty = list(state[1])
        self.checked = dict(state[2])

    def _free_all(self):
        for r in range(len(self.busy)):
            self.busy[r] = False
        for e in self.stack:
            if e[0] == REG and self.is_temp(e[1]):
                self._mark(e[1], True)

    def _if(self, condition, a, b):
        params, results = self._block_type()
        for x in self.stack[len(self.stack) - len(params) :]:
            self.flush(x)
        self.flush_all()
        self._open(0x04, params, results)
        frame = self.frames[-1]
        frame[_ELSE] = self.asm.label()
        condition = self._compare(condition, a, b)
        frame[_STATE] = self._snapshot()
        self.asm.branch(inverse(condition), frame[_ELSE])

    def _else(self):
        frame = self.frames[-1]
        if frame[_OP] < 0:
            return
        if self.live:
            self._settle(frame)
            self.asm.jump(frame[_LABEL])
        self._start_else(frame)
        frame[_ELSE] = None

    # The state at the branch of `if`, with the parameters in their cells.
    def _start_else(self, frame):
        self.asm.bind(frame[_ELSE])
        del self.stack[frame[_HEIGHT] :]
        for kind in frame[_PARAMS]:
            self.push(CELL, 0, kind)
        self._free_all()
        self._restore(frame[_STATE])
        self.live = True

    def _end(self):
        frame = self.frames[-1]
        if frame[_OP] < 0:
            self.frames.pop()
            return
        if len(self.frames) == 1:
            if self.live:
                self._return()
            self.frames.pop()
            return
        if frame[_ELSE] is not None:
            # No else: a false condition comes to the end with the parameters as results.
            if self.live:
                self._settle(frame)
                if frame[_RESULTS]:
                    self.asm.jump(frame[_LABEL])
            if frame[_RESULTS]:
                self._start_else(frame)
                self._settle(frame)
            else:
                self._false_path(frame)
        elif self.live and frame[_WANTED] is not None and frame[_OP] != 0x03:
            self._settle(frame)
        self.frames.pop()
        if frame[_OP] == 0x03:
            return
        if frame[_WANTED] is None:
            # Nobody branches here: as it was, or dead.
            return
        self.asm.bind(frame[_LABEL])
        self.live = True
        del self.stack[frame[_HEIGHT] :]
        self._free_all()
        self.meet(frame[_WANTED])
        kinds = frame[_RESULTS]
        if len(kinds) == 1:
            self.push(REG, self.result_register(kinds[0]), kinds[0])
        else:
            for kind in kinds:
                self.push(CELL, 0, kind)

    # The edge from a false `if` without else or results to its end.
    def _false_path(self, frame):
        valid, dirty, _ = frame[_STATE]
        now = self._snapshot()
        live = self.live
        self.valid = list(valid)
        self.dirty = list(dirty)
        if frame[_WANTED] is None:
            frame[_WANTED] = self.in_registers()
        if self.agrees(frame[_WANTED]):
            self.asm.bind(frame[_ELSE])
        else:
            if live:
                self.asm.jump(frame[_LABEL])
            self.asm.bind(frame[_ELSE])
            self.agree(frame[_WANTED])
        self._restore(now)

    def _branch_table(self):
        asm = self.asm
        n = self._immediate()
        depths = []
        for _ in range(n + 1):
            depths.append(self._immediate())
        e = self.pop()
        self.flush_all(True)
        index = self.use(e)
        state = self._snapshot()
        stack = [list(x) for x in self.stack]
        # An edge of its own for each label, because what it needs may differ.
        edges = {}
        labels = []
        for depth in depths:
            if depth not in edges:
                edges[depth] = asm.label()
            labels.append(edges[depth])
        asm.jump_table(index, labels)
        self.release(e)
        for depth in sorted(edges):
            asm.bind(edges[depth])
            self.stack = [list(x) for x in stack]
            self._free_all()
            self._restore(state)
            self._branch(self.frames[-1 - depth])
        self._die()

    def _return(self):
        results = self.frames[0][_RESULTS]
        n = len(results)
        if n == 1:
            self._to_result(self.stack[-1])
        if n > 1:
            for e in self.stack[-n:]:
                self.flush(e)
            source = self.stack[-n][3]
            self.asm.leave_with(self.return_cell, source, self.top_cell() - source)
        else:
            self.asm.leave_function(self.return_cell)
        self._die()
