"""Apps in Python beside those in wasm."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

from wamr.apps.attributes import from_dict
from wamr.apps.packet import DELETE, EVENT, GET, PUT, Request, Response
from wamr.apps.store import FileStore

from . import wat
from .device import Device, run
from .test_manager import attributes, count

THERMOMETER = b"""
degrees = 20

def on_init(app):
    app.register("/temperature")
    app.timer(100)

def on_timer(app, number):
    global degrees
    degrees += number
    app.publish("hot", {"degrees": degrees})

def on_request(app, request):
    if app.values(request).get("fail"):
        raise ValueError("as asked")
    app.respond(request, {"degrees": degrees})

def on_destroy(app):
    app.publish("hot", {"gone": True})
"""


def test_installed_over_the_link(tmp_path: Path) -> None:
    async def main() -> None:
        settings: Any = {"types": ("wasm", "py")}
        async with Device(FileStore(str(tmp_path)), **settings) as device:
            await device.request(PUT, "/event/hot")
            assert await device.install("p", THERMOMETER, "&type=py", kind=2, seconds=0.05) == 65
            answers = await device.request(GET, "/temperature", seconds=1)
            assert {"degrees": 21} in [attributes(a) for a in answers if a.payload]
        async with Device(FileStore(str(tmp_path)), **settings) as device:
            (answer,) = await device.request(GET, "/temperature")
            assert attributes(answer)["degrees"] >= 20
            await device.request(PUT, "/event/hot")
            answers = await device.request(DELETE, "/applet?name=p&type=wasm", seconds=0.05)
            assert [a.status for a in answers if isinstance(a, Response)] == [160]
            answers = await device.request(DELETE, "/applet?name=p&type=py", seconds=0.05)
            assert [a.status for a in answers if isinstance(a, Response)] == [66]
            assert {"gone": True} in [attributes(a) for a in answers if a.payload]
        async with Device(FileStore(str(tmp_path)), **settings) as device:
            assert device.manager.apps == []

    run(main())


def test_not_by_default() -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("p", THERMOMETER, "&type=py", kind=2) == 160
            assert device.lines[-1] == "Applet Management failed: invalid module type."

    run(main())


def test_wrong_source() -> None:
    async def main() -> None:
        async with Device(types=("py",)) as device:
            assert await device.install("p", b"def on_init(:", "&type=py", kind=2) == 160
            assert "SyntaxError" in device.lines[-1]
            assert await device.install("p", b"1 / 0", "&type=py", kind=2) == 160
            assert "ZeroDivisionError" in device.lines[-1]
            source = b"def on_init(app): raise ValueError('no')"
            assert await device.install("p", source, "&type=py", kind=2) == 65
            assert device.manager.apps[0].state == "dead"

    run(main())


def module(**functions: Any) -> Any:
    return types.SimpleNamespace(**functions)


def test_python_and_wasm_talk() -> None:
    seen: list[Any] = []

    async def on_request(app: Any, request: Any) -> None:
        answer = await app.request(GET, "/url")
        app.respond(request, {"counted": (answer.payload[0], "int32")})

    def on_event(app: Any, event: Any) -> None:
        seen.append(event.url)

    def on_init(app: Any) -> None:
        app.register("/ask")
        app.subscribe("e")
        app.send(GET, "/url", mid=42)

    def on_response(app: Any, response: Any) -> None:
        seen.append((response.mid, response.payload[0]))

    async def main() -> None:
        async with Device() as device:
            assert await device.install("c", wat.COUNTER) == 65
            device.manager.add_module(
                "m",
                module(
                    on_init=on_init,
                    on_request=on_request,
                    on_event=on_event,
                    on_response=on_response,
                ),
            )
            (answer,) = await device.request(GET, "/ask")
            assert attributes(answer) == {"counted": 2}
            assert seen == [(42, 1)]
            device.manager.find(b"c").post(0, b"")  # nothing that an app could not take
            device.manager.publish(Request(EVENT, b"e"))
            await device.request(GET, "/applet")
            assert seen[1:] == [b"e"]
            (answer,) = await device.request(GET, "/applet")
            assert attributes(answer)["applet1"] == "m"
            (answer,) = await device.request(DELETE, "/applet?name=m")
            assert answer.status == 66

    run(main())


def test_sensor_in_python() -> None:
    seen: list[Any] = []

    def on_init(app: Any) -> None:
        assert app.open_sensor("nothing") == -1
        assert app.open_sensor("s", interval=100) == 1

    async def main() -> None:
        async with Device() as device:
            device.manager.add_sensor("s", lambda: {"v": 0.5})
            device.manager.add_module(
                "m", module(on_init=on_init, on_sensor=lambda app, n, v: seen.append((n, v)))
            )
            await device.request(GET, "/applet", seconds=1.05)
            assert seen == [(1, {"v": 0.5})] * 10

    run(main())


def test_a_handler_that_fails() -> None:
    async def main() -> None:
        async with Device(types=("py",)) as device:
            assert await device.install("p", THERMOMETER, "&type=py", kind=2) == 65
            assert await device.request(GET, "/temperature", from_dict({"fail": True})) == []
            assert any("on_request: ValueError as asked" in x for x in device.lines)
            assert len(await device.request(GET, "/temperature")) == 1
            assert count(await device.request(GET, "/nobody")) == []

    run(main())
