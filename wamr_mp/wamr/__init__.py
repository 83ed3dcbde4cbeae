"""WAMR for MicroPython: run WebAssembly apps.

>>> import wamr
>>> wamr.run("hello.wasm")

Everything is loaded on first use, so that importing this costs next to nothing.
"""

__version__ = "0.1.0"

# Where each public name comes from.
_PLACES = (
    ("wasm.module", "Module"),
    ("wasm.instance", "Instance"),
    ("wasm.externs", "Memory"),
    ("wasm.variables", "Table Global"),
    ("wasm.errors", "CompileError LinkError Trap Exit"),
    ("engine.execution", "Execution"),
    ("engine.info", "info Info"),
    ("program", "run"),
    ("pool", "init"),
    ("install", "install install_async"),
    ("apps.serve", "serve"),
    ("apps.background", "serve_background"),
)


def __getattr__(name):
    for place, names in _PLACES:
        if name in names.split():
            module = __import__("wamr." + place, None, None, (name,))
            value = globals()[name] = getattr(module, name)
            return value
    raise AttributeError("module 'wamr' has no attribute '%s'" % name)


def native(signature, fn):
    """Declare a Python function that an app can import and that wants the calling instance.

    signature: "(letters)letter", WAMR's: i I f F numbers, u unsigned i32, * pointer (checked),
    ~ length of the pointer before it, $ string (checked), r reference; the letter behind is the
    result's. fn(instance, *args); it may be an `async def`.
    """
    from wamr.wasm.externs import Native

    return Native(signature, fn)
