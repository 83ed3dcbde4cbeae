"""What was recorded with the C device, replayed against the simulator over its link."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from apps.test_golden import (  # noqa: F401
    DIFFERENT,
    SETTINGS,
    lazy_memory,
    load,
    replay,
)
from wamr_sim import Simulator
from wamr_sim.clock import VirtualLoop, virtual_time
from wamr_sim.local import LocalStream


class SimulatedDevice:
    """What replay() drives."""

    limited = False

    def __init__(self, **settings: Any) -> None:
        self.simulator = Simulator(board=None, **{"types": ("wasm",), **settings})

    async def __aenter__(self) -> SimulatedDevice:
        await self.simulator.start()
        self.stream = LocalStream(self.simulator, True)
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stream.close()

    @property
    def lines(self) -> list[str]:
        return [entry.text for entry in self.simulator.trace.entries if entry.kind == "log"]

    async def exchange(self, data: bytes, seconds: float, _: int) -> list[bytes]:
        await self.stream.write(data)
        await asyncio.sleep(seconds)
        received = bytes(self.stream._to_host._buffer)
        del self.stream._to_host._buffer[:]
        frames = []
        while received:
            size = 8 + int.from_bytes(received[4:8], "big")
            frames.append(received[:size])
            received = received[size:]
        return frames


@pytest.mark.parametrize("name", list(SETTINGS))
def test_golden(name: str) -> None:
    loop = VirtualLoop()
    with virtual_time(loop, 1000, random.Random(0)):
        differing = loop.run_until_complete(replay(name, load(name), SimulatedDevice))
    loop.close()
    assert differing == DIFFERENT[name]
