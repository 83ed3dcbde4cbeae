"""Random sequences of installs, uninstalls, requests and crashes: right answers, no leak."""

from __future__ import annotations

import asyncio
import gc
import os
import random
from typing import Any

from wamr.apps.packet import DELETE, GET, PUT

from . import wat
from .device import Device, run
from .test_manager import attributes, count

SEQUENCES = 1000 if os.environ.get("WAMR_FULL") == "1" else 100
APPS = {"c": wat.COUNTER, "l": wat.LOOPING, "t": wat.TICKING, "x": wat.TRAPPING}


async def one(device: Device, rng: random.Random) -> None:
    """A sequence, with a model of what must be there; at its end everything is removed."""
    there: list[str] = []
    asked = 0
    busy = False
    for _ in range(rng.randrange(3, 15)):
        name = rng.choice(list(APPS))
        action = rng.randrange(5)
        if action == 0:
            status = await device.install(name, APPS[name], "&wd=300", seconds=0.3)
            assert status == (160 if name in there or len(there) == 3 else 65)
            if status == 65:
                there.insert(0, name)
                if name == "c":
                    asked = 0
        elif action == 1:
            (answer,) = await device.request(DELETE, f"/applet?name={name}", seconds=0.3)
            assert answer.status == (66 if name in there else 160)
            if name in there:
                there.remove(name)
                busy = busy and name != "l"
        elif action == 2:
            answers = await device.request(GET, f"/app/{name}/x", seconds=0.2)
            if name not in there:
                assert [a.status for a in answers] == [160]
            elif name == "c":
                asked += 1
                assert count(answers) == [asked]
            else:
                assert [a.status for a in answers] == [69] * (name == "t")
        elif action == 3:
            (answer,) = await device.request(rng.choice((PUT, DELETE)), "/event/e", seconds=0.1)
            assert answer.status == 69
        else:
            (answer,) = await device.request(GET, "/applet", seconds=0.1)
            values = attributes(answer)
            assert [values[f"applet{i + 1}"] for i in range(values["num"])] == there
    for name in there:
        (answer,) = await device.request(DELETE, f"/applet?name={name}", seconds=0.3)
        assert answer.status == 66
    await device.request(DELETE, "/event/e", seconds=0.1)


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


def test_random_sequences() -> None:
    rng = random.Random(2)

    async def main() -> list[int]:
        counts = []
        async with Device() as device:
            manager: Any = device.manager
            for i in range(SEQUENCES):
                await one(device, rng)
                device.lines.clear()
                assert not manager.apps and not manager.resources and not manager.subscribers
                assert not manager.timers._due and not manager._jobs
                assert len(asyncio.all_tasks()) <= 7
                if i % 10 == 9:
                    counts.append(objects())
        return counts

    counts = run(main(), fuel_per_ms=20)
    # Caches may fill at first; then nothing grows.
    half = len(counts) // 2
    assert max(counts[half:]) <= max(counts[:half]) + 5
