"""A device in this process: the app manager, a link, and a clock that only tests move."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Callable

from wamr.apps import clock
from wamr.apps.manager import Manager
from wamr.apps.packet import Request, unpack_request, unpack_response
from wamr.link.stream import Link
from wamr_sim.clock import VirtualLoop, virtual_time

FACTS = Path(__file__).parents[3] / "shared" / "facts"


def golden_folder() -> Path:
    return Path(os.environ.get("WAMR_GOLDEN_DIR", FACTS / "golden"))


def run(coroutine: Coroutine[Any, Any, Any], fuel_per_ms: float = 1000.0) -> Any:
    """Run to the end in virtual time; apps compute so many units of fuel in a millisecond."""
    loop = VirtualLoop()
    with virtual_time(loop, fuel_per_ms, random.Random(0)):
        try:
            return loop.run_until_complete(coroutine)
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()


class Writer:
    """The device's end of the wire."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data

    async def drain(self) -> None:
        pass


class Device:
    """A manager whose host is the test. Use it inside run()."""

    limited = False  # whether memory is as small as on a board

    def __init__(self, store: Any = None, **settings: Any) -> None:
        self.lines: list[str] = []
        self.printed = bytearray()
        settings.setdefault("log", self.lines.append)
        settings.setdefault("stdout", self.printed.extend)
        self.manager = Manager(store, **settings)
        self.link = Link(self.manager)
        self.writer = Writer()

    async def __aenter__(self) -> Device:
        self.manager.start()
        self.connect()
        await asyncio.sleep(0)
        return self

    def connect(self) -> None:
        self.stream = asyncio.StreamReader()
        self.task = asyncio.create_task(self.link.run(self.stream, self.writer))

    async def disconnect(self) -> None:
        self.stream.feed_eof()
        await self.task

    async def __aexit__(self, *exc: object) -> None:
        await self.manager.stop()
        self.task.cancel()

    def frames(self) -> list[bytes]:
        """What has been sent since the last call, frame by frame."""
        data, self.writer.data = bytes(self.writer.data), bytearray()
        out = []
        while data:
            assert data[:2] == b"\x124", data
            n = 8 + int.from_bytes(data[4:8], "big")
            assert len(data) >= n
            out.append(data[:n])
            data = data[n:]
        return out

    async def exchange(self, data: bytes, seconds: float = 1.0, _: int = 0) -> list[bytes]:
        """Send bytes, and collect the frames of the next so many seconds."""
        self.stream.feed_data(data)
        await asyncio.sleep(seconds)
        return self.frames()

    async def until(self, done: Callable[[], bool], seconds: float = 10.0) -> None:
        for _ in range(int(seconds * 100)):
            if done():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it did not happen")

    async def request(
        self,
        action: int,
        url: str,
        payload: bytes = b"",
        fmt: int = 99,
        kind: int = 2,
        **more: Any,
    ) -> list[Any]:
        """Send a request; the responses and events that come, unpacked."""
        seconds = more.pop("seconds", 0.5)
        request = Request(action, url.encode(), fmt, payload, more.pop("mid", 77), 0)
        return [parse(f) for f in await self.exchange(frame(kind, request.pack()), seconds)]

    async def install(self, name: str, data: bytes, query: str = "", **more: Any) -> int:
        """Install an app; the status."""
        url = "/applet?name=" + name + query
        kind = more.pop("kind", 4)
        for answer in await self.request(3, url, data, 98, kind, **more):
            if not isinstance(answer, Request):
                return answer.status
        return 0


def frame(kind: int, payload: bytes) -> bytes:
    return b"\x124" + kind.to_bytes(2, "big") + len(payload).to_bytes(4, "big") + payload


def parse(data: bytes) -> Any:
    kind = int.from_bytes(data[2:4], "big")
    return unpack_response(data[8:]) if kind == 3 else unpack_request(data[8:])
