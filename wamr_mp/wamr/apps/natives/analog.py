"""Analog inputs (0 to 65535) and PWM outputs (frequency in Hz, duty 0 to 65535)."""

from wamr.apps.natives.gpio import close, handle, keep, pin_of  # noqa: F401


def adc_open(app, pin):
    try:
        return keep(app, app.manager.machine().ADC(pin_of(app, pin)))
    except (ValueError, OSError, AttributeError):
        return -1


def adc_read(app, number):
    adc = handle(app, number, "read_u16")
    return adc.read_u16() if adc else -1


def pwm_open(app, pin, frequency, duty):
    try:
        pwm = app.manager.machine().PWM(pin_of(app, pin))
        pwm.freq(frequency)
        pwm.duty_u16(duty)
        return keep(app, pwm)
    except (ValueError, OSError, AttributeError):
        return -1


def pwm_set(app, number, frequency, duty):
    pwm = handle(app, number, "duty_u16")
    if not pwm:
        return -1
    try:
        pwm.freq(frequency)
        pwm.duty_u16(min(max(duty, 0), 65535))
        return 0
    except (ValueError, OSError):
        return -1
