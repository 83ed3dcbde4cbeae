"""What compiling costs on a board: instructions for an opcode, and heap beside the code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from board import ROOT, Board
from kernels import bench

sys.path.append(str(ROOT / "tools" / "bench"))

import large  # noqa: E402

OPCODES = 3679

# Measured: 10,130 and 13,970. Wanted: 25,000.
INSTRUCTIONS = {"NETDUINOPLUS2": 11500, "VIRT_RV32": 15500}
# For the twelve kernels together, of 56 to 430 opcodes: as the first module since boot, and else.
KERNELS = {"NETDUINOPLUS2": (25000, 21000), "VIRT_RV32": (30500, 25000)}
KERNEL_OPCODES = 2611
COUNT = """
import gc, semihost, wamr
module = wamr.Module("/module.wasm")
for _ in range(2):
    module.native = None
    gc.collect()
    start = semihost.virtual_ns()
    wamr.Instance(module, engine="native").close()
    print(semihost.virtual_ns() - start)
"""

# Measured: 13,200. Wanted: 16,384.
HEAP = 14336
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
        counted = map(int, board.exec(COUNT, timeout_s=120).split())
        assert max(counted) / OPCODES <= INSTRUCTIONS[name]


@pytest.mark.device
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.skipif(bench.find() is None, reason=bench.HOW_TO_GET)
def test_instructions_for_an_opcode_of_small_modules(name: str) -> None:
    found = sorted((bench.find() / "wasm").glob("*.wasm"))
    assert len(found) == 12
    first = again = 0
    with Board(name, icount=True) as board:
        for path in found:
            board.put(path, "/module.wasm")
            board.soft_reset()
            counted = [*map(int, board.exec(COUNT, timeout_s=120).split())]
            first += counted[0]
            again += counted[1]
    assert first / KERNEL_OPCODES <= KERNELS[name][0]
    assert again / KERNEL_OPCODES <= KERNELS[name][1]


@pytest.mark.device
def test_heap(path: Path) -> None:
    with Board("NETDUINOPLUS2") as board:
        board.put(path, "/module.wasm")
        size = int(board.exec(FILL.format(free=100000), timeout_s=120))
        board.soft_reset()
        assert int(board.exec(FILL.format(free=size + HEAP), timeout_s=120)) == size
