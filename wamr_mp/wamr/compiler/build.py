"""Makes the machine code of a module, step by step."""

from wamr.wasm.errors import LinkError
from wamr.compiler import loader, unload
from wamr.compiler.code import Code


def build(module):
    """Generator: compiles a function of the module at each step; in the end `module.native` is its
    Code. Nothing is left of it when it is closed before. LinkError, MemoryError.
    """
    try:
        asm = loader.assembler()
        if asm is None:
            raise LinkError("engine 'native': no machine code for this kind of machine")
        from wamr.compiler.program import Program

        program = Program(module, asm)
        yield from program.compile()
        table = program.table()
        parts = program.parts
        size = program.size
        program = asm = None
        unload()
        module.native = Code(module, loader.load(parts), table, size, "compiled")
    finally:
        unload()
