"""The app manager: installs, removes and lists apps, and brings requests, responses and events to
where they belong.
"""

import asyncio
import gc

from wamr.host import MICROPYTHON, const
from wamr.apps import clock
from wamr.apps.attr_container import AttrContainer
from wamr.apps.config import Config
from wamr.apps.packet import (
    CONTENT,
    CREATED,
    DELETE,
    DELETED,
    EVENT,
    FMT_ATTR_CONTAINER,
    GET,
    INTERNAL_SERVER_ERROR,
    MANAGER,
    NOT_FOUND,
    PUT,
    Request,
    Response,
    match,
    parameter,
    to_text,
    unpack_response,
)

_LAST_ID = 0xFFFFFFF0
_QUEUE = const(50)
_MAX_EVENT_URL = const(255)
# Bytes of memory that machine code leaves for messages and for what apps still allocate.
RESERVE = const(18432)
# Bytes that may be allocated while an app is loaded until garbage is collected; more where there is
# more memory, as that takes longer then.
_GARBAGE = const(4096)
# Kinds of messages of an app's queue.
ON_REQUEST = const(0)
ON_RESPONSE = const(1)
ON_TIMER = const(2)
ON_SENSOR = const(3)
ON_CONNECTION = const(4)

_APPLETS = b"/applets"


