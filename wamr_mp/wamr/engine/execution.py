"""Execution: one call into wasm, which can be suspended and resumed; the driver of the engines."""

from ..host import const, is_coroutine
from ..wasm.errors import Trap
from ..wasm.externs import Native, to_values
from . import CALL, DONE, SUSPENDED

# Fuel of one slice when there is no limit: the largest small int of 32-bit boards.
_SLICE = const(0x3FFFFFFF)
# Fuel between two turns of the event loop in call_async.
_ASYNC_SLICE = const(2000)
# wasm calling Python calling wasm: every level is on the host's stack, which is small.
_MAX_DEPTH = const(8)
_MAX_BACKTRACE = const(24)

_depth = 0


class Execution:
    """A call of an exported function as data: step() runs it, for as long as you like.

    Made by Instance.start(name, *args). `done` tells whether it has returned, `result` what,
    `fuel_used` the fuel so far (one unit per function entry and per taken loop back-edge).
    """

    def __init__(self, function, args):
        instance = function.instance
        self.function = function
        self.root = instance  # whose limits count
        self.instance = instance  # whose code is running
        self.stack = args  # the cells; a list that grows up to the instance's limit
        self.sp = len(args)
        self.fp = 0
        self.pc = -1  # -1: return to the caller of this instance
        self.stp = 0
        self.cur = 0  # entry of module.bodies of the running function
        self.target = function.index - instance.module.n_imported_funcs  # function to enter first
        self.links = []  # calls between instances: (instance, pc, stp, fp, cur) of the callers
        self.callee = None
        self.fuel = 0  # left in this slice
        self.given = 0  # the part of it that is not accounted for yet
        self.debt = 0  # the unit of fuel at which it was suspended is paid on resuming
        self.fuel_used = 0
        self.pending = None  # coroutine of an async import that has to be awaited
        self.done = False
        self.failed = False

    @property
    def result(self):
        """The result: None, a number, or a tuple; None before it has returned."""
        return to_values(self.raw, self.function.type[1])

    @property
    def raw(self):
        """The results as unsigned bits."""
        return self.stack[: len(self.function.type[1])] if self.done else []

    def step(self, fuel=None):
        """Run until `fuel` units are used (None: no limit). True when the function has returned.

        False: suspended, call step() again to go on, at any time; or, if `pending` is set, an
        imported `async def` wants to be awaited first: resume(await execution.pending).
        Raises Trap ("out of fuel" when the instance has none left), Exit, and what imported
        functions raise. After an exception it is over.
        """
        global _depth
        if self.done or self.failed:
            raise RuntimeError("this execution is over, or running")
        if self.pending:
            raise RuntimeError("an async import is pending: resume(await execution.pending)")
        if _depth >= _MAX_DEPTH:
            raise Trap("call stack exhausted")
        _depth += 1
        self.failed = True  # unless it comes to one of the ends below
        try:
            while not self._slice(_SLICE if fuel is None else fuel):
                budget = self.root.fuel
                if budget is not None and budget <= 0 and not self.pending:
                    raise Trap("out of fuel")
                if fuel is not None or self.pending:
                    self.failed = False
                    return False
            self.failed = False
            self.done = True
            return True
        except (Trap, RuntimeError) as error:
            if isinstance(error, RuntimeError):
                # wasm calling Python calling wasm: the host's stack may end before _MAX_DEPTH.
                if "recursion" not in str(error):
                    raise
                error = Trap("call stack exhausted")
            if not error.backtrace:
                self._backtrace(error.backtrace)
            raise error
        finally:
            _depth -= 1

    # The driver loop: run, do what the engine asks for, run again.
    def _slice(self, fuel):
        if self.root.fuel is not None:
            fuel = min(fuel, self.root.fuel)
        if fuel < self.debt:
            return False
        self.given = fuel
        self.fuel = fuel - self.debt
        self.debt = 0
        try:
            while True:
                status = self.instance.engine.run(self, self.fuel)
                if status == DONE:
                    if not self.links:
                        return True
                    self.instance, self.pc, self.stp, self.fp, self.cur = self.links.pop()
                elif status == SUSPENDED:
                    self.fuel = 0
                    self.debt = 1
                    return False
                elif status == CALL and not self._call_out():
                    return False
        finally:
            self._settle()

    # Accounts for the fuel that was used, here and in the instance, which other calls share.
    def _settle(self):
        used = self.given - self.fuel
        self.given = self.fuel
        self.fuel_used += used
        if self.root.fuel is not None:
            self.root.fuel -= used

    # Calls what the code imported: a function of another instance, which runs on this same
    # stack, or a Python function. False: it is async and has to be awaited.
    def _call_out(self):
        callee = self.callee
        n = len(callee.type[0])
        if not isinstance(callee, Native):
            # After a tail call there may be nothing to come back to.
            if self.pc >= 0:
                self.links.append((self.instance, self.pc, self.stp, self.fp, self.cur))
            self.instance = callee.instance
            self.target = callee.index - callee.instance.module.n_imported_funcs
            self.pc = -1
            return True
        sp = self.sp
        self._settle()
        result = callee.call(self.instance, self.stack[sp - n : sp])
        if self.root.fuel is not None and self.root.fuel < self.fuel:
            # It called the instance, whose fuel is shared.
            self.given = self.fuel = self.root.fuel
        self.sp = sp - n
        if is_coroutine(result):
            self.pending = result
            return False
        self._push(result)
        return True

    def _push(self, cells):
        for cell in cells:
            if self.sp < len(self.stack):
                self.stack[self.sp] = cell
            else:
                self.stack.append(cell)
            self.sp += 1

    def resume(self, value):
        """Give the result of the awaited `pending` import; step() goes on.

        TypeError: it does not fit the import's type; another one can be given.
        """
        if not self.pending:
            raise RuntimeError("no async import is pending")
        self._push(self.callee.results(value))
        self.pending = None

    async def run_async(self):
        """Run to the end, letting the event loop have its turn; the result of the function."""
        import asyncio

        while not self.step(_ASYNC_SLICE):
            if self.pending:
                self.resume(await self.pending)
            else:
                await asyncio.sleep(0)
        return self.result

    # (function index, name, file offset) of each call, innermost first.
    def _backtrace(self, out):
        instance, pc, fp, cur = self.instance, self.pc, self.fp, self.cur
        links = len(self.links)
        while len(out) < _MAX_BACKTRACE:
            if pc < 0:
                if not links:
                    break
                links -= 1
                instance, pc, _, fp, cur = self.links[links]
                continue
            module = instance.module
            index = cur // 7 + module.n_imported_funcs
            out.append((index, module.function_name(index), module.code_base + pc))
            saved = fp + module.bodies[cur + 3]
            pc = self.stack[saved]
            fp = self.stack[saved + 2]
            cur = self.stack[saved + 3]
