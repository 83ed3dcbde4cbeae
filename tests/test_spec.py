"""The official test suite, every file of it, on CPython, the unix port and the boards."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import wamr
from board import BOARDS, BUILD, Board, BoardError, Unix
from kernels import bench
from spec import convert, suite
from spec.device_runner import Runner
from wat import ON_DEVICE

FOLDER = suite.find()
FILES = {path.stem: path for path in suite.files(FOLDER)} if FOLDER else {}
RUNNER = Path(__file__).resolve().parent / "spec" / "device_runner.py"

# Bytes of cell stack on a board: what the deepest recursion of the suite that must succeed needs.
STACK = 4096
# Bytes of a board's heap that are taken when its list is written. What fits by a hair does or not
# by a few bytes more or less: it has to be as listed when none, so many or twice as many are
# taken.
SPARE = 1024

pytestmark = pytest.mark.skipif(FOLDER is None, reason=suite.HOW_TO_GET)
every_file = pytest.mark.parametrize("name", FILES or ["none"])


@every_file
def test_cpython(name: str) -> None:
    reported: list[str] = []
    Runner(wamr, io.BytesIO(convert.convert(FILES[name])), reported.append).run()
    check_all_passed(name, suite.Outcome.read("\n".join(reported)))


@every_file
def test_unix(name: str, unix: Unix, tmp_path: Path) -> None:
    stream = tmp_path / name
    stream.write_bytes(convert.convert(FILES[name]))
    output = Unix(heap=heap(name)).exec(
        f"{ON_DEVICE}sys.path.insert(0, {str(RUNNER.parent)!r})\n"
        f"from device_runner import main\nmain({str(stream)!r})",
        timeout_s=300,
    )
    check_all_passed(name, suite.Outcome.read(output))


def heap(name: str) -> str:
    """What a file takes on the unix port. memory_grow wants 52 MB, twice while it copies; for the
    others, less is faster, as all of it is swept again and again.
    """
    return "256m" if name == "memory_grow" else "24m"


def check_all_passed(name: str, outcome: suite.Outcome) -> None:
    assert outcome.finished and outcome.failed == outcome.not_fitting == 0, outcome.describe(name)
    assert outcome.passed + outcome.skipped > 0


# This much of machine code will do on the boards every day: it takes minutes to compile, and the
# targets are run under emulation too (native/test_targets.py).
SOME_FILES = ("conversions", "f32", "f64", "i32", "i64", "memory_trap", "table_init", "unwind")


@contextmanager
def equip(name: str, folder: Path) -> Iterator[Board]:
    """A board with the runner on its flash disk."""
    compiled = folder / "spec_runner.mpy"
    cross = BUILD / "mpy-cross" / "mpy-cross"
    subprocess.run([cross, "-s", "spec_runner.py", "-o", compiled, RUNNER], check=True)
    with Board(name) as board:
        board.put(compiled, "/spec_runner.mpy")
        yield board


@pytest.fixture(scope="module", params=list(BOARDS))
def equipped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    with equip(request.param, tmp_path_factory.mktemp("runner")) as board:
        yield board


@pytest.mark.device
@every_file
@pytest.mark.parametrize("engine", ["portable", "native"])
def test_board(engine: str, name: str, equipped: Board) -> None:
    if engine == "native" and name not in SOME_FILES and not bench.FULL:
        pytest.skip("takes minutes; WAMR_FULL=1 runs it")
    listed = suite.NotFitting.of(equipped.name, engine)
    outcome, complaints, said = run_file(equipped, name, engine, listed)
    for spare in (SPARE, 2 * SPARE):
        if complaints and outcome.finished:
            _, found, _ = run_file(equipped, name, engine, listed, spare)
            complaints = {line: text for line, text in complaints.items() if line in found}
    assert not complaints, "\n".join([*complaints.values(), "" if outcome.finished else said])


def run_file(
    board: Board, name: str, engine: str, listed: suite.NotFitting, spare: int = 0
) -> tuple[suite.Outcome, dict[int, str], str]:
    """What a file of the suite comes to, what of it is not as listed, and all that was printed."""
    file = FILES[name]
    modules = suite.modules(file)
    outcome, output = run(board, convert.convert(file), engine, spare)
    complaints = listed.complaints(name, outcome, modules)
    if complaints and outcome.finished:
        # Whether a module fits must not depend on what ran before it: these get a fresh heap.
        for segment in convert.segments(file):
            if segment.lines & set(complaints):
                part, output = run(board, segment.stream, engine, spare)
                outcome.replace(segment.lines, part)
        complaints = listed.complaints(name, outcome, modules)
    return outcome, complaints, output


def run(board: Board, stream: bytes, engine: str, spare: int) -> tuple[suite.Outcome, str]:
    """Runs one stream from a fresh heap, of which some bytes are taken; returns the outcome and
    all that was printed.
    """
    board.soft_reset()
    # Its name always has the same length, which is on the heap too.
    with tempfile.NamedTemporaryFile() as file:
        file.write(stream)
        file.flush()
        try:
            output = board.exec(
                f"spare = bytearray({spare}); import spec_runner; "
                f"spec_runner.main({file.name!r}, stack={STACK}, engine={engine!r})",
                timeout_s=600,
            )
        except BoardError as error:
            output = error.output + str(error)
    return suite.Outcome.read(output), output
