"""The portable interpreter: runs a module's own bytes, guided by the side table.

The readable reference of all engines. Frames, side table and the layout of `bodies` are described
in docs/internals/architecture.md; opcodes in wasm/opcodes.py. All values are unsigned bits.
"""

from wamr.host import const
from wamr.wasm.errors import Trap
from wamr.wasm.externs import OUT_OF_BOUNDS, to_values
from wamr.engine import AGAIN, CALL, DONE, SUSPENDED
from wamr.engine.execution import Execution

SLICE = const(250)

# Words of an entry of module.bodies.
_WORDS = const(7)
_STP = const(1)
_PARAMS = const(2)
_LOCALS = const(3)  # parameters included
_SIZE = const(4)  # cells of the whole frame
_RESULTS = const(5)
_END = const(6)

_SMALL = const(0x3FFFFFFF)  # up to here sums and products are small ints: no masking needed
_M32 = const(0xFFFFFFFF)
_GROW = const(32)  # cells


numerics = floats = None


def attach(instance):
    """Prepare a new instance for this engine: load what its instructions need."""
    global numerics, floats
    if instance.module.needs & 1 and not numerics:
        from wamr.engine import numerics
    if instance.module.needs & 2 and not floats:
        from wamr.engine import floats


def call(function, args):
    """Run a function to its end: cells in, cells out."""
    return Execution(function, args).to_end()


def invoke(function, args):
    """Call a function with Python's values."""
    return to_values(call(function, function.args_to_bits(args)), function.type[1])


# One call into an instance: all there is to know to go on with it.
class Activation:
    below = 0  # cells that calls outside of this instance have in use

    def __init__(self, function, args, limit):
        self.instance = function.instance
        self.function = function
        self.stack = args  # the cells; a list that grows up to the limit
        self.limit = limit
        self.sp = len(args)
        self.fp = 0
        self.pc = -1  # -1: return to the caller of this instance
        self.stp = 0
        self.cur = 0  # entry of module.bodies of the running function
        self.target = function.index - self.instance.module.n_imported_funcs  # to enter first
        self.fuel = 0
        self.callee = None  # the function that is to be called

    def run(self, fuel):
        return run(self, fuel)

    def take_arguments(self):
        sp = self.sp
        self.sp = sp - len(self.callee.type[0])
        return self.stack[self.sp : sp]

    def push(self, cells):
        for cell in cells:
            if self.sp < len(self.stack):
                self.stack[self.sp] = cell
            else:
                self.stack.append(cell)
            self.sp += 1

    def results(self):
        return self.stack[: len(self.function.type[1])]

    def give_back(self):
        pass

    def is_over(self):
        return self.pc < 0

    def cells_used(self):
        return self.sp

    # Appends (function index, name, file offset) of each call, innermost first, up to n in all.
    def trace(self, out, n):
        module = self.instance.module
        pc, fp, cur = self.pc, self.fp, self.cur
        while pc >= 0 and len(out) < n:
            index = cur // _WORDS + module.n_imported_funcs
            out.append((index, module.function_name(index), module.code_base + pc))
            saved = fp + module.bodies[cur + _LOCALS]
            pc = self.stack[saved]
            fp = self.stack[saved + 2]
            cur = self.stack[saved + 3]


