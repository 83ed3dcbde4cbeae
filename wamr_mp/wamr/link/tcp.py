"""Hosts over TCP, of which either end may be the server."""

import asyncio

from wamr.apps import clock
from wamr.host import close_stream, const
from wamr.link.stream import Link

_RETRY_MS = const(10000)


async def serve_port(manager, port):
    """Listen for hosts: the asyncio server. Each host has its own link; all get all that is meant
    for the host.
    """
    return await asyncio.start_server(lambda r, w: _serve(manager, r, w), "0.0.0.0", port)


async def serve_host(manager, host):
    """Connect to the host at "name:port", and again whenever the connection is lost."""
    name, _, port = host.rpartition(":")
    while True:
        try:
            reader, writer = await asyncio.open_connection(name, int(port))
        except OSError as e:
            manager.log("cannot connect to %s: %s" % (host, e))
            await clock.sleep_ms(_RETRY_MS)
            continue
        await _serve(manager, reader, writer)


async def _serve(manager, reader, writer):
    try:
        await Link(manager).run(reader, writer)
    finally:
        close_stream(writer)
