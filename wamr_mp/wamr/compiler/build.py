"""Makes the machine code of a module, step by step."""

import gc

from wamr.compiler import builds, empty, load, unload
from wamr.compiler.code import Code
from wamr.host import const, drop
from wamr.wasm.errors import LinkError

# Code takes about twice the bytes of wasm, and so many more for stubs and what is larger.
_MORE = const(720)
# And so many for the routines that f64 takes.
_DOUBLES = const(1800)
# So much of the buffer may stay unused for good.
_UNUSED = const(512)


class Build:
    """The making of the code of one module: `while build.step(): …`, in the end `module.native` is
    its Code. done, total: bytes of wasm. path: where to keep it, see cache.py. No generator, as
    these keep alive what they have closed.
    """

    done = 0
    error = None  # why it could not be kept
    is_saved = False  # whether it is kept

    def __init__(self, module, path=None):
        self.module = module
        self.path = path
        self.total = module.bodies[-1] - module.code_start if module.bodies else 0
        self._program = self._steps = None

    def step(self):
        """Compile a function, or what comes after the last. False: all is done. LinkError,
        MemoryError, OSError.
        """
        try:
            if self.is_saved:
                self.module.native = self._load_saved()
            elif not self._program:
                self._begin()
                return True
            elif self._function() or self._load():
                return True
        except BaseException:
            self.close()
            raise
        unload()  # what loading the code took
        return False

    def _begin(self):
        builds.append(self)
        drop("wamr.compiler.cache")
        from wamr.compiler import machine

        # Before there is the compiler, which would leave no place in one piece.
        n = 2 * self.total + _MORE
        buf = machine.buffer(n + _DOUBLES if _has_doubles(self.module) else n)
        program = load("wamr.compiler.core").Program
        at_hand = program.FUNCTION()
        asm = machine.assembler()
        if asm is None:
            raise LinkError("engine 'native': no machine code for this kind of machine")
        self._program = program(self.module, asm, buf, at_hand)
        self._steps = self._program.compile()

    # By itself, like what _load() calls: a function on a board keeps alive what it has once had,
    # and nothing of the compiler shall be there while code is loaded.
    def _function(self):
        for done in self._steps:
            self.done = done
            return True
        return False

    # Whether there is more to do: what was saved is loaded in a step of its own, when no buffer of
    # the code is left, and nothing on the C stack that would keep one.
    def _load(self):
        made = self._take()
        self.close()
        gc.collect()
        from wamr.compiler import in_place

        jump = in_place.enter()
        self.is_saved = self._save(made)
        if self.is_saved and not (jump and self._is_tight(made[0])):
            return True
        self.module.native = self._load_made(made, jump)
        return False

    # Whether code can stay where it is.
    def _is_tight(self, parts):
        return len(parts) == 1 and self.unused <= _UNUSED

    def _load_made(self, made, jump):
        parts, table, size = made
        code = parts[0] if self._is_tight(parts) else _join(parts)
        parts.clear()  # should something on a board's C stack keep the list, they go
        if jump:
            return Code(self.module, jump, table, size, "compiled", code)
        from wamr.compiler import loader

        return Code(self.module, loader.load([code]), table, size, "compiled")

    # The code's parts, its table and size, in a list that can be emptied.
    def _take(self):
        program = self._program
        self.unused = program.unused
        return [program.parts, program.table(), program.size]

    # Whether all of it is in the file now.
    def _save(self, made):
        if not self.path:
            return False
        from wamr.compiler.cache import save

        try:
            save(self.path, self.module, *made)
            return True
        except OSError as e:
            self.error = e
            return False

    def _load_saved(self):
        unload()
        gc.collect()
        from wamr.compiler.cache import find

        code = find(self.module)
        if not code:
            raise OSError("flash does not hold what was written to it")
        code.origin = "compiled"
        return code

    def close(self):
        """Free what the work at hand takes."""
        program = self._program
        if program:  # should something on a board's C stack keep it, it keeps little; see unload()
            try:
                for part in (program.at_hand, program.asm, program.routines, program):
                    empty(part)
            except MemoryError:
                program.at_hand = program.asm = program.routines = program.parts = None
        program = part = self._program = self._steps = None
        if self in builds:
            builds.remove(self)
        unload()


# Whether a function has a local of type f64, or most likely: there is that byte among the locals.
def _has_doubles(module):
    bodies = module.bodies
    start = module.code_start
    for i in range(0, len(bodies), 7):
        if b"\x7c" in bytes(module.code[start : bodies[i]]):
            return True
        start = bodies[i + 6]
    return False


# All of the code in one piece, at the lowest place that has room, without the room that was not
# needed. Where parts that lie scattered among what the compiler took leave no such place, they
# move together first.
def _join(parts):
    try:
        return _joined(parts)
    except MemoryError:
        if len(parts) == 1:
            return parts[0]  # where it is, it can stay
        for i in range(len(parts)):
            gc.collect()
            parts[i] = parts[i][:]
        return _joined(parts)


def _joined(parts):
    code = parts[0][:]
    for i in range(1, len(parts)):
        code.extend(parts[i])
    return code
