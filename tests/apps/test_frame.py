"""The frame parser and the requests in the frames, with whatever comes over the link."""

from __future__ import annotations

import asyncio
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wamr.apps.packet import GET, INTERNAL_SERVER_ERROR, PUT, TOO_LARGE, Request
from wamr.link.frame import FrameReader, header

from . import wat
from .device import Device, frame, run

QUERY = frame(2, Request(GET, b"/applet", 99, b"", 5).pack())
FULL = os.environ.get("WAMR_FULL") == "1"


class Sink:
    """Notes what a FrameReader reports."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.aborted = 0
        self.kind, self.payload = 0, b""

    def begin(self, kind: int, length: int) -> bool:
        self.kind, self.payload = kind, b""
        return length < 1000000

    def data(self, view: memoryview) -> bool:
        self.payload += bytes(view)
        return False

    def end(self) -> None:
        self.frames.append((self.kind, self.payload))

    def abort(self) -> None:
        self.aborted += 1


@given(
    st.lists(st.tuples(st.integers(0, 99), st.binary(min_size=1, max_size=40)), max_size=8),
    st.lists(st.integers(1, 30)),
)
def test_any_pieces(frames: list[tuple[int, bytes]], pieces: list[int]) -> None:
    data = b"".join(header(kind, len(payload)) + payload for kind, payload in frames)
    sink = Sink()
    reader = FrameReader(sink)
    for n in [*pieces, len(data)]:
        reader.feed(data[:n])
        data = data[n:]
    assert sink.frames == frames
    assert not reader.busy


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\x12", b"\x12\x12", b"\x12\x00", b"hello\x12", b"\0\xff\x34", b"\x124\0\2" + bytes(4)],
)
def test_garbage_before_a_frame(garbage: bytes) -> None:
    sink = Sink()
    FrameReader(sink).feed(garbage + frame(2, b"abc"))
    assert sink.frames == [(2, b"abc")]


def test_reset_in_the_middle() -> None:
    sink = Sink()
    reader = FrameReader(sink)
    reader.feed(frame(2, b"abc")[:-1])
    assert reader.busy
    reader.reset()
    reader.feed(frame(2, b"def"))
    assert (sink.frames, sink.aborted) == ([(2, b"def")], 1)


def test_silence_in_a_frame_ends_it() -> None:
    async def main() -> None:
        async with Device(frame_timeout=2000) as device:
            assert await device.exchange(QUERY[:20], 1.0) == []
            # A pause that is short enough is none.
            assert len(await device.exchange(QUERY[20:])) == 1
            assert await device.exchange(QUERY[:20], 4.0) == []
            assert len(await device.exchange(QUERY)) == 1

    run(main())


def test_another_host_starts_anew() -> None:
    async def main() -> None:
        async with Device() as device:
            await device.exchange(QUERY[:-1], 0.1)
            await device.disconnect()
            device.connect()
            assert len(await device.exchange(QUERY)) == 1

    run(main())


def test_too_large() -> None:
    async def main() -> None:
        async with Device(max_request=100, max_install=1000) as device:
            (answer,) = await device.request(PUT, "/app/x/y", bytes(101), mid=9)
            assert (answer.status, answer.mid) == (TOO_LARGE, 9)
            for kind in (2, 4):
                (answer,) = await device.request(PUT, "/applet?name=x", bytes(5000), kind=kind)
                assert answer.status == TOO_LARGE
            (answer,) = await device.request(PUT, "/app/x/y", bytes(100))
            assert answer.status == INTERNAL_SERVER_ERROR
            # A length that nobody can mean, and no request behind it: the next frame counts.
            data = b"\x124\0\2\x7f\xff\xff\xff" + QUERY
            assert len(await device.exchange(data)) == 1

    run(main())


def mutated(rng: random.Random, frames: list[bytes]) -> bytes:
    data = bytearray(rng.choice(frames))
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(data))
        how = rng.randrange(4)
        if how == 0:
            data[at] = rng.randrange(256)
        elif how == 1:
            del data[at : at + rng.randrange(1, 9)]
        elif how == 2:
            data[at:at] = rng.randbytes(rng.randrange(1, 9))
        else:
            data[at] ^= 1 << rng.randrange(8)
        if not data:
            break
    return bytes(data)


def test_random_and_mutated_frames() -> None:
    rng = random.Random(1)
    frames = [
        QUERY,
        frame(4, Request(PUT, b"/applet?name=a&heap=300", 98, wat.COUNTER, 6).pack()),
        frame(2, Request(4, b"/applet?name=a", 99, b"", 7).pack()),
        frame(2, Request(PUT, b"/event/alert/x", 99, b"", 8).pack()),
        frame(2, Request(GET, b"/app/a/x", 99, bytes(30), 9).pack()),
        frame(2, Request(GET, b"/url", 0, b"payload", 10).pack()),
        frame(3, bytes(16)),
    ]

    async def main(count: int) -> int:
        async with Device(max_apps=2, max_request=4096) as device:
            for i in range(count):
                if rng.random() < 0.2:
                    data = rng.randbytes(rng.randrange(60))
                else:
                    data = mutated(rng, frames)
                device.stream.feed_data(data)
                if i % 4 == 3:
                    await asyncio.sleep(0.01)
                if i % 50 == 49:
                    # Whatever it takes for the rest of half a frame: after silence it is in step.
                    await asyncio.sleep(5)
                    device.frames()
                    (answer,) = await device.exchange(QUERY, 0.2)
                    assert answer[8:10] == b"\x01\x45"
                    assert not device.link.reader.busy
            return len(device.manager.apps)

    run(main(100000 if FULL else 20000))
