"""Print how much flash each module of the runtime takes in the firmware of some boards.

    python3 firmware/size.py BOARD…

Counted in the object file that holds the frozen modules: bytecode, constants and tables of each
module, and its names (MicroPython's interned strings; those used by several modules are counted by
themselves). Names that MicroPython has anyway cost nothing.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The binutils that belong to the compiler of each architecture.
NM = {"arm": "arm-none-eabi-nm", "riscv32": "riscv64-unknown-elf-nm"}

POINTER = 4
# The parts of the runtime that are folders of their own, each after what it needs.
PARTS = ("engine", "libc", "wasi", "compiler", "link", "apps")
# Files outside of compiler/ that are of no use without it.
NATIVE = [f"wamr/engine/{name}.py" for name in ("auto", "cells", "info", "native", "operations")]
NATIVE.append("wamr/install.py")
SHARED = "names used by several modules"


def machine_arch(board: str) -> str:
    text = (ROOT / "boards" / board / "mpconfigboard.mk").read_text()
    return re.search(r"^QEMU_ARCH = (\w+)", text, re.M).group(1)


def c_length(literal: str) -> int:
    """How many bytes a C string literal has, its NUL included."""
    return len(re.sub(r"\\(x[0-9a-f]{2}|.)", "x", literal)) + 1


def module_sizes(build: Path, nm: str) -> dict[str, int]:
    """Bytes of flash by file of the runtime, `wamr/…py`, and under SHARED."""
    source = (build / "frozen_content.c").read_text()
    heading = r"^// frozen module (\w+)\n(?:// .*\n)*?// - frozen file name: (.*)$"
    files = dict(re.findall(heading, source, re.M))
    sizes: dict[str, int] = defaultdict(int)

    # Code and tables, by symbol: its name is a kind, the module and perhaps a function in it.
    kinds = "fun_data|proto_fun|children|const_qstr_table_data|const_obj_table_data|const_obj"
    kinds += "|frozen_module"
    by_length = sorted(files, key=len, reverse=True)
    symbol = re.compile(rf"^(?:{kinds})_({'|'.join(by_length)})(?:_|$)")
    listing = subprocess.run(
        [nm, "--print-size", str(build / "frozen_content.o")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    symbol_sizes = {}
    for fields in map(str.split, listing.splitlines()):
        if len(fields) == 4:
            symbol_sizes[fields[3]] = int(fields[1], 16)
            if match := symbol.match(fields[3]):
                sizes[files[match.group(1)]] += int(fields[1], 16)

    # The text of constant strings and bytes.
    constant = r"^static const mp_obj_str_t (const_obj_\w+) = .*?\"(.*)\"\};$"
    for name, literal in re.findall(constant, source, re.M):
        sizes[files[symbol.match(name).group(1)]] += c_length(literal)

    # Names: each frozen one has its text, a pointer, a hash and a length.
    enum = re.search(r"^enum \{\n(.*?)\n\};", source, re.M | re.S).group(1)
    names = [line.strip(" ,").split(" =")[0] for line in enum.splitlines()]
    pool = r"^const qstr_pool_t mp_qstr_frozen_const_pool = \{.*?\n    \{\n(.*?)\n    \}"
    texts = re.search(pool, source, re.M | re.S).group(1)
    tables = (
        symbol_sizes["mp_qstr_frozen_const_hashes"] + symbol_sizes["mp_qstr_frozen_const_lengths"]
    )
    cost = {}
    for name, literal in zip(names, re.findall(r'^\s*"(.*)",$', texts, re.M)):
        cost[name] = c_length(literal) + POINTER + tables // len(names)
    users = defaultdict(set)
    table = r"^static const qstr_short_t const_qstr_table_data_(\w+)\[\d+\] = \{\n(.*?)\n\};"
    for module, content in re.findall(table, source, re.M | re.S):
        for name in re.findall(r"MP_QSTR_\w+", content):
            users[name].add(files[module])
    for name, who in users.items():
        runtime = [file for file in who if file.startswith("wamr/")]
        if len(runtime) == len(who):
            # Between parts it counts for the one that the others need.
            part = min({part_of(file) for file in who}, key=lambda part: PARTS.index(part))
            shared = f"wamr/{part}/{SHARED}"
            sizes[runtime[0] if len(who) == 1 else shared] += cost.get(name, 0)

    # The list of frozen files.
    for file in files.values():
        sizes[file] += len(file) + 1 + POINTER
    return {
        file: size for file, size in sizes.items() if file.startswith("wamr/") or file == SHARED
    }


def part_of(file: str) -> str:
    """The part that a file belongs to: its folder; what lies at the top is engine.

    The native engine is counted with the compiler. WASI is counted beside the built-in libc, as
    WAMR counts them: an app needs one or the other.
    """
    if file.startswith("wamr/libc/wasi"):
        return "wasi"
    if file in NATIVE:
        return "compiler"
    folder = file.split("/")[1]
    return folder if folder in PARTS else "engine"


def main() -> None:
    boards = sys.argv[1:]
    columns = {}
    for board in boards:
        columns[board] = module_sizes(ROOT / "build" / "firmware" / board, NM[machine_arch(board)])
    files = sorted(
        set().union(*columns.values()),
        key=lambda file: (PARTS.index(part_of(file)), SHARED in file, file),
    )

    def row(label: str, values: list[int]) -> None:
        print(f"{label:40}" + "".join(f"{value:>16,}" for value in values))

    print(f"{'bytes of flash':40}" + "".join(f"{board:>16}" for board in boards))
    totals = {}
    for part in dict.fromkeys(map(part_of, files)):
        members = [file for file in files if part_of(file) == part]
        for file in members:
            row(
                "  " + (SHARED if SHARED in file else file),
                [columns[board].get(file, 0) for board in boards],
            )
        totals[part] = [sum(columns[board].get(file, 0) for file in members) for board in boards]
        row(part, totals[part])
    row(
        "engine + libc",
        [sum(pair) for pair in zip(totals["engine"], totals.get("libc", [0] * len(boards)))],
    )
    row("everything", [sum(values) for values in zip(*totals.values())])


if __name__ == "__main__":
    main()
