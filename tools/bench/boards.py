"""The kernels on emulated boards: QEMU with -icount, where an instruction takes a nanosecond."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import kernels
from board import Board, BoardError
from table import progress

# run(1) and run(3) in one instance, after which nothing is done for the first time: what a second
# run(3) takes more than a run(1), halved, is an iteration.
COUNT = """
import gc, semihost, wamr
module = wamr.Module({data!r})
gc.collect()
start = semihost.virtual_ns()
call = wamr.Instance(module, engine="native").exports.run
compiled = semihost.virtual_ns() - start
spent = []
sums = []
for n in (1, 3, 1, 3):
    gc.collect()
    start = semihost.virtual_ns()
    sums.append(call(n) & 0xFFFFFFFF)
    spent.append(semihost.virtual_ns() - start)
module.native = call = None
gc.collect()
start = semihost.virtual_ns()
wamr.Instance(module, engine="native")
again = semihost.virtual_ns() - start
print(sums[0], sums[1], (spent[3] - spent[2]) // 2, compiled, again)
"""

COMPILE = """
import gc, semihost, wamr
module = wamr.Module("/module.wasm")
gc.collect()
start = semihost.virtual_ns()
instance = wamr.Instance(module, engine="native")
print(semihost.virtual_ns() - start)
"""

# One iteration by the portable engine, which takes its time: the fuel of run(1) leads behind what
# is done once, and the fuel of an iteration through one.
PORTABLE = """
import gc, semihost, wamr
execution = wamr.Instance(wamr.Module({data!r}), engine="portable").start("run", 3)
execution.step({before})
gc.collect()
start = semihost.virtual_ns()
execution.step({fuel})
print(semihost.virtual_ns() - start)
"""

# Seconds that a kernel may take, which is more than machine code needs for any.
TIMEOUT_S = 60


@dataclass
class Counted:
    """Instructions of one kernel on one board."""

    iteration: int
    compiling: int  # the first module since boot: with what is loaded only once
    again: int  # any other


def count(name: str, names: Iterable[str] = tuple(kernels.EXECUTED)) -> dict[str, Counted]:
    """The kernels that fit on a board and end; ValueError when one returns something wrong."""
    found = {}
    with Board(name, icount=True) as board:
        for kernel in names:
            progress(f"{name}: {kernel}")
            board.soft_reset()
            code = COUNT.format(data=kernels.wasm(kernel).read_bytes())
            try:
                output = board.exec(code, timeout_s=TIMEOUT_S)
            except BoardError as error:
                progress(f"{name}: {kernel}: {str(error).splitlines()[-1]}")
                continue
            one, three, *counted = map(int, output.split())
            if [one, three] != kernels.checksums(kernel):
                raise ValueError(f"{name} computes {kernel} wrongly: {one}, {three}")
            found[kernel] = Counted(*counted)
    return found


def compiling(name: str, data: bytes) -> int | None:
    """Instructions to compile a module on a board; None if it does not fit."""
    with Board(name, icount=True) as board, tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        board.put(file.name, "/module.wasm")
        progress(f"{name}: {len(data)} bytes")
        try:
            return int(board.exec(COMPILE, timeout_s=5 * TIMEOUT_S))
        except BoardError as error:
            progress(f"{name}: {str(error).splitlines()[-1]}")
            return None


def portable(board: Board, kernel: str) -> int:
    """Instructions for a kernel iteration by the portable engine."""
    import wamr

    data = kernels.wasm(kernel).read_bytes()
    used = []
    for n in (1, 3):
        execution = wamr.Instance(wamr.Module(data), engine="portable").start("run", n)
        execution.step()
        used.append(execution.fuel_used)
    fuel = (used[1] - used[0]) // 2
    board.soft_reset()
    code = PORTABLE.format(data=data, before=used[0], fuel=fuel)
    return int(board.exec(code, timeout_s=300))
