"""The kernels on MicroPython's unix port: instructions of machine code for x64, by valgrind."""

from __future__ import annotations

import gcc
import kernels
from board import unix_path
from wat import SOURCES

SCRIPT = """
import sys
sys.path.insert(0, {sources!r})
import wamr
call = wamr.Instance(wamr.Module({path!r}), engine="native").exports.run
print(call(int(input())) & 0xFFFFFFFF)
"""


def x64(kernel: str) -> int:
    script = SCRIPT.format(sources=str(SOURCES), path=str(kernels.wasm(kernel)))
    return gcc.per_iteration([str(unix_path()), "-X", "heapsize=16m", "-c", script], kernel)
