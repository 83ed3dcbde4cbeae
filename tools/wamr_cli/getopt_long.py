"""Options as the C library's getopt_long() reads them: for programs that must take exactly what
another one takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

NONE, REQUIRED, OPTIONAL = 0, 1, 2


class Option(NamedTuple):
    """short: a letter, or any name when there is none."""

    short: str
    long: str
    argument: int


class OptionError(Exception):
    """What getopt_long() says on standard error."""


def options(args: Sequence[str], known: Sequence[Option]) -> Iterator[tuple[str, str | None]]:
    """Give (short, argument) of each option in turn; what is no option is passed over, and so is
    everything behind `--`.
    """
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return
        if word.startswith("--"):
            yield _long(word[2:], rest, known)
        elif word.startswith("-") and word != "-":
            yield from _short(word[1:], rest, known)


def _long(word: str, rest: list[str], known: Sequence[Option]) -> tuple[str, str | None]:
    name, equals, value = word.partition("=")
    matching = [option for option in known if option.long.startswith(name)]
    exact = [option for option in matching if option.long == name]
    matching = exact or matching
    if not matching:
        raise OptionError(f"unrecognized option '--{name}{equals}{value}'")
    if len(matching) > 1:
        possible = " ".join(f"'--{option.long}'" for option in matching)
        raise OptionError(f"option '--{word}' is ambiguous; possibilities: {possible}")
    option = matching[0]
    if equals:
        if option.argument == NONE:
            raise OptionError(f"option '--{option.long}' doesn't allow an argument")
        return option.short, value
    if option.argument == REQUIRED:
        if not rest:
            raise OptionError(f"option '--{option.long}' requires an argument")
        return option.short, rest.pop(0)
    return option.short, None


def _short(
    letters: str, rest: list[str], known: Sequence[Option]
) -> Iterator[tuple[str, str | None]]:
    by_letter = {option.short: option for option in known if len(option.short) == 1}
    # -h is declared without an argument as a letter, with one as a word.
    while letters:
        letter, letters = letters[0], letters[1:]
        option = by_letter.get(letter)
        if not option or letter in ":;":
            raise OptionError(f"invalid option -- '{letter}'")
        argument = NONE if letter == "h" else option.argument
        if argument == NONE:
            yield letter, None
            continue
        if argument == REQUIRED and not letters:
            if not rest:
                raise OptionError(f"option requires an argument -- '{letter}'")
            letters = rest.pop(0)
            yield letter, letters
            return
        yield letter, letters or None
        return
