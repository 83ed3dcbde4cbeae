"""The benchmark kernels: checksums, fuel and suspension, on every target."""

from __future__ import annotations

import pytest
import wamr
from kernels import bench, device_runner

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


def load(name: str) -> wamr.Instance:
    return wamr.Instance(wamr.Module((FOLDER / "wasm" / f"{name}.wasm").read_bytes()))


def unsigned(number: int) -> int:
    return number & 0xFFFFFFFF


@needs_kernels
@every_kernel
def test_checksum_and_fuel(name: str) -> None:
    reported: list[str] = []
    path = FOLDER / "wasm" / f"{name}.wasm"
    device_runner.main(str(path), report=reported.append)
    first, second = CHECKSUMS[name]
    fuel = FUEL[name]
    assert reported == [f"run(1) {first} {fuel[0]}", f"run(3) {second} {fuel[1]}"]


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


@needs_kernels
@every_kernel
@pytest.mark.slow
def test_suspended_once_at_every_unit_up_to_a_thousand(name: str) -> None:
    for fuel in range(1, 1001):
        execution = load(name).start("run", 1)
        if not execution.step(fuel):
            assert execution.fuel_used == fuel
            assert execution.step()
        assert unsigned(execution.result) == CHECKSUMS[name][0], fuel
        assert execution.fuel_used == FUEL[name][0]
