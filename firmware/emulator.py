"""Boot the emulated boards in QEMU and run Python and wasm on them.

    python firmware/emulator.py repl BOARD              a console; Ctrl-A X ends it
    python firmware/emulator.py run BOARD FILE [ARGS…]  run a .wasm on the board

In Python:

    with Board("NETDUINOPLUS2") as board:
        print(board.exec("print(1 + 1)"))
"""

from __future__ import annotations

import argparse
import os
import re
import select
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"

# How QEMU is started for each board of boards/ that it emulates: program, machine, further
# arguments.
BOARDS = {
    "NETDUINOPLUS2": ("qemu-system-arm", "netduinoplus2", ()),
    "MPS2_AN385": ("qemu-system-arm", "mps2-an385", ()),
    "VIRT_RV32": ("qemu-system-riscv32", "virt", ("-bios", "none")),
}

BOOT_TIMEOUT_S = 30


class BoardError(Exception):
    """Code on the board ended with an exception, or the board did not answer.

    `output` is what the code had printed by then.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


def firmware_path(name: str) -> Path:
    return BUILD / "firmware" / name / "firmware.elf"


def qemu_command(name: str, flash: Path, serial: list[str], icount: bool = False) -> list[str]:
    """The command that boots a board; `serial` says what its UARTs are connected to."""
    program, machine, extra = BOARDS[name]
    image = str(flash.absolute()).replace(",", ",,")
    command = [program, "-machine", machine, *extra, "-nographic", "-monitor", "none"]
    command += ["-semihosting-config", f"enable=on,target=native,arg=flash={image}"]
    if icount:
        command += ["-icount", "shift=0"]
    for device in serial:
        command += ["-serial", device]
    return [*command, "-kernel", str(firmware_path(name))]


def load_pyboard() -> Any:
    """MicroPython's own tools/pyboard.py, from the source tree that the firmware is made of."""
    tree = Path(os.environ.get("MICROPY_DIR") or BUILD / "micropython")
    sys.path.insert(0, str(tree / "tools"))
    try:
        import pyboard
    finally:
        sys.path.pop(0)
    return pyboard


