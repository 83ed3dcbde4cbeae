"""Scenario files: which sensors and apps a simulated board has, and what happens when. TOML; see
docs/simulator.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wamr_sim.sensors import Reading, rows_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class ScenarioError(Exception):
    """A scenario file that cannot be used; says where and what to write."""


@dataclass
class SensorScript:
    name: str
    index: int = 0
    interval: int = 1000
    values: Reading = field(default_factory=dict)
    rows: list[tuple[int, Reading]] = field(default_factory=list)
    noise: float = 0.0
    repeat: bool = False


@dataclass
class AppScript:
    name: str
    file: Path
    heap: int | None = None
    timers: int | None = None
    watchdog: int | None = None


@dataclass
class Registers:
    bus: str
    address: int
    registers: list[int]


@dataclass
class Step:
    """What happens at a time: `kind` is pin, analog, sensor, uart, request or restart."""

    at: int
    kind: str
    target: str
    value: Any = None


@dataclass
class Scenario:
    """seed: of all chance. duration: ms after which a run in virtual time ends."""

    seed: int = 0
    duration: int | None = None
    sensors: list[SensorScript] = field(default_factory=list)
    apps: list[AppScript] = field(default_factory=list)
    i2c: list[Registers] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


# The keys of each table: name -> type.
_TOP = {"seed": int, "duration": int, "sensor": list, "app": list, "i2c": list, "step": list}
_SENSOR = {
    "name": str,
    "index": int,
    "interval": int,
    "values": dict,
    "csv": str,
    "noise": float,
    "repeat": bool,
}
_APP = {"name": str, "file": str, "heap": int, "timers": int, "watchdog": int}
_I2C = {"bus": (int, str), "address": int, "registers": list}
_STEP = {
    "at": int,
    "pin": (int, str),
    "level": int,
    "analog": (int, str),
    "value": int,
    "sensor": str,
    "values": dict,
    "uart": (int, str),
    "bytes": (str, list),
    "request": str,
    "payload": dict,
    "restart": bool,
}
# What else a step of each kind has.
_KINDS = {
    "pin": "level",
    "analog": "value",
    "sensor": "values",
    "uart": "bytes",
    "request": "payload",
    "restart": None,
}


def load(path: str | Path) -> Scenario:
    """Read a scenario file. The files it names are relative to it. ScenarioError."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise ScenarioError(f"cannot read {path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: {error}") from None
    try:
        return _scenario(found, path.parent)
    except (ValueError, OSError) as error:
        raise ScenarioError(f"{path}: {error}") from None


def _scenario(found: dict, folder: Path) -> Scenario:
    _check("the file", found, _TOP)
    scenario = Scenario(found.get("seed", 0), found.get("duration"))
    for n, table in enumerate(found.get("sensor", ()), 1):
        where = f"[[sensor]] {n}"
        _check(where, table, _SENSOR, ("name",))
        values = dict(table)
        file = values.pop("csv", None)
        rows = rows_of(folder / file) if file else []
        if not rows and not values.get("values"):
            raise ValueError(f"{where}: needs `values` or `csv`")
        scenario.sensors.append(SensorScript(rows=rows, **values))
    for n, table in enumerate(found.get("app", ()), 1):
        _check(f"[[app]] {n}", table, _APP, ("name", "file"))
        scenario.apps.append(AppScript(**{**table, "file": folder / table["file"]}))
    for n, table in enumerate(found.get("i2c", ()), 1):
        _check(f"[[i2c]] {n}", table, _I2C, ("bus", "address", "registers"))
        scenario.i2c.append(Registers(str(table["bus"]), table["address"], table["registers"]))
    scenario.steps = [_step(table, n) for n, table in enumerate(found.get("step", ()), 1)]
    scenario.steps.sort(key=lambda step: step.at)
    return scenario


def _step(table: dict, n: int) -> Step:
    where = f"[[step]] {n}"
    _check(where, table, _STEP, ("at",))
    kinds = [kind for kind in _KINDS if kind in table]
    if len(kinds) != 1:
        raise ValueError(f"{where}: needs one of {', '.join(_KINDS)}")
    kind = kinds[0]
    argument = _KINDS[kind]
    extra = set(table) - {"at", kind, argument}
    if extra:
        raise ValueError(f"{where}: {', '.join(sorted(extra))} does not go with `{kind}`")
    if argument and argument not in table and kind != "request":
        raise ValueError(f"{where}: `{kind}` needs `{argument}`")
    value = table.get(argument) if argument else None
    if kind == "uart":
        value = value.encode() if isinstance(value, str) else bytes(value)
    return Step(table["at"], kind, str(table[kind]), value)


def _check(where: str, table: Any, keys: dict, needed: tuple[str, ...] = ()) -> None:
    if not isinstance(table, dict):
        raise ValueError(f"{where}: is no table")
    for key, value in table.items():
        if key not in keys:
            raise ValueError(f"{where}: unknown key `{key}`; there are {', '.join(keys)}")
        wanted = (int, float) if keys[key] is float else keys[key]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise ValueError(f"{where}: `{key}` has the wrong type")
    for key in needed:
        if key not in table:
            raise ValueError(f"{where}: needs `{key}`")
