"""What options and arguments mean: turning their text into what the runtime takes."""

from __future__ import annotations

import click
from wamr.engine import select


class Size(click.ParamType):
    """A number of bytes, or of KiB with a k behind it."""

    name = "bytes"

    def convert(self, value, param, ctx) -> int:
        if isinstance(value, int):
            return value
        digits, unit = (value[:-1], 1024) if value[-1:] in ("k", "K") else (value, 1)
        if not digits.isdecimal():
            self.fail(f"{value!r} is no number of bytes, such as 8192 or 8k", param, ctx)
        return int(digits) * unit


def directories_given(_context, _parameter, given: tuple[str, ...]) -> dict[str, str]:
    """HOST[::GUEST] of each --dir, as a dict of the name the program sees to the real one."""
    directories = {}
    for text in given:
        host, _, guest = text.partition("::")
        directories[guest or host] = host
    return directories


def environment_given(_context, _parameter, given: tuple[str, ...]) -> dict[str, str]:
    environment = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        environment[name] = value
    return environment


def engine_name(_context, _parameter, given: str) -> str:
    try:
        select(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return given
