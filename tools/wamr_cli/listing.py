"""A function's instructions, each with the machine code that was made of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from wamr.wasm import opcodes
from wamr.wasm.module import Module
from wamr.wasm.reader import Reader

from wamr_cli.features import immediates

if TYPE_CHECKING:
    from wamr_cli.compile import Compiled

_NAMES = {
    0x00: "unreachable", 0x01: "nop", 0x02: "block", 0x03: "loop", 0x04: "if", 0x05: "else",
    0x0B: "end", 0x0C: "br", 0x0D: "br_if", 0x0E: "br_table", 0x0F: "return", 0x10: "call",
    0x11: "call_indirect", 0x12: "return_call", 0x13: "return_call_indirect", 0x1A: "drop",
    0x1B: "select", 0x1C: "select", 0x20: "local.get", 0x21: "local.set", 0x22: "local.tee",
    0x23: "global.get", 0x24: "global.set", 0x25: "table.get", 0x26: "table.set",
    0x3F: "memory.size", 0x40: "memory.grow", 0x41: "i32.const", 0x42: "i64.const",
    0x43: "f32.const", 0x44: "f64.const", 0xD0: "ref.null", 0xD1: "ref.is_null",
    0xD2: "ref.func", 0xFC: "0xfc",
}  # fmt: skip
# The opcode table has the names of the others beside what they take and give.
_NAMES.update(
    (int(number, 16), name)
    for number, name in re.findall(r"# ([0-9A-F]{2}) ([\w.]+)$", inspect.getsource(opcodes), re.M)
    if int(number, 16) not in _NAMES and int(number, 16) > 0x26
)

_BLOCK_TYPES = {
    -64: "",
    -1: "(result i32)",
    -2: "(result i64)",
    -3: "(result f32)",
    -4: "(result f64)",
}

_CAPSTONE = {
    "x64": ("X86", ("64",)),
    "armv6m": ("ARM", ("THUMB", "MCLASS")),
    "armv7m": ("ARM", ("THUMB", "MCLASS")),
    "armv7emsp": ("ARM", ("THUMB", "MCLASS")),
    "xtensawin": ("XTENSA", ("XTENSA_ESP32",)),
    "rv32imc": ("RISCV", ("RISCV32", "RISCVC")),
}


def names_of(codes: Iterable[int]) -> list[str]:
    """The names of instructions, sorted."""
    return sorted(_NAMES.get(code, f"{code:#x}") for code in codes)


def instructions(module: Module, start: int, end: int) -> Iterator[tuple[int, str]]:
    """(position, text) of each instruction in this part of module.code."""
    reader = Reader(module.code, start, end)
    depth = 1
    while reader.pos < end:
        at = reader.pos
        code = reader.byte()
        operands = immediates(reader, code)
        if 0x02 <= code <= 0x04:
            operands = [_BLOCK_TYPES.get(operands[0], f"(type {operands[0]})")]
        if code in (0x05, 0x0B):
            depth -= 1
        yield (
            at,
            (
                "  " * depth + " ".join([_NAMES.get(code, f"{code:#x}"), *map(str, operands)])
            ).rstrip(),
        )
        if code in (0x02, 0x03, 0x04, 0x05):
            depth += 1


def listing(module: Module, noted: Compiled, target: str) -> str:
    """The text for one function. Without capstone, machine code is shown as bytes."""
    spans = [(0, "(entry)")]
    for at, text in instructions(module, noted.start, noted.end):
        spans.append((noted.places.get(at, spans[-1][0]), f"{module.code_base + at:#06x} {text}"))
    disassemble = _disassembler(target)
    lines = [f"{noted.name}: {noted.end - noted.start} bytes of wasm, {len(noted.code)} of code"]
    if disassemble is None:
        lines.append("(for assembly instead of bytes: pip install wamr-micropython[listing])")
    for number, (begin, text) in enumerate(spans):
        stop = spans[number + 1][0] if number + 1 < len(spans) else len(noted.code)
        lines.append(text)
        code = noted.code[begin : max(begin, stop)]
        if disassemble:
            lines += [f"{'':40}{line}" for line in disassemble(code, begin)]
        elif code:
            lines.append(f"{'':40}{begin:4x}  {code.hex(' ')}")
    return "\n".join(lines)


def _disassembler(target: str):
    arch, modes = _CAPSTONE[target]
    try:
        import capstone

        mode = sum(getattr(capstone, f"CS_MODE_{name}") for name in modes)
        engine = capstone.Cs(getattr(capstone, f"CS_ARCH_{arch}"), mode)
    except (ImportError, AttributeError):  # an older one knows fewer
        return None
    engine.skipdata = True

    def disassemble(code: bytes, at: int) -> list[str]:
        return [
            f"{i.address:4x}  {i.mnemonic} {i.op_str}".rstrip() for i in engine.disasm(code, at)
        ]

    return disassemble
