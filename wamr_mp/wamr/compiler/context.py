"""The execution context: one buffer that machine code and the driver share.

Byte offsets. A pointer takes 8 bytes on every target, of which a 32-bit target uses the first
four.
"""

RESUME = 0  # pointer: where to go on
FRAME = 8  # pointer: the running function's frame in the cell stack
STACK_END = 16  # pointer: behind the last cell a frame may use
MEMORY = 24  # pointer: linear memory
MEMORY_SIZE = 32  # 8 bytes
FUEL = 40  # signed, 4 bytes: below zero when it has run out
STATUS = 44
ARG0 = 48
ARG1 = 52
TRAP_SITE = 56  # pointer: behind the trap stub's call; at the start, the function
HOST_STACK = 64  # pointer: the C stack, to leave with
LIMIT = 72  # what addresses of 4 bytes are below: 3 less than the memory's bytes, or 0
BASE = 80  # pointer: where the code was loaded, told by the code itself
REGISTERS = 88  # 72 bytes: what the compiler's registers held at an access, to try again
FLOAT_REGISTERS = 160  # 112 bytes: the same for those of floats
TABLES = 272  # per table: pointer to its words, length in 8 bytes

# STATUS, when native code returns to the driver.
DONE = 0
SUSPENDED = 1
CALL = 2  # ARG0: function index; ARG1: cells of the frame in use
INDIRECT = (
    3  # call_indirect of something else than a function of this instance; ARG0: pc, ARG1: cells
)
OPERATION = 4  # an instruction the driver does; ARG0: pc, ARG1: cells
OUTSIDE = 5  # an access outside of the memory, which can be tried again
TRAP = 6  # any other; its number is in the first of REGISTERS
# Other stubs that functions call: plus 1, 2, 3, checks that this many bytes are in the memory.
EXACT = 6

# Other traps, by number.
TRAPS = (
    "unreachable",
    "integer divide by zero",
    "integer overflow",
    "invalid conversion to integer",
    "undefined element",
    "call stack exhausted",
)
UNREACHABLE = 0
DIVIDE_BY_ZERO = 1
INTEGER_OVERFLOW = 2
INVALID_CONVERSION = 3
UNDEFINED_ELEMENT = 4
STACK_EXHAUSTED = 5


# Where the globals are: behind the tables, 8 bytes each (for an imported one a pointer); and
# behind them the functions that call_indirect can reach: type number and code address, 8 bytes
# each. The last of those is no function: it stands for all that the driver has to look at.
def globals_at(module):
    return TABLES + 16 * len(module.tables)


def functions_at(module):
    return globals_at(module) + 8 * len(module.globals)


def size(module):
    return functions_at(module) + 16 * (len(module.funcs) + 1)


# A number for a function type, the same for equal ones.
def type_number(module, kind):
    for i, known in enumerate(module.types):
        if known is kind:
            return i
    return module.types.index(kind)
