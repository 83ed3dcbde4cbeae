"""The app manager on emulated boards, its host on a UART or on the console."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from board import ROOT, Board
from wamr.apps.packet import DELETE, GET, PUT, Request

from . import test_golden, wat
from .device import frame, golden_folder, parse
from .test_manager import attributes, count
from .test_natives import connecting

pytestmark = pytest.mark.device

# Its host is on the second UART.
BOARD = "NETDUINOPLUS2"
# This one has a single UART: frames and what is printed share it.
SINGLE = "VIRT_RV32"
# Long enough for a PC with much else to do.
TIMEOUT_S = 60
SERVE = """
import asyncio, wamr
def serve(**settings):
    asyncio.run(wamr.serve(**settings))
"""


class Host:
    """The host's end of a serial line."""

    mid = 0

    def __init__(self, port: str) -> None:
        self.line = serial.Serial(port, 115200, timeout=TIMEOUT_S)

    def send(self, action: int, url: str, payload: bytes = b"", kind: int = 2) -> None:
        self.mid += 1
        self.line.write(frame(kind, Request(action, url.encode(), 99, payload, self.mid).pack()))

    def read(self) -> Any:
        """The next frame; what is no frame is printed text."""
        head = self.line.read(2)
        while head != b"\x124":
            assert len(head) == 2, "no answer"
            head = head[1:] + self.line.read(1)
        head += self.line.read(6)
        return parse(head + self.line.read(int.from_bytes(head[4:], "big")))

    def ask(self, *request: Any) -> Any:
        self.send(*request)
        while True:
            answer = self.read()
            if answer.mid == self.mid:  # and not a late one to an earlier request
                return answer

    def install(self, name: str, app: bytes, query: str = "&heap=1000") -> int:
        return self.ask(PUT, f"/applet?name={name}{query}", app, 4).status

    def close(self) -> None:
        self.line.close()


@pytest.fixture
def board_and_host(tmp_path: Path) -> Iterator[tuple[Board, Host]]:
    with Board(BOARD, flash=tmp_path / "flash.img", uarts=1) as board:
        host = Host(board.ptys[1])
        boot(board, host)
        yield board, host
        host.close()


def boot(board: Board, host: Host, more: str = "") -> None:
    board.start(SERVE + f"serve(uart=1, log=None, {more})")
    greet(host)


def greet(host: Host) -> None:
    # Until its receiver is on, the board hears nothing.
    host.line.timeout = 0.1
    for _ in range(50):
        try:
            host.ask(GET, "/applet")
            break
        except AssertionError:
            pass
    host.line.timeout = 0.5
    while host.line.read(1000):
        pass  # the answers to those that were too early
    host.line.timeout = TIMEOUT_S


def end(board: Board) -> None:
    board.interrupt()
    with pytest.raises(Exception, match="KeyboardInterrupt"):
        board.finish()


def details(host: Host) -> dict[str, Any]:
    return attributes(host.ask(GET, "/applet?details=1"))


def test_a_day(board_and_host: tuple[Board, Host]) -> None:
    board, host = board_and_host
    values = details(host)
    assert values["num"] == 0
    # asyncio and the manager with its link, idle; and what MicroPython itself takes.
    assert values["used"] <= 16 * 1024
    for name, app in (("c", wat.COUNTER), ("t", wat.TICKING), ("l", wat.LOOPING)):
        assert host.install(name, app) == 65
    # With the machine code of one or two of them.
    time.sleep(2)
    assert details(host)["used"] <= 72 * 1024
    assert count([host.ask(GET, "/url")]) == [1]
    # One of them loops for ever, and is removed.
    host.send(GET, "/app/l/x")
    (first,) = count([host.ask(GET, "/ticks")])
    time.sleep(2)
    (second,) = count([host.ask(GET, "/ticks")])
    # How many depends on what else this PC has to do.
    assert second - first >= 5
    assert host.ask(DELETE, "/applet?name=l").status == 66
    # The REPL is there again; then a restart.
    end(board)
    assert board.exec("print(1 + 1)") == "2\n"
    host.close()
    board.restart()
    host.line = serial.Serial(board.ptys[1], 115200, timeout=TIMEOUT_S)
    boot(board, host)
    values = details(host)
    assert (values["num"], values["applet1"], values["applet2"]) == (2, "t", "c")
    assert count([host.ask(GET, "/url")]) == [1]
    end(board)


def install_samples(host: Host, names: Iterable[str]) -> dict[str, Any]:
    """With the limits that an app gets when nobody asks for others, and compiled if that is to be;
    what a query tells then.
    """
    for name in names:
        app = (ROOT / "apps" / name / f"{name}.wasm").read_bytes()
        answer = host.ask(PUT, f"/applet?name={name}", app, 4)
        assert answer.status == 65, answer.payload
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            values = details(host)
            if not [key for key in values if "compiled" in str(values[key])]:
                break
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert {values[f"state{n + 1}"] for n in range(values["num"])} == {"running"}
    return values


