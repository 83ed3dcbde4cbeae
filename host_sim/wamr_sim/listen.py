"""Where hosts reach a simulated board: a TCP port, or the two ends of a pseudo terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator

from wamr_sim.simulator import Simulator


@contextlib.asynccontextmanager
async def listen_tcp(simulator: Simulator, host: str, port: int) -> AsyncIterator[str]:
    """Serve hosts at a TCP port (0: any); its address. As on a board, all of them get whatever is
    meant for the host. OSError.
    """
    clients: set[asyncio.Task] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        clients.add(task)
        # What the board sends in two pieces must not wait for each other.
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await simulator.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            clients.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, host, port)
    try:
        name, number = server.sockets[0].getsockname()[:2]
        yield f"tcp://[{name}]:{number}" if ":" in name else f"tcp://{name}:{number}"
    finally:
        server.close()
        for task in list(clients):
            task.cancel()
        if clients:
            await asyncio.wait(clients)


@contextlib.asynccontextmanager
async def listen_pty(simulator: Simulator, link: str = "") -> AsyncIterator[str]:
    """Serve a pseudo terminal, whose other end is like a serial port; its path, or that of a
    symbolic link to it. OSError.
    """
    if not hasattr(os, "openpty"):
        raise OSError("this system has no pseudo terminals: use tcp://127.0.0.1:8888")
    import tty

    board, port = os.openpty()  # the other end stays open here: so hosts can come and go
    tty.setraw(port)
    path = os.ttyname(port)
    if link:
        with contextlib.suppress(FileNotFoundError):
            if os.path.islink(link):
                os.remove(link)
        os.symlink(path, link)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    os.set_blocking(board, False)
    loop.add_reader(board, _receive, board, reader)
    task = asyncio.ensure_future(simulator.serve(reader, _PtyWriter(board)))
    try:
        yield link or path
    finally:
        loop.remove_reader(board)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        os.close(board)
        os.close(port)
        if link:
            os.remove(link)


def _receive(board: int, reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        reader.feed_data(os.read(board, 4096))


class _PtyWriter:
    """A port that nobody reads loses bytes, as a UART does."""

    def __init__(self, board: int) -> None:
        self._board = board

    def write(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._board, data)

    async def drain(self) -> None:
        pass
