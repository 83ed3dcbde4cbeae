"""A device that runs the app manager: requests and answers, events, apps."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Union

from wamr.apps.packet import (
    FMT_ATTR_CONTAINER,
    FMT_RAW,
    Request,
    unpack_request,
    unpack_response,
)
from wamr.link.frame import INSTALL, REQUEST, RESPONSE, FrameReader, header

from wamr_cli.device._errors import (
    ConnectError,
    ConnectionLost,
    DeviceTimeout,
    Refused,
    WrongName,
)
from wamr_cli.device._packets import ACTIONS, Answer, Event
from wamr_cli.device._streams import Stream, open_stream
from wamr_cli.device._values import Value, Values, pack

# What a file is sent in; the progress is told after each.
_PIECE = 512
# A frame from a device that is longer than this is garbage that looks like one; so is one whose
# rest does not come.
_MAX_FRAME = 1 << 20
_FRAME_SECONDS = 2.0
_RECONNECT_SECONDS = 0.5
# What an installation may take at least: the device checks the whole module before it answers.
_INSTALL_SECONDS = 60.0

Progress = Callable[[int, int], None]
Payload = Union[Values, bytes, None]


@dataclass(frozen=True)
class App:
    """An installed app. heap: bytes for its malloc; details: what else the device told."""

    name: str
    heap: int
    state: str = "running"
    details: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Apps:
    """All installed apps, oldest first, and the device's memory in bytes (None: not told)."""

    apps: list[App]
    free: int | None = None
    used: int | None = None


