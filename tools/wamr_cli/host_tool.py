"""`host_tool`: takes the options of WAMR's tool of this name, and answers in its words and exit
codes, for scripts that were written for it. `wamr` is the command for people.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wamr.apps.packet import (
    DELETE,
    FMT_ATTR_CONTAINER,
    FMT_RAW,
    GET,
    POST,
    PUT,
    Request,
    Response,
    unpack_request,
    unpack_response,
)
from wamr.link.frame import INSTALL, REQUEST, RESPONSE, FrameReader, header

from wamr_cli import cjson
from wamr_cli.device import ConnectError, Stream, open_stream
from wamr_cli.device._device import _Frames
from wamr_cli.getopt_long import OPTIONAL, REQUIRED, Option, OptionError, options

_FAILED = 255
_TIMEOUT = 2
_MAX_URL = 254  # what its buffer holds of a URL with a name; with parameters one more
_MAX_HEADER = 255

_OPTIONS = (
    Option("i", "install", REQUIRED),
    Option("u", "uninstall", REQUIRED),
    Option("q", "query", OPTIONAL),
    Option("r", "request", REQUIRED),
    Option("s", "register", REQUIRED),
    Option("d", "deregister", REQUIRED),
    Option("t", "timeout", REQUIRED),
    Option("a", "alive", REQUIRED),
    Option("o", "output", REQUIRED),
    Option("U", "udp", REQUIRED),
    Option("A", "action", REQUIRED),
    Option("f", "file", REQUIRED),
    Option("p", "payload", REQUIRED),
    Option("type", "type", REQUIRED),
    Option("heap", "heap", REQUIRED),
    Option("timers", "timers", REQUIRED),
    Option("wd", "watchdog", REQUIRED),
    Option("S", "address", REQUIRED),
    Option("P", "port", REQUIRED),
    Option("D", "uart_device", REQUIRED),
    Option("B", "baudrate", REQUIRED),
    Option("h", "help", REQUIRED),
)
_ACTIONS = {"PUT": PUT, "GET": GET, "DELETE": DELETE, "POST": POST}
# Options that belong to one operation, and must come behind it.
_BELONGS = {"A": "r", "p": "r", "f": "i", "heap": "i", "timers": "i", "wd": "i"}

_USAGE = """
Usage: host_tool OPERATION [OPTION...]

Operations, one of them, before its options:
  -i, --install NAME -f FILE      install the app in FILE
        [--type=TYPE] [--heap=BYTES] [--timers=N] [--watchdog=MS]
  -u, --uninstall NAME            remove an app [--type=TYPE]
  -q[NAME], --query[=NAME]        list all apps, or one
  -r, --request URL -A ACTION     send a request (PUT, GET, DELETE, POST)
        [-p FILE]                 with the JSON object in FILE
  -s, --register URL              subscribe to an event, print events
  -d, --deregister URL            end a subscription

Options:
  -S, --address ADDRESS           IPv4 address of the device (127.0.0.1)
  -P, --port PORT                 TCP port (8888)
  -D, --uart DEVICE               serial port instead of TCP (/dev/ttyS2)
  -B, --baudrate RATE             of the serial port (115200)
  -t, --timeout MS                for an answer (5000)
  -a, --alive MS                  go on listening after the answer (0)
  -o, --output FILE               append all output to FILE, too
  -U, --udp PORT                  send all output to this local UDP port, too
  -h                              show this

