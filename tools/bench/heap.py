"""Heap on a board: what compiling needs for a while, what running adds, what hello takes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import kernels
import large
from board import Board, Unix
from table import progress
from wat import wat

# Fills the heap but for so many bytes, and tries.
COMPILE = """
import gc, wamr
from wamr.compiler.build import Build
module = wamr.Module("/module.wasm")
ballast = [None] * 200
gc.collect()
surplus = gc.mem_free() - {free}
for i in range(200):
    n = min(surplus, 1040)
    if n > 64:
        ballast[i] = bytearray(n - 16)
        surplus -= n
gc.collect()
start = gc.mem_alloc()
try:
    build = Build(module)
    while build.step():
        pass
    gc.collect()
    print(module.native.size, gc.mem_alloc() - start)
except MemoryError:
    print("no room")
"""

# A step of nearly a million iterations may allocate no more than one of a thousand.
LOOP = """
import gc, wamr
execution = wamr.Instance(wamr.Module({data!r}), engine="native").start("f", 2000000)
execution.step(1000)
used = [0, 0, 0]
for i in range(3):
    gc.collect()
    before = gc.mem_alloc()
    execution.step(1000000 if i == 2 else 1000)
    used[i] = gc.mem_alloc() - before
print(execution.fuel_used, used[2] - used[1])
"""
ITERATIONS = """(func (export "f") (param i32) (result i32) (local i32)
  (loop $l
    (local.set 1 (i32.add (local.get 1) (i32.load (i32.and (local.get 0) (i32.const 60)))))
    (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
  (local.get 1)) (memory 1 1) (global (export "__heap_base") i32 (i32.const 64))"""

HELLO = """
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
program = Program(wamr.Module(data), engine={engine!r})
code = program.main()
gc.collect()
memory = len(program.instance.memory.buf)
print("HEAP", imported, gc.mem_alloc() - start - memory, memory)
"""

STEP = 256
MOST = 120 * 1024


@dataclass
class Compiling:
    """Bytes of heap for one module: what must be free, and what of that remains in use."""

    free: int
    code: int
    kept: int

    @property
    def beside(self) -> int:
        """What it takes beside the code, the compiler's own files among it."""
        return self.free - self.code


def compiling(name: str, modules: dict[str, bytes]) -> dict[str, Compiling | None]:
    """The least free heap with which each module can be compiled on a board; None: no heap is."""
    found = {}
    with Board(name) as board, tempfile.TemporaryDirectory() as folder:
        for kernel, data in modules.items():
            progress(f"{name}: heap to compile {kernel}")
            path = Path(folder) / kernel
            path.write_bytes(data)
            board.put(path, "/module.wasm")
            low, high = 0, MOST
            best = None
            while high - low > STEP:
                free = (low + high) // 2
                board.soft_reset()
                output = board.exec(COMPILE.format(free=free), timeout_s=120)
                if "no room" in output:
                    low = free
                else:
                    high = free
                    best = Compiling(free, *map(int, output.split()))
            found[kernel] = best
    return found


def modules() -> dict[str, bytes]:
    found = {name: kernels.wasm(name).read_bytes() for name in kernels.EXECUTED}
    found["large"] = large.module()
    return found


def loop(device: Board | Unix) -> int:
    """Bytes that a million iterations allocate."""
    fuel, allocated = map(int, device.exec(LOOP.format(data=wat(ITERATIONS))).split())
    assert fuel == 1003000
    return allocated


def hello(name: str, engine: str) -> tuple[int, int, int]:
    """Bytes for `import wamr`; for hello, alive, but for its linear memory; and that memory."""
    data = (kernels.ROOT / "apps" / "hello" / "hello.wasm").read_bytes()
    with Board(name) as board:
        output = board.exec(HELLO.format(data=data, engine=engine), timeout_s=60)
    line = next(line for line in output.splitlines() if line.startswith("HEAP"))
    _, imported, program, memory = line.split()
    return int(imported), int(program), int(memory)
