"""A simulator in this process, as the stream of a Device: the address `sim`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from wamr_cli.device import ConnectError, Stream

from wamr_sim.simulator import Simulator


def default_flash() -> Path:
    """The folder of the simulated board that `sim` means: one per user."""
    import click

    return Path(click.get_app_dir("wamr")) / "sim"


class LocalStream(Stream):
    """The host's end of a wire to a simulator that is switched off with it, if it is `owned`."""

    def __init__(self, simulator: Simulator, owned: bool) -> None:
        self._simulator = simulator
        self._owned = owned
        self._to_device = asyncio.StreamReader()
        self._to_host = asyncio.StreamReader()
        self._task = asyncio.ensure_future(
            simulator.serve(self._to_device, _Writer(self._to_host))
        )

    @classmethod
    async def open(cls, folder: str) -> LocalStream:
        flash = Path(folder) if folder else default_flash()
        try:
            os.makedirs(flash, exist_ok=True)
        except OSError as error:
            raise ConnectError(f"no folder for the simulated board: {error}") from None
        simulator = Simulator(flash=flash)
        await simulator.start()
        return cls(simulator, True)

    async def read(self) -> bytes:
        return await self._to_host.read(4096)

    async def write(self, data: bytes) -> None:
        self._to_device.feed_data(data)
        # The device reads while the next piece is made.
        await asyncio.sleep(0)

    async def close(self) -> None:
        self._to_device.feed_eof()
        await self._task
        self._to_host.feed_eof()
        if self._owned:
            await self._simulator.stop()


class _Writer:
    """The device's end."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def write(self, data: bytes) -> None:
        self._reader.feed_data(data)

    async def drain(self) -> None:
        pass
