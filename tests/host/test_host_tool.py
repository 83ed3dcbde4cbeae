"""host_tool: what it sends, prints and exits with, byte for byte."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from wamr.apps.attributes import from_dict
from wamr.apps.packet import EVENT, Request, Response, unpack_request
from wamr.link.frame import header
from wamr_cli import host_tool

from apps import wat

from .conftest import Running


def run(capfdbinary: pytest.CaptureFixture[bytes], *args: str) -> tuple[int, bytes]:
    code = host_tool.main(args)
    out, err = capfdbinary.readouterr()
    return code, out


@pytest.fixture
def at(simulated: Running) -> list[str]:
    """The options that say where the board is."""
    host, port = simulated.address[len("tcp://") :].split(":")
    return ["-S", host, "-P", port]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "counter.wasm"
    path.write_bytes(wat.COUNTER)
    return str(path)


# ---- with a board


def test_a_session(capfdbinary, at: list[str], file: str) -> None:
    def tool(*args: str) -> tuple[int, bytes]:
        return run(capfdbinary, *args, *at)

    assert tool("-q") == (69, b'\nresponse status 69\n{\n\t"num":\t0\n}')
    assert tool("-i", "c", "-f", file, "--heap=4096") == (65, b"\nresponse status 65\n")
    assert tool("-i", "c", "-f", file) == (
        160,
        b'\nresponse status 160\n{\n\t"error message":\t'
        b'"Install WASM app failed: app already installed."\n}',
    )
    assert tool("--query") == (
        69,
        b'\nresponse status 69\n{\n\t"num":\t1,\n\t"applet1":\t"c",\n\t"heap1":\t4096\n}',
    )
    assert tool("-qc") == (69, b'\nresponse status 69\n{\n\t"name":\t"c",\n\t"heap":\t4096\n}')
    # A space: all are listed.
    assert tool("-q", "nosuch")[0] == 69
    assert tool("--query=nosuch")[0] == 160
    # The payload of this answer is no container.
    assert tool("-r", "/url", "-A", "GET") == (69, b"\nresponse status 69\n")
    assert tool("-s", "alert") == (69, b"\nresponse status 69\n")
    assert tool("-d", "alert") == (69, b"\nresponse status 69\n")
    assert tool("-u", "c") == (66, b"\nresponse status 66\n")
    assert tool("-u", "c") == (
        160,
        b'\nresponse status 160\n{\n\t"error message":\t'
        b'"Uninstall WASM app failed: no app found."\n}',
    )


def test_no_answer(capfdbinary, at: list[str]) -> None:
    start = time.monotonic()
    assert run(capfdbinary, "-r", "/x", "-A", "GET", "-t", "500", *at) == (
        2,
        b"operation timeout\n",
    )
    # Time is looked at once a second.
    assert 1 <= time.monotonic() - start < 2


def test_as_a_command(simulated: Running, at: list[str]) -> None:
    command = [sys.executable, "-m", "wamr_cli.host_tool"]
    done = subprocess.run([*command, "-q", *at], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (69, b"")
    assert done.stdout == b'\nresponse status 69\n{\n\t"num":\t0\n}'
    done = subprocess.run([*command, "-x"], capture_output=True, check=False)
    assert done.returncode == 255
    assert done.stderr.endswith(b": invalid option -- 'x'\n")
    assert b"Usage: host_tool" in done.stdout


def test_over_a_serial_port(capfdbinary, simulated_pty: Running, file: str) -> None:
    at = ("-D", simulated_pty.address, "-B", "57600")
    assert run(capfdbinary, "-i", "c", "-f", file, *at) == (65, b"\nresponse status 65\n")
    assert run(capfdbinary, "-qc", *at)[0] == 69


def test_output_goes_to_a_file_and_a_port_too(capfdbinary, at: list[str], tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"before|")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(5)
        port = str(udp.getsockname()[1])
        _, out = run(capfdbinary, "-q", "-o", str(path), "-U", port, *at)
        assert udp.recv(1000) + udp.recv(1000) == out
    assert path.read_bytes() == b"before|" + out


# ---- with a device that says what the test wants


class FakeDevice:
    """Takes one request, sends `frames(mid)` in pieces, keeps what it got."""

    def __init__(self, *pieces) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = str(self.listener.getsockname()[1])
        self.kind = 0
        self.request: Request = None  # type: ignore[assignment]
        self.thread = threading.Thread(target=self._serve, args=(pieces,))
        self.thread.start()

    def _serve(self, pieces) -> None:
        with self.listener, self.listener.accept()[0] as peer:
            head = peer.recv(8, socket.MSG_WAITALL)
            data = peer.recv(int.from_bytes(head[4:], "big"), socket.MSG_WAITALL)
            self.kind = head[3]
            self.request = unpack_request(data)
            for piece in pieces:
                if isinstance(piece, float):
                    time.sleep(piece)
                else:
                    peer.sendall(piece(self.request.mid) if callable(piece) else piece)
            peer.recv(1)

    def __enter__(self) -> FakeDevice:
        return self

    def __exit__(self, *exc: object) -> None:
        self.thread.join(10)


def answer(status: int = 69, payload: bytes = b"", fmt: int = 99):
    def frame(mid: int) -> bytes:
        packet = Response(status, fmt, payload, mid).pack()
        return header(3, len(packet)) + packet

    return frame


def event(url: bytes, payload: bytes = b"") -> bytes:
    packet = Request(EVENT, url, 99, payload, 1, 1).pack()
    return header(2, len(packet)) + packet


@pytest.mark.parametrize(
    ("args", "kind", "action", "fmt", "url", "payload"),
    [
        (["-q"], 2, 1, 99, b"/applet", b""),
        (["-qa b"], 2, 1, 99, b"/applet?name=a b", b""),
        (["-u", "a"], 2, 4, 99, b"/applet?name=a", b""),
        (["-u", "a", "--type=jeff"], 2, 4, 99, b"/applet?name=a&type=jeff", b""),
        (["-i", "a", "-f", "APP"], 4, 3, 98, b"/applet?name=a", wat.COUNTER),
        (
            ["--inst=a", "--fi", "APP", "--watch=9", "--timers", "8", "--hea", "7x", "--ty=wasm"],
            4,
            3,
            98,
            b"/applet?name=a&type=wasm&heap=7&timers=8&wd=9",
            wat.COUNTER,
        ),
        (["-i", "a", "-f", "APP", "--heap=0", "--timers=x"], 4, 3, 98, b"/applet?name=a", None),
        (["-i", "a", "-f", "APP", "--type=jeff"], 2, 3, 98, b"/applet?name=a&type=jeff", None),
        (["-q", "-i", "a", "-f", "APP"], 4, 3, 98, b"/applet?name=a", None),
        (["-r", "/x?y=1", "-A", "post"], 2, 2, 99, b"/x?y=1", b""),
        (["-r", "x", "-A", "PUT", "-p", "JSON"], 2, 3, 99, b"x", from_dict({"a": 1.0})),
        (["-s", "a,b"], 2, 3, 99, b"/event/a,b", b""),
        (["-s", "/a"], 2, 3, 99, b"/event/a", b""),
        (["-d", "/a"], 2, 4, 99, b"/event//a", b""),
    ],
)
def test_what_is_sent(capfdbinary, tmp_path, file, args, kind, action, fmt, url, payload) -> None:
    (tmp_path / "json").write_text('{"a": 1}')
    names = {"APP": file, "JSON": str(tmp_path / "json")}
    with FakeDevice(answer(68)) as device:
        code, _ = run(capfdbinary, *(names.get(a, a) for a in args), "-P", device.port)
    request = device.request
    assert code == 68
    assert (device.kind, request.action, request.fmt, request.url) == (kind, action, fmt, url)
    assert (request.sender, 0 <= request.mid < 1 << 31) == (0, True)
    assert payload is None or request.payload == payload


def test_a_long_name_is_cut(capfdbinary) -> None:
    with FakeDevice(answer()) as device:
        run(capfdbinary, "-u", "n" * 300, "--type=t", "-P", device.port)
    assert device.request.url == b"/applet?name=" + b"n" * 241 + b"&"


def test_events_are_shown_only_while_subscribing(capfdbinary) -> None:
    payload = from_dict({"warning": "too hot"})
    for operation in ("-s", "-d", "-u"):
        with FakeDevice(event(b"x/y", payload), answer(), event(b"late")) as device:
            code, out = run(capfdbinary, operation, "x/y", "-a", "1", "-P", device.port)
        shown = b'\nreceived an event x/y\n{\n\t"warning":\t"too hot"\n}'
        late = b"\nreceived an event late\n"
        is_event_mode = operation != "-u"
        assert code == 69
        assert out == (shown * is_event_mode + b"\nresponse status 69\n" + late * is_event_mode)


def test_it_listens_on_after_the_answer(capfdbinary) -> None:
    start = time.monotonic()
    with FakeDevice(answer(), 0.3, event(b"a"), 0.3, event(b"b")) as device:
        code, out = run(capfdbinary, "-s", "a", "-a", "1500", "-P", device.port)
    assert (code, out.count(b"received an event")) == (69, 2)
    assert 1.5 <= time.monotonic() - start < 4
    # In other modes the time counts from the start: it is over.
    start = time.monotonic()
    with FakeDevice(0.6, answer()) as device:
        run(capfdbinary, "-q", "-a", "500", "-P", device.port)
    assert time.monotonic() - start < 2


def test_it_ends_at_the_answer(capfdbinary) -> None:
    # What comes behind it in the same packet is not looked at.
    with FakeDevice(lambda mid: answer()(mid) + event(b"x")) as device:
        assert run(capfdbinary, "-s", "x", "-P", device.port) == (69, b"\nresponse status 69\n")


def test_garbage_and_answers_to_others_are_skipped(capfdbinary) -> None:
    noise = b"\x12\x12\x00console\r\n" + answer()(0xFFFFFFFF) + header(3, 5) + b"short"
    with FakeDevice(noise, answer(65)) as device:
        assert run(capfdbinary, "-q", "-P", device.port) == (65, b"\nresponse status 65\n")
    frame = answer(65)
    with FakeDevice(lambda m: frame(m)[:9], 0.1, lambda m: frame(m)[9:]) as device:
        assert run(capfdbinary, "-q", "-P", device.port)[0] == 65


def test_the_exit_code_is_the_status(capfdbinary) -> None:
    for status in (0, 65, 132, 255):
        with FakeDevice(answer(status)) as device:
            assert run(capfdbinary, "-q", "-P", device.port) == (
                status,
                b"\nresponse status %d\n" % status,
            )


def test_other_payloads_are_not_shown(capfdbinary) -> None:
    with FakeDevice(answer(69, b"binary", 98)) as device:
        assert run(capfdbinary, "-q", "-P", device.port) == (69, b"\nresponse status 69\n")


def test_a_long_event_url_is_cut(capfdbinary) -> None:
    with FakeDevice(event(b"u" * 300), 0.2, answer()) as device:
        _, out = run(capfdbinary, "-s", "x", "-P", device.port)
    head = b"\nreceived an event "
    assert out == head + b"u" * (255 - len(head)) + b"\nresponse status 69\n"


def test_containers_of_2019_are_understood_and_can_be_written(capfdbinary, monkeypatch, tmp_path):
    monkeypatch.setenv("WAMR_DIALECT", "A")
    (tmp_path / "json").write_text('{"a": 1}')
    payload = from_dict({"s": "text", "b": True, "f": (0.5, "float")}, "", "A")
    with FakeDevice(answer(69, payload)) as device:
        code, out = run(
            capfdbinary, "-r", "x", "-A", "PUT", "-p", f"{tmp_path}/json", "-P", device.port
        )
    assert device.request.payload == from_dict({"a": 1.0}, "", "A")
    assert out.endswith(b'{\n\t"s":\t"text",\n\t"b":\ttrue,\n\t"f":\t0.5\n}')


def test_it_connects_again_but_does_not_send_again(capfdbinary) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    received = []

    def serve() -> None:
        with listener.accept()[0] as peer:
            received.append(peer.recv(1000))
        with listener.accept()[0] as peer:
            peer.settimeout(0.5)
            try:
                received.append(peer.recv(1000))
            except TimeoutError:
                mid = int.from_bytes(received[0][12:16], "big")
                peer.sendall(answer(69)(mid))
                peer.settimeout(5)
                peer.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        port = str(listener.getsockname()[1])
        assert run(capfdbinary, "-q", "-P", port) == (69, b"\nresponse status 69\n")
        thread.join()
    assert len(received) == 1


# ---- wrong usage


@pytest.mark.parametrize(
    "line",
    [
        "",
        "-h",
        "--help",
        "--help=x",
        "-x",
        "-i",
        "-i a",
        "-f x -i a",
        "--heap=1 -i a -f x",
        "-u a --heap=1",
        "-r x",
        "-r x -A PATCH",
        "-A GET -r x",
        "-q -A GET",
        "-r x -f y -A GET",
        "-s x -p y",
        "-i a -f x -u b",
        "-u a -q",
        "-S 127.0.0.1 -D /dev/x -q",
        "--u a",
        "--re x",
    ],
)
def test_wrong_usage(capfdbinary, line: str) -> None:
    code, out = run(capfdbinary, *line.split())
    assert code == 255
    assert out.startswith(b"\nUsage: host_tool")


def test_what_cannot_be_done_is_not_commented(capfdbinary, at: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad").write_text('{"a": []}')
    free = socket.create_server(("127.0.0.1", 0))
    port = str(free.getsockname()[1])
    free.close()
    for args in (
        ["-q", "-P", port],
        ["-q", "-S", "localhost"],
        ["-q", "-D", "/dev/no-such-port"],
        ["-i", "a", "-f", str(tmp_path / "none"), *at],
        ["-r", "x", "-A", "PUT", "-p", str(tmp_path / "bad"), *at],
        ["-r", "x", "-A", "PUT", "-p", str(tmp_path / "none"), *at],
    ):
        assert run(capfdbinary, *args) == (255, b""), args


def test_script_is_installed() -> None:
    path = Path(sys.executable).parent / "host_tool"
    assert os.access(path, os.X_OK)
