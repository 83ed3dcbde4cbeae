"""Loads and runs hostile modules, the same code on CPython and MicroPython.

Only the documented exceptions may come out of the runtime, and nothing may take long: everything
else is printed as `BAD number what`. Ends with `RESULT` and how often each end was seen.
"""
# ruff: noqa: UP031

import time

# Milliseconds that one module may take; fuel bounds what it can run.
SLOW_MS = 10000
FUEL = 3000

if hasattr(time, "ticks_ms"):
    ticks_ms = time.ticks_ms
else:

    def ticks_ms():
        return int(time.monotonic() * 1000)


class Anything:
    """A namespace that has whatever a module imports, as long as it is small."""

    def __init__(self, wamr):
        self.wamr = wamr

    def resolve(self, name, kind, type, module):
        wamr = self.wamr
        if kind == "func":
            results = type[1]
            if len(results) == 1 and results[0] > 0x70:
                return lambda *_: 1
            return (lambda *_: None) if len(results) < 2 else None
        if kind == "memory":
            return wamr.Memory(type[0], type[1], type[2]) if type[0] * type[2] < 200000 else None
        if kind == "table":
            return wamr.Table(type[0], type[1], type[2]) if type[1] < 1000 else None
        return wamr.Global(type[0], 0, type[1], [0 if type[0] > 0x70 else None])


class Namespaces:
    """The `imports` in which every module name is found."""

    def __init__(self, anything):
        self.anything = anything

    def get(self, name, default=None):
        return self.anything


class Runner:
    def __init__(self, wamr, scratch, engine, report=print):
        self.wamr = wamr
        self.engine = engine
        self.scratch = scratch  # name of a file that may be overwritten
        self.report = report
        self.namespaces = Namespaces(Anything(wamr))
        self.ends = {}
        self.expected = (
            wamr.CompileError,
            wamr.LinkError,
            wamr.Trap,
            wamr.Exit,
            MemoryError,
        )
        self.bad = 0

    def end(self, name):
        self.ends[name] = self.ends.get(name, 0) + 1

    def module(self, number, data):
        start = ticks_ms()
        try:
            self.run(data)
        except self.expected as error:
            self.end(type(error).__name__)
            if isinstance(error, self.wamr.CompileError):
                self.check_refusal(number, data, error)
        except Exception as error:
            self.complain(number, "%s: %s" % (type(error).__name__, error))
        spent = ticks_ms() - start
        if spent > SLOW_MS:
            self.complain(number, "took %d ms" % spent)

    # The error says what and where, and the same when the module is loaded from a file.
    def check_refusal(self, number, data, error):
        if type(error.offset) is not int or not 0 <= error.offset <= len(data) or not str(error):
            self.complain(number, "CompileError without message, or offset %s" % error.offset)
        with open(self.scratch, "wb") as file:
            file.write(data)
        try:
            self.wamr.Module(self.scratch)
            self.complain(number, "refused from memory, accepted from a file: %s" % error)
        except self.wamr.CompileError as other:
            if str(other) != str(error):
                self.complain(number, "from memory: %s; from a file: %s" % (error, other))

    def complain(self, number, what):
        self.bad += 1
        self.report("BAD %d %s" % (number, what))

    # Loads it, then calls every function it exports; a trap in one does not save it from the next.
    def run(self, data):
        wamr = self.wamr
        module = wamr.Module(data)
        self.end("valid")
        instance = wamr.Instance(
            module, self.namespaces, engine="portable", stack=4096, heap=1024, fuel=FUEL
        )
        self.end("instantiated")
        calls = 0
        for name, kind, _ in module.exports:
            if kind != "func" or calls == 8:
                continue
            calls += 1
            instance.fuel = FUEL
            params = instance.exports[name].type[0]
            args = [None if code <= 0x70 else (code * 2654435761) & 0xFFFFFFF for code in params]
            try:
                instance.call_raw(name, args)
                self.end("returned")
            except self.expected as error:
                self.end(type(error).__name__)

    def stream(self, stream):
        number = 0
        while True:
            size = stream.read(4)
            if not size:
                break
            self.module(number, stream.read(int.from_bytes(size, "little")))
            number += 1
        ends = ["%s=%d" % (name, self.ends[name]) for name in sorted(self.ends)]
        self.report("RESULT %d modules, %d bad: %s" % (number, self.bad, " ".join(ends)))


def main(path, scratch, engine):
    import wamr

    with open(path, "rb") as stream:
        Runner(wamr, scratch, engine).stream(stream)
