"""Exit codes of the `wamr` command, and how it reports what went wrong."""

from __future__ import annotations

import click

OK = 0
TRAP = 1
USAGE = 2
LOAD = 3
CONNECT = 4
TIMEOUT = 5
REFUSED = 6
INTERRUPTED = 130


class LoadError(click.ClickException):
    """The module cannot be used: unreadable, malformed, invalid, or an import is missing."""

    exit_code = LOAD

    def show(self, file=None) -> None:
        complain(self.format_message())


def complain(message: str) -> None:
    """Say on standard error what went wrong."""
    click.echo(f"{click.style('wamr:', fg='red', bold=True)} {message}", err=True)


def trap_report(trap: Exception) -> str:
    """The specification's message, then one line per function, innermost first."""
    lines = [f"Trap: {trap}"]
    for depth, (index, name, offset) in enumerate(getattr(trap, "backtrace", None) or ()):
        where = name if name is not None else f"function {index}"
        lines.append(f"  #{depth} {where} at {offset:#x}")
    return "\n".join(lines)
