"""wamr.install(): compile a module once, and keep the code beside its file."""

from wamr.compiler import code_path
from wamr.compiler.build import Build
from wamr.wasm.module import Module


def install(path, progress=None):
    """Compile the module in the file `path` and keep its machine code beside it, in a file that
    ends in `.code`. Whatever loads the module from there then runs that. Bytes of code.

    progress(done, total) is called meanwhile with bytes of wasm; what it raises ends it.
    CompileError, LinkError (no machine code for this machine), MemoryError, OSError.
    """
    build = _begin(path)
    try:
        while build.step():
            if progress:
                progress(build.done, build.total)
    finally:
        build.close()
    return _end(build)


async def install_async(path, progress=None):
    """The same for asyncio: the other tasks have their turns; cancelling the task ends it."""
    import asyncio

    build = _begin(path)
    try:
        while build.step():
            if progress:
                progress(build.done, build.total)
            await asyncio.sleep(0)
    finally:
        build.close()
    return _end(build)


def _begin(path):
    return Build(Module(path), code_path(path))


def _end(build):
    if build.error:
        raise build.error
    return build.module.native.size
