"""What can go wrong between a PC and a device. Each message says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wamr_cli.device._packets import Answer


class DeviceError(Exception):
    """All of the following."""


class ConnectError(DeviceError):
    """There is no way to the device: wrong port, port in use, nobody listens."""


class ConnectionLost(DeviceError):
    """The way to the device broke while it was in use."""


class DeviceTimeout(DeviceError):
    """The device did not answer in time."""


class WrongName(DeviceError, ValueError):
    """No app can have this name."""


class Refused(DeviceError):
    """The device answered with an error. `answer` is what it said."""

    def __init__(self, what: str, answer: Answer) -> None:
        reason = answer.error or "no reason given"
        super().__init__(f"{what}: {reason} (status {answer.status}, {answer.status_text})")
        self.answer = answer
