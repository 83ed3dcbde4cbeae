"""I2C and SPI. A bus is named by its number; results are the bytes moved, -1: nobody answered."""

from wamr.apps.packet import to_text
from wamr.apps.natives.gpio import close, handle, keep  # noqa: F401


def _open(app, cls, name, **settings):
    name = to_text(app.instance.memory.read_cstr(name))
    try:
        cls = getattr(app.manager.machine(), cls)
        return keep(app, cls(int(name) if name.isdigit() else name, **settings))
    except (ValueError, OSError, AttributeError):
        return -1


def _view(app, ptr, size):
    return memoryview(app.instance.memory.buf)[ptr : ptr + size]


def i2c_open(app, name, frequency):
    return _open(app, "I2C", name, freq=frequency)


def i2c_read(app, number, address, ptr, size):
    return _i2c(app, number, address, 0, 0, ptr, size)


def i2c_write(app, number, address, ptr, size):
    return _i2c(app, number, address, ptr, size, 0, 0)


def i2c_transfer(app, number, address, out, out_size, ptr, size):
    return _i2c(app, number, address, out, out_size, ptr, size)


# Writes, then reads, without a stop in between when both are wanted.
def _i2c(app, number, address, out, out_size, ptr, size):
    bus = handle(app, number, "readfrom_into")
    if not bus:
        return -1
    try:
        if out_size:
            bus.writeto(address, _view(app, out, out_size), not size)
        if size:
            bus.readfrom_into(address, _view(app, ptr, size))
    except OSError:
        return -1
    return out_size + size


def spi_open(app, name, baudrate, mode):
    return _open(app, "SPI", name, baudrate=baudrate, polarity=mode >> 1 & 1, phase=mode & 1)


def spi_transfer(app, number, out, size, ptr):
    app.instance.memory.check(ptr, size)
    bus = handle(app, number, "write_readinto")
    if not bus:
        return -1
    try:
        bus.write_readinto(_view(app, out, size), _view(app, ptr, size))
    except OSError:
        return -1
    return size
