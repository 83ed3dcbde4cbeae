"""Random valid modules by binaryen's generator (wasm-opt -ttf): a seed gives a module's bytes."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import wamr
from hostile.mutate import Section, assemble, sections
from wat import leb

WASM_OPT = shutil.which("wasm-opt")
# All that the runtime has; of references only what needs no garbage collection.
FEATURES = (
    "--mvp-features --enable-sign-ext --enable-mutable-globals --enable-bulk-memory "
    "--enable-nontrapping-float-to-int --enable-multivalue --enable-tail-call"
).split()
EXPORTS = 7


def module(seed: int, folder: Path) -> bytes:
    """A module that exports its globals, tables and memory too; files go to the folder."""
    rng = random.Random(seed)
    source, target = folder / "random", folder / "random.wasm"
    source.write_bytes(rng.randbytes(rng.choice([200, 1000, 3000, 8000])))
    command = [WASM_OPT, source, "-ttf", "--denan", *FEATURES, "-o", target]
    subprocess.run(command, check=True, capture_output=True)
    return export_all(target.read_bytes())


def export_all(data: bytes) -> bytes:
    """The module with exports of all its variables, tables and memory."""
    made = wamr.Module(data)
    found = [(3, i) for i in range(len(made.globals))]
    found += [(1, i) for i in range(len(made.tables))]
    found += [(2, i) for i in range(len(made.memories))]
    entries = [leb(5) + b"%d%04d" % item + bytes([item[0]]) + leb(item[1]) for item in found]
    old = [(name, kind, index) for name, kind, index in made.export_list if kind == "func"]
    entries += [leb(len(name)) + name.encode() + b"\0" + leb(index) for name, _, index in old]
    new = Section(EXPORTS, leb(len(entries)) + b"".join(entries))
    parts = [part for part in sections(data) if part.kind != EXPORTS]
    # Sections come in the order of their numbers up to this one.
    at = next(i for i, part in enumerate(parts) if part.kind > EXPORTS)
    return assemble([*parts[:at], new, *parts[at:]])
