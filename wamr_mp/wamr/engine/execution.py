"""Execution: one call into wasm, which can be suspended and resumed; the driver of the engines."""

from wamr.host import const, is_coroutine
from wamr.wasm.errors import Trap
from wamr.wasm.externs import Native, to_values
from wamr.engine import CALL, DONE, SUSPENDED

# Fuel of one slice at most: machine code does not notice Ctrl-C, the driver does.
MAX_FUEL = const(0xFFFFF)
# wasm calling Python calling wasm: every level is on the host's stack, which is small.
_MAX_DEPTH = const(8)
_MAX_BACKTRACE = const(24)

# How many executions are running, each called by an import of the one before.
running = [0]


def refuse(coroutine):
    """For calls that cannot wait for what an async import returned."""
    coroutine.close()
    raise RuntimeError("an imported function is async: use call_async()")


class Execution:
    """A call of an exported function as data: step() runs it, for as long as you like.

    Made by Instance.start(name, *args). `done` tells whether it has returned, `result` what,
    `fuel_used` the fuel so far (one unit per function entry and per taken loop back-edge).
    """

    done = False
    failed = False
    fair = False  # others wait for their turn: slices are to be short in time, too
    fuel = 0  # left in this slice
    given = 0  # the part of it that is not accounted for yet
    debt = 0  # the unit of fuel at which it was suspended is paid on resuming
    fuel_used = 0
    pending = None  # coroutine of an async import that has to be awaited
    raw = ()  # the results as unsigned bits, once it is done

    def __init__(self, function, args):
        self.function = function
        self.root = root = function.instance  # whose limits count
        # The innermost call between instances comes last; each has a stack of its own.
        self.calls = [root.engine.Activation(function, args, root.stack_cells)]

    @property
    def result(self):
        """The result: None, a number, or a tuple; None before it has returned."""
        return to_values(self.raw, self.function.type[1])

    def step(self, fuel=None):
        """Run for `fuel` units at most (None: to the end). True when the function has returned.

        False: suspended, call step() again to go on, at any time; or, if `pending` is set, an
        imported `async def` wants to be awaited first: resume(await execution.pending).
        Raises Trap ("out of fuel" when the instance has none left), Exit, and what imported
        functions raise. After an exception it is over.
        """
        if self.done or self.failed:
            raise RuntimeError("this execution is over, or running")
        if self.pending:
            raise RuntimeError("an async import is pending: resume(await execution.pending)")
        if running[0] >= _MAX_DEPTH:
            raise Trap("call stack exhausted")
        running[0] += 1
        self.failed = True  # unless it comes to one of the ends below
        try:
            while not self._slice(MAX_FUEL if fuel is None else fuel):
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
                error.backtrace = trace = []
                try:
                    for call in reversed(self.calls):
                        call.trace(trace, _MAX_BACKTRACE)
                except MemoryError:
                    pass  # as much of it as there is memory for: the trap says more
            raise error
        finally:
            running[0] -= 1
            if self.failed:
                self.close()

    def close(self):
        """End it, wherever it is: its stack goes to the next call."""
        self.failed = not self.done
        for call in reversed(self.calls):
            call.give_back()

    def to_end(self):
        """Run to the end; the results as unsigned bits."""
        if not self.step():
            self.close()
            refuse(self.pending)
        return self.raw

    # The driver loop: run, do what the engine asks for, run again.
    def _slice(self, fuel):
        budget = self.root.fuel
        if budget is not None and budget < fuel:
            fuel = budget
        if fuel > MAX_FUEL:
            fuel = MAX_FUEL
        if fuel < self.debt:
            return False
        self.given = fuel
        self.fuel = fuel - self.debt
        self.debt = 0
        try:
            while True:
                call = self.calls[-1]
                try:
                    status = call.run(self.fuel)
                finally:
                    self.fuel = call.fuel
                if status == DONE:
                    results = call.results()
                    if len(self.calls) == 1:
                        self.raw = results
                        return True
                    self.calls.pop()
                    self.calls[-1].push(results)
                elif status == SUSPENDED:
                    self.fuel = 0
                    self.debt = 1
                    return False
                elif status == CALL:
                    if not self._call_out():
                        return False
                else:  # AGAIN
                    self._settle()
                    self._shorten()
        finally:
            self._settle()

    # Accounts for the fuel that was used, here and in the instance, which other calls share.
    def _settle(self):
        used = self.given - self.fuel
        self.given = self.fuel
        self.fuel_used += used
        if self.root.fuel is not None:
            self.root.fuel -= used

    # Calls what the code imported: a function of another instance, or a Python function. False: it
    # is async and has to be awaited.
    def _call_out(self):
        call = self.calls[-1]
        callee = call.callee
        args = call.take_arguments()
        if not isinstance(callee, Native):
            below = call.below
            # After a tail call there may be nothing to come back to.
            if call.is_over():
                self.calls.pop()
            else:
                below += call.cells_used()
            # A new call on top of those that use `below` cells.
            engine = callee.instance.engine
            new = engine.Activation(callee, args, self.root.stack_cells - below)
            new.below = below
            self.calls.append(new)
            return True
        self._settle()
        result = callee.call(call.instance, args)
        if self.root.fuel is not None and self.root.fuel < self.fuel:
            # It called the instance, whose fuel is shared.
            self.given = self.fuel = self.root.fuel
        self._shorten()
        if is_coroutine(result):
            self.pending = result
            return False
        call.push(result)
        return True

    # Python takes its time: a slice ends after a hundred calls. They use no fuel.
    def _shorten(self):
        if self.fair:
            self.given = self.fuel = max(self.fuel - self.root.engine.SLICE // 100, 0)

    def resume(self, value):
        """Give the result of the awaited `pending` import; step() goes on.

        TypeError: it does not fit the import's type; another one can be given.
        """
        if not self.pending:
            raise RuntimeError("no async import is pending")
        self.calls[-1].push(self.calls[-1].callee.results(value))
        self.pending = None

    async def run_async(self):
        """Run to the end, letting the event loop have its turn; the result of the function."""
        import asyncio

        self.fair = True
        try:
            while not self.step(self.root.engine.SLICE):
                if self.pending:
                    self.resume(await self.pending)
                else:
                    await asyncio.sleep(0)
            return self.result
        finally:
            self.close()
