"""Calls WASI's functions on files and prints what they do: the same on MicroPython as on CPython.

Makes a directory where it stands, and removes it. Runs on a board, in little memory: no type
hints, no imports of test code.
"""

import os

from wamr.libc import wasi, wasi_files
from wamr.libc.wasi import Wasi
from wamr.wasm.externs import Memory


class App:
    def __init__(self):
        self.memory = Memory(0, None, 65536, 2000)
        self.memory.shrunk = False


app = App()
memory = app.memory
os.mkdir("wasi_test")
os.mkdir("wasi_test/inside")
space = Wasi(["prog", "gr\u00fc\u00df"], {"KEY": "value"}, {"/data": "wasi_test/inside"})
CODES = {"u": 0x7F, "i": 0x7F, "I": 0x7E}


# Strings stand for their address and length. Prints the error number.
def call(name, *args):
    at = wasi._TABLE.find(" " + name + "(")
    signature = wasi._TABLE[at + 2 + len(name) : wasi._TABLE.find(")", at)]
    at = 1000
    cells = []
    for arg in args:
        if isinstance(arg, str):
            data = arg.encode()
            memory.write(at, data)
            cells.append(at)
            cells.append(len(data))
            at += len(data)
        else:
            cells.append(arg & (2**64 - 1 if signature[len(cells)] == "I" else 0xFFFFFFFF))
    kind = (bytes([CODES[c] for c in signature]), b"\x7f")
    print(name, args, *space.resolve(name, "func", kind, None).call(app, cells))


def vector(*sizes):
    at = 600
    for i, n in enumerate(sizes):
        memory.put_u32(500 + 8 * i, at)
        memory.put_u32(504 + 8 * i, n)
        at += n


def write(fd, text):
    vector(3, len(text) - 3)
    memory.write(600, text)
    call("fd_write", fd, 500, 2, 0)
    print(memory.u32(0))


def read(fd):
    vector(3, 0, 300)
    call("fd_read", fd, 500, 3, 0)
    print(memory.read(600, memory.u32(0)))


for name in ("args", "environ"):
    call(name + "_sizes_get", 0, 4)
    call(name + "_get", 0, 100)
    print(memory.read(0, 8), memory.read(100, 20))
call("random_get", 100, 100)
print(len(set(memory.read(100, 100))) > 20)
for clock in (0, 1, 9):
    call("clock_time_get", clock, 0, 0)
    print(memory.u64(0) > 10**9 * 1700000000 if clock == 0 else memory.u64(0) > 0)
memory.write(100, bytes(48))
memory.put_u64(124, 20000000)
call("poll_oneoff", 100, 200, 1, 0)
print(memory.u32(0), memory.read(200, 11))

call("fd_prestat_get", 3, 0)
call("fd_prestat_dir_name", 3, 100, 5)
print(memory.u32(4), memory.read(100, 5))
call("path_open", 3, 1, "none", 0, 2, 2, 0, 0)
call("path_open", 3, 1, "a.txt", 1 | 4, 0x42, 0x42, 0, 0)
call("path_open", 3, 1, "a.txt", 1 | 4, 0x42, 0x42, 0, 0)
fd = memory.u32(0)
write(fd, b"Hello world")
for offset, whence in ((6, 0), (-3, 1), (-2, 2), (20, 2), (-1, 0), (0, 5), (2, 0)):
    call("fd_seek", fd, offset, whence, 0)
    print(memory.u64(0))
read(fd)
call("fd_fdstat_set_flags", fd, 1)
call("fd_seek", fd, 0, 0, 0)
write(fd, b" again")
call("fd_filestat_get", fd, 100)
print(memory.read(116, 1), memory.u64(132))
call("fd_tell", fd, 0)
print(memory.u64(0))
call("fd_close", fd)
call("fd_close", fd)
call("path_open", 3, 1, "./x/../a.txt", 0, 2, 2, 0, 0)
fd = memory.u32(0)
read(fd)
write(fd, b"not allowed")
call("fd_fdstat_get", fd, 100)
print(memory.read(100, 1), memory.u64(108))
call("fd_close", fd)
call("path_open", 3, 1, "a.txt", 8, 0x40, 0x40, 0, 0)
call("path_filestat_get", 3, 1, "a.txt", 100)
print(memory.read(116, 1), memory.u64(132))
call("fd_close", fd)

call("path_create_directory", 3, "sub")
call("path_create_directory", 3, "sub")
call("path_create_directory", 3, "no/sub")
call("path_filestat_get", 3, 1, "sub", 100)
print(memory.read(116, 1))
call("path_open", 3, 1, "sub", 2, 0x42, 0x42, 0, 0)
sub = memory.u32(0)
call("path_rename", 3, "a.txt", sub, "b.txt")
call("path_open", sub, 1, "../sub/b.txt", 0, 2, 2, 0, 0)
call("fd_close", memory.u32(0))
for path in ("../../x", "/x", "", "a\0b"):
    call("path_open", sub, 1, path, 1, 0x40, 0x40, 0, 0)
    call("path_unlink_file", sub, path)
call("path_remove_directory", 3, "sub/b.txt")
call("path_unlink_file", 3, "sub")
for fd in (3, sub):
    call("fd_readdir", fd, 100, 200, 0, 0)
    memory.write(108, bytes(8))  # the inode
    print(memory.read(100, memory.u32(0)))
call("path_unlink_file", 3, "sub/b.txt")
call("path_unlink_file", 3, "sub/b.txt")
call("path_remove_directory", 3, "sub")
call("path_remove_directory", 3, "sub")
space.close()
print(os.listdir("wasi_test"), os.listdir("wasi_test/inside"))
os.rmdir("wasi_test/inside")
os.rmdir("wasi_test")
print(
    space.files.errno(OSError(28)),
    wasi_files._host("/", ["a"]),
    wasi_files._host("a/", ["b", "c"]),
)
