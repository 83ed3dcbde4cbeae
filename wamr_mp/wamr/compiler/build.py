"""Makes the machine code of a module, step by step."""

import gc

from wamr.compiler import load, loader, unload
from wamr.compiler.code import Code
from wamr.wasm.errors import LinkError


class Build:
    """The making of the code of one module: `while build.step(): …`, in the end `module.native` is
    its Code. done, total: bytes of wasm. path: where to keep it, see cache.py. No generator, as
    these keep alive what they have closed.
    """

    done = 0
    error = None  # why it could not be kept

    def __init__(self, module, path=None):
        self.module = module
        self.path = path
        self.total = module.bodies[-1] - module.code_start if module.bodies else 0
        self._program = self._steps = None

    def step(self):
        """Compile a function. False: all is done. LinkError, MemoryError."""
        try:
            if not self._program:
                self._begin()
                return True
            if self._function():
                return True
            self._load()
        except BaseException:
            self.close()
            raise
        self.close()
        return False

    def _begin(self):
        asm = loader.assembler()
        if asm is None:
            raise LinkError("engine 'native': no machine code for this kind of machine")
        program = load("control calls memory numeric function program")
        self._program = program.Program(self.module, asm)
        self._steps = self._program.compile()

    # By itself, like what _load() calls: a function on a board keeps alive what it has once had,
    # and nothing of the compiler shall be there while code is loaded.
    def _function(self):
        for done in self._steps:
            self.done = done
            return True
        return False

    def _load(self):
        made = self._take()
        self.close()
        if self.path:
            self._save(made)
        if made:
            parts, table, size = made
            code = Code(self.module, _load_parts(parts), table, size, "compiled")
        else:
            code = self._load_saved()
        self.module.native = code

    # The code's parts, its table and size, in a list that can be emptied.
    def _take(self):
        program = self._program
        return [program.parts, program.table(), program.size]

    # Empties the list if all of it is in the file now.
    def _save(self, made):
        from wamr.compiler.cache import save

        try:
            save(self.path, self.module, *made)
        except OSError as e:
            self.error = e
            return
        made[0].clear()
        made.clear()

    def _load_saved(self):
        unload()
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
            program.asm = program.at_hand = program.routines = program.parts = None
        program = self._program = self._steps = None
        unload()


# The parts lie scattered among what the compiler took. Where that leaves no room in one piece for
# all of them, they move together first: a copy goes to the lowest place that has room.
def _load_parts(parts):
    try:
        return loader.load(parts)
    except MemoryError:
        for i in range(len(parts)):
            gc.collect()
            parts[i] = parts[i][:]
        return loader.load(parts)
