"""The benchmark kernels: where they are, what they return, how large they are."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "wamr_mp"), str(ROOT / "tests")]

FOLDER = Path(os.environ.get("WASM_BENCH_DIR", ROOT.parent / "shared" / "bench"))

# Name: wasm opcodes that an iteration executes.
EXECUTED = {
    "fib": 25141,
    "crc32": 438291,
    "sha256": 564107,
    "matmul_i32": 197448,
    "sieve": 348059,
    "quicksort": 341662,
    "bytes": 134032,
    "icall": 209040,
    "brtable": 222045,
    "i64mix": 31511,
    "matmul_f32": 197471,
    "mandel": 102927,
}
INTEGER = tuple(EXECUTED)[:9]
CODE = 10  # the section


def check_folder() -> None:
    """SystemExit says how to get the kernels."""
    if not (FOLDER / "expected.json").is_file():
        sys.exit(f"bench: no kernels in {FOLDER}: set WASM_BENCH_DIR to their folder")


def wasm(name: str) -> Path:
    return FOLDER / "wasm" / f"{name}.wasm"


def checksums(name: str) -> list[int]:
    """Of run(1), then run(3) in the same instance; unsigned."""
    return json.loads((FOLDER / "expected.json").read_text())[name]


def size(data: bytes) -> tuple[int, int]:
    """Bytes of a module's code section, and opcodes in it."""
    from hostile.mutate import bodies, read_leb, sections
    from wamr.compiler.scan import skip

    code = next(section.body for section in sections(data) if section.kind == CODE)
    opcodes = 0
    for body in bodies(code):
        groups, pc = read_leb(body, 0)
        for _ in range(groups):
            pc = read_leb(body, pc)[1] + 1
        while pc < len(body):
            pc = skip(body, pc + 1, body[pc])
            opcodes += 1
    return len(code), opcodes
