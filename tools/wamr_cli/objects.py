"""What a WebAssembly object file, as compilers write it for the linker, defines and lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

_CUSTOM, _IMPORT = 0, 2
_SYMBOL_TABLE = 8
_FUNCTION, _DATA, _GLOBAL, _SECTION, _TAG, _TABLE = range(6)
_UNDEFINED, _EXPLICIT_NAME = 0x10, 0x40


@dataclass
class Symbols:
    """Names of an object file. `lacks` is without what it says itself where to import from."""

    defines: set[str] = field(default_factory=set)
    lacks: set[str] = field(default_factory=set)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self) -> int:
        result = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result

    def bytes(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def name(self) -> str:
        return self.bytes(self.number()).decode()

    def limits(self) -> None:
        for _ in range(1 + (self.number() & 1)):
            self.number()


def read_symbols(path: Path) -> Symbols:
    """The functions and data that an object file defines or lacks; see
    https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md"""
    reader = _Reader(path.read_bytes())
    reader.at = 8
    functions: list[str] = []
    symbols = Symbols()
    while reader.at < len(reader.data):
        kind = reader.number()
        size = reader.number()
        section = _Reader(reader.bytes(size))
        if kind == _IMPORT:
            functions = _imported_functions(section)
        elif kind == _CUSTOM and section.name() == "linking":
            _read_linking(section, functions, symbols)
    return symbols


def _imported_functions(section: _Reader) -> list[str]:
    names = []
    for _ in range(section.number()):
        section.name()
        name = section.name()
        kind = section.number()
        if kind == 0:
            section.number()
            names.append(name)
        elif kind == 1:
            section.number()
            section.limits()
        elif kind == 2:
            section.limits()
        else:
            section.bytes(2)
    return names


def _read_linking(section: _Reader, functions: list[str], symbols: Symbols) -> None:
    section.number()  # version
    while section.at < len(section.data):
        kind = section.number()
        size = section.number()
        part = _Reader(section.bytes(size))
        if kind != _SYMBOL_TABLE:
            continue
        for _ in range(part.number()):
            _read_symbol(part, functions, symbols)


def _read_symbol(part: _Reader, functions: list[str], symbols: Symbols) -> None:
    kind = part.number()
    flags = part.number()
    if kind == _DATA:
        name = part.name()
        if not flags & _UNDEFINED:
            for _ in range(3):
                part.number()
    elif kind == _SECTION:
        part.number()
        return
    else:
        index = part.number()
        if flags & _UNDEFINED and not flags & _EXPLICIT_NAME:
            name = functions[index] if kind == _FUNCTION else ""
        else:
            name = part.name()
        if flags & _UNDEFINED and flags & _EXPLICIT_NAME:
            return
    if kind in (_FUNCTION, _DATA):
        (symbols.lacks if flags & _UNDEFINED else symbols.defines).add(name)