LARGE_SAMPLES = ("request_handler", "request_sender", "sensor")


def test_three_samples(board_and_host: tuple[Board, Host]) -> None:
    board, host = board_and_host
    end(board)
    boot(board, host, "engine='portable'")
    assert install_samples(host, LARGE_SAMPLES)["used"] <= 72 * 1024
    assert host.ask(GET, "/url1").status == 69
    end(board)


@pytest.mark.parametrize("names", list(itertools.permutations(LARGE_SAMPLES)))
def test_three_samples_with_machine_code(
    board_and_host: tuple[Board, Host], names: tuple[str, ...]
) -> None:
    board, host = board_and_host
    values = install_samples(host, names)
    # Not all have room for it, and some of those that have it give it to the next app.
    for n in (1, 2, 3):
        assert re.match("native$|portable: not enough memory", values[f"engine{n}"])
    assert values["free"] >= 16 * 1024
    assert host.ask(GET, "/url1").status == 69
    end(board)


def test_three_small_samples_in_machine_code(board_and_host: tuple[Board, Host]) -> None:
    board, host = board_and_host
    values = install_samples(host, ("room_temp", "overheat", "timer"))
    assert [values[f"engine{n}"] for n in (1, 2, 3)] == ["native"] * 3
    assert values["free"] >= 28 * 1024
    assert host.ask(GET, "/room_temp").status == 69
    end(board)


def test_no_leak(board_and_host: tuple[Board, Host]) -> None:
    board, host = board_and_host
    figures = []
    for _ in range(36):
        for name, app in (("c", wat.COUNTER), ("x", wat.TRAPPING)):
            assert host.install(name, app) == 65
        assert count([host.ask(GET, "/app/c/x")]) == [1]
        host.send(GET, "/app/x/x")
        for name in "cx":
            assert host.ask(DELETE, f"/applet?name={name}").status == 66
        figures.append(details(host)["used"])
    # What a conservative collector keeps by chance comes and goes; a leak stays.
    # What was compiled by then differs.
    assert min(figures[-12:]) <= max(figures[:4]) + 500, figures
    end(board)


def test_an_app_with_a_uart(tmp_path: Path) -> None:
    with Board(BOARD, flash=tmp_path / "flash.img", uarts=2) as board:
        host = Host(board.ptys[1])
        boot(board, host)
        line = serial.Serial(board.ptys[2], timeout=TIMEOUT_S)
        assert host.install("u", connecting("UART", {"device": "2", "baudrate": 9600})) == 65
        assert line.read(5) == b"hello"
        line.write(b"Hi")
        deadline = time.monotonic() + TIMEOUT_S
        while count([host.ask(GET, "/url")]) != [1 + 256 * ord("H")]:
            assert time.monotonic() < deadline
        assert host.ask(DELETE, "/applet?name=u").status == 66
        # It can be opened again.
        assert host.install("u", connecting("UART", {"device": "2", "baudrate": 9600})) == 65
        assert line.read(5) == b"hello"
        end(board)


@pytest.mark.parametrize("app", [wat.LOOPING, wat.CALLING], ids=["loop", "calls"])
def test_endless_machine_code(board_and_host: tuple[Board, Host], app: bytes) -> None:
    board, host = board_and_host
    end(board)
    boot(board, host, "path=None, engine='native'")
    assert host.install("t", wat.TICKING) == 65
    assert host.install("l", app) == 65
    host.send(GET, "/app/l/x")
    (first,) = count([host.ask(GET, "/ticks")])
    start = time.monotonic()
    for _ in range(20):
        asked = time.monotonic()
        assert host.ask(GET, "/applet?name=l").status == 69
        # 0.2 s are wanted of a chip; this PC has much else to do.
        assert time.monotonic() - asked < 5
        time.sleep(0.1)
    (second,) = count([host.ask(GET, "/ticks")])
    assert second - first > (time.monotonic() - start) * 10 / 2
    assert host.ask(DELETE, "/applet?name=l").status == 66
    end(board)


def test_a_file_larger_than_ram(board_and_host: tuple[Board, Host]) -> None:
    board, host = board_and_host
    # Debug information, as compilers leave it: it goes to flash, and is not loaded.
    size = 160 * 1024
    content = b"\x05debug" + bytes(size)
    section = b"\0" + bytes(n & 0x7F | 0x80 for n in (len(content), len(content) >> 7))
    section += bytes([len(content) >> 14]) + content
    assert host.install("c", wat.COUNTER + section) == 65
    assert count([host.ask(GET, "/url")]) == [1]
    assert details(host)["code1"] > size
    end(board)


