"""Timers: one task wakes up at the next expiry of any timer of any app."""

import asyncio

from . import clock


class Timers:
    """A list of what is due when. `fn(argument)` is called then; it must not wait."""

    def __init__(self):
        # [time, serial number, fn, argument], next first; equal times in the order they were armed
        self._due = []
        self._serial = 0
        self._changed = asyncio.Event()

    def arm(self, due, fn, argument):
        """Call fn(argument) at this time of clock.ticks_ms(). Returns what disarm() wants."""
        self._serial += 1
        entry = [due, self._serial, fn, argument]
        entries = self._due
        at = len(entries)
        while at and entries[at - 1][0] > due:
            at -= 1
        entries.insert(at, entry)
        if not at:
            self._changed.set()
        return entry

    def disarm(self, entry):
        if entry in self._due:
            self._due.remove(entry)

    def fire(self):
        """Do what is due. Returns the ms until the next, or None."""
        now = clock.ticks_ms()
        # What is armed meanwhile, with no time to wait, has its turn in the next call.
        n = 0
        while n < len(self._due) and self._due[n][0] <= now:
            n += 1
        expired = self._due[:n]
        del self._due[:n]
        for entry in expired:
            try:
                entry[2](entry[3])
            except MemoryError:
                pass  # this one is lost, as with a full queue
        return max(self._due[0][0] - now, 0) if self._due else None

    async def run(self):
        while True:
            ms = self.fire()
            if ms == 0:
                await asyncio.sleep(0)
            elif await clock.wait(self._changed, ms):
                self._changed.clear()


class AppTimers:
    """The timers of one app, numbered from 1. limit: how many may run at once (0: any number)."""

    # Stopped ones can be started again, so they are kept; of more than these the oldest stopped
    # are forgotten.
    _KEPT = 64

    def __init__(self, service, post, limit):
        self.service = service
        self.post = post
        self.limit = limit
        self.timers = {}  # id -> [interval, periodic, entry or None]
        self._last = 0

    def _running(self):
        return len([t for t in self.timers.values() if t[2]])

    def create(self, interval, periodic, start):
        """A new timer's id, or -1 when too many are running. interval: ms."""
        if self.limit and self._running() >= self.limit:
            return -1
        if len(self.timers) >= self._KEPT + self.limit:
            stopped = [n for n in self.timers if not self.timers[n][2]]
            if not stopped:
                return -1
            del self.timers[min(stopped)]
        self._last += 1
        self.timers[self._last] = [max(interval, 0), periodic, None]
        if start:
            self.restart(self._last, 0)
        return self._last

    def restart(self, number, interval):
        timer = self.timers.get(number)
        if timer:
            self.cancel(number)
            if interval > 0:
                timer[0] = interval
            timer[2] = self.service.arm(clock.ticks_ms() + timer[0], self._expired, number)

    def cancel(self, number):
        timer = self.timers.get(number)
        if timer and timer[2]:
            self.service.disarm(timer[2])
            timer[2] = None

    def destroy(self, number):
        self.cancel(number)
        self.timers.pop(number, None)

    def clear(self):
        for number in list(self.timers):
            self.destroy(number)

    def _expired(self, number):
        timer = self.timers[number]
        due = timer[2][0]
        timer[2] = None
        if timer[1]:
            # In step with the last expiry, unless a whole period was missed: those are not made up
            # for.
            now = clock.ticks_ms()
            step = timer[0] or 1
            due = due + step if due + step > now else now + step
            timer[2] = self.service.arm(due, self._expired, number)
        self.post(number)
