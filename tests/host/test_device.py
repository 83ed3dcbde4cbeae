"""The Device class, against simulated boards and against bad ones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from wamr.apps.packet import Response, unpack_request
from wamr.link.frame import RESPONSE, header
from wamr_cli.device import (
    ConnectError,
    ConnectionLost,
    Device,
    DeviceTimeout,
    Refused,
    status_text,
)

from apps import wat

from .conftest import Running

# Publishes an event to /url for every request, then answers it.
PUBLISHER = wat.app(
    wat.REGISTER
    + """(func $on_request (param $b i32) (param $n i32)
      (i32.store8 offset=1 (local.get $b) (i32.const 6))
      (call $wasm_post_request (local.get $b) (local.get $n))
      (call $answer (local.get $b) (i32.const 7)))"""
)


def run(main: Any) -> Any:
    return asyncio.run(asyncio.wait_for(main, 30))


def test_install_query_request_uninstall(simulated: Running) -> None:
    async def main() -> None:
        told: list[tuple[int, int]] = []
        async with Device(simulated.address) as device:
            assert (await device.apps()).apps == []
            answer = await device.install(
                "counter",
                wat.COUNTER,
                heap=4096,
                timers=3,
                watchdog=1000,
                progress=lambda *pair: told.append(pair),
            )
            assert (answer.status, answer.status_text) == (65, "2.01 created")
            assert told[-1][0] == told[-1][1] > len(wat.COUNTER)
            await device.install("ticks", wat.TICKING)
            listed = await device.apps(details=True)
            assert [(app.name, app.heap, app.state) for app in listed.apps] == [
                ("counter", 4096, "running"),
                ("ticks", 8192, "running"),
            ]
            assert listed.free and listed.used and listed.apps[0].details["crashes"] == 0
            assert (await device.app("ticks")).heap == 8192
            for n in (1, 2):
                answer = await device.request("GET", "/url")
                assert int.from_bytes(answer.payload, "little") == n
            await device.uninstall("counter")
            assert [app.name for app in (await device.apps()).apps] == ["ticks"]

    run(main())


def test_a_refusal_has_the_devices_words(simulated: Running) -> None:
    async def main() -> None:
        async with Device(simulated.address) as device:
            await device.install("a", wat.COUNTER)
            with pytest.raises(Refused, match="a was not installed: .*already installed") as info:
                await device.install("a", wat.COUNTER)
            assert info.value.answer.status == 160
            with pytest.raises(Refused, match="b was not removed: .*no app found"):
                await device.uninstall("b")
            with pytest.raises(Refused, match="invalid WASM version"):
                await device.install("c", b"\0asm" + bytes(5000))
            # The rest of the refused file did not confuse anybody.
            assert len((await device.apps()).apps) == 1

    run(main())


def test_events_reach_all_who_listen(simulated: Running) -> None:
    async def main() -> None:
        async with Device(simulated.address) as device:
            await device.install("p", PUBLISHER)
            first, second = device.listen("/url"), device.events()
            waiting = [asyncio.ensure_future(s.__anext__()) for s in (first, second)]
            while not device._subscribed:
                await asyncio.sleep(0.01)
            answer = await device.request("POST", "/url", {"value": 2.5})
            assert answer.payload == b"\7\0\0\0"
            for event in await asyncio.gather(*waiting):
                assert (event.url, event.values, event.sender) == ("/url", {"value": 2.5}, 1)
            await first.aclose()
            assert not simulated.simulator.manager.subscribers

    run(main())


def test_many_requests_at_once_are_told_apart(simulated: Running) -> None:
    async def main() -> None:
        async with Device(simulated.address) as device:
            await device.install("c", wat.COUNTER)
            answers = await asyncio.gather(*(device.request("GET", "/url") for _ in range(40)))
            assert [int.from_bytes(a.payload, "little") for a in answers] == list(range(1, 41))

    run(main())


def test_a_serial_port(simulated_pty: Running) -> None:
    async def main() -> None:
        async with Device(simulated_pty.address) as device:
            await device.install("c", wat.COUNTER)
            assert [app.name for app in (await device.apps()).apps] == ["c"]
        # The port can be opened again, and the board goes on.
        async with Device(simulated_pty.address, baudrate=9600) as device:
            assert (await device.request("GET", "/url")).ok
            with pytest.raises(ConnectError, match="in use by another program"):
                await Device(simulated_pty.address).connect()

    run(main())


def test_a_simulator_in_the_same_process(tmp_path) -> None:
    async def main() -> None:
        async with Device(f"sim:{tmp_path}") as device:
            await device.install("c", wat.COUNTER)
        async with Device(f"sim:{tmp_path}") as device:
            assert (await device.request("GET", "/url")).ok

    run(main())


# ---- what goes wrong


@contextlib.asynccontextmanager
async def server(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
) -> AsyncIterator[str]:
    """A board that behaves as `serve` says."""
    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    try:
        yield f"tcp://{host}:{port}"
    finally:
        listening.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def babbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"MicroPython v1.26\r\n>>> ")
    await reader.readexactly(8)
    writer.write(b"\r\nNameError\r\n>>> ")
    await reader.read()
    writer.close()


async def hanging_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(8)
    writer.close()


async def answer_to(reader: asyncio.StreamReader, status: int = 69, mid: int = 0) -> bytes:
    """Read a request; the frame of an answer to it (plus `mid`)."""
    head = await reader.readexactly(8)
    request = unpack_request(await reader.readexactly(int.from_bytes(head[4:], "big")))
    packet = Response(status, 99, b"", (request.mid + mid) & 0xFFFFFFFF).pack()
    return header(RESPONSE, len(packet)) + packet


def test_silence_is_explained() -> None:
    async def main() -> None:
        async with server(silent) as address, Device(address, timeout=0.2) as device:
            with pytest.raises(DeviceTimeout, match="within 0.2 s: check that the app manager"):
                await device.apps()
            with pytest.raises(DeviceTimeout, match="silent when no app answers for /room"):
                await device.request("GET", "/room")
        async with server(babbling) as address, Device(address, timeout=0.2) as device:
            with pytest.raises(DeviceTimeout, match="no frames"):
                await device.apps()

    run(main())


def test_a_connection_that_breaks_is_told_and_made_anew() -> None:
    served = 0

    async def second_time(reader, writer) -> None:
        nonlocal served
        served += 1
        if served == 1:
            await hanging_up(reader, writer)
            return
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                writer.write(await answer_to(reader))

    async def main() -> None:
        async with server(second_time) as address, Device(address) as device:
            with pytest.raises(ConnectionLost, match="was lost"):
                await device.request("GET", "/x")
            assert (await device.request("GET", "/x")).status == 69
            assert served == 2

    run(main())


def test_subscriptions_are_renewed_after_a_break(simulated: Running) -> None:
    async def main() -> None:
        async with Device(simulated.address) as device:
            await device.install("p", PUBLISHER)
            await device.subscribe("/url")
            simulated.simulator.manager.subscribers.clear()
            device._stream._writer.close()
            while not simulated.simulator.manager.subscribers:
                await asyncio.sleep(0.05)

    run(main())


def test_without_reconnecting_listeners_end() -> None:
    async def main() -> None:
        async with server(hanging_up) as address:
            async with Device(address, reconnect=False) as device:
                waiting = asyncio.ensure_future(device.events().__anext__())
                await asyncio.sleep(0)
                with pytest.raises(ConnectionLost):
                    await device.request("GET", "/x")
                with pytest.raises(StopAsyncIteration):
                    await waiting

    run(main())


def test_answers_to_others_are_ignored_and_frames_come_in_any_pieces() -> None:
    async def pieces(reader, writer) -> None:
        frame = await answer_to(reader)
        other = bytearray(frame)
        other[12:16] = b"\xff\xff\xff\xff"
        for byte in b"\x12\x34junk\x12" + bytes(other) + b"\x12\x00" + frame:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.001)
        await reader.read()
        writer.close()

    async def main() -> None:
        async with server(pieces) as address, Device(address) as device:
            assert (await device.request("GET", "/x")).status == 69

    run(main())


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://127.0.0.1:1", "nobody listens at .* `wamr sim --listen"),
        ("tcp://127.0.0.1:x", "write tcp://host:port"),
        ("tcp://no.such.host.invalid:1", "no connection"),
        ("/dev/no-such-port", "there is no port .* `wamr devices`"),
        (__file__, "is no serial port"),
        (f"sim:{__file__}", "no folder for the simulated board"),
    ],
)
def test_a_wrong_address_is_explained(address: str, message: str) -> None:
    async def main() -> None:
        with pytest.raises(ConnectError, match=message):
            await Device(address).connect()

    run(main())


def test_statuses_in_words() -> None:
    assert status_text(69) == "2.05 content"
    assert status_text(160) == "5.00 internal server error"
    assert status_text(200) == "6.08"
