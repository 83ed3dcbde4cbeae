"""A simulated board for apps: the package that runs on boards, on a PC, in real or virtual time.

>>> with Simulation() as board:
...     board.install("room", "room.wasm")
...     board.sensor("temperature", value=31.5)
...     board.run(2000)
...     print(board.request("GET", "/room_temp"))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wamr_sim.scenario import Scenario, ScenarioError
    from wamr_sim.simulation import Simulation
    from wamr_sim.simulator import Simulator

__all__ = ["Scenario", "ScenarioError", "Simulation", "Simulator"]

_PLACES = {
    "Scenario": "scenario",
    "ScenarioError": "scenario",
    "Simulation": "simulation",
    "Simulator": "simulator",
}


# Loaded when used: pytest imports this package for everybody who has it installed.
def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'wamr_sim' has no attribute {name!r}")
    return getattr(import_module(f"wamr_sim.{_PLACES[name]}"), name)
