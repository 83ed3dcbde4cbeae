"""`wamr devices`: the ports where a device may be."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import click

from wamr_cli.connection import Connection
from wamr_cli.device import Device, DeviceError
from wamr_cli.errors import OK
from wamr_cli.manage import json_option
from wamr_cli.table import table


def serial_ports() -> list[Any]:
    """The serial ports of this PC, as pyserial describes them."""
    from serial.tools.list_ports import comports

    return sorted(comports(), key=lambda port: port.device)


@click.command(short_help="List the serial ports of this PC.")
@click.option("--probe", is_flag=True, help="Ask each whether an app manager is there.")
@json_option
@click.pass_obj
def devices(connection: Connection, probe: bool, as_json: bool) -> int:
    """List the serial ports of this PC; with --probe, which of them answer.

    Probing sends a query of 34 bytes to every port, whatever is connected to it.
    """
    ports = [
        {"port": port.device, "description": port.description, "usb": _usb(port)}
        for port in serial_ports()
    ]
    if probe:
        asyncio.run(_probe_all(connection, ports))
    if as_json:
        click.echo(json.dumps(ports, indent=2))
    elif not ports:
        click.echo("no serial ports; `wamr -p sim …` is a simulated board", err=True)
    else:
        head = ["PORT", "USB ID", "DESCRIPTION"] + (["APPS"] if probe else [])
        rows = [
            [p["port"], p["usb"], p["description"]] + ([p["answer"]] if probe else [])
            for p in ports
        ]
        click.echo(table(head, rows))
    return OK


def _usb(port: Any) -> str | None:
    return None if port.vid is None else f"{port.vid:04x}:{port.pid:04x}"


async def _probe_all(connection: Connection, ports: list[dict]) -> None:
    await asyncio.gather(*(_probe(connection, port) for port in ports))


async def _probe(connection: Connection, port: dict) -> None:
    device = Device(port["port"], baudrate=connection.baudrate, timeout=2.0, reconnect=False)
    try:
        async with device:
            port["answer"] = f"{len((await device.apps()).apps)} installed"
    except DeviceError:
        port["answer"] = "no answer"
