"""The app manager on an emulated board: instructions for a request, and for an installed byte."""

from __future__ import annotations

from apps.wat import COUNTER
from board import ROOT, Board
from table import progress
from wamr.apps.packet import DELETE, GET, PUT, Request
from wamr.link.frame import INSTALL, REQUEST, header

# The host is a stream on the board itself: what it sends is there at once, and nothing is counted
# but the board's work from the first byte of a frame to the first of the answer. Apps are stored
# on the flash disk. A frame goes on with any bytes, which need no memory here: the machine code of
# an app gets what a board has.
HOST = """
import asyncio, gc, semihost, wamr

class Host:
    def __init__(self):
        self.there = asyncio.ThreadSafeFlag()
        self.answered = asyncio.Event()
        self.data = b""
        self.left = 0  # bytes of the frame that are still to come

    async def readinto(self, buf):
        if not self.left:
            await self.there.wait()
        n = min(len(buf), self.left)
        known = min(n, len(self.data))
        buf[:known] = self.data[:known]
        self.data = self.data[known:]
        self.left -= n
        return n

    def write(self, data):
        if data:
            self.end = semihost.virtual_ns()
            self.status = data[9]
            self.answered.set()

    async def drain(self):
        pass

    # The status, and what it took.
    async def ask(self, frame, padding):
        await asyncio.sleep_ms(50)
        gc.collect()
        self.answered.clear()
        self.data = memoryview(frame)
        self.left = len(frame) + padding
        start = semihost.virtual_ns()
        self.there.set()
        await self.answered.wait()
        return self.status, self.end - start

async def main():
    host = Host()
    serving = asyncio.create_task(wamr.serve(stream=(host, host), log=None, engine={engine!r}))
    for frame, padding in {frames!r}:
        status, took = await host.ask(frame, padding)
        print(status, took)
        if status >= 128:
            break
    serving.cancel()

asyncio.run(main())
"""
PADDING = 32768
REQUESTS = 3
COLUMNS = ("request", "install", "further byte")


def samples() -> dict[str, tuple[bytes, str]]:
    """Name -> an app and the URL that it answers."""
    path = ROOT / "apps" / "room_temp" / "room_temp.wasm"
    return {"counter": (COUNTER, "/url"), "room_temp": (path.read_bytes(), "/room_temp")}


def frame(action: int, url: str, payload: bytes = b"", padding: int = 0) -> tuple[bytes, int]:
    """A frame without its last bytes, and how many these are."""
    packet = Request(action, url.encode(), 0, payload + bytes(padding), 1).pack()
    whole = header(INSTALL if payload else REQUEST, len(packet)) + packet
    return whole[: len(whole) - padding], padding


def measure(board: str) -> dict[str, dict[str, float]]:
    """For each app and engine the instructions for a request, the mean of some; for installing the
    app; and for each byte of a file that is only received and stored.
    """
    found = {}
    for name, (app, url) in samples().items():
        for engine in ("portable", "native"):
            progress(f"{board}: {name} {engine}")
            with Board(board, icount=True) as device:
                found[f"{name}, {engine}"] = one(device, app, url, engine)
    return found


def one(device: Board, app: bytes, url: str, engine: str) -> dict[str, float]:
    # A custom section, which is stored, and skipped when the app is loaded.
    size = bytes((PADDING & 0x7F | 0x80, PADDING >> 7 & 0x7F | 0x80, PADDING >> 14))
    name = "/applet?name=app"
    frames = [
        frame(PUT, name, app),
        frame(DELETE, name),
        frame(PUT, name, app + b"\0" + size + b"\x01-", PADDING - 2),
        *[frame(GET, url)] * (1 + REQUESTS),
    ]
    output = device.exec(HOST.format(engine=engine, frames=frames), timeout_s=600)
    statuses, took = zip(*(map(int, line.split()) for line in output.splitlines()))
    if statuses != (65, 66, 65) + (69,) * (1 + REQUESTS):
        raise ValueError(f"unexpected answers: {output}")
    return dict(
        zip(
            COLUMNS,
            (
                sum(took[4:]) / REQUESTS,  # but the first, which loads what is still missing
                took[0],
                (took[2] - took[0]) / PADDING,
            ),
        )
    )
