"""An installed app of any kind: its queue, its task, and what becomes of it when it fails."""

import asyncio

from wamr.apps import clock
from wamr.apps.app_timers import AppTimers
from wamr.apps.manager import ON_TIMER

OVERFLOW = "message queue is full"


class Watchdog(Exception):
    """A handler computed for longer than the app's `wd`."""


class App:
    """The part that apps in wasm and in Python have in common.

    state: "new", "running", "ended" (a plain program that has returned), "dead" (no on_init, or it
    trapped), "failed" (could not be loaded), "disabled" (crashed too often); reason: why.
    overflow: messages lost because the queue was full.
    """

    def __init__(self, manager, entry, settings):
        self.manager = manager
        self.entry = entry
        self.settings = settings
        self.name = bytes([ord(c) for c in settings["name"]])
        self.id = 0
        self.state = "new"
        self.reason = ""
        self.overflow = 0
        self.crashes = settings.get("crashes", 0)
        self.connections = None  # made by the first connection
        # what its code has opened, for the functions of boards: objects, by number from 1
        self.handles = []
        self.timers = AppTimers(manager.timers, self._timer, settings["timers"])
        self._queue = []
        self._wake = asyncio.Event()
        self.ready = asyncio.Event()  # on_init is over
        self._ended = asyncio.Event()
        self.task = None
        self._started = 0
        if self.crashes >= manager.config.max_crashes:
            self.state = "disabled"
            self.reason = settings.get("reason", "")

    # ---- what kinds of apps differ in

    def load(self):
        """Make ready to run, or raise why not."""

    def unload(self):
        """Free what load() made."""

    def is_native(self):
        """Whether it has machine code."""
        return False

    def compile(self):
        """Have it compiled, if that is wanted and was not done."""

    async def on_init(self):
        """The first call. False: there is nothing to be called later."""

    async def deliver(self, kind, data):
        """Hand over one message."""

    async def on_destroy(self):
        """The last call."""

    def figures(self):
        """Numbers and texts for a detailed query."""
        return {"queue": len(self._queue), "lost": self.overflow, "crashes": self.crashes}

    # ---- the queue

    def post(self, kind, data):
        """Queue a message. A full queue loses it."""
        if self.state != "running":
            return
        if len(self._queue) < self.manager.config.queue_length:
            self._queue.append((kind, data))
            self._wake.set()
        else:
            if not self.overflow:
                self.manager.log("app %s: %s" % (self.settings["name"], OVERFLOW))
            self.overflow += 1

    def _timer(self, number):
        self.post(ON_TIMER, number)

    # ---- life

    def start(self):
        """Start the task that runs the app."""
        self.state = "running"
        self._ended.clear()
        self.task = asyncio.create_task(self._run())

    def revive(self):
        """Start anew: the task was ended from outside."""
        self._clean()
        self.unload()
        if self.state == "running" and self.manager.load(self):
            self.start()

    async def _run(self):
        try:
            while True:
                try:
                    self._started = clock.ticks_ms()
                    await self._serve()
                    break
                except Watchdog:
                    reason = "a handler ran for more than %d ms" % self.settings["wd"]
                except Exception as e:
                    reason = "%s %s" % (type(e).__name__, e)
                if not self._restart(reason):
                    break
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            pass
        finally:
            self._ended.set()

    async def _serve(self):
        self.manager.log("WASM app '%s' started" % self.settings["name"])
        ok = await self.on_init()
        self.ready.set()
        if ok is False:
            self._clean()
            return
        while self.state == "running":
            while self._queue and self.state == "running":
                kind, data = self._queue.pop(0)
                await self.deliver(kind, data)
                data = None
                # Also with messages waiting, others have their turn.
                await asyncio.sleep(0)
            self._wake.clear()
            if not self._queue and self.state == "running":
                await self._wake.wait()

    def end(self, state, reason=""):
        self.state = state
        self.reason = reason
        if reason:
            self.manager.log("app %s: %s" % (self.settings["name"], reason))

    # After a crash: True to run it again.
    def _restart(self, reason):
        self.crashed(reason, self._started)
        self._clean()
        self.unload()
        return self.state == "running" and self.manager.load(self)

    def crashed(self, reason, since):
        """Count a crash of this app, which has been running since then; disable it when it is one
        too many.
        """
        config = self.manager.config
        recent = clock.ticks_ms() - since < config.crash_window
        self.crashes = self.crashes + 1 if recent else 1
        if self.crashes >= config.max_crashes or config.on_watchdog == "disable":
            self.crashes = max(self.crashes, config.max_crashes)
            self.end("disabled", reason)
        else:
            self.manager.log("app %s: %s; restarted" % (self.settings["name"], reason))
        settings = dict(self.settings)
        settings["crashes"] = self.crashes
        settings["reason"] = reason
        from wamr.apps.store import StoreError

        try:
            self.entry.commit(settings)
            self.settings = settings
        except StoreError as e:
            self.manager.log(str(e))

    # Takes back everything that the app has registered or opened.
    def _clean(self):
        self.manager.forget(self)
        self.timers.clear()
        if self.connections:
            self.connections.close()
            self.connections = None
        for handle in self.handles:
            try:
                if hasattr(handle, "deinit"):
                    handle.deinit()
            except Exception as e:
                self.manager.log("app %s: %s" % (self.settings["name"], e))
        self.handles.clear()
        self._queue.clear()

    async def shutdown(self):
        """End the app: wait a moment for the handler at work, then on_destroy, then free
        everything.
        """
        running = self.state == "running"
        try:
            if running:
                self.state = "stopping"
                self._wake.set()
                if not await clock.wait(self._ended, self.manager.config.stop_grace):
                    self.task.cancel()
                    await self._ended.wait()
            if running or self.state == "dead":
                await self.on_destroy()
        finally:
            # Also when the manager is stopped meanwhile.
            if running:
                self.task.cancel()
            self._clean()
            self.unload()
            self.state = "ended"
