"""Apps in wasm: calls, traps, buffers, fair turns and the watchdog."""

from __future__ import annotations

import asyncio

import pytest
from wamr.apps import clock
from wamr.apps.attributes import items
from wamr.apps.packet import DELETE, GET, Request
from wamr.apps.store import FileStore

from . import wat
from .device import Device, frame, run
from .test_manager import count

QUERY = frame(2, Request(GET, b"/applet", 99, b"", 5).pack())
BUSY_INIT = wat.app("(func $on_init (loop $l (br $l)))")


def test_an_endless_loop_stops_nobody() -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("t", wat.TICKING) == 65
            assert await device.install("l", wat.LOOPING) == 65
            (before,) = count(await device.request(GET, "/ticks"))
            began = clock.ticks_ms()
            await device.request(GET, "/url", seconds=0)
            for second in range(60):
                start = clock.ticks_ms()
                device.stream.feed_data(QUERY)
                await device.until(lambda: len(device.writer.data) > 0)
                # The link has answered while the app computes.
                assert clock.ticks_ms() - start <= 200
                device.frames()
                await asyncio.sleep(1 - (clock.ticks_ms() - start) / 1000)
                assert device.manager.apps[0].state == "running", second
            (after,) = count(await device.request(GET, "/ticks"))
            ticks = (clock.ticks_ms() - began) / 100
            assert ticks > 600 and abs(after - before - ticks) <= 1
            (answer,) = await device.request(DELETE, "/applet?name=l")
            assert answer.status == 66
            assert [a.settings["name"] for a in device.manager.apps] == ["t"]

    run(main(), fuel_per_ms=20)


def test_a_looping_app_is_removed_at_once() -> None:
    async def main() -> None:
        async with Device() as device:
            for app in (wat.LOOPING, BUSY_INIT):
                assert await device.install("l", app) == 65
                await device.request(GET, "/url")
                start = clock.ticks_ms()
                device.link.manager.log("uninstall")
                (answer,) = await device.request(DELETE, "/applet?name=l", seconds=0.25)
                assert answer.status == 66
                assert clock.ticks_ms() - start < 300

    run(main())


def test_on_destroy_may_not_take_for_ever() -> None:
    async def main() -> None:
        async with Device() as device:
            app = wat.app("(func $on_init) (func $on_destroy (loop $l (br $l)))")
            assert await device.install("l", app) == 65
            (answer,) = await device.request(DELETE, "/applet?name=l", seconds=2)
            assert answer.status == 66

    run(main())


def test_watchdog_restarts_then_disables(tmp_path) -> None:
    async def main() -> None:
        store = FileStore(str(tmp_path))
        async with Device(store) as device:
            assert await device.install("l", wat.LOOPING, "&wd=500") == 65
            assert await device.install("c", wat.TICKING) == 65
            for crash in (1, 2):
                await device.request(GET, "/url")
                await asyncio.sleep(1)
                app = device.manager.find(b"l")
                # Restarted: its resource is registered again.
                assert (app.state, app.crashes) == ("running", crash)
            await device.request(GET, "/url")
            await asyncio.sleep(1)
            assert (app.state, app.crashes) == ("disabled", 3)
            (answer,) = await device.request(GET, "/applet")
            values = {k: v for k, _, v in items(answer.payload)}
            assert values["state2"] == "disabled: a handler ran for more than 500 ms"
            assert "state1" not in values
        # It stays so after a restart of the board, and can be removed.
        async with Device(FileStore(str(tmp_path))) as device:
            await asyncio.sleep(1)
            states = [a.state for a in device.manager.apps]
            assert states == ["running", "disabled"]
            assert device.manager.apps[1].reason.startswith("a handler")
            (answer,) = await device.request(DELETE, "/applet?name=l")
            assert answer.status == 66
            assert await device.install("l", wat.LOOPING) == 65
            assert device.manager.find(b"l").state == "running"

    run(main())


