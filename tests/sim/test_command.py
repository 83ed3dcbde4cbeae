"""`wamr sim`: in virtual time, over TCP, over a pseudo terminal, with the live view."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from wamr_cli import main

from apps import wat

SCENARIO = """
duration = 1050
[[app]]
name = "ticks"
file = "ticks.wasm"
[[step]]
at = 500
request = "GET /ticks"
"""


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    (tmp_path / "ticks.wasm").write_bytes(wat.TICKING)
    (tmp_path / "x.toml").write_text(SCENARIO)
    return str(tmp_path / "x.toml")


def test_virtual_time(capfd, scenario: str, tmp_path: Path) -> None:
    start = time.monotonic()
    assert main(["sim", "--virtual", "--scenario", scenario, "--for", "60050"]) == 0
    assert time.monotonic() - start < 20
    out = capfd.readouterr().out
    assert out.count("ticks: timer 1") == 600
    assert re.search(r"^ +50\d host< +69 to GET /ticks$", out, re.M)
    assert main(["sim", "--virtual", "--scenario", scenario, "--trace", f"{tmp_path}/t"]) == 0
    assert (tmp_path / "t").read_text().count("ticks: timer 1") == 10
    assert capfd.readouterr().out == ""


def test_wrong_usage(capfd, scenario: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[[app]]\nname = 'a'\nfile = 'none.wasm'")
    for args, code, message in (
        (["--virtual"], 2, "--virtual needs an end"),
        (["--virtual", "--for", "1", "--listen", "pty"], 2, "exclude each other"),
        (["--board", "X"], 2, "NETDUINOPLUS2"),
        (["--display", "1x"], 2, "is no size such as 128x64"),
        (["--display", "1x1:red"], 2, "is no size"),
        (["--scenario", "none"], 3, "cannot read none"),
        (["--scenario", str(tmp_path / "bad.toml")], 3, "there is no file"),
        (["--listen", "udp://x", "--for", "0"], 2, "write tcp://HOST:PORT, pty or pty:LINK"),
        (["--listen", "tcp://192.0.2.1:1", "--for", "0"], 4, "cannot listen at tcp://192.0.2.1"),
    ):
        assert main(["sim", *args]) == code, args
        assert message in capfd.readouterr().err, args


def start(*args: str, **options) -> tuple[subprocess.Popen[str], str]:
    """The command, and the address that it says."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "wamr_cli", "sim", *args],
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )
    assert process.stdout
    for line in process.stdout:
        found = re.match(r"simulated \S+ at (\S+);", line)
        if found:
            return process, found.group(1)
    raise AssertionError("it did not start")


def stop(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    return out


def test_over_tcp(capfd, tmp_path: Path) -> None:
    (tmp_path / "c.wasm").write_bytes(wat.COUNTER)
    options = ("--listen", "tcp://127.0.0.1:0", "--flash", str(tmp_path / "flash"))
    process, address = start(*options)
    assert main(["-p", address, "install", "c", str(tmp_path / "c.wasm")]) == 0
    assert main(["-p", address, "request", "GET", "/url"]) == 0
    out = stop(process)
    assert "host>    install c" in out and "host>    GET /url" in out
    # The flash folder has kept the app.
    process, address = start(*options)
    assert main(["-p", address, "ps", "c"]) == 0
    stop(process)


def test_over_a_pseudo_terminal(capfd, tmp_path: Path) -> None:
    link = tmp_path / "tty"
    process, address = start("--listen", f"pty:{link}")
    assert address == str(link)
    for _ in range(2):
        assert main(["-p", address, "ps"]) == 0
    stop(process)
    assert not link.is_symlink()


def test_it_ends_in_time(tmp_path: Path) -> None:
    process, _ = start("--listen", "pty", "--for", "300")
    process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo terminal")
def test_the_live_view(scenario: str, tmp_path: Path) -> None:
    pytest.importorskip("rich")
    terminal, screen = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "wamr_cli", "sim", "--scenario", scenario, "--for", "2500"]
        + ["--listen", "tcp://127.0.0.1:0", "--live"],
        stdout=screen,
        stdin=screen,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
    )
    os.close(screen)
    shown = b""
    while True:
        if select.select([terminal], [], [], 20)[0]:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            shown += data
        else:
            break
    os.close(terminal)
    assert process.wait(20) == 0
    text = shown.decode()
    for part in ("NETDUINOPLUS2 at tcp://127.0.0.1:", "ticks", "running", "messages", "timer 1"):
        assert part in text
