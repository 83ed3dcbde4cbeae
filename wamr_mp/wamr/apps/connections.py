"""The connections of one app: TCP, UDP and UART, opened as an attr_container says."""

import asyncio

from wamr.host import MICROPYTHON, close_stream, const
from wamr.apps import clock
from wamr.apps.attributes import get
from wamr.apps.manager import ON_CONNECTION

_PIECE = const(256)
_WAITING = const(2048)  # bytes that may wait to be sent over TCP
_POLL_MS = const(20)
_CONNECT_S = const(10)


class Connections:
    def __init__(self, app):
        self.app = app
        self._open = {}  # number -> Tcp, Udp or Uart
        self._last = 0

    async def open(self, name, args):
        """The number of a new connection, or -1. Data and its end (number, b"") are posted to the
        app.
        """
        app = self.app
        dialect = app.manager.config.dialect
        if len(self._open) >= app.manager.config.max_connections:
            return -1
        try:
            if name == b"TCP":
                connection = Tcp(get(args, "address", "", dialect), get(args, "port", 0, dialect))
                await asyncio.wait_for(connection.connect(), _CONNECT_S)
            elif name == b"UDP":
                connection = Udp(get(args, "bind port", 0, dialect))
            elif name == b"UART":
                device = get(args, "device", "", dialect)
                rate = get(args, "baudrate", 115200, dialect)
                device = int(device) if device.isdigit() else device
                connection = Uart(app.manager.machine().UART(device, rate))
            else:
                return -1
        except (
            OSError,
            ValueError,
            TypeError,
            ImportError,
            AttributeError,
            asyncio.TimeoutError,
        ) as e:
            app.manager.log("connection failed: %s" % e)
            return -1
        self._last += 1
        self._open[self._last] = connection
        connection.task = asyncio.create_task(self._receive(self._last, connection))
        return self._last

    async def _receive(self, number, connection):
        try:
            while True:
                data = await connection.receive()
                if not data:
                    break
                self.app.post(ON_CONNECTION, (number, data))
        except OSError:
            pass
        self.app.post(ON_CONNECTION, (number, b""))
        if self._open.pop(number, None):
            connection.close()

    def send(self, number, data):
        """How many bytes were taken, or -1. Does not wait."""
        connection = self._open.get(number)
        try:
            return connection.send(data) if connection else -1
        except OSError:
            return -1

    def configure(self, number, args):
        connection = self._open.get(number)
        if not isinstance(connection, Udp):
            return False
        dialect = self.app.manager.config.dialect
        connection.peer = (get(args, "address", "", dialect), get(args, "port", 0, dialect))
        return True

    def close_one(self, number):
        connection = self._open.pop(number, None)
        if connection:
            connection.task.cancel()
            connection.close()

    def close(self):
        for number in list(self._open):
            self.close_one(number)


class Tcp:
    def __init__(self, address, port):
        self.address = (address, port)
        self._out = b""
        self._sender = None

    async def connect(self):
        self._reader, self._writer = await asyncio.open_connection(*self.address)
        if MICROPYTHON:
            # Its asyncio leaves it to the first use to tell that nobody listens there.
            self._writer.s.send(b"")

    async def receive(self):
        return await self._reader.read(_PIECE)

    def send(self, data):
        data = data[: _WAITING - len(self._out)]
        if not data:
            return -1
        self._out += data
        if not self._sender:
            self._sender = asyncio.create_task(self._send())
        return len(data)

    async def _send(self):
        try:
            while self._out:
                data = self._out
                self._out = b""
                self._writer.write(data)
                await self._writer.drain()
        except OSError:
            pass  # the receiver will see it, too
        self._sender = None

    def close(self):
        if self._sender:
            self._sender.cancel()
        close_stream(self._writer)


class Udp:
    def __init__(self, port):
        import socket

        self.peer = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.bind(socket.getaddrinfo("0.0.0.0", port)[0][-1])
        except OSError:
            self._socket.close()
            raise

    async def receive(self):
        while True:
            try:
                data = self._socket.recv(2048)
                if data:
                    return data
            except OSError:
                pass  # nothing there
            await clock.sleep_ms(_POLL_MS)

    def send(self, data):
        import socket

        if not self.peer:
            return -1
        return self._socket.sendto(data, socket.getaddrinfo(*self.peer)[0][-1])

    def close(self):
        self._socket.close()


class Uart:
    def __init__(self, uart):
        self._uart = uart

    async def receive(self):
        while True:
            data = self._uart.read(_PIECE) if self._uart.any() else None
            if data:
                return data
            await clock.sleep_ms(_POLL_MS)

    def send(self, data):
        n = self._uart.write(data)
        return -1 if n is None else n

    def close(self):
        self._uart.deinit()
