"""The kernels on emulated boards: instructions, counted by QEMU (-icount), and heap."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

# run(1) and run(3) in one instance: the difference, halved, is free of what is done once.
COUNT = """
import gc, semihost, wamr
module = wamr.Module({data!r})
gc.collect()
start = semihost.virtual_ns()
call = wamr.Instance(module, engine={engine!r}).exports.run
made = semihost.virtual_ns() - start
spent = []
for n in (1, 3):
    gc.collect()
    start = semihost.virtual_ns()
    call(n)
    spent.append(semihost.virtual_ns() - start)
print((spent[1] - spent[0]) // 2, made)
"""

# One iteration of the same by the portable engine, which takes its time: the fuel of run(1) leads
# behind what is done once, and the fuel of an iteration through one.
ITERATION = """
import gc, semihost, wamr
execution = wamr.Instance(wamr.Module({data!r}), engine="portable").start("run", 3)
execution.step({before})
gc.collect()
start = semihost.virtual_ns()
execution.step({fuel})
print(semihost.virtual_ns() - start)
"""

HEAP = """
import gc
gc.collect()
start = gc.mem_alloc()
import wamr
gc.collect()
imported = gc.mem_alloc() - start
data = {data!r}
gc.collect()
start = gc.mem_alloc()
from wamr.program import Program
program = Program(wamr.Module(data))
code = program.main()
gc.collect()
memory = len(program.instance.memory.buf)
print("HEAP", imported, gc.mem_alloc() - start - memory, memory)
"""


def instructions(name: str, path: Path, engine: str, timeout_s: float) -> tuple[int, int] | None:
    """Instructions for a kernel iteration and for making the instance; None: does not fit."""
    from board import Board, BoardError

    with Board(name, icount=True) as board:
        try:
            output = board.exec(
                COUNT.format(data=path.read_bytes(), engine=engine), timeout_s=timeout_s
            )
        except BoardError as error:
            if "MemoryError" in str(error) or "not enough memory" in str(error):
                return None
            raise
    per_iteration, made = output.split()
    return int(per_iteration), int(made)


def portable_instructions(name: str, path: Path, timeout_s: float) -> int:
    """Instructions for a kernel iteration by the portable engine."""
    import wamr
    from board import Board

    data = path.read_bytes()
    used = []
    for n in (1, 3):
        execution = wamr.Instance(wamr.Module(data)).start("run", n)
        execution.step()
        used.append(execution.fuel_used)
    fuel = (used[1] - used[0]) // 2
    with Board(name, icount=True) as board:
        code = ITERATION.format(data=data, before=used[0], fuel=fuel)
        return int(board.exec(code, timeout_s=timeout_s))


def heap(name: str) -> tuple[int, int, int]:
    """Bytes for `import wamr`; for hello, alive, but for its linear memory; and that memory."""
    from board import Board

    hello = (ROOT / "apps" / "hello" / "hello.wasm").read_bytes()
    with Board(name) as board:
        output = board.exec(HEAP.format(data=hello), timeout_s=60)
    line = next(line for line in output.splitlines() if line.startswith("HEAP"))
    _, imported, program, memory = line.split()
    return int(imported), int(program), int(memory)
