"""wamr.info(): how an instance is run."""

from collections import namedtuple

Info = namedtuple("Info", ("engine", "code", "origin", "reason"))


def info(instance):
    """How the code of an instance is run: an Info.

    engine: "native" or "portable". code: bytes of machine code. origin: where that comes from:
    "compiled". reason: why there is none, in words.
    """
    engine = instance.engine.__name__.split(".")[-1]
    if engine == "native":
        code = instance.native.code
        return Info(engine, code.size, code.origin, "")
    return Info(engine, 0, "", instance.reason)
