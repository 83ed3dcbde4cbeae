"""Runs a stream made by convert.py: the same code on CPython, the unix port and boards.

It prints one line per failure (`FAIL line message`) and per module that finds no memory
(`NOFIT line name`), and ends with `RESULT passed failed skipped not-fitting`, numbers of commands.
A command whose module did not fit counts as not fitting, never as passed.
"""
# ruff: noqa: UP031

import gc
import sys

MICROPYTHON = sys.implementation.name == "micropython"

_PRINTS = {
    "print": "()",
    "print_i32": "(i)",
    "print_i64": "(I)",
    "print_f32": "(f)",
    "print_f64": "(F)",
    "print_i32_f32": "(if)",
    "print_f64_f64": "(FF)",
}
# The bits, because 666.6 is not a float of every build.
_GLOBALS = {
    "global_i32": ("i32", 666),
    "global_i64": ("i64", 666),
    "global_f32": ("f32", 0x4426A666),
    "global_f64": ("f64", 0x4084D4CCCCCCCCCD),
}


def _nothing(*_):
    return None


class Spectest:
    """The suite's module `spectest`; each object is made when it is first asked for."""

    def __init__(self, wamr):
        self.wamr = wamr
        self.made = {}

    def resolve(self, name, kind, type, module):
        if name not in self.made:
            self.made[name] = self.make(name)
        return self.made[name]

    def make(self, name):
        if name in _PRINTS:
            return self.wamr.native(_PRINTS[name], _nothing)
        if name in _GLOBALS:
            valtype, bits = _GLOBALS[name]
            variable = self.wamr.Global(valtype)
            variable.cell[0] = bits
            return variable
        if name == "table":
            return self.wamr.Table("funcref", 10, 20)
        if name == "memory":
            return self.wamr.Memory(1, 2)
        return None


class Missing(MemoryError):
    """A module is not there because it found no memory, and was reported."""


class NotFitting:
    """Stands for such a module in the imports: who imports from it does not fit either."""

    def resolve(self, name, kind, type, module):
        raise Missing


class Extern:
    """A host object for the suite's `(ref.extern n)`; it is compared by identity."""


