"""Pins. A pin is named as machine.Pin wants it: a number, or a name such as "A5" or "LED".

Handles are numbers from 1; -1 says that something is wrong: no such pin, no such handle.
"""

from wamr.apps.packet import to_text

# Modes of gpio_open: input, output, input with pull-up, with pull-down, open drain.
_INPUT_UP = 2
_INPUT_DOWN = 3


def pin_of(app, name, *args, **settings):
    name = to_text(app.instance.memory.read_cstr(name))
    return app.manager.machine().Pin(int(name) if name.isdigit() else name, *args, **settings)


def keep(app, thing):
    """A handle for what an app has opened; it is closed with the app."""
    app.handles.append(thing)
    return len(app.handles)


def handle(app, number, kind):
    """What keep() was given, if it has the method `kind`; or None."""
    thing = app.handles[number - 1] if 0 < number <= len(app.handles) else None
    return thing if hasattr(thing, kind) else None


def close(app, number):
    """The number is not used again while the app runs: an old handle never means a new thing."""
    if 0 < number <= len(app.handles):
        thing = app.handles[number - 1]
        app.handles[number - 1] = None
        if hasattr(thing, "deinit"):
            thing.deinit()


def gpio_open(app, name, mode):
    pin = app.manager.machine().Pin
    try:
        if mode == 1:
            return keep(app, pin_of(app, name, pin.OUT))
        if mode == 4:
            return keep(app, pin_of(app, name, pin.OPEN_DRAIN))
        pull = None
        if mode == _INPUT_UP:
            pull = pin.PULL_UP
        elif mode == _INPUT_DOWN:
            pull = pin.PULL_DOWN
        return keep(app, pin_of(app, name, pin.IN, pull))
    except (ValueError, OSError, AttributeError):
        return -1


def gpio_read(app, number):
    pin = handle(app, number, "value")
    return pin.value() if pin else -1


def gpio_write(app, number, value):
    pin = handle(app, number, "value")
    if not pin:
        return -1
    pin.value(1 if value else 0)
    return 0


def gpio_close(app, number):
    close(app, number)
