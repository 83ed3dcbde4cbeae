"""Fixtures for the tests of apps.

    def test_alert(wamr_board):
        wamr_board.install("room", "room.wasm")
        …

`wamr_board` is a Simulation that is on during the test; what happened is shown when the test
fails. `@pytest.mark.wamr(scenario="room.toml", board="VIRT_RV32", …)` says what it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from wamr_sim import Simulation

_SHOWN = 60


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "wamr(**options): options of the Simulation that wamr_board is"
    )


@pytest.fixture
def wamr_board(request: pytest.FixtureRequest) -> Iterator[Simulation]:
    """A simulated board in virtual time."""
    from wamr_sim import Simulation

    options: dict = {}
    for mark in reversed(list(request.node.iter_markers("wamr"))):
        options.update(mark.kwargs)
    with Simulation(**options) as board:
        yield board
        lines = [str(entry) for entry in board.trace[-_SHOWN:]]
        request.node.add_report_section("teardown", "wamr board", "\n".join(lines))
