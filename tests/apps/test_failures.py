"""Failures in unlikely places: memory runs out, code of ours is wrong. Everything lives on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from wamr import pool
from wamr.apps import manager as manager_module
from wamr.apps.packet import DELETE, GET
from wamr.apps.store import FileStore
from wamr.apps.wasm_app import WasmApp
from wamr.wasm import module

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
            fail_once(device.manager.timers, "fire", MemoryError(), monkeypatch)
            (third,) = count(await device.request(GET, "/ticks", seconds=1))
            (fourth,) = count(await device.request(GET, "/ticks"))
            assert fourth > third > second

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


# Says goodbye in on_destroy, for which the functions of this file have no place.
LEAVING = wat.app(
    wat.REGISTER
    + "(func $on_destroy (drop (call $puts (i32.const 0)))) (func $on_request (param i32 i32))"
)


def closed(_data: bytes) -> None:
    raise ValueError("it is closed")


def test_at_the_end_of_an_app() -> None:
    async def main() -> None:
        async with Device(stdout=closed) as device:
            assert await device.install("a", LEAVING) == 65
            assert await device.install("b", LEAVING) == 65
            b, a = device.manager.apps
            (answer,) = await device.request(DELETE, "/applet?name=a")
            assert answer.status == 66
            assert "app a: on_destroy failed: ValueError it is closed" in device.lines
        assert a.instance is b.instance is None

    run(main())


class Driver:
    def deinit(self) -> None:
        raise OSError(5, "it does not answer")


def test_in_a_driver_that_is_closed() -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("c", wat.COUNTER) == 65
            (app,) = device.manager.apps
            app.handles.append(Driver())
            assert app._restart("a crash")
            app.handles.append(Driver())
            (answer,) = await device.request(DELETE, "/applet?name=c")
            assert answer.status == 66 and app.instance is None

    run(main())


def test_in_what_a_sensor_gives() -> None:
    async def main() -> None:
        async with Device() as device:
            device.manager.add_sensor("s", lambda: [1])
            assert await device.install("t", wat.TICKING) == 65
            device.manager.sensors.open(device.manager.apps[0], b"s", 0)
            (answer,) = count(await device.request(GET, "/ticks", seconds=3))
            (later,) = count(await device.request(GET, "/ticks"))
            assert later > answer + 20

    run(main())


@pytest.mark.parametrize("error", [ValueError("wrong"), OSError(5, "broken"), MemoryError()])
def test_in_an_install(error: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = []
    load = WasmApp.load

    def failing(app: Any) -> None:
        made.append(app)
        load(app)
        raise error

    async def main() -> None:
        async with Device(store=FileStore(str(tmp_path))) as device:
            with monkeypatch.context() as patched:
                patched.setattr(WasmApp, "load", failing)
                assert await device.install("c", wat.COUNTER) == 160
            assert made[0].instance is None and not list(tmp_path.iterdir())
            # It is installed, and cannot be answered: it runs all the same.
            fail_once(device.manager, "respond", MemoryError(), monkeypatch)
            assert await device.install("c", wat.COUNTER) == 160
            assert count(await device.request(GET, "/url")) == [1]

    run(main())


def test_at_the_start_of_a_board(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def main() -> None:
        async with Device(store=FileStore(str(tmp_path))) as device:
            assert await device.install("a", wat.COUNTER) == 65
            assert await device.install("b", wat.COUNTER) == 65
        fail_once(module, "Module", KeyError("wrong"), monkeypatch)
        async with Device(store=FileStore(str(tmp_path))) as device:
            await device.until(lambda: device.manager.restored)
            assert [app.state for app in device.manager.apps] == ["running", "failed"]
        store = FileStore(str(tmp_path))
        fail_once(store, "load", OSError(5, "broken"), monkeypatch)
        async with Device(store=store) as device:
            assert await device.install("c", wat.COUNTER) == 65

    run(main())


def test_a_board_that_is_stopped_while_it_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    apps = []
    start = WasmApp.start

    def starting(app: Any) -> None:
        apps.append(app)
        start(app)

    async def main() -> None:
        async with Device(store=FileStore(str(tmp_path))) as device:
            for name in "abc":
                assert await device.install(name, wat.COUNTER) == 65
        monkeypatch.setattr(WasmApp, "start", starting)
        manager = Device(store=FileStore(str(tmp_path))).manager
        manager.start()
        while not apps:
            await asyncio.sleep(0)
        await manager.stop()
        await asyncio.sleep(1)
        assert {app.state for app in apps} == {"ended"}

    run(main())


def test_not_even_the_error_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError

    async def main() -> None:
        async with Device() as device:
            with monkeypatch.context() as patched:
                patched.setattr(manager_module, "AttrContainer", fail)
                assert await device.request(GET, "/applet") == []
            (answer,) = await device.request(GET, "/applet")
            assert answer.status == 69

    run(main())
