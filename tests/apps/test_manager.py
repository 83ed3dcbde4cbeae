"""Dispatch, events and the life of apps, beyond what the recorded exchanges show."""

from __future__ import annotations

import asyncio
from typing import Any

from wamr.apps.attributes import items
from wamr.apps.packet import DELETE, EVENT, GET, HOST, NOT_FOUND, POST, PUT, Request

from . import wat
from .device import Device, run


def count(answers: list[Any]) -> list[int]:
    return [int.from_bytes(a.payload, "little") for a in answers]


def attributes(answer: Any) -> dict[str, Any]:
    return {k: v for k, _, v in items(answer.payload)}


def test_seventy_requests_to_a_busy_app() -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("a", wat.COUNTER) == 65
            app = device.manager.apps[0]
            request = Request(GET, b"/url", 99, b"", 1)
            for _ in range(70):
                device.manager.dispatch(request)
            await asyncio.sleep(2)
            # None was at work yet when the queue of 50 was full.
            answers = device.frames()
            assert len(answers) == 50
            assert app.overflow == 20

    run(main())


def test_names_with_strange_characters() -> None:
    async def main() -> None:
        async with Device() as device:
            for name in ("a b", "ä", "%41", "'"):
                assert await device.install(name, wat.COUNTER) == 65
                assert len(await device.request(GET, f"/app/{name}/app")) == 1
                (answer,) = await device.request(GET, f"/applet?name={name}")
                assert attributes(answer)["name"] == name
                (answer,) = await device.request(DELETE, f"/applet?name={name}")
                assert answer.status == 66

    run(main())


def test_an_app_can_shadow_the_manager() -> None:
    shadow = wat.app(
        """(func $on_init (call $wasm_register_resource (i32.const 16)))
        (func $on_request (param $b i32) (param i32)
          (call $answer (local.get $b) (i32.const 7)))""",
        "/applet\\00",
    )

    async def main() -> None:
        async with Device() as device:
            assert await device.install("s", shadow) == 65
            assert count(await device.request(GET, "/applet")) == [7]
            # Also in a request that is an install by its URL: it is the app's payload.
            assert count(await device.request(PUT, "/applet?name=x", bytes(100))) == [7]
            # The type of the frame says that this one is the manager's.
            assert await device.install("c", wat.COUNTER) == 65

    run(main())


def test_app_to_app() -> None:
    # Asks /url of the other app when it is asked, and publishes the answer it got.
    asking = wat.app(
        """(func $on_init (call $wasm_register_resource (i32.const 16)))
        (func $on_request (param i32 i32) (call $wasm_post_request (i32.const 32) (i32.const 23)))
        (func $on_response (param $b i32) (param $n i32)
          (i32.store8 (i32.const 97) (i32.load8_u offset=1 (local.get $b)))
          (call $wasm_post_request (i32.const 64) (i32.const 21)))
        (data (i32.const 32) "GET")
        (data (i32.const 64) "PUBLISH")""".replace(
            "GET", wat.text(Request(GET, b"/url", 99, b"", 5).pack())
        ).replace("PUBLISH", wat.text(Request(EVENT, b"e", 0, b"E", 6).pack())),
        "/ask\\00",
    )

    async def main() -> None:
        async with Device() as device:
            assert await device.install("c", wat.COUNTER) == 65
            assert await device.install("q", asking) == 65
            (answer,) = await device.request(PUT, "/event/e")
            assert answer.status == 69
            (event,) = await device.request(GET, "/ask")
            assert (event.action, event.url, event.sender) == (EVENT, b"e", 2)
            # Without the other app nobody answers, and nothing happens.
            await device.request(DELETE, "/applet?name=c")
            assert await device.request(GET, "/ask") == []

    run(main())


def test_events_go_to_the_newest_first() -> None:
    # Subscribes e; publishes f when e comes.
    relay = wat.app(
        """(func $on_init (call $wasm_sub_event (i32.const 16)))
        (func $on_request (param i32 i32) (call $wasm_post_request (i32.const 32) (i32.const 20)))
        (data (i32.const 32) "PUBLISH")""".replace(
            "PUBLISH", wat.text(Request(EVENT, b"f", 0, b"", 6).pack())
        ),
        "e\\00",
    )

    async def main() -> None:
        async with Device() as device:
            for name in ("a", "b"):
                assert await device.install(name, relay) == 65
            await device.request(PUT, "/event/f")
            device.manager.publish(Request(EVENT, b"e"))
            device.manager.publish(Request(EVENT, b"/e"))
            await asyncio.sleep(0.5)
            senders = [int.from_bytes(f[16:20], "big") for f in device.frames()]
            assert senders == [2, 1]
            await device.request(DELETE, "/event/f")
            device.manager.publish(Request(EVENT, b"e"))
            await asyncio.sleep(0.5)
            assert device.frames() == []

    run(main())


def test_answers_instead_of_silence() -> None:
    async def main() -> None:
        async with Device(answer_all=True) as device:
            for url in ("/nobody", "/app/x"):
                (answer,) = await device.request(GET, url, mid=3)
                assert (answer.status, answer.mid) == (NOT_FOUND, 3)
            (answer,) = await device.request(DELETE, "/applet?name=x&type=jeff")
            assert answer.status == 160
        async with Device() as device:
            assert await device.request(GET, "/nobody") == []

    run(main())


def test_requests_of_the_boards_own_code() -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("c", wat.COUNTER) == 65
            assert count([await device.manager.request(GET, "/url")]) == [1]
            answer = await device.manager.request(GET, "/applet")
            assert attributes(answer)["applet1"] == "c"
            assert await device.manager.request(GET, "/nobody", timeout=100) is None
            assert not device.manager.waiting
            assert device.frames() == []

    run(main())


def test_details() -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("c", wat.COUNTER) == 65
            (answer,) = await device.request(GET, "/applet?details=1")
            values = attributes(answer)
            assert values["state1"] == "running"
            assert values["memory1"] == 2048 + 1024
            assert values["code1"] == len(wat.COUNTER)
            assert {"queue1", "lost1", "crashes1", "heapused1", "heappeak1", "free", "used"} < set(
                values
            )
            (answer,) = await device.request(GET, "/applet?name=c&details=1")
            values = attributes(answer)
            assert values["name"] == "c" and values["memory"] == 2048 + 1024
            assert answer.receiver == HOST

    run(main())


def test_registrations_are_limited() -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("c", wat.COUNTER) == 65
            app = device.manager.apps[0]
            manager = device.manager
            assert [manager.register(b"/%d" % i, app) for i in range(16)] == [True] * 15 + [False]
            assert not manager.register(b"/url", app)
            assert [manager.subscribe(b"%d" % i, app) for i in range(17)] == [True] * 16 + [False]
            assert manager.subscribe(b"1", app)
            await device.request(DELETE, "/applet?name=c")
            assert manager.resources == [] and manager.subscribers == []

    run(main())


def test_no_host_no_harm() -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("t", wat.TICKING) == 65
            await device.request(PUT, "/event/e")
            await device.disconnect()
            device.manager.publish(Request(EVENT, b"e"))
            await asyncio.sleep(1)
            device.connect()
            # Subscriptions are the host's, not the connection's; what was sent meanwhile is lost.
            await asyncio.sleep(0.1)
            device.manager.publish(Request(EVENT, b"e"))
            await asyncio.sleep(0.1)
            assert len(device.frames()) == 1
            assert count(await device.request(POST, "/ticks"))[0] > 10

    run(main())