The exit code is the status of the answer; 2: no answer in time; 255: nothing
was sent.
"""


class UsageError(Exception):
    pass


@dataclass
class Arguments:
    """What the command line says. operation: i u q r s d."""

    operation: str = "i"
    target: str | None = None
    file: str | None = None
    action: int = 0
    payload: str | None = None
    type: str | None = None
    heap: int = 0
    timers: int = 0
    wd: int = 0
    address: str = "127.0.0.1"
    port: int = 8888
    device: str | None = None
    baudrate: int = 115200
    timeout: int = 5000
    alive: int = 0
    output: str | None = None
    udp: int = -1


def parse(args: Sequence[str]) -> Arguments:
    """The command line, by the rules of the C tool. UsageError, OptionError."""
    found = Arguments()
    operation = ""
    connection = False
    for letter, value in options(args, _OPTIONS):
        text = value or ""
        if letter in "iuqrsd":
            if operation:
                raise UsageError
            # A query does not count: another operation may follow, and takes its place.
            operation = "" if letter == "q" else letter
            found.operation = letter
            found.target = value
        elif letter in _BELONGS and operation != _BELONGS[letter]:
            raise UsageError
        elif letter == "f":
            found.file = value
        elif letter == "A":
            found.action = _ACTIONS.get(text.upper(), 0)
        elif letter == "p":
            found.payload = value
        elif letter == "type":
            if found.operation in "iu":
                found.type = value
        elif letter in "SD":
            if connection:
                raise UsageError
            connection = True
            if letter == "S":
                found.address = text
            else:
                found.device = value
        elif letter == "o":
            found.output = value
        elif letter == "h":
            raise UsageError
        else:
            name = {
                "t": "timeout",
                "a": "alive",
                "U": "udp",
                "P": "port",
                "B": "baudrate",
            }.get(letter, letter)
            setattr(found, name, _atoi(text))
    is_complete = {
        "i": found.file is not None and found.target is not None,
        "q": True,
        "r": found.target is not None and found.action > 0,
    }.get(found.operation, found.target is not None)
    if not is_complete:
        raise UsageError
    return found


def _atoi(text: str) -> int:
    digits = re.match(r"\s*[+-]?\d+", text)
    return int(digits.group()) if digits else 0


def request_of(args: Arguments, mid: int, dialect: str) -> tuple[int, Request] | None:
    """The frame's type and the request; None when a file cannot be used."""
    target = os.fsencode(args.target or "")
    parameters = f"&type={args.type}" if args.type is not None else ""
    if args.operation == "i":
        for name, value in (("heap", args.heap), ("timers", args.timers), ("wd", args.wd)):
            if value > 0:
                parameters += f"&{name}={value}"
        url = (b"/applet?name=" + target)[:_MAX_URL] + parameters.encode()
        try:
            data = Path(args.file or "").read_bytes()
        except OSError:
            return None
        kind = INSTALL if args.type in (None, "wasm") else REQUEST
        return kind, Request(PUT, url[: _MAX_URL + 1], FMT_RAW, data, mid)
    if args.operation == "u":
        url = (b"/applet?name=" + target)[:_MAX_URL] + parameters.encode()
        return REQUEST, Request(DELETE, url[: _MAX_URL + 1], FMT_ATTR_CONTAINER, b"", mid)
    if args.operation == "q":
        url = b"/applet" if args.target is None else (b"/applet?name=" + target)[:_MAX_URL]
        return REQUEST, Request(GET, url, FMT_ATTR_CONTAINER, b"", mid)
    if args.operation == "r":
        payload: bytes | None = b""
        if args.payload is not None:
            try:
                payload = cjson.container_of(Path(args.payload).read_bytes(), dialect)
            except OSError:
                payload = None
            if payload is None:
                return None
        return REQUEST, Request(args.action, target, FMT_ATTR_CONTAINER, payload, mid)
    action, url = DELETE, b"/event/" + target
    if args.operation == "s":
        action = PUT
        if target[:1] == b"/":
            url = b"/event" + target
    return REQUEST, Request(action, url, FMT_ATTR_CONTAINER, b"", mid)


