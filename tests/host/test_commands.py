"""The commands for devices: what they print, and their exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from wamr_cli import completion, main
from wamr_cli.table import table

from apps import wat

from .conftest import Running
from .test_device import PUBLISHER


@pytest.fixture
def wamr(simulated: Running, capfd: pytest.CaptureFixture[str]):
    """Run a command on the board: (exit code, stdout, stderr)."""

    def run(*args: str) -> tuple[int, str, str]:
        code = main(["-p", simulated.address, *args])
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def counter(tmp_path: Path) -> str:
    path = tmp_path / "counter.wasm"
    path.write_bytes(wat.COUNTER)
    return str(path)


def test_apps_come_and_go(wamr, counter: str, tmp_path: Path) -> None:
    assert wamr("ps") == (0, "", "no apps installed\n")
    assert wamr("install", "c", counter, "--heap", "4k", "--watchdog", "500") == (
        0,
        f"installed c, {len(wat.COUNTER)} bytes\n",
        "",
    )
    code, out, err = wamr("install", "c", counter)
    assert (code, out) == (6, "")
    assert "wamr: c was not installed: Install WASM app failed: app already installed." in err
    assert wamr("install", "c", counter, "--replace", "--json")[0] == 0
    assert wamr("install", "d", counter)[0] == 0
    assert wamr("ps")[1].split() == "NAME HEAP STATE c 8,192 running d 8,192 running".split()
    assert wamr("query", "d")[1].split() == "NAME HEAP STATE d 8,192 running".split()
    code, out, _ = wamr("ps", "--memory")
    assert "HEAPPEAK" in out and "bytes free" in out
    code, out, _ = wamr("ps", "--memory", "--json")
    found = json.loads(out)
    assert [app["name"] for app in found["apps"]] == ["c", "d"]
    assert found["free"] > 0 and found["apps"][0]["crashes"] == 0
    assert wamr("uninstall", "c", "d") == (0, "removed c\nremoved d\n", "")
    code, out, err = wamr("uninstall", "c")
    assert (code, "no app found" in err) == (6, True)
    assert wamr("ps", "c")[0] == 6


def test_apps_in_python(wamr, tmp_path: Path) -> None:
    path = tmp_path / "hello.py"
    path.write_text(
        "def on_init(app):\n    app.register('/hello')\n"
        "def on_request(app, request):\n    app.respond(request, {'n': 7, 's': 'é'})\n"
    )
    assert wamr("install", "hello", str(path))[0] == 0
    code, out, _ = wamr("request", "GET", "/hello")
    assert (code, json.loads(out)) == (0, {"n": 7, "s": "é"})


def test_requests(wamr, counter: str, tmp_path: Path) -> None:
    wamr("install", "c", counter)
    assert wamr("request", "get", "/url") == (0, "01 00 00 00\n", "")
    assert wamr("request", "GET", "/url", "--raw")[1] == "\2\0\0\0"
    (tmp_path / "payload").write_text('{"a": 1}')
    assert wamr("request", "PUT", "/url", "--json", '{"a": 1}')[0] == 0
    assert wamr("request", "PUT", "/url", "--file", str(tmp_path / "payload"))[0] == 0
    code, out, err = wamr("request", "GET", "/app/nosuch/x")
    assert (code, out) == (6, "")
    assert "160 5.00 internal server error: Send request to applet failed" in err


def test_wrong_usage(wamr, counter: str, tmp_path: Path) -> None:
    for args, code, message in (
        (["request", "GET", "/x", "--json", "5"], 2, "payload: the payload must be a JSON object"),
        (["request", "GET", "/x", "--json", "{"], 2, "payload: "),
        (["request", "GET", "/x", "--json", "{}", "--file", "x"], 2, "exclude each other"),
        (["request", "GET", "/x", "--file", "/no/such/file"], 3, "cannot read /no/such/file"),
        (["request", "PATCH", "/x"], 2, "PATCH"),
        (["install", "x", "/no/such/file"], 3, "cannot read /no/such/file: No such file"),
        (["install", "x", __file__, "--type", "wasm"], 3, "is no WebAssembly module"),
        (["--timeout", "0.2", "request", "GET", "/x"], 5, "no answer from"),
    ):
        got, out, err = wamr(*args)
        assert (got, out) == (code, ""), args
        assert message in err, args


def test_what_to_do_when_it_is_refused(wamr, simulated: Running, counter: str) -> None:
    wamr("install", "c", counter)
    assert "--replace" in wamr("install", "c", counter)[2]
    assert "`wamr ps`" in wamr("uninstall", "d")[2]


def test_names_that_cannot_be(wamr, simulated: Running, counter: str) -> None:
    for name in ("", "a&heap=1"):
        code, _, error = wamr("install", name, counter)
        assert code == 2 and "cannot be an app's name" in error
    assert wamr("install", "a b", counter)[0] == 0


def test_no_device(capfd, monkeypatch) -> None:
    monkeypatch.setattr("wamr_cli.devices.serial_ports", list)
    assert main(["ps"]) == 2
    assert "none is plugged in" in capfd.readouterr().err
    assert main(["-p", "tcp://127.0.0.1:1", "ps"]) == 4
    assert "nobody listens at tcp://127.0.0.1:1" in capfd.readouterr().err


class FakePort:
    def __init__(self, device: str, usb: bool = True) -> None:
        self.device = device
        self.description = "a board"
        self.vid, self.pid = (0x2E8A, 5) if usb else (None, None)


def test_the_only_usb_port_is_used(capfd, monkeypatch, simulated_pty: Running) -> None:
    ports = [FakePort("/dev/ttyS0", False), FakePort(simulated_pty.address)]
    monkeypatch.setattr("wamr_cli.devices.serial_ports", lambda: ports)
    assert main(["ps"]) == 0
    assert f"using {simulated_pty.address}" in capfd.readouterr().err
    ports.append(FakePort("/dev/ttyUSB9"))
    assert main(["ps"]) == 2
    assert "there are 2" in capfd.readouterr().err
    assert main(["devices", "--probe", "--json"]) == 0
    answers = {p["port"]: p["answer"] for p in json.loads(capfd.readouterr().out)}
    assert answers[simulated_pty.address] == "0 installed"
    assert answers["/dev/ttyUSB9"] == "no answer"
    assert main(["devices"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split() == ["PORT", "USB", "ID", "DESCRIPTION"]
    assert lines[1].split() == ["/dev/ttyS0", "-", "a", "board"]
    assert "2e8a:0005" in lines[2]


def start(address: str, *args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "wamr_cli", "-p", address, *args]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=os.environ)


def wait_for(condition) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def read_until(process: subprocess.Popen[str], *texts: str) -> None:
    """Reads lines until each text was in one of them."""
    missing = set(texts)
    timer = threading.Timer(20, process.kill)
    timer.start()
    for line in process.stdout or ():
        missing -= {text for text in missing if text in line}
        if not missing:
            break
    timer.cancel()
    assert not missing


def test_listening(wamr, simulated: Running, tmp_path: Path) -> None:
    (tmp_path / "p.wasm").write_bytes(PUBLISHER)
    wamr("install", "p", str(tmp_path / "p.wasm"))
    subscribers = simulated.simulator.manager.subscribers
    listening = start(simulated.address, "listen", "/url", "other", "--count", "2")
    wait_for(lambda: len(subscribers) == 2)
    wamr("request", "PUT", "/url", "--json", '{"n": 1.5, "s": "a b"}')
    wamr("request", "PUT", "/url")
    out, err = listening.communicate(timeout=20)
    assert (out, err, listening.returncode) == ('/url  n=1.5  s="a b"\n/url\n', "", 0)
    # It has taken back its subscriptions.
    assert not simulated.simulator.manager.subscribers


def test_listening_ends_with_ctrl_c_or_in_time(wamr, simulated: Running) -> None:
    listening = start(simulated.address, "listen", "x", "--json")
    wait_for(lambda: simulated.simulator.manager.subscribers)
    listening.send_signal(signal.SIGINT)
    out, err = listening.communicate(timeout=20)
    assert (out, err.strip(), listening.returncode) == ("", "wamr: interrupted", 130)
    wait_for(lambda: not simulated.simulator.manager.subscribers)
    assert wamr("listen", "x", "--for", "0.1") == (0, "", "")


def test_monitor(wamr, simulated: Running, counter: str) -> None:
    # What changes is told at once.
    watching = start(simulated.address, "monitor", "--interval", "60")
    wait_for(lambda: simulated.simulator.manager.subscribers)
    wamr("install", "c", counter)
    read_until(watching, "c  running")
    wamr("uninstall", "c")
    read_until(watching, "c  removed")
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=20)
    assert watching.returncode == 130


def test_completion_asks_the_board(simulated: Running, wamr, counter: str) -> None:
    wamr("install", "counter", counter)
    words = f"wamr -p {simulated.address} uninstall c"
    done = subprocess.run(
        [sys.executable, "-m", "wamr_cli"],
        env={
            **os.environ,
            "_WAMR_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": "4",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "plain,counter\n"


def test_completion_of_ports(monkeypatch) -> None:
    ports = [FakePort("/dev/ttyUSB0"), FakePort("/dev/ttyACM0")]
    monkeypatch.setattr("wamr_cli.devices.serial_ports", lambda: ports)
    assert completion.ports(None, None, "/dev/ttyU") == ["/dev/ttyUSB0"]
    assert completion.ports(None, None, "s") == ["sim"]


def test_tables() -> None:
    rows = [["a", 1, None], ["long name", 12345, None]]
    assert table(["NAME", "N", "X"], rows).replace("\x1b[1m", "").replace("\x1b[0m", "") == (
        "NAME            N  X\na               1  -\nlong name  12,345  -"
    )
