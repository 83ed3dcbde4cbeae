"""Measures the runtime: `make bench`. Instructions, bytes, and ratios between engines of one run.

Absolute times depend on the machine, and are not printed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import armv6m
import gcc
import goals
import heap
import kernels
import large
import messages
import pc
import peers
import plain
import sizes
import unix
import xtensa
from board import Board, Unix
from table import geomean, progress, show
from wat import wat

import boards

# Boards and what they stand for; gcc's instructions and the peers' ratios, where they are known.
BOARDS = {
    "Cortex-M4F": ("NETDUINOPLUS2", peers.CORTEX_M4F),
    "Cortex-M3": ("MPS2_AN385", peers.CORTEX_M3),
    "RV32": ("VIRT_RV32", None),
}
SOFT_FLOAT = {"Cortex-M4F": ("mandel",), "Cortex-M3": ("mandel", "matmul_f32")}
ALL = tuple(kernels.EXECUTED)
EMPTY = "(func)"
MEANS = {"integer, mean": kernels.INTEGER, "all, mean": ALL}


def mean_rows(columns: list[dict[str, float]]) -> list[list]:
    """Rows of geometric means over columns of ratios."""
    return [
        [title, *(goals.mean(column, names) for column in columns)]
        for title, names in MEANS.items()
    ]


def show_boards(figures: dict) -> None:
    """Machine code on the boards, and what it costs to make."""
    ratios = figures.setdefault("ratio to gcc -O2", {})
    counts = {}
    for chip, (name, known) in BOARDS.items():
        counts[chip] = boards.count(name)
        reference = {k: known[k][0] if known else gcc.rv32(k) for k in counts[chip]}
        ratios[chip] = {k: c.iteration / reference[k] for k, c in counts[chip].items()}
        opcode = {k: c.iteration / kernels.EXECUTED[k] for k, c in counts[chip].items()}
        columns = [ratios[chip], opcode]
        if known:
            columns += [{k: known[k][i] for k in ALL} for i in (1, 2, 3)]
        rows = [[k, reference.get(k), *(column.get(k) for column in columns)] for k in ALL]
        rows += [[row[0], None, *row[1:]] for row in mean_rows(columns)]
        show(
            f"{chip}: instructions against gcc -O2, fuel checks on",
            ["kernel", "gcc -O2", "native", "per opcode", *(peers.ENGINES if known else ())],
            rows,
        )
    show_compiling(figures, counts)
    figures["counted"] = {
        chip: {k: dataclasses.asdict(c) for k, c in found.items()}
        for chip, found in counts.items()
    }


def show_compiling(figures: dict, counts: dict[str, dict[str, boards.Counted]]) -> None:
    opcodes = {k: kernels.size(kernels.wasm(k).read_bytes())[1] for k in ALL}
    rows = []
    for k in ALL:
        costs = [c[k].compiling / opcodes[k] if k in c else None for c in counts.values()]
        rows.append([k, opcodes[k], *costs, *(load / opcodes[k] for load in peers.LOAD_M3[k])])
    total = figures["compiling"] = {
        chip: sum(c.compiling for c in found.values()) / sum(opcodes[k] for k in found)
        for chip, found in counts.items()
    }
    loads = [sum(peers.LOAD_M3[k][i] for k in ALL) / sum(opcodes.values()) for i in (0, 1)]
    rows.append(["all together", sum(opcodes.values()), *total.values(), *loads])
    again = figures["compiling again"] = {
        chip: sum(c.again for c in found.values()) / sum(opcodes[k] for k in found)
        for chip, found in counts.items()
    }
    rows.append(["not the first since boot", sum(opcodes.values()), *again.values(), None, None])
    data = large.module()
    n = kernels.size(data)[1]
    made = {chip: boards.compiling(name, data) for chip, (name, _) in BOARDS.items()}
    figures["compiling large"] = {chip: cost and cost / n for chip, cost in made.items()}
    rows.append(["large", n, *figures["compiling large"].values(), None, None])
    empty = {chip: boards.compiling(name, wat(EMPTY)) for chip, (name, _) in BOARDS.items()}
    figures["compiling nothing"] = empty
    rows.append(["an empty function, in all", 1, *empty.values(), None, None])
    show(
        "Compiling: instructions per opcode of the module; what others take to load it on the M3",
        ["kernel", "opcodes", *counts, "wasm3 M3", "WAMR fast M3"],
        rows,
    )


def show_armv6m(figures: dict) -> None:
    """Machine code for Cortex-M0 and M0+, emulated."""
    reference = {}
    ratios = {}
    for k in ALL:
        progress(f"ARMv6-M: {k}")
        reference[k] = gcc.armv6m(k)
        ratios[k] = armv6m.count(k) / reference[k]
    opcode = {k: ratios[k] * reference[k] / kernels.EXECUTED[k] for k in ALL}
    data = {k: kernels.wasm(k).read_bytes() for k in ALL}
    size = {k: sizes.measure(data[k], "thumb1")[0] / kernels.size(data[k])[0] for k in ALL}
    columns = [ratios, opcode, size]
    rows = [[k, reference[k], *(column[k] for column in columns)] for k in ALL]
    rows += [[row[0], None, *row[1:]] for row in mean_rows(columns)]
    show(
        "ARMv6-M: instructions against gcc -O2 for the Cortex-M0+, fuel checks on"
        "\n(and bytes of code for one of wasm)",
        ["kernel", "gcc -O2", "native", "per opcode", "bytes"],
        rows,
    )
    figures.setdefault("ratio to gcc -O2", {})["ARMv6-M"] = ratios


def show_xtensa(figures: dict) -> None:
    """Machine code for ESP32 and its relatives, emulated. (gcc's library lacks the other kernels'
    routines.)
    """
    reference = {}
    ratios = {}
    for k in kernels.INTEGER:
        progress(f"Xtensa: {k}")
        reference[k] = xtensa.theirs(k)
        ratios[k] = xtensa.ours(k) / reference[k]
    opcode = {k: ratios[k] * reference[k] / kernels.EXECUTED[k] for k in reference}
    rows = [[k, reference[k], ratios[k], opcode[k]] for k in reference]
    rows.append(["mean", None, geomean(ratios.values()), geomean(opcode.values())])
    show(
        "Xtensa: instructions against gcc -O2 for the LX106 (without windows and division), fuel"
        " checks on",
        ["kernel", "gcc -O2", "native", "per opcode"],
        rows,
    )
    figures.setdefault("ratio to gcc -O2", {})["Xtensa"] = ratios


def show_x64(figures: dict) -> None:
    """Machine code for x64 on the unix port."""
    reference = {}
    ratios = {}
    for k in ALL:
        progress(f"x64: {k}")
        reference[k] = gcc.x64(k)
        ratios[k] = unix.x64(k) / reference[k]
    opcode = {k: ratios[k] * reference[k] / kernels.EXECUTED[k] for k in ALL}
    columns = [ratios, opcode]
    columns += [{k: peers.X64[k][i] for k in ALL} for i in range(len(peers.X64_ENGINES))]
    rows = [[k, reference[k], *(column[k] for column in columns)] for k in ALL]
    rows += [[row[0], None, *row[1:]] for row in mean_rows(columns)]
    single = ", ".join(f"{name} {ratio}" for name, ratio in peers.X64_SINGLE_PASS.items())
    show(
        "x64: instructions against gcc -O2 without vectors, explicit checks, fuel checks on"
        f"\n(single-pass compilers of browsers, with explicit checks: {single})",
        ["kernel", "gcc -O2", "native", "per opcode", *peers.X64_ENGINES],
        rows,
    )
    figures.setdefault("ratio to gcc -O2", {})["x64"] = ratios


def show_time(figures: dict) -> None:
    """Time on this PC."""
    seconds = pc.measure(ALL)
    ratios = {
        engine: {k: seconds[k]["pywasm"] / seconds[k][engine] for k in ALL}
        for engine in pc.ENGINES
        if engine != "pywasm"
    }
    rows = [[k, *(column[k] for column in ratios.values())] for k in ALL]
    means = {engine: geomean(column.values()) for engine, column in ratios.items()}
    rows.append(["mean", *means.values()])
    rows.append(["against wasm3", *(mean / means["wasm3"] for mean in means.values())])
    show("PC: times faster than pywasm, one run side by side", ["kernel", *ratios], rows)
    figures["time"] = {
        "seconds": seconds,
        "unix native against wasm3": means["unix native"] / means["wasm3"],
    }


def show_python(figures: dict) -> None:
    """Plain MicroPython beside machine code."""
    python = plain.count("MPS2_AN385")
    counted = boards.count("MPS2_AN385", python)
    found = figures["python"] = {k: python[k] / counted[k].iteration for k in python}
    rows = []
    for k, ratio in found.items():
        viper, mp_native, plain_ratio = (r * peers.CORTEX_M3[k][0] for r in peers.PYTHON_M3[k])
        others = [n / counted[k].iteration for n in (viper, mp_native, plain_ratio)]
        rows.append([k, python[k], counted[k].iteration, ratio, *others])
    show(
        "Cortex-M3: plain MicroPython, instructions, and how many times ours (others: earlier)",
        ["kernel", "Python", "ours", "times", "viper", "@native", "plain, earlier"],
        rows,
    )


def show_size(figures: dict) -> None:
    """Machine code beside wasm code."""
    wasm = {k: kernels.size(kernels.wasm(k).read_bytes())[0] for k in ALL}
    code = sizes.all_kernels()
    ratios = figures["size"] = {
        target: {k: code[k][target][0] / wasm[k] for k in ALL} for target in sizes.SHOWN
    }
    whole = {t: {k: sum(code[k][t]) / wasm[k] for k in ALL} for t in sizes.SHOWN}
    columns = [*ratios.values(), *whole.values(), peers.PROTOTYPE_SIZE]
    rows = [[k, wasm[k], *(column.get(k) for column in columns)] for k in ALL]
    rows.append(["all, mean", sum(wasm.values()), *(goals.mean(c, ALL) for c in columns)])
    rows.append(["stubs, bytes", None, *(code["fib"][t][1] for t in sizes.SHOWN)] + [None] * 5)
    show(
        "Bytes of machine code for a byte of wasm code; +: with the stubs of a module",
        ["kernel", "wasm", *ratios, *(f"{t} +" for t in whole), "prototype"],
        rows,
    )


def show_heap(figures: dict) -> None:
    """Heap of the STM32F405."""
    found = heap.compiling("NETDUINOPLUS2", heap.modules())
    rows = [
        [k, c.free, c.code, c.beside, c.kept] if c else [k, "no room"] + [None] * 3
        for k, c in found.items()
    ]
    show(
        "STM32F405: bytes of heap to compile a loaded module, the compiler's own among them",
        ["module", "must be free", "code", "beside code", "kept after"],
        rows,
    )
    allocated = {"unix": heap.loop(Unix())}
    for chip, (name, _) in BOARDS.items():
        with Board(name) as board:
            allocated[chip] = heap.loop(board)
    show("Bytes that a million loop iterations allocate", list(allocated), [allocated.values()])
    imported, program, memory = heap.hello("NETDUINOPLUS2", "portable")
    _, native, _ = heap.hello("NETDUINOPLUS2", "native")
    show(
        "STM32F405: bytes of heap",
        [
            "import wamr",
            "hello, alive, without its memory",
            "in machine code",
            "its linear memory",
        ],
        [[str(imported), program, native, memory]],
    )
    figures["heap"] = {
        "compiling": {k: c and dataclasses.asdict(c) for k, c in found.items()},
        "beside": max(c.beside for c in found.values() if c),
        "large": float(found["large"] is not None),
        "loop": max(allocated.values()),
        "hello": {"import": imported, "alive": program, "native": native, "memory": memory},
    }


def show_portable(figures: dict) -> None:
    """The interpreter in Python, on the boards."""
    found: dict[str, dict[str, float]] = {chip: {} for chip in BOARDS}
    for chip, (name, _) in BOARDS.items():
        with Board(name, icount=True) as board:
            for k in ALL:
                progress(f"{name}: {k} portable")
                found[chip][k] = boards.portable(board, k) / kernels.EXECUTED[k]
    rows = [[k, *(column[k] for column in found.values())] for k in ALL]
    rows.append(["mean", *(geomean(column.values()) for column in found.values())])
    show("Portable engine: instructions per executed opcode", ["kernel", *BOARDS], rows)
    figures["portable"] = found


def show_apps(figures: dict) -> None:
    """The app manager on the STM32F405."""
    found = figures["apps"] = messages.measure("NETDUINOPLUS2")
    rows = [[name, *column.values()] for name, column in found.items()]
    title = "STM32F405, app manager: instructions for a request and its answer, and to install"
    show(title, ["app, engine", *next(iter(found.values()))], rows)


SECTIONS = {
    "boards": show_boards,
    "armv6m": show_armv6m,
    "xtensa": show_xtensa,
    "x64": show_x64,
    "time": show_time,
    "python": show_python,
    "size": show_size,
    "heap": show_heap,
    "portable": show_portable,
    "apps": show_apps,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument(
        "--only", action="append", choices=SECTIONS, help="measure this; can be given repeatedly"
    )
    options = parser.parse_args()
    kernels.check_folder()
    figures: dict = {}
    for name in options.only or SECTIONS:
        SECTIONS[name](figures)
    goals.report(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
