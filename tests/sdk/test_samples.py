"""The sample apps, as they are in the repository, on the app manager: what is on the wire."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from apps.device import Device, run
from wamr.apps.attributes import from_dict, items, tag, used
from wamr.apps.packet import DELETE, EVENT, GET, POST, PUT, Request, Response

APPS = Path(__file__).resolve().parents[2] / "apps"
EMPTY = (0, b"")


def sample(name: str) -> bytes:
    """apps/NAME/NAME.wasm, or another file there: FOLDER/FILE."""
    folder, _, file = name.partition("/")
    return (APPS / folder / f"{file or folder}.wasm").read_bytes()


def attributes(message: Any) -> dict[str, Any]:
    """The payload of a request, event or response, without the kinds of its values."""
    assert message.fmt == 99
    return {key: value for key, _, value in items(message.payload)}


def kinds(message: Any) -> dict[str, str]:
    return {key: kind for key, kind, _ in items(message.payload)}


async def install(device: Device, *names: str) -> None:
    for name in names:
        short = name.split("/")[-1]
        assert await device.install(short, sample(name), seconds=0.1) == 65
        assert device.manager.apps[0].state in ("new", "running"), device.lines


async def ask(device: Device, action: int, url: str, **values: Any) -> Response:
    """The one response to a request with these attributes; numbers as hosts send them."""
    payload = from_dict(values) if values else b""
    answers = await device.request(action, url, payload)
    (response,) = [a for a in answers if isinstance(a, Response)]
    return response


async def events(device: Device, seconds: float) -> list[Request]:
    answers = await device.request(GET, "/nobody", seconds=seconds)
    assert all(a.action == EVENT for a in answers)
    return answers


async def subscribe(device: Device, *urls: str) -> None:
    for url in urls:
        (answer,) = await device.request(PUT, "/event/" + url)
        assert answer.status == 69


LANGUAGES = ("", "_rust", "_ts", "_zig")


@pytest.mark.parametrize("language", LANGUAGES)
def test_room_temp(language: str) -> None:
    async def main() -> None:
        async with Device() as device:
            await install(device, "room_temp/room_temp" + language)
            for url in ("/room_temp", f"/app/room_temp{language}/room_temp"):
                response = await ask(device, GET, url)
                assert (response.status, response.mid) == (69, 77)
                assert response.receiver == 0xFFFFFFFD
                assert tag(response.payload) == b"room_temp payload"
                assert attributes(response) == {"temp unit": "centigrade", "value": 26.5}
                assert kinds(response) == {"temp unit": "string", "value": "float"}
                # With the room for more attributes that WAMR's library leaves; ours for the other
                # languages leave none.
                size = 2 + 4 + 2 + 18 + 100 if language == "" else len(used(response.payload)) + 6
                assert len(response.payload) == size

    run(main())


@pytest.mark.parametrize("language", LANGUAGES)
def test_overheat(language: str) -> None:
    async def main() -> None:
        async with Device() as device:
            await subscribe(device, "alert/overheat")
            await install(device, "overheat/overheat_handler", "overheat/overheat" + language)
            received = await events(device, 3.2)
            assert [e.url for e in received] == [b"alert/overheat"] * 3
            assert attributes(received[0]) == {"warning": "temperature is over high"}
            assert tag(received[0].payload) == b"event"
            assert [e.mid for e in received] == [1, 2, 3]
            assert {e.sender for e in received} == {2}
            printed = device.printed.decode().splitlines()
            assert printed.count("Event: alert/overheat") == 3
            assert "Timer update 2" in printed

            # Nothing is left in the heap, however long it runs.
            heap = device.manager.apps[0].instance.heap
            await asyncio.sleep(30)
            used = heap.used
            await asyncio.sleep(300)
            assert heap.used <= used + 64

    run(main())


def test_timer() -> None:
    async def main() -> None:
        async with Device() as device:
            await install(device, "timer")
            app = device.manager.apps[0]
            for _ in range(30):  # twenty cycles of two timers: no slot is lost
                await asyncio.sleep(7.5)
                assert len(app.timers.timers) <= 2
            printed = device.printed.decode().splitlines()
            assert printed[:6] == [f"Timer update {n}" for n in range(1, 6)] + [
                "Timer fired once, after 5 updates"
            ]
            assert printed.count("Timer fired once, after 100 updates") == 1
            assert "no timer left" not in printed
            await device.request(DELETE, "/applet?name=timer")
            assert device.printed.decode().splitlines()[-1] == "on_destroy"

    run(main())


def test_request_handler() -> None:
    async def main() -> None:
        async with Device() as device:
            await install(device, "request_handler")
            response = await ask(device, POST, "/url1/below?x=1", a=1.5, b="text")
            assert (response.status, tag(response.payload)) == (69, b"url1")
            sent = len(from_dict({"a": 1.5, "b": "text"}))
            assert attributes(response) == {"url": "/url1/below?x=1", "action": 2, "payload": sent}
            printed = device.printed.decode().splitlines()
            assert printed == [
                "Attribute container dump:",
                "Tag: ",
                "Attribute list:",
                "  key: a, type: double, value: 1.500000",
                "  key: b, type: string, value: text",
                "",
            ]
            assert (await ask(device, GET, "/url2")).status == 132
            assert (await ask(device, PUT, "/url2", limit=28.5)).status == 65
            assert attributes(await ask(device, GET, "/url2")) == {"limit": 28.5}
            assert (await ask(device, PUT, "/url2", limit=30.0)).status == 68
            assert attributes(await ask(device, GET, "url2")) == {"limit": 30.0}
            assert (await ask(device, DELETE, "/url2")).status == 66
            assert (await ask(device, PUT, "/url2", other=1.0)).status == 128
            assert (await ask(device, POST, "/url2")).status == 133

    run(main())


def test_request_sender() -> None:
    async def main() -> None:
        async with Device() as device:
            await subscribe(device, "sender/result")
            await install(device, "request_handler", "request_sender")
            assert await events(device, 4.5) == []
            (event,) = await events(device, 1.0)
            assert event.url == b"sender/result"
            assert attributes(event) == {"answered": 4, "timed out": 1}
            printed = device.printed.decode().splitlines()
            for line in (
                "to an app: status 69, ",
                "to whoever serves it: status 69, ",
                "limit: status 132, 0 bytes",
                "not allowed: status 133, 0 bytes",
                "to nobody: nobody has answered",
            ):
                assert len([x for x in printed if x.startswith(line)]) == 1, line
            # The timer for timeouts is gone with the last request.
            assert not device.manager.apps[0].timers.timers
            assert not device.manager.timers._due

    run(main())


def test_event_publisher_and_subscriber() -> None:
    async def main() -> None:
        async with Device() as device:
            await subscribe(device, "alert/overheat")
            await install(device, "event_subscriber", "event_publisher")
            first, second = await events(device, 4.2)
            assert attributes(second) == {
                "warning": "temperature is over high",
                "count": 2,
                "level": -1,
                "room": 65535,
                "uptime": 4,
                "serial": 0x123456789ABC,
                "value": 31.0,
                "mean": 30.1,
                "urgent": False,
                "levels": b"\x03\xfc\x05",
            }
            assert list(kinds(second).values()) == [
                *("string", "int16", "int8", "uint16", "int32", "int64", "float", "double"),
                *("bool", "bytearray"),
            ]
            response = await ask(device, GET, "/overheats")
            assert attributes(response) == {"events": 2, "warning": "temperature is over high"}
            assert device.printed.count(b"event alert/overheat from app 2\n") == 2
            assert b"  key: serial, type: int64, value: 0x123456789abc\n" in device.printed
            assert b"  key: level, type: byte, value: 0xff\n" in device.printed
            assert b"  key: levels, type: byte array, length: 3\n" in device.printed
            assert b"  key: value, type: float, value: 30.500000\n" in device.printed

            # Eight events per second from now on.
            assert (await ask(device, PUT, "/interval", ms=125.0)).status == 68
            assert len(await events(device, 1.0)) == 8
            assert (await ask(device, GET, "/interval")).status == 128

    run(main())


def test_the_containers_are_those_of_the_device() -> None:
    """The app's library and the device's make the same bytes of the same attributes."""

    async def main() -> None:
        async with Device() as device:
            await subscribe(device, "alert/overheat")
            await install(device, "event_publisher")
            (event,) = await events(device, 2.2)
            values = {key: (value, kind) for key, kind, value in items(event.payload)}
            assert from_dict(values, "event") == event.payload

    run(main())


def test_sensor() -> None:
    configured = []

    async def main() -> None:
        async with Device() as device:
            readings = iter(range(100))
            device.manager.add_sensor("sensor_test1", lambda: {"name": "one", "n": next(readings)})
            device.manager.add_sensor(
                "sensor_test2", lambda: 2.5, configure=lambda *args: configured.append(args)
            )
            await subscribe(device, "reading/1", "reading/2")
            await install(device, "sensor")
            received = await events(device, 5.0)
            assert [e.url for e in received].count(b"reading/1") == 5
            assert [attributes(e) for e in received if e.url == b"reading/2"] == [{"value": 2.5}]
            assert attributes(received[0]) == {"name": "one", "n": 0}
            assert configured == [(5000, 0, 0, {"interval": 5000})]
            await device.request(DELETE, "/applet?name=sensor")
            assert not device.manager.timers._due

        async with Device() as device:
            await install(device, "sensor")
            assert device.printed == b"sensor1 cannot be opened\n"

    run(main())


def test_connection() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = float(server.sockets[0].getsockname()[1])
        async with Device(log=None) as device:
            url = "/event/received"
            await device.request(PUT, url, seconds=0.1)
            assert await device.install("connection", sample("connection"), seconds=0.3) == 65
            there = from_dict({"address": "127.0.0.1", "port": port})
            answers = await device.request(PUT, "/connect", there, seconds=2.7)
            answer, *received = answers
            assert answer.status == 65
            assert b"".join(e.payload for e in received) == b"HELLO 0\nHELLO 1\n"
            assert {e.fmt for e in received} == {98}
            assert b"the server has closed the connection" in device.printed
            app = device.manager.apps[0]
            assert not app.connections._open and not app.timers._running()
            # Nobody listens there any more.
            server.close()
            await server.wait_closed()
            (answer,) = await device.request(PUT, "/connect", there, seconds=0.5)
            assert answer.status == 162
            (answer,) = await device.request(DELETE, "/connect", seconds=0.2)
            assert answer.status == 66

    # Sockets live in real time.
    asyncio.run(main())


class Display:
    """Stands for a display driver: what was drawn since it was last cleared."""

    width, height = 128, 64

    def __init__(self) -> None:
        self.drawn: list[Any] = []
        self.shown: list[Any] = []

    def fill(self, color: int) -> None:
        self.drawn = []

    def text(self, text: str, x: int, y: int, color: int) -> None:
        self.drawn.append(text)

    def line(self, *args: int) -> None:
        self.drawn.append(args)

    def show(self) -> None:
        self.shown = self.drawn


def test_sensor_fusion() -> None:
    temperature = [20.0, 20.0]
    display = Display()

    async def main() -> None:
        async with Device(display=display) as device:
            noise = iter([0, 0, 4, -4] * 1000)
            device.manager.add_sensor("temperature", lambda: temperature[0])
            device.manager.add_sensor("temperature", lambda: temperature[1] + next(noise), index=1)
            await subscribe(device, "alert/temperature")
            await install(device, "sensor_fusion")
            assert await events(device, 5.2) == []
            state = attributes(await ask(device, GET, "/room"))
            # The noisy thermometer counts less.
            assert abs(state["temperature"] - 20) < 0.3 and state["hot"] is False
            assert state["noise0"] == 0 and state["noise1"] > 1
            assert display.shown[0].endswith(" C")
            lines = display.shown[1:]
            assert len(lines) >= 9 and all(0 <= y < 64 for line in lines for y in line[1:4:2])

            temperature[:] = 35.0, 35.0
            (event,) = await events(device, 5.0)
            assert event.url == b"alert/temperature" and attributes(event)["hot"] is True
            assert attributes(event)["temperature"] > 30
            assert display.shown[0].endswith("HOT")
            temperature[:] = 22.0, 22.0
            (event,) = await events(device, 5.0)
            assert attributes(event)["hot"] is False and attributes(event)["temperature"] < 29
            await events(device, 40.0)
            assert len(display.shown) == 64  # a text, and lines between 64 values

    run(main())


def test_without_thermometers_and_display() -> None:
    async def main() -> None:
        async with Device() as device:
            device.manager.add_sensor("temperature", lambda: 21.25)
            await install(device, "sensor_fusion")
            assert any("a thermometer is missing" in line for line in device.lines)
            await asyncio.sleep(3)
            state = attributes(await ask(device, GET, "/room"))
            assert state == {"temperature": 21.25, "hot": False, "noise0": 0.0}

    run(main())


def test_small_memories() -> None:
    """Each sample gets what it uses, not a page of 64 KiB: its stack, its data, its heap."""

    async def main() -> None:
        for path in sorted(APPS.glob("*/*.wasm")):
            if path.parent.name in SAMPLES:
                async with Device() as device:
                    assert await device.install("a", path.read_bytes(), "&heap=4096") == 65
                    used = device.manager.apps[0].figures()["memory"]
                    assert used <= 4096 + 1024 + 1700, path
                    assert path.stat().st_size < 6000

    run(main())


SAMPLES = (
    *("timer", "request_handler", "request_sender", "event_publisher", "event_subscriber"),
    *("sensor", "connection", "sensor_fusion", "room_temp", "overheat"),
)
