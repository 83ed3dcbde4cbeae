"""What the shell's completion asks a device: a connection at once, or none."""

from __future__ import annotations

import asyncio
import contextlib

import click

from wamr_cli.device import Device, DeviceError


def installed(context: click.Context) -> list[str]:
    """The names of the device's apps. No device is looked for, and none waited for long."""
    parent = context.find_root()
    port = parent.params.get("port")
    if not port or port.startswith("sim"):
        return []
    with contextlib.suppress(DeviceError, OSError):
        return asyncio.run(_names(port, parent.params.get("baudrate") or 115200))
    return []


async def _names(port: str, baudrate: int) -> list[str]:
    async with Device(port, baudrate=baudrate, timeout=1.0, reconnect=False) as device:
        return [app.name for app in (await device.apps()).apps]


def ports(_context: click.Context, _parameter: click.Parameter, start: str) -> list[str]:
    """What -p can be: the serial ports of this PC, and the other kinds of addresses."""
    from wamr_cli.devices import serial_ports

    known = [port.device for port in serial_ports()] + ["sim", "tcp://127.0.0.1:8888"]
    return [port for port in known if port.startswith(start)]
