"""A link over any byte stream: frames in, frames out."""

import asyncio

from wamr.apps import clock
from wamr.apps.intake import Intake
from wamr.host import MICROPYTHON, const
from wamr.link.frame import FrameReader, header

_PIECE = const(256)
# Frames that wait for the host; more are lost, as all are when nobody listens.
_QUEUE = const(50)


class Link:
    """The host's end of a manager. run() it with one stream after the other: the state of the last
    one is forgotten.
    """

    def __init__(self, manager):
        self.manager = manager
        self.reader = FrameReader(Intake(manager))
        self.lost = 0
        self._out = []
        self._writer = None  # while there is a host
        self._sender = None  # the task that sends, while there is something to send

    def send(self, kind, payload):
        """Queue a frame for the host."""
        if not self._writer:
            return
        if len(self._out) >= _QUEUE:
            self.lost += 1
            return
        self._out.append((kind, payload))
        if not self._sender:
            self._sender = asyncio.create_task(self._send())

    async def run(self, reader, writer):
        """Serve until the stream ends. reader, writer: asyncio streams."""
        manager = self.manager
        self.reader.reset()
        self._out.clear()
        self._writer = writer
        manager.links.append(self)
        try:
            await self._receive(reader)
        except OSError:
            pass
        finally:
            self._writer = None
            manager.links.remove(self)
            if self._sender:
                self._sender.cancel()
                self._sender = None
            self.reader.reset()

    async def _receive(self, stream):
        # Half a frame, and then two waits in vain: its rest is not coming. (After one, bytes may
        # have arrived while an app was being loaded.) Only then the reading is given up, so that
        # no wait is spent otherwise.
        manager = self.manager
        data = bytearray(_PIECE)
        watch = asyncio.create_task(self._watch())
        self._fed = False
        try:
            while True:
                if MICROPYTHON:
                    n = await stream.readinto(data)
                    if n is None:
                        continue  # a UART that has nothing
                    piece = memoryview(data)[:n]
                else:
                    piece = await stream.read(_PIECE)
                if not piece:
                    return
                self._fed = True
                try:
                    self.reader.feed(piece)
                except Exception as e:
                    # Most likely there was no memory for it. The link must live on.
                    self.reader.reset()
                    manager.log("request lost: %s %s" % (type(e).__name__, e))
        finally:
            watch.cancel()

    async def _watch(self):
        silent = 0
        while True:
            await clock.sleep_ms(self.manager.config.frame_timeout // 2)
            silent = 0 if self._fed or not self.reader.busy else silent + 1
            self._fed = False
            if silent == 2:
                self.reader.reset()

    async def _send(self):
        writer = self._writer
        while self._out:
            kind, payload = self._out.pop(0)
            try:
                # Small frames in one write: over TCP a second one would wait for the first to be
                # acknowledged.
                head = header(kind, len(payload))
                if len(payload) <= _PIECE:
                    head += payload
                    payload = b""
                writer.write(head)
                writer.write(payload)
                await writer.drain()
            except OSError:
                self._writer = None  # the reader will see it, too
                self._out.clear()
            except MemoryError:
                self.lost += 1
            payload = head = None
            await clock.sleep_ms(self.manager.config.frame_pause)
        self._sender = None
