"""Writes the list of what does not fit a board anew: python tests/spec/relist.py ENGINE BOARD…

For after the compiler's appetite has changed. Look at what came onto the list before you keep it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "wamr_mp")]

import test_spec  # noqa: E402

from spec import suite  # noqa: E402

HEAD = """\
# What of the official suite does not fit {board} with engine {engine}: see NotFitting in
# ../../suite.py; tests/spec/relist.py wrote it.
# Growing a memory needs the old and the new one at the same time.
"""
MODULE = "finds no room: its memory and its code, or what compiling takes"
COMMAND = "finds no room for a memory that grows, or that is made whole"


def reasons(engine: str, board: str) -> dict[str, str]:
    """The reasons that the list has now."""
    path = suite.HERE / "not_fitting" / engine / f"{board}.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.split(" ", 1) for line in lines if line and line[0] != "#")


def relist(engine: str, name: str) -> None:
    known = {**reasons("portable", name), **reasons(engine, name)}
    nothing = suite.NotFitting(set(), {})
    found = []
    with tempfile.TemporaryDirectory() as folder, test_spec.equip(name, Path(folder)) as board:
        for file in test_spec.FILES:
            outcome, _, said = test_spec.run_file(board, file, engine, nothing, test_spec.SPARE)
            if not outcome.finished:
                sys.exit(f"{file}.wast: the run did not end: {said}")
            found += [(module, MODULE) for module in outcome.too_big]
            for line, message in outcome.failures.items():
                print(f"{name}: {file}.wast:{line}: {message}", flush=True)
                found.append((f"{file}.wast:{line}", COMMAND))
    path = suite.HERE / "not_fitting" / engine / f"{name}.txt"
    path.parent.mkdir(exist_ok=True)
    lines = [f"{what} {known.get(what, reason)}\n" for what, reason in found]
    path.write_text(HEAD.format(board=name, engine=engine) + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    for board in sys.argv[2:]:
        relist(sys.argv[1], board)
