"""The kernels on this PC: our engines beside pywasm and wasm3, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import kernels
from table import progress

# run(n) is measured with an n that makes it take this long, so that the call itself, from Python,
# does not count; n is 1 for the slow engines.
SECONDS = 0.1

ON_UNIX = """
import time, wamr
call = wamr.Instance(wamr.Module({path!r}), engine={engine!r}).exports.run
result = call(1)
n = 1
while True:
    start = time.ticks_us()
    call(n)
    spent = time.ticks_diff(time.ticks_us(), start)
    if spent > {us}:
        break
    n *= 4
print(spent / n, result & 0xFFFFFFFF)
"""


def timed(call: Callable[[int], int]) -> tuple[float, int]:
    """Seconds for an iteration, and the checksum of run(1).

    The first call is not timed, because it does what is done once: some kernels make a table, some
    engines compile.
    """
    result = call(1)
    n = 1
    while True:
        start = time.perf_counter()
        call(n)
        spent = time.perf_counter() - start
        if spent > SECONDS:
            return spent / n, result & 0xFFFFFFFF
        n *= 4


def ours(engine: str) -> Callable[[Path], tuple[float, int]]:
    def run(path: Path) -> tuple[float, int]:
        import wamr

        return timed(wamr.Instance(wamr.Module(str(path)), engine=engine).exports.run)

    return run


def unix(engine: str) -> Callable[[Path], tuple[float, int]]:
    def run(path: Path) -> tuple[float, int]:
        from board import Unix

        output = Unix().exec(
            ON_UNIX.format(path=str(path), engine=engine, us=SECONDS * 1e6), timeout_s=300
        )
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


def measure(names: Iterable[str]) -> dict[str, dict[str, float]]:
    """Seconds of each engine for each kernel; ValueError when a checksum is wrong."""
    seconds: dict[str, dict[str, float]] = {}
    for name in names:
        seconds[name] = {}
        for engine, run in ENGINES.items():
            progress(f"{name}: {engine}")
            seconds[name][engine], result = run(kernels.wasm(name))
            if result != kernels.checksums(name)[0]:
                raise ValueError(f"{engine} computes {name} wrongly: run(1) is {result}")
    return seconds
