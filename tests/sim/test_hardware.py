"""The simulated `machine`: what drivers and apps see, and what tests see from outside."""

from __future__ import annotations

import pytest
from wamr_sim.hardware import Hardware, Registers
from wamr_sim.trace import Trace


@pytest.fixture
def hardware() -> Hardware:
    return Hardware(Trace(lambda: 0))


def traced(hardware: Hardware) -> list[str]:
    return [entry.text for entry in hardware.trace.entries]


def test_an_output(hardware: Hardware) -> None:
    pin = hardware.machine.Pin("A5", hardware.machine.Pin.OUT)
    pin.on()
    assert (pin.value(), pin(), hardware.pin("A5").level) == (1, 1, 1)
    pin.on()
    pin.toggle()
    assert hardware.pin("A5").level == 0
    hardware.set_pin("A5", 1)  # the board drives it
    assert pin.value() == 0
    assert traced(hardware) == ["A5 = 1", "A5 = 0"]
    assert hardware.machine.Pin("B1", hardware.machine.Pin.OUT, value=1).value() == 1


def test_an_input(hardware: Hardware) -> None:
    Pin = hardware.machine.Pin
    floating, up, down = (
        Pin(1, Pin.IN),
        Pin(2, Pin.IN, Pin.PULL_UP),
        Pin("3", Pin.IN, Pin.PULL_DOWN),
    )
    assert [p.value() for p in (floating, up, down)] == [0, 1, 0]
    for name in (1, 2, 3):
        hardware.set_pin(name, 1)
    assert [p.value() for p in (floating, up, down)] == [1, 1, 1]
    hardware.set_pin(2, 0)
    assert up.value() == 0
    assert traced(hardware) == ["1 <- 1", "3 <- 1", "2 <- 0"]


def test_open_drain_can_only_pull_down(hardware: Hardware) -> None:
    pin = hardware.machine.Pin("D", hardware.machine.Pin.OPEN_DRAIN, value=1)
    assert pin.value() == 1
    hardware.set_pin("D", 0)
    assert pin.value() == 0
    hardware.set_pin("D", 1)
    pin.off()
    assert pin.value() == 0


def test_interrupts(hardware: Hardware) -> None:
    Pin = hardware.machine.Pin
    pin = Pin("X", Pin.IN)
    seen: list[int] = []
    pin.irq(lambda p: seen.append(p.value()), Pin.IRQ_RISING)
    for level in (1, 0, 0, 1):
        hardware.set_pin("X", level)
    pin.irq(lambda p: seen.append(p.value() + 10), Pin.IRQ_FALLING | Pin.IRQ_RISING)
    hardware.set_pin("X", 0)
    pin.irq(None)
    hardware.set_pin("X", 1)
    assert seen == [1, 1, 10]


def test_converters(hardware: Hardware) -> None:
    adc = hardware.machine.ADC(hardware.machine.Pin("A0"))
    assert adc.read_u16() == 0
    hardware.set_analog("A0", 40000)
    assert adc.read_u16() == 40000
    hardware.set_analog("A0", 70000)
    assert adc.read_u16() == 65535
    pwm = hardware.machine.PWM("B3", freq=1000)
    pwm.duty_u16(32768)
    assert (pwm.freq(), pwm.duty_u16(), hardware.pwm["B3"]) == (1000, 32768, (1000, 32768))
    with pytest.raises(ValueError):
        pwm.freq(0)
    pwm.deinit()
    assert "B3" not in hardware.pwm


def test_i2c(hardware: Hardware) -> None:
    bus = hardware.machine.I2C(1, freq=400000)
    assert bus.scan() == []
    with pytest.raises(OSError):
        bus.writeto(0x48, b"\0")
    hardware.attach_i2c(1, 0x48, Registers([0x19, 0x80, 7]))
    assert bus.scan() == [0x48]
    bus.writeto(0x48, b"\1")
    assert bus.readfrom(0x48, 2) == b"\x80\7"
    assert bus.readfrom_mem(0x48, 0, 2) == b"\x19\x80"
    bus.writeto_mem(0x48, 2, b"\x55\x66")
    data = bytearray(3)
    bus.readfrom_mem_into(0x48, 1, data)
    assert data == b"\x80\x55\x66"
    bus.writeto(0x48, b"\xff", False)
    bus.readfrom_into(0x48, data)
    assert data == b"\0\x19\x80"  # the pointer wraps around


def test_spi(hardware: Hardware) -> None:
    bus = hardware.machine.SPI(2, baudrate=1000000)
    data = bytearray(2)
    bus.write_readinto(b"ab", data)
    assert data == b"\0\0"
    hardware.attach_spi(2, lambda sent: bytes(b ^ 0xFF for b in sent))
    bus.write_readinto(b"\1\2", data)
    assert data == b"\xfe\xfd"
    assert bus.read(2, 1) == b"\xfe\xfe"


def test_uart(hardware: Hardware) -> None:
    uart = hardware.machine.UART(3, 9600)
    assert (uart.any(), uart.read()) == (0, None)
    hardware.uart(3).feed(b"hello")
    assert (uart.any(), uart.read(2), uart.read()) == (5, b"he", b"llo")
    assert uart.write(b"\1\2") == 2
    assert hardware.uart(3).sent == b"\1\2"
    assert traced(hardware) == ["3 01 02"]
