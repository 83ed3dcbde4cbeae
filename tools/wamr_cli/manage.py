"""`wamr install`, `uninstall` and `ps`: the apps of a device."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from wamr_cli.connection import device_command
from wamr_cli.device import Apps, Device, Value
from wamr_cli.errors import LoadError
from wamr_cli.load import check
from wamr_cli.options import Size
from wamr_cli.table import table

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
# What `ps --memory` shows of an app, with the names that the device gives it.
_FIGURES = (
    "ram", "memory", "heapused", "heappeak", "code", "native", "queue", "lost", "crashes",
)  # fmt: skip


def app_names(context: click.Context, _parameter: click.Parameter, start: str) -> list[str]:
    """The apps of the device, for completion; none when it cannot be asked."""
    from wamr_cli.completion import installed

    return [name for name in installed(context) if name.startswith(start)]


@click.command()
@click.argument("name")
@click.argument("file", type=click.Path())
@click.option("--heap", type=Size(), help="What its malloc has.  [default: the device's, 8192]")
@click.option("--timers", type=click.IntRange(min=1), help="How many may run at once.")
@click.option("--watchdog", type=click.IntRange(min=1), metavar="MS", help="Limit of a handler.")
@click.option("--type", "kind", metavar="TYPE", help="What FILE is.  [default: its ending, wasm]")
@click.option("--replace", is_flag=True, help="Uninstall an app of this name first.")
@json_option
@device_command
async def install(
    device: Device,
    name: str,
    file: str,
    heap: int | None,
    timers: int | None,
    watchdog: int | None,
    kind: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Install the app in FILE under NAME, and start it."""
    kind = kind or {".py": "py", ".mpy": "mpy"}.get(Path(file).suffix, "wasm")
    if kind == "wasm":
        check(file)
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise LoadError(f"cannot read {file}: {error.strerror}") from None
    if replace and name in [app.name for app in (await device.apps()).apps]:
        await device.uninstall(name)
    shown = sys.stderr.isatty() and not as_json
    with click.progressbar(
        length=len(data), label=f"{name}", file=sys.stderr, hidden=not shown
    ) as bar:

        def progress(sent: int, total: int) -> None:
            # The frame is a little longer than the file.
            bar.update(min(sent, len(data)) - bar.pos)

        answer = await device.install(
            name,
            data,
            type=kind,
            heap=heap,
            timers=timers,
            watchdog=watchdog,
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps({"name": name, "bytes": len(data), "status": answer.status}))
    else:
        click.echo(f"installed {click.style(name, bold=True)}, {len(data):,} bytes")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME…", shell_complete=app_names)
@json_option
@device_command
async def uninstall(device: Device, names: tuple[str, ...], as_json: bool) -> None:
    """Stop and remove apps."""
    for name in names:
        answer = await device.uninstall(name)
        if as_json:
            click.echo(json.dumps({"name": name, "status": answer.status}))
        else:
            click.echo(f"removed {click.style(name, bold=True)}")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=app_names)
@click.option("--memory", is_flag=True, help="Show what each takes, and what the device has left.")
@json_option
@device_command
async def ps(device: Device, names: tuple[str, ...], memory: bool, as_json: bool) -> None:
    """List the apps of a device. `wamr query` is the same."""
    if names:
        listed = Apps([await device.app(name, details=memory) for name in names])
    else:
        listed = await device.apps(details=memory)
    if as_json:
        click.echo(json.dumps(_as_json(listed, memory), indent=2))
        return
    if not listed.apps:
        click.echo("no apps installed", err=True)
    else:
        head = ["NAME", "HEAP", "STATE"]
        figures = []
        if memory:
            told = {key for app in listed.apps for key in app.details}
            figures = [key for key in _FIGURES if key in told] + sorted(told - {*_FIGURES})
            head += [key.upper() for key in figures]
        rows = []
        reasons = []
        for app in listed.apps:
            cells = [app.state, *(app.details.get(key) for key in figures)]
            rows.append([app.name, app.heap, *(_word(cell) for cell in cells)])
            reasons += [f"{app.name} is {cell}" for cell in cells if _word(cell) != cell]
        click.echo(table(head, rows))
        if reasons:
            click.echo("\n" + "\n".join(reasons))
    if memory and listed.free is not None:
        click.echo(f"\nthe board has {listed.free:,} bytes free, {listed.used or 0:,} in use")


def _word(cell: Value | None) -> Value | None:
    """How an app is, without the reason: "disabled: …"."""
    return cell.partition(": ")[0] if isinstance(cell, str) else cell


def _as_json(listed: Apps, memory: bool) -> dict:
    apps = [
        {"name": app.name, "heap": app.heap, "state": app.state, **app.details}
        for app in listed.apps
    ]
    found: dict = {"apps": apps}
    if memory and listed.free is not None:
        found.update(free=listed.free, used=listed.used)
    return found
