"""Scripted sensors."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from wamr_sim.sensors import ScriptedSensor, rows_of


def read(sensor: ScriptedSensor) -> dict[str, float]:
    return dict(sensor.read())


def test_values_and_rows() -> None:
    now = 0
    rows = [(100, {"t": 1.0, "h": 5.0}), (200, {"t": 2.0, "h": 5.0}), (400, {"t": 3.0, "h": 5.0})]
    sensor = ScriptedSensor(lambda: now, rows=rows)
    for time, value in ((0, 1), (100, 1), (199, 1), (200, 2), (399, 2), (400, 3), (10000, 3)):
        now = time
        assert read(sensor)["t"] == value
    sensor.set({"t": 99.0})
    assert read(sensor) == sensor.last == {"t": 99, "h": 5}
    assert sensor.reads == 8
    again = ScriptedSensor(lambda: now, rows=rows, repeat=True)
    now = 650
    assert read(again)["t"] == 2


def test_noise_is_the_same_for_the_same_seed() -> None:
    def series(seed: int) -> list[float]:
        sensor = ScriptedSensor(lambda: 0, {"x": 10}, noise=0.5, chance=random.Random(seed))
        return [read(sensor)["x"] for _ in range(100)]

    assert series(1) == series(1) != series(2)
    assert 9.5 < sum(series(1)) / 100 < 10.5
    assert len(set(series(1))) == 100


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("s, t, h\n0, 20.5, 40\n1.5, 21, 41\n")
    assert rows_of(path) == [(0, {"t": 20.5, "h": 40}), (1500, {"t": 21, "h": 41})]
    for text, message in (
        ("t,h\n1,2\n", "first column must be `ms` or `s`"),
        ("", "first column"),
        ("ms,t\n0,x\n", "line 2: every cell must be a number"),
        ("ms,t\n0\n", "line 2: every cell"),
        ("ms,t\n", "needs rows"),
        ("ms,t\n5,1\n4,1\n", "order of their times"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            rows_of(path)
