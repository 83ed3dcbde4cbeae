"""Options are read as getopt_long() does, whose texts were taken from a C program."""

from __future__ import annotations

import pytest
from wamr_cli.getopt_long import NONE, OPTIONAL, REQUIRED, Option, OptionError, options

KNOWN = (
    Option("i", "install", REQUIRED),
    Option("q", "query", OPTIONAL),
    Option("v", "verbose", NONE),
    Option("t", "timeout", REQUIRED),
    Option("timers", "timers", REQUIRED),
    Option("ti", "tim", REQUIRED),
)


def read(line: str) -> list[tuple[str, str | None]]:
    return list(options(line.split(), KNOWN))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-i a", [("i", "a")]),
        ("-ia", [("i", "a")]),
        ("-i -q", [("i", "-q")]),
        ("-q", [("q", None)]),
        ("-q a", [("q", None)]),
        ("-qa", [("q", "a")]),
        ("-vq", [("v", None), ("q", None)]),
        ("-via", [("v", None), ("i", "a")]),
        ("-vi a", [("v", None), ("i", "a")]),
        ("--install a", [("i", "a")]),
        ("--install=a", [("i", "a")]),
        ("--install=", [("i", "")]),
        ("--inst a", [("i", "a")]),
        ("--query a", [("q", None)]),
        ("--query=a", [("q", "a")]),
        ("--timer=3", [("timers", "3")]),
        ("--tim=3", [("ti", "3")]),
        ("word -v other -q", [("v", None), ("q", None)]),
        ("-v -- -q", [("v", None)]),
        ("- -v", [("v", None)]),
    ],
)
def test_options(line: str, expected: list) -> None:
    assert read(line) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-x", "invalid option -- 'x'"),
        ("-i", "option requires an argument -- 'i'"),
        ("-vx", "invalid option -- 'x'"),
        ("--nosuch", "unrecognized option '--nosuch'"),
        ("--nosuch=1", "unrecognized option '--nosuch=1'"),
        ("--install", "option '--install' requires an argument"),
        ("--verbose=1", "option '--verbose' doesn't allow an argument"),
        ("--ti=1", "option '--ti=1' is ambiguous; possibilities: '--timeout' '--timers' '--tim'"),
    ],
)
def test_errors(line: str, message: str) -> None:
    with pytest.raises(OptionError) as info:
        read(line)
    assert str(info.value) == message
