"""The command line: the group of commands and what is the same for all of them.

click carries it: it is one dependency with none of its own, and has what the commands need in one
place (help, completion in bash, zsh and fish, colours that vanish when the output is no terminal,
progress bars, a test runner).
"""

from __future__ import annotations

from collections.abc import Sequence

import click
import wamr

from wamr_cli.errors import INTERRUPTED, complain
from wamr_cli.inspect import inspect
from wamr_cli.run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 99})
@click.version_option(wamr.__version__, "-V", "--version", message="wamr %(version)s")
def cli() -> None:
    """WebAssembly apps for MicroPython boards: run them on this PC, look into them."""


cli.add_command(run)
cli.add_command(inspect)


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
