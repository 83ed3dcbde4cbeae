"""Machine code for installed apps, made in the background while they run."""

import asyncio
import gc

from wamr.engine import auto, portable
from wamr.host import MICROPYTHON, forget, os
from wamr.apps.manager import RESERVE


class Compiling:
    """Compiles one app after the other, a piece in each turn of the event loop."""

    def __init__(self, manager):
        self._manager = manager
        self._waiting = []
        self.wake = asyncio.Event()
        self._build = None  # the work at hand

    def add(self, app):
        """Compile this app next. The newest is the first: compiling takes more room than to load
        again what others had.
        """
        app.instance.reason = "waiting to be compiled"
        if app not in self._waiting:
            self._waiting.insert(0, app)
        self.wake.set()

    async def run(self):
        # Booting has the board for itself.
        while True:
            while self._waiting and self._manager.restored:
                app = self._waiting.pop(0)
                if app.instance and not app.is_native():
                    try:
                        await self._compile(app, app.instance)
                    except Exception:
                        pass  # not even to tidy up there was memory; the next may need less
                app = None
                # Now that the app has begun. What gives way now would do so again.
                self._manager.keep_reserve(False)
            self.wake.clear()
            await self.wake.wait()

    async def _compile(self, app, instance):
        build = None
        path = app.entry.code_path()
        try:
            if self._use_kept(instance, path):
                return
            instance.reason = auto.no_room(instance, RESERVE)
            if instance.reason:
                return
            from wamr.compiler.build import Build

            instance.reason = "being compiled"
            self._build = build = Build(instance.module, path)
            while build.step():
                if MICROPYTHON:
                    # What others allocate, and keep, must not lie behind what a step leaves
                    # behind.
                    gc.collect()
                await asyncio.sleep(0)
                if app.instance is not instance or app not in self._manager.apps:
                    return  # crashed, and loaded anew; or removed
                if self._build is not build:
                    self.add(app)  # interrupted
                    return
            auto.use_native(instance)
        except Exception as e:
            instance.reason = auto.reason_of(e)
        finally:
            self._build = None
            if build:
                build.close()
            else:
                from wamr.compiler import unload

                unload()
            if not [app for app in self._manager.apps if app.is_native()]:
                forget_native()
        if build and build.is_saved and not app.is_native():
            # There was no piece large enough; there may be when all else is gone.
            reason = instance.reason
            if not self._use_kept(instance, path):
                instance.reason = reason

    # Whether there is code on flash: it is used, or `instance.reason` says why not.
    def _use_kept(self, instance, path):
        try:
            kept = os.stat(path)[6] if path else 0
        except OSError:
            kept = 0
        if not kept:
            return False
        instance.reason = auto.no_room(instance, RESERVE, kept)
        if not instance.reason:
            if not auto.find(instance.module):
                return False
            auto.use_native(instance)
        return True

    def percent(self):
        """How far the work at hand is."""
        return 100 * self._build.done // max(self._build.total, 1) if self._build else 0

    def interrupt(self):
        """Free what the work at hand takes; it is begun anew later. Whether there was any."""
        build = self._build
        self._build = None
        if build:
            build.close()
        return build is not None


# Makes an instance run in the portable engine from its next call on. Calls that are under way go
# on as they began.
def give_up(instance):
    for index in instance._objects:
        if index >= 0:
            instance._objects[index].entry = 0  # where this function was, it will not be again
    portable.attach(instance)
    instance.engine = portable
    instance.reason = "not enough memory: its machine code gave way"
    instance.module.native = instance.native = None


# Frees what running machine code takes, when there is no instance that has some.
def forget_native():
    forget(
        "wamr.engine.native",
        "wamr.engine.cells",
        "wamr.engine.operations",
        "wamr.compiler.code",
        "wamr.compiler.context",
    )