class _Tool:
    """One run: a request, then what comes until it is time to end."""

    def __init__(self, args: Arguments, dialect: str) -> None:
        self._args = args
        self._dialect = dialect
        self._frames: list[tuple[int, bytes]] = []
        self._reader = FrameReader(_Frames(lambda kind, data: self._frames.append((kind, data))))
        self._stream: Stream | None = None
        self._reading: asyncio.Task[bytes] | None = None

    async def run(self) -> int:
        args = self._args
        mid = random.getrandbits(31)
        if not await self._open():
            return _FAILED
        assert self._stream
        try:
            made = request_of(args, mid, self._dialect)
            if not made:
                return _FAILED
            kind, request = made
            packet = request.pack()
            try:
                await self._stream.write(header(kind, len(packet)) + packet)
            except OSError:
                return _FAILED
            return await self._receive(mid)
        finally:
            if self._reading:
                self._reading.cancel()
            if self._stream:
                await self._stream.close()

    async def _open(self) -> bool:
        args = self._args
        address = args.device or f"tcp://{args.address}:{args.port}"
        try:
            if not args.device:
                socket.inet_aton(args.address)  # a number: names are not looked up
            self._stream = await open_stream(address, args.baudrate)
        except (ConnectError, OSError):
            return False
        return True

    async def _receive(self, mid: int) -> int:
        """Time is looked at about once a second, so waits end at whole ones."""
        args = self._args
        is_event_mode = args.operation in "sd"
        status: int | None = None
        elapsed = 0.0
        checked = time.monotonic()
        while True:
            now = time.monotonic()
            elapsed += (now - checked) * 1000
            checked = now
            if status is None:
                if elapsed >= args.timeout & 0xFFFFFFFF:
                    self._print(b"operation timeout\n")
                    return _TIMEOUT
            elif elapsed >= args.alive & 0xFFFFFFFF:
                return status
            if not self._frames and not await self._wait():
                continue
            if not self._frames:
                continue
            kind, data = self._frames.pop(0)
            if kind == RESPONSE:
                response = unpack_response(data)
                if response and response.mid == mid:
                    status = response.status
                    self._show(b"\nresponse status %d\n" % status, response)
                    if is_event_mode:
                        elapsed = 0.0
                        checked = time.monotonic()
            elif is_event_mode:
                event = unpack_request(data)
                if event:
                    head = b"\nreceived an event " + event.url.partition(b"\0")[0] + b"\n"
                    self._show(head[:_MAX_HEADER], event)

    async def _wait(self) -> bool:
        """Up to a second for some bytes. When the connection is lost, make it anew."""
        if not self._stream and not await self._open():
            await asyncio.sleep(1)
            return False
        assert self._stream
        if not self._reading:
            self._reading = asyncio.ensure_future(self._stream.read())
        done, _ = await asyncio.wait((self._reading,), timeout=1)
        if not done:
            return False
        data = self._reading.result()
        self._reading = None
        if data:
            self._reader.feed(data)
        else:
            await self._stream.close()
            self._stream = None
            self._reader.reset()
        return bool(data)

    def _show(self, head: bytes, packet: Request | Response) -> None:
        self._print(head)
        if packet.fmt == FMT_ATTR_CONTAINER and packet.payload:
            text = cjson.show_container(packet.payload, self._dialect)
            if text is not None:
                self._print(text)

    def _print(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        if self._args.output is not None:
            with contextlib.suppress(OSError), open(self._args.output, "ab") as file:
                file.write(data)
        if 0 < self._args.udp < 65535:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                with contextlib.suppress(OSError):
                    udp.sendto(data, ("127.0.0.1", self._args.udp))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; returns the exit code."""
    try:
        args = parse(sys.argv[1:] if argv is None else argv)
    except (UsageError, OptionError) as error:
        if isinstance(error, OptionError):
            print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        print(_USAGE, end="")
        return _FAILED
    if argv is None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    dialect = "A" if os.environ.get("WAMR_DIALECT") == "A" else "B"
    return asyncio.run(_Tool(args, dialect).run())


if __name__ == "__main__":
    sys.exit(main())
