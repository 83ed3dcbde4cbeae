"""wamr.serve(): the app manager with its links, sensors and Python apps, for main.py."""

import asyncio

from wamr.host import MICROPYTHON
from wamr.link.stream import Link
from wamr.apps import clock
from wamr.apps.manager import Manager

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
        from wamr.pool import init

        init(pool)
    manager = new = Manager(_store(path), **settings)
    tasks = []
    console = uart is None and not port and not host and not stream
    if console:
        from wamr.link.console import ctrl_c, serve_console
    try:
        for name in sorted(sensors or ()):
            new.add_sensor(name, sensors[name])
        if console:
            ctrl_c(False)  # before hosts are told that somebody listens
        new.start()
        for name in sorted(apps or ()):
            new.add_module(name, apps[name])
        if port:
            from wamr.link.tcp import serve_port

            tasks.append(await serve_port(new, port))
        if host:
            from wamr.link.tcp import serve_host

            tasks.append(asyncio.create_task(serve_host(new, host)))
        if stream:
            tasks.append(asyncio.create_task(Link(new).run(*stream)))
        if console:
            await serve_console(new)
        elif uart is not None:
            await _serve_uart(new, uart, baudrate, rxbuf)
        else:
            await asyncio.Event().wait()
    finally:
        if console:
            ctrl_c(True)
        for task in tasks:
            # A server is closed, a task cancelled.
            getattr(task, "close" if hasattr(task, "close") else "cancel")()
        await new.stop()
        await asyncio.sleep(0)  # a server closes its socket in its own task


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
        from wamr.apps.store import FileStore

        store = FileStore(path)
        try:
            store.load()
            return store
        except OSError as e:
            text = "wamr: no folder %s (%s): apps are kept in RAM, until the board restarts"
            print(text % (path, e))
    from wamr.apps.ram_store import RamStore

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
