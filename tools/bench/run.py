"""Measures the runtime: `make bench`. Ratios between engines of one run, and instruction counts.

Absolute times depend on the machine, and are not printed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pc
import peers

import boards


def kernels() -> Path:
    """The folder of the kernels; SystemExit says how to get it."""
    folder = Path(os.environ.get("WASM_BENCH_DIR", pc.ROOT.parent / "shared" / "bench"))
    if not (folder / "expected.json").is_file():
        sys.exit(f"bench: no kernels in {folder}: set WASM_BENCH_DIR to their folder")
    return folder


def geomean(values: Iterable[float]) -> float:
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs))


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    print(f"\n{title}\n")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print(
            "  ".join(
                cell.rjust(w) if i else cell.ljust(w)
                for i, (cell, w) in enumerate(zip(row, widths))
            )
        )


def show_pc(folder: Path, names: list[str]) -> dict:
    seconds = pc.measure(folder, names)
    engines = [engine for engine in pc.ENGINES if engine != "pywasm"]
    rows = []
    ratios: dict[str, list[float]] = {engine: [] for engine in engines}
    for name in names:
        row = [name]
        for engine in engines:
            ratio = seconds[name]["pywasm"] / seconds[name][engine]
            ratios[engine].append(ratio)
            row.append(f"{ratio:.3g}")
        rows.append(row)
    means = {engine: geomean(ratios[engine]) for engine in engines}
    rows.append(["geometric mean", *(f"{means[engine]:.3g}" for engine in engines)])
    rows.append(
        ["against wasm3", *(f"{means[engine] / means['wasm3']:.3g}" for engine in engines)]
    )
    table("PC: times faster than pywasm, one run side by side", ["kernel", *engines], rows)
    return {"seconds": seconds, "faster than pywasm": means}


def show_native(folder: Path, name: str) -> dict:
    rows = []
    found = {}
    for kernel, (gcc, aot, wasm3, fast) in peers.CORTEX_M4F.items():
        if kernel == "mandel":
            continue  # f64 is left to Python on this chip: see docs/internals/compiler.md
        print(f"  {name}: {kernel} native …", file=sys.stderr, flush=True)
        counted = boards.instructions(name, folder / "wasm" / f"{kernel}.wasm", "native", 120)
        if counted is None:
            rows.append([kernel, "no room", "", str(aot), str(wasm3), str(fast), ""])
            continue
        found[kernel] = counted[0] / gcc
        opcodes = counted[0] / peers.OPS[kernel]
        rows.append(
            [
                kernel,
                f"{found[kernel]:.2f}",
                f"{opcodes:.2f}",
                str(aot),
                str(wasm3),
                str(fast),
                str(counted[1]),
            ]
        )
    integer = [found[kernel] for kernel in peers.INTEGER if kernel in found]
    peer = [geomean(peers.CORTEX_M4F[k][i] for k in peers.INTEGER) for i in (1, 2, 3)]
    mean = geomean(integer) if integer else float("nan")
    rows.append(["integer, mean", f"{mean:.2f}", "", *(f"{p:.2f}" for p in peer), ""])
    table(
        f"{name}: machine code, instructions against gcc -O2 (fuel checks on), and the peers'",
        ["kernel", "native", "per opcode", "WAMR AOT", "wasm3", "WAMR fast", "to compile"],
        rows,
    )
    return {"ratio to gcc -O2": found, "geometric mean, integer": mean}


def show_portable(folder: Path) -> dict:
    names = ("NETDUINOPLUS2", "MPS2_AN385", "VIRT_RV32")
    found: dict[str, dict[str, float]] = {name: {} for name in names}
    rows = []
    for kernel, opcodes in peers.OPS.items():
        path = folder / "wasm" / f"{kernel}.wasm"
        for name in names:
            print(f"  {name}: {kernel} portable …", file=sys.stderr, flush=True)
            found[name][kernel] = boards.portable_instructions(name, path, 300) / opcodes
        rows.append([kernel, *(f"{found[name][kernel]:.0f}" for name in names)])
    means = (geomean(found[name].values()) for name in names)
    rows.append(["geometric mean", *(f"{mean:.0f}" for mean in means)])
    table("Portable engine: instructions per executed opcode", ["kernel", *names], rows)
    return found


def show_heap() -> dict:
    imported, program, memory = boards.heap("NETDUINOPLUS2")
    rows = [
        ["import wamr", str(imported)],
        ["hello, alive, without its linear memory", str(program)],
        ["hello's linear memory", str(memory)],
    ]
    table("STM32F405: bytes of heap", ["what", "bytes"], rows)
    return {"import": imported, "hello": program, "linear memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--only", choices=["pc", "native", "portable", "heap"])
    options = parser.parse_args()
    folder = kernels()
    figures = {}
    if options.only in (None, "pc"):
        figures["pc"] = show_pc(folder, list(peers.OPS))
    if options.only in (None, "native"):
        figures["native"] = show_native(folder, "NETDUINOPLUS2")
    if options.only in (None, "portable"):
        figures["portable"] = show_portable(folder)
    if options.only in (None, "heap"):
        figures["heap"] = show_heap()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
