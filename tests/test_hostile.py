"""Mutated modules: no crash, no hang, no exception but the documented ones.

WAMR_FULL=1 tries 10,000 of them; the everyday number is smaller. WAMR_HOSTILE_SEED sets the seed.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import wamr
from board import unix_path
from hostile import bombs, mutate
from kernels import bench
from spec import suite

TOP = Path(__file__).resolve().parent.parent
COUNT = 10_000 if bench.FULL else 1500
SEED = int(os.environ.get("WAMR_HOSTILE_SEED", "2"))
# What wasmtime knows and we do not.
NOT_OURS = (
    "simd relaxed_simd threads multi_memory memory64 gc function_references exceptions "
    "wide_arithmetic stack_switching"
).split()
IMPORTED_FROM = [str(TOP / "tests" / "hostile"), str(TOP / "wamr_mp")]
UNIX = [str(unix_path()), "-X", "heapsize=64m"]
# What a module may make the process take, and seconds for all of them.
MEMORY = 1 << 30
SECONDS = 120 + COUNT // 4


def corpus() -> list[bytes]:
    paths = list((TOP / "apps").rglob("*.wasm"))
    if folder := bench.find():
        paths += (folder / "wasm").glob("*.wasm")
    if folder := suite.find():
        paths += suite.good_modules(folder)
    return mutate.corpus(paths)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    good = corpus()
    if not good:
        pytest.skip(suite.HOW_TO_GET)
    path = tmp_path_factory.mktemp("hostile") / "modules"
    path.write_bytes(mutate.stream(mutate.Mutator(good, SEED).modules(COUNT)))
    return path


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(command: list[str], path: Path, engine: str) -> str:
    """Runs device_runner.py in a process of its own, which can neither hang nor eat all memory."""
    setup = f"import sys; sys.path[:0] = {IMPORTED_FROM!r}; from device_runner import main"
    code = f"{setup}; main({str(path)!r}, {str(path) + '.one'!r}, {engine!r})"
    done = subprocess.run(
        [*command, "-c", code],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        preexec_fn=limit_memory,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    print(done.stdout)
    return done.stdout


def check(output: str, count: int) -> None:
    bad = [line for line in output.splitlines() if line.startswith("BAD")]
    assert not bad, f"seed {SEED}, {COUNT} modules:\n" + "\n".join(bad)
    assert f"RESULT {count} modules, 0 bad" in output


engines = pytest.mark.parametrize("engine", ["portable", "native"])


@engines
def test_cpython(engine: str, stream: Path) -> None:
    check(run([sys.executable], stream, engine), COUNT)


@pytest.mark.device
@engines
def test_unix(engine: str, stream: Path) -> None:
    check(run(UNIX, stream, engine), COUNT)


# On MicroPython fewer elements: its allocator takes long for many objects in a large heap.
@pytest.mark.parametrize(
    "command, elements",
    [([sys.executable], 100_000), pytest.param(UNIX, 5_000, marks=pytest.mark.device)],
    ids=["cpython", "unix"],
)
@engines
def test_bombs(engine: str, command: list[str], elements: int, tmp_path: Path) -> None:
    """Small modules that ask for much: much memory, long loops, deep nesting."""
    modules = bombs.bombs(elements)
    path = tmp_path / "bombs"
    path.write_bytes(mutate.stream(modules.values()))
    output = run(command, path, engine)
    for number, name in enumerate(modules):
        output = output.replace(f"BAD {number} ", f"BAD {name} ")
    check(output, len(modules))


def test_the_verdict_is_wasmtimes() -> None:
    """Another engine takes and refuses the same modules."""
    wasmtime = pytest.importorskip("wasmtime")
    good = corpus()
    if not good:
        pytest.skip(suite.HOW_TO_GET)
    config = wasmtime.Config()
    config.wasm_tail_call = config.wasm_custom_page_sizes = True
    for feature in NOT_OURS:
        setattr(config, f"wasm_{feature}", False)
    engine = wasmtime.Engine(config)
    for number, data in enumerate(mutate.Mutator(good, SEED + 1).modules(COUNT)):
        ours = theirs = "valid"
        try:
            wamr.Module(data)
        except wamr.CompileError as error:
            ours = str(error)
        try:
            wasmtime.Module.validate(engine, data)
        except wasmtime.WasmtimeError as error:
            theirs = str(error)
        # wasmtime reads the limits of tables as 64-bit numbers.
        if "integer representation too long" not in ours:
            assert (ours == "valid") == (theirs == "valid"), f"module {number}: {ours}; {theirs}"
