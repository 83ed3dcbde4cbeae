"""The kernels on this PC: our engines beside pywasm and wasm3, in one run."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "wamr_mp"))
sys.path.insert(0, str(ROOT / "tests"))

# What is measured is repeated until it took this long.
SECONDS = 0.2

ON_UNIX = """
import time, wamr
call = wamr.Instance(wamr.Module({path!r}), engine={engine!r}).exports.run
result = call(1)
n = 0
start = time.ticks_us()
while not n or time.ticks_diff(time.ticks_us(), start) < 200000:
    call(1)
    n += 1
print(time.ticks_diff(time.ticks_us(), start) / n, result & 0xFFFFFFFF)
"""


def timed(call: Callable[[int], int]) -> tuple[float, int]:
    """Seconds for run(1), the mean over as many calls as fit, and the checksum of the first one.

    The first one is not timed, because it does what is done once: some kernels make a table, some
    engines compile.
    """
    result = call(1)
    n = 0
    start = time.perf_counter()
    while not n or time.perf_counter() - start < SECONDS:
        call(1)
        n += 1
    return (time.perf_counter() - start) / n, result & 0xFFFFFFFF


def ours(engine: str) -> Callable[[Path], tuple[float, int]]:
    def run(path: Path) -> tuple[float, int]:
        import wamr

        return timed(wamr.Instance(wamr.Module(str(path)), engine=engine).exports.run)

    return run


def unix(engine: str) -> Callable[[Path], tuple[float, int]]:
    def run(path: Path) -> tuple[float, int]:
        from board import Unix

        output = Unix().exec(ON_UNIX.format(path=str(path), engine=engine), timeout_s=300)
        microseconds, result = output.split()
        return float(microseconds) / 1e6, int(result)

    return run


def pywasm(path: Path) -> tuple[float, int]:
    import pywasm

    runtime = pywasm.core.Runtime()
    module = runtime.instance_from_file(str(path))
    return timed(lambda n: runtime.invocate(module, "run", [n])[0])


def wasm3(path: Path) -> tuple[float, int]:
    import wasm3

    environment = wasm3.Environment()
    runtime = environment.new_runtime(65536)
    runtime.load(environment.parse_module(path.read_bytes()))
    return timed(runtime.find_function("run"))


ENGINES = {
    "pywasm": pywasm,
    "CPython portable": ours("portable"),
    "unix portable": unix("portable"),
    "wasm3": wasm3,
    "CPython native": ours("native"),
    "unix native": unix("native"),
}


def measure(folder: Path, names: list[str]) -> dict[str, dict[str, float]]:
    """Seconds of each engine for each kernel; ValueError when a checksum is wrong."""
    expected = json.loads((folder / "expected.json").read_text())
    seconds: dict[str, dict[str, float]] = {}
    for name in names:
        seconds[name] = {}
        for engine, run in ENGINES.items():
            print(f"  {name}: {engine} …", file=sys.stderr, flush=True)
            seconds[name][engine], result = run(folder / "wasm" / f"{name}.wasm")
            if result != expected[name][0]:
                raise ValueError(f"{engine} computes {name} wrongly: run(1) is {result}")
    return seconds
