"""A simulated board in virtual time, for tests: no waiting, and the same every time."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

from wamr_cli.device import Answer, App, Device, Event, Refused, Stream, Value, Values
from wamr_cli.device._device import Payload

from wamr_sim import scenario as scenario_file
from wamr_sim.clock import VirtualLoop, virtual_time
from wamr_sim.local import LocalStream
from wamr_sim.scenario import Scenario
from wamr_sim.sensors import Reading
from wamr_sim.simulator import Simulator
from wamr_sim.trace import Entry

T = TypeVar("T")

# How much an app computes in a millisecond on an STM32F405 at 168 MHz with the portable engine: a
# loop of 13 instructions took 208,000 of the processor's, counted by the emulator, each of which
# takes about 1.3 clocks.
FUEL_PER_MS = 0.6


class Simulation:
    """board, flash, scenario, display, settings: see Simulator; a scenario may be a file's name.
    seed: of all chance. fuel_per_ms: how fast the board computes, in loops and calls.

    Time passes only in run() and while a request is answered.
    """

    def __init__(
        self,
        board: str | None = "NETDUINOPLUS2",
        *,
        flash: str | Path | None = None,
        scenario: Scenario | str | Path | None = None,
        seed: int | None = None,
        fuel_per_ms: float = FUEL_PER_MS,
        **settings: Any,
    ) -> None:
        if isinstance(scenario, (str, Path)):
            scenario = scenario_file.load(scenario)
        if seed is None:
            seed = scenario.seed if scenario else 0
        self._options = {"board": board, "flash": flash, "scenario": scenario, "seed": seed}
        self._settings = {"trace_length": None, **settings}
        self._loop = VirtualLoop()
        self._time = virtual_time(self._loop, fuel_per_ms, random.Random(seed))
        self._events: list[Event] = []
        self.simulator: Simulator = None  # type: ignore[assignment]
        self.device: Device = None  # type: ignore[assignment]

    def __enter__(self) -> Simulation:
        self._time.__enter__()
        try:
            self._wait(self._start())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self._wait(self._stop())
        finally:
            self._end()

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
        self._time.__exit__(None, None, None)

    async def _start(self) -> None:
        self.simulator = Simulator(**self._options, **self._settings)
        await self.simulator.start()
        self.device = _LocalDevice(self.simulator)
        await self.device.connect()
        self._collector = asyncio.ensure_future(self._collect())
        await asyncio.sleep(0)

    async def _collect(self) -> None:
        async for event in self.device.events():
            self._events.append(event)

    async def _stop(self) -> None:
        self._collector.cancel()
        await self.device.close()
        await self.simulator.stop()

    def _wait(self, awaitable: Awaitable[T]) -> T:
        async def main() -> T:
            return await awaitable

        return self._loop.run_until_complete(main())

    # ---- time

    @property
    def now(self) -> int:
        """Milliseconds since the board was switched on."""
        return round(self._loop.now * 1000)

    def run(self, ms: int) -> None:
        """Let so many milliseconds pass."""
        self._wait(asyncio.sleep(ms / 1000))

    # ---- apps

    def install(
        self, name: str, file: str | os.PathLike[str] | bytes, **options: int | str
    ) -> None:
        """Install an app; options: heap, timers, watchdog, type. Refused, with what the device
        said.
        """
        self._wait(self.device.install(name, file, **options))  # type: ignore[arg-type]

    def uninstall(self, name: str) -> None:
        self._wait(self.device.uninstall(name))

    def apps(self) -> dict[str, App]:
        """The installed apps by name, with details: memory, heapused, queue, lost, crashes."""
        return {app.name: app for app in self._wait(self.device.apps(details=True)).apps}

    def restart(self) -> None:
        """Cut the power and switch it on again."""
        self._wait(self.simulator.restart())

    def memory(self) -> tuple[int, int]:
        """(used, free) bytes of the board's heap; an estimate."""
        return self.simulator.memory()

    # ---- messages

    def request(self, action: str, url: str, payload: Payload = None) -> dict[str, Value]:
        """Send a request as the host; the values of the answer. Refused when its status says so,
        DeviceTimeout when there is none in 5 s.
        """
        answer = self.exchange(action, url, payload)
        if not answer.ok:
            raise Refused(f"{action} {url}", answer)
        return answer.values

    def exchange(self, action: str, url: str, payload: Payload = None) -> Answer:
        """The same; the whole answer, whatever its status."""
        return self._wait(self.device.request(action, url, payload))

    def publish(self, app: str, url: str, values: Values | None = None) -> None:
        """Hand an event to one app, as if another had published it."""
        from wamr.apps.packet import EVENT, Request
        from wamr_cli.device import pack

        found = self.simulator.manager.find(app.encode())
        if not found:
            raise ValueError(f"no app {app!r} is installed")
        payload = pack(values) if values else b""
        found.post(0, Request(EVENT, url.encode(), 99, payload).pack())
        self._wait(asyncio.sleep(0))

    def subscribe(self, *urls: str) -> None:
        """From now on, events with these URLs are in events()."""
        for url in urls:
            self._wait(self.device.subscribe(url))

    def events(self, url: str | None = None) -> list[Event]:
        """The events that the host has got since the start, or those with this URL."""
        return [event for event in self._events if url in (None, event.url)]

    # ---- the outside world

    def sensor(self, name: str, **values: float) -> None:
        """What a sensor reads from now on; one that is not there is connected."""
        reading: Reading = dict(values)
        self.simulator.set_sensor(name, reading)

    def set_pin(self, name: int | str, level: int) -> None:
        """Drive an input."""
        self.simulator.hardware.set_pin(name, level)
        self._wait(asyncio.sleep(0))

    def pin(self, name: int | str) -> int:
        """The level of a pin."""
        return self.simulator.hardware.pin(name).level

    def set_analog(self, name: int | str, value: int) -> None:
        """What an analog input reads: 0 to 65535."""
        self.simulator.hardware.set_analog(name, value)

    @property
    def hardware(self) -> Any:
        return self.simulator.hardware

    @property
    def display(self) -> Any:
        return self.simulator.display

    @property
    def printed(self) -> str:
        """All lines that apps have printed."""
        return "".join(f"{e.text}\n" for e in self.simulator.trace.entries if e.kind == "print")

    @property
    def trace(self) -> list[Entry]:
        """Everything that happened so far."""
        return list(self.simulator.trace.entries)


class _LocalDevice(Device):
    def __init__(self, simulator: Simulator) -> None:
        super().__init__("sim", reconnect=False, first_mid=1)
        self._simulator = simulator

    async def _open(self) -> Stream:
        return LocalStream(self._simulator, False)
