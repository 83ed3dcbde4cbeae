"""The benchmark kernels: checksums, fuel and suspension, on every target."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import wamr
from board import BOARDS, BUILD, Board, Unix
from kernels import bench, device_runner
from wat import ON_DEVICE

FOLDER = bench.find()
CHECKSUMS = bench.expected(FOLDER) if FOLDER else {}

needs_kernels = pytest.mark.skipif(FOLDER is None, reason=bench.HOW_TO_GET)
every_kernel = pytest.mark.parametrize("name", CHECKSUMS or ["none"])

# Fuel of run(1) and run(3), the same on every target and in every engine: one unit at each
# function entry and each taken loop back-edge.
FUEL = {
    "brtable": (5508, 16510),
    "bytes": (7164, 19446),
    "crc32": (5119, 13311),
    "fib": (1364, 4092),
    "i64mix": (500, 1500),
    "icall": (11009, 33013),
    "mandel": (1660, 4980),
    "matmul_f32": (4031, 10943),
    "matmul_i32": (3743, 10655),
    "quicksort": (11051, 34852),
    "sha256": (8575, 23679),
    "sieve": (27338, 82014),
}


RUNNER = Path(device_runner.__file__)


def load(name: str) -> wamr.Instance:
    module = wamr.Module((FOLDER / "wasm" / f"{name}.wasm").read_bytes())
    return wamr.Instance(module, engine="portable")


def unsigned(number: int) -> int:
    return number & 0xFFFFFFFF


@needs_kernels
@every_kernel
def test_checksum_and_fuel(name: str) -> None:
    reported: list[str] = []
    path = FOLDER / "wasm" / f"{name}.wasm"
    device_runner.main(str(path), report=reported.append)
    assert reported == expected(name)


@needs_kernels
@every_kernel
def test_suspended_at_each_of_the_first_thousand_units(name: str) -> None:
    instance = load(name)
    assert device_runner.call(instance, 1, 1000) == (CHECKSUMS[name][0], FUEL[name][0])
    assert device_runner.call(instance, 3, 0)[0] == CHECKSUMS[name][1]


@needs_kernels
@every_kernel
@pytest.mark.parametrize("slice", [2, 3, 7, 61, 1000])
def test_suspended_all_the_way(name: str, slice: int) -> None:
    execution = load(name).start("run", 1)
    steps = 1
    while not execution.step(slice):
        assert execution.fuel_used == steps * slice
        steps += 1
    assert unsigned(execution.result) == CHECKSUMS[name][0]
    assert execution.fuel_used == FUEL[name][0]


def expected(name: str, counts: tuple[int, ...] = (1, 3)) -> list[str]:
    lines = [f"run({n}) {CHECKSUMS[name][i]} {FUEL[name][i]}" for i, n in enumerate((1, 3))]
    return lines[: len(counts)]


@needs_kernels
@every_kernel
def test_unix(name: str, unix: Unix) -> None:
    """Checksums, fuel, and a thousand suspensions in each call."""
    path = FOLDER / "wasm" / f"{name}.wasm"
    output = unix.exec(
        f"{ON_DEVICE}sys.path.insert(0, {str(RUNNER.parent)!r})\n"
        f"from device_runner import main\nmain({str(path)!r}, suspensions=1000)"
    )
    assert output.splitlines() == expected(name)


@pytest.fixture(scope="module", params=list(BOARDS))
def equipped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    """A board with the runner and the kernels on its flash disk."""
    compiled = tmp_path_factory.mktemp("kernels") / "kernel_runner.mpy"
    cross = BUILD / "mpy-cross" / "mpy-cross"
    subprocess.run([cross, "-s", "kernel_runner.py", "-o", compiled, RUNNER], check=True)
    with Board(request.param) as board:
        board.put(compiled, "/kernel_runner.mpy")
        for path in (FOLDER / "wasm").glob("*.wasm"):
            board.put(path, f"/{path.name}")
        yield board


@needs_kernels
@pytest.mark.device
@every_kernel
def test_board(name: str, equipped: Board) -> None:
    """The same as on the unix port; run(3) with WAMR_FULL=1."""
    counts = (1, 3) if bench.FULL else (1,)
    equipped.soft_reset()
    output = equipped.exec(
        f"import kernel_runner; kernel_runner.main('/{name}.wasm', {counts}, suspensions=1000)",
        timeout_s=600,
    )
    assert output.splitlines() == expected(name, counts)


@needs_kernels
@every_kernel
@pytest.mark.skipif(not bench.FULL, reason="takes 20 minutes; WAMR_FULL=1 runs it")
@pytest.mark.slow
def test_suspended_once_at_every_unit_up_to_a_thousand(name: str) -> None:
    for fuel in range(1, 1001):
        execution = load(name).start("run", 1)
        if not execution.step(fuel):
            assert execution.fuel_used == fuel
            assert execution.step()
        assert unsigned(execution.result) == CHECKSUMS[name][0], fuel
        assert execution.fuel_used == FUEL[name][0]
