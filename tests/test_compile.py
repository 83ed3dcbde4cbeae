"""`wamr compile`: the file for the board, the table of functions, the listing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import wamr
from board import BUILD
from native import x64_only
from wamr_cli import main
from wamr_cli.compile import TARGETS, compile_module
from wamr_cli.listing import instructions, listing
from wat import wat

ROOT = Path(__file__).resolve().parent.parent
TEXT = """(memory 1)
  (func $sum (export "sum") (param i32) (result i32) (local i32)
    (loop $l
      (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))
  (func $grow (export "grow") (result i32) (memory.grow (i32.const 1)))"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "app.wasm"
    path.write_bytes(wat(TEXT))
    return path


@pytest.mark.parametrize("target", TARGETS)
def test_functions_are_described(path: Path, target: str) -> None:
    total, grow = compile_module(str(path), target).functions
    assert (total.name, total.locals, total.in_registers, total.reasons) == ("sum", 2, 2, "")
    assert (grow.name, grow.reasons) == ("grow", "memory.grow left to Python")
    assert len(total.code) > 20 and len(grow.code) > 20


@pytest.mark.parametrize("target", TARGETS)
def test_every_instruction_is_listed_once_and_all_code(path: Path, target: str) -> None:
    result = compile_module(str(path), target)
    for noted in result.functions:
        positions = [at for at, _ in instructions(result.module, noted.start, noted.end)]
        places = [noted.places[at] for at in positions if at in noted.places]
        assert places == sorted(places) and places[-1] <= len(noted.code)
        assert result.module.code[positions[-1]] == 0x0B
    text = listing(result.module, result.functions[0], target)
    assert "loop\n" in text and "i32.sub" in text and "local.tee 0" in text


def test_listing_without_a_disassembler(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "capstone", None)
    assert main(["compile", "--target", "x64", "--listing", str(path)]) == 0
    out = capsys.readouterr().out
    assert "[listing])" in out
    result = compile_module(str(path), "x64")
    shown = "".join(out.split())
    for noted in result.functions:
        assert noted.code[:4].hex() in shown


@x64_only
def test_the_file_is_what_the_board_would_have_made(path: Path) -> None:
    code = path.with_suffix(".code")
    assert main(["compile", "--target", "x64", "-o", str(code), str(path)]) == 0
    instance = wamr.Instance(wamr.Module(str(path)))
    assert wamr.info(instance).origin == "cache"
    assert instance.exports.sum(4) == 10
    data = code.read_bytes()
    wamr.install(str(path))
    assert code.read_bytes() == data


@pytest.mark.device
def test_the_file_can_be_frozen(path: Path, tmp_path: Path) -> None:
    """MicroPython's own tool takes it, under the name by which the board finds it."""
    from emulator import load_pyboard

    tools = Path(load_pyboard().__file__).parent
    for target in ("armv7emsp", "rv32imc"):
        result = compile_module(str(path), target)
        (tmp_path / "app.mpy").write_bytes(result.file)
        names = BUILD / "firmware" / "NETDUINOPLUS2" / "genhdr" / "qstrdefs.preprocessed.h"
        done = subprocess.run(
            [sys.executable, tools / "mpy-tool.py", "-f", "-q", names, tmp_path / "app.mpy"],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        name = result.name.replace(".", "/")
        assert f'"{name}.py\\0"' in done.stdout


def test_wrong_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.wasm"
    bad.write_bytes(b"\0asm\1\0\0\0\1")
    assert main(["compile", "--target", "x64", str(bad)]) == 3
    assert main(["compile", "--target", "x64", str(tmp_path / "none.wasm")]) == 3
    assert main(["compile", "--target", "z80", str(bad)]) == 2
    assert "z80" in capsys.readouterr().err
