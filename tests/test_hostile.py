"""Mutated modules: no crash, no hang, no exception but the documented ones.

WAMR_HOSTILE=10000 sets how many; the everyday number is smaller. WAMR_HOSTILE_SEED sets the seed.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import mutate
from kernels import bench
from spec import suite

TOP = Path(__file__).resolve().parent.parent
COUNT = int(os.environ.get("WAMR_HOSTILE", "1500"))
SEED = int(os.environ.get("WAMR_HOSTILE_SEED", "2"))
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
    mutator = mutate.Mutator(good, SEED)
    path = tmp_path_factory.mktemp("hostile") / "modules"
    path.write_bytes(mutate.stream(mutator.module() for _ in range(COUNT)))
    return path


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        preexec_fn=limit_memory,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def check(output: str) -> None:
    bad = [line for line in output.splitlines() if line.startswith("BAD")]
    assert not bad, f"seed {SEED}, {COUNT} modules:\n" + "\n".join(bad)
    assert f"RESULT {COUNT} modules, 0 bad" in output


def test_cpython(stream: Path) -> None:
    code = f"from hostile.device_runner import main; main({str(stream)!r})"
    output = run(
        [sys.executable, "-c", code],
        {"PYTHONPATH": os.pathsep.join([str(TOP / "wamr_mp"), str(TOP / "tests")])},
    )
    print(output)
    check(output)
