"""The single pass over one function: machine code from validated wasm."""

from wamr.host import const
from wamr.compiler import calls, context, control, memory, numeric
from wamr.compiler.control import trap
from wamr.compiler.loops import Loops
from wamr.compiler.scan import Scan, local_types, next_leb
from wamr.compiler.values import assign

_KIND = const(3)
_CONST = const(3)
_WIDE = const(4)
_ZERO = const(3)  # the constant 0 as an operand

_EQ = const(0)
_NE = const(1)

# What compiles an instruction: a function of the state, the opcode and the position behind it,
# which returns where to go on. _BY_OPCODE has its number.
_COMPILERS = (
    None,
    control.unreachable,
    lambda f, op, pc: pc,  # nop
    control.block,
    control.loop,
    lambda f, op, pc: control.branch_else(f, _NE, f.stack.pop(), _ZERO, pc),  # 5: if
    control.else_,
    control.end,
    control.br,
    lambda f, op, pc: control.branch_if(f, _NE, f.stack.pop(), _ZERO, pc),
    control.br_table,  # A
    control.return_,
    calls.call,
    calls.call_indirect,
    calls.return_call,
    calls.return_call_indirect,  # F
    memory.drop,
    memory.select,
    memory.local_get,
    memory.local_set,
    memory.global_,  # 14
    memory.table,
    memory.load,
    memory.store,
    lambda f, op, pc: calls.operation(f, pc - 1, pc + 1, op - 0x3F, b"\x7f"),
    memory.constant,  # 19
    lambda f, op, pc: numeric.truth(f, _EQ, f.stack.pop(), _ZERO, pc),
    numeric.comparison,
    numeric.float_comparison,
    numeric.unary,
    numeric.binary,  # 1E
    numeric.divide,
    numeric.binary_wide,
    numeric.floating,
    numeric.convert,
    numeric.ref_null,  # 23
    lambda f, op, pc: calls.operation(f, pc - 1, next_leb(f.code, pc), 0, b"\x70"),  # ref.func
    numeric.prefixed,
)
_BY_OPCODE = (
    b"\x01\x02\x03\x04\x05\x06\x00\x00\x00\x00\x00\x07\x08\x09\x0a\x0b"  # 00
    b"\x0c\x0d\x0e\x0f\x00\x00\x00\x00\x00\x00\x10\x11\x11\x00\x00\x00"  # 10
    b"\x12\x13\x13\x14\x14\x15\x15\x00\x16\x16\x16\x16\x16\x16\x16\x16"  # 20
    b"\x16\x16\x16\x16\x16\x16\x17\x17\x17\x17\x17\x17\x17\x17\x17\x18"  # 30
    b"\x18\x19\x19\x19\x19\x1a\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b"  # 40
    b"\x1a\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1c\x1c\x1c\x1c\x1c"  # 50
    b"\x1c\x1c\x1c\x1c\x1c\x1c\x1c\x1d\x1d\x1d\x1e\x1e\x1e\x1f\x1f\x1f"  # 60
    b"\x1f\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1d\x1d\x1d\x20\x20\x20\x1f"  # 70
    b"\x1f\x1f\x1f\x20\x20\x20\x20\x20\x20\x20\x20\x21\x21\x21\x21\x21"  # 80
    b"\x21\x21\x21\x21\x21\x21\x21\x21\x21\x21\x21\x21\x21\x21\x21\x21"  # 90
    b"\x21\x21\x21\x21\x21\x21\x21\x22\x22\x22\x22\x22\x22\x22\x22\x22"  # A0
    b"\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22"  # B0
    b"\x22\x22\x22\x22\x22\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # C0
    b"\x23\x1a\x24\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # D0
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"  # E0
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x25"  # F0
)


# Of the registers for floats, 16 to 21 are for operands, these for locals.
_FLOAT_REGISTERS = b"\x16\x17\x18\x19\x1a\x1b\x1c\x1d"


# All attributes of a Function.
_ATTRIBUTES = (
    "program", "module", "asm", "code", "results", "start", "wide", "stack", "temps", "free",
    "place", "home", "cells", "owners", "all", "valid", "dirty", "written", "loops", "facts",
    "latest", "return_cell", "base", "frame_size", "frames", "live", "next",
    "offset", "outside", "exact", "traps", "fuel", "indirect", "about_outside", "about_exact",
)  # fmt: skip


