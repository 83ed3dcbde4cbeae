"""Boards that run the app manager, from Python: install apps, ask them, listen to their events.

>>> async with Device("/dev/ttyUSB0") as device:
...     await device.install("room", "room.wasm", heap=4096)
...     answer = await device.request("GET", "/room_temp")
...     print(answer.values)
"""

from wamr_cli.device._device import App, Apps, Device
from wamr_cli.device._errors import (
    ConnectError,
    ConnectionLost,
    DeviceError,
    DeviceTimeout,
    Refused,
    WrongName,
)
from wamr_cli.device._packets import ACTIONS, Answer, Event, status_text
from wamr_cli.device._streams import Stream, open_stream
from wamr_cli.device._values import Value, Values, from_json, pack, to_json

__all__ = [
    "ACTIONS",
    "Answer",
    "App",
    "Apps",
    "ConnectError",
    "ConnectionLost",
    "Device",
    "DeviceError",
    "DeviceTimeout",
    "Event",
    "Refused",
    "Stream",
    "Value",
    "Values",
    "WrongName",
    "from_json",
    "open_stream",
    "pack",
    "status_text",
    "to_json",
]
