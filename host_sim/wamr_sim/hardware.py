"""The module `machine` of a simulated board: pins, converters, buses and ports that tests and
scenarios play the other end of.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Callable, Protocol, Union

from wamr_sim.trace import Trace

PinName = Union[int, str]


class I2CDevice(Protocol):
    """What can be attached to an I2C bus."""

    def write(self, data: bytes) -> None: ...

    def read(self, n: int) -> bytes: ...


class Registers:
    """An I2C device with 8-bit registers: a write sets the pointer, then what follows is stored;
    a read goes on from the pointer.
    """

    def __init__(self, values: Iterable[int] = ()) -> None:
        self.values = bytearray(256)
        given = bytes(values)
        self.values[: len(given)] = given
        self._at = 0

    def write(self, data: bytes) -> None:
        if data:
            self._at = data[0]
        for value in data[1:]:
            self.values[self._at] = value
            self._at = (self._at + 1) & 0xFF

    def read(self, n: int) -> bytes:
        found = bytes(self.values[(self._at + i) & 0xFF] for i in range(n))
        self._at = (self._at + n) & 0xFF
        return found


class Hardware:
    """Everything around the chip. Names of pins are what apps call them, as text: "A5", "13"."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.pins: dict[str, _PinState] = {}
        self.analog: dict[str, int] = {}
        self.pwm: dict[str, tuple[int, int]] = {}  # (frequency in Hz, duty 0 to 65535)
        self.i2c: dict[str, dict[int, I2CDevice]] = {}
        self.spi: dict[str, Callable[[bytes], bytes]] = {}
        self.uarts: dict[str, _UartState] = {}
        self.machine = _module(self)

    def pin(self, name: PinName) -> _PinState:
        return self.pins.setdefault(str(name), _PinState(str(name), self.trace))

    def set_pin(self, name: PinName, level: int) -> None:
        """Drive an input from outside; interrupt handlers run."""
        self.pin(name).drive(level)

    def set_analog(self, name: PinName, value: int) -> None:
        """What a converter reads on this pin: 0 to 65535."""
        self.analog[str(name)] = min(max(int(value), 0), 65535)

    def attach_i2c(self, bus: PinName, address: int, device: I2CDevice) -> None:
        self.i2c.setdefault(str(bus), {})[address] = device

    def attach_spi(self, bus: PinName, exchange: Callable[[bytes], bytes]) -> None:
        """exchange(sent) returns as many bytes as it is given."""
        self.spi[str(bus)] = exchange

    def uart(self, name: PinName) -> _UartState:
        return self.uarts.setdefault(str(name), _UartState())


class _PinState:
    """One pin, seen from outside."""

    def __init__(self, name: str, trace: Trace) -> None:
        self.name = name
        self.mode = 0
        self.pull = -1
        self.out = 0
        self.driven: int | None = None
        self.handler: tuple[Callable[[Any], None], int, Any] | None = None
        self._trace = trace

    @property
    def level(self) -> int:
        if self.mode == _Pin.OUT or (self.mode == _Pin.OPEN_DRAIN and not self.out):
            return self.out
        if self.driven is not None:
            return self.driven
        return 1 if self.pull == _Pin.PULL_UP or self.mode == _Pin.OPEN_DRAIN else 0

    def drive(self, level: int) -> None:
        before = self.level
        self.driven = 1 if level else 0
        if self.level != before:
            self._trace.add("pin", f"{self.name} <- {self.level}")
            if self.handler:
                function, trigger, pin = self.handler
                if trigger & (_Pin.IRQ_RISING if self.level else _Pin.IRQ_FALLING):
                    function(pin)

    def write(self, level: int) -> None:
        level = 1 if level else 0
        if level != self.out:
            self.out = level
            if self.mode != _Pin.IN:
                self._trace.add("pin", f"{self.name} = {level}")


