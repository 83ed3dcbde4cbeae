"""`wamr request`, `listen` and `monitor`: talking to the apps of a device."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path

import click

from wamr_cli.connection import device_command
from wamr_cli.device import (
    ACTIONS,
    Answer,
    Device,
    DeviceError,
    Event,
    Value,
    from_json,
    to_json,
)
from wamr_cli.errors import OK, REFUSED, LoadError, complain
from wamr_cli.manage import json_option

# The event of the list of apps.
_APPLETS = "/applets"


@click.command()
@click.argument("method", type=click.Choice(list(ACTIONS), case_sensitive=False), metavar="METHOD")
@click.argument("url")
@click.option("--json", "text", metavar="JSON", help='Payload: an object, {"value": 21.5}.')
@click.option("--file", type=click.Path(), help="Payload: a file with such an object; - is stdin.")
@click.option("--raw", is_flag=True, help="Print the payload's bytes and nothing else.")
@device_command
async def request(
    device: Device, method: str, url: str, text: str | None, file: str | None, raw: bool
) -> int:
    """Send a request to an app and print the answer, as JSON.

    METHOD is GET, PUT, POST, DELETE or EVENT. URL is a resource that an app has registered
    (/room_temp), or /app/NAME/… for the app NAME.
    """
    payload = _payload(text, file, device.dialect)
    answer = await device.request(method, url, payload)
    if not answer.ok:
        reason = f": {answer.error}" if answer.error else ""
        complain(f"{method} {url}: {answer.status} {answer.status_text}{reason}")
        return REFUSED
    if raw:
        sys.stdout.buffer.write(answer.payload)
        sys.stdout.buffer.flush()
    else:
        click.echo(_show(answer))
    return OK


def _payload(text: str | None, file: str | None, dialect: str) -> bytes | None:
    if text is not None and file is not None:
        raise click.UsageError("--json and --file exclude each other")
    if file is not None:
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text()
        except (OSError, UnicodeError) as error:
            raise LoadError(f"cannot read {file}: {error}") from None
    if text is None:
        return None
    try:
        return from_json(json.loads(text), dialect)
    except ValueError as error:
        raise click.UsageError(f"payload: {error}") from None


def _show(answer: Answer | Event) -> str:
    """The attributes as JSON, or what else the payload is."""
    if answer.values or not answer.payload:
        return json.dumps(to_json(answer.values), indent=2, ensure_ascii=False)
    return answer.payload.hex(" ")


@click.command()
@click.argument("events", nargs=-1, required=True, metavar="EVENT…")
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many events.")
@click.option("--for", "seconds", type=float, metavar="S", help="Stop after so many seconds.")
@json_option
@device_command
async def listen(
    device: Device,
    events: tuple[str, ...],
    count: int | None,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Print events as they come, until Ctrl-C.

    EVENT is the whole URL as the app publishes it, a leading slash included if it has one.
    """

    async def print_events() -> None:
        n = 0
        arriving = device.listen(*events)
        try:
            async for event in arriving:
                click.echo(_line(event, as_json))
                n += 1
                if n == count:
                    return
        finally:
            await arriving.aclose()  # while there is a connection to unsubscribe over

    try:
        await asyncio.wait_for(print_events(), seconds)
    except asyncio.TimeoutError:
        pass


def _line(event: Event, as_json: bool) -> str:
    values = to_json(event.values)
    if as_json:
        found = {"event": event.url, "sender": event.sender, "values": values}
        if not values and event.payload:
            found["payload"] = event.payload.hex()
        return json.dumps(found, ensure_ascii=False)
    shown = _values(event.values) if values or not event.payload else event.payload.hex(" ")
    return f"{click.style(event.url, bold=True)}  {shown}".rstrip()


def _values(values: dict[str, Value]) -> str:
    found = to_json(values)
    return "  ".join(f"{key}={json.dumps(found[key], ensure_ascii=False)}" for key in found)


@click.command(short_help="Show what happens on a device, until Ctrl-C.")
@click.option(
    "--interval",
    type=float,
    default=2.0,
    show_default=True,
    metavar="S",
    help="How often the apps are looked at.",
)
@device_command
async def monitor(device: Device, interval: float) -> None:
    """Show what happens on a device: events that the host is subscribed to, apps that come, go or
    fail. Until Ctrl-C.
    """
    changed = asyncio.Event()
    await device.subscribe(_APPLETS)
    await asyncio.gather(_print_events(device, changed), _watch(device, interval, changed))


async def _print_events(device: Device, changed: asyncio.Event) -> None:
    async for event in device.events():
        if event.url == _APPLETS:
            changed.set()
        else:
            _stamp(_line(event, False))


async def _watch(device: Device, interval: float, changed: asyncio.Event) -> None:
    """Look at the apps whenever they have changed, and every now and then, as some end by
    themselves.
    """
    known: dict[str, str] = {}
    problem = ""
    while True:
        changed.clear()
        try:
            # Of the details, the state is what matters.
            apps = {app.name: app.state for app in (await device.apps(details=True)).apps}
            for name in known:
                if name not in apps:
                    _stamp(f"{click.style(name, bold=True)}  removed")
            for name, state in apps.items():
                if known.get(name) != state:
                    bad = state.split(":")[0] in ("dead", "disabled", "failed")
                    shown = click.style(state, fg="red" if bad else "green")
                    _stamp(f"{click.style(name, bold=True)}  {shown}")
            known = apps
            problem = ""
        except DeviceError as error:
            # It may come back.
            if str(error) != problem:
                problem = str(error)
                _stamp(click.style(problem, fg="red"))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(changed.wait(), interval)


def _stamp(text: str) -> None:
    click.echo(f"{click.style(time.strftime('%H:%M:%S'), dim=True)} {text}")
