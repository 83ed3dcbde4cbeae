"""wamr.serve(): the app manager with its links, sensors and Python apps, for main.py."""

import asyncio
import sys

from ..host import MICROPYTHON, const
from ..link.stream import Link
from . import clock
from .manager import Manager

_CTRL_C = const(3)
_RETRY_MS = const(10000)

# The manager of the last serve(), for the REPL: wamr.apps.serve.manager.request("GET", …).
manager = None
_task = None


async def serve(
    uart=None,
    baudrate=115200,
    rxbuf=512,
    port=None,
    host=None,
    stream=None,
    path="apps",
    pool=0,
    sensors=None,
    apps=None,
    **settings,
):
    """Run the app manager until this task is cancelled.

    Where the host is; with none of these the console (USB), until Ctrl-C between frames:
    uart: number of a machine.UART, or one made already. baudrate: its speed. rxbuf: bytes that may
    wait in it while an app is being loaded or flash is written, where the board lets us choose.
    port: TCP port to listen on (WAMR's is 8888). host: "name:port" to connect to instead.
    stream: (reader, writer), asyncio streams.

    path: folder for the installed apps; None: they are kept in RAM only. pool: bytes to reserve
    for the apps' memory, see wamr.init(). sensors: dict of name -> driver, see sensors.py.
    apps: dict of name -> Python module, see python_app.py. settings: see config.py.
    """
    global manager
    if MICROPYTHON:
        await _replace()
    if pool:
        from ..pool import init

        init(pool)
    manager = new = Manager(_store(path), **settings)
    tasks = []
    console = uart is None and not port and not host and not stream
    try:
        if console:
            _ctrl_c(False)
        for name in sorted(sensors or ()):
            new.add_sensor(name, sensors[name])
        new.start()
        for name in sorted(apps or ()):
            new.add_module(name, apps[name])
        if uart is not None:
            tasks.append(asyncio.create_task(_serve_uart(new, uart, baudrate, rxbuf)))
        if port:
            # Each host has its own link; all get all that is meant for the host.
            client = _serve_client
            server = await asyncio.start_server(lambda r, w: client(new, r, w), "0.0.0.0", port)
            tasks.append(server)
        if host:
            tasks.append(asyncio.create_task(_serve_host(new, host)))
        if stream:
            tasks.append(asyncio.create_task(Link(new).run(*stream)))
        if console:
            link = Link(new)
            console = Console(link)
            await link.run(console, console)
        else:
            await asyncio.Event().wait()
    finally:
        if console:
            _ctrl_c(True)
        for task in tasks:
            # A server is closed, a task cancelled.
            getattr(task, "close" if hasattr(task, "close") else "cancel")()
        await new.stop()


# After a Ctrl-C asyncio still has all tasks, and would go on with them: a new serve() ends the
# last.
async def _replace():
    global _task
    if _task and not _task.done():
        _task.cancel()
        try:
            await _task
        except asyncio.CancelledError:
            pass
    _task = asyncio.current_task()


def _store(path):
    if path is not None:
        from .store import FileStore

        store = FileStore(path)
        try:
            store.load()
            return store
        except OSError as e:
            text = "wamr: no folder %s (%s): apps are kept in RAM, until the board restarts"
            print(text % (path, e))
    from .ram_store import RamStore

    return RamStore()


async def _serve_uart(manager, uart, baudrate, rxbuf):
    if not hasattr(uart, "write"):
        make = manager.machine().UART
        try:
            uart = make(uart, baudrate, rxbuf=rxbuf)
        except (TypeError, ValueError):
            uart = make(uart, baudrate)
    stream = asyncio.StreamReader(uart)
    while True:
        await Link(manager).run(stream, stream)
        # A UART does not end; if reading failed, try again.
        await clock.sleep_ms(1000)


async def _serve_client(manager, reader, writer):
    try:
        await Link(manager).run(reader, writer)
    finally:
        writer.close()


async def _serve_host(manager, host):
    name, _, port = host.rpartition(":")
    while True:
        try:
            reader, writer = await asyncio.open_connection(name, int(port))
        except OSError as e:
            manager.log("cannot connect to %s: %s" % (host, e))
            await clock.sleep_ms(_RETRY_MS)
            continue
        await _serve_client(manager, reader, writer)


# Frames may have any bytes in them: while the host is on the console, we look for Ctrl-C
# ourselves.
def _ctrl_c(interrupts):
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
