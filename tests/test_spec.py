"""The official test suite, every file of it, on CPython, the unix port and the boards."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import wamr
from board import BOARDS, BUILD, Board, BoardError, Unix
from spec import convert, suite
from spec.device_runner import Runner
from wat import ON_DEVICE

FOLDER = suite.find()
FILES = {path.stem: path for path in suite.files(FOLDER)} if FOLDER else {}
RUNNER = Path(__file__).resolve().parent / "spec" / "device_runner.py"

# Bytes of cell stack on a board: what the deepest recursion of the suite that must succeed needs.
STACK = 4096

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
    # memory_grow wants 52 MB, twice while it copies.
    output = Unix(heap="256m").exec(
        f"{ON_DEVICE}sys.path.insert(0, {str(RUNNER.parent)!r})\n"
        f"from device_runner import main\nmain({str(stream)!r})",
        timeout_s=300,
    )
    check_all_passed(name, suite.Outcome.read(output))


def check_all_passed(name: str, outcome: suite.Outcome) -> None:
    assert outcome.finished and outcome.failed == outcome.not_fitting == 0, outcome.describe(name)
    assert outcome.passed + outcome.skipped > 0


@pytest.fixture(scope="module", params=list(BOARDS))
def equipped(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    """A board with the runner on its flash disk."""
    compiled = tmp_path_factory.mktemp("runner") / "spec_runner.mpy"
    cross = BUILD / "mpy-cross" / "mpy-cross"
    subprocess.run([cross, "-s", "spec_runner.py", "-o", compiled, RUNNER], check=True)
    with Board(request.param) as board:
        board.put(compiled, "/spec_runner.mpy")
        yield board


@pytest.mark.device
@every_file
def test_board(name: str, equipped: Board, tmp_path: Path) -> None:
    file = FILES[name]
    listed = suite.NotFitting.of(equipped.name)
    modules = suite.modules(file)
    outcome, output = run(equipped, tmp_path / name, convert.convert(file))
    complaints = listed.complaints(name, outcome, modules)
    if complaints and outcome.finished:
        # Whether a module fits must not depend on what ran before it: these get a fresh heap.
        for segment in convert.segments(file):
            if segment.lines & set(complaints):
                part, output = run(equipped, tmp_path / name, segment.stream)
                outcome.replace(segment.lines, part)
        complaints = listed.complaints(name, outcome, modules)
    said = "" if outcome.finished else output
    assert not complaints, "\n".join([*complaints.values(), said])


def run(board: Board, path: Path, stream: bytes) -> tuple[suite.Outcome, str]:
    """Runs one stream from a fresh heap; returns the outcome and all that was printed."""
    path.write_bytes(stream)
    board.soft_reset()
    try:
        output = board.exec(
            f"import spec_runner; spec_runner.main({str(path)!r}, stack={STACK})", timeout_s=600
        )
    except BoardError as error:
        output = error.output + str(error)
    return suite.Outcome.read(output), output
