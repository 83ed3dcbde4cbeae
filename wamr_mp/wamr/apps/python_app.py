"""Apps in MicroPython, beside those in wasm: the same manager, the same messages, but no sandbox.

A module has any of these functions, each of which may be an `async def`; `app` is its PythonApp:
on_init(app), on_request(app, request), on_event(app, event), on_response(app, response),
on_timer(app, number), on_sensor(app, number, values), on_destroy(app).
"""

import sys

from wamr.host import is_coroutine
from wamr.apps.app import App
from wamr.apps.attributes import from_dict, items
from wamr.apps.manager import ON_REQUEST, ON_RESPONSE, ON_SENSOR, ON_TIMER
from wamr.apps.packet import (
    CONTENT,
    EVENT,
    FMT_ATTR_CONTAINER,
    Request,
    Response,
    to_bytes,
    unpack_request,
    unpack_response,
)


class ModuleEntry:
    """Stands for the file of an app that is a module of the board: it is there as long as the
    board runs.
    """

    index = 0

    def __init__(self, module, name):
        self.source = module
        name = "".join([chr(c) for c in to_bytes(name)])
        self.settings = {"name": name, "type": "module", "heap": 0, "timers": 0, "wd": 0}

    def commit(self, settings):
        self.settings = settings

    def remove(self):
        pass

    def size(self):
        return 0


class PythonApp(App):
    """What the functions of an app get, and what they can do."""

    module = None

    def load(self):
        from wamr.wasm.errors import LinkError

        source = self.entry.source
        try:
            if self.settings["type"] == "mpy":
                self.module = self._import(source)
            elif self.settings["type"] == "module":
                self.module = source
            else:
                if isinstance(source, str):
                    with open(source) as file:
                        source = file.read()
                else:
                    source = bytes(source).decode()
                self.module = {"__name__": self.settings["name"]}
                exec(source, self.module)
        except Exception as e:
            raise LinkError("%s: %s" % (type(e).__name__, e))

    # A file in the store, under a name that is no other module's.
    def _import(self, path):
        folder, _, file = path.rpartition("/")
        name = file[: file.rfind(".")]
        sys.path.insert(0, folder)
        try:
            return __import__(name)
        finally:
            sys.path.pop(0)
            sys.modules.pop(name, None)

    def unload(self):
        self.module = None

    # ---- for the app's own code

    def register(self, url):
        """Requests whose URL starts so are ours. False if it is somebody else's."""
        return self.manager.register(to_bytes(url), self)

    def subscribe(self, url):
        return self.manager.subscribe(to_bytes(url), self)

    def publish(self, url, values=None):
        """Publish an event. values: a dict for an attr_container, or None."""
        self.manager.publish(self._request(EVENT, url, values))

    def respond(self, request, values=None, status=CONTENT):
        """Answer a request."""
        payload = self._payload(values)
        response = Response(status, FMT_ATTR_CONTAINER, payload, request.mid, request.sender)
        self.manager.send_response(response.pack())

    def send(self, action, url, values=None, mid=0):
        """Send a request; the answer comes to on_response with the same `mid`."""
        request = self._request(action, url, values)
        request.mid = mid
        self.manager.dispatch(request)

    async def request(self, action, url, values=None, timeout=5000):
        """Send a request and wait for the answer: a Response, or None after so many ms."""
        return await self.manager.request(action, url, self._payload(values), timeout=timeout)

    def timer(self, interval, periodic=True):
        """A timer's number; on_timer gets it every `interval` ms."""
        return self.timers.create(interval, periodic, True)

    def values(self, packet):
        """The attributes of a request, event or response as a dict."""
        found = {}
        for key, _, value in items(packet.payload, None, self.manager.config.dialect):
            found[key] = value
        return found

    def open_sensor(self, name, index=0, interval=None):
        """A sensor's number, or -1. interval: ms."""
        sensors = self.manager.sensors
        number = sensors.open(self, to_bytes(name), index) if sensors else -1
        if number > 0 and interval is not None:
            sensors.configure(self, number, interval, 0, 0)
        return number

    def _payload(self, values):
        return from_dict(values, "", self.manager.config.dialect) if values else b""

    def _request(self, action, url, values):
        payload = self._payload(values)
        return Request(action, to_bytes(url), FMT_ATTR_CONTAINER, payload, 0, self.id)

    # ---- for the manager

    # The app's function of this name, or None. What exec() left is a dict.
    def _function(self, name):
        module = self.module
        return module.get(name) if isinstance(module, dict) else getattr(module, name, None)

    # False when the function failed; None when there is none.
    async def _call(self, name, *args):
        function = self._function(name)
        if not function:
            return None
        try:
            result = function(self, *args)
            if is_coroutine(result):
                await result
            return True
        except Exception as e:
            self.manager.log(
                "app %s: %s: %s %s" % (self.settings["name"], name, type(e).__name__, e)
            )
            return False

    async def on_init(self):
        if await self._call("on_init") is False:
            self.end("dead", "on_init failed")
            return False
        return True

    async def on_destroy(self):
        await self._call("on_destroy")

    async def deliver(self, kind, data):
        if kind == ON_REQUEST:
            request = unpack_request(data)
            is_event = request.action == EVENT and self._function("on_event")
            await self._call("on_event" if is_event else "on_request", request)
        elif kind == ON_RESPONSE:
            await self._call("on_response", unpack_response(data))
        elif kind == ON_TIMER:
            await self._call("on_timer", data)
        elif kind == ON_SENSOR:
            values = {}
            for key, _, value in items(data[1], None, self.manager.config.dialect):
                values[key] = value
            await self._call("on_sensor", data[0], values)
