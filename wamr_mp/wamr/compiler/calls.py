"""Calls, direct and through tables; tail calls; and what is left to the driver."""

from . import context
from .control import Control
from .values import CELL, REG, is_wide


class Calls(Control):
    # Everything into cells, as the callee or the driver wants it.
    def _prepare(self, n_args):
        for e in self.stack[len(self.stack) - n_args :]:
            self.flush(e)
        self.flush_all(True)
        self.save_locals()

    def _finish(self, n_args, results, in_register):
        del self.stack[len(self.stack) - n_args :]
        self.lose_locals()
        self._free_all()
        if in_register and len(results) == 1:
            self.push(REG, self.result_register(results[0]), results[0])
        else:
            for kind in results:
                self.push(CELL, 0, kind)

    def _call(self, op):
        pc = self.pc
        index = self._immediate()
        asm = self.asm
        stubs = self.program.stubs
        if op == 0x10:
            kind = self.module.funcs[index]
        else:
            kind = self.module.types[index]
            table = self._immediate()
            callee = self.pop()
        n = len(kind[0])
        if op == 0x11:
            r = self.use(callee)
        self._prepare(n)
        top = self.top_cell()
        start = self.stack[-n][3] if n else top
        asm.about = (self.pc, start, None, None)
        if op == 0x10:
            if index < self.module.n_imported_funcs:
                asm.leave(stubs[context.CALL], index, top)
                self._finish(n, kind[1], False)
            else:
                asm.call(self.program.functions[index], start)
                self._finish(n, kind[1], True)
            return
        slow = asm.label()
        back = asm.label()
        number = context.type_number(self.module, kind)
        asm.find_entry(r, table, number, self._trap(context.UNDEFINED_ELEMENT), slow)
        self.release(callee)
        asm.call_entry(start)
        asm.bind(back)
        self.cold.append(("indirect", slow, back, r, pc, top, start, kind[1]))
        self._finish(n, kind[1], True)

    # A call and a return in one: the arguments take the place of this frame. What only the driver
    # can call is called as usual, and its results returned.
    def _tail_call(self, op):
        pc = self.pc
        index = self._immediate()
        asm = self.asm
        if op == 0x12:
            kind = self.module.funcs[index]
            if index < self.module.n_imported_funcs:
                self.pc = pc
                self._call(0x10)
                self._return()
                return
        else:
            kind = self.module.types[index]
            table = self._immediate()
            callee = self.pop()
            r = self.use(callee)
        n = len(kind[0])
        self._prepare(n)
        top = self.top_cell()
        start = self.stack[-n][3] if n else top
        if op == 0x13:
            slow = asm.label()
            number = context.type_number(self.module, kind)
            asm.find_entry(r, table, number, self._trap(context.UNDEFINED_ELEMENT), slow)
            self.release(callee)
            self.cold.append(("indirect", slow, None, r, pc, top, start, kind[1]))
        asm.replace_frame(self.return_cell, start, top - start)
        if op == 0x12:
            asm.jump_far(self.program.functions[index])
        else:
            asm.jump_entry()
        self._die()

    # Cold: call_indirect of something that is no function of this instance, or not of that type.
    def _call_by_driver(self, job):
        asm = self.asm
        _, _, back, r, pc, top, start, results = job
        asm.about = (pc, 0, None, None)
        asm.store_cell(r, top, False)
        asm.leave(self.program.stubs[context.INDIRECT], pc, top)
        if back is None:
            if len(results) > 1:
                size = sum([2 if is_wide(kind) else 1 for kind in results])
                asm.leave_with(self.return_cell, start, size)
            else:
                if results:
                    asm.load_cell(self.result_register(results[0]), start, is_wide(results[0]))
                asm.leave_function(self.return_cell)
            return
        if len(results) == 1:
            asm.load_cell(self.result_register(results[0]), start, is_wide(results[0]))
        asm.jump(back)
        return
