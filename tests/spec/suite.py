"""Where the official suite is, and what of it does not fit a board."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
FETCHED = TOP / "build" / "spec"
HOW_TO_GET = (
    "the official test suite is not here: `make spec` (python tests/spec/fetch.py) gets it, "
    "or set WASM_SPEC_DIR to a folder with NAME/NAME.json as wast2json writes them"
)


def find() -> Path | None:
    """The folder of the suite, or None. WASM_SPEC_DIR goes first and must hold it."""
    given = os.environ.get("WASM_SPEC_DIR")
    if given:
        if not files(Path(given)):
            raise FileNotFoundError(f"WASM_SPEC_DIR={given} holds no NAME/NAME.json")
        return Path(given)
    for folder in (TOP.parent / "shared" / "spec", FETCHED):
        if files(folder):
            return folder
    return None


def files(folder: Path) -> list[Path]:
    """NAME/NAME.json of every file of the suite, by name."""
    return sorted(path for path in folder.glob("*/*.json") if path.stem == path.parent.name)


def modules(json_file: Path) -> dict[str, int]:
    """The modules in one file of the suite, and the lines on which they are loaded."""
    commands = json.loads(json_file.read_text(encoding="utf-8"))["commands"]
    return {c["filename"]: c["line"] for c in commands if "filename" in c}


def good_modules(folder: Path) -> list[Path]:
    """The modules of the suite that load."""
    found = []
    for path in files(folder):
        for command in json.loads(path.read_text(encoding="utf-8"))["commands"]:
            if command["type"] == "module":
                found.append(path.parent / command["filename"])
    return found


@dataclass
class Outcome:
    """What the runner reported for one file of the suite."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    not_fitting: int = 0
    failures: dict[int, str] = field(default_factory=dict)  # line: what went wrong
    too_big: dict[str, int] = field(default_factory=dict)  # module: line
    finished: bool = False

    @classmethod
    def read(cls, text: str) -> Outcome:
        """Reads what device_runner.py printed."""
        outcome = cls()
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word == "FAIL":
                number, _, message = rest.partition(" ")
                outcome.failures[int(number)] = message
            elif word == "NOFIT":
                number, _, name = rest.partition(" ")
                outcome.too_big.setdefault(name.strip(), int(number))
            elif word == "RESULT":
                counts = [int(count) for count in rest.split()]
                outcome.passed, outcome.failed, outcome.skipped, outcome.not_fitting = counts
                outcome.finished = True
        return outcome

    def replace(self, lines: set[int], other: Outcome) -> None:
        """Take what was reported for these lines from another run of them."""
        self.failures = {k: v for k, v in self.failures.items() if k not in lines}
        self.failures.update(other.failures)
        self.too_big = {k: v for k, v in self.too_big.items() if v not in lines}
        self.too_big.update(other.too_big)
        self.finished = other.finished

    def describe(self, name: str) -> str:
        lines = [f"{name}.wast:{line}: {message}" for line, message in self.failures.items()]
        for module, line in self.too_big.items():
            lines.append(f"{name}.wast:{line}: {module} does not fit")
        if not self.finished:
            lines.append(f"{name}.wast: the run did not end")
        return "\n".join(lines)


@dataclass
class NotFitting:
    """What is known not to fit one board: `not_fitting/ENGINE/BOARD.txt`.

    A line is `NAME.wasm reason`, for a module that finds no memory, with everything that depends
    on it, or `NAME.wast:LINE reason`, for a command that needs a memory.grow the board has no RAM
    for. The list can only shrink: what is on it must not pass, what is not on it must.
    """

    modules: set[str]
    commands: dict[str, set[int]]  # file of the suite: lines

    @classmethod
    def of(cls, board: str, engine: str = "portable") -> NotFitting:
        path = HERE / "not_fitting" / engine / f"{board}.txt"
        return cls.read(path.read_text(encoding="utf-8") if path.exists() else "", str(path))

    @classmethod
    def read(cls, text: str, where: str = "list") -> NotFitting:
        listed = cls(set(), {})
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            what, _, reason = line.strip().partition(" ")
            if not reason.strip():
                raise ValueError(f"{where}:{number}: say why {what} does not fit")
            if ".wast:" in what:
                name, _, command = what.partition(".wast:")
                listed.commands.setdefault(name, set()).add(int(command))
            else:
                listed.modules.add(what)
        return listed

    def complaints(self, name: str, outcome: Outcome, modules: dict[str, int]) -> dict[int, str]:
        """What the list and the outcome of one file disagree about, by line.

        `modules` are the modules of the file and the lines on which they are loaded.
        """
        found = {}
        lines = self.commands.get(name, set())
        for line, message in outcome.failures.items():
            if line not in lines:
                found[line] = f"{name}.wast:{line}: {message}"
        for line in lines - set(outcome.failures):
            found[line] = f"{name}.wast:{line} passes now: take it off the list"
        for module, line in outcome.too_big.items():
            if module not in self.modules:
                found[line] = f"{name}.wast:{line}: {module} does not fit and is not on the list"
        for module in self.modules & set(modules) - set(outcome.too_big):
            found[modules[module]] = f"{module} fits now: take it off the list"
        if not outcome.finished:
            found[0] = f"{name}.wast: the run did not end"
        return found
