"""The native engine: enters machine code made by the compiler, and does what it asks for."""

from wamr.compiler import context
from wamr.host import address_of, array, const, struct
from wamr.wasm.errors import Trap
from wamr.wasm.externs import OUT_OF_BOUNDS, from_bits, to_bits, to_values
from wamr.engine import AGAIN, CALL, DONE, SUSPENDED, cells
from wamr.engine.execution import MAX_FUEL, Execution, running

SLICE = const(20000)
# Cells of a stack at least: more than what functions may use unchecked (Assembler.GUARD), and what
# 255 parameters or results take, which are there before any check.
_MIN_STACK = const(512)

# The context as the driver sees it, in items of 8 bytes; see compiler/context.py.
_RESUME = const(0)
_FRAME = const(1)
_STACK_END = const(2)
_MEMORY = const(3)
_FUEL = const(5)  # and, in the upper half, STATUS
_ARGS = const(6)  # ARG0, ARG1
_TRAP_SITE = const(7)
_REGISTERS = const(11)


def attach(instance):
    """Compile the module of a new instance, unless that was done, and set up its context."""
    instance.native = Native(instance)
    _make_spare(instance.native.stack_cells)  # now rather than in the middle of something


# What an instance needs to run machine code: its context, kept in step with its memory, globals
# and tables.
class Native:
    def __init__(self, instance):
        module = instance.module
        self.instance = instance
        self.code = load(module)
        self.wide = self.code.wide
        self.context = array("Q", bytes(context.size(module)))
        self.address = address_of(self.context)
        self.enter_code = self.code.enter
        self.shifted = self.address >> 2
        self.context[context.BASE // 8] = self.code.base
        self.guard = self.code.guard
        self.stack_cells = max(instance.stack_cells, _MIN_STACK)
        self.stack_bytes = self.stack_cells * 4 - self.guard
        # How a function is entered: with one result, and with none or several.
        self.start_result = self.code.start(1)
        self.start = self.code.start(0)
        self.memory = instance.memory
        self.buf = None  # that of the memory, as the context has it
        if self.memory is not None:
            self._link_memory()
        self.tables = instance.tables
        self.shadows = [None] * len(self.tables)
        self.versions = [-1] * len(self.tables)
        self._link_globals()
        # Where the functions are: type number and address of each. Imported ones have none.
        self.functions = context.functions_at(module) // 8
        for index in range(module.n_imported_funcs, len(module.funcs)):
            at = self.functions + 2 * index
            self.context[at] = context.type_number(module, module.funcs[index])
            self.context[at + 1] = self.code.address(index)
        for index in range(module.n_imported_funcs):
            self.context[self.functions + 2 * index] = 0xFFFFFFFF
        self.context[self.functions + 2 * len(module.funcs)] = 0xFFFFFFFF

    # Where to start a function, and its address; 0 for one that was imported.
    def find(self, function):
        function.start = self.start_result if len(function.type[1]) == 1 else self.start
        function.entry = self.context[self.functions + 2 * function.index + 1]

    # Own numeric globals live in the context; imported ones are reached through their address.
    def _link_globals(self):
        module = self.instance.module
        variables = self.instance.globals
        at = context.globals_at(module)
        view = memoryview(self.context)
        for i, (kind, _) in enumerate(module.globals):
            if kind < 0x7C:
                continue
            if i < module.n_imported_globals:
                self.context[at // 8 + i] = address_of(variables[i])
            else:
                cell = view[at // 8 + i : at // 8 + i + 1]
                cell[0] = variables[i][0]
                self.instance.replace_global(i, cell)

    # Calls a function of this instance whose arguments are in the spare stack. See enter(); if the
    # function has returned, its fuel is accounted for.
    def begin(self, function):
        shared = self.context
        fuel = self.instance.fuel
        if fuel is None or fuel > MAX_FUEL:
            fuel = MAX_FUEL
        shared[_RESUME] = function.start
        shared[_FRAME] = _spare[1]
        shared[_STACK_END] = _spare[1] + self.stack_bytes
        shared[_FUEL] = fuel
        shared[_TRAP_SITE] = function.entry
        state = self.enter()
        if self.instance.fuel is not None and not state >> 32:
            self.instance.fuel -= fuel - state
        return state

    # Runs with what was put into the context, until the code leaves; returns the fuel that is left
    # and, above its 32 bits, the status.
    def enter(self):
        # The memory may have been replaced, and tables changed, since the code last ran.
        if self.memory is not None and self.memory.buf is not self.buf:
            self._link_memory()
        if self.tables:
            self._link_tables()
        self.enter_code(self.shifted)
        return self.context[_FUEL]

    def _link_tables(self):
        i = 0
        for table in self.tables:
            if table.version != self.versions[i]:
                self._shadow(i, table)
            i += 1

    def _link_memory(self):
        size = len(self.memory.buf)
        if size < self.context[_MEMORY + 1]:
            # Given back by close(): and the code relies on what was there.
            raise Trap(OUT_OF_BOUNDS)
        self.buf = self.memory.buf
        self.context[_MEMORY] = address_of(self.buf) if size else 0
        self.context[_MEMORY + 1] = size
        struct.pack_into("<I", self.context, context.LIMIT, max(size - 3, 0) & 0xFFFFFFFF)

    def _shadow(self, i, table):
        at = 8 * self.functions
        if not self.wide:
            at += self.address
        other = at + 16 * len(self.instance.module.funcs)
        shadow = array("I")
        for ref in table.elems:
            own = ref is not None and getattr(ref, "instance", None) is self.instance
            shadow.append(at + 16 * ref.index if own else other)
        self.shadows[i] = shadow
        self.versions[i] = table.version
        at = context.TABLES // 8 + 2 * i
        self.context[at] = address_of(shadow) if len(shadow) else 0
        self.context[at + 1] = len(shadow)


# The cell stack that was last given back, with its address, and the references in it: for the next
# call that it is enough for. So calls share one, but for those that are suspended or call each
# other.
_spare = [None, 0, {}]


def _make_spare(n_cells):
    if _spare[0] is None or len(_spare[0]) < n_cells:
        # Piece by piece, as no second buffer of this size may fit for a moment.
        piece = array("I", bytes(1024))
        _spare[0] = None
        stack = array("I")
        while len(stack) < n_cells:
            stack.extend(piece)
        _spare[1] = address_of(stack)
        _spare[0] = stack


# Exchanges that stack for another one: before and after what may call in the middle of a call.
def exchange(stack):
    kept = _spare[:]
    _spare[:] = stack
    return kept


# Whether a function can be begun with what is at hand: it is none that was imported, no other call
# is under way, and there is fuel.
def _is_ready(function):
    native = function.instance.native
    if not function.entry:
        native.find(function)
    if _spare[0] is None or len(_spare[0]) < native.stack_cells:
        _make_spare(native.stack_cells)
    return function.entry and not running[0] and (native.instance.fuel or 0) >= 0


# (A function of more than 11 variables and temporary values makes MicroPython allocate memory when
# it is called. So those on this way are short.)
def call(function, args):
    """Run a function to its end: cells in, cells out.

    As long as it does not leave the code, that is all there is to do. What has to be kept when it
    does is made only then.
    """
    if not _is_ready(function):
        return Execution(function, args).to_end()
    refs = _spare[2]
    cells.put(_spare[0], 0, args, function.type[0], refs)
    state = function.instance.native.begin(function)
    if state >> 32:
        return _go_on(function, state)
    values = cells.get(_spare[0], 0, function.type[1], refs)
    refs.clear()
    return values


def _go_on(function, state):
    execution = Execution(function, ())
    execution.calls[0].state = state
    return execution.to_end()


def invoke(function, args):
    """Call a function with Python's values: if all are i32, without making lists of them."""
    if function.n_simple != len(args) or not _is_ready(function):
        args = function.args_to_bits(args)
        return to_values(call(function, args), function.type[1])
    stack = _spare[0]
    i = 0
    while i < len(args):
        value = args[i]
        stack[i] = value & 0xFFFFFFFF if isinstance(value, int) else to_bits(value, 0x7F)
        i += 1
    state = function.instance.native.begin(function)
    if state >> 32:
        return to_values(_go_on(function, state), function.type[1])
    if function.type[1]:
        return from_bits(stack[0], 0x7F)


# One call into machine code.
class Activation:
    below = 0  # cells that calls outside of this instance have in use
    state = None  # what Native.enter returned, while that is still to be looked at
    status = None  # how it was left
    callee = None  # the function that is to be called
    top = 0  # index behind its arguments
    fuel = 0

    def __init__(self, function, args, limit):
        self.function = function
        self.instance = instance = function.instance
        self.native = native = instance.native
        limit = max(limit, _MIN_STACK)
        _make_spare(limit)
        self.cells, self.address, self.refs = _spare
        _spare[0] = None
        _spare[2] = {}
        self.end = self.address + limit * 4 - native.guard
        cells.put(self.cells, 0, args, function.type[0], self.refs)
        self.frame = self.address  # of the running function
        native.find(function)
        self.resume = function.start
        self.entry = function.entry

    def run(self, fuel):
        native = self.native
        if not self.entry:
            # An imported function that is exported: called, and done.
            self.fuel = fuel
            if self.callee:
                return DONE
            self.callee = self.instance.funcs[self.function.index]
            self.top = cells.count(self.function.type[0])
            return CALL
        shared = native.context
        state = self.state
        self.state = None
        while True:
            if state is None:
                shared[_RESUME] = self.resume
                shared[_FRAME] = self.frame
                shared[_STACK_END] = self.end
                shared[_FUEL] = fuel
                shared[_TRAP_SITE] = self.entry
                state = native.enter()
            status = state >> 32
            self.fuel = fuel = state & 0xFFFFFFFF
            state = None
            self.status = status
            if status == context.DONE:
                return DONE
            self.resume = shared[_RESUME]
            self.frame = shared[_FRAME]
            if status == context.SUSPENDED:
                self.fuel = 0  # it went below
                return SUSPENDED
            if status >= context.OUTSIDE:
                self._trap(status)
                continue
            arg = shared[_ARGS]
            top = (self.frame - self.address) // 4 + (arg >> 32)
            arg &= 0xFFFFFFFF
            if status == context.OPERATION:
                from wamr.engine.operations import operate

                operate(self.instance, arg, self.cells, top, self.refs)
                return AGAIN
            self.top = top
            self.callee = self._callee(status, arg)
            return CALL

    def _trap(self, status):
        self.resume = self.native.context[_TRAP_SITE]
        if status == context.TRAP:
            raise Trap(context.TRAPS[self.native.context[_REGISTERS] & 0xFFFFFFFF])
        memory = self.instance.memory
        if not (memory.shrunk and memory.whole()):
            raise Trap(OUT_OF_BOUNDS)
        # The memory was cut to less than its pages, and is whole now: once more.
        code = self.native.code
        try:
            self.entry = code.site(self.resume)[4]
        finally:
            code.forget_sites()
        self.resume = code.again()

    def _callee(self, status, arg):
        instance = self.instance
        if status == context.CALL:
            return instance.funcs[arg]
        from wamr.wasm.module import leb, next_leb

        code = instance.module.code
        kind = instance.module.types[leb(code, arg)]
        i = self.cells[self.top]
        callee = instance.tables[leb(code, next_leb(code, arg))].elems[i]
        if callee is None:
            raise Trap("uninitialized element %d" % i)
        if callee.type != kind:
            raise Trap("indirect call type mismatch")
        return callee

    def take_arguments(self):
        self.top -= cells.count(self.callee.type[0])
        return cells.get(self.cells, self.top, self.callee.type[0], self.refs)

    # The results of the callee.
    def push(self, values):
        cells.put(self.cells, self.top, values, self.callee.type[1], self.refs)

    # The results, after which the call is over.
    def results(self):
        values = cells.get(self.cells, 0, self.function.type[1], self.refs)
        self.give_back()
        return values

    # The stack, to the next call: where memory is in pieces, another one may not be had.
    # (Once: by then another call may have it.)
    def give_back(self):
        if self.cells:
            _spare[0] = self.cells
            _spare[1] = self.address
            self.cells = None

    def is_over(self):
        return False

    def cells_used(self):
        return self.top

    def _pointer(self, at):
        return self.cells[at] | (self.cells[at + 1] << 32 if self.native.wide else 0)

    # Appends (function index, name, file offset) of each call, innermost first, up to n in all:
    # the last thing that is done with a call that trapped.
    def trace(self, out, n):
        try:
            self._trace(out, n)
        finally:
            self.native.code.forget_sites()

    def _trace(self, out, n):
        module = self.instance.module
        address = self.resume
        frame = (self.frame - self.address) // 4
        inner = len(out)  # calls of other instances that this one led to
        if self.status == context.SUSPENDED:
            # In the stub that saved registers above the frame: the first of them says how far.
            address = self._pointer(frame)
            frame -= self.cells[frame + 2] // 4
        while len(out) < n:
            about = self.native.code.site(address)
            if about is None:
                break
            index, pc, size, number, _, layout = about
            frame -= size if len(out) > inner else 0
            out.append((index, module.function_name(index), module.code_base + pc))
            if number == context.STACK_EXHAUSTED:
                break  # it had no frame yet, and so no return address
            address = self._pointer(frame + layout)


# Compiled once for a module, whatever the number of its instances. find: it may have been kept.
def load(module, find=True):
    if module.native is None and find:
        from wamr.compiler import find_code

        module.native = find_code(module)
    if module.native is None:
        from wamr.compiler.build import Build

        build = Build(module)
        try:
            while build.step():
                pass
        except BaseException:
            build.close()
            raise
    return module.native
