"""A simulated board in another thread, in real time, that hosts reach over TCP."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, Callable

import pytest
from wamr_sim import Simulator
from wamr_sim.listen import listen_pty, listen_tcp


class Running:
    """The board, and the address where it is."""

    def __init__(self, simulator: Simulator, address: str, loop: asyncio.AbstractEventLoop):
        self.simulator = simulator
        self.address = address
        self._loop = loop

    def do(self, what: Any) -> Any:
        """Run a coroutine in the board's thread."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(20)


@contextlib.contextmanager
def running(listen: Callable[[Simulator], Any], **options: Any) -> Iterator[Running]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    @contextlib.asynccontextmanager
    async def board() -> AsyncIterator[tuple[Simulator, str]]:
        simulator = Simulator(**options)
        await simulator.start()
        try:
            async with listen(simulator) as address:
                yield simulator, address
        finally:
            await simulator.stop()

    opened = board()

    def do(what: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(what, loop).result(20)

    try:
        simulator, address = do(opened.__aenter__())
        yield Running(simulator, address, loop)
        do(opened.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def simulated() -> Iterator[Running]:
    with running(lambda simulator: listen_tcp(simulator, "127.0.0.1", 0)) as found:
        yield found


@pytest.fixture
def simulated_pty() -> Iterator[Running]:
    with running(listen_pty) as found:
        yield found
