"""The part of an assembler that does not depend on the instruction set: buffers and labels.

A position is counted in units of the instruction set from the start of the buffer at hand; an
offset in bytes from the start of the module's code.
"""

from wamr.compiler.machine import buffer


class Assembler:
    UNIT = 1  # bytes
    THUMB = 0  # what is added to an address to jump to it
    # Conversions that the target does: by opcode; of those, the ones that may trap; the saturating
    # ones, by the number behind the prefix.
    CONVERTS = b""
    TRUNCATES = b""
    SATURATES = b""
    STORES_CONSTANTS = True  # whether that is better done without a register of the compiler's
    TAKES_CELLS = False  # whether an instruction can have a cell for its second operand
    FLAGS = False  # whether a comparison sets flags, which moves, loads and stores leave alone
    SHIFTS = False  # whether an instruction can shift its second operand
    FLOATS = 0  # the types that have registers of their own, see values.py
    FLOAT_TEMPS = 0  # registers for operands of these, as a set
    LOADS_FLOATS = False  # whether these can be loaded from linear memory, and stored
    GUARD = 0  # bytes at the end of the cell stack that small frames may use unchecked

    # The methods called most, and what is asked for most. An instance has them itself, because a
    # board looks for a method class by class. (In firmware see firmware/flatten.py.)
    OFTEN = (
        "here", "bind", "site", "patch", "call_stub", "move", "const", "load_cell", "store_cell",
        "alu", "alu_const", "compare", "compare_const", "branch", "check", "load", "store",
        "FLOATS", "FLOAT_TEMPS", "SHIFTS", "STORES_CONSTANTS", "TAKES_CELLS", "WIDE",
    )  # fmt: skip

    def __init__(self):
        get = getattr  # found faster as local variables
        put = setattr
        for name in self.OFTEN:
            put(self, name, get(self, name))
        self.guaranteed = 0  # bytes that the memory has at least
        self.keep_limit = False  # whether the function at hand uses the memory
        self.is_leaf = False  # and whether it calls nothing
        self.far = False  # whether it is too large for short branches
        # Offset behind a call -> what is called there (`about`), if somebody wants to know.
        self.sites = None
        self.about = None
        self.open(0, buffer(0, self.UNIT))
        self.begin()

    # The code from this offset on goes to a buffer that is as large as may be needed: one that
    # grows bit by bit moves often.
    def open(self, base, code):
        self.base = base
        self.room = len(code)
        code[:] = code[:0]
        self.code = code

    # A function or routine starts.
    def begin(self):
        self.flags = -1  # position, and register that the flags compare with 0 there

    # What is called begins here.
    def align(self):
        pass

    # A routine is entered here; returns the offset.
    def routine(self):
        return self.base + self.here() * self.UNIT

    # A routine leaves here by the trap stub, with its caller's address where it was; returns the
    # place of the jump.
    def trap_routine(self, stub):
        return self.jump_far(stub)

    def here(self):
        return len(self.code)

    # A label for branches forward is the list of their places, until it is bound. (A branch back
    # goes to a position.)
    def bind(self, label):
        self.flags = -1
        while label:
            self.patch(label.pop(), len(self.code))

    # Cold code: where the accesses that are outside of the memory trap, each by a call of its own.
    def trap_exits(self, places, stub, about):
        for i in range(len(places)):
            if self.sites is not None:
                self.about = about[i]
            self.patch(places[i], len(self.code))
            self.call_stub(stub)

    # Behind every call: of functions, and of the stubs that leave. From here a backtrace finds its
    # way.
    def site(self):
        if self.sites is not None:
            self.sites[self.base + self.here() * self.UNIT] = self.about