class Manager:
    """What the apps of one board share. store: see store.py; settings: see config.py."""

    restored = False  # whether the apps in the store have been started
    compiling = None  # the Compiling, made for the first app that wants it

    def __init__(self, store=None, **settings):
        from wamr.apps.timers import Timers

        self.config = Config(**settings)
        if store is None:
            from wamr.apps.ram_store import RamStore

            store = RamStore()
        self.store = store
        self.apps = []  # newest first
        self.resources = []  # (prefix, app), newest first
        self.subscribers = []  # (event url, app; None: the host), newest first
        self.links = []  # where the host may be: objects with send(kind, payload)
        self.timers = Timers()
        self.sensors = None  # the Sensors, made when the first is registered
        # mid -> function of the response, for requests of this board's own Python code
        self.waiting = {}
        self._last_id = 0
        self._mid = 0
        self._jobs = []
        self._wake = asyncio.Event()
        self._tasks = []

    def log(self, text):
        if self.config.log:
            self.config.log(text)

    # ---- life

    def start(self):
        """Start the apps in the store, and the tasks that serve them. Must be called inside an
        event loop.
        """
        self._tasks = [
            asyncio.create_task(self.timers.run()),
            asyncio.create_task(self._work()),
        ]
        self.log("App Manager started.")

    async def stop(self):
        """End all apps (they stay installed) and all tasks."""
        # The tasks first, that none starts another app. (A wait that is over at this very moment
        # may not notice.)
        for task in self._tasks:
            while not task.done():
                task.cancel()
                await asyncio.sleep(0)
        self._tasks = []
        for app in list(self.apps):
            await app.shutdown()
        self.apps.clear()

    # A broken app must not stop the boot: whatever goes wrong with one is its own problem.
    async def _restore(self):
        suspect = self.store.suspect()
        for entry in self.store.load():
            app = self.new_app(entry, entry.settings)
            self._add(app)
            if entry.index == suspect:
                app.crashed("the board was reset while it was being started", clock.ticks_ms())
            if app.state != "disabled":
                self.store.starting(entry.index)
                if self.load(app):
                    app.start()
                    await clock.wait(app.ready, self.config.slice_ms * 10)
                self.store.starting(0)

    def load(self, app):
        """Make an app that was installed before ready to run; False if it cannot be."""
        try:
            self.make_ready(app)
            return True
        except Exception as e:
            app.unload()
            app.end("failed", str(e) or "out of memory")
            return False

    def make_ready(self, app):
        """Make an app ready to run. What App.load() raises; but when memory is short, machine code
        gives way, which apps can do without.
        """
        if not MICROPYTHON:
            self._load(app)
            return
        # What loading leaves behind is collected before what stays comes to lie above it: that
        # would leave no large piece free.
        threshold = gc.threshold()
        gc.threshold(max(_GARBAGE, (gc.mem_alloc() + gc.mem_free()) >> 5))
        try:
            self._load(app)
        finally:
            gc.threshold(threshold)
        self.keep_reserve()

    def _load(self, app):
        from wamr.wasm.errors import LinkError

        while True:
            try:
                app.load()
                return
            except (MemoryError, LinkError) as e:
                if isinstance(e, LinkError) and "not enough memory" not in str(e):
                    raise
                app.unload()
                if not self.make_room():
                    raise

    def keep_reserve(self, again=True):
        """Have machine code leave RESERVE bytes, if it can. again: see make_room()."""
        if not MICROPYTHON:
            return
        gc.collect()
        short = RESERVE - gc.mem_free()
        try:
            while short > 0:
                freed = self.make_room(again)
                short -= freed or short
        except MemoryError:
            pass

    def make_room(self, again=True):
        """Free what makes machine code, or the largest machine code of an app. again: it is made
        again later if there is room. How many bytes, about; 0: there is none.
        """
        if self.compiling and self.compiling.interrupt():
            return RESERVE
        native = [app for app in self.apps if app.is_native()]
        if not native:
            return 0
        app = max(native, key=lambda app: app.instance.native.code.size)
        size = app.instance.native.code.size
        try:
            from wamr.apps.compiling import forget_native, give_up

            give_up(app.instance)
        except MemoryError:
            return 0  # running without wants some first
        if len(native) == 1:
            forget_native()
        gc.collect()
        if again:
            app.compile()
        return size

    def compile(self, app):
        """Have an app compiled, in the background."""
        if not self.compiling:
            from wamr.apps.compiling import Compiling

            self.compiling = Compiling(self)
            self._tasks.append(asyncio.create_task(self.compiling.run()))
        self.compiling.add(app)

    def new_app(self, entry, settings):
        if settings["type"] == "wasm":
            from wamr.apps.wasm_app import WasmApp as cls
        else:
            from wamr.apps.python_app import PythonApp as cls
        return cls(self, entry, settings)

    def _add(self, app):
        self._last_id = 1 if self._last_id >= _LAST_ID else self._last_id + 1
        app.id = self._last_id
        self.apps.insert(0, app)

    def add_sensor(self, name, read, index=0, interval=1000, configure=None):
        """Make a sensor known to apps; see sensors.py."""
        if not self.sensors:
            from wamr.apps.sensors import Sensors

            self.sensors = Sensors(self)
        self.sensors.add(name, read, index, interval, configure)

    def add_module(self, name, module):
        """Run a Python module of this board (anything with on_init() and so on, see python_app.py)
        as an app.
        """
        from wamr.apps.python_app import ModuleEntry

        entry = ModuleEntry(module, name)
        app = self.new_app(entry, entry.settings)
        app.load()
        self._add(app)
        app.start()
        return app

    def machine(self):
        """The module `machine`, or what the settings have in its place."""
        if self.config.machine:
            return self.config.machine
        import machine

        return machine

    def find(self, name):
        for app in self.apps:
            if app.name == name:
                return app
        return None

    # ---- requests

    def dispatch(self, request):
        """Bring a request to who is responsible for its URL: the newest that is registered, then
        the manager itself.
        """
        url = request.url
        for prefix, app in self.resources:
            if match(url, prefix) >= 0:
                app.post(ON_REQUEST, request.pack())
                return
        at = match(url, b"/event/")
        if at >= 0:
            self._handle_event(request, url[at:])
            return
        at = match(url, b"/applet")
        if at >= 0:
            self.add_job(request)
            return
        at = match(url, b"/app/")
        end = url.find(b"/", at) if at >= 0 else -1
        if end < 0:
            if self.config.answer_all:
                self.fail(request.mid, "Nobody is registered for this URL.", NOT_FOUND)
            return
        app = self.find(url[at : min(end, at + 127)])
        if app:
            app.post(ON_REQUEST, request.pack(url[end + 1 :]))
        else:
            self.fail(request.mid, "Send request to applet failed: invalid applet name")

    def is_install(self, request):
        """Whether this PUT is for the manager's own /applet, and not for an app that is registered
        for that.
        """
        for prefix, _ in self.resources:
            if match(request.url, prefix) >= 0:
                return False
        return match(request.url, b"/applet") >= 0

    def send_response(self, data):
        """Bring a packed response to its receiver: an app, this board's Python code or the host.
        False: no response.
        """
        response = unpack_response(data)
        if not response:
            return False
        if response.receiver == MANAGER:
            done = self.waiting.pop(response.mid, None)
            if done:
                done(response)
            return True
        for app in self.apps:
            if app.id == response.receiver:
                app.post(ON_RESPONSE, data)
                return True
        self.send(3, data)
        return True

    def send(self, kind, payload):
        """Send a frame to the host, if there is one."""
        for link in self.links:
            link.send(kind, payload)

    def respond(self, mid, status, payload=b"", receiver=0):
        response = Response(status, FMT_ATTR_CONTAINER, payload, mid, receiver)
        if mid in self.waiting:
            response.receiver = MANAGER
        self.send_response(response.pack())

    def fail(self, mid, text, status=INTERNAL_SERVER_ERROR):
        self.log(text)
        container = AttrContainer("", self.config.dialect)
        container.set("error message", text, "string")
        self.respond(mid, status, container.data)

    async def request(self, action, url, payload=b"", fmt=FMT_ATTR_CONTAINER, timeout=5000):
        """Send a request from this board's own Python code; the Response, or None when nobody
        answered in time (ms).
        """
        from wamr.apps.packet import to_bytes

        answer = []
        done = asyncio.Event()

        def answered(response):
            answer.append(response)
            done.set()

        # Apart from the numbers that hosts choose, so that no answer is mistaken.
        self._mid = (self._mid + 1) & 0xFFFFFF
        mid = 0xFF000000 + self._mid
        self.waiting[mid] = answered
        self.dispatch(Request(action, to_bytes(url), fmt, bytes(payload), mid, MANAGER))
        await clock.wait(done, timeout)
        self.waiting.pop(mid, None)
        return answer[0] if answer else None

    # ---- resources and events

    def register(self, prefix, app):
        """Register a URL prefix for an app. Refused, as WAMR does without a word, when somebody
        has it already.
        """
        count = 0
        for known, owner in self.resources:
            if known == prefix:
                return False
            count += owner is app
        if count >= self.config.max_resources or len(prefix) > 256:
            return False
        self.resources.insert(0, (prefix, app))
        return True

    def subscribe(self, url, app=None):
        """Subscribe an app, or the host, to an event."""
        if (url, app) in self.subscribers:
            return True
        if len([s for s in self.subscribers if s[1] is app]) >= self.config.max_subscriptions:
            return False
        self.subscribers.insert(0, (url, app))
        self.log("am_register_event adding url:(%s)" % to_text(url))
        return True

    def publish(self, event):
        """Bring an event (a Request with action EVENT) to all who subscribed exactly its URL,
        newest first.
        """
        data = None
        for url, app in self.subscribers:
            if url == event.url:
                data = data or event.pack()
                if app:
                    app.post(ON_REQUEST, data)
                else:
                    self.send(2, data)

    def forget(self, app):
        """Take back all registrations of an app."""
        self.resources = [r for r in self.resources if r[1] is not app]
        self.subscribers = [s for s in self.subscribers if s[1] is not app]
        if self.sensors:
            self.sensors.forget(app)

    def _handle_event(self, request, url):
        url = url[:_MAX_EVENT_URL]
        if url and request.action == PUT:
            self.subscribe(url)
        elif url and request.action == DELETE:
            if (url, None) in self.subscribers:
                self.subscribers.remove((url, None))
        else:
            self.fail(request.mid, "Handle event request failed.")
            return
        self.respond(request.mid, CONTENT)

    # ---- management, one job after the other

    def add_job(self, job):
        """Queue a request to /applet or an Install for the manager's task."""
        if len(self._jobs) < _QUEUE:
            self._jobs.append(job)
            self._wake.set()
        elif not isinstance(job, Request):
            job.discard()

    async def _work(self):
        try:
            await self._restore()
        except Exception as e:
            # Of the store, or no memory is left. Apps can still be removed.
            self.log("starting the installed apps failed: %s %s" % (type(e).__name__, e))
        self.restored = True
        if self.compiling:
            self.compiling.wake.set()
        while True:
            while self._jobs:
                job = self._jobs.pop(0)
                is_request = isinstance(job, Request)
                try:
                    if is_request:
                        await self._handle_applet(job)
                    else:
                        self._install(job)
                except Exception as e:
                    # Most likely there is no memory left. The next job may need less.
                    mid = job.mid if is_request else job.request.mid
                    job = None
                    try:
                        self.fail(mid, "Request failed: %s %s" % (type(e).__name__, e))
                    except MemoryError:
                        pass  # the host's timeout tells
                job = None
                if MICROPYTHON:
                    # While no code of an app runs: what an install leaves behind is large.
                    gc.collect()
            self._wake.clear()
            await self._wake.wait()

    def type_problem(self, name):
        """Why this module type cannot be installed: a text, "" for not to be answered at all, None
        if it can.
        """
        if name in self.config.types:
            return None
        if name in self.config.silent_types:
            return "Module type %s is not implemented." % name if self.config.answer_all else ""
        return "Applet Management failed: invalid module type."

    async def _handle_applet(self, request):
        url = request.url
        query = url[match(url, b"/applet") :]
        problem = None
        if request.action != GET:
            problem = self.type_problem((parameter(query, b"type") or b"wasm").decode())
        if request.action == GET:
            self._query(request, query)
        elif problem is not None:
            if problem:
                self.fail(request.mid, problem)
        elif request.action == PUT:
            if len(self.apps) >= self.config.max_apps:
                self.fail(request.mid, "Install Applet failed: exceed max app installations.")
            else:
                self.fail(request.mid, "Install Applet failed: invalid payload.")
        elif request.action == DELETE:
            await self._uninstall(request, query)
        else:
            self.fail(request.mid, "Invalid request of applet: invalid action")

    def _install(self, job):
        if self.compiling:
            # An install has the memory for itself.
            self.compiling.interrupt()
            gc.collect()
        app = job.run()
        if app:
            self._add(app)
            try:
                self.log("Install WASM app success!")
                self.respond(job.request.mid, CREATED)
                self._changed()
            finally:
                app.start()  # also if there is no memory to tell

    async def _uninstall(self, request, query):
        from wamr.apps.install import app_name

        name = app_name(query)
        app = self.find(name)
        error = None
        if not name:
            error = "invalid app name."
        elif not app:
            error = "no app found."
        elif (parameter(query, b"type") or b"wasm").decode() != app.settings["type"]:
            # A type that was not given means wasm to WAMR. Here it matters only when there is one.
            if parameter(query, b"type"):
                error = "invalid module type."
        if error:
            self.fail(request.mid, "Uninstall WASM app failed: " + error)
            return
        # Not installed any more from here on, whatever its code does now, and if the power fails.
        app.entry.remove()
        self.apps.remove(app)
        await app.shutdown()
        self.log("Uninstall WASM app successful!")
        self.respond(request.mid, DELETED)
        self._changed()
        for other in self.apps:
            other.compile()  # there may be room for it now

    def _query(self, request, query):
        name = parameter(query, b"name")
        if name:
            app = self.find(name[:126])
            if not app:
                self.fail(request.mid, "Query Applet failed: the app is not found.")
                return
        container = AttrContainer("Applets Info", self.config.dialect)
        details = parameter(query, b"details")
        if name:
            container.set("name", app.name, "string")
            container.set("heap", app.settings["heap"], "int32")
            self._describe(container, app, "", details)
        else:
            self._list(container, details)
        self.respond(request.mid, CONTENT, container.data, request.sender)

    def _list(self, container, details=None):
        if details:
            gc.collect()
            # (CPython does not tell.)
            free = gc.mem_free() if MICROPYTHON else 0
            used = gc.mem_alloc() if MICROPYTHON else 0
        container.set("num", len(self.apps), "int32")
        n = 0
        for app in self.apps:
            n += 1
            container.set("applet%d" % n, app.name, "string")
            container.set("heap%d" % n, app.settings["heap"], "int32")
            self._describe(container, app, str(n), details)
        if details:
            container.set("free", free, "int32")
            container.set("used", used, "int32")

    # More about an app than WAMR tells: always that it is disabled and why, the rest when asked
    # with `details=1`.
    def _describe(self, container, app, n, details):
        if details or app.state in ("disabled", "failed"):
            state = app.state + (": " + app.reason if app.reason else "")
            container.set("state" + n, state, "string")
        if details:
            figures = app.figures()
            for key in figures:
                kind = "string" if isinstance(figures[key], str) else "int32"
                container.set(key + n, figures[key], kind)

    # The event that WAMR promises to whoever watches the apps. Sent after the answer, and with the
    # payload that WAMR forgets.
    def _changed(self):
        for url, _ in self.subscribers:
            if url == _APPLETS:
                container = AttrContainer("All Applets", self.config.dialect)
                self._list(container)
                payload = bytes(container.data)
                self.send(2, Request(EVENT, _APPLETS, FMT_ATTR_CONTAINER, payload).pack())
                return
