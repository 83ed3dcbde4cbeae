"""Engines: how code runs. Each is a module with `run(execution, fuel) -> status`.

`run` goes on from the state kept in the Execution (see execution.py) until one of:

    DONE        the outermost function of this instance returned; its results are on top
    SUSPENDED   fuel ran out, at a function entry or a loop back-edge
    CALL        `execution.callee` is to be called with the arguments on top of the stack
    AGAIN       Python code did something for it, such as memory.fill: run again

or raises Trap. It leaves what is left of the fuel in `execution.fuel`, and everything else that
is needed to go on in the Execution, so that nothing of a wasm call is on Python's stack. SLICE is
the fuel between two turns of the event loop in call_async: about 0.1 s on a slow board.
"""

from wamr.host import const

DONE = const(0)
SUSPENDED = const(1)
CALL = const(2)
AGAIN = const(3)


# The engine of this name, for an instance.
def select(name):
    if name == "auto":
        from wamr.engine import auto as engine
    elif name == "native":
        from wamr.engine import native as engine
    elif name == "portable":
        from wamr.engine import portable as engine
    else:
        raise ValueError("engine %r: 'auto', 'native' or 'portable' wanted" % (name,))
    return engine
