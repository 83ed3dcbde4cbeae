"""wamr.serve() over TCP, as a client and as a server, in real time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import wamr
from wamr.apps.packet import GET, PUT, Request

from . import wat
from .device import frame, parse
from .test_manager import attributes

# The ports are below those that systems hand out to whoever connects.


async def read(reader: asyncio.StreamReader) -> Any:
    head = await asyncio.wait_for(reader.readexactly(8), 5)
    return parse(head + await reader.readexactly(int.from_bytes(head[4:], "big")))


async def ask(streams: Any, request: Request, kind: int = 2) -> Any:
    reader, writer = streams
    writer.write(frame(kind, request.pack()))
    return await read(reader)


async def connect(port: int) -> Any:
    for _ in range(100):
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
    raise AssertionError("nobody listens")


def test_tcp_server(tmp_path: Path) -> None:
    query = Request(GET, b"/applet", 99, b"", 5)

    async def main() -> None:
        task = asyncio.create_task(
            wamr.serve(
                port=27101,
                path=str(tmp_path),
                log=None,
                sensors={"s": lambda: 1},
                apps={"m": SimpleNamespace(on_init=lambda app: app.register("/m"))},
            )
        )
        first = await connect(27101)
        install = Request(PUT, b"/applet?name=c", 98, wat.COUNTER, 6)
        assert (await ask(first, install, 4)).status == 65
        assert attributes(await ask(first, query))["applet2"] == "m"
        # A second one at the same time.
        second = await connect(27101)
        assert (await ask(second, Request(GET, b"/url", 99, b"", 7))).mid == 7
        assert (await read(first[0])).mid == 7
        first[1].close()
        assert (await ask(second, query)).status == 69
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_tcp_client() -> None:
    async def main() -> None:
        arrived: asyncio.Queue[Any] = asyncio.Queue()
        server = await asyncio.start_server(
            lambda r, w: arrived.put_nowait((r, w)), "127.0.0.1", 27102
        )
        task = asyncio.create_task(wamr.serve(host="127.0.0.1:27102", path=None, log=None))
        for _ in range(2):
            streams = await asyncio.wait_for(arrived.get(), 5)
            assert (await ask(streams, Request(GET, b"/applet", 99, b"", 5))).status == 69
            # It comes again when it is sent away.
            streams[1].close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()

    asyncio.run(main())


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "file").write_text("")

    async def main() -> None:
        path = str(tmp_path / "file" / "apps")
        task = asyncio.create_task(wamr.serve(port=27103, path=path, log=None))
        streams = await connect(27103)
        install = Request(PUT, b"/applet?name=c", 98, wat.COUNTER, 6)
        assert (await ask(streams, install, 4)).status == 65
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert "apps are kept in RAM" in capsys.readouterr().out
