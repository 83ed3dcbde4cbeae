"""Sensors: Python drivers that apps subscribe to, read as often as the most eager of them wants.

A driver is a function read() that returns what the events carry: a number, a dict, a list of
(name, value) or (name, value, kind) of attr_container, or a whole container as bytes. It may be an
`async def`. configure(interval, bits, delay, values) is optional: it is told what an app sets,
`values` being the dict of wasm_sensor_config_with_attr_container or None.
"""

import asyncio

from wamr.host import is_coroutine
from wamr.apps import clock
from wamr.apps.attr_container import AttrContainer
from wamr.apps.attributes import items
from wamr.apps.manager import ON_SENSOR
from wamr.apps.packet import to_bytes


class Sensor:
    def __init__(self, name, index, read, interval, configure):
        self.name = name
        self.index = index
        self.read = read
        self.interval = interval  # ms, for apps that set none
        self.configure = configure
        self.clients = []  # [app, interval, bits]
        self.timer = None
        self.busy = False


class Sensors:
    """All sensors of a manager; they are numbered from 1."""

    def __init__(self, manager):
        self.manager = manager
        self.sensors = []

    def add(self, name, read, index=0, interval=1000, configure=None):
        self.sensors.append(Sensor(to_bytes(name), index, read, interval, configure))

    # ---- what apps do

    def open(self, app, name, index):
        for number, sensor in enumerate(self.sensors):
            if sensor.name == name and sensor.index == index:
                if self._client(app, number + 1):
                    return -1
                sensor.clients.append([app, sensor.interval, 0])
                self._arm(sensor)
                return number + 1
        return -1

    def configure(self, app, number, interval, bits, delay):
        client = self._client(app, number)
        if not client or interval < 0:
            return False
        client[1] = interval
        client[2] = bits
        sensor = self.sensors[number - 1]
        self._arm(sensor)
        return self._tell(sensor, interval, bits, delay, None)

    def configure_container(self, app, number, data):
        client = self._client(app, number)
        if not client:
            return False
        values = {}
        for key, _, value in items(data, None, self.manager.config.dialect):
            values[key] = value
        sensor = self.sensors[number - 1]
        interval = values.get("interval")
        if isinstance(interval, (int, float)) and interval >= 0:
            client[1] = int(interval)
            self._arm(sensor)
        return self._tell(sensor, client[1], client[2], 0, values)

    def close(self, app, number):
        client = self._client(app, number)
        if not client:
            return False
        sensor = self.sensors[number - 1]
        sensor.clients.remove(client)
        self._arm(sensor)
        return True

    def forget(self, app):
        for number in range(len(self.sensors)):
            self.close(app, number + 1)

    def _client(self, app, number):
        if 0 < number <= len(self.sensors):
            for client in self.sensors[number - 1].clients:
                if client[0] is app:
                    return client
        return None

    # A driver that fails must not take others with it.
    def _tell(self, sensor, interval, bits, delay, values):
        if not sensor.configure:
            return True
        try:
            return sensor.configure(interval, bits, delay, values) is not False
        except Exception as e:
            self._failed(sensor, e)
            return False

    def _failed(self, sensor, error):
        self.manager.log("sensor %s: %s %s" % (sensor.name, type(error).__name__, error))

    # ---- readings

    # The smallest interval counts, for all; an interval of 0 asks for no readings.
    def _arm(self, sensor, due=None):
        timers = self.manager.timers
        if sensor.timer:
            timers.disarm(sensor.timer)
            sensor.timer = None
        intervals = [c[1] for c in sensor.clients if c[1]]
        if intervals:
            now = clock.ticks_ms()
            step = min(intervals)
            if due is None or due + step <= now:
                due = now
            sensor.timer = timers.arm(due + step, self._due, sensor)

    def _due(self, sensor):
        due = sensor.timer[0]
        sensor.timer = None
        self._arm(sensor, due)
        if sensor.busy:
            return  # still at the last reading
        try:
            value = sensor.read()
            if is_coroutine(value):
                asyncio.create_task(self._await(sensor, value))
                sensor.busy = True
            else:
                self._deliver(sensor, value)
        except Exception as e:
            self._failed(sensor, e)

    async def _await(self, sensor, value):
        try:
            self._deliver(sensor, await value)
        except Exception as e:
            self._failed(sensor, e)
        finally:
            sensor.busy = False

    # Each app gets the attributes that its bit mask selects, by their order; 0 selects all.
    def _deliver(self, sensor, value):
        if value is None:
            return
        number = self.sensors.index(sensor) + 1
        last = data = None
        for app, _, bits in sensor.clients:
            if data is None or bits != last:
                data = self._container(sensor, value, bits)
                last = bits
            app.post(ON_SENSOR, (number, data))

    def _container(self, sensor, value, bits):
        if isinstance(value, (bytes, bytearray)):
            return bytes(value)
        if isinstance(value, dict):
            value = [(key, value[key]) for key in sorted(value)]
        elif not isinstance(value, (list, tuple)):
            value = [("value", value)]
        container = AttrContainer(sensor.name, self.manager.config.dialect)
        for i, item in enumerate(value):
            if not bits or bits >> i & 1:
                container.set(*item)
        return bytes(container.data)
