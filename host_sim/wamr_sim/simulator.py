"""A board on a PC: the device package with a flash folder, simulated hardware and the RAM of a
chosen board.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from pathlib import Path
from typing import Any

from wamr.apps import clock
from wamr.apps.app import App
from wamr.apps.attributes import items
from wamr.apps.manager import Manager
from wamr.apps.packet import (
    DELETE,
    EVENT,
    GET,
    HOST,
    POST,
    PUT,
    Request,
    to_text,
    unpack_request,
    unpack_response,
)
from wamr.apps.store import FileStore
from wamr.link.stream import Link
from wamr_cli.boards import BOARDS, Board
from wamr_cli.ram import heap_bytes

from wamr_sim.display import Display
from wamr_sim.hardware import Hardware, Registers
from wamr_sim.scenario import Scenario, SensorScript, Step
from wamr_sim.sensors import Reading, ScriptedSensor
from wamr_sim.trace import Trace

_ACTIONS = {GET: "GET", POST: "POST", PUT: "PUT", DELETE: "DELETE", EVENT: "EVENT"}
_MESSAGES = ("request", "response", "timer", "sensor", "connection")
# Bytes of heap that are not seen here: asyncio with the manager's tasks and its link, and each
# app's task. Measured on the emulated STM32F405, with one and with two apps.
_TASKS = 5120
_TASK = 1536


def find_board(name: str) -> Board:
    """A board by its name. ValueError."""
    for board in BOARDS:
        if board.name == name:
            return board
    names = ", ".join(board.name for board in BOARDS)
    raise ValueError(f"no board {name!r}; there are {names}")


class Simulator:
    """One simulated board. board: whose RAM it has (None: as much as wanted). flash: the folder of
    its flash (None: kept in memory). settings: those of the app manager, see wamr.apps.config.

    Use it in an event loop: start(), serve() for each host, stop().
    """

    def __init__(
        self,
        board: str | None = BOARDS[0].name,
        flash: str | Path | None = None,
        scenario: Scenario | None = None,
        seed: int | None = None,
        display: tuple[int, int] | tuple[int, int, bool] = (128, 64),
        trace_length: int | None = 10_000,
        **settings: Any,
    ) -> None:
        self.board = find_board(board) if board else None
        self.scenario = scenario or Scenario()
        self.chance = random.Random(self.scenario.seed if seed is None else seed)
        self.trace = Trace(clock.ticks_ms, trace_length)
        self.hardware = Hardware(self.trace)
        self.display = Display(self.trace, *display)
        self.sensors: dict[str, ScriptedSensor] = {}
        self.messages: dict[str, int] = {}  # name of an app -> messages that it was sent
        self._flash = str(flash) if flash is not None else None
        self._store: Any = FileStore(self._flash) if self._flash else None
        self._settings = {
            "machine": self.hardware.machine,
            "display": self.display,
            "stdout": self.trace.print,
            "log": self.trace.log,
            "types": ("wasm", "py"),
            **settings,
        }
        self._scripts: list[SensorScript] = []
        self._tasks: list[asyncio.Task] = []
        self._restarted = asyncio.Event()
        self._runtime = 0
        self.manager: Manager = None  # type: ignore[assignment]
        for device in self.scenario.i2c:
            self.hardware.attach_i2c(device.bus, device.address, Registers(device.registers))
        for script in self.scenario.sensors:
            self.add_sensor(script)

    # ---- life

    async def start(self) -> None:
        """Switch the board on, with the apps in its flash and those of the scenario."""
        # What drivers and apps in Python import, unless there is such a module.
        sys.modules.setdefault("machine", self.hardware.machine)
        await self._boot()
        for app in self.scenario.apps:
            if not self.manager.find(app.name.encode()):
                await self._install(app)
        if self.scenario.steps:
            self._tasks.append(asyncio.ensure_future(self._play()))

    async def _boot(self) -> None:
        self._runtime = 0
        self.manager = _Manager(self, self._store, **self._settings)
        for script in self._scripts:
            self._register(script)
        self.manager.start()
        # Management requests wait until the apps in flash have been started.
        await self.manager.request(GET, "/applet", timeout=None)

    async def stop(self) -> None:
        """Switch the board off in good order."""
        for task in self._tasks:
            task.cancel()
        tasks = [*self._tasks, *self.manager._tasks]
        self._tasks.clear()
        await self.manager.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
        if sys.modules.get("machine") is self.hardware.machine:
            del sys.modules["machine"]

    async def restart(self) -> None:
        """Cut the power, and switch it on again: only flash and the outside world stay."""
        self.trace.add("log", "power cut")
        manager = self.manager
        tasks = [*manager._tasks, *(app.task for app in manager.apps if app.task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for app in manager.apps:
            app.unload()
        self._restarted.set()
        await self._boot()

    async def serve(self, reader: Any, writer: Any) -> None:
        """Talk to one host over asyncio streams until it leaves; also across restarts."""
        while True:
            self._restarted.clear()
            link = asyncio.ensure_future(Link(self.manager).run(reader, writer))
            restart = asyncio.ensure_future(self._restarted.wait())
            try:
                await asyncio.wait((link, restart), return_when=asyncio.FIRST_COMPLETED)
                if link.done():
                    link.result()
                    return
            finally:
                for task in (link, restart):
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
            await asyncio.sleep(0)

    # ---- sensors

    def add_sensor(self, script: SensorScript) -> ScriptedSensor:
        """Connect a sensor to the board."""
        sensor = ScriptedSensor(
            clock.ticks_ms,
            script.values,
            script.rows,
            script.noise,
            script.repeat,
            random.Random(f"{self.chance.random()} {script.name} {script.index}"),
        )
        self.sensors[script.name + (f"#{script.index}" if script.index else "")] = sensor
        self._scripts.append(script)
        if self.manager:
            self._register(script)
        return sensor

    def set_sensor(self, name: str, values: Reading) -> None:
        """What a sensor reads from now on; one that is not there is connected."""
        if name not in self.sensors:
            self.add_sensor(SensorScript(name, values=values))
        self.sensors[name].set(values)

    def _register(self, script: SensorScript) -> None:
        name = script.name + (f"#{script.index}" if script.index else "")
        sensor = self.sensors[name]

        def read() -> list:
            values = sensor.read()
            shown = "  ".join(f"{key}={value:g}" for key, value in values)
            self.trace.add("sensor", f"{name} {shown}")
            return values

        self.manager.add_sensor(script.name, read, script.index, script.interval, sensor.configure)

    # ---- RAM

    def memory(self) -> tuple[int, int]:
        """(used, free) bytes of the board's heap, as MicroPython would count them: an estimate,
        which knows nothing of fragmentation.
        """
        used = self._used()
        return used, (self.board.free_heap - used if self.board else 0)

    def loaded(self, app: App) -> None:
        """An app has been made ready to run: MemoryError when the board has no room for it."""
        if self.board and self._used(app) > self.board.free_heap:
            raise MemoryError

    def _used(self, new: App | None = None) -> int:
        """Bytes in use; `new` is an app that is not in the manager's list yet."""
        manager = self.manager
        parts = [v for k, v in vars(manager).items() if k != "_simulator"]
        need = heap_bytes([Manager, new, *parts])
        # What was imported once stays.
        self._runtime = max(self._runtime, need.runtime)
        apps = len(manager.apps) + (new is not None and new not in manager.apps)
        return self._runtime + need.data + _TASKS + _TASK * apps

    # ---- scenario

    async def _install(self, app: Any) -> None:
        """Install an app as a host would, from inside."""
        from wamr.apps.intake import Intake
        from wamr.link.frame import INSTALL, FrameReader, header

        url = f"/applet?name={app.name}"
        for key, value in (("heap", app.heap), ("timers", app.timers), ("wd", app.watchdog)):
            if value is not None:
                url += f"&{key}={value}"
        done = asyncio.get_running_loop().create_future()
        mid = 0xFE000000 + len(self.manager.waiting)
        self.manager.waiting[mid] = done.set_result
        packet = Request(PUT, url.encode(), 98, app.file.read_bytes(), mid).pack()
        FrameReader(Intake(self.manager)).feed(header(INSTALL, len(packet)) + packet)
        response = await done
        self.manager.waiting.pop(mid, None)
        if response.status >= 128:
            self.trace.add("log", f"scenario: {app.name} was not installed")

    async def _play(self) -> None:
        for step in self.scenario.steps:
            await clock.sleep_ms(max(step.at - clock.ticks_ms(), 0))
            await self._do(step)

    async def _do(self, step: Step) -> None:
        if step.kind == "pin":
            self.hardware.set_pin(step.target, step.value)
        elif step.kind == "analog":
            self.hardware.set_analog(step.target, step.value)
        elif step.kind == "sensor":
            self.set_sensor(step.target, step.value)
        elif step.kind == "uart":
            self.hardware.uart(step.target).feed(step.value)
        elif step.kind == "restart":
            await self.restart()
        else:
            await self._request(step)

    async def _request(self, step: Step) -> None:
        """A request from outside, whose answer is only recorded."""
        from wamr_cli.device import from_json

        action, _, url = step.target.partition(" ")
        number = {name: code for code, name in _ACTIONS.items()}.get(action.upper(), GET)
        payload = from_json(step.value or {}) if step.value else b""
        self.trace.add("host>", f"{action} {url}")
        answer = await self.manager.request(number, url, payload)
        text = show_response(answer.pack()) if answer else "no answer"
        self.trace.add("host<", f"{text} to {action} {url}")


