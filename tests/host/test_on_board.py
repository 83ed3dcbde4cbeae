"""`wamr` and `host_tool` with emulated boards, from install to uninstall."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial
from board import ROOT, Board
from wamr_cli import host_tool, main
from wamr_sim import Simulation

pytestmark = pytest.mark.device

ROOM = str(ROOT / "apps" / "room_temp" / "room_temp.wasm")
OVERHEAT = str(ROOT / "apps" / "overheat" / "overheat.wasm")
SERVE = "import asyncio, wamr\nasyncio.run(wamr.serve({}))\n"
# For a PC with much else to do.
PATIENCE = ["-t", "60"]


@contextmanager
def on_uart(tmp_path: Path) -> Iterator[tuple[Board, str]]:
    """An STM32F405 with its host on the second UART."""
    with Board("NETDUINOPLUS2", flash=tmp_path / "flash.img", uarts=1) as board:
        board.start(SERVE.format("uart=1, log=None"))
        yield board, board.ptys[1]


@contextmanager
def on_console(tmp_path: Path) -> Iterator[tuple[Board, str]]:
    """An RV32 whose host shares the console with what is printed."""
    with Board("VIRT_RV32", flash=tmp_path / "flash.img") as board, board.released():
        with serial.Serial(board.ptys[0], timeout=60) as console:
            console.write(b"import asyncio, wamr; asyncio.run(wamr.serve())\r")
            console.read_until(b"App Manager started.")
        yield board, board.ptys[0]
        with serial.Serial(board.ptys[0], timeout=60) as console:
            console.write(b"\3")
            console.read_until(b">>> ")


def until_it_answers(port: str) -> None:
    """A board that has not opened its UART yet hears nothing."""
    for _ in range(60):
        if main(["-p", port, "-t", "1", "ps"]) == 0:
            return
        time.sleep(0.5)
    raise AssertionError("the board does not answer")


@pytest.mark.parametrize("place", [on_uart, on_console])
def test_a_session(capfdbinary, tmp_path: Path, place) -> None:
    with place(tmp_path) as (board, port):
        until_it_answers(port)
        capfdbinary.readouterr()

        def wamr(*args: str) -> str:
            code = main(["-p", port, *PATIENCE, *args])
            out, err = capfdbinary.readouterr()
            assert code == 0, err
            return out.decode()

        def tool(*args: str) -> tuple[int, bytes]:
            code = host_tool.main([*args, "-D", port, "-t", "60000"])
            return code, capfdbinary.readouterr().out

        assert wamr("install", "room", ROOM, "--heap", "4k").startswith("installed room")
        assert tool("-i", "overheat", "-f", OVERHEAT, "--heap=4096") == (
            65,
            b"\nresponse status 65\n",
        )
        answer = {"temp unit": "centigrade", "value": 26.5}
        assert json.loads(wamr("request", "GET", "/room_temp")) == answer
        code, out = tool("-r", "/room_temp", "-A", "GET")
        assert (code, json.loads(out.partition(b"69\n")[2])) == (69, answer)
        # The app publishes once a second.
        event = wamr("listen", "alert/overheat", "--count", "2").splitlines()
        assert event == ['alert/overheat  warning="temperature is over high"'] * 2
        code, out = tool("-s", "alert/overheat", "-a", "3000")
        assert (
            out.count(b'event alert/overheat\n{\n\t"warning":\t"temperature is over high"\n}') > 1
        )
        tool("-d", "alert/overheat")
        found = json.loads(wamr("ps", "--memory", "--json"))
        assert [app["name"] for app in found["apps"]] == ["room", "overheat"]
        if place is on_uart:
            check_estimate(found["used"])
            board.restart()
            board.start(SERVE.format("uart=1, log=None"))
            port = board.ptys[1]
            until_it_answers(port)
            capfdbinary.readouterr()
            assert json.loads(wamr("request", "GET", "/room_temp")) == answer
        assert tool("-u", "overheat") == (66, b"\nresponse status 66\n")
        assert wamr("uninstall", "room") == "removed room\n"
        assert json.loads(wamr("ps", "--json")) == {"apps": []}


def check_estimate(used: int) -> None:
    """What the simulator says of the same apps is near what the board says."""
    with Simulation("NETDUINOPLUS2") as board:
        board.install("room", ROOM, heap=4096)
        board.install("overheat", OVERHEAT, heap=4096)
        assert board.memory()[0] == pytest.approx(used, rel=0.1)
