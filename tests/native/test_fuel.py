"""Machine code is suspended at every unit of fuel and goes on; nothing is allocated meanwhile."""

from __future__ import annotations

import pytest
from board import Board, Unix
from kernels import bench, device_runner
from test_kernels import FOLDER, RUNNER, equipped, every_kernel, expected, needs_kernels
from wamr.compiler.thumb1 import Thumb1
from wamr.compiler.xtensa import Xtensa
from wat import ON_DEVICE, load, wat

from native import x64_only
from native.test_targets import TARGETS

from native.emulator import emulate  # isort: skip

__all__ = ["equipped"]  # a fixture: boards with the kernels
# The amounts of fuel: all of them with WAMR_FULL=1, fewer every day where a run takes longer.
ALL = range(1, 1001)
SOME = ALL if bench.FULL else [*range(1, 30), *range(30, 1001, 29)]
# These take minutes, and are suspended in test_targets.py.
EMULATED = [target for target in TARGETS if bench.FULL or target not in (Thumb1, Xtensa)]


@needs_kernels
@every_kernel
def test_here(name: str) -> None:
    reported: list[str] = []
    path = str(FOLDER / "wasm" / f"{name}.wasm")
    device_runner.at_each(path, ALL, reported.append, engine="native")
    assert reported == expected(name, (1,))


@needs_kernels
@every_kernel
def test_unix(name: str, unix: Unix) -> None:
    path = str(FOLDER / "wasm" / f"{name}.wasm")
    # In a small heap, which is collected sooner.
    output = Unix(heap="4m").exec(
        f"{ON_DEVICE}sys.path.insert(0, {str(RUNNER.parent)!r})\n"
        f"from device_runner import at_each\nat_each({path!r}, {list(SOME)}, "
        f"engine='native')",
        timeout_s=300,
    )
    assert output.splitlines() == expected(name, (1,))


@needs_kernels
@every_kernel
@pytest.mark.parametrize("target", EMULATED)
def test_emulated(name: str, target: type) -> None:
    reported: list[str] = []
    path = str(FOLDER / "wasm" / f"{name}.wasm")
    with emulate(target):
        device_runner.at_each(path, SOME, reported.append, engine="native")
    assert reported == expected(name, (1,))


@needs_kernels
@pytest.mark.device
@every_kernel
def test_board(name: str, equipped: Board) -> None:
    equipped.soft_reset()
    output = equipped.exec(
        f"import kernel_runner\n"
        f"kernel_runner.at_each('/{name}.wasm', {list(SOME)}, engine='native')",
        timeout_s=600,
    )
    assert output.splitlines() == expected(name, (1,))


# A step of a million iterations allocates no more than one of a thousand.
LOOP = """(func (export "f") (param i32) (result i32) (local i32)
  (loop $l
    (local.set 1 (i32.add (local.get 1) (i32.load (i32.and (local.get 0) (i32.const 60)))))
    (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
  (local.get 1)) (memory 1 1) (global (export "__heap_base") i32 (i32.const 64))"""
ALLOCATED = f"""
import gc, wamr
e = wamr.Instance(wamr.Module({wat(LOOP)!r}), engine="native").start("f", 2000000)
used = [0, 0, 0]
e.step(1000)
for k in range(3):
    gc.collect()
    before = gc.mem_alloc()
    e.step(1000000 if k == 2 else 1000)
    used[k] = gc.mem_alloc() - before
print(e.fuel_used, used[2] - used[1])"""


def test_a_million_iterations_allocate_nothing(unix: Unix) -> None:
    assert unix.exec(ON_DEVICE + ALLOCATED).split() == ["1003000", "0"]


def test_nor_do_they_on_a_board(board: Board) -> None:
    assert board.exec(ALLOCATED).split() == ["1003000", "0"]


@x64_only
def test_a_slice_ends_after_a_hundred_operations_of_python() -> None:
    instance = load(
        """(memory 1) (global $n (export "n") (mut i32) (i32.const 0))
        (func (export "f") (loop $l
          (memory.fill (i32.const 0) (i32.const 1) (i32.const 100))
          (global.set $n (i32.add (global.get $n) (i32.const 1)))
          (br $l)))""",
        engine="native",
    )
    execution = instance.start("f")
    execution.fair = True
    assert not execution.step(20000)
    assert 90 <= instance.exports.n.value <= 101
