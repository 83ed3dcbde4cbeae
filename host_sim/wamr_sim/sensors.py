"""Scripted sensors: constant values, values from a CSV file, noise."""

from __future__ import annotations

import csv
import random
from bisect import bisect_right
from pathlib import Path
from typing import Callable

Reading = dict[str, float]


class ScriptedSensor:
    """A driver for the device's sensor registry.

    values: what is read, until set() says otherwise. rows: [(ms, values)], from that time on.
    noise: standard deviation of what is added to each value. repeat: the rows start anew after
    the last.
    """

    def __init__(
        self,
        now: Callable[[], int],
        values: Reading | None = None,
        rows: list[tuple[int, Reading]] | None = None,
        noise: float = 0.0,
        repeat: bool = False,
        chance: random.Random | None = None,
    ) -> None:
        self.reads = 0
        self.last: Reading = {}
        self._now = now
        self._values = dict(values or {})
        self._rows = rows or []
        self._times = [time for time, _ in self._rows]
        self._noise = noise
        self._repeat = repeat
        self._chance = chance or random.Random(0)
        self.settings: tuple[int, int, int, dict | None] | None = None

    def set(self, values: Reading) -> None:
        """From now on these are read, whatever the rows say of them."""
        self._values.update(values)

    def read(self) -> list[tuple[str, float]]:
        """All attributes, as doubles."""
        found = {**self._row(), **self._values}
        if self._noise:
            found = {k: v + self._chance.gauss(0, self._noise) for k, v in found.items()}
        self.reads += 1
        self.last = found
        return [(key, float(value)) for key, value in found.items()]

    def configure(self, interval: int, bits: int, delay: int, values: dict | None) -> bool:
        self.settings = (interval, bits, delay, values)
        return True

    def _row(self) -> Reading:
        if not self._rows:
            return {}
        time = self._now()
        if self._repeat and self._times[-1]:
            time %= self._times[-1]
        return self._rows[max(bisect_right(self._times, time) - 1, 0)][1]


def rows_of(path: str | Path) -> list[tuple[int, Reading]]:
    """The rows of a CSV file: the first column is `ms` or `s`, the time since the start; each
    other one an attribute. ValueError, OSError.
    """
    with open(path, newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        names = reader.fieldnames or []
        if not names or names[0] not in ("ms", "s"):
            raise ValueError(f"{path}: the first column must be `ms` or `s`, the time")
        rows = []
        for row in reader:
            try:
                time = float(row[names[0]]) * (1 if names[0] == "ms" else 1000)
                rows.append((round(time), {key: float(row[key]) for key in names[1:]}))
            except (TypeError, ValueError):
                raise ValueError(
                    f"{path}, line {reader.line_num}: every cell must be a number"
                ) from None
    if not rows or [time for time, _ in rows] != sorted(time for time, _ in rows):
        raise ValueError(f"{path}: needs rows in the order of their times")
    return rows
