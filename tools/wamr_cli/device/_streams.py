"""The ways to a device: a serial port, TCP, or a simulator in this process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from typing import Any

from wamr_cli.device._errors import ConnectError

TCP_PORT = 8888
_CONNECT_SECONDS = 5.0


class Stream:
    """Bytes to and from a device."""

    async def read(self) -> bytes:
        """Some bytes, at least one; b"" when the connection has ended."""
        raise NotImplementedError

    async def write(self, data: bytes) -> None:
        """Send bytes; returns when they have been taken. OSError when the connection has ended."""
        raise NotImplementedError

    async def drain(self) -> None:
        """Wait until what was written has left."""

    async def close(self) -> None:
        raise NotImplementedError


async def open_stream(address: str, baudrate: int = 115200) -> Stream:
    """Open the way to a device. ConnectError.

    address: `tcp://host[:port]`; `sim` or `sim:FOLDER`, a simulator in this process that keeps its
    flash in the folder; else a serial port, or any URL of pyserial.
    """
    if address.startswith("tcp://"):
        return await _open_tcp(address)
    if address == "sim" or address.startswith("sim:"):
        from wamr_sim.local import LocalStream

        return await LocalStream.open(address[4:])
    return await _open_serial(address, baudrate)


def tcp_address(address: str) -> tuple[str, int]:
    """Host and port of `tcp://host[:port]`. ConnectError."""
    host, colon, port = address[len("tcp://") :].rstrip("/").rpartition(":")
    if not colon:
        host, port = port, str(TCP_PORT)
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ConnectError(f"{address} is no address: write tcp://host:port")
    return host.strip("[]"), int(port)


# ---- TCP


class TcpStream(Stream):
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self) -> bytes:
        try:
            return await self._reader.read(4096)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def _open_tcp(address: str) -> TcpStream:
    host, port = tcp_address(address)
    try:
        opening = asyncio.open_connection(host, port)
        return TcpStream(*await asyncio.wait_for(opening, _CONNECT_SECONDS))
    except ConnectionRefusedError:
        raise ConnectError(
            f"nobody listens at {address}: start the device, or a simulator with "
            f"`wamr sim --listen {address}`"
        ) from None
    except (asyncio.TimeoutError, TimeoutError):
        raise ConnectError(
            f"no connection to {address} within {_CONNECT_SECONDS:g} s: check the address and the "
            "network"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConnectError(f"no connection to {address}: {reason}") from None


# ---- serial ports

# pyserial reads in a thread of its own: that works on every system, and with every kind of port.


class SerialStream(Stream):
    def __init__(self, port: Any) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._received: asyncio.Queue[bytes] = asyncio.Queue()
        self._ended = False
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    def _pump(self) -> None:
        try:
            while not self._ended:
                data = self._port.read(max(1, self._port.in_waiting))
                if data:
                    self._tell(data)
        # A port that vanishes or is closed makes pyserial stumble in different places.
        except (OSError, TypeError, ValueError, AttributeError):
            pass
        self._ended = True
        self._tell(b"")

    def _tell(self, data: bytes) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may be closed already
            self._loop.call_soon_threadsafe(self._received.put_nowait, data)

    async def read(self) -> bytes:
        return await self._received.get()

    async def write(self, data: bytes) -> None:
        if self._ended:
            raise OSError(errno.EPIPE, "the serial port is gone")
        await self._loop.run_in_executor(None, self._port.write, data)

    async def drain(self) -> None:
        await self._loop.run_in_executor(None, self._port.flush)

    async def close(self) -> None:
        self._ended = True
        with contextlib.suppress(OSError, AttributeError):
            self._port.cancel_read()
        await self._loop.run_in_executor(None, self._thread.join, 1.0)
        self._port.close()


async def _open_serial(address: str, baudrate: int) -> SerialStream:
    import serial

    def open_port() -> Any:
        return serial.serial_for_url(address, baudrate, timeout=0.5, exclusive=True)

    try:
        port = await asyncio.get_running_loop().run_in_executor(None, open_port)
    except (OSError, ValueError) as error:
        raise ConnectError(_serial_problem(address, error)) from None
    return SerialStream(port)


def _serial_problem(address: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    text = str(error)
    if number == errno.ENOENT or "FileNotFoundError" in text:
        return f"there is no port {address}: `wamr devices` lists the ports of this PC"
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"no permission to use {address}: become a member of its group "
            "(on most Linux systems `sudo usermod -aG dialout $USER`, then log in again)"
        )
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK) or "lock" in text:
        return f"{address} is in use by another program: close it and try again"
    if number == errno.ENOTTY or "Inappropriate ioctl" in text:
        return f"{address} is no serial port: `wamr devices` lists the ports of this PC"
    return f"cannot open {address}: {text}"
