"""Which parts of WebAssembly beyond the first version a valid module uses."""

from __future__ import annotations

from collections.abc import Iterator

from wamr.wasm.interface import type_of
from wamr.wasm.module import Module
from wamr.wasm.reader import Reader

from wamr_cli.sections import Section

_CODE = 10  # section
_END = 0x0B
_EXTERNREF = 0x6F

# Immediates, a letter each: u is a u32, v a vector of them, b a byte, s and l signed integers of
# 32 and 64 bits, t a block type. What is not listed has none.
_IMMEDIATES = {
    **dict.fromkeys((0x02, 0x03, 0x04), "t"),  # block type
    **dict.fromkeys((0x0C, 0x0D, 0x10, 0x12, 0xD2), "u"),
    **dict.fromkeys(range(0x20, 0x27), "u"),
    **dict.fromkeys((0x11, 0x13), "uu"),
    **dict.fromkeys(range(0x28, 0x3F), "uu"),  # alignment and offset
    0x0E: "vu",
    0x1C: "v",
    0x3F: "b",
    0x40: "b",
    0x41: "s",
    0x42: "l",
    0x43: "bbbb",
    0x44: "bbbbbbbb",
    0xD0: "b",
}
_AFTER_FC = {
    **dict.fromkeys((9, 13, 15, 16, 17), "u"),
    **dict.fromkeys((12, 14), "uu"),
    8: "ub",
    10: "bb",
    11: "b",
}

_BY_OPCODE = {
    **dict.fromkeys(range(0xC0, 0xC5), "sign extension"),
    **dict.fromkeys((0x12, 0x13), "tail calls"),
    **dict.fromkeys((0x1C, 0x25, 0x26, 0xD0, 0xD1, 0xD2), "reference types"),
}


def _by_prefixed(opcode: int) -> str:
    if opcode < 8:
        return "non-trapping float-to-int"
    return "bulk memory" if opcode < 15 else "reference types"


def immediates(reader: Reader, opcode: int) -> list[int]:
    """The immediates of the instruction whose opcode was just read; for 0xFC, the sub-opcode
    first.
    """
    found = [reader.u32()] if opcode == 0xFC else []
    kinds = _AFTER_FC.get(found[0], "") if opcode == 0xFC else _IMMEDIATES.get(opcode, "")
    for kind in kinds:
        if kind == "u":
            found.append(reader.u32())
        elif kind == "b":
            found.append(reader.byte())
        elif kind == "v":
            found += [reader.u32() for _ in range(reader.u32())]
        elif kind == "t":
            found.append(reader.signed(33))
        else:
            found.append(reader.signed(32 if kind == "s" else 64))
    return found


def _instructions(reader: Reader) -> Iterator[tuple[int, int, int]]:
    """(opcode, sub-opcode after 0xFC, block type) of each instruction."""
    while reader.pos < reader.end:
        opcode = reader.byte()
        found = immediates(reader, opcode)
        prefixed = found[0] if opcode == 0xFC else -1
        block_type = found[0] if _IMMEDIATES.get(opcode) == "t" else -64
        yield opcode, prefixed, block_type


def features(module: Module, data: bytes, parts: list[Section]) -> list[str]:
    """The features' names as the proposals have them, sorted."""
    found = set(_of_declarations(module))
    for part in parts:
        if part.id == _CODE:
            found.update(_of_code(Reader(data, part.offset, part.offset + part.size)))
    return sorted(found)


def _of_declarations(module: Module) -> Iterator[str]:
    for params, results in module.types:
        if len(results) > 1:
            yield "multi-value"
        if _EXTERNREF in params + results:
            yield "reference types"
    if len(module.tables) > 1 or any(table[0] == _EXTERNREF for table in module.tables):
        yield "reference types"
    if any(memory[2] != 65536 for memory in module.memories):
        yield "custom page sizes"
    shared = [(kind, what) for _, _, kind, what in module.import_list]
    shared += [(kind, type_of(module, kind, index)) for _, kind, index in module.export_list]
    if any(kind == "global" and what[1] for kind, what in shared):
        yield "mutable globals"
    passive = [segment for segment in (*module.datas, *module.elems) if segment[0] in (None, 1, 2)]
    if passive or module.data_count is not None:
        yield "bulk memory"
    offsets = [data[0] for data in module.datas] + [elem[2] for elem in module.elems]
    for expression in (*module.global_inits, *filter(None, offsets)):
        yield from _of_constant_expression(*expression)


def _of_constant_expression(buf: bytes, pos: int) -> Iterator[str]:
    for count, (opcode, _, _) in enumerate(_instructions(Reader(buf, pos, len(buf)))):
        if opcode in _BY_OPCODE:
            yield _BY_OPCODE[opcode]
        if opcode == _END:
            if count > 1:
                yield "extended constant expressions"
            return


def _of_code(reader: Reader) -> Iterator[str]:
    for _ in range(reader.u32()):
        size = reader.u32()
        end = reader.pos + size
        body = Reader(reader.buf, reader.pos, end)
        for _ in range(body.u32()):  # groups of locals
            body.u32()
            if body.byte() == _EXTERNREF:
                yield "reference types"
        for opcode, prefixed, block_type in _instructions(body):
            if opcode == 0xFC:
                yield _by_prefixed(prefixed)
            elif opcode in _BY_OPCODE:
                yield _BY_OPCODE[opcode]
            elif block_type >= 0:
                yield "multi-value"
        reader.pos = end
