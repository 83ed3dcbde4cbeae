"""Linking a module without running any of it: what is missing, what would be allocated."""

from __future__ import annotations

from typing import NamedTuple

import wamr
from wamr.program import Program
from wamr.wasm.types import words


class DryProgram(Program):
    """A program of which nothing is run while it is made."""

    def _construct(self) -> None:
        pass


class Linked(NamedTuple):
    """`program` as it would be before its first instruction, or None and the `error`."""

    program: Program | None
    missing: list[tuple[str, str, str, str]]
    error: str | None


def link(file: str, stack: int, heap: int | None) -> Linked:
    """Link a valid module to the built-in libraries, and to stand-ins for what they lack."""
    module = wamr.Module(file)
    module.start = None
    missing = []
    try:
        return Linked(_program(module, {}, stack, heap), missing, None)
    except wamr.LinkError as error:
        # The message names every missing import, in the words of Module.imports.
        missing = [i for i in module.imports if f'"{i[0]}" "{i[1]}" {i[2]} {i[3]}' in str(error)]
        if not missing:
            return Linked(None, missing, str(error))
    except (wamr.Trap, MemoryError) as error:
        return Linked(None, missing, str(error))
    stand_ins: dict[str, dict[str, object]] = {}
    for where, name, kind, what in module.import_list:
        if (where, name, kind, words(kind, what)) in missing:
            stand_ins.setdefault(where, {})[name] = _stand_in(kind, what)
    try:
        return Linked(_program(module, stand_ins, stack, heap), missing, None)
    except (wamr.LinkError, wamr.Trap, MemoryError) as error:
        return Linked(None, missing, str(error))


def _program(module: wamr.Module, imports: dict, stack: int, heap: int | None) -> Program:
    return DryProgram(module, imports=imports, stack=stack, heap=heap, fuel=0, engine="portable")


def _stand_in(kind: str, what: tuple) -> object:
    if kind == "func":
        return lambda *_args: None
    if kind == "memory":
        return wamr.Memory(*what)
    if kind == "table":
        return wamr.Table(*what)
    return wamr.Global(what[0], 0 if what[0] >= 0x7C else None, what[1])
