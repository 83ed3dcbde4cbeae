"""The exceptions of the public API: what a caller can do about it decides the class."""


class CompileError(Exception):
    """The module is malformed or invalid. `offset` is the byte of the file it was seen at."""

    offset = 0


class LinkError(Exception):
    """An import is missing or does not fit, or a limit of the host is exceeded."""


class Trap(Exception):
    """Execution was stopped; str() is the specification's text.

    `backtrace` lists (function index, name or None, file offset), innermost call first.
    """

    backtrace = ()


class Exit(Exception):
    """The app asked to end: exit() or proc_exit(). `code` is its exit code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code
