"""Show what the project does on an emulated board, which stays on to be tried: `make run`.

    python firmware/tour.py BOARD

It runs a program, starts the app manager, and then does from outside, with the command `wamr`,
what one does with a real board on a serial port. Every command is printed before it is run. Where
there is no terminal to wait at, the board is switched off at the end.
"""

from __future__ import annotations

import argparse
import os
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import serial
from emulator import BOARDS, ROOT, Board, BoardError, run

# Those with a UART beside the console; elsewhere the host and the console share one.
WITH_UART = ("NETDUINOPLUS2", "MPS2_AN385")

START_TIMEOUT_S = 30


def beside(name: str) -> str:
    """A command installed with the Python that this runs with, as one types it in this folder."""
    return os.path.relpath(Path(sys.executable).with_name(name), ROOT)


def say(text: str) -> None:
    print(f"\n# {text}", flush=True)


class Tour:
    """The steps, on a board that is on."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.console = board.ptys[0]
        self.port = board.ptys[-1]

    def go(self) -> None:
        say("A program")
        run(self.board, ROOT / "apps" / "hello" / "hello.wasm", [])
        if self.board.uarts:
            say("After a reset: the app manager, its host on the second UART")
        else:
            say("After a reset: the app manager; its host shares the only UART with the console")
        self.serve()
        say("Two apps: one answers requests, the other publishes an event every second")
        self.wamr("install", "room", "apps/room_temp/room_temp.wasm")
        self.wamr("install", "overheat", "apps/overheat/overheat.wasm")
        say("A request, and the answer")
        self.wamr("request", "GET", "/room_temp")
        say("The next events")
        self.wamr("listen", "alert/overheat", "--count", "3", "--for", "30")
        say("The apps, and what RAM they take")
        self.wamr("ps", "--memory")

    def serve(self) -> None:
        """Start the app manager at the prompt, as somebody there would, with all RAM for it."""
        arguments = "uart=1" if self.board.uarts else ""
        line = f"import asyncio, wamr; asyncio.run(wamr.serve({arguments}))"
        print(f">>> {line}", flush=True)
        self.board.soft_reset()
        self.board.release()
        with serial.Serial(self.console, timeout=START_TIMEOUT_S) as console:
            console.write(f"{line}\r".encode())
            heard = console.read_until(b"App Manager started.\r\n")
        if not heard.endswith(b"App Manager started.\r\n"):
            said = heard.decode(errors="replace").strip()
            raise BoardError(f"the app manager did not start; the console says: {said}")

    def command(self, *args: str) -> str:
        return shlex.join([beside("wamr"), "-p", self.port, *args])

    def wamr(self, *args: str) -> None:
        command = self.command(*args)
        print(f"$ {command}", flush=True)
        code = subprocess.run(shlex.split(command), cwd=ROOT, stdin=subprocess.DEVNULL).returncode
        if code:
            raise BoardError(f"`{command}` failed with exit code {code}")

    def wait(self) -> None:
        """Leave the board to the user until he has seen enough."""
        say("The board stays on. Try it from another terminal, in this folder:")
        for args in (
            ["ps", "--memory"],
            ["request", "GET", "/room_temp"],
            ["listen", "alert/overheat"],
            ["uninstall", "overheat"],
            ["install", "timer", "apps/timer/timer.wasm"],
        ):
            print(f"$ {self.command(*args)}")
        print(f"$ {beside('wamr')} --help")
        if self.board.uarts:
            print("What the apps print is on the console (Ctrl-C stops them, Ctrl-] leaves it):")
            print(f"$ {beside('pyserial-miniterm')} {self.console}")
        print("\nEnter or Ctrl-C here switches it off; its apps go with it.", flush=True)
        while not select.select([sys.stdin], [], [], 1)[0]:
            if not self.board.running:
                raise BoardError(f"{self.board.name} went off")


def end(number: int, _frame: object) -> None:
    """Leave as after an error, so that the board is switched off; nothing more disturbs that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.exit(128 + number)


def main() -> None:
    parser = argparse.ArgumentParser(description="Show what an emulated board can do.")
    parser.add_argument("board", choices=BOARDS)
    name = parser.parse_args().board
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    try:
        with Board(name, uarts=int(name in WITH_UART)) as board:
            tour = Tour(board)
            tour.go()
            if sys.stdin.isatty():
                try:
                    tour.wait()
                except KeyboardInterrupt:
                    print()
        print(f"\n{name} is off.")
    except BoardError as error:
        sys.exit(f"{error.output}{error}\n{name} is off.")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
