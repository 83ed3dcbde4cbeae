"""Apps are kept through restarts; a power cut leaves each wholly there or not at all."""

from __future__ import annotations

import asyncio
import builtins
import os
from pathlib import Path
from typing import Any

import pytest
from wamr.apps import store as store_module
from wamr.apps.packet import DELETE, GET
from wamr.apps.ram_store import RamStore
from wamr.apps.store import FileStore, StoreError
from wamr.compiler import cache, machine

from . import wat
from .device import Device, run
from .test_manager import attributes, count


MACHINE_CODE = machine.target() is not None


# Ends the task that it hits. The others live on, but the flash stays as it is.
class PowerCut(BaseException):
    pass


class Flash:
    """Counts what is done to the flash; at the given step the power fails, in the middle of it.

    atomic: rename() replaces a file in one step, as LittleFS does; FAT removes the old one first.
    """

    def __init__(self, cut_at: int = -1, atomic: bool = True) -> None:
        self.steps = 0
        self.cut_at = cut_at
        self.atomic = atomic
        self.dead = False
        self.listdir, self.stat = os.listdir, os.stat

    def step(self) -> None:
        if 0 <= self.cut_at <= self.steps:
            self.dead = True
            raise PowerCut
        self.steps += 1

    def mkdir(self, path: str) -> None:
        os.mkdir(path)

    def remove(self, path: str) -> None:
        self.step()
        os.remove(path)

    def rename(self, old: str, new: str) -> None:
        self.step()
        if not self.atomic and os.path.exists(new):
            os.remove(new)
            self.step()
        os.rename(old, new)

    def open(self, path: str, mode: str = "r") -> Any:
        if "w" not in mode:
            return builtins.open(path, mode)
        self.step()
        return _File(self, builtins.open(path, mode))


