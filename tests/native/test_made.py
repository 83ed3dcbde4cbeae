"""Stubs and routines that firmware has ready made are those that the compiler emits."""

from __future__ import annotations

import ast
import sys

import pytest
import wamr
from board import ROOT

sys.path.append(str(ROOT / "firmware"))

import bundle  # noqa: E402
import make_routines  # noqa: E402
from wamr.compiler import machine, made, program  # noqa: E402

ARCHITECTURES = {kind: arch for arch, (kind, _) in machine.TARGETS.items()}


class Routines(made.Routines):
    """For CPython, whose arrays are not extended by bytes."""

    def _copy(self, code: bytes) -> None:
        asm = self.program.asm
        (asm.code.extend if asm.UNIT == 1 else asm.code.frombytes)(code)


def compiled(arch: int, ready: tuple | None = None) -> tuple[bytes, list[int]]:
    asm = machine.assembler(arch)
    asm.MADE = ready
    module = wamr.Module(make_routines.every_instruction())
    result = program.Program(module, asm)
    for _ in result.compile():
        pass
    return b"".join(map(bytes, result.parts)), result.offsets


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_same_code(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arch = ARCHITECTURES[kind]
    emitted = compiled(arch)
    ready = make_routines.make(arch)
    monkeypatch.setattr(program, "Routines", Routines)
    assert compiled(arch, ready) == emitted


def test_what_emits_them_is_left_out() -> None:
    files = {file for file in bundle.everything() if file != "host_pc.py"}
    found = bundle.bundled(files, "rv32")
    assert not [file for file in found if "float32" in file or "int64" in file]
    names = {
        node.name
        for node in ast.walk(ast.parse(found["compiler/core.py"]))
        if isinstance(node, ast.FunctionDef)
    }
    assert not {"asm_bits", "asm_umull", "asm_trap_routine", "asm__suspend_stub"} & names
    assert {"asm_patch", "asm_call_stub", "asm_move", "asm_check_exact"} <= names
