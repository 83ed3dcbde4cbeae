"""Methods of an assembler as functions, as firmware has them."""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from board import ROOT, Board
from native import generate

sys.path += [str(ROOT / "firmware"), str(ROOT / "tools")]

import bundle  # noqa: E402
import flatten  # noqa: E402
import make_routines  # noqa: E402
from wamr_cli.compile import compile_module  # noqa: E402

MACHINES = ("thumb2", "thumb2 vfp", "rv32", "thumb1", "xtensa", "x64")

BASE = """
class Base:
    UNIT = 1
    OFTEN = ("emit",)

    def __init__(self):
        self.code = []
        self.begin()

    def begin(self):
        self.emit(0, 0)

    # Twice that.
    def emit(self, first, second):
        self.code.append((first, second, self.UNIT))
"""
TARGET = """
_WORD = const(1 << 4)

class Target(Base):
    UNIT = 2

    def emit(self, first, second):
        if first < _WORD:
            Base.emit(self, first, second)
        else:
            self.code.append(_WORD)

    def move(self, d, s):
        self.emit(d, s)

class Other(Base):
    pass
"""
USE = """
def use(f, wide):
    asm = f.asm
    (asm.move if wide else f.asm.emit)(16, 1)
    asm.move(2, asm.UNIT)
    asm.begin()
"""


def flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *texts: str) -> str:
    monkeypatch.setattr(bundle, "SOURCES", tmp_path)
    sources = []
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.py").write_text(text)
        sources.append(bundle.Source(f"{i}.py"))
        sources[-1].inline_own()
    kind = flatten.Flat("Target", sources).make()
    return "\n".join(["\n".join(source.result()) for source in sources] + [kind])


def test_it_does_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for text in BASE + TARGET + USE, flat(tmp_path, monkeypatch, BASE, TARGET, USE):
        space: dict[str, Any] = {"const": int}
        exec(text, space)
        f = type("F", (), {"asm": space["Target"]()})
        space["use"](f, True)
        space["use"](f, False)
        found.append(f.asm.code)
    assert found[0] == found[1]
    assert found[0] == [(0, 0, 2)] + 2 * [16, (2, 2, 2), (0, 0, 2)]
    names = {n.name for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)}
    assert names == {"__init__", "asm_begin", "Base_emit", "asm_emit", "asm_move", "use"}
    assert "Other" not in text


def test_a_method_that_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = "def use(asm):\n    return asm.move\n"
    with pytest.raises(flatten.FlattenError, match=r"asm.move is not called where it stands"):
        flat(tmp_path, monkeypatch, BASE, TARGET, kept)


@pytest.mark.parametrize("machine", MACHINES)
def test_all_names_are_known(machine: str) -> None:
    files = {*bundle.everything()} - {"host_pc.py"}
    text = bundle.bundled(files, machine, True)["compiler/core.py"]
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F811,F821"]
    command += ["--config", 'builtins=["const", "micropython"]', "-"]  # which mpy-cross knows
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_one_machine() -> None:
    with pytest.raises(bundle.BundleError, match="not one target"):
        bundle.bundled(bundle.everything(), "thumb1 thumb2")


TARGETS = {"NETDUINOPLUS2": "armv7emsp", "MPS2_AN385": "armv7m", "VIRT_RV32": "rv32imc"}
# All but the architecture, which has several names on the PC, and the checksum over that.
HASH = """
import binascii, hashlib, wamr
wamr.install("/module.wasm")
with open("/module.code", "rb") as file:
    print(binascii.hexlify(hashlib.sha256(file.read()[3:-4]).digest()).decode())
"""


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.device
def test_a_board_makes_the_code_that_a_pc_makes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "module.wasm"
    with Board(name) as board:
        for data in [make_routines.every_instruction(), *map(generate.module, range(20))]:
            path.write_bytes(data)
            board.put(path, "/module.wasm")
            board.soft_reset()
            expected = compile_module(str(path), TARGETS[name]).file[3:-4]
            assert board.exec(HASH).strip() == hashlib.sha256(expected).hexdigest()
