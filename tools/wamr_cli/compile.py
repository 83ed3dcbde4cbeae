"""`wamr compile`: machine code for a board, to be frozen into its firmware."""

from __future__ import annotations

import struct
from binascii import crc32
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import wamr
from wamr.compiler import cache, context, machine
from wamr.compiler.function import Function
from wamr.compiler.program import Program

from wamr_cli.errors import LoadError
from wamr_cli.listing import listing, names_of
from wamr_cli.load import check
from wamr_cli.table import table

# The targets' names, and MicroPython's number for the architecture.
TARGETS = {"x64": 2, "armv6m": 4, "armv7m": 5, "armv7emsp": 7, "xtensawin": 10, "rv32imc": 11}
_MPY_SUB_VERSION = 3


@dataclass
class Compiled:
    """What became of one function."""

    index: int
    name: str
    start: int  # of its instructions, in module.code
    end: int
    locals: int = 0
    in_registers: int = 0
    far: bool = False  # it is so large that it was compiled twice
    left: set[int] = field(default_factory=set)  # opcodes that are left to Python
    places: dict[int, int] = field(default_factory=dict)  # position -> offset in the code
    code: bytes = b""

    @property
    def reasons(self) -> str:
        """What made it larger or slower than it might be."""
        reasons = ["far branches"] if self.far else []
        reasons += [f"{name} left to Python" for name in names_of(self.left)]
        return "; ".join(reasons)


class _Trace:
    """The code of a module that notes how far the machine code is when a byte is read."""

    def __init__(self, code: Any, noted: Compiled, asm: Any) -> None:
        self.code, self.noted, self.asm = code, noted, asm

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, int):
            self.noted.places[at] = self.asm.base + self.asm.here() * self.asm.UNIT
        return self.code[at]


class _Function(Function):
    program: _Program

    def begin(self, index: int) -> tuple:
        begun = super().begin(index)
        body = 7 * (index - self.module.n_imported_funcs)
        name = self.module.function_name(index) or f"function {index}"
        noted = Compiled(index, name, self.start, self.module.bodies[body + 6])
        noted.locals, noted.in_registers = len(self.place), len(self.owners)
        noted.far = self.asm.far
        self.program.noted[index] = noted
        self.code = _Trace(self.code, noted, self.asm)
        return begun


class _Program(Program):
    """A Program that notes what becomes of its functions."""

    FUNCTION = _Function

    def __init__(self, module: wamr.Module, asm: Any) -> None:
        self.noted: dict[int, Compiled] = {}
        self.ends: dict[int, int] = {}
        super().__init__(module, asm)
        leave = asm.leave

        def leaving(stub: int, *args: int) -> None:
            if stub == self.stubs[context.OPERATION]:
                list(self.noted.values())[-1].left.add(module.code[args[0]])
            leave(stub, *args)

        asm.leave = leaving

    def function(self, index: int) -> None:
        super().function(index)
        self.ends[index] = self.size


@dataclass
class Result:
    """A compiled module; `file` is for the board, which finds it frozen under `name`."""

    module: wamr.Module
    functions: list[Compiled]
    size: int
    name: str
    file: bytes


def code_size(module: wamr.Module, target: str) -> int:
    """Bytes of machine code, with all that a module needs of it."""
    program = Program(module, machine.assembler(TARGETS[target]))
    for _ in program.compile():
        pass
    return program.size


def compile_module(path: str, target: str) -> Result:
    """Compile the module in a file. CompileError, OSError."""
    module = wamr.Module(path)
    arch = TARGETS[target]
    program = _Program(module, machine.assembler(arch))
    for _ in program.compile():
        pass
    code = b"".join(map(bytes, program.parts))
    for index, noted in program.noted.items():
        start = program.offsets[index]
        noted.code = code[start : program.ends[index]]
        noted.places = {pc: at - start for pc, at in noted.places.items()}
    key = cache.key_of(module, machine.target(arch))
    feature = arch << 2 | _MPY_SUB_VERSION
    whole = cache.parts_of(feature, key, program.parts, program.table(), len(code))
    data = b"".join(map(bytes, whole))
    data += struct.pack("<I", crc32(data))
    return Result(module, list(program.noted.values()), len(code), cache.name_of(key), data)


@click.command("compile", short_help="Compile FILE for a board.")
@click.argument("file", type=click.Path())
@click.option(
    "--target", type=click.Choice(list(TARGETS)), required=True, help="What the board runs."
)
@click.option("-o", "--output", type=click.Path(), help="Write the code to this .mpy file.")
@click.option(
    "--listing", "listed", is_flag=True, help="Show the machine code of each instruction."
)
def compile_command(file: str, target: str, output: str | None, listed: bool) -> None:
    """Compile FILE for a board, and show what became of each function.

    The .mpy file is for freezing into firmware: freeze_mpy(folder, "app.mpy") in its manifest. A
    board finds it by the hash of FILE, so that it runs nothing but the code of what it loads.
    """
    check(file)
    try:
        result = compile_module(file, target)
    except wamr.CompileError as error:
        raise LoadError(f"{file}: {error}") from None
    if listed:
        for noted in result.functions:
            click.echo(listing(result.module, noted, target) + "\n")
    head = ("FUNCTION", "WASM", "CODE", "LOCALS", "REGISTERS", "REASONS")
    rows = [
        (f.name, f.end - f.start, len(f.code), f.locals, f.in_registers, f.reasons)
        for f in result.functions
    ]
    click.echo(table(head, rows))
    wasm = sum(f.end - f.start for f in result.functions)
    click.echo(f"\n{result.size:,} bytes of code with stubs and routines, of {wasm:,} of wasm")
    if output:
        try:
            Path(output).write_bytes(result.file)
        except OSError as error:
            raise LoadError(f"cannot write {output}: {error.strerror}") from None
        click.echo(f"{output}: {len(result.file):,} bytes, frozen as {result.name}")