class Runner:
    def __init__(self, wamr, stream, report=print, engine="portable", **options):
        self.wamr = wamr
        self.stream = stream
        self.report = report
        self.options = dict(options, engine=engine)  # for Instance
        self.imports = {"spectest": Spectest(wamr)}
        # number: (name, Instance); None in its place if it failed, MemoryError if it did not fit
        self.slots = {}
        self.externs = {}
        self.counts = [0, 0, 0, 0]  # passed, failed, skipped, not fitting
        self.left = 0  # bytes of the record that are not read yet

    # Reading the stream

    def take(self, count):
        data = self.stream.read(count)
        while len(data) < count:
            more = self.stream.read(count - len(data))
            if not more:
                raise EOFError("the stream ends in the middle of a record")
            data += more
        self.left -= count
        return data

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def text(self):
        return str(self.take(self.number(2)), "utf-8")

    # (type code, bits or object); codes below 0x10 are classes of values
    def value(self):
        code = self.number(1)
        if code < 0x10:
            return code, None
        bits = self.number(8 if code in (0x7E, 0x7C) else 4)
        if code > 0x70:
            return code, bits
        if bits == 0xFFFFFFFF:
            return code, None
        if bits not in self.externs:
            self.externs[bits] = Extern()
        return code, self.externs[bits]

    def values(self):
        return [self.value() for _ in range(self.number(1))]

    # Running

    def run(self):
        if self.take(4) != b"WST1":
            raise ValueError("not a stream of the suite, or made by another version of convert.py")
        while True:
            operation = self.take(1)
            self.left = self.number(3)
            line = self.number(4)
            if operation == b"E":
                break
            if operation == b"F":
                self.imports.pop(self.text(), None)
            elif operation == b"D":
                self.slots.pop(self.number(2), None)
            else:
                self.counts[self.outcome(operation, line)] += 1
            while self.left:  # what a failed command did not read
                self.take(min(self.left, 256))
        total = self.number(4)
        if sum(self.counts) != total:
            raise ValueError("%d commands were run of %d" % (sum(self.counts), total))
        self.report("RESULT %d %d %d %d" % tuple(self.counts))
        return self.counts

    # The index in self.counts of how a command ended
    def outcome(self, operation, line):
        if operation == b"S":
            return 2
        try:
            problem = self.command(operation, line)
        except MemoryError:
            return 3
        except Exception as error:
            problem = "%s: %s" % (type(error).__name__, error)
        if not problem:
            return 0
        self.report("FAIL %d %s" % (line, problem))
        return 1

    # Runs a command and says what went wrong, or nothing
    def command(self, operation, line):
        if operation in b"VLU":
            return self.refused(operation, line)
        slot = self.number(2)
        if operation == b"M":
            name = self.text()
            self.slots[slot] = (name, None)
            try:
                self.slots[slot] = (name, self.instance(line, name))
            except MemoryError:
                self.slots[slot] = (name, MemoryError)
                raise
            return None
        name, instance = self.slots[slot]
        if operation == b"R":
            self.imports[self.text()] = NotFitting() if instance is MemoryError else instance
        if instance is MemoryError:
            raise MemoryError
        if instance is None:
            return "%s was not instantiated" % name
        if operation == b"R":
            return None
        try:
            return self.action(operation, instance, self.text())
        except MemoryError:
            self.report("NOFIT %d %s" % (line, name))
            raise

    def module(self):
        if MICROPYTHON:
            gc.collect()
        return self.wamr.Module(self.take(self.left))

    def instance(self, line, name):
        try:
            return self.wamr.Instance(self.module(), self.imports, **self.options)
        except Missing:
            raise
        except MemoryError:
            pass
        except self.wamr.LinkError as error:
            if not str(error).startswith("not enough memory"):
                raise
        self.report("NOFIT %d %s" % (line, name))
        raise MemoryError

    def action(self, operation, instance, field):
        if operation == b"G":
            got = [instance.exports[field].raw]
            return differs(self.values(), got) if self.left else None
        arguments = [bits for _, bits in self.values()]
        if operation != b"T":
            got = instance.call_raw(field, arguments)
            return differs(self.values(), got) if operation == b"I" else None
        text = self.text()
        try:
            got = instance.call_raw(field, arguments)
        except self.wamr.Trap as trap:
            return wrong_text(trap, text)
        return "returned %s, expected the trap: %s" % (got, text)

    # assert_invalid, assert_malformed, assert_unlinkable, assert_uninstantiable
    def refused(self, operation, line):
        name = self.text()
        text = self.text()
        size = self.left
        try:
            if operation == b"V":
                self.module()
            else:
                self.instance(line, name)
        except self.wamr.CompileError as error:
            if operation != b"V":
                return "CompileError: %s; expected: %s" % (error, text)
            if type(error.offset) is not int or not 0 <= error.offset <= size or not str(error):
                return "CompileError without a message or with the offset %s" % error.offset
            return None
        except self.wamr.LinkError as error:
            if operation == b"L" and str(error):
                return None
            return "LinkError: %s; expected: %s" % (error, text)
        except self.wamr.Trap as trap:
            return wrong_text(trap, text if operation == b"U" else "a refusal: " + text)
        return "%s was accepted; expected: %s" % (name, text)


def wrong_text(trap, text):
    return None if str(trap).startswith(text) else "trap: %s; expected: %s" % (trap, text)


# What is wrong with the results, or None
def differs(expected, got):
    if len(expected) != len(got):
        return "returned %d values, expected %d" % (len(got), len(expected))
    for i, (code, want) in enumerate(expected):
        if not same(code, want, got[i]):
            want = ANY[code] if code in ANY else shown(want)
            return "result %d is %s, expected %s" % (i, shown(got[i]), want)
    return None


# Classes of values: convert.py writes their codes.
ANY = {
    1: "nan:canonical",
    2: "nan:arithmetic",
    3: "nan:canonical",
    4: "nan:arithmetic",
    5: "a funcref",
    6: "an externref",
}


def shown(value):
    return hex(value) if type(value) is int else str(value)


def same(code, want, got):
    if code == 5 or code == 6:
        return got is not None
    if code == 0x70 or code == 0x6F:
        return got is want
    if type(got) is not int:
        return False
    if code == 1:
        return got & 0x7FFFFFFF == 0x7FC00000
    if code == 2:
        return got >> 32 == 0 and got & 0x7FC00000 == 0x7FC00000
    if code == 3:
        return got & 0x7FFFFFFFFFFFFFFF == 0x7FF8000000000000
    if code == 4:
        return got >> 64 == 0 and got & 0x7FF8000000000000 == 0x7FF8000000000000
    return got == want


# Runs one stream, which is a file of the PC; `options` go to every Instance.
def main(path, **options):
    import wamr

    try:
        import semihost

        stream = semihost.open(path)
        # Collect early: objects that stay are then not spread over the whole heap, where they
        # would leave no room in one piece for a memory of 64 KiB.
        gc.threshold(4096)
    except ImportError:
        stream = open(path, "rb")
    try:
        Runner(wamr, stream, **options).run()
    finally:
        stream.close()
