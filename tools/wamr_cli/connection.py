"""Which device a command is for, and what becomes of its failures."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Callable

import click

from wamr_cli.device import (
    ConnectError,
    ConnectionLost,
    Device,
    DeviceError,
    DeviceTimeout,
    Refused,
    WrongName,
)
from wamr_cli.errors import CONNECT, OK, REFUSED, TIMEOUT, USAGE, complain

_EXIT_CODES = {
    ConnectError: CONNECT,
    ConnectionLost: CONNECT,
    DeviceTimeout: TIMEOUT,
    Refused: REFUSED,
    WrongName: USAGE,
}
# What to do about what a device says, in WAMR's words.
_HINTS = {
    "app already installed": "--replace installs it instead of the other",
    "exceed max app installations": "`wamr uninstall` one of them, or raise the device's max_apps",
    "no app found": "`wamr ps` lists the apps",
}


@dataclass
class Connection:
    """What was said before the command's name."""

    port: str | None
    baudrate: int
    timeout: float
    dialect: str

    def device(self) -> Device:
        """The device, not connected yet; ConnectError when nobody said which."""
        return Device(
            self.port or _only_port(),
            baudrate=self.baudrate,
            timeout=self.timeout,
            dialect=self.dialect,
        )


def _only_port() -> str:
    """The one USB serial port of this PC."""
    from wamr_cli.devices import serial_ports

    ports = [port.device for port in serial_ports() if port.vid is not None]
    if len(ports) == 1:
        click.echo(f"using {ports[0]}", err=True)
        return ports[0]
    found = f"there are {len(ports)}: {', '.join(ports)}" if ports else "none is plugged in"
    raise click.UsageError(
        f"no -p PORT, no WAMR_PORT, and not just one USB serial port ({found}). PORT is a serial "
        "port, tcp://host:port, or sim for a simulated board"
    )


def device_command(function: Callable[..., Coroutine[Any, Any, int | None]]) -> Callable[..., int]:
    """Make a click callback of a coroutine that takes a Device first. Returns the exit code."""

    @click.pass_obj
    @functools.wraps(function)
    def command(connection: Connection, *args: Any, **options: Any) -> int:
        device = connection.device()
        try:
            return run(_with(device, function, *args, **options))
        except DeviceError as error:
            complain(str(error))
            if isinstance(error, Refused):
                for said, hint in _HINTS.items():
                    if said in error.answer.error:
                        complain(hint)
            return _EXIT_CODES.get(type(error), CONNECT)

    return command


async def _with(device: Device, function: Any, *args: Any, **options: Any) -> int:
    async with device:
        return await function(device, *args, **options) or OK


def run(main: Coroutine[Any, Any, int]) -> int:
    return asyncio.run(main)