def run(ex, fuel):
    # MicroPython has its shortest bytecodes for the first sixteen variables: the busiest first.
    code = pc = op = stack = sp = fp = i = v = a = b = n = mem = side = stp = 0
    instance = ex.instance
    module = instance.module
    code = module.code
    side = module.side
    bodies = module.bodies
    n_imported = module.n_imported_funcs
    variables = instance.globals
    mem = instance.memory.buf if instance.memory else b""
    stack = ex.stack
    limit = ex.limit
    pc = ex.pc
    stp = ex.stp
    fp = ex.fp
    sp = ex.sp
    cur = ex.cur
    target = ex.target
    end = start = 0
    # In the order of the branches, too, what is frequent comes first.
    try:
        while True:  # once per call
            if target is not None:
                if target < 0:
                    ex.callee = instance.funcs[target + n_imported]
                    return CALL
                entry = target * _WORDS
                caller = fp
                fp = sp - bodies[entry + _PARAMS]
                base = fp + bodies[entry + _LOCALS]
                if fp + bodies[entry + _SIZE] > len(stack):
                    if fp + bodies[entry + _SIZE] > limit:
                        fp = caller
                        raise Trap("call stack exhausted")
                    stack.extend([0] * (fp + bodies[entry + _SIZE] - len(stack) + _GROW))
                for i in range(sp, base):
                    stack[i] = 0
                if entry in module.ref_locals:
                    refs = module.ref_locals[entry]
                    for n in range(0, len(refs), 2):
                        for i in range(fp + refs[n], fp + refs[n + 1]):
                            stack[i] = None
                stack[base] = pc
                stack[base + 1] = stp
                stack[base + 2] = caller
                stack[base + 3] = cur
                sp = base + 4
                cur = entry
                pc = bodies[cur]
                stp = bodies[cur + _STP]
                target = None
                fuel -= 1
                if fuel < 0:
                    return SUSPENDED
            elif pc < 0:
                return DONE
            end = bodies[cur + _END]
            while True:  # once per instruction
                op = code[pc]
                pc += 1
                if op < 0x28:
                    if op >= 0x20:
                        # Variables: one index, almost always of one byte.
                        i = code[pc]
                        pc += 1
                        if i > 127:
                            i &= 0x7F
                            shift = 7
                            while code[pc] > 127:
                                i |= (code[pc] & 0x7F) << shift
                                shift += 7
                                pc += 1
                            i |= code[pc] << shift
                            pc += 1
                        if op == 0x20:  # local.get
                            stack[sp] = stack[fp + i]
                            sp += 1
                            continue
                        if op == 0x21:  # local.set
                            sp -= 1
                            stack[fp + i] = stack[sp]
                            continue
                        if op == 0x22:  # local.tee
                            stack[fp + i] = stack[sp - 1]
                            continue
                        if op == 0x23:  # global.get
                            stack[sp] = variables[i][0]
                            sp += 1
                        elif op == 0x24:  # global.set
                            sp -= 1
                            variables[i][0] = stack[sp]
                        elif op == 0x25:  # table.get
                            elems = instance.tables[i].elems
                            if stack[sp - 1] >= len(elems):
                                raise Trap("out of bounds table access")
                            stack[sp - 1] = elems[stack[sp - 1]]
                        else:  # table.set
                            sp -= 2
                            elems = instance.tables[i].elems
                            if stack[sp] >= len(elems):
                                raise Trap("out of bounds table access")
                            elems[stack[sp]] = stack[sp + 1]
                            instance.tables[i].version += 1
                    elif op <= 0x05:
                        if op >= 0x04:
                            if op == 0x04:  # if
                                sp -= 1
                                if not stack[sp]:
                                    pc += side[stp]
                                    stp += side[stp + 1]
                                    continue
                                stp += 4
                            else:  # else, reached from the true branch
                                pc += side[stp]
                                stp += side[stp + 1]
                                continue
                        elif op < 0x02:
                            if op == 0x00:
                                raise Trap("unreachable")
                            continue
                        while code[pc] > 127:  # the block type
                            pc += 1
                        pc += 1
                    elif op <= 0x0E and op >= 0x0C:  # br, br_if, br_table
                        # The entry counts from the byte after the opcode, where pc stands now.
                        i = stp
                        if op != 0x0C:
                            sp -= 1
                            if op == 0x0D:
                                if not stack[sp]:
                                    stp += 4
                                    while code[pc] > 127:
                                        pc += 1
                                    pc += 1
                                    continue
                            else:
                                n = shift = 0
                                base = pc
                                while code[base] > 127:
                                    n |= (code[base] & 0x7F) << shift
                                    shift += 7
                                    base += 1
                                n |= code[base] << shift
                                i += 4 * (stack[sp] if stack[sp] < n else n)
                        n = side[i + 2]
                        base = fp + side[i + 3]
                        if n == 1:
                            stack[base] = stack[sp - 1]
                        elif n:
                            for shift in range(n):
                                stack[base + shift] = stack[sp - n + shift]
                        sp = base + n
                        stp = i + side[i + 1]
                        i = side[i]
                        pc += i
                        if i < 0:
                            fuel -= 1
                            if fuel < 0:
                                return SUSPENDED
                    elif op == 0x0B or op == 0x0F:  # end, return
                        if pc < end and op == 0x0B:
                            continue
                        n = bodies[cur + _RESULTS]
                        base = fp + bodies[cur + _LOCALS]
                        pc = stack[base]
                        stp = stack[base + 1]
                        caller = stack[base + 2]
                        cur = stack[base + 3]
                        if n == 1:
                            stack[fp] = stack[sp - 1]
                        else:
                            for i in range(n):
                                stack[fp + i] = stack[sp - n + i]
                        sp = fp + n
                        fp = caller
                        if pc < 0:
                            return DONE
                        end = bodies[cur + _END]
                    elif op <= 0x13:  # call, call_indirect, and their tail forms
                        i = shift = 0
                        while code[pc] > 127:
                            i |= (code[pc] & 0x7F) << shift
                            shift += 7
                            pc += 1
                        i |= code[pc] << shift
                        pc += 1
                        if op & 1:
                            n = shift = 0
                            while code[pc] > 127:
                                n |= (code[pc] & 0x7F) << shift
                                shift += 7
                                pc += 1
                            n |= code[pc] << shift
                            pc += 1
                            elems = instance.tables[n].elems
                            sp -= 1
                            n = stack[sp]
                            if n >= len(elems):
                                raise Trap("undefined element")
                            callee = elems[n]
                            if callee is None:
                                raise Trap("uninitialized element %d" % n)
                            if callee.type is not module.types[i] and (
                                callee.type != module.types[i]
                            ):
                                raise Trap("indirect call type mismatch")
                            n = len(callee.type[0])
                            if callee.instance is instance:
                                target = callee.index - n_imported
                                callee = None
                        else:
                            callee = None
                            target = i - n_imported
                            if op == 0x12:
                                n = len(module.funcs[i][0])
                        if op >= 0x12:
                            # The arguments take the place of this frame.
                            base = fp + bodies[cur + _LOCALS]
                            pc = stack[base]
                            stp = stack[base + 1]
                            caller = stack[base + 2]
                            cur = stack[base + 3]
                            for i in range(n):
                                stack[fp + i] = stack[sp - n + i]
                            sp = fp + n
                            fp = caller
                        if callee is not None:
                            ex.callee = callee
                            return CALL
                        break
                    elif op == 0x1A:  # drop
                        sp -= 1
                    else:  # select
                        if op == 0x1C:
                            while code[pc] > 127:
                                pc += 1
                            pc += 2
                        sp -= 2
                        if not stack[sp + 1]:
                            stack[sp - 1] = stack[sp]
                elif op < 0x41:
                    if op < 0x3F:
                        # memarg: the alignment is a hint only
                        start = pc
                        while code[pc] > 127:
                            pc += 1
                        a = code[pc + 1]
                        pc += 2
                        if a > 127:
                            a &= 0x7F
                            shift = 7
                            while code[pc] > 127:
                                a |= (code[pc] & 0x7F) << shift
                                shift += 7
                                pc += 1
                            a |= code[pc] << shift
                            pc += 1
                        # Python checks the bounds: the highest byte is touched first, so that
                        # a store that traps has written nothing.
                        if op < 0x36:  # loads
                            a += stack[sp - 1]
                            if op == 0x28 or op == 0x35 or op == 0x2A:
                                v = mem[a + 3] << 24 | mem[a + 2] << 16 | mem[a + 1] << 8 | mem[a]
                            elif op == 0x2D or op == 0x31:  # load8_u
                                v = mem[a]
                            elif op == 0x2F or op == 0x33:  # load16_u
                                v = mem[a + 1] << 8 | mem[a]
                            elif op == 0x29 or op == 0x2B:  # 64 bits
                                n = mem[a + 7] << 24 | mem[a + 6] << 16 | mem[a + 5] << 8
                                n |= mem[a + 4]
                                v = mem[a + 3] << 24 | mem[a + 2] << 16 | mem[a + 1] << 8 | mem[a]
                                if n:
                                    v |= n << 32
                            elif op == 0x2C or op == 0x30:  # load8_s
                                v = mem[a]
                                if v > 0x7F:
                                    v += 0xFFFFFF00 if op == 0x2C else 0xFFFFFFFFFFFFFF00
                            elif op == 0x2E or op == 0x32:  # load16_s
                                v = mem[a + 1] << 8 | mem[a]
                                if v > 0x7FFF:
                                    v += 0xFFFF0000 if op == 0x2E else 0xFFFFFFFFFFFF0000
                            else:  # i64.load32_s
                                v = mem[a + 3] << 24 | mem[a + 2] << 16 | mem[a + 1] << 8 | mem[a]
                                if v > 0x7FFFFFFF:
                                    v += 0xFFFFFFFF00000000
                            stack[sp - 1] = v
                        else:  # stores
                            sp -= 2
                            a += stack[sp]
                            v = stack[sp + 1]
                            if op == 0x36 or op == 0x3E or op == 0x38:
                                mem[a + 3] = v >> 24 & 0xFF
                                mem[a + 2] = v >> 16 & 0xFF
                                mem[a + 1] = v >> 8 & 0xFF
                            elif op == 0x37 or op == 0x39:
                                mem[a + 7] = v >> 56
                                mem[a + 6] = v >> 48 & 0xFF
                                mem[a + 5] = v >> 40 & 0xFF
                                mem[a + 4] = v >> 32 & 0xFF
                                mem[a + 3] = v >> 24 & 0xFF
                                mem[a + 2] = v >> 16 & 0xFF
                                mem[a + 1] = v >> 8 & 0xFF
                            elif op == 0x3B or op == 0x3D:
                                mem[a + 1] = v >> 8 & 0xFF
                            mem[a] = v & 0xFF
                    else:
                        pc += 1
                        if op == 0x3F:  # memory.size
                            stack[sp] = instance.memory.pages
                            sp += 1
                        else:  # memory.grow
                            stack[sp - 1] = instance.memory.grow(stack[sp - 1]) & _M32
                            mem = instance.memory.buf
                elif op < 0x43:  # i32.const, i64.const
                    v = code[pc]
                    pc += 1
                    if v > 63:
                        n = v
                        v &= 0x7F
                        shift = 7
                        while n > 127:
                            n = code[pc]
                            pc += 1
                            v |= (n & 0x7F) << shift
                            shift += 7
                        if n & 0x40:
                            v -= 1 << shift
                            v &= _M32 if op == 0x41 else 0xFFFFFFFFFFFFFFFF
                    stack[sp] = v
                    sp += 1
                    continue
                elif op == 0x6A:  # i32.add, the most frequent by far
                    sp -= 1
                    v = stack[sp - 1] + stack[sp]
                    if v > _SMALL:
                        v &= _M32
                    stack[sp - 1] = v
                    continue
                elif op > 0x6A and op <= 0x8A:
                    # Integer instructions of two operands: those of i64 follow those of i32 in the
                    # same order, but for clz, ctz and popcnt between them.
                    n = op - (0x6A if op < 0x79 else 0x7C)
                    if n < 0:
                        stack[sp - 1] = numerics.unary(n + 3, stack[sp - 1], 64)
                        continue
                    sp -= 1
                    a = stack[sp - 1]
                    b = stack[sp]
                    if n < 3:
                        if n == 1:
                            v = a - b
                            if v < 0:
                                v += 0x100000000 if op < 0x79 else 0x10000000000000000
                            stack[sp - 1] = v
                            continue
                        v = a * b if n else a + b
                    elif n == 7:
                        stack[sp - 1] = a & b
                        continue
                    elif n == 10:
                        v = a << (b & (31 if op < 0x79 else 63))
                    elif n == 12:
                        stack[sp - 1] = a >> (b & (31 if op < 0x79 else 63))
                        continue
                    elif n == 9:
                        stack[sp - 1] = a ^ b
                        continue
                    elif n == 8:
                        stack[sp - 1] = a | b
                        continue
                    else:
                        v = numerics.binary(n, a, b, 32 if op < 0x79 else 64)
                    if v > _SMALL:
                        v &= _M32 if op < 0x79 else 0xFFFFFFFFFFFFFFFF
                    stack[sp - 1] = v
                elif op <= 0x5A and op >= 0x45:
                    if op == 0x45 or op == 0x50:  # eqz
                        stack[sp - 1] = 0 if stack[sp - 1] else 1
                        continue
                    sp -= 1
                    a = stack[sp - 1]
                    b = stack[sp]
                    n = op - (0x46 if op < 0x50 else 0x51)
                    if n == 0:
                        v = a == b
                    elif n == 1:
                        v = a != b
                    else:
                        if not n & 1 and (a > _SMALL or b > _SMALL):
                            # Signed: shifted by half the range, they compare as unsigned.
                            v = 0x80000000 if op < 0x50 else 0x8000000000000000
                            a ^= v
                            b ^= v
                        if n < 4:
                            v = a < b
                        elif n < 6:
                            v = a > b
                        elif n < 8:
                            v = a <= b
                        else:
                            v = a >= b
                    stack[sp - 1] = 1 if v else 0
                else:
                    if op >= 0xC5:
                        ex.sp = sp
                        pc = rare(ex, instance, code, pc, op)
                        sp = ex.sp
                        if instance.memory:  # it may have been cut, and be whole now
                            mem = instance.memory.buf
                    elif op < 0x45:  # f32.const, f64.const
                        v = 0
                        n = pc + (4 if op == 0x43 else 8)
                        for i in range(n - 1, pc - 1, -1):
                            v = v << 8 | code[i]
                        pc = n
                        stack[sp] = v
                        sp += 1
                    elif op >= 0xA7:
                        stack[sp - 1] = numerics.convert(op, stack[sp - 1])
                    elif op < 0x67:
                        sp -= 1
                        if op < 0x61:
                            v = floats.compare(op - 0x5B, stack[sp - 1], stack[sp], 32)
                        else:
                            v = floats.compare(op - 0x61, stack[sp - 1], stack[sp], 64)
                        stack[sp - 1] = v
                    elif op < 0x6A:
                        stack[sp - 1] = numerics.unary(op - 0x67, stack[sp - 1], 32)
                    else:
                        n = 32
                        op -= 0x8B
                        if op >= 14:
                            n = 64
                            op -= 14
                        if op < 7:
                            stack[sp - 1] = floats.unary(op, stack[sp - 1], n)
                        else:
                            sp -= 1
                            stack[sp - 1] = floats.binary(op - 7, stack[sp - 1], stack[sp], n)
    except (IndexError, OverflowError):
        # Only the memory can be indexed out of its bounds by valid code. (MicroPython overflows
        # where the index is no machine word.)
        if not 0x28 <= op <= 0x3E:
            raise
        from wamr.wasm.opcodes import LOADS, STORES

        width = (LOADS + STORES)[(op - 0x28) * 2 + 1] - 0x30
        if not instance.memory.fits(a + (1 << width)):
            raise Trap(OUT_OF_BOUNDS)
        # It was cut to less than its pages, and is whole now: once more.
        pc = start - 1
        if op >= 0x36:
            sp += 2
        return AGAIN
    finally:
        ex.fuel = fuel
        ex.pc = pc
        ex.stp = stp
        ex.fp = fp
        ex.sp = sp
        ex.cur = cur
        ex.target = None


