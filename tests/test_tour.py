"""`make run`: the tour, with and without a terminal, and what is left of it."""

from __future__ import annotations

import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from board import BOARDS, ROOT

pytestmark = pytest.mark.device

OFF = "NETDUINOPLUS2 is off."
TOUR = [sys.executable, str(ROOT / "firmware" / "tour.py")]


def session(number: int) -> list[str]:
    """The names of the processes in a session: a tour, and what it has started."""
    names = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, name, rest = re.split(r"[()]", stat.read_text(), maxsplit=2)
        except OSError:  # it has just ended
            continue
        if rest.split()[3] == str(number):
            names.append(name)
    return names


@pytest.mark.parametrize("name", list(BOARDS))
def test_without_a_terminal(name: str) -> None:
    tour = subprocess.Popen(
        [*TOUR, name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    output = tour.communicate(timeout=300)[0]
    assert tour.returncode == 0, output
    assert session(tour.pid) == []
    told = iter(output.splitlines())
    command = r"\$ \S+wamr -p \S+ "
    # In this order, with anything between them.
    for expected in (
        r">>> import wamr; wamr.run\('hello.wasm'\)",
        r"Hello world!",
        r"exit code 0, \d+ bytes of heap free afterwards",
        r">>> import asyncio, wamr; asyncio.run\(wamr.serve\((uart=1)?\)\)",
        command + r"install room apps/room_temp/room_temp.wasm",
        r"installed room, [\d,]+ bytes",
        command + r"install overheat apps/overheat/overheat.wasm",
        r"installed overheat, [\d,]+ bytes",
        command + r"request GET /room_temp",
        r'  "value": 26.5',
        command + r"listen alert/overheat --count 3 --for 30",
        *[r'alert/overheat  warning="temperature is over high"'] * 3,
        command + r"ps --memory",
        r"room +8,192 +running +[\d,]+ .*",
        r"overheat +8,192 +running +[\d,]+ .*",
        r"the board has [\d,]+ bytes free, [\d,]+ in use",
        rf"{name} is off\.",
    ):
        assert any(re.fullmatch(expected, line) for line in told), f"{expected}\n{output}"


def read_until(keyboard: int, text: str | None) -> str:
    """What the tour prints, up to this text, or up to its end."""
    output = ""
    while text is None or text not in output:
        try:
            output += os.read(keyboard, 4096).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # nobody has the terminal any more
            assert text is None, output
            break
    return output


@pytest.mark.parametrize(
    "end, status",
    [
        (lambda pid, keyboard: os.write(keyboard, b"\n"), 0),
        (lambda pid, keyboard: os.write(keyboard, b"\3"), 0),
        (lambda pid, keyboard: os.kill(pid, signal.SIGTERM), 128 + signal.SIGTERM),
    ],
    ids=["enter", "ctrl-c", "terminated"],
)
def test_in_a_terminal(end: Callable[[int, int], object], status: int) -> None:
    """The board stays on until the user has seen enough, and not longer."""
    pid, keyboard = pty.fork()
    if pid == 0:
        os.execv(TOUR[0], [*TOUR, "NETDUINOPLUS2"])
    try:
        read_until(keyboard, "Enter or Ctrl-C here switches it off")
        assert any(name.startswith("qemu-system") for name in session(pid))
        end(pid, keyboard)
        assert (OFF in read_until(keyboard, None)) == (status == 0)
    finally:
        os.close(keyboard)  # which hangs up, should the tour still be there
        found = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert found == status
    assert session(pid) == []


def test_what_it_suggests() -> None:
    """The commands that it prints at the end work as they stand there."""
    pid, keyboard = pty.fork()
    if pid == 0:
        os.execv(TOUR[0], [*TOUR, "NETDUINOPLUS2"])
    try:
        output = read_until(keyboard, "Enter or Ctrl-C here switches it off")
        _, _, end = output.partition("Try it from another terminal")
        commands = [
            line.replace(" listen ", " listen --count 1 ")
            for line in re.findall(r"^\$ (.*wamr .*)$", end, re.MULTILINE)
        ]
        assert len(commands) == 6
        for command in commands:
            subprocess.run(shlex.split(command), cwd=ROOT, check=True, timeout=60)
    finally:
        os.close(keyboard)
        found = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert found == 128 + signal.SIGHUP
    assert session(pid) == []