def test_watchdog_policy() -> None:
    async def main() -> None:
        async with Device(on_watchdog="disable") as device:
            assert await device.install("l", wat.LOOPING, "&wd=200") == 65
            await device.request(GET, "/url")
            assert device.manager.apps[0].state == "disabled"
        async with Device(crash_window=1000) as device:
            assert await device.install("l", wat.LOOPING, "&wd=200") == 65
            for _ in range(5):
                await asyncio.sleep(2)
                await device.request(GET, "/url")
                # Crashes that are far apart do not add up.
                assert (device.manager.apps[0].state, device.manager.apps[0].crashes) == (
                    "running",
                    1,
                )

    run(main())


def test_waiting_messages_do_not_count_as_computing() -> None:
    # Each request computes 50 ms, the watchdog bites at 100.
    app = wat.app(
        wat.REGISTER
        + """(func $on_request (param $b i32) (param i32) (local $i i32)
          (loop $l
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $i) (i32.const 50000))))
          (call $answer (local.get $b) (i32.const 1)))"""
    )

    async def main() -> None:
        async with Device() as device:
            assert await device.install("s", app, "&wd=100") == 65
            assert await device.install("l", wat.TICKING) == 65
            for _ in range(20):
                device.stream.feed_data(frame(2, Request(GET, b"/url").pack()))
            await asyncio.sleep(3)
            assert len(device.frames()) == 20
            assert device.manager.find(b"s").crashes == 0

    run(main())


def test_a_trap_ends_only_the_handler() -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("t", wat.TRAPPING) == 65
            app = device.manager.apps[0]
            for _ in range(3):
                await device.request(GET, "/url")
            assert app.state == "running"
            line = "Got exception running wasm code: Exception: unreachable"
            assert len([x for x in device.lines if x.startswith(line)]) == 3
            # The buffers of the handlers that trapped were given back.
            assert app.instance.heap.used == 0

    run(main())


def test_trap_in_on_init() -> None:
    app = wat.app(
        """(func $on_init unreachable)
        (func $on_destroy (drop (call $puts (i32.const 16))))""",
        "bye\\00",
    )

    async def main() -> None:
        async with Device() as device:
            assert await device.install("t", app) == 65
            assert device.manager.apps[0].state == "dead"
            assert bytes(device.printed) == b"bye\n"
            (answer,) = await device.request(DELETE, "/applet?name=t")
            assert answer.status == 66
            assert bytes(device.printed) == b"bye\n"

    run(main())


MAINS = [
    '(func (export "_start") (drop (call $puts (i32.const 16))))',
    '(func (export "main") (result i32) (drop (call $puts (i32.const 16))) (i32.const 3))',
    '(func (export "_main") (param i32 i32) (result i32) (call $puts (i32.const 16)))',
    '(func (export "main") (drop (call $puts (i32.const 16))) (call $exit (i32.const 1)))',
]


@pytest.mark.parametrize("main", MAINS)
def test_a_plain_program_runs_once(main: str) -> None:
    async def check() -> None:
        async with Device() as device:
            assert await device.install("p", wat.app(main, "hello\\00")) == 65
            assert bytes(device.printed) == b"hello\n"
            app = device.manager.apps[0]
            assert (app.state, app.instance) == ("ended", None)
            (answer,) = await device.request(DELETE, "/applet?name=p")
            assert answer.status == 66

    run(check())


def test_an_app_with_its_own_malloc() -> None:
    # A bump allocator: free() counts down, so that a leak would be seen.
    app = wat.app(
        wat.REGISTER
        + """(global $held (mut i32) (i32.const 0))
        (func (export "malloc") (param i32) (result i32)
          (global.set $held (i32.add (global.get $held) (i32.const 1)))
          (i32.const 1536))
        (func (export "free") (param i32)
          (global.set $held (i32.sub (global.get $held) (i32.const 1))))
        (func $on_request (param $b i32) (param i32)
          (call $answer (local.get $b) (global.get $held)))"""
    )

    async def main() -> None:
        async with Device() as device:
            assert await device.install("m", app) == 65
            assert device.manager.apps[0].instance.heap is None
            assert count(await device.request(GET, "/url")) == [1]
            assert count(await device.request(GET, "/url")) == [1]

    run(main())