class Board:
    """An emulated board, switched on, its console in the raw REPL.

    name     one of BOARDS
    flash    image file of the flash disk, which is kept; without it the disk is empty at first and
             goes with the board
    icount   every instruction takes one nanosecond of virtual time, so `semihost.virtual_ns()` on
             the board counts instructions, the same number in each run
    uarts    how many further UARTs to connect: `board.ptys[n]` is the terminal of
             `machine.UART(n)`; 0 is the console

    Code on the board reads any file of this machine with `semihost.open(path)`: read, readinto,
    readline, seek, tell, close, at memory speed, so test data need not go through the console.
    """

    def __init__(
        self, name: str, flash: Path | None = None, icount: bool = False, uarts: int = 0
    ) -> None:
        if not firmware_path(name).is_file():
            raise BoardError(f"{firmware_path(name)} is not built: run `make board BOARD={name}`")
        self.name = name
        self.icount = icount
        self.uarts = uarts
        self.ptys: list[str] = []
        self._own_folder = None
        if flash is None:
            self._own_folder = tempfile.TemporaryDirectory(prefix="wamr-board-")
            flash = Path(self._own_folder.name) / "flash.img"
        self.flash = flash
        self._qemu: subprocess.Popen[str] | None = None
        self._console: Any = None
        self._power_on()

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _power_on(self) -> None:
        command = qemu_command(self.name, self.flash, ["pty"] * (1 + self.uarts), self.icount)
        self._qemu = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # Should nobody call close(): QEMU does not outlive this program.
        weakref.finalize(self, self._qemu.kill)
        try:
            self.ptys = [self._next_pty() for _ in range(1 + self.uarts)]
            self._greet()
        except BaseException:
            self._power_off()
            raise

    def _next_pty(self) -> str:
        """QEMU names each terminal in a line of its own."""
        said = ""
        while line := self._qemu.stdout.readline():
            said += line
            if match := re.search(r"redirected to (\S+)", line):
                return match.group(1)
        raise BoardError(f"QEMU did not start: {said.strip()}")

    def _greet(self) -> None:
        """Get to a prompt and into the raw REPL.

        What is sent before the board has set up its UART is lost, so this tries until it answers.
        """
        module = load_pyboard()
        self._console = module.Pyboard(self.ptys[0])
        serial = self._console.serial
        serial.timeout = BOOT_TIMEOUT_S
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        heard = b""
        while not heard.endswith(b">>> "):
            if time.monotonic() > deadline:
                raise BoardError(
                    f"{self.name} gave no prompt in {BOOT_TIMEOUT_S} s; it said {heard!r}"
                )
            serial.write(b"\r\x03\x02")  # stop what runs, leave a raw REPL
            while self._readable(0.3):
                heard += serial.read(serial.in_waiting)
        self._enter_raw_repl(soft_reset=False)

    def _enter_raw_repl(self, soft_reset: bool) -> None:
        self._console.enter_raw_repl(soft_reset)
        self._expect(b">")

    def _expect(self, answer: bytes) -> None:
        got = self._console.serial.read(len(answer))
        if got != answer:
            raise BoardError(f"{self.name} answered {got!r} where {answer!r} was expected")

    def _readable(self, timeout_s: float) -> bool:
        return bool(select.select([self._console.serial.fd], [], [], timeout_s)[0])

    def _power_off(self) -> None:
        if self._console is not None:
            self._console.close()
            self._console = None
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()
            self._qemu.stdout.close()
            self._qemu = None

    def close(self) -> None:
        """Switch the board off; its flash disk goes too unless its file was given."""
        self._power_off()
        if self._own_folder is not None:
            self._own_folder.cleanup()
            self._own_folder = None

    def restart(self) -> None:
        """Switch the board off and on again. Only the flash disk is left."""
        self._power_off()
        self._power_on()

    @property
    def qemu_pid(self) -> int:
        return self._qemu.pid

    @property
    def running(self) -> bool:
        """Whether QEMU is: it may have been ended by somebody else."""
        return self._qemu.poll() is None

    def release(self) -> None:
        """Leave the console to another program for good, at its prompt."""
        self._console.exit_raw_repl()
        self._console.close()
        self._console = None

    @contextmanager
    def released(self) -> Iterator[None]:
        """Leave the console to another program for a while, for example mpremote."""
        self.release()
        yield
        self._greet()

    def soft_reset(self) -> None:
        """Empty the heap, as Ctrl-D does; boot.py runs again."""
        self._enter_raw_repl(soft_reset=True)

    def start(self, code: str) -> None:
        """Send code and let it run; finish() waits for it."""
        try:
            self.write(b"\x05A\x01")  # raw paste mode, which has flow control
            self._expect(b"R\x01")
            self._console.raw_paste_write(code.encode())
        except OSError:  # the terminal is gone, and QEMU with it
            self.restart()
            raise BoardError(f"{self.name} went off") from None

    def write(self, data: bytes) -> None:
        """Send bytes to the console, for code that reads them."""
        self._console.serial.write(data)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.write(b"\x03")

    def finish(self, timeout_s: float = 60, echo: Callable[[bytes], object] | None = None) -> str:
        """Wait for the end of the code and return what it printed; `echo` gets each piece at once.

        Raises BoardError with the traceback if it ended with an exception. If it takes longer than
        `timeout_s`, or switches the board off, the board is restarted, and BoardError says so.
        """
        deadline = time.monotonic() + timeout_s
        data = bytearray()
        try:
            while not (data.endswith(b">") and data.count(b"\x04") == 2):
                if not self._readable(max(0, deadline - time.monotonic())):
                    raise BoardError(f"{self.name} did not finish in {timeout_s} s")
                piece = self._console.serial.read(self._console.serial.in_waiting or 1)
                if echo and b"\x04" not in data:
                    echo(piece.split(b"\x04")[0])
                data += piece
        except (BoardError, OSError) as problem:
            message = str(problem) if isinstance(problem, BoardError) else f"{self.name} went off"
            self.restart()
            raise BoardError(message, self._text(data)) from None
        output, error, _ = data.split(b"\x04")
        if error:
            raise BoardError(self._text(error).rstrip(), self._text(output))
        return self._text(output)

    @staticmethod
    def _text(data: bytes) -> str:
        return data.decode(errors="replace").replace("\r\n", "\n")

    def exec(
        self, code: str, timeout_s: float = 60, echo: Callable[[bytes], object] | None = None
    ) -> str:
        """Run code and return what it printed. Names stay defined for the next call."""
        self.start(code)
        return self.finish(timeout_s, echo)

    def exec_file(self, path: str | Path, timeout_s: float = 60) -> str:
        """Run a script of this machine on the board."""
        return self.exec(Path(path).read_text(), timeout_s)

    def put(self, source: str | Path, target: str) -> None:
        """Copy a file of this machine onto the board's flash disk."""
        self.exec(
            "import semihost\n"
            f"s = semihost.open({str(Path(source).absolute())!r})\n"
            f"with s, open({target!r}, 'wb') as t:\n"
            "    while True:\n"
            "        piece = s.read(512)\n"
            "        if not piece:\n"
            "            break\n"
            "        t.write(piece)\n"
            "del piece, s, t"
        )