class _File:
    def __init__(self, flash: Flash, file: Any) -> None:
        self.flash = flash
        self.file = file

    def write(self, data: Any) -> None:
        try:
            self.flash.step()
        except PowerCut:
            self.file.write(data[: len(data) // 2])
            self.file.close()
            raise
        self.file.write(data)

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@pytest.fixture
def flash_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(flash: Flash) -> None:
        for module in (store_module, cache):
            monkeypatch.setattr(module, "os", flash)
            monkeypatch.setattr(module, "open", flash.open, raising=False)

    return install


# What is on the flash at the start: an app that answers, and one that was restarted once.
async def prepare(path: str) -> None:
    async with Device(FileStore(path)) as device:
        assert await device.install("old", wat.COUNTER, "&heap=1000&timers=3&wd=1234") == 65
        assert await device.install("t", wat.TICKING) == 65


async def installing(device: Device) -> None:
    await device.install("new", wat.TRAPPING)
    # and until it is compiled, or the power fails
    await asyncio.sleep(1)


async def removing(device: Device) -> None:
    await device.request(DELETE, "/applet?name=t")


async def crashing(device: Device) -> None:
    app = device.manager.find(b"t")
    if app:  # else the power failed before
        app.crashed("test", 0)


async def nothing(device: Device) -> None:
    pass


@pytest.mark.parametrize("atomic", [True, False])
@pytest.mark.parametrize("action", [installing, removing, crashing, nothing])
def test_power_cut_at_every_step(tmp_path: Path, flash_of: Any, action: Any, atomic: bool) -> None:
    cut_at = 0
    while True:
        path = str(tmp_path / str(cut_at))
        flash_of(Flash())
        run(prepare(path))

        async def act(path: str = path) -> None:
            # Includes the boot before, which writes, too.
            async with Device(FileStore(path)) as device:
                await device.request(GET, "/applet")
                await action(device)

        flash = Flash(cut_at, atomic)
        flash_of(flash)
        try:
            run(act())
        except PowerCut:
            assert flash.dead
        flash_of(Flash())
        names, crashes = run(after(path))
        complete = {installing: ["new", "t", "old"], removing: ["old"]}.get(action, ["t", "old"])
        if not flash.dead:
            assert names == complete
            assert action is nothing or cut_at > 8
            break
        # In between there is nothing but before and after.
        assert names in (complete, ["t", "old"])
        assert crashes <= 2
        cut_at += 1


# Boots, and looks at everything: the names of the apps, and how often t has crashed.
async def after(path: str) -> tuple[list[str], int]:
    async with Device(FileStore(path)) as device:
        (answer,) = await device.request(GET, "/applet")
        values = attributes(answer)
        assert len(await device.request(GET, "/app/old/x")) == 1
        old = device.manager.find(b"old")
        assert {k: old.settings[k] for k in ("heap", "timers", "wd")} == {
            "heap": 1000,
            "timers": 3,
            "wd": 1234,
        }
        contents = {"old": wat.COUNTER, "t": wat.TICKING, "new": wat.TRAPPING}
        for app in device.manager.apps:
            assert app.state == "running"
            assert Path(app.entry.source).read_bytes() == contents[app.settings["name"]]
        ticking = device.manager.find(b"t")
        # Nothing is left lying about.
        await asyncio.sleep(1)
        known = {
            f"a{app.entry.index}.{extension}"
            for app in device.manager.apps
            for extension in ("app", "wasm", "code")
        }
        found = set(os.listdir(path))
        assert found <= known and (found == known or not MACHINE_CODE)
        names = [values[f"applet{i + 1}"] for i in range(values["num"])]
        return names, ticking.crashes if ticking else 0


def test_restart(tmp_path: Path) -> None:
    async def main() -> None:
        path = str(tmp_path / "flash" / "apps")
        await prepare(path)
        for _ in range(3):
            async with Device(FileStore(path)) as device:
                (answer,) = await device.request(GET, "/applet")
                assert attributes(answer)["applet1"] == "t"
                assert attributes(answer)["heap2"] == 1000
                # Ids start again.
                assert [a.id for a in device.manager.apps] == [2, 1]
                assert count(await device.request(GET, "/app/old/x")) == [1]

    run(main())


def test_an_app_that_resets_the_board_is_disabled(tmp_path: Path) -> None:
    async def main() -> None:
        path = str(tmp_path)
        await prepare(path)
        for boot in range(3):
            # It was being started, and the board came up again.
            Path(path, "boot").write_text("2")
            async with Device(FileStore(path)) as device:
                await device.request(GET, "/applet")
                crashes = device.manager.find(b"t").crashes
                assert crashes == boot + 1
        assert device.manager.config.max_crashes == 3
        async with Device(FileStore(path)) as device:
            (answer,) = await device.request(GET, "/applet")
            state = "disabled: the board was reset while it was being started"
            assert attributes(answer)["state1"] == state
            assert "state2" not in attributes(answer)

    run(main())


def test_broken_files(tmp_path: Path) -> None:
    async def main() -> None:
        path = str(tmp_path)
        await prepare(path)
        Path(path, "a2.wasm").write_bytes(b"\0asm\1\0\0\0" + bytes(len(wat.TICKING) - 8))
        Path(path, "a3.app").write_text("rubbish")
        Path(path, "a4.wasm").write_text("rubbish")
        Path(path, "x").write_text("somebody else's")
        async with Device(FileStore(path)) as device:
            (answer,) = await device.request(GET, "/applet")
            values = attributes(answer)
            assert values["num"] == 2
            assert values["state1"].startswith("failed: ")
            assert len(await device.request(GET, "/app/old/x")) == 1
            (answer,) = await device.request(DELETE, "/applet?name=t")
            assert answer.status == 66
        code = ["a1.code"] if MACHINE_CODE else []
        assert sorted(os.listdir(path)) == ["a1.app", *code, "a1.wasm", "x"]

    run(main())


def test_what_an_app_stores_at_its_end(tmp_path: Path) -> None:
    app = wat.app(
        """(func $on_init)
        (func $on_destroy (drop (call $kv_set (i32.const 0) (i32.const 0) (i32.const 4))))"""
    )

    async def main() -> None:
        async with Device(FileStore(str(tmp_path))) as device:
            assert await device.install("a", app) == 65
            (answer,) = await device.request(DELETE, "/applet?name=a")
            assert answer.status == 66
        assert os.listdir(tmp_path) == []

    run(main())


def test_flash_full(tmp_path: Path, flash_of: Any) -> None:
    class Full(Flash):
        def step(self) -> None:
            raise OSError(28, "No space left on device")

    async def main() -> None:
        async with Device(FileStore(str(tmp_path))) as device:
            flash_of(Full())
            assert await device.install("c", wat.COUNTER) == 160
            assert "write to flash failed" in device.lines[-1]
            flash_of(Flash())
            assert await device.install("c", wat.COUNTER) == 65

    run(main())


def test_flash_that_forgets(tmp_path: Path) -> None:
    entry = FileStore(str(tmp_path)).create("wasm")
    entry.write(b"abc")
    entry._crc ^= 1
    with pytest.raises(StoreError, match="does not hold"):
        entry.close()


def test_without_flash() -> None:
    store = RamStore()
    entry = store.create("wasm")
    entry.write(memoryview(b"abc"))
    entry.close()
    entry.commit({"name": "x"})
    assert (bytes(entry.source), entry.size(), store.load()) == (b"abc", 3, [])
    entry.remove()
    assert entry.size() == 0
