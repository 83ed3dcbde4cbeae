"""Machine code for installed apps, made in the background while they run."""

import asyncio
import gc

from wamr.engine import auto
from wamr.host import MICROPYTHON, const

# Bytes of memory that are left for messages and for what apps still allocate. (For an app that is
# to come, machine code gives way if need be.)
_RESERVE = const(16384)


class Compiling:
    """Compiles one app after the other, a piece in each turn of the event loop."""

    def __init__(self, manager):
        self._manager = manager
        self._waiting = []
        self.wake = asyncio.Event()
        self._build = None  # the work at hand

    def add(self, app):
        """Compile this app when its turn comes."""
        app.instance.reason = "waiting to be compiled"
        if app not in self._waiting:
            self._waiting.append(app)
        self.wake.set()

    async def run(self):
        # Booting has the board for itself.
        while True:
            while self._waiting and self._manager.restored:
                app = self._waiting.pop(0)
                if app.instance and not app.is_native():
                    await self._compile(app, app.instance)
                app = None
            self.wake.clear()
            await self.wake.wait()

    async def _compile(self, app, instance):
        build = None
        try:
            from wamr.compiler.build import Build

            instance.reason = auto.no_room(instance.module, _RESERVE)
            if instance.reason:
                return
            instance.reason = "being compiled"
            self._build = build = Build(instance.module, app.entry.code_path())
            while build.step():
                if MICROPYTHON:
                    # What others allocate, and keep, must not lie behind what a step leaves
                    # behind.
                    gc.collect()
                await asyncio.sleep(0)
                if self._build is not build:
                    self.add(app)  # interrupted
                    return
                if app.instance is not instance or app not in self._manager.apps:
                    return  # crashed, and loaded anew; or removed
            auto.use_native(instance)
        except Exception as e:
            instance.reason = auto.reason_of(e)
        finally:
            if build:
                build.close()
            else:
                from wamr.compiler import unload

                unload()
            self._build = None

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
