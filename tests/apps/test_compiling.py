"""Installed apps are compiled in the background: the link lives, and what is removed is given up."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wamr
from native import x64_only
from wamr.apps import manager as manager_module
from wamr.apps import wasm_app
from wamr.apps.packet import DELETE, GET, PUT, Request
from wamr.apps.store import FileStore
from wamr.compiler import loader
from wamr.compiler.build import Build
from wamr.engine import auto, portable

from . import wat
from .device import Device, frame, parse, run
from .test_manager import attributes, count

pytestmark = x64_only

# COUNTER with so many functions more.
FUNCTIONS = 200
LARGE = wat.app(
    "(global $n (mut i32) (i32.const 0))"
    + wat.REGISTER
    + """(func $on_request (param $b i32) (param i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (call $answer (local.get $b) (global.get $n)))"""
    + "(func (result i32) (i32.const 7))" * FUNCTIONS
)


# Virtual time stands still while something is being compiled: what happens meanwhile is waited for
# in turns of the event loop.
async def turns(done: Callable[[], Any]) -> Any:
    for _ in range(1000):
        await asyncio.sleep(0)
        if found := done():
            return found
    raise AssertionError("it did not happen")


async def ask(device: Device, url: str) -> Any:
    device.stream.feed_data(frame(2, Request(GET, url.encode(), 99, b"", 77, 0).pack()))
    (answer,) = await turns(device.frames)
    return parse(answer)


async def install(device: Device, name: str, data: bytes) -> Any:
    url = f"/applet?name={name}&heap=1000".encode()
    device.stream.feed_data(frame(4, Request(PUT, url, 98, data, 77, 0).pack()))
    (answer,) = await turns(device.frames)
    assert parse(answer).status == 65


async def compiled(device: Device, name: bytes = b"a") -> None:
    app = device.manager.find(name)
    await device.until(lambda: wamr.info(app.instance).engine == "native")


def test_an_app_is_compiled_while_it_runs() -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            await install(device, "a", LARGE)
            engines = []
            while engines[-3:] != ["native"] * 3:
                # It counts on from where it was when its engine changes.
                assert count([await ask(device, "/app/a/x")]) == [len(engines) + 1]
                engines.append(wamr.info(app_of(device).instance).engine)
            assert engines.count("portable") > FUNCTIONS // 20

    run(main())


def app_of(device: Device) -> Any:
    return device.manager.find(b"a")


def test_progress_is_told() -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            await install(device, "a", LARGE)
            told = []
            while told[-1:] != ["native"]:
                values = attributes(await ask(device, "/applet?name=a&details=1"))
                told.append(values["engine"])
            assert len(set(told)) > 10
            assert all(re.fullmatch(r"native|portable: being compiled, \d+ %", s) for s in told)
            assert values["native"] > 1000

    run(main())


def out_of_memory(*_args: Any) -> None:
    raise MemoryError


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Build]:
    """All that was begun to be compiled."""
    made: list[Build] = []
    begin = Build._begin

    def noted(self: Build) -> None:
        made.append(self)
        begin(self)

    monkeypatch.setattr(Build, "_begin", noted)
    return made


def test_an_app_that_is_removed_is_not_compiled_on(builds: list[Build]) -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            await install(device, "a", LARGE)
            await turns(lambda: builds and builds[0].done)
            (answer,) = await device.request(DELETE, "/applet?name=a")
            assert answer.status == 66
            assert builds[0].done < builds[0].total // 2 and builds[0]._program is None
            assert await device.install("a", wat.COUNTER) == 65
            await compiled(device)

    run(main())


def test_an_install_has_the_memory_for_itself(builds: list[Build]) -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            await install(device, "a", LARGE)
            await turns(lambda: builds and builds[0].done)
            await install(device, "b", wat.COUNTER)
            assert builds[0].done < builds[0].total // 2 and builds[0]._program is None
            await compiled(device)
            await compiled(device, b"b")

    run(main())


def test_machine_code_makes_room_for_an_app() -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            assert await device.install("a", wat.COUNTER) == 65
            await compiled(device)
            assert count(await device.request(GET, "/app/a/x")) == [1]
            make = device.manager.new_app

            def new_app(*args: Any) -> Any:
                app = make(*args)
                load = app.load

                def short() -> None:
                    if app_of(device).is_native():
                        raise MemoryError
                    load()

                app.load = short
                return app

            device.manager.new_app = new_app
            await install(device, "b", wat.COUNTER)
            assert wamr.info(app_of(device).instance).reason == "waiting to be compiled"
            assert count([await ask(device, "/app/a/x")]) == [2]
            await compiled(device)
            assert count([await ask(device, "/app/a/x")]) == [3]

    run(main())


def test_the_largest_machine_code_makes_room_first() -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            await install(device, "a", LARGE)
            await install(device, "b", wat.COUNTER)
            await compiled(device)
            await compiled(device, b"b")
            large, small = app_of(device), device.manager.find(b"b")
            assert device.manager.make_room()
            assert (large.is_native(), small.is_native()) == (False, True)
            assert device.manager.make_room()
            assert not small.is_native()
            assert not device.manager.make_room()

    run(main())


def test_machine_code_makes_room_for_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = wasm_app.Execution

    def short(function: Any, args: Any) -> Any:
        if function.instance.native:
            raise MemoryError
        return begin(function, args)

    async def main() -> None:
        async with Device(frame_pause=0) as device:
            assert await device.install("a", wat.COUNTER) == 65
            await compiled(device)
            monkeypatch.setattr(wasm_app, "Execution", short)
            assert count([await ask(device, "/app/a/x")]) == [1]

    run(main())


def test_what_an_app_leaves_is_room_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            with monkeypatch.context() as patched:
                patched.setattr(auto, "no_room", lambda *_: "not enough memory")
                await install(device, "a", LARGE)
                await install(device, "b", wat.COUNTER)
                app = app_of(device)
                await turns(lambda: wamr.info(app.instance).reason == "not enough memory")
            (answer,) = await device.request(DELETE, "/applet?name=b")
            assert answer.status == 66
            await compiled(device)

    run(main())


def test_kept_code_is_loaded_again(
    builds: list[Build], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Device(store=FileStore(str(tmp_path)), frame_pause=0) as device:
            await install(device, "a", LARGE)
            await compiled(device)
            assert count([await ask(device, "/app/a/x")]) == [1]
            assert device.manager.make_room()
            await compiled(device)
            assert wamr.info(app_of(device).instance).origin == "cache"
            assert count([await ask(device, "/app/a/x")]) == [2]
            assert len(builds) == 1

    run(main())


@pytest.mark.parametrize("fault", [MemoryError(), OSError(1, "not permitted")])
def test_an_app_runs_on_when_it_cannot_be_compiled(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_parts: Any) -> None:
        raise fault

    async def main() -> None:
        monkeypatch.setattr(loader, "load", fail)
        async with Device(frame_pause=0) as device:
            assert await device.install("a", wat.COUNTER) == 65
            assert count(await device.request(GET, "/app/a/x")) == [1]
            (answer,) = await device.request(GET, "/applet?name=a&details=1")
            text = attributes(answer)["engine"]
            assert text.startswith("portable: ") and "not " in text

    run(main())


def test_an_app_that_crashed_while_it_waited_is_compiled_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second time would take its globals from under a call that is suspended."""
    built = []
    init = Build.__init__

    def note(self: Build, module: wamr.Module, path: str | None = None) -> None:
        built.append(module)
        init(self, module, path)

    monkeypatch.setattr(Build, "__init__", note)

    async def main() -> None:
        async with Device(frame_pause=0) as device:
            await install(device, "a", LARGE)
            await install(device, "b", LARGE)
            compiling = device.manager.compiling
            await turns(lambda: compiling._build and compiling._waiting)
            (app,) = compiling._waiting
            assert app._restart("a crash")
            await turns(app.is_native)
            await turns(lambda: not compiling._waiting and not compiling._build)
            assert built.count(app.instance.module) == 1

    run(main())


def test_compiling_survives_what_it_cannot_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            with monkeypatch.context() as patched:

                def no_room(*_: object) -> str:
                    raise MemoryError

                patched.setattr(auto, "no_room", no_room)
                await install(device, "a", LARGE)
                app = device.manager.find(b"a")
                await turns(lambda: "not enough memory" in wamr.info(app.instance).reason)
            await install(device, "b", LARGE)
            await compiled(device, b"b")

    run(main())


def test_a_restart_takes_the_memory_of_what_is_being_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            await install(device, "a", LARGE)
            await install(device, "b", LARGE)
            compiling = device.manager.compiling
            await turns(lambda: compiling._build and compiling._waiting)
            (app,) = compiling._waiting
            load = type(app).load

            def without_room(self: Any) -> None:
                if compiling._build:
                    raise MemoryError
                load(self)

            monkeypatch.setattr(type(app), "load", without_room)
            assert app._restart("a crash")
            monkeypatch.undo()
            await compiled(device, b"a")
            await compiled(device, b"b")

    run(main())


def test_progress_of_a_module_without_code() -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            await install(device, "a", wat.build('(module (memory (export "memory") 1))'))
            app = device.manager.find(b"a")
            for _ in range(20):
                app.figures()
                await asyncio.sleep(0)

    run(main())


# Counts to a million in its global, and answers with that.
COUNTING = wat.app(
    "(global $n (mut i32) (i32.const 0))"
    + wat.REGISTER
    + """(func $on_request (param $b i32) (param i32) (local $i i32)
      (loop $l
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (br_if $l (i32.lt_u
          (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
      (call $answer (local.get $b) (global.get $n)))"""
)


def test_machine_code_that_gives_way_during_a_call_has_the_globals_until_its_end() -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            await install(device, "a", COUNTING)
            await compiled(device)
            app = app_of(device)
            device.stream.feed_data(frame(2, Request(GET, b"/url", 99, b"", 77, 0).pack()))
            await turns(lambda: app.instance.globals[1][0])
            assert device.manager.make_room()
            (answer,) = await turns(device.frames)
            assert count([parse(answer)]) == [1000000]
            await compiled(device)
            assert count([await ask(device, "/app/a/x")]) == [2000000]

    run(main())


def test_functions_are_looked_for_in_new_machine_code() -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            more = '(func (export "seven") (result i32) i32.const 7)'
            await install(device, "a", wat.app(wat.REGISTER + more))
            await compiled(device)
            app = app_of(device)
            seven = app.instance.export("seven")
            assert seven() == 7
            old = app.instance.native.code
            assert device.manager.make_room()
            await compiled(device)
            assert seven() == 7
            new = app.instance.native.code
            assert seven.entry == new.address(seven.index) != old.address(seven.index)

    run(main())


def test_code_that_is_kept_and_cannot_be_loaded_is_made_once(
    builds: list[Build], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def main() -> None:
        monkeypatch.setattr(loader, "load", out_of_memory)
        async with Device(store=FileStore(str(tmp_path)), frame_pause=0) as device:
            await install(device, "a", wat.COUNTER)
            await turns(lambda: builds and builds[0].is_saved)
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(builds) == 1
            assert wamr.info(app_of(device).instance).reason == "not enough memory for machine code"

    run(main())


def test_an_app_that_is_gone_when_its_code_was_saved(
    builds: list[Build], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Device(store=FileStore(str(tmp_path)), frame_pause=0) as device:
            await install(device, "a", LARGE)
            await turns(lambda: builds and builds[0].is_saved)
            with monkeypatch.context() as patched:
                patched.setattr(wasm_app.WasmApp, "load", out_of_memory)
                assert not app_of(device)._restart("a crash")
            await install(device, "b", wat.COUNTER)
            await compiled(device, b"b")

    run(main())


def test_compiling_survives_what_it_cannot_tidy_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise MemoryError

    async def main() -> None:
        async with Device(frame_pause=0) as device:
            with monkeypatch.context() as patched:
                patched.setattr("wamr.apps.compiling.forget_native", fail)
                patched.setattr(auto, "no_room", lambda *_: "not enough memory")
                await install(device, "a", LARGE)
                app = app_of(device)
                await turns(lambda: wamr.info(app.instance).reason == "not enough memory")
            await install(device, "b", LARGE)
            await compiled(device, b"b")

    run(main())


def test_machine_code_stays_where_there_is_no_room_to_run_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:
            await install(device, "a", wat.COUNTER)
            await compiled(device)
            with monkeypatch.context() as patched:
                patched.setattr(portable, "attach", out_of_memory)
                assert not device.manager.make_room()
            assert app_of(device).is_native()
            assert count([await ask(device, "/app/a/x")]) == [1]

    run(main())


def test_machine_code_that_leaves_too_little_is_made_once(
    builds: list[Build], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with Device(frame_pause=0) as device:

            class Memory:
                collect = threshold = staticmethod(lambda *_: -1)
                mem_alloc = staticmethod(lambda: 0)

                @staticmethod
                def mem_free() -> int:
                    return 0 if any(app.is_native() for app in device.manager.apps) else 1 << 20

            monkeypatch.setattr(manager_module, "gc", Memory)
            monkeypatch.setattr(manager_module, "MICROPYTHON", True)
            await install(device, "a", wat.COUNTER)
            app = app_of(device)
            await turns(lambda: "gave way" in wamr.info(app.instance).reason)
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(builds) == 1 and not app.is_native()

    run(main())
