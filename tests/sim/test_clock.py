"""Virtual time: nothing waits, and everything that the device package measures is in it."""

from __future__ import annotations

import asyncio
import random
import time

import pytest
from wamr.apps import clock
from wamr.libc import clock as libc_clock
from wamr.libc import wasi
from wamr_sim.clock import EPOCH, VirtualLoop, virtual_time


@pytest.fixture
def loop():
    found = VirtualLoop()
    yield found
    found.close()


def test_a_day_passes_in_no_time(loop: VirtualLoop) -> None:
    start = time.monotonic()
    loop.run_until_complete(asyncio.sleep(86400))
    assert time.monotonic() - start < 1
    assert loop.time() == 86400


def test_all_clocks_show_virtual_time(loop: VirtualLoop) -> None:
    before = (clock.raw_ms, clock.charge, libc_clock.time, wasi._sleep, wasi._random)
    with virtual_time(loop, 10, random.Random(1)):
        first = clock.ticks_ms()
        loop.run_until_complete(asyncio.sleep(1.5))
        assert clock.ticks_ms() - first == 1500
        assert libc_clock.monotonic_ns() == 1_500_000_000
        assert libc_clock.realtime_ns() == EPOCH * 1_000_000_000 + 1_500_000_000
        for _ in range(3):
            clock.charge(5)  # half a millisecond each
        assert clock.ticks_ms() - first == 1501
        wasi._sleep(9)
        assert clock.ticks_ms() - first == 1510
        numbers = wasi._random(8)
        with pytest.raises(RuntimeError, match="another simulation"):
            with virtual_time(loop, 10, random.Random(1)):
                pass
    assert (clock.raw_ms, clock.charge, libc_clock.time, wasi._sleep, wasi._random) == before
    with virtual_time(loop, 10, random.Random(1)):
        assert wasi._random(8) == numbers


def test_timers_of_one_moment_come_in_their_order(loop: VirtualLoop) -> None:
    seen: list[str] = []

    async def main() -> None:
        async def one(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            seen.append(name)

        await asyncio.gather(one("c", 0.3), one("a", 0.1), one("b", 0.2))

    loop.run_until_complete(main())
    assert seen == ["a", "b", "c"]


def test_what_another_thread_does_is_waited_for(loop: VirtualLoop) -> None:
    async def main() -> str:
        return await asyncio.get_running_loop().run_in_executor(
            None, lambda: time.sleep(0.1) or "done"
        )

    assert loop.run_until_complete(main()) == "done"


def test_a_wait_without_end_is_an_error(loop: VirtualLoop, monkeypatch) -> None:
    monkeypatch.setattr("wamr_sim.clock._STUCK", 2)
    with pytest.raises(RuntimeError, match="a wait without end"):
        loop.run_until_complete(asyncio.Event().wait())