class _Manager(Manager):
    """The device's manager, with an eye on what it does."""

    def __init__(self, simulator: Simulator, *args: Any, **settings: Any) -> None:
        self._simulator = simulator
        super().__init__(*args, **settings)

    def new_app(self, entry: Any, settings: dict) -> App:
        app = super().new_app(entry, settings)
        simulator = self._simulator
        load, post = app.load, app.post

        def load_checked() -> None:
            load()
            simulator.loaded(app)

        def post_traced(kind: int, data: Any) -> None:
            name = settings["name"]
            simulator.messages[name] = simulator.messages.get(name, 0) + 1
            simulator.trace.add("app", f"{name}: {show_message(kind, data)}")
            post(kind, data)

        app.load = load_checked
        app.post = post_traced
        return app

    def dispatch(self, request: Request) -> None:
        if request.sender == HOST:
            self._simulator.trace.add("host>", show_request(request))
        super().dispatch(request)

    def publish(self, event: Request) -> None:
        names = [app.settings["name"] for app in self.apps if app.id == event.sender]
        self._simulator.trace.add("event", f"{''.join(names)}: {show_request(event)}")
        super().publish(event)

    def send(self, kind: int, payload: bytes) -> None:
        request = unpack_request(payload) if kind == 2 else None
        text = show_request(request) if request else show_response(payload)
        self._simulator.trace.add("host<", text)
        super().send(kind, payload)

    def add_job(self, job: Any) -> None:
        if not isinstance(job, Request):
            self._simulator.trace.add("host>", f"install {to_text(job.name)}")
        super().add_job(job)

    def _list(self, container: Any, details: Any = None) -> None:
        super()._list(container, details)
        if details:
            used, free = self._simulator.memory()
            container.set("free", max(free, 0), "int32")
            container.set("used", used, "int32")


# ---- packets in words


def show_values(fmt: int, payload: bytes) -> str:
    if not payload:
        return ""
    if fmt != 99:
        return f" {len(payload)} bytes"
    return "".join(
        f" {key}={value.hex() if isinstance(value, bytes) else value}"
        for key, _, value in items(payload)
    )


def show_request(request: Request) -> str:
    action = _ACTIONS.get(request.action, f"action {request.action}")
    return f"{action} {to_text(request.url)}{show_values(request.fmt, request.payload)}"


def show_response(data: bytes) -> str:
    response = unpack_response(data)
    return f"{response.status}{show_values(response.fmt, response.payload)}"


def show_message(kind: int, data: Any) -> str:
    if kind == 0:
        return show_request(unpack_request(data))
    if kind == 1:
        return f"response {show_response(data)}"
    if kind == 2:
        return f"timer {data}"
    number, payload = data
    if kind == 3:
        return f"sensor {number}{show_values(99, payload)}"
    return f"{_MESSAGES[kind]} {number}, {len(payload)} bytes"
