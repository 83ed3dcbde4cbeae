"""Sensors, as WAMR's apps open them."""


def wasm_sensor_open(app, name, index):
    sensors = app.manager.sensors
    return sensors.open(app, app.instance.memory.read_cstr(name), index) if sensors else -1


def wasm_sensor_config(app, number, interval, bits, delay):
    sensors = app.manager.sensors
    return int(bool(sensors and sensors.configure(app, number, interval, bits, delay)))


def wasm_sensor_config_with_attr_container(app, number, ptr, size):
    sensors = app.manager.sensors
    data = app.instance.memory.read(ptr, size)
    return int(bool(sensors and sensors.configure_container(app, number, data)))


def wasm_sensor_close(app, number):
    sensors = app.manager.sensors
    return int(bool(sensors and sensors.close(app, number)))
