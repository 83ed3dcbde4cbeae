"""Replays what was recorded with the C device: the same bytes in, the same bytes out.

Where the C device is faulty, we answer what the tables below say. Everything else is compared byte
for byte; only the unused tail of an attr_container, which C does not clear, is left out for the
device of 2019.
"""

from __future__ import annotations

import json
import mmap
from typing import Any

import pytest
from wamr import pool
from wamr.apps import attributes

from .device import Device, golden_folder, parse, run

# Settings that make our device the one the vectors were recorded with.
SETTINGS: dict[str, dict[str, Any]] = {
    "edge_last": {},
    "install_errors_last": {},
    "edge_may2019": {
        "dialect": "A",
        "heap_default": 49152,
        "heap_min": 2048,
        "heap_max": 1 << 20,
        "silent_types": ("jeff",),
    },
}
E2 = "num=1 applet1=e2"
# Where we differ: the statuses of our responses, or what we list, or the text of our error.
# The reason is always the fault of the C device that is named.
OURS = {
    # A second 0x12 is taken for the first byte of a frame.
    "stray 0x12 directly before the leading bytes (12 12 34 ...): the frame is lost": "num=0",
    # After an invalid packet C is out of step; a module that ends in the middle, or is empty, or
    # has an empty section is not answered, and the next install is glued to it.
    "next frame after that (same connection)": "num=0",
    "install module importing an unknown function": "160 WASM module load failed",
    'install with duplicate name "e"': "160 app already installed.",
    "install truncated wasm: frame length shortened to 60 bytes of file": "160 WASM module load",
    "install e2 afterwards (is the install receiver state damaged?)": "65",
    "install of an 8-byte empty module": "65",
    "install after the empty module": "65",
    "install of a module with a zero-length section then query": "160 WASM module load failed",
    # Valid wasm in an ordinary request makes C hang.
    "install sent as REQUEST_PACKET (type 2) instead of type 4, valid wasm payload": "65",
    # C takes the header of AOT code for one of its own.
    "install AOT magic": "160 invalid file format.",
}
# Where there is not so much memory.
LIMITED = {
    ("install_errors_last", 19): "160 Install WASM app failed: WASM module instantiate failed",
    ("install_errors_last", 20): "num=0",
}
# The name alone does not tell: these follow one of the faults above.
QUERIES = {
    "edge_last": {81: E2, 88: "num=2 applet1=e3 applet2=em", 94: "num=0", 97: "num=1 applet1=r2"},
    "edge_may2019": {
        81: E2,
        84: "num=0",
        88: "num=2 applet1=e3 applet2=em",
        94: "num=0",
    },
    "install_errors_last": {},
}
# 0x7fffffff bytes are announced, then silence: C swallows what follows. We look on for a frame.
APPLETS = "123400020000001b010600000000000000000000000900000000" + b"/applets\0".hex()


def load(name: str) -> list[dict[str, Any]]:
    path = golden_folder() / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{path} is not there: set WAMR_GOLDEN_DIR to the folder with the vectors")
    return json.loads(path.read_text())["steps"]


# 26 of the exchanges of each edge file record the faults listed above; one of the others.
DIFFERENT = {"edge_last": 26, "edge_may2019": 26, "install_errors_last": 1}


def words(frame: bytes) -> str:
    answer = parse(frame)
    values = {k: v for k, _, v in attributes.items(answer.payload) if not k.startswith("heap")}
    if "num" in values:
        return " ".join(f"{k}={v}" for k, v in values.items())
    return " ".join([str(answer.status), *map(str, values.values())])


def comparable(frame: bytes, with_tail: bool) -> bytes:
    if with_tail or frame[3] != 3 or len(frame) == 24:
        return frame
    return frame[:30] + attributes.used(frame[24:])


async def replay(name: str, steps: list[dict[str, Any]], make: Any = Device) -> int:
    """Number of the exchanges that were not as recorded, but as listed here.

    make: makes a device of the settings.
    """
    differing = i = 0
    while i < len(steps):
        assert steps[i].pop("restart_device")
        i += 1
        async with make(**SETTINGS[name]) as device:
            while i < len(steps) and "restart_device" not in steps[i]:
                differing += await check(name, i, steps[i], device)
                i += 1
    return differing


async def check(name: str, i: int, step: dict[str, Any], device: Any) -> bool:
    """Whether this exchange differs from the recorded one, as it must."""
    if not step["send"]:
        return False
    seconds = 1.7 if step["name"].endswith("events follow") else 1.0
    ours = QUERIES[name].get(i) or OURS.get(step["name"])
    expected = 1 if ours else len(step["recv"])
    got = await device.exchange(bytes.fromhex(step["send"]), seconds, expected)
    where = f"{name}.json, step {i}: {step['name']}"
    if APPLETS in step["recv"]:
        # C forgets the payload of the event, and sends it before the answer, so that its own
        # host tool loses that.
        (want,) = [r for r in step["recv"] if r != APPLETS]
        assert got[0].hex() == want, where
        event = parse(got[1])
        assert (event.action, event.url, event.fmt) == (6, b"/applets", 99), where
        assert attributes.tag(event.payload) == b"All Applets", where
        return True
    tail = name != "edge_may2019"
    if [comparable(g, tail) for g in got] == [
        comparable(bytes.fromhex(r), tail) for r in step["recv"]
    ]:
        return False
    if device.limited and (name, i) in LIMITED:
        assert words(got[0]).startswith(LIMITED[name, i]), where
        return False
    assert ours, f"{where}: {got}, {device.lines[-3:]}"
    assert len(got) == 1, where
    assert words(got[0]).replace("Install WASM app failed: ", "").startswith(ours), where
    return True


# One of the modules has 60000 pages: memory that is there only where it is touched, as C has it.
@pytest.fixture(autouse=True)
def lazy_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(n: int) -> Any:
        return memoryview(mmap.mmap(-1, n)) if n > 1 << 24 else bytearray(n)

    monkeypatch.setattr(pool, "take", take)


@pytest.mark.parametrize("name", list(SETTINGS))
def test_golden(name: str) -> None:
    assert run(replay(name, load(name))) == DIFFERENT[name]