# Unsigned LEB128 at `pc`; the position after it is left in `ex.pc`.
def _u32(ex, code, pc):
    value = shift = 0
    while code[pc] > 127:
        value |= (code[pc] & 0x7F) << shift
        shift += 7
        pc += 1
    ex.pc = pc + 1
    return value | code[pc] << shift


# The reference instructions (0xD0 to 0xD2) and those after the 0xFC byte. Returns the new pc.
def rare(ex, instance, code, pc, op):
    stack = ex.stack
    sp = ex.sp
    i = _u32(ex, code, pc)
    if op == 0xD0:  # ref.null
        stack[sp] = None
        ex.sp = sp + 1
    elif op == 0xD1:  # ref.is_null, which has no immediate
        stack[sp - 1] = 1 if stack[sp - 1] is None else 0
        return pc
    elif op == 0xD2:  # ref.func
        stack[sp] = instance.func(i)
        ex.sp = sp + 1
    elif i < 8:
        from wamr.engine.numerics import trunc_sat

        stack[sp - 1] = trunc_sat(i, stack[sp - 1])
    else:
        from wamr.engine import bulk

        a = _u32(ex, code, ex.pc)
        b = 0
        if i == 8 or i == 10 or i == 12 or i == 14:  # two immediates
            b = _u32(ex, code, ex.pc)
        if i == 9:
            instance.segments[~a] = ()
        elif i == 13:
            instance.segments[a] = ()
        elif i == 15:
            table = instance.tables[a]
            ex.sp = sp - 1
            stack[sp - 2] = table.grow(stack[sp - 1], stack[sp - 2]) & _M32
        elif i == 16:
            stack[sp] = len(instance.tables[a])
            ex.sp = sp + 1
        else:
            ex.sp = sp - 3
            x, y, n = stack[sp - 3 : sp]
            if i == 17:
                bulk.table_fill(instance, a, x, y, n)
            elif i >= 12:
                bulk.table(i, instance, a, b, x, y, n)
            else:
                bulk.memory(i, instance, a, x, y, n)
    return ex.pc