def test_behind_the_repl(board_and_host: tuple[Board, Host]) -> None:
    board, host = board_and_host
    end(board)
    board.exec("wamr.serve_background(uart=1, log=None, path=None)")
    greet(host)
    assert host.install("t", wat.TICKING) == 65
    (first,) = count([host.ask(GET, "/ticks")])
    # At the prompt, while the REPL works, and while the user's own asyncio program runs.
    assert board.exec("print(1 + 1)") == "2\n"
    board.exec("async def nap(): await asyncio.sleep(2)")
    for code in ("", "for _ in range(40000): pass", "asyncio.run(nap())"):
        board.start(code)
        time.sleep(0.5)
        assert host.install("l", wat.LOOPING) == 65
        host.send(GET, "/url")
        (second,) = count([host.ask(GET, "/ticks")])
        assert second - first >= 4
        first = second
        assert host.ask(DELETE, "/applet?name=l").status == 66
        board.finish()


# ---- the recorded exchanges

# The recorded apps have 64 KiB of memory each, of which they use less than this.
HEAP_BASE = 2048
LIMITED = {
    ("install_errors_last", 16): "160 Install WASM app failed: WASM module instantiate failed",
    ("install_errors_last", 17): "num=0",
    **test_golden.LIMITED,
}


def small(module: bytes) -> bytes:
    """The same app, saying where its memory ends: an exported global `__heap_base` is added."""
    value = bytes([HEAP_BASE & 0x7F | 0x80, HEAP_BASE >> 7])
    added = {6: b"\x7f\0\x41" + value + b"\x0b", 7: b"\x0b__heap_base\x03\0"}
    out, at = module[:8], 8
    while at < len(module):
        kind, size = module[at], module[at + 1]
        assert size < 0x80 or kind > 7, "none of these sections is so long"
        if kind == 7:
            content = added[6]
            out += bytes([6, 1 + len(content), 1]) + content
            content = module[at + 3 : at + 2 + size] + added[7]
            out += bytes([7, 1 + len(content), module[at + 2] + 1]) + content
            at += 2 + size
        elif kind < 7:
            assert kind != 6
            out += module[at : at + 2 + size]
            at += 2 + size
        else:
            return out + module[at:]
    return out


class OnBoard:
    """The board as a device that takes the recorded exchanges."""

    limited = True
    lines: tuple[str, ...] = ()
    board: Board
    host: Host

    def __init__(self, **settings: Any) -> None:
        assert not settings

    async def __aenter__(self) -> OnBoard:
        boot(self.board, self.host, "path=None")
        return self

    async def __aexit__(self, *exc: object) -> None:
        end(self.board)

    async def exchange(self, data: bytes, _: float, expected: int) -> list[bytes]:
        self.host.line.write(data)
        frames: list[bytes] = []
        while True:
            self.host.line.timeout = 2 if len(frames) < expected else 0.03 if frames else 0.15
            head = self.host.line.read(8)
            if not head:
                return frames
            frames.append(head + self.host.line.read(int.from_bytes(head[4:], "big")))


def with_small_apps(step: dict[str, Any]) -> dict[str, Any]:
    """The exchange with the app that it installs made small."""
    data = bytes.fromhex(step.get("send", ""))
    for path in (golden_folder().parent / "apps").glob("*.wasm"):
        module = path.read_bytes()
        if data.endswith(module) and data[3] in (2, 4):
            head = bytearray(data[: -len(module)])
            module = small(module)
            url = int.from_bytes(head[20:22], "big")
            head[4:8] = (18 + url + len(module)).to_bytes(4, "big")
            head[22:26] = len(module).to_bytes(4, "big")
            return {**step, "send": (head + module).hex()}
    return step


@pytest.mark.parametrize("name", ["edge_last", "install_errors_last"])
def test_golden_on_board(
    board_and_host: tuple[Board, Host], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    OnBoard.board, OnBoard.host = board_and_host
    end(OnBoard.board)
    monkeypatch.setattr(test_golden, "LIMITED", LIMITED)
    steps = [with_small_apps(s) for s in test_golden.load(name)]
    different = asyncio.run(test_golden.replay(name, steps, OnBoard))
    assert different == test_golden.DIFFERENT[name]


def test_frames_on_the_console(tmp_path: Path) -> None:
    with Board(SINGLE, flash=tmp_path / "flash.img") as board, board.released():
        host = Host(board.ptys[0])
        line = host.line
        line.write(b"import asyncio, wamr; asyncio.run(wamr.serve())\r")
        line.read_until(b"App Manager started.")
        # A Ctrl-C inside of a frame is nothing but a byte.
        host.send(GET, "/nobody", b"\3\3\3")
        assert host.install("c", wat.COUNTER) == 65
        assert count([host.ask(GET, "/url")]) == [1]
        line.write(b"\3")
        assert b"KeyboardInterrupt" in line.read_until(b">>> ")
        host.close()
