"""`wamr sim`: a simulated board that hosts can connect to, or that plays a scenario by itself."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from wamr_cli.boards import BOARDS
from wamr_cli.device import ConnectError
from wamr_cli.errors import CONNECT, OK, LoadError, complain

_DEFAULT_LISTEN = "tcp://127.0.0.1:8888"


@click.command(short_help="Simulate a board on this PC.")
@click.option(
    "--board",
    type=click.Choice([board.name for board in BOARDS] + ["none"]),
    default=BOARDS[0].name,
    show_default=True,
    help="Whose RAM it has; none: no limit.",
)
@click.option(
    "--listen",
    metavar="ADDRESS",
    help=f"tcp://HOST:PORT, pty, or pty:LINK.  [default: {_DEFAULT_LISTEN}]",
)
@click.option(
    "--flash",
    type=click.Path(file_okay=False),
    help="Folder of its flash.  [default: nothing is kept]",
)
@click.option("--scenario", type=click.Path(), help="Sensors, apps and events: see the manual.")
@click.option(
    "--virtual",
    is_flag=True,
    help="Play the scenario in virtual time, without hosts, and print what happened.",
)
@click.option("--seed", type=int, help="Of all chance.  [default: the scenario's, or 0]")
@click.option(
    "--for", "duration", type=click.IntRange(min=0), metavar="MS", help="End after so long."
)
@click.option(
    "--display",
    "size",
    default="128x64",
    show_default=True,
    metavar="WxH[:color]",
    help="Dots of the display.",
)
@click.option("--png", type=click.Path(dir_okay=False), help="Save each picture there.")
@click.option("--trace", type=click.Path(dir_okay=False), help="Write what happens to a file.")
@click.option(
    "--live/--no-live", default=None, help="The live view.  [default: in a terminal, with rich]"
)
@click.option(
    "--max-apps", type=click.IntRange(min=1), default=3, show_default=True, help="Apps at most."
)
@click.option(
    "--answer-all", is_flag=True, help="Answer 132 where WAMR is silent: nobody is responsible."
)
def sim(
    board: str,
    listen: str | None,
    flash: str | None,
    scenario: str | None,
    virtual: bool,
    seed: int | None,
    duration: int | None,
    size: str,
    png: str | None,
    trace: str | None,
    live: bool | None,
    max_apps: int,
    answer_all: bool,
) -> int:
    """Simulate a board: the very package that boards run, with pins, sensors and a display."""
    from wamr_sim import Scenario, ScenarioError
    from wamr_sim import scenario as scenario_file

    if virtual and listen:
        raise click.UsageError(
            "--virtual and --listen exclude each other: hosts live in real time"
        )
    try:
        script = scenario_file.load(scenario) if scenario else Scenario()
    except ScenarioError as error:
        raise LoadError(str(error)) from None
    for app in script.apps:
        if not app.file.is_file():
            raise LoadError(f"{scenario}: there is no file {app.file} for the app {app.name}")
    options: dict[str, Any] = {
        "board": None if board == "none" else board,
        "flash": flash,
        "scenario": script,
        "seed": seed,
        "display": _size(size),
        "max_apps": max_apps,
        "answer_all": answer_all,
    }
    duration = script.duration if duration is None else duration
    if virtual:
        return _play(options, duration, png, trace)
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(_serve(options, listen or _DEFAULT_LISTEN, duration, png, trace, live))
    return OK


def _size(text: str) -> tuple[int, int, bool]:
    dots, colon, color = text.partition(":")
    width, _, height = dots.partition("x")
    if not (width.isdecimal() and height.isdecimal()) or color != "color" * len(colon):
        raise click.BadParameter(f"{text!r} is no size such as 128x64 or 240x240:color")
    return int(width), int(height), bool(color)


def _play(
    options: dict[str, Any], duration: int | None, png: str | None, trace: str | None
) -> int:
    """Virtual time: as fast as possible, the same every time."""
    from wamr_sim import Simulation

    if duration is None:
        raise click.UsageError("--virtual needs an end: --for MS, or `duration` in the scenario")
    with Simulation(**options) as board:
        board.display.png = Path(png) if png else None
        board.run(max(duration - board.now, 0))
        text = board.simulator.trace.text()
    if trace:
        Path(trace).write_text(text)
    else:
        click.echo(text, nl=False)
    return OK


async def _serve(
    options: dict[str, Any],
    listen: str,
    duration: int | None,
    png: str | None,
    trace: str | None,
    live: bool | None,
) -> int:
    from wamr_sim import Simulator

    live = _has_live_view(live)
    simulator = Simulator(**options)
    simulator.display.png = Path(png) if png else None
    with contextlib.ExitStack() as files:
        if trace:
            file = files.enter_context(open(trace, "w"))
            simulator.trace.listeners.append(lambda entry: print(entry, file=file, flush=True))
        if not live:
            simulator.trace.listeners.append(_print)
        await simulator.start()
        try:
            async with _listening(simulator, listen) as address:
                click.echo(f"simulated {options['board'] or 'board'} at {address}; Ctrl-C ends it")
                click.echo(f"try:  wamr -p {address} ps")
                await _until_end(simulator, address, duration, live)
        except (OSError, ConnectError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            complain(f"cannot listen at {listen}: {reason}")
            return CONNECT
        finally:
            await simulator.stop()
    return OK


def _has_live_view(wanted: bool | None) -> bool:
    if wanted is False or (wanted is None and not sys.stdout.isatty()):
        return False
    try:
        import rich  # noqa: F401
    except ImportError:
        hint = 'the live view needs rich: pip install "wamr-micropython[live]"'
        if wanted:
            raise click.UsageError(hint) from None
        click.echo(hint, err=True)
        return False
    return True


@contextlib.asynccontextmanager
async def _listening(simulator: Any, address: str):
    from wamr_sim.listen import listen_pty, listen_tcp

    from wamr_cli.device._streams import tcp_address

    if address == "pty" or address.startswith("pty:"):
        opened = listen_pty(simulator, address[4:])
    elif address.startswith("tcp://"):
        opened = listen_tcp(simulator, *tcp_address(address))
    else:
        raise click.UsageError(f"--listen {address}: write tcp://HOST:PORT, pty or pty:LINK")
    async with opened as where:
        yield where


async def _until_end(simulator: Any, address: str, duration: int | None, live: bool) -> None:
    from wamr.apps import clock

    def done() -> bool:
        return duration is not None and clock.ticks_ms() >= duration

    if live:
        from wamr_sim.live import show

        await show(simulator, address, done)
    elif duration is None:
        await asyncio.Event().wait()
    else:
        await clock.sleep_ms(max(duration - clock.ticks_ms(), 0))


def _print(entry: Any) -> None:
    style = {"host>": "cyan", "host<": "green", "print": "bright_white"}.get(entry.kind)
    click.echo(click.style(str(entry), fg=style))
