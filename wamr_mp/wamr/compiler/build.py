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
            for done in self._steps:
                self.done = done
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

    def _load(self):
        program = self._program
        table = program.table()
        parts = program.parts
        size = program.size
        program = None
        self.close()
        enter = None
        if self.path:
            from wamr.compiler.cache import save

            try:
                save(self.path, self.module, parts, table, size)
                parts = None
                enter = loader.load_file(self.path)[0]
            except OSError as e:
                self.error = e
        self.module.native = Code(
            self.module, enter or _load_parts(parts), table, size, "compiled"
        )

    def close(self):
        """Free what the work at hand takes."""
        self._program = self._steps = None
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
