"""Whole simulated boards in virtual time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from wamr_cli.boards import BOARDS
from wamr_cli.device import DeviceTimeout, Refused
from wamr_sim import Scenario, Simulation
from wamr_sim.hardware import Registers
from wamr_sim.scenario import AppScript, SensorScript, Step

from apps import wat

# Opens the sensor `s`, and drives pin A5 by the lowest bit of the first byte of each reading.
SENSING = wat.app(
    """(global $pin (mut i32) (i32.const 0)) (global $n (mut i32) (i32.const 0))
    (func $on_init (call $wasm_register_resource (i32.const 0))
      (global.set $pin (call $gpio_open (i32.const 18) (i32.const 1)))
      (drop (call $wasm_sensor_config
        (call $wasm_sensor_open (i32.const 16) (i32.const 0))
        (i32.const 100) (i32.const 0) (i32.const 0))))
    (func $on_sensor_event (param i32 i32 i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (drop (call $gpio_write (global.get $pin) (i32.and (global.get $n) (i32.const 1)))))
    (func $on_request (param $b i32) (param i32) (call $answer (local.get $b) (global.get $n)))""",
    "s\\00A5\\00",
)
# Needs 80 KiB.
LARGE = wat.build(
    '(module (memory (export "memory") 1) (func (export "on_init"))'
    ' (func (export "on_request") (param i32 i32) (drop (memory.grow (i32.const 0)))))'
)
DRAWING = wat.app(
    """(func $on_init (call $display_fill (i32.const 0))
      (call $display_text (i32.const 16) (i32.const 0) (i32.const 0) (i32.const 1))
      (call $display_show))""",
    "Hi\\00",
)


def number(board: Simulation, url: str) -> int:
    return int.from_bytes(board.exchange("GET", url).payload, "little")


def test_apps_run_in_virtual_time() -> None:
    with Simulation() as board:
        board.install("ticks", wat.TICKING, heap=1024)
        board.run(60_000)
        assert 60_000 <= board.now < 60_100
        assert number(board, "/ticks") == 600
        assert board.apps()["ticks"].heap == 1024
        board.uninstall("ticks")
        with pytest.raises(DeviceTimeout):
            board.exchange("GET", "/ticks")
        with pytest.raises(Refused, match="no app found"):
            board.uninstall("ticks")


def test_a_looping_app_takes_time_and_stops_nobody() -> None:
    with Simulation(fuel_per_ms=2) as board:
        board.install("ticks", wat.TICKING)
        board.install("loop", wat.LOOPING, watchdog=5000)
        with pytest.raises(DeviceTimeout):
            board.exchange("GET", "/url")
        assert board.now > 5000
        assert board.apps()["loop"].details["crashes"] == 1
        assert abs(number(board, "/ticks") - board.now // 100) <= 1


def test_sensors_and_pins() -> None:
    with Simulation() as board:
        board.sensor("s", t=20)
        board.install("app", SENSING)
        board.run(950)
        assert (number(board, "/url"), board.pin("A5")) == (9, 1)
        board.run(100)
        assert board.pin("A5") == 0
        levels = [entry.text for entry in board.trace if entry.kind == "pin"]
        assert levels == ["A5 = 1", "A5 = 0"] * 5
        assert board.simulator.sensors["s"].settings == (100, 0, 0, None)


def test_the_display() -> None:
    with Simulation(display=(16, 8)) as board:
        board.install("app", DRAWING)
        board.run(10)
        assert board.display.shows == 1
        assert board.display.as_text() == " █   █     ▀\n █▄▄▄█    ▀█\n █   █     █\n ▀   ▀    ▀▀▀"


def test_ram_is_that_of_the_board() -> None:
    for name in [b.name for b in BOARDS]:
        with Simulation(name) as board:
            used, free = board.memory()
            assert (used + free, used < 20_000) == (board.simulator.board.free_heap, True)
    with Simulation("NETDUINOPLUS2") as board:
        board.install("large", LARGE, heap=256)
        used, free = board.memory()
        assert used > 65536 > free
        with pytest.raises(Refused, match="allocate memory failed"):
            board.install("second", LARGE)
        board.uninstall("large")
        assert board.memory()[0] < 35_000
        board.install("second", LARGE)
    with Simulation(None) as board:
        for name in "abc":
            board.install(name, LARGE)
        assert board.memory()[1] == 0
    with pytest.raises(ValueError, match="no board 'X'; there are NETDUINOPLUS2"):
        Simulation("X").__enter__()


def test_a_power_cut(tmp_path: Path) -> None:
    with Simulation(flash=tmp_path / "flash") as board:
        board.install("counter", wat.COUNTER)
        board.subscribe("x")
        assert [number(board, "/url") for _ in range(3)] == [1, 2, 3]
        board.restart()
        # The app is there, and has begun anew; the link works; subscriptions are forgotten.
        assert number(board, "/url") == 1
        assert board.simulator.manager.subscribers == []
    with Simulation(flash=tmp_path / "flash") as board:
        assert number(board, "/url") == 1
    with Simulation() as board:
        board.install("counter", wat.COUNTER)
        board.restart()
        assert board.apps() == {}


def test_events_and_responses() -> None:
    publisher = wat.app(
        wat.REGISTER
        + """(func $on_request (param $b i32) (param $n i32)
          (i32.store8 offset=1 (local.get $b) (i32.const 6))
          (call $wasm_post_request (local.get $b) (local.get $n)))"""
    )
    subscriber = wat.app(
        """(func $on_init (call $wasm_sub_event (i32.const 0)))
        (func $on_request (param i32 i32) (drop (call $puts (i32.const 16))))""",
        "got it\\00",
    )
    with Simulation() as board:
        board.install("publisher", publisher)
        board.install("subscriber", subscriber)
        board.subscribe("/url")
        with pytest.raises(DeviceTimeout):
            board.request("POST", "/url", {"value": 2.5})
        (event,) = board.events("/url")
        assert (event.values, board.events("other")) == ({"value": 2.5}, [])
        assert board.printed == "got it\n"
        board.publish("subscriber", "/url", {"n": 1})
        board.run(1)
        assert board.printed == "got it\n" * 2
        with pytest.raises(ValueError, match="no app 'nobody'"):
            board.publish("nobody", "/url")


def test_python_apps_use_machine() -> None:
    source = b"""
import machine

def on_init(app):
    app.register("/level")

def on_request(app, request):
    register = machine.I2C(1).readfrom_mem(9, 2, 1)[0]
    app.respond(request, {"adc": machine.ADC("A0").read_u16(), "reg": register})
"""
    with Simulation() as board:
        board.install("level", source, type="py")
        board.set_analog("A0", 1234)
        board.hardware.attach_i2c(1, 9, Registers([0, 0, 77]))
        assert board.request("GET", "/level") == {"adc": 1234, "reg": 77}
        board.hardware.i2c["1"].clear()
        with pytest.raises(DeviceTimeout):  # its handler fails
            board.request("GET", "/level")
    assert "machine" not in sys.modules


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    (tmp_path / "s.wasm").write_bytes(SENSING)
    (tmp_path / "c.wasm").write_bytes(wat.COUNTER)
    return Scenario(
        seed=5,
        sensors=[SensorScript("s", interval=100, values={"t": 20.0}, noise=0.5)],
        apps=[AppScript("s", tmp_path / "s.wasm", 1024), AppScript("bad", Path(__file__))],
        steps=[
            Step(100, "pin", "X", 1),
            Step(200, "analog", "A0", 99),
            Step(300, "sensor", "s", {"t": 30.0}),
            Step(400, "uart", "2", b"hi"),
            Step(500, "request", "PUT /url", {"x": 1}),
            Step(600, "request", "GET /nobody"),
            Step(6000, "restart", "True"),
        ],
    )


def test_a_scenario(scenario: Scenario, tmp_path: Path) -> None:
    with Simulation(scenario=scenario, flash=tmp_path / "flash") as board:
        assert list(board.apps()) == ["s"]
        assert board.apps()["s"].heap == 1024
        board.run(450)
        assert board.pin("X") == 1
        assert board.hardware.analog["A0"] == 99
        assert board.hardware.uart(2).waiting == b"hi"
        assert board.simulator.sensors["s"].last["t"] > 25
        board.run(6000)
        texts = [f"{e.kind} {e.text}" for e in board.trace]
        assert "log scenario: bad was not installed" in texts
        assert "host< 69 to PUT /url" in [t[:20] for t in texts]
        assert "host< no answer to GET /nobody" in texts
        assert "log power cut" in texts
        assert board.apps()["s"].state == "running"


def run_once(scenario: Scenario, seed: int | None = None) -> str:
    with Simulation(scenario=scenario, seed=seed) as board:
        board.run(3000)
        board.exchange("GET", "/url")
        return board.simulator.trace.text()


def test_the_same_trace_twice(scenario: Scenario) -> None:
    first = run_once(scenario)
    assert len(first.splitlines()) > 80
    assert run_once(scenario) == first
    assert run_once(scenario, seed=6) != first


def test_the_same_trace_in_another_process(tmp_path: Path) -> None:
    # With other addresses of objects, and another seed of Python's own hashes.
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from wamr_sim import Simulation\n"
        "with Simulation(seed=3) as board:\n"
        "    board.sensor('s', t=1.0)\n"
        f"    board.install('a', {SENSING!r})\n"
        f"    board.install('t', {wat.TICKING!r})\n"
        f"    board.install('l', {wat.LOOPING!r}, watchdog=700)\n"
        "    board.run(5000)\n"
        "    sys.stdout.write(board.simulator.trace.text())\n"
    )
    runs = [
        subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert runs[0].count("t: timer 1") == 50


# ---- the pytest plugin

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.wamr(scenario="room.toml", max_apps=1)
def test_good(wamr_board):
    assert wamr_board.simulator.scenario.seed == 42
    assert wamr_board.simulator.manager.config.max_apps == 1
    wamr_board.install("a", "app.wasm")
    wamr_board.run(1000)
    assert wamr_board.apps()["a"].state == "running"

def test_bad(wamr_board):
    wamr_board.install("b", "app.wasm")
    assert wamr_board.apps() == {}
"""


def test_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    pytester.path.joinpath("room.toml").write_text("seed = 42")
    pytester.path.joinpath("app.wasm").write_bytes(wat.TICKING)
    result = pytester.runpytest_subprocess("--strict-markers")
    result.assert_outcomes(passed=1, failed=1)
    # What happened on the board is told about the test that failed.
    result.stdout.fnmatch_lines(["*wamr board*", "*install b*"])
    assert result.stdout.str().count("WASM app 'b' started") == 1
    assert "WASM app 'a' started" not in result.stdout.str()
