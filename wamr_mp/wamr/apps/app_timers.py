"""The timers of one app."""

from wamr.apps import clock


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
