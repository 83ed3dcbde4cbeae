"""Scenario files: what they can say, and what is said about mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from wamr_sim.scenario import ScenarioError, load

WHOLE = """
seed = 7
duration = 5000

[[sensor]]
name = "temperature"
interval = 500
csv = "room.csv"
noise = 0.1

[[sensor]]
name = "light"
index = 2
values = { lux = 300 }

[[app]]
name = "room"
file = "room.wasm"
heap = 4096

[[i2c]]
bus = 1
address = 0x48
registers = [1, 2, 3]

[[step]]
at = 2000
request = "GET /room_temp"

[[step]]
at = 1000
pin = "B1"
level = 1

[[step]]
at = 3000
uart = 2
bytes = "hello"

[[step]]
at = 4000
restart = true
"""


def test_a_whole_file(tmp_path: Path) -> None:
    (tmp_path / "room.csv").write_text("ms,value\n0,20\n")
    (tmp_path / "x.toml").write_text(WHOLE)
    found = load(tmp_path / "x.toml")
    assert (found.seed, found.duration) == (7, 5000)
    temperature, light = found.sensors
    assert (temperature.rows, temperature.noise) == ([(0, {"value": 20.0})], 0.1)
    assert (light.index, light.values, light.interval) == (2, {"lux": 300}, 1000)
    assert (found.apps[0].file, found.apps[0].heap) == (tmp_path / "room.wasm", 4096)
    assert (found.i2c[0].bus, found.i2c[0].registers) == ("1", [1, 2, 3])
    assert [(s.at, s.kind, s.target, s.value) for s in found.steps] == [
        (1000, "pin", "B1", 1),
        (2000, "request", "GET /room_temp", None),
        (3000, "uart", "2", b"hello"),
        (4000, "restart", "True", None),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "x.toml: "),
        ("speed = 1", "unknown key `speed`; there are seed, duration"),
        ("seed = true", "`seed` has the wrong type"),
        ("seed = 'x'", "`seed` has the wrong type"),
        ("sensor = [1]", "is no table"),
        ("[[sensor]]\nname = 'a'", r"\[\[sensor\]\] 1: needs `values` or `csv`"),
        ("[[sensor]]\nvalues = {x = 1}", "needs `name`"),
        ("[[sensor]]\nname = 'a'\ncsv = 'none.csv'", "none.csv"),
        ("[[app]]\nname = 'a'", "needs `file`"),
        ("[[step]]\nat = 1", "needs one of pin, analog"),
        ("[[step]]\npin = 1\nlevel = 1", "needs `at`"),
        ("[[step]]\nat = 1\npin = 1", "`pin` needs `level`"),
        ("[[step]]\nat = 1\npin = 1\nlevel = 1\nvalue = 2", "value does not go with `pin`"),
        ("[[step]]\nat = 1\npin = 1\nlevel = 1\nrestart = true", "needs one of"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(ScenarioError, match=message):
        load(tmp_path / "x.toml")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot read .*none.toml: No such file"):
        load(tmp_path / "none.toml")
