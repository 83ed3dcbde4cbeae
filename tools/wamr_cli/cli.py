"""The command line: the group of commands and what is the same for all of them.

click carries it: it is one dependency with none of its own, and has what the commands need in one
place (help, completion in bash, zsh and fish, colours that vanish when the output is no terminal,
progress bars, a test runner).
"""

from __future__ import annotations

from collections.abc import Sequence

import click
import wamr

from wamr_cli.build import build
from wamr_cli.compile import compile_command
from wamr_cli.completion import ports
from wamr_cli.connection import Connection
from wamr_cli.devices import devices
from wamr_cli.errors import INTERRUPTED, complain
from wamr_cli.inspect import inspect
from wamr_cli.manage import install, ps, uninstall
from wamr_cli.messages import listen, monitor, request
from wamr_cli.new import new
from wamr_cli.run import run
from wamr_cli.sim import sim


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 99})
@click.version_option(wamr.__version__, "-V", "--version", message="wamr %(version)s")
@click.option(
    "-p",
    "--port",
    envvar="WAMR_PORT",
    metavar="PORT",
    shell_complete=ports,
    help="The device: a serial port, tcp://host:port, or sim[:FOLDER], a simulated board that"
    " keeps its apps in FOLDER.  [env: WAMR_PORT; default: the only USB serial port]",
)
@click.option(
    "-b", "--baudrate", type=int, default=115200, show_default=True, help="Of a serial port."
)
@click.option(
    "-t", "--timeout", type=float, default=5.0, show_default=True, help="Seconds for an answer."
)
@click.option(
    "--dialect",
    type=click.Choice(["A", "B"]),
    default="B",
    show_default=True,
    envvar="WAMR_DIALECT",
    help="How payloads are written: A for apps built with WAMR's SDK before 2023.",
)
@click.pass_context
def cli(
    context: click.Context, port: str | None, baudrate: int, timeout: float, dialect: str
) -> None:
    """WebAssembly apps for MicroPython boards.

    Run programs on this PC and look into them; install apps on a board, talk to them; simulate a
    board.
    """
    context.obj = Connection(port, baudrate, timeout, dialect)


for command in (run, inspect, install, uninstall, ps, request, listen, monitor, devices, sim):
    cli.add_command(command)
cli.add_command(new)
cli.add_command(build)
cli.add_command(compile_command)
cli.add_command(ps, "query")


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        return cli.main(args, prog_name="wamr", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
