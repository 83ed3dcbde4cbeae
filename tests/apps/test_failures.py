"""Failures in unlikely places: memory runs out, code of ours is wrong. Everything lives on."""

from __future__ import annotations

from typing import Any

import pytest
from wamr import pool
from wamr.apps import manager as manager_module
from wamr.apps.packet import DELETE, GET

from . import wat
from .device import Device, run
from .test_manager import count


class Failing:
    """Stands for a function; its first call fails."""

    def __init__(self, function: Any, error: Exception) -> None:
        self.function = function
        self.error: Exception | None = error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.error:
            error, self.error = self.error, None
            raise error
        return self.function(*args, **kwargs)


def fail_once(where: Any, name: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, name, Failing(getattr(where, name), error))


@pytest.mark.parametrize("error", [MemoryError(), ValueError("wrong")])
def test_in_the_link(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("c", wat.COUNTER) == 65
            fail_once(device.manager, "dispatch", error, monkeypatch)
            assert await device.request(GET, "/url") == []
            assert device.lines[-1].startswith(f"request lost: {type(error).__name__}")
            assert count(await device.request(GET, "/url")) == [1]

    run(main())


def test_in_the_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Device() as device:
            fail_once(manager_module, "AttrContainer", MemoryError(), monkeypatch)
            (answer,) = await device.request(GET, "/applet")
            assert answer.status == 160
            fail_once(device.manager, "new_app", ValueError("wrong"), monkeypatch)
            assert await device.install("c", wat.COUNTER) == 160
            assert await device.install("c", wat.COUNTER) == 65

    run(main())


def test_in_an_app(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("c", wat.COUNTER) == 65
            app = device.manager.apps[0]
            fail_once(app, "_lend", RuntimeError("wrong"), monkeypatch)
            assert await device.request(GET, "/url") == []
            # It is a crash: the app was restarted.
            assert (app.state, app.crashes) == ("running", 1)
            assert count(await device.request(GET, "/url")) == [1]
            # There is not enough memory to restart it.
            fail_once(app, "_lend", RuntimeError("wrong"), monkeypatch)
            fail_once(app, "load", MemoryError(), monkeypatch)
            assert await device.request(GET, "/url") == []
            assert (app.state, app.reason) == ("failed", "out of memory")
            (answer,) = await device.request(DELETE, "/applet?name=c")
            assert answer.status == 66

    run(main())


def test_memory_runs_out_in_a_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("c", wat.COUNTER) == 65
            fail_once(device.manager.apps[0], "_call", MemoryError(), monkeypatch)
            assert await device.request(GET, "/url") == []
            assert device.lines[-1].endswith("Exception: allocate memory failed")
            assert count(await device.request(GET, "/url")) == [1]

    run(main())


def test_timers_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("t", wat.TICKING) == 65
            fail_once(device.manager.apps[0].timers, "post", MemoryError(), monkeypatch)
            (first,) = count(await device.request(GET, "/ticks"))
            (second,) = count(await device.request(GET, "/ticks", seconds=1))
            assert first > 0 and second > first

    run(main())


def test_the_pool_gets_back_what_could_not_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_heap", None)
    monkeypatch.setattr(pool, "taken", [])
    pool.init(100000)
    broken = wat.build("(module (memory 1) (func $f unreachable) (start $f))")

    async def main() -> None:
        async with Device(heap_start=50000) as device:
            for _ in range(3):
                assert await device.install("b", broken) == 160
                assert "unreachable" in device.lines[-1]
                assert await device.install("c", wat.COUNTER, "&heap=50000") == 65
                assert pool.stats()[1] > 50000
                await device.request(DELETE, "/applet?name=c")
                assert pool.stats()[1] == 0

    run(main())
