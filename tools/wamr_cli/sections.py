"""The sections of a module's file, read without judging what is in them (specification 5.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wamr.wasm.errors import CompileError
from wamr.wasm.reader import Reader

NAMES = (
    "custom",
    "type",
    "import",
    "function",
    "table",
    "memory",
    "global",
    "export",
    "start",
    "element",
    "code",
    "data",
    "data count",
)


class Section(NamedTuple):
    """One section: `offset` is where its contents begin in the file, `size` their length."""

    id: int
    name: str
    offset: int
    size: int


def sections(data: bytes) -> Iterator[Section]:
    """Each section in turn; CompileError where the file stops making sense."""
    reader = Reader(data, 8, len(data))
    while reader.pos < len(data):
        section_id = reader.byte()
        size = reader.u32()
        start = reader.pos
        reader.skip(size)
        if section_id == 0:
            name = Reader(data, start, reader.pos).name()
        elif section_id < len(NAMES):
            name = NAMES[section_id]
        else:
            raise CompileError(f"unknown section id {section_id}", start)
        yield Section(section_id, name, start, size)
