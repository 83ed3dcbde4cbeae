"""The built-in libc: what apps import from the module `env`.

Each function is fn(libc, instance, ...) in a file that is loaded when an app imports it:
functions.py says which.
"""

import sys


class Libc:
    """The namespace of module `env`: functions, and for emscripten's modules also memory, table
    and globals.

    stdout, stderr: where the app prints: a callable that takes bytes, or a stream; None is the
    console. What an app prints to stderr goes to `stdout` when only that is given. environment:
    see emscripten.py.
    """

    def __init__(self, stdout=None, stderr=None, environment=None):
        self.write = writer(stdout, "stdout")
        self.write_error = writer(stderr, "stderr") if stderr or not stdout else self.write
        self.environment = environment
        self.register = 0  # the upper half of 64-bit results in modules of 2019
        self.is_2019 = False  # whose variable arguments are not aligned

    def resolve(self, name, kind, type, module):
        if kind != "func":
            return self.environment.resolve(name, kind, type) if self.environment else None
        from wamr.libc.functions import find

        found = find(self, name, type)
        if found is None and name[:1] == "_":
            # C names as emscripten wrote them until 2019.
            found = find(self, name[1:], type)
            self.is_2019 |= name[-6:] == "printf"
        return found


def writer(stream, console):
    """A function that writes bytes to `stream`: a callable, a stream, or None for the console."""
    if callable(stream):
        return stream
    if stream is None:
        # Looked up at each call: tests and shells replace them.
        return lambda data: _write(getattr(sys, console, sys.stdout), data)
    return lambda data: _write(stream, data)


def _write(stream, data):
    try:
        # MicroPython's text streams take bytes, and its console makes "\r\n" of "\n".
        stream.write(data)
    except TypeError:
        stream.flush()
        raw = getattr(stream, "buffer", None)
        if raw:
            raw.write(data)
            raw.flush()
        else:
            stream.write(data.decode("utf-8", "replace"))
