"""What wamr.run() does: which libraries, which entry point, what exit code."""

from wamr.host import forget
from wamr.wasm.errors import Exit, LinkError
from wamr.wasm.instance import Instance
from wamr.wasm.module import Module

# Entry points, with C's name first in the form of 2019. The last ones are clang's names for
# main(argc, argv) and main(void).
_ENTRIES = ("_start", "_main", "main", "__main_argc_argv", "__main_void", "__original_main")
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
        self.wasi = self.environment = self.instance = None
        try:
            from wamr.libraries import heap_size, namespaces

            if heap is None:
                heap = heap_size(module, _ENTRIES)
            output = (stdout, stderr)
            spaces, libc = namespaces(self, module, imports, env, dirs, output, stack, heap)
            self.instance = Instance(module, spaces, engine, stack, heap, fuel, heap_start)
            if self.environment:
                self.environment.finish(self.instance, libc)
            self._construct()
        except BaseException:
            self.close()
            raise
        finally:
            forget("wamr.libraries", "wamr.libc.functions")

    # What each toolchain leaves to the loader. A program with _start does it itself.
    def _construct(self):
        if self.environment and self._has("__set_stack_limits", _I32 + _I32):
            self.instance.call_raw("__set_stack_limits", self.environment.stack_limits())
        if self._has("_start"):
            return
        names = ("__post_instantiate", "__wasm_apply_data_relocs", "__wasm_call_ctors")
        for name in ("_initialize",) if self._has("_initialize") else names:
            if self._has(name):
                self.instance.call_raw(name)

    # Whether there is an exported function of this name and type.
    def _has(self, name, params=b"", results=b""):
        return self.instance.module.find_function(name, (params, results)) is not None

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
        if self.wasi:
            self.wasi.close()
        if self.environment and self.environment.memory:
            self.environment.memory.free()
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
