"""The sample apps on every target: each prints what the .exp file next to it says."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import wamr
from board import ROOT, Board, BoardError, Unix

APPS = ROOT / "apps"


@dataclass(frozen=True)
class Run:
    """One run of a sample.

    file       below apps/; its expected output is in FOLDER/FOLDER.exp, unless given as `output`
    outcome    what the script below prints last
    page       needs a whole page of 64 KiB, so boards collect garbage while they load it
    tight      boards that have just enough memory for it, or not quite
    """

    file: str
    args: tuple[str, ...] = ()
    outcome: str = "exit code 0"
    output: str | None = None
    page: bool = False
    tight: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((Path(self.file).stem, *self.args))

    @property
    def path(self) -> Path:
        return APPS / self.file

    def expects(self, printed: str) -> None:
        """Check all that the script printed; `<pointer>` stands for any address."""
        output = self.output
        if output is None:
            folder = self.path.parent
            output = (folder / f"{folder.name}.exp").read_text(encoding="utf-8")
        pattern = re.escape(output).replace("<pointer>", "0x[0-9a-f]{2,8}")
        if not re.fullmatch(pattern + re.escape(self.outcome) + "\n", printed):
            assert printed == f"{output}{self.outcome}\n"


USAGE = "usage: files DIRECTORY WORD...\n"
REFUSED = "cannot create the file, errno 76\n"  # ENOTCAPABLE: not given to the app

RUNS = (
    Run("hello/hello.wasm"),
    Run("hello/hello_2019.wasm"),
    Run("hello/hello_emscripten.wasm"),
    Run("hello/hello_wasi.wasm", page=True, tight=("NETDUINOPLUS2",)),
    Run("text/text.wasm"),
    Run("calculator/calculator.wasm"),
    Run("calculator/calculator.wasm", ("6", "x", "-7"), output="product of 6 and -7: -42\n"),
    Run("calculator/calculator.wasm", ("1", "/", "0"), "exit code 3", "quotient of 1 and 0: 0\n"),
    Run("calculator/calculator_emscripten.wasm"),
    Run(
        "calculator/calculator_emscripten.wasm",
        ("1", "%", "2"),
        "exit code 2",
        "unknown operation: %\n",
    ),
    Run("shapes/shapes.wasm"),
    Run("statistics/statistics.wasm"),
    Run("filter/filter.wasm"),
    Run("words/words.wasm", page=True),
    Run("files/files.wasm", ("/d", "some", "words", "here"), page=True),
    Run("files/files.wasm", ("/elsewhere", "words"), "exit code 1", REFUSED, page=True),
    Run("files/files.wasm", (), "exit code 2", USAGE, page=True),
    Run(
        "crash/crash.wasm",
        outcome="integer divide by zero in average report_sensor report_room __original_main main",
    ),
)

# Runs an app and tells how it ended; its file and a folder to write in are filled in.
SCRIPT = """
import wamr
try:
    print("exit code", wamr.run({path!r}, {args!r}, dirs={{"/d": {folder!r}}}))
except wamr.Trap as trap:
    print(trap, "in", *[name for _, name, _ in trap.backtrace])
"""

each_run = pytest.mark.parametrize("run", RUNS, ids=str)


def script(run: Run, path: str, folder: str) -> str:
    return SCRIPT.format(path=path, args=run.args, folder=folder)


@each_run
def test_cpython(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    exec(script(run, str(run.path), str(tmp_path)), {})
    run.expects(capfd.readouterr().out)


@each_run
def test_unix(unix: Unix, run: Run, tmp_path: Path) -> None:
    run.expects(unix.exec(script(run, str(run.path), str(tmp_path))))


@pytest.fixture(scope="module")
def prepared(board: Board) -> Board:
    """A board with all samples on its flash disk, and a folder that they may write in."""
    board.exec("import os; os.mkdir('/d')")
    for path in {run.path for run in RUNS}:
        board.put(path, f"/{path.name}")
    return board


@each_run
def test_board(prepared: Board, run: Run) -> None:
    prepared.soft_reset()
    if run.page:
        prepared.exec("import gc; gc.threshold(8192)")
    try:
        run.expects(prepared.exec(script(run, f"/{run.path.name}", "/d")))
    except BoardError as error:
        no_memory = re.search("MemoryError|not enough memory", str(error))
        if prepared.name not in run.tight or not no_memory:
            raise


def test_every_sample_is_run() -> None:
    listed = {run.path for run in RUNS} | {APPS / "endless" / "endless.wasm"}
    samples = {path for path in APPS.glob("*/*.wasm") if path.parent.name != "build"}
    # Those for the app manager have no main(): tests/sdk runs them.
    programs = {p for p in samples if not wamr.Module(str(p)).find_export("on_init")}
    assert listed == programs


def test_stdout_can_be_given() -> None:
    printed = bytearray()
    assert wamr.run(str(APPS / "filter" / "filter.wasm"), stdout=printed.extend) == 0
    assert printed == (APPS / "filter" / "filter.exp").read_bytes()


def test_functions_of_the_rust_sample() -> None:
    module = wamr.Module((APPS / "statistics" / "statistics.wasm").read_bytes())
    statistics = wamr.Instance(module, {"env": {"puts": print, "printf": print}})
    for celsius in (20.0, 20.5, 24.0):
        statistics.exports.add_reading(celsius)
    assert statistics.exports.reading_count() == 3
    assert statistics.exports.mean() == 21.5
    assert statistics.exports.variance() == 4.75
    statistics.memory.write(2000, b"123456789")
    assert statistics.exports.crc32(2000, 9) & 0xFFFFFFFF == 0xCBF43926


def test_functions_of_the_zig_sample() -> None:
    module = wamr.Module((APPS / "filter" / "filter.wasm").read_bytes())
    sample = wamr.Instance(module, {"env": {"puts": print, "printf": print}})
    sample.exports.reset(1 << 15)
    levels = [sample.exports.next(n << 16) / 65536 for n in (20, 21, 85, 22, 23)]
    assert levels == [20, 20, 20.5, 21.25, 22.125]


def test_functions_of_the_assemblyscript_sample() -> None:
    path = str(APPS / "words" / "words.wasm")
    assert wamr.run(path, function="differentWords") == 10
    assert wamr.run(path, function="longestWord") == 6


class TestEndless:
    PATH = str(APPS / "endless" / "endless.wasm")

    def test_fuel_ends_it(self, capfd: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(wamr.Trap, match="out of fuel"):
            wamr.run(self.PATH, fuel=1000)
        assert capfd.readouterr().out == "looping until stopped\n"

    def test_it_can_be_asked_while_suspended(self) -> None:
        module = wamr.Module(Path(self.PATH).read_bytes())
        instance = wamr.Instance(module, {"env": {"puts": lambda text: 0}})
        execution = instance.start("main", 0, 0)
        for _ in range(3):
            assert not execution.step(1000)
            # Two units went into calling main and what is inside of it, the rest into the loop.
            assert 0 <= execution.fuel_used - instance.exports.rounds_done() <= 2

    def test_ctrl_c_gives_the_board_back(self, board: Board) -> None:
        board.soft_reset()
        board.put(self.PATH, "/endless.wasm")
        board.start("import wamr; wamr.run('/endless.wasm')")
        time.sleep(1)
        board.interrupt()
        with pytest.raises(BoardError, match="KeyboardInterrupt") as caught:
            board.finish(timeout_s=10)
        assert caught.value.output.startswith("looping until stopped\n")
        board.put(APPS / "hello" / "hello.wasm", "/hello.wasm")
        assert board.exec("print(wamr.run('/hello.wasm'))").startswith("Hello world!\n")
