"""Fixtures for tests on MicroPython.

Without the firmware these tests fail and say what to build; --no-boards leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from board import BOARDS, ROOT, Board, Unix, firmware_path, unix_path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-boards", action="store_true", help="leave out what runs on MicroPython")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whatever takes a device fixture is a device test. The simulator's come first: what others
    load and leave would count as RAM of its board.
    """
    items.sort(key=lambda item: "tests/sim/" not in item.nodeid)
    for item in items:
        if {"board", "unix"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.device)
        if config.getoption("--no-boards") and item.get_closest_marker("device"):
            item.add_marker(pytest.mark.skip(reason="--no-boards"))


def pytest_report_header() -> list[str]:
    """Say so when the firmware is older than the runtime that it should contain."""
    newest = max(path.stat().st_mtime for path in (ROOT / "wamr_mp").rglob("*.py"))
    binaries = [unix_path(), *map(firmware_path, BOARDS)]
    old = [path for path in binaries if path.is_file() and path.stat().st_mtime < newest]
    return [
        f"WARNING: older than the runtime: {path.relative_to(ROOT)}; run `make firmware`"
        for path in old
    ]


@pytest.fixture(scope="session")
def unix() -> Unix:
    """MicroPython's unix port."""
    return Unix()


@pytest.fixture(scope="session", params=list(BOARDS))
def board(request: pytest.FixtureRequest) -> Iterator[Board]:
    """Each emulated board in turn, switched on once for all tests."""
    with Board(request.param) as board:
        yield board
