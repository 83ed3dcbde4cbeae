"""The sample apps on a simulated board, as the manual shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from wamr_cli import main
from wamr_sim import Simulation

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "apps"
ROOM = ROOT / "host_sim" / "examples" / "room.toml"


def test_the_manuals_tests(pytester: pytest.Pytester) -> None:
    page = (ROOT / "docs" / "simulator.md").read_text()
    (code,) = re.findall(r"```python\n(import pytest.*?)```", page, re.DOTALL)
    # An hour of a busy app takes its time: a minute does.
    pytester.makepyfile(code.replace("3_600_000", "60_000"))
    app = APPS / "sensor_fusion" / "sensor_fusion.wasm"
    pytester.path.joinpath("sensor_fusion.wasm").write_bytes(app.read_bytes())
    text = ROOM.read_text().replace("../../apps/sensor_fusion/", "")
    pytester.path.joinpath("room.toml").write_text(text)
    csv = ROOM.with_name("room.csv")
    pytester.path.joinpath("room.csv").write_text(csv.read_text())
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_the_example_scenario(capfd) -> None:
    assert main(["sim", "--virtual", "--scenario", str(ROOM)]) == 0
    out = capfd.readouterr().out
    alerts = re.findall(r"^ *(\d+) event .*alert/temperature.* hot=(\w+)", out, re.M)
    assert [hot for _, hot in alerts] == ["True", "False"]
    assert 25_000 < int(alerts[0][0]) < 35_000 < int(alerts[1][0]) < 65_000
    assert re.search(r"host< +69 .*hot=True.* to GET /room", out)


def test_three_apps_talk() -> None:
    with Simulation() as board:
        board.install("publisher", APPS / "overheat" / "overheat.wasm", heap=4096)
        board.install("subscriber", APPS / "overheat" / "overheat_handler.wasm", heap=4096)
        board.install("room", APPS / "room_temp" / "room_temp.wasm", heap=4096)
        board.run(5500)
        assert board.printed.count("Event: alert/overheat\n") == 5
        assert board.request("GET", "/room_temp") == {"temp unit": "centigrade", "value": 26.5}
        assert board.memory()[1] > 0
