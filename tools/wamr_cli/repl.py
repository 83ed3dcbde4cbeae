"""`wamr run --repl`: call a module's exports by hand, as iwasm does. A line is FUNC ARG…"""

from __future__ import annotations

import shlex
import sys
from typing import Callable

import click

from wamr_cli.errors import complain

PROMPT = "webassembly> "
END = "__exit__"  # iwasm's word for it; Ctrl-D does the same


def interact(names: list[str], call: Callable[[str, list[str]], None]) -> None:
    """Read lines and call(name, arguments) for each, until the end of the input.

    `call` reports errors itself and returns, so that the session goes on. Ctrl-C gives up the line
    or the call at hand.
    """
    _complete(names)
    if sys.stdin.isatty():
        click.echo(f"functions: {', '.join(names) or 'none'}", err=True)
        click.echo("A line is FUNC ARG…; Ctrl-D ends.", err=True)
    while True:
        try:
            line = input(PROMPT)
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            continue
        try:
            words = shlex.split(line)
        except ValueError as error:
            complain(str(error))
            continue
        if not words:
            continue
        if words[0] == END:
            return
        call(words[0], words[1:])


def _complete(names: list[str]) -> None:
    """History, editing and completion of the exports' names, where the terminal has them."""
    try:
        import readline
    except ImportError:  # Windows
        return

    def complete(text: str, state: int):
        matches = [name for name in names if name.startswith(text)]
        return matches[state] + " " if state < len(matches) else None

    readline.set_completer_delims(" ")
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")
