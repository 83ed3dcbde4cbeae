"""What device tests run on: emulated boards, and MicroPython's unix port.

`Board(name)` and `Unix()` share `exec(code) -> str`, `exec_file(path) -> str` and BoardError, so
that a test that needs no more can take either. What else a Board can do is described where it is
defined, in firmware/emulator.py. The fixtures `board`, run once for each of BOARDS, and `unix` are
in conftest.py; a test that wants a board of its own makes one:

    with Board("VIRT_RV32", icount=True) as board:
        ...
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

sys.path.insert(0, str(ROOT / "firmware"))

from emulator import BOARDS, BUILD, Board, BoardError, firmware_path  # noqa: E402

__all__ = ["BOARDS", "BUILD", "ROOT", "Board", "BoardError", "Unix", "firmware_path", "unix_path"]


def unix_path() -> Path:
    return BUILD / "unix" / "micropython"


class Unix:
    """MicroPython for Linux with the runtime frozen in; every call is a process of its own.

    heap    size of the heap as its option -X heapsize has it ("100k", "64m")
    """

    name = "unix"

    def __init__(self, heap: str = "64m") -> None:
        if not unix_path().is_file():
            raise BoardError(f"{unix_path()} is not built: run `make unix`")
        self.heap = heap

    def _run(self, arguments: list[str], timeout_s: float) -> str:
        command = [str(unix_path()), "-X", f"heapsize={self.heap}", *arguments]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired as error:
            output = (error.stdout or b"").decode(errors="replace")
            raise BoardError(f"unix did not finish in {timeout_s} s", output) from None
        if done.returncode:
            raise BoardError(done.stderr.rstrip() or f"exit code {done.returncode}", done.stdout)
        return done.stdout

    def exec(self, code: str, timeout_s: float = 60) -> str:
        """Run code and return what it printed; BoardError if it ended with an exception."""
        return self._run(["-c", code], timeout_s)

    def exec_file(self, path: str | Path, *args: str, timeout_s: float = 60) -> str:
        """Run a script with arguments."""
        return self._run([str(path), *args], timeout_s)
