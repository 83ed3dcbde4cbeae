"""What is wanted, and whether it is met: figures of one run against the bounds that were set."""

from __future__ import annotations

from dataclasses import dataclass

import kernels
from table import geomean, show


@dataclass
class Goal:
    """A figure and its bounds; `more`: more is better."""

    what: str
    value: float | None
    must: float
    aim: float
    more: bool = False

    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        for bound, text in ((self.aim, "aim met"), (self.must, "met")):
            if self.value >= bound if self.more else self.value <= bound:
                return text
        return "NOT MET"


def mean(ratios: dict[str, float], names: tuple[str, ...]) -> float | None:
    """Geometric mean; None unless all are there."""
    if not all(name in ratios for name in names):
        return None
    return geomean(ratios[name] for name in names)


def goals(figures: dict) -> list[Goal]:
    """`figures` are what the sections of run.py returned."""
    ratios = figures.get("ratio to gcc -O2", {})
    m4f, m3, rv32, x64 = (ratios.get(k, {}) for k in ("Cortex-M4F", "Cortex-M3", "RV32", "x64"))
    python = figures.get("python", {})
    time = figures.get("time", {}).get("unix native against wasm3")
    size = figures.get("size", {}).get("thumb2", {})
    heap = figures.get("heap", {})
    found = [
        Goal("Cortex-M4F, 9 integer kernels", mean(m4f, kernels.INTEGER), 2.3, 1.8),
        Goal("Cortex-M4F, matmul_f32 (FPU)", m4f.get("matmul_f32"), 2.0, 1.3),
        Goal("Cortex-M3, matmul_f32 (soft float)", m3.get("matmul_f32"), 3.0, 1.3),
        Goal("Cortex-M4F, mandel (soft f64)", m4f.get("mandel"), 4.0, 1.3),
        Goal("Cortex-M3, mandel (soft f64)", m3.get("mandel"), 4.0, 1.3),
        Goal("Cortex-M4F, i64mix", m4f.get("i64mix"), 1.8, 1.1),
        Goal("Cortex-M3, i64mix", m3.get("i64mix"), 1.8, 1.1),
        Goal("RV32, 9 integer kernels", mean(rv32, kernels.INTEGER), 2.6, 1.9),
        Goal("x64, 12 kernels", mean(x64, tuple(kernels.EXECUTED)), 3.0, 1.7),
        Goal("unix x64, times faster than wasm3", time, 4, 8, more=True),
    ]
    for name, must in (("fib", 35), ("crc32", 150), ("sieve", 35)):
        what = f"Cortex-M3, times fewer than plain MicroPython: {name}"
        found.append(Goal(what, python.get(name), must, must, more=True))
    code = mean(size, tuple(kernels.EXECUTED))
    found.append(Goal("Thumb-2, bytes of code for a byte of wasm code", code, 2.0, 1.4))
    for board, cost in figures.get("compiling", {}).items():
        found.append(Goal(f"{board}, instructions to compile an opcode", cost, 25000, 10000))
    for board, cost in figures.get("compiling large", {}).items():
        what = f"{board}, the same for a module of 3,700 opcodes"
        found.append(Goal(what, cost, 25000, 10000))
    found.append(Goal("STM32F405, heap to compile, for a while", heap.get("beside"), 16384, 8192))
    found.append(Goal("STM32F405, 3,700 opcodes fit (1: yes)", heap.get("large"), 1, 1, more=True))
    found.append(Goal("bytes allocated by a million iterations", heap.get("loop"), 0, 0))
    return found


def report(figures: dict) -> None:
    rows = [
        [
            goal.what,
            goal.value,
            f"{'>=' if goal.more else '<='} {goal.must:,}",
            f"{'>=' if goal.more else '<='} {goal.aim:,}",
            goal.verdict(),
        ]
        for goal in goals(figures)
        if goal.value is not None
    ]
    if not rows:
        return
    show("What is wanted, and what is", ["what", "measured", "must", "aim", "verdict"], rows)