def repl(name: str) -> None:
    """Connect this terminal to the console of a board whose flash disk is kept in build/."""
    if not firmware_path(name).is_file():
        sys.exit(f"{firmware_path(name)} is not built: run `make board BOARD={name}`")
    print(
        f"{name}: Ctrl-A X switches it off; its flash disk is kept. To run a file of this PC:\n"
        "    import semihost, wamr; wamr.run(semihost.open('apps/hello/hello.wasm').read())",
        flush=True,
    )
    command = qemu_command(name, firmware_path(name).with_name("flash.img"), ["mon:stdio"])
    os.execvp(command[0], command)


def run(board: Board, file: Path, args: list[str]) -> None:
    """Run a wasm app on a board, showing what it prints as it prints it."""

    def echo(piece: bytes) -> None:
        sys.stdout.write(piece.decode(errors="replace").replace("\r\n", "\n"))
        sys.stdout.flush()

    machine = board.exec("import sys; print(sys.implementation._machine, end='')")
    print(f"{machine}, MicroPython in QEMU:", flush=True)
    board.put(file, f"/{file.name}")
    print(f">>> import wamr; wamr.run({file.name!r})", flush=True)
    board.exec(
        f"import wamr; code = wamr.run({file.name!r}, {tuple(args)!r})",
        timeout_s=600,
        echo=echo,
    )
    free = int(board.exec("import gc; gc.collect(); print(gc.mem_free())"))
    print(f"exit code {board.exec('print(code)').strip()}, {free} bytes of heap free afterwards")


def main() -> None:
    parser = argparse.ArgumentParser(description="Boot an emulated board.")
    commands = parser.add_subparsers(dest="command", required=True)
    repl_parser = commands.add_parser("repl", help="connect this terminal to its console")
    run_parser = commands.add_parser("run", help="run a wasm app on it")
    for command in (repl_parser, run_parser):
        command.add_argument("board", choices=BOARDS)
    run_parser.add_argument("file", type=Path)
    run_parser.add_argument("args", nargs="*")
    arguments = parser.parse_args()
    try:
        if arguments.command == "repl":
            repl(arguments.board)
        else:
            with Board(arguments.board) as board:
                run(board, arguments.file, arguments.args)
    except BoardError as error:
        sys.exit(f"{error.output}{error}")


if __name__ == "__main__":
    main()
