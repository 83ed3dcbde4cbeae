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
    """Each section in turn, up to where the file stops making sense."""
    reader = Reader(data, 8, len(data) if data[4:8] == b"\1\0\0\0" else 8)
    try:
        while reader.pos < reader.end:
            section_id = reader.byte()
            size = reader.u32()
            start = reader.pos
            reader.skip(size)
            name = Reader(data, start, reader.pos).name() if section_id == 0 else NAMES[section_id]
            yield Section(section_id, name, start, size)
    except (CompileError, IndexError):
        return