def test_an_assemblyscript_app() -> None:
    app = wat.app(
        wat.REGISTER
        + """(global $pins (mut i32) (i32.const 0))
        (func (export "__new") (param i32 i32) (result i32) (i32.const 1536))
        (func (export "__pin") (param i32) (result i32)
          (global.set $pins (i32.add (global.get $pins) (i32.const 1))) (local.get 0))
        (func (export "__unpin") (param i32)
          (global.set $pins (i32.add (global.get $pins) (i32.const 16))))
        (func (export "malloc") (param i32))
        (func (export "free") (param i32))
        (func $on_request (param $b i32) (param i32)
          (call $answer (local.get $b) (global.get $pins)))"""
    )

    async def main() -> None:
        async with Device() as device:
            assert await device.install("m", app) == 65
            assert count(await device.request(GET, "/url")) == [1]
            assert count(await device.request(GET, "/url")) == [18]

    run(main())


def test_no_room_for_a_message() -> None:
    async def main() -> None:
        async with Device() as device:
            assert await device.install("c", wat.COUNTER, "&heap=256") == 65
            assert await device.request(GET, "/url", bytes(300)) == []
            assert count(await device.request(GET, "/url")) == [1]

    run(main())


def test_a_start_function_that_never_ends() -> None:
    app = wat.build("(module (func $f (loop $l (br $l))) (start $f))")

    async def main() -> None:
        async with Device() as device:
            assert await device.install("l", app) == 160
            assert device.manager.apps == []

    run(main())


def test_timers() -> None:
    # on_init makes three; on_request answers 100 * second + first, each expiry adding one.
    app = wat.app(
        """(global $n (mut i32) (i32.const 0))
        (func $on_init (call $wasm_register_resource (i32.const 0))
          (drop (call $wasm_create_timer (i32.const 100) (i32.const 1) (i32.const 1)))
          (drop (call $wasm_create_timer (i32.const 150) (i32.const 0) (i32.const 1)))
          (drop (call $wasm_create_timer (i32.const 50) (i32.const 1) (i32.const 0))))
        (func $on_timer_callback (param $id i32)
          (if (i32.eq (local.get $id) (i32.const 1)) (then (call $add (i32.const 1))))
          (if (i32.eq (local.get $id) (i32.const 2)) (then (call $add (i32.const 100))))
          (if (i32.eq (local.get $id) (i32.const 3)) (then
            (call $add (i32.const 10000))
            (call $wasm_timer_cancel (i32.const 3)))))
        (func $add (param i32) (global.set $n (i32.add (global.get $n) (local.get 0))))
        (func $on_request (param $b i32) (param i32)
          (call $wasm_timer_restart (i32.const 2) (i32.const 0))
          (call $wasm_timer_restart (i32.const 3) (i32.const 30))
          (call $wasm_timer_restart (i32.const 99) (i32.const 30))
          (call $answer (local.get $b) (global.get $n)))"""
    )

    async def main() -> None:
        async with Device() as device:
            assert await device.install("t", app, seconds=1.05) == 65
            assert count(await device.request(GET, "/url", seconds=0.5)) == [110]
            (n,) = count(await device.request(GET, "/url"))
            assert (n // 10000, n // 100 % 100, n % 100) == (1, 2, 15)

    run(main())


def test_timers_run_out() -> None:
    app = wat.app(
        wat.REGISTER
        + """(func $on_request (param $b i32) (param i32)
          (call $answer (local.get $b)
            (call $wasm_create_timer (i32.const 5000) (i32.const 1) (i32.const 1))))"""
    )

    async def main() -> None:
        async with Device() as device:
            assert await device.install("t", app, "&timers=2") == 65
            answers = [count(await device.request(GET, "/url"))[0] for _ in range(3)]
            assert answers == [1, 2, 0xFFFFFFFF]

    run(main())
