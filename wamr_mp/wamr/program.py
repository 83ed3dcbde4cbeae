"""What wamr.run() does: which libraries, which entry point, what exit code."""

from wamr.host import forget
from wamr.wasm.errors import Exit, LinkError
from wamr.wasm.instance import Instance
from wamr.wasm.module import Module

# Entry points, with C's name first in the form of 2019. The last ones are clang's names for
# main(argc, argv) and main(void).
_ENTRIES = ("_start", "_main", "main", "__main_argc_argv", "__main_void", "__original_main")
# Functions that need the app heap.
_MALLOC = ("malloc", "calloc", "realloc", "strdup", "_strdup", "__cxa_allocate_exception")
_HEAP = 8192
_I32 = b"\x7f"


class Program:
    """A module linked to the built-in libraries and constructed: `instance`, `main()`, `close()`.

    module: Module, bytes-like object or path. imports: dict of module name -> namespace, tried
    before the built-in ones. args: strings for main(). env: dict, WASI's environment. dirs: dict,
    see Wasi. stdout, stderr: see Libc. stack: bytes of the cell stack; emscripten's modules, which
    bring none, get a C stack of half of it. heap: bytes of the app heap; None: 8192 if the module
    uses malloc() or takes arguments, else none. engine, fuel, heap_start: see Instance.

    Raises CompileError, LinkError (which lists all missing imports), Trap, Exit and OSError.
    """

    def __init__(
        self,
        module,
        args=(),
        env=None,
        imports=None,
        dirs=None,
        stdout=None,
        stderr=None,
        engine="auto",
        stack=8192,
        heap=None,
        fuel=None,
        heap_start=None,
    ):
        self.name = "app"
        self.args = args
        if not isinstance(module, Module):
            if not isinstance(module, (bytes, bytearray, memoryview)):
                self.name = module = str(module)
            module = Module(module)
        if heap is None:
            heap = _HEAP if _wants_heap(module) else 0
        self._wasi = None
        libc = environment = None
        spaces = dict(imports or {})
        for where, _, kind, _ in module.import_list:
            if where == "env" or where[:4] == "GOT.":
                if not libc:
                    from wamr.libc import Libc

                    libc = Libc(stdout, stderr)
                if not environment and (kind != "func" or where != "env"):
                    from wamr.libc.emscripten import Environment

                    environment = libc.environment = Environment(module, stack // 2, heap)
            elif where[:5] == "wasi_" and not self._wasi:
                from wamr.libc.wasi import Wasi

                names = [self.name] + [str(a) for a in args]
                self._wasi = Wasi(names, env, dirs, stdout, stderr, where == "wasi_unstable")
                _add(spaces, where, self._wasi)
        if libc:
            _add(spaces, "env", libc)
            _add(spaces, "global", {"NaN": float("nan"), "Infinity": float("inf")})
        if environment:
            for where, space in environment.got(libc).items():
                _add(spaces, where, space)
        self.instance = None
        self._environment = environment
        try:
            self.instance = Instance(module, spaces, engine, stack, heap, fuel, heap_start)
            if environment:
                environment.finish(self.instance, libc)
            self._construct()
        except BaseException as e:
            self.close()
            if isinstance(e, LinkError):
                raise _explained(e)
            raise
        finally:
            forget("wamr.libc.functions")

    # What each toolchain leaves to the loader. A program with _start does it itself.
    def _construct(self):
        if self._has("_start"):
            return
        names = ("__post_instantiate", "__wasm_apply_data_relocs", "__wasm_call_ctors")
        for name in ("_initialize",) if self._has("_initialize") else names:
            if self._has(name):
                self.instance.call_raw(name)

    # Whether there is an exported function of this name and type.
    def _has(self, name, params=b"", results=b""):
        module = self.instance.module
        found = module.find_export(name)
        return bool(found) and found[0] == "func" and module.funcs[found[1]] == (params, results)

    def main(self):
        """Run the program: the exit code, which is what main() returned or exit() was given."""
        try:
            for name in _ENTRIES:
                for results in (b"", _I32):
                    if self._has(name, b"", results):
                        return self._result(name)
                    if self._has(name, _I32 + _I32, results):
                        return self._result(name, *self._argv())
        except Exit as e:
            return e.code
        raise LinkError(
            "no entry point: the module has none of the functions %s; name one with function="
            % ", ".join(_ENTRIES)
        )

    def _result(self, name, *args):
        result = self.instance.export(name)(*args)
        return 0 if result is None else result

    # Copies argv into the app heap as WAMR does: the strings, each padded to 4 bytes, and the
    # pointers behind them. Without a heap (nor arguments) argc is 0.
    def _argv(self):
        data = b""
        starts = []
        for text in [self.name] + [str(a) for a in self.args]:
            starts.append(len(data))
            text = text.encode() + b"\0"
            data += text + bytes(-len(text) & 3)
        size = len(data) + 4 * len(starts) + 4
        instance = self.instance
        block = 0
        if instance.heap:
            block = instance.heap.alloc(size)
        elif self._has("malloc", _I32, _I32):
            block = instance.call_raw("malloc", [size])[0]
        if not block:
            if self.args:
                raise LinkError("no room in the app heap for the arguments: %d bytes" % size)
            return 0, 0
        memory = instance.memory
        memory.write(block, data)
        pointers = block + len(data)
        for i, start in enumerate(starts):
            memory.put_u32(pointers + 4 * i, block + start)
        memory.put_u32(pointers + 4 * len(starts), 0)
        return len(starts), pointers

    def call(self, name):
        """Call the export `name` with the arguments, which are numbers; its result."""
        if not self.instance.module.find_export(name):
            raise LinkError("the module does not export '%s'" % name)
        try:
            return self.instance.export(name)(*self.args)
        except Exit as e:
            return e.code

    def close(self):
        """Close what the program opened and give its memory back to the pool."""
        if self._wasi:
            self._wasi.close()
        if self._environment and self._environment.memory:
            from wamr.pool import give

            give(self._environment.memory.buf)
        elif self.instance:
            self.instance.close()


def run(file, args=(), env=None, function=None, **options):
    """Load a program, run it to its end, return its exit code.

    file: path or bytes of a .wasm. args: what main() gets behind the program's name. env: dict,
    the environment of a WASI program. function: call this export instead, with `args` as numbers;
    its result is returned. options: see Program: dirs, stdout, stderr, imports, engine, stack,
    heap, fuel.

    Raises CompileError, LinkError, Trap and OSError.
    """
    try:
        program = Program(file, args, env, **options)
    except Exit as e:
        return e.code
    try:
        return program.call(function) if function else program.main()
    finally:
        program.close()


# Puts a built-in namespace behind what the caller gave for this module name. The class is made
# only for those who give something: it takes 200 bytes.
def _add(spaces, where, builtin):
    given = spaces.get(where)
    if given is None:
        spaces[where] = builtin
        return

    class Chain:
        # A name with an underscore in front, as in modules of 2019, stands for the one without.
        def resolve(self, name, kind, type, module):
            for space in (given, builtin):
                for known in (name, name[1:]) if name[:1] == "_" else (name,):
                    if hasattr(space, "resolve"):
                        found = space.resolve(known, kind, type, module)
                    else:
                        found = space.get(known)
                    if found is not None:
                        return found
            return None

    spaces[where] = Chain()


def _wants_heap(module):
    for where, name, kind, _ in module.import_list:
        if (
            where == "env"
            and kind == "func"
            and (name in _MALLOC or name[:1] == "_" and name[1:] in _MALLOC)
        ):
            return True
    for name in _ENTRIES:
        found = module.find_export(name)
        if found and found[0] == "func" and module.funcs[found[1]][0]:
            return True
    return False


def _explained(error):
    text = error.args[0]
    if text[:14] == "unknown import":
        text += "; the runtime has no such things: give them with imports={...}, or build the app"
        text += " without them"
    return LinkError(text)