class Device:
    """A device at an address: `/dev/ttyUSB0`, `COM3`, `tcp://host:port`, `sim`, `sim:FOLDER`.

    baudrate: of a serial port. timeout: seconds to wait for an answer. dialect: "B" or "A", how
    attr_containers are written (either is understood). reconnect: whether a lost connection is
    made again, with its subscriptions. Use it with `async with`, or connect() and close().
    """

    def __init__(
        self,
        address: str,
        *,
        baudrate: int = 115200,
        timeout: float = 5.0,
        dialect: str = "B",
        reconnect: bool = True,
        first_mid: int | None = None,
    ) -> None:
        self.address = address
        self.baudrate = baudrate
        self.timeout = timeout
        self.dialect = dialect
        self.reconnect = reconnect
        # The number that tells answers apart. Random, so that late answers to somebody before us
        # are not mistaken for ours.
        self._mids = itertools.count(random.getrandbits(30) if first_mid is None else first_mid)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._listeners: list[asyncio.Queue[Event | None]] = []
        self._subscribed: list[str] = []
        self._stream: Stream | None = None
        self._task: asyncio.Task[None] | None = None
        self._reader = FrameReader(_Frames(self._arrived))
        self._bytes = 0
        self._frames = 0
        self._last_byte = 0.0

    # ---- connection

    async def connect(self) -> Device:
        """Open the connection. ConnectError."""
        self._stream = await self._open()
        # Made here, where the event loop is: the constructor may be called outside of one.
        self._connected = asyncio.Event()
        self._writing = asyncio.Lock()
        self._connected.set()
        self._task = asyncio.ensure_future(self._run())
        return self

    async def _open(self) -> Stream:
        return await open_stream(self.address, self.baudrate)

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._stream:
            await self._stream.close()
            self._stream = None
        self._fail(ConnectionLost(f"the connection to {self.address} was closed"))
        self._end_listeners()

    async def __aenter__(self) -> Device:
        return await self.connect()

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def _run(self) -> None:
        """Receive; when the connection is lost, make it again."""
        while True:
            assert self._stream
            data = await self._stream.read()
            while data:
                self._bytes += len(data)
                now = asyncio.get_running_loop().time()
                if self._reader.busy and now - self._last_byte > _FRAME_SECONDS:
                    self._reader.reset()
                self._last_byte = now
                self._reader.feed(data)
                data = await self._stream.read()
            await self._stream.close()
            self._stream = None
            self._connected.clear()
            self._reader.reset()
            self._fail(ConnectionLost(f"the connection to {self.address} was lost"))
            if not self.reconnect:
                self._end_listeners()
                return
            while not self._stream:
                await asyncio.sleep(_RECONNECT_SECONDS)
                with contextlib.suppress(ConnectError):
                    self._stream = await self._open()
            self._connected.set()
            # The device may have been restarted, and not know any more who listens.
            for url in self._subscribed:
                await self._send(Request(ACTIONS["PUT"], _event_url(url), 99, b"", self._mid()))

    def _fail(self, error: Exception) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)
        self._waiting.clear()

    def _end_listeners(self) -> None:
        for queue in self._listeners:
            queue.put_nowait(None)

    # ---- packets

    def _arrived(self, kind: int, data: bytes) -> None:
        self._frames += 1
        if kind == RESPONSE:
            response = unpack_response(data)
            future = self._waiting.pop(response.mid, None) if response else None
            if future and not future.done():
                future.set_result(
                    Answer(
                        response.status,
                        response.fmt,
                        response.payload,
                        response.mid,
                        response.receiver,
                        self.dialect,
                    )
                )
        elif kind == REQUEST:
            request = unpack_request(data)
            if request:
                event = Event(
                    request.url.decode(errors="replace"),
                    request.fmt,
                    request.payload,
                    request.sender,
                    request.mid,
                    self.dialect,
                )
                for queue in self._listeners:
                    queue.put_nowait(event)

    def _mid(self) -> int:
        return next(self._mids) & 0x7FFFFFFF

    async def _send(
        self, request: Request, kind: int = REQUEST, progress: Progress | None = None
    ) -> None:
        packet = request.pack()
        async with self._writing:
            stream = self._stream
            if not stream:
                raise ConnectionLost(f"there is no connection to {self.address} any more")
            try:
                await stream.write(header(kind, len(packet)) + packet[:_PIECE])
                for start in range(_PIECE, len(packet), _PIECE):
                    if progress:
                        progress(start, len(packet))
                    await stream.write(packet[start : start + _PIECE])
                await stream.drain()
                if progress:
                    progress(len(packet), len(packet))
            except OSError as error:
                raise ConnectionLost(
                    f"the connection to {self.address} was lost: {error}"
                ) from None

    async def request(
        self,
        action: str,
        url: str,
        payload: Payload = None,
        *,
        fmt: int = FMT_ATTR_CONTAINER,
        timeout: float | None = None,
    ) -> Answer:
        """Send a request; the answer, whatever its status.

        action: GET, POST, PUT, DELETE or EVENT. url: of a resource, `/app/NAME/…`, `/applet…`.
        payload: a dict of values for an attr_container, or bytes as they are. timeout: seconds.
        DeviceTimeout, ConnectionLost.
        """
        data = payload if isinstance(payload, bytes) else b""
        if payload is not None and not isinstance(payload, bytes):
            data = pack(payload, "", self.dialect)
        return await self._exchange(
            Request(ACTIONS[action.upper()], url.encode(), fmt, data), timeout
        )

    async def _exchange(
        self,
        request: Request,
        timeout: float | None = None,
        kind: int = REQUEST,
        progress: Progress | None = None,
    ) -> Answer:
        seconds = self.timeout if timeout is None else timeout
        try:
            await asyncio.wait_for(self._connected.wait(), seconds)
        except asyncio.TimeoutError:
            raise ConnectionLost(
                f"there has been no connection to {self.address} for {seconds:g} s"
            ) from None
        request.mid = self._mid()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request.mid] = future
        before = self._bytes, self._frames
        try:
            await self._send(request, kind, progress)
            return await asyncio.wait_for(future, seconds)
        except asyncio.TimeoutError:
            raise DeviceTimeout(self._silence(request, seconds, before)) from None
        finally:
            self._waiting.pop(request.mid, None)
            if future.done() and not future.cancelled():
                future.exception()  # seen, even if sending failed first

    def _silence(self, request: Request, seconds: float, before: tuple[int, int]) -> str:
        """Why there may have been no answer, by what came instead."""
        text = f"no answer from {self.address} within {seconds:g} s: "
        serial = "://" not in self.address and not self.address.startswith("sim")
        if self._bytes > before[0] and self._frames == before[1]:
            return text + (
                "bytes came, but they make no sense; check the baud rate, and that this is not "
                "the port of the REPL"
                if serial
                else "what came are no frames; is this the port of an app manager?"
            )
        if not request.url.lstrip(b"/").startswith((b"applet", b"event/")):
            return text + (
                f"devices are silent when no app answers for {request.url.decode()}; `wamr ps` "
                "shows the apps, and whether the device is there at all"
            )
        rate = " and the baud rate" if serial else ""
        return text + f"check that the app manager (wamr.serve) is running there{rate}"

    async def _demand(self, what: str, *args: object, **options: object) -> Answer:
        answer = await self._exchange(*args, **options)  # type: ignore[arg-type]
        if not answer.ok:
            raise Refused(what, answer)
        return answer

    # ---- apps

    async def install(
        self,
        name: str,
        file: str | os.PathLike[str] | bytes,
        *,
        type: str = "wasm",
        heap: int | None = None,
        timers: int | None = None,
        watchdog: int | None = None,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Install an app from a file (or its bytes), and start it.

        heap: bytes for its malloc; timers: how many may run at once; watchdog: ms that a handler
        may take; what is None the device decides. progress(sent, total) is called while the file
        is sent; the timeout counts from then on. Refused, DeviceTimeout, ConnectionLost, OSError.
        """
        data = file if isinstance(file, bytes) else Path(file).read_bytes()
        url = _app_url(name)
        if type != "wasm":
            url += f"&type={type}"
        for key, value in (("heap", heap), ("timers", timers), ("wd", watchdog)):
            if value is not None:
                url += f"&{key}={value}"
        request = Request(ACTIONS["PUT"], url.encode(), FMT_RAW, data)
        kind = INSTALL if type == "wasm" else REQUEST
        seconds = max(self.timeout, _INSTALL_SECONDS) if timeout is None else timeout
        return await self._demand(f"{name} was not installed", request, seconds, kind, progress)

    async def uninstall(
        self, name: str, *, type: str | None = None, timeout: float | None = None
    ) -> Answer:
        """Remove an app. Refused, DeviceTimeout, ConnectionLost."""
        url = _app_url(name) + (f"&type={type}" if type else "")
        request = Request(ACTIONS["DELETE"], url.encode(), FMT_ATTR_CONTAINER)
        return await self._demand(f"{name} was not removed", request, timeout)

    async def apps(self, *, details: bool = False, timeout: float | None = None) -> Apps:
        """The installed apps; with details, the memory they take. Refused, DeviceTimeout."""
        url = "/applet?details=1" if details else "/applet"
        request = Request(ACTIONS["GET"], url.encode(), FMT_ATTR_CONTAINER)
        answer = await self._demand("the apps cannot be listed", request, timeout)
        values = answer.values
        apps = [_app(values, str(n + 1)) for n in reversed(range(int(values.get("num", 0))))]
        return Apps(apps, _number(values, "free"), _number(values, "used"))

    async def app(self, name: str, *, details: bool = False, timeout: float | None = None) -> App:
        """One app. Refused when it is not installed."""
        url = _app_url(name) + ("&details=1" if details else "")
        request = Request(ACTIONS["GET"], url.encode(), FMT_ATTR_CONTAINER)
        answer = await self._demand(f"no answer about {name}", request, timeout)
        return _app(answer.values, "")

    # ---- events

    async def subscribe(self, url: str, *, timeout: float | None = None) -> None:
        """Have an app's events sent to the host. The device compares the whole URL."""
        request = Request(ACTIONS["PUT"], _event_url(url), FMT_ATTR_CONTAINER)
        await self._demand(f"cannot listen to {url}", request, timeout)
        if url not in self._subscribed:
            self._subscribed.append(url)

    async def unsubscribe(self, url: str, *, timeout: float | None = None) -> None:
        if url in self._subscribed:
            self._subscribed.remove(url)
        request = Request(ACTIONS["DELETE"], _event_url(url), FMT_ATTR_CONTAINER)
        await self._demand(f"cannot stop listening to {url}", request, timeout)

    async def events(self) -> AsyncIterator[Event]:
        """All events that arrive from now on, until the device is closed. Those of earlier hosts'
        subscriptions come, too: to a device there is only one host.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            while True:
                event = await queue.get()
                if event is None:
                    return
                yield event
        finally:
            self._listeners.remove(queue)

    async def listen(self, *urls: str) -> AsyncIterator[Event]:
        """Subscribe to these events, give them as they come, unsubscribe at the end."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            for url in urls:
                await self.subscribe(url)
            while True:
                event = await queue.get()
                if event is None:
                    raise ConnectionLost(f"the connection to {self.address} was lost")
                if event.url in urls:
                    yield event
        finally:
            self._listeners.remove(queue)
            if self._connected.is_set() and self._stream:
                for url in urls:
                    with contextlib.suppress(DeviceTimeout, ConnectionLost, Refused):
                        await self.unsubscribe(url, timeout=1.0)


def _app_url(name: str) -> str:
    """WrongName for one that the query of a URL cannot have: there is no way to escape it."""
    if not name or "&" in name:
        raise WrongName(f"{name!r} cannot be an app's name: it must have characters, and no &")
    return f"/applet?name={name}"


def _event_url(url: str) -> bytes:
    return b"/event/" + url.encode()


def _number(values: dict[str, Value], key: str) -> int | None:
    value = values.get(key)
    return int(value) if isinstance(value, (int, float)) else None


def _app(values: dict[str, Value], n: str) -> App:
    """The app whose attributes end with `n`, which is "" in the answer about one app."""
    details: dict[str, Value] = {}
    for key, value in values.items():
        word = key[: len(key) - len(n)] if n else key
        is_own = word + n == key and word.isalpha()
        if is_own and word not in ("applet", "name", "heap", "state", "num", "free", "used"):
            details[word] = value
    name = str(values.get(f"applet{n}" if n else "name", ""))
    state = str(values.get(f"state{n}", "running"))
    return App(name, _number(values, f"heap{n}") or 0, state, details)


class _Frames:
    """Puts the pieces of frames together for a FrameReader."""

    def __init__(self, arrived: Callable[[int, bytes], None]) -> None:
        self._arrived = arrived
        self._kind = 0
        self._data = bytearray()

    def begin(self, kind: int, length: int) -> bool:
        self._kind = kind
        self._data = bytearray()
        return kind in (REQUEST, RESPONSE) and length <= _MAX_FRAME

    def data(self, view: memoryview) -> bool:
        self._data += view
        return False

    def end(self) -> None:
        self._arrived(self._kind, bytes(self._data))

    def abort(self) -> None:
        self._data = bytearray()
