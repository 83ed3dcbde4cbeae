"""Timers: one task wakes up at the next expiry of any timer of any app."""

import asyncio

from wamr.apps import clock


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
            try:
                ms = self.fire()
                if ms == 0:
                    await asyncio.sleep(0)
                elif await clock.wait(self._changed, ms):
                    self._changed.clear()
            except MemoryError:
                await asyncio.sleep(0)  # there may be some when others have had their turn
