"""Where the benchmark kernels are, and what they must return."""

from __future__ import annotations

import json
import os
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
# What takes many minutes is run on request.
FULL = os.environ.get("WAMR_FULL") == "1"
HOW_TO_GET = (
    "the benchmark kernels are not here: set WASM_BENCH_DIR to a folder with "
    "wasm/NAME.wasm and expected.json"
)


def find() -> Path | None:
    """The folder of the kernels, or None. WASM_BENCH_DIR goes first and must hold them."""
    given = os.environ.get("WASM_BENCH_DIR")
    folder = Path(given) if given else TOP.parent / "shared" / "bench"
    if (folder / "expected.json").exists():
        return folder
    if given:
        raise FileNotFoundError(f"WASM_BENCH_DIR={given} has no expected.json")
    return None


def expected(folder: Path) -> dict[str, list[int]]:
    """Name of the kernel: the unsigned checksums of run(1), then run(3) in the same instance."""
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))
