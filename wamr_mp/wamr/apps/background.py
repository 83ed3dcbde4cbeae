"""wamr.serve_background(): the app manager behind the REPL of MicroPython."""

import asyncio
import asyncio.core as core
import sys

import machine
import micropython

from wamr.host import const
from wamr.apps import clock
from wamr.apps.serve import serve

# An event loop that has not moved for so long is not running: it was left with Ctrl-C, or one of
# its tasks is blocking it.
_STALLED_MS = const(1000)


def serve_background(period=20, timer=-1, **settings):
    """serve(**settings) behind the REPL, which stays as it is, also for mpremote.

    Every `period` ms the apps get a turn, while the REPL waits for input and between the
    instructions of what is run in it: from a machine.Timer (number `timer`), or, on boards without
    any, from a callback that calls itself, which slows down what runs in the foreground.
    """
    pump = _Pump(period, settings)
    core.create_task(serve(**settings))
    core.create_task(pump.beat())
    if hasattr(machine, "Timer"):
        pump.timer = machine.Timer(
            timer, period=period, mode=machine.Timer.PERIODIC, callback=pump.tick
        )
    else:
        pump.endless = True
        pump.tick(None)


class _Pump:
    endless = False
    # asyncio's current task when its loop was found standing still.
    stalled = None
    working = False
    stack = (None, 0, {})  # for machine code: what it interrupts may be about to use its own

    def __init__(self, period, settings):
        self.period = period
        self.settings = settings
        # Made once: on some boards a timer's callback is an interrupt, which may not allocate.
        self.turn = self.work
        self.last = self.alive = clock.ticks_ms()
        core.cur_task = None

    # Shows that the loop is running, whoever runs it.
    async def beat(self):
        while True:
            self.alive = clock.ticks_ms()
            if not self.working:
                self.stalled = None
            await asyncio.sleep_ms(self.period)

    def tick(self, _):
        try:
            micropython.schedule(self.turn, None)
        except RuntimeError:
            pass  # the last turn is not over yet

    # Where MicroPython has threads, a Ctrl-C may end the task that is at work here. It is an app's
    # in all likelihood; else all is started anew, as after a reset.
    def _revive(self, task):
        from wamr.apps.serve import manager

        core.cur_task = None
        for app in manager.apps:
            if app.task is task:
                app.revive()
                return
        core.create_task(serve(**self.settings))
        core.create_task(self.beat())

    async def _turn(self):
        await asyncio.sleep_ms(0)

    def work(self, _):
        now = clock.ticks_ms()
        running = core.cur_task
        # A loop of the user's own that is running gives the apps their turns, too.
        theirs = running and running is not self.stalled and now - self.alive < _STALLED_MS
        if not theirs and (not self.endless or now - self.last >= self.period):
            self.stalled = running
            self.working = True
            native = sys.modules.get("wamr.engine.native")
            if native:
                theirs = native.exchange(self.stack)
            try:
                core.run(self._turn())
            except KeyboardInterrupt:
                self._revive(core.cur_task)
            finally:
                core.cur_task = running
                if native:
                    self.stack = native.exchange(theirs)
                self.working = False
                self.last = clock.ticks_ms()
        if self.endless:
            micropython.schedule(self.turn, None)
