"""The host on the console, when there is nothing else: USB on most boards."""

import asyncio
import sys

from wamr.host import MICROPYTHON, const
from wamr.link.stream import Link

_CTRL_C = const(3)


async def serve_console(manager):
    """Serve the host until a Ctrl-C between frames, which ctrl_c() must have been told."""
    link = Link(manager)
    console = Console(link)
    await link.run(console, console)


def ctrl_c(interrupts):
    """Whether a Ctrl-C interrupts what runs. Frames may have any bytes in them: while the host is
    on the console, we look for it ourselves.
    """
    try:
        import micropython

        micropython.kbd_intr(_CTRL_C if interrupts else -1)
    except (ImportError, AttributeError):
        pass


class Console:
    """stdin and stdout as streams of bytes. A Ctrl-C between frames is the user's."""

    def __init__(self, link):
        self.link = link
        self._in = getattr(sys.stdin, "buffer", sys.stdin)
        self._out = getattr(sys.stdout, "buffer", sys.stdout)
        self._stream = asyncio.StreamReader(self._in) if MICROPYTHON else None

    async def readinto(self, data):
        # One at a time: to read more would wait for more.
        byte = await self._stream.read(1)
        if not byte:
            return 0
        if byte[0] == _CTRL_C and not self.link.reader.busy:
            raise KeyboardInterrupt
        data[0] = byte[0]
        return 1

    def write(self, data):
        self._out.write(data)

    async def drain(self):
        pass
