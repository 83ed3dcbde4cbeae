"""Differential fuzzing by hand: random modules on our engines and on wasmtime.

    python tests/native/fuzz.py --count 20000
    python tests/native/fuzz.py --source binaryen --target RV32 --first 500 --count 100
    python tests/native/fuzz.py --file odd.wasm --seed 7

Modules that differ are written to --keep, named after source and seed. binaryen's wasm-reduce
makes them small; it keeps what a command says the same of:

    wasm-reduce odd.wasm -t try.wasm -w small.wasm \\
        --command 'python tests/native/fuzz.py --file try.wasm'
"""

from __future__ import annotations

import argparse
import collections
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "wamr_mp")]

from native import binaryen, compare, generate  # noqa: E402

SOURCES = ("ours", "binaryen")


def modules(source: str, seeds: range) -> Iterator[tuple[int, bytes]]:
    """Seeds and their modules."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            if source == "ours":
                yield seed, generate.module(seed)
            else:
                yield seed, binaryen.module(seed, Path(folder))


def emulated(name: str | None) -> Any:
    """A context in which engine "native" makes code for that target; None: for this machine."""
    if name is None:
        return nullcontext()
    from native.emulator import emulate
    from native.test_targets import TARGETS

    return emulate({target.__name__: target for target in TARGETS}[name])


def fails(seed: int, data: bytes, target: str | None) -> str:
    """Where engines differ, or what broke; nothing if all is well."""
    try:
        with emulated(target):
            compare.check(data, seed, wasmtime=target is None)
    except AssertionError as error:
        return str(error)
    except Exception as error:  # a compiler that breaks is a finding as well
        return f"seed {seed}: {type(error).__name__}: {error}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", choices=SOURCES, default="ours")
    parser.add_argument("--target", help="the name of a target's class; without: this machine")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--file", type=Path, help="compare this module only")
    parser.add_argument("--seed", type=int, default=0, help="for the arguments of --file")
    options = parser.parse_args()
    if options.file:
        print(fails(options.seed, options.file.read_bytes(), options.target)[:200])
        return 0
    found: collections.Counter[str] = collections.Counter()
    seeds = range(options.first, options.first + options.count)
    for seed, data in modules(options.source, seeds):
        if text := fails(seed, data, options.target):
            found["different"] += 1
            options.keep.mkdir(parents=True, exist_ok=True)
            path = options.keep / f"{options.source}-{options.target or 'host'}-{seed}.wasm"
            path.write_bytes(data)
            print(f"{path}: {text[:1000]}", flush=True)
        found["modules"] += 1
    print(f"{found['modules']} modules of {options.source}, {found['different']} differ")
    return 1 if found["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