class Function:
    """The function at hand: the state that the functions of this package work on.

    They are functions, and what they keep is in numbers, because on a board a method, an attribute
    of a class and every object cost more than the work they do.
    """

    # Made before the target is loaded, as it wants room in one piece.
    def __init__(self):
        put = setattr  # found faster as a local variable
        for name in _ATTRIBUTES:
            put(self, name, None)

    def work_on(self, program):
        self.program = program
        self.module = program.module
        self.asm = program.asm

    # The state at the start of a function; returns the types of its locals, and which need not be
    # zero. One object serves all of them: on a board its attributes would grow anew each time.
    def begin(self, index):
        program = self.program
        module = self.module
        asm = self.asm
        self.code = module.code
        self.results = module.funcs[index][1]
        body = 7 * (index - module.n_imported_funcs)
        self.start = module.bodies[body]
        types = local_types(module, index)
        scan = Scan(self.code, self.start, module.bodies[body + 6], len(types))
        wide = b"\x7e" in types or b"\x7c" in types
        self.wide = wide or scan.wide or scan.gets and program.wide
        asm.keep_limit = scan.memory
        asm.is_leaf = not scan.calls
        self.loops = None
        if scan.loops:
            self.loops = Loops(self.code, self.start, module.bodies[body + 6], len(types))

        # See values.py.
        self.stack = []
        n_temps, registers = asm.registers(self.wide)
        self.temps = (1 << n_temps) - 1
        self.free = self.temps | asm.FLOAT_TEMPS
        self.place = []
        self.home = []
        self.cells = []  # of the locals
        self.owners = []  # the locals that have registers
        self.all = self.valid = self.dirty = self.written = 0
        self.facts = {}  # see bounds.py
        self.latest = (-1,)
        float_registers = _FLOAT_REGISTERS if asm.FLOATS else b""
        self.return_cell = assign(self, scan, types, registers, float_registers)
        self.base = self.return_cell + 2  # of the operands
        operands = module.bodies[body + 4] - 4 - len(types)
        self.frame_size = self.base + (2 * operands if self.wide else operands)

        self.frames = []  # see control.py
        self.live = True
        self.next = 0  # where to go on, of functions that return something else
        self.offset = 0  # see memory.py
        # Cold code: labels there.
        self.outside = []  # accesses outside of the memory
        self.exact = []
        self.traps = []  # any others: label, number, pc
        self.fuel = []
        self.indirect = []
        self.about_outside = []  # for backtraces, beside them
        self.about_exact = []
        return types, scan.fresh

    def compile(self, index):
        types, fresh = self.begin(index)
        self._enter(len(self.module.funcs[index][0]), types, fresh)
        code = self.code
        pc = self.start
        push = self.stack.append
        home = self.home
        frames = self.frames
        compilers = _COMPILERS
        numbers = _BY_OPCODE
        control.open_block(self, 0x02, [], b"", self.results)
        while frames:
            op = code[pc]
            pc += 1
            if op == 0x20 and code[pc] < 128:
                push(home[code[pc]])
                pc += 1
            elif op == 0x41 and code[pc] < 128:
                value = code[pc]
                pc += 1
                push((value << 4 if value < 64 else value - 128 << 4) | _CONST)
            else:
                pc = compilers[numbers[op]](self, op, pc)
        self._cold()

    def _enter(self, n_params, types, fresh):
        asm = self.asm
        loops = self.loops
        pc = self.start
        asm.check_stack(self.frame_size, trap(self, context.STACK_EXHAUSTED, pc))
        asm.enter_function(self.return_cell)
        control.burn_fuel(self, pc)
        zero = 0  # whether register 0 is that
        for i in range(n_params, len(types)):
            d = self.place[i]
            if fresh[i] or loops and loops.fresh[i]:
                # It gets its first value later.
                if not d & _KIND:
                    self.home[i] = d
                    self.valid |= 1 << (d >> 4 & 0xFF)
            elif d & _KIND:
                if not zero:
                    asm.const(0, 0)
                    zero = 1
                asm.store_cell(0, self.cells[i])
                if d & _WIDE:
                    asm.store_cell(0, self.cells[i] + 1)
            else:
                (asm.const_wide if d & _WIDE else asm.const)(d >> 4, 0)
                self.home[i] = d
                bit = 1 << (d >> 4 & 0xFF)
                self.valid |= bit
                self.dirty |= bit
                self.written |= bit  # even if only here: its cell does not know

    # Code out of the way of what is executed often.
    def _cold(self):
        asm = self.asm
        stubs = self.program.stubs
        for back, found in self.indirect:
            calls.call_by_driver(self, back, found)
        # Out of fuel: leave; when resumed, go on.
        for out, back, top, pc in self.fuel:
            asm.bind(out)
            if asm.sites is not None:
                asm.about = pc, 0, None, None
            asm.const(0, 4 * top)
            asm.call_stub(stubs["suspend"])
            asm.jump_back(back)
        for n, note in enumerate(self.exact):
            if self.about_exact:
                asm.about = self.about_exact[n]
            asm.check_exact(note, stubs)
        asm.trap_exits(self.outside, stubs[context.OUTSIDE], self.about_outside)
        for label, number, pc in self.traps:
            if label:
                asm.bind(label)
                if asm.sites is not None:
                    asm.about = pc, 0, number, None
                asm.const(0, number)
                asm.call_stub(stubs[context.TRAP])
