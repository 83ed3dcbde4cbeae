"""What compiling costs on a board: instructions for an opcode, and heap beside the code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from board import ROOT, Board

sys.path.append(str(ROOT / "tools" / "bench"))

import large  # noqa: E402

OPCODES = 3679

# Measured: 16,900 and 24,200. Wanted: 25,000.
INSTRUCTIONS = {"NETDUINOPLUS2": 18500, "VIRT_RV32": 25000}
COUNT = """
import gc, semihost, wamr
module = wamr.Module("/module.wasm")
gc.collect()
start = semihost.virtual_ns()
wamr.Instance(module, engine="native")
print(semihost.virtual_ns() - start)
"""

# Measured: 15,900. Wanted: 16,384.
HEAP = 16384
# Fills the heap but for so many bytes beside the code, and compiles.
FILL = """
import gc, wamr
from wamr.compiler.build import Build
module = wamr.Module("/module.wasm")
ballast = []
gc.collect()
while gc.mem_free() > {free}:
    ballast.append(bytearray(256))
    if not len(ballast) & 15:
        gc.collect()
gc.collect()
build = Build(module)
while build.step():
    pass
print(module.native.size)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "large.wasm"
    path.write_bytes(large.module())
    return path


@pytest.mark.device
@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_instructions_for_an_opcode(name: str, path: Path) -> None:
    with Board(name, icount=True) as board:
        board.put(path, "/module.wasm")
        assert int(board.exec(COUNT, timeout_s=120)) / OPCODES <= INSTRUCTIONS[name]


@pytest.mark.device
def test_heap(path: Path) -> None:
    with Board("NETDUINOPLUS2") as board:
        board.put(path, "/module.wasm")
        size = int(board.exec(FILL.format(free=100000), timeout_s=120))
        board.soft_reset()
        assert int(board.exec(FILL.format(free=size + HEAP), timeout_s=120)) == size