class _UartState:
    """The other end of a UART: what the board has sent, and what it is going to read."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.waiting = bytearray()

    def feed(self, data: bytes) -> None:
        self.waiting += data


def _module(hardware: Hardware) -> ModuleType:
    module = ModuleType("machine")
    for cls in (_Pin, _ADC, _PWM, _I2C, _SPI, _UART):
        name = cls.__name__.lstrip("_")
        setattr(module, name, type(name, (cls,), {"hardware": hardware}))
    return module


class _Part:
    hardware: Hardware


def _name(pin: Any) -> str:
    return pin.name if isinstance(pin, _Pin) else str(pin)


# What follows has the names and the arguments of MicroPython's `machine`.


class _Pin(_Part):
    IN = 0
    OUT = 1
    OPEN_DRAIN = 2
    PULL_UP = 1
    PULL_DOWN = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    def __init__(self, id: Any, mode: int = -1, pull: int | None = -1, *, value: Any = None):
        self.name = _name(id)
        self._state = self.hardware.pin(self.name)
        self.init(mode, pull, value=value)

    def init(self, mode: int = -1, pull: int | None = -1, *, value: Any = None) -> None:
        if value is not None:
            self._state.out = 1 if value else 0
        if mode != -1:
            self._state.mode = mode
        if pull != -1:
            self._state.pull = -1 if pull is None else pull

    def value(self, level: Any = None) -> int | None:
        if level is None:
            return self._state.level
        self._state.write(level)
        return None

    __call__ = value

    def on(self) -> None:
        self.value(1)

    def off(self) -> None:
        self.value(0)

    high = on
    low = off

    def toggle(self) -> None:
        self.value(1 - self._state.out)

    def irq(self, handler: Any = None, trigger: int = 3, **_: Any) -> None:
        self._state.handler = (handler, trigger, self) if handler else None


class _ADC(_Part):
    def __init__(self, pin: Any, **_: Any) -> None:
        self._name = _name(pin)

    def read_u16(self) -> int:
        return self.hardware.analog.get(self._name, 0)


class _PWM(_Part):
    def __init__(self, pin: Any, freq: int = 0, duty_u16: int = 0) -> None:
        self._name = _name(pin)
        self._set(freq, duty_u16)

    def _set(self, frequency: int, duty: int) -> None:
        if self.hardware.pwm.get(self._name) != (frequency, duty):
            self.hardware.pwm[self._name] = (frequency, duty)
            self.hardware.trace.add("pwm", f"{self._name} = {frequency} Hz, duty {duty}")

    def freq(self, value: int | None = None) -> int | None:
        frequency, duty = self.hardware.pwm[self._name]
        if value is None:
            return frequency
        if value <= 0:
            raise ValueError("freq out of range")
        self._set(value, duty)
        return None

    def duty_u16(self, value: int | None = None) -> int | None:
        frequency, duty = self.hardware.pwm[self._name]
        if value is None:
            return duty
        self._set(frequency, value)
        return None

    def deinit(self) -> None:
        self.hardware.pwm.pop(self._name, None)


class _I2C(_Part):
    def __init__(self, id: Any = 0, *_: Any, **__: Any) -> None:
        self._devices = self.hardware.i2c.setdefault(_name(id), {})

    def _device(self, address: int) -> I2CDevice:
        if address not in self._devices:
            raise OSError(errno.ENODEV)
        return self._devices[address]

    def scan(self) -> list[int]:
        return sorted(self._devices)

    def writeto(self, address: int, data: Any, stop: bool = True) -> int:
        self._device(address).write(bytes(data))
        return len(data)

    def readfrom(self, address: int, n: int, stop: bool = True) -> bytes:
        return bytes(self._device(address).read(n))

    def readfrom_into(self, address: int, data: Any, stop: bool = True) -> None:
        data[:] = self.readfrom(address, len(data))

    def readfrom_mem(self, address: int, memory: int, n: int) -> bytes:
        self._device(address).write(bytes((memory,)))
        return self.readfrom(address, n)

    def readfrom_mem_into(self, address: int, memory: int, data: Any) -> None:
        data[:] = self.readfrom_mem(address, memory, len(data))

    def writeto_mem(self, address: int, memory: int, data: Any) -> None:
        self._device(address).write(bytes((memory,)) + bytes(data))


class _SPI(_Part):
    def __init__(self, id: Any = 0, *_: Any, **__: Any) -> None:
        self._id = _name(id)

    def _exchange(self, data: bytes) -> bytes:
        exchange = self.hardware.spi.get(self._id)
        return exchange(data) if exchange else bytes(len(data))

    def write(self, data: Any) -> None:
        self._exchange(bytes(data))

    def read(self, n: int, write: int = 0) -> bytes:
        return self._exchange(bytes((write,)) * n)

    def readinto(self, data: Any, write: int = 0) -> None:
        data[:] = self.read(len(data), write)

    def write_readinto(self, out: Any, data: Any) -> None:
        data[:] = self._exchange(bytes(out))


class _UART(_Part):
    def __init__(self, id: Any = 0, *_: Any, **__: Any) -> None:
        self._name = _name(id)
        self._state = self.hardware.uart(self._name)

    def any(self) -> int:
        return len(self._state.waiting)

    def read(self, n: int = -1) -> bytes | None:
        waiting = self._state.waiting
        data = bytes(waiting if n < 0 else waiting[:n])
        del waiting[: len(data)]
        return data or None

    def write(self, data: Any) -> int:
        self._state.sent += data
        self.hardware.trace.add("uart", f"{self._name} {bytes(data).hex(' ')}")
        return len(data)

    def deinit(self) -> None:
        pass
