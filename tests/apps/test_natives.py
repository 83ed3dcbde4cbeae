"""What apps can import: sensors, connections, boards, display, storage, log, a user's own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from wamr.apps import natives
from wamr.apps.attributes import from_dict
from wamr.apps.packet import DELETE, GET
from wamr.apps.store import FileStore

from . import wat
from .device import Device, run
from .test_manager import count


# An app that answers a request with what this expression gives.
def answering(expression: str, data: str = "", more: str = "") -> bytes:
    return wat.app(
        wat.REGISTER
        + more
        + f"""(func $on_request (param $b i32) (param i32)
          (call $answer (local.get $b) {expression}))""",
        data,
    )


async def ask(device: Device, expression: str, data: str = "", more: str = "") -> int:
    """Install such an app, ask it, remove it: the answer, signed; -99: it trapped."""
    assert await device.install("a", answering(expression, data, more)) == 65
    answers = count(await device.request(GET, "/url"))
    await device.request(DELETE, "/applet?name=a")
    return answers[0] - (1 << 32) * (answers[0] >> 31) if answers else -99


# ---- sensors

SENSING = wat.app(
    """(global $n (mut i32) (i32.const 0))
    (global $last (mut i32) (i32.const 0))
    (func $on_init (call $wasm_register_resource (i32.const 0))
      (drop (call $wasm_sensor_open (i32.const 16) (i32.const 0)))
      (drop (call $wasm_sensor_config
        (i32.const 1) (i32.const 200) (i32.const MASK) (i32.const 0))))
    (func $on_sensor_event (param $id i32) (param $b i32) (param $n i32)
      (global.set $last (i32.load8_u offset=14 (local.get $b)))
      (global.set $n (i32.add (global.get $n) (i32.const 1))))
    (func $on_request (param $b i32) (param i32)
      (call $answer (local.get $b)
        (i32.add (i32.mul (global.get $n) (i32.const 1000)) (global.get $last))))""".replace(
        "MASK", "2"
    ),
    "s\\00",
)


def test_sensor() -> None:
    told = []

    async def main() -> None:
        async with Device() as device:
            device.manager.add_sensor(
                "s",
                lambda: [("a", 65, "int8"), ("b", 66, "int8")],
                interval=5000,
                configure=lambda *args: told.append(args),
            )
            assert await device.install("s", SENSING, seconds=1.1) == 65
            assert told == [(200, 2, 0, None)]
            # Five readings in 1.1 s; the mask selects the second attribute, whose key is read.
            (n,) = count(await device.request(GET, "/url"))
            assert divmod(n, 1000) == (5, ord("b"))
            await device.request(DELETE, "/applet?name=s")
            assert not device.manager.timers._due

    run(main())


def test_sensor_functions() -> None:
    async def main() -> None:
        async with Device() as device:
            opening = "(call $wasm_sensor_open (i32.const 16) (i32.const %d))"
            assert await ask(device, opening % 0, "s\\00") == -1
            device.manager.add_sensor("t", lambda: 1)
            device.manager.add_sensor("s", lambda: {"v": 1}, index=3)
            assert await ask(device, opening % 0, "s\\00") == -1
            assert await ask(device, opening % 3, "s\\00") == 2
            twice = f"(drop {opening % 3}) {opening % 3}"
            assert await ask(device, twice, "s\\00") == -1
            close = "(call $wasm_sensor_close (i32.const %d))"
            assert await ask(device, f"(drop {opening % 3}) {close % 2}", "s\\00") == 1
            assert await ask(device, close % 2) == 0
            assert await ask(device, close % -1) == 0

    run(main())


def test_sensor_config_with_container() -> None:
    values = from_dict({"interval": (300.0, "double"), "gain": (2, "int32")})
    told = []

    async def main() -> None:
        async with Device() as device:
            device.manager.add_sensor("s", lambda: 1, configure=lambda *a: told.append(a))
            result = await ask(
                device,
                f"""(drop (call $wasm_sensor_open (i32.const 16) (i32.const 0)))
                (call $wasm_sensor_config_with_attr_container
                  (i32.const 1) (i32.const 32) (i32.const {len(values)}))""",
                "s\\00",
                f'(data (i32.const 32) "{wat.text(values)}")',
            )
            assert result == 1
            assert told == [(300, 0, 0, {"interval": 300.0, "gain": 2})]

    run(main())


def test_a_driver_that_fails() -> None:
    def broken() -> int:
        raise OSError(5)

    async def slow() -> dict[str, int]:
        await asyncio.sleep(0.3)
        return {"v": 1}

    async def main() -> None:
        async with Device() as device:
            device.manager.add_sensor("s", broken)
            assert await device.install("s", SENSING, seconds=1.1) == 65
            assert any(x.startswith("sensor b's': OSError") for x in device.lines)
            assert count(await device.request(GET, "/url")) == [0]
        async with Device() as device:
            device.manager.add_sensor("s", slow)
            assert await device.install("s", SENSING, seconds=2.1) == 65
            # Not read again before the last reading is there: every second time.
            assert count(await device.request(GET, "/url", seconds=0.1))[0] // 1000 == 5

    run(main())


# ---- connections


def test_tcp() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data.upper())
            await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        app = connecting("TCP", tcp(server.sockets[0].getsockname()[1]))
        async with Device(log=None) as device:
            assert await device.install("t", app, seconds=0.3) == 65
            assert count(await device.request(GET, "/url", seconds=0.2)) == [1 + 256 * ord("H")]
            await device.request(DELETE, "/applet?name=t", seconds=0.3)
        server.close()

    # Sockets live in real time.
    asyncio.run(main())


def test_udp() -> None:
    async def main() -> None:
        from wamr.apps.connections import Connections

        async with Device(log=None) as device:
            got: list[Any] = []

            class App:
                manager = device.manager

                def post(self, kind: int, data: Any) -> None:
                    got.append(data)

            connections = Connections(App())
            a = await connections.open(b"UDP", from_dict({"bind port": (27011, "uint16")}))
            b = await connections.open(b"UDP", from_dict({"bind port": (27012, "uint16")}))
            assert (a, b) == (1, 2)
            assert connections.send(a, b"x") == -1
            peer = from_dict({"address": "127.0.0.1", "port": (27012, "uint16")})
            assert connections.configure(a, peer)
            assert connections.send(a, b"hello") == 5
            await asyncio.sleep(0.2)
            assert got == [(2, b"hello")]
            connections.close()

    asyncio.run(main())


def test_connections_that_fail() -> None:
    async def main() -> None:
        opening = "(call $wasm_open_connection (i32.const 16) (i32.const 32) (i32.const 3))"
        async with Device() as device:
            assert await ask(device, opening, "XYZ\\00") == -1
            assert await ask(device, opening, "UART\\00") == -1
            send = "(call $wasm_send_on_connection (i32.const 1) (i32.const 0) (i32.const 3))"
            assert await ask(device, send) == -1
            config = "(call $wasm_config_connection (i32.const 1) (i32.const 0) (i32.const 3))"
            assert await ask(device, config) == 0

    run(main())


def tcp(port: int) -> dict[str, Any]:
    return {"address": "127.0.0.1", "port": (port, "uint16")}


def connecting(name: str, args: dict[str, Any]) -> bytes:
    """An app that counts its starts, and says hello over this connection.

    Answers with the number of its starts, and in the next byte with what was said.
    """
    data = from_dict(args)
    assert len(name) < 5
    return wat.app(
        f"""(global $h (mut i32) (i32.const 0))
        (data (i32.const 64) "{wat.text(data)}")
        (func $on_init (call $wasm_register_resource (i32.const 0))
          (drop (call $kv_get (i32.const 20) (i32.const 40) (i32.const 1)))
          (i32.store8 (i32.const 40) (i32.add (i32.load8_u (i32.const 40)) (i32.const 1)))
          (drop (call $kv_set (i32.const 20) (i32.const 40) (i32.const 1)))
          (global.set $h (call $wasm_open_connection
            (i32.const 26) (i32.const 64) (i32.const {len(data)})))
          (drop (call $wasm_send_on_connection (global.get $h) (i32.const 20) (i32.const 5))))
        (func $on_connection_data (param $h i32) (param $b i32) (param $n i32)
          (if (local.get $n)
            (then (i32.store8 (i32.const 41) (i32.load8_u (local.get $b))))))
        (func $on_request (param $b i32) (param i32)
          (call $answer (local.get $b) (i32.load (i32.const 40))))""",
        f"    hello\\00{name}\\00",
    )


# ---- boards


class Machine:
    """Stands for the module `machine`."""

    log: list[Any] = []

    class Pin:
        IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN = range(5)

        def __init__(self, name: Any, *args: Any) -> None:
            if name == "none":
                raise ValueError("no such pin")
            Machine.log.append(("pin", name, *args))
            self.level = 1

        def value(self, *level: int) -> int:
            if level:
                (self.level,) = level
            return self.level

    class ADC:
        def __init__(self, pin: Any) -> None:
            pass

        def read_u16(self) -> int:
            return 4321

    class PWM:
        def __init__(self, pin: Any) -> None:
            pass

        def freq(self, hz: int) -> None:
            Machine.log.append(hz)

        def duty_u16(self, duty: int) -> None:
            Machine.log.append(duty)

        def deinit(self) -> None:
            Machine.log.append("deinit")

    class I2C:
        def __init__(self, name: Any, freq: int) -> None:
            Machine.log.append(("i2c", name, freq))

        def writeto(self, address: int, data: Any, stop: bool = True) -> None:
            if address == 99:
                raise OSError(19)
            Machine.log.append((address, bytes(data), stop))

        def readfrom_into(self, address: int, view: Any) -> None:
            view[:] = bytes(range(7, 7 + len(view)))

    class SPI:
        def __init__(self, name: Any, baudrate: int, polarity: int, phase: int) -> None:
            Machine.log.append(("spi", name, baudrate, polarity, phase))

        def write_readinto(self, out: Any, into: Any) -> None:
            into[:] = bytes(b ^ 0xFF for b in out)


GPIO = """(call $gpio_open (i32.const 16) (i32.const 1))"""


@pytest.mark.parametrize(
    "expression, data, value",
    [
        (GPIO, "25\\00", 1),
        (GPIO, "none\\00", -1),
        (f"(call $gpio_read {GPIO})", "LED\\00", 1),
        (
            f"(drop (call $gpio_write {GPIO} (i32.const 0))) (call $gpio_read (i32.const 1))",
            "X\\00",
            0,
        ),
        (f"(call $gpio_close {GPIO}) (call $gpio_read (i32.const 1))", "X\\00", -1),
        ("(call $gpio_write (i32.const 5) (i32.const 0))", "", -1),
        ("(call $adc_read (call $adc_open (i32.const 16)))", "26\\00", 4321),
        (f"(call $adc_read {GPIO})", "X\\00", -1),
        (
            """(drop (call $pwm_open (i32.const 16) (i32.const 1000) (i32.const 5)))
            (call $pwm_set (i32.const 1) (i32.const 50) (i32.const 99999))""",
            "4\\00",
            0,
        ),
        (
            """(drop (call $i2c_open (i32.const 16) (i32.const 400000)))
            (drop (call $i2c_transfer (i32.const 1) (i32.const 64)
              (i32.const 32) (i32.const 1) (i32.const 40) (i32.const 2)))
            (i32.load16_u (i32.const 40))""",
            "0\\00",
            0x0807,
        ),
        (
            """(drop (call $i2c_open (i32.const 16) (i32.const 400000)))
            (call $i2c_transfer (i32.const 1) (i32.const 99)
              (i32.const 32) (i32.const 1) (i32.const 40) (i32.const 2))""",
            "0\\00",
            -1,
        ),
        (
            """(drop (call $spi_open (i32.const 16) (i32.const 1000000) (i32.const 2)))
            (i32.store (i32.const 40) (i32.const 0x0f))
            (drop (call $spi_transfer (i32.const 1) (i32.const 40) (i32.const 1) (i32.const 44)))
            (i32.load8_u (i32.const 44))""",
            "1\\00",
            0xF0,
        ),
        # Outside of the memory: a trap.
        (
            "(call $spi_transfer (i32.const 1) (i32.const 40) (i32.const 9) (i32.const -4))",
            "",
            -99,
        ),
    ],
)
def test_board(expression: str, data: str, value: int) -> None:
    async def main() -> None:
        Machine.log.clear()
        async with Device(machine=Machine) as device:
            assert await ask(device, expression, data) == value
            if "pwm" in expression:
                assert Machine.log[-1] == "deinit"
                assert Machine.log[-2] == 65535

    run(main())


def test_a_board_without_it() -> None:
    class Nothing:
        pass

    async def main() -> None:
        async with Device(machine=Nothing()) as device:
            assert await ask(device, "(call $adc_open (i32.const 16))", "1\\00") == -1

    run(main())


class Display:
    width = 128
    height = 64

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.calls.append((name, *args))


def test_display() -> None:
    drawing = """(call $display_fill (i32.const 0))
      (call $display_text (i32.const 16) (i32.const 3) (i32.const 4) (i32.const 1))
      (call $display_show) (call $display_width)"""

    async def main() -> None:
        display = Display()
        async with Device(display=display) as device:
            assert await ask(device, drawing, "hi\\00") == 128
            assert display.calls == [("fill", 0), ("text", "hi", 3, 4, 1), ("show",)]
        async with Device() as device:
            assert await ask(device, drawing, "hi\\00") == 0

    run(main())


def test_storage(tmp_path: Path) -> None:
    # Counts its starts.
    app = wat.app(
        """(func $on_init (call $wasm_register_resource (i32.const 0))
          (drop (call $kv_get (i32.const 16) (i32.const 40) (i32.const 4)))
          (i32.store (i32.const 40) (i32.add (i32.load (i32.const 40)) (i32.const 1)))
          (drop (call $kv_set (i32.const 16) (i32.const 40) (i32.const 4))))
        (func $on_request (param $b i32) (param i32)
          (call $answer (local.get $b) (i32.load (i32.const 40))))""",
        "n\\00",
    )

    async def main() -> None:
        async with Device(FileStore(str(tmp_path))) as device:
            assert await device.install("a", app) == 65
        for start in (2, 3):
            async with Device(FileStore(str(tmp_path))) as device:
                assert count(await device.request(GET, "/url")) == [start]
                get = "(call $kv_get (i32.const 16) (i32.const 40) (i32.const 4))"
                # Another app does not see it.
                await device.request(DELETE, "/applet?name=b")
                assert await device.install("b", answering(get, "n\\00")) == 65
                remove = "(call $kv_remove (i32.const 16))"
                await device.request(DELETE, "/applet?name=b")
                assert await device.install("b", answering(remove, "n\\00")) == 65

    run(main())


def test_storage_limits() -> None:
    async def main() -> None:
        async with Device() as device:
            setting = "(call $kv_set (i32.const 16) (i32.const 0) (i32.const %d))"
            getting = "(call $kv_get (i32.const 16) (i32.const 99) (i32.const 2))"
            assert await ask(device, setting % 1024) == 0
            assert await ask(device, setting % 1025) == -1
            assert await ask(device, f"(drop {setting % 9}) {getting}") == 9
            assert await ask(device, "(call $kv_remove (i32.const 16))") == -1

    run(main())


def test_log() -> None:
    async def main() -> None:
        async with Device() as device:
            call = "(call $log_write (i32.const 1) (i32.const 16)) (i32.const 0)"
            assert await ask(device, call, "hello\\00") == 0
            assert "a warning: hello" in device.lines

    run(main())


# ---- who may, and what users add


def test_permissions() -> None:
    async def main() -> None:
        denied = "permission denied: gpio_open needs 'gpio' in the permissions of app a"
        for permissions, value in (
            ({"a": "adc gpio"}, 1),
            ({"*": "gpio"}, 1),
            ({"*": "gpio", "a": "adc"}, -99),
            ({}, -99),
        ):
            async with Device(machine=Machine, permissions=permissions) as device:
                assert await ask(device, GPIO, "1\\00") == value
                assert (value == -99) == any(denied in x for x in device.lines)

    run(main())


def test_a_users_own_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(natives, "_added", {})
    monkeypatch.setitem(wat._IMPORTS, "own_double", "i:i")
    monkeypatch.setitem(wat._IMPORTS, "own_wait", "i:i")

    async def wait(app: Any, ms: int) -> int:
        await asyncio.sleep(ms / 1000)
        return ms

    def double(app: Any, n: int) -> int:
        if n == 0:
            raise KeyError("zero")
        return 2 * n

    natives.add("own_double", "(i)i", double, permission="own")
    natives.add("own_wait", "(i)i", wait)

    async def main() -> None:
        async with Device() as device:
            assert await ask(device, "(call $own_double (i32.const 21))") == 42
            # What it raises is the app's trap.
            assert await ask(device, "(call $own_double (i32.const 0))") == -99
            assert any("failed: KeyError" in x for x in device.lines)
            assert await ask(device, "(call $own_wait (i32.const 300))") == 300
        async with Device(permissions={}) as device:
            assert await ask(device, "(call $own_double (i32.const 21))") == -99

    run(main())
