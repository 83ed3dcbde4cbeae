"""A stand-in for a WASI program, whose functions are called one by one."""

from __future__ import annotations

import re

from libc_app import App
from wamr.libc import wasi
from wamr.libc.wasi import Wasi

BADF, EXIST, INVAL, IO, ISDIR, MFILE, NAMETOOLONG, NOENT = 8, 20, 28, 29, 31, 33, 37, 44
NOSYS, NOTDIR, NOTEMPTY, NOTSUP, SPIPE, NOTCAPABLE = 52, 54, 55, 58, 70, 76
CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE = 1, 2, 4, 8
READ, WRITE = 2, 0x40
# The type of each function in the words of func_type().
SIGNATURES = {
    re.match(r"\w+", entry).group(): re.sub(r".*\((\w*)\)(\w?)", r"\1:\2", entry).replace("u", "i")
    for entry in wasi._TABLE.split()
}


class Program(App):
    """A WASI program: functions return the error number, results are read from memory."""

    def __init__(self, **options: object) -> None:
        super().__init__()
        self.space = Wasi(
            **{"stdout": self.printed.extend, "stderr": self.warned.extend, **options}
        )
        self.result = self.heap.alloc(256)
        self.data = self.heap.alloc(1024)

    def do(self, name: str, *args: int) -> int:
        return self.call(name, SIGNATURES[name], *args)

    def u32(self, offset: int = 0) -> int:
        return self.memory.u32(self.result + offset)

    def u64(self, offset: int = 0) -> int:
        return self.memory.u64(self.result + offset)

    def vector(self, *pieces: tuple[int, int]) -> int:
        at = self.heap.alloc(8 * len(pieces))
        for i, (p, n) in enumerate(pieces):
            self.memory.put_u32(at + 8 * i, p)
            self.memory.put_u32(at + 8 * i + 4, n)
        return at

    def write(self, fd: int, *texts: bytes) -> int:
        vector = self.vector(*[(self.put(t), len(t)) for t in texts])
        return self.do("fd_write", fd, vector, len(texts), self.result)

    def read(self, fd: int, n: int = 100) -> bytes | int:
        error = self.do("fd_read", fd, self.vector((self.data, n)), 1, self.result)
        return error or self.memory.read(self.data, self.u32())

    def path(self, name: str, fd: int, path: str | bytes, *args: int) -> int:
        data = path.encode() if isinstance(path, str) else path
        if name == "path_filestat_get":
            return self.do(name, fd, 1, self.put(data), len(data), *args)
        return self.do(name, fd, self.put(data), len(data), *args)

    def open(
        self, path: str, how: int = 0, rights: int = READ, flags: int = 0, fd: int = 3
    ) -> int:
        """The new descriptor, or the error number made negative."""
        data = path.encode()
        p = self.put(data)
        error = self.do("path_open", fd, 1, p, len(data), how, rights, rights, flags, self.result)
        return -error if error else self.u32()
