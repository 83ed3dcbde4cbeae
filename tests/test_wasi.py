"""WASI preview 1: every function of the subset, and that no path leads out of a directory."""

from __future__ import annotations

import io
import os
import re
import struct
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from board import Board, Unix
from hypothesis import given, settings
from hypothesis import strategies as st
from libc_app import App, func_type
from wamr.libc import wasi, wasi_files
from wamr.libc.wasi import Wasi
from wamr.wasm.errors import Exit, Trap

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
        unstable = options.get("unstable", False)
        self.space = Wasi(
            **{"stdout": self.printed.extend, "stderr": self.warned.extend, **options}
        )
        self.module = "wasi_unstable" if unstable else "wasi_snapshot_preview1"
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


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def files(tmp_path: Path) -> Program:
    """A program with the directory "/data", next to which there is a secret."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    return Program(dirs={"/data": str(tmp_path / "inside")})


@pytest.fixture
def inside(files: Program, tmp_path: Path) -> Path:
    return tmp_path / "inside"


# ---- names


def test_names_and_types(program: Program, files: Program) -> None:
    for name, words in SIGNATURES.items():
        program.native(name, words)
        files.native(name, words)


def test_other_functions_say_that_they_do_nothing(program: Program) -> None:
    for name, words in (
        ("sock_accept", "iii:i"),
        ("fd_allocate", "iII:i"),
        ("path_link", "iiiiiii:i"),
    ):
        assert program.call(name, words, *[0] * (len(words) - 2)) == NOSYS
    assert program.space.resolve("proc_raise", "func", func_type("i:"), None) is None
    assert program.space.resolve("memory", "memory", (1, None, 65536), None) is None


def test_files_are_loaded_only_with_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wamr.libc.wasi_files")
    program = Program()
    for name, words in SIGNATURES.items():
        program.native(name, words)
    assert "wamr.libc.wasi_files" not in sys.modules
    for name in ("fd_prestat_get", "path_open", "fd_readdir"):
        assert program.do(name, *[3] * (len(SIGNATURES[name]) - 2)) == BADF


# ---- arguments, clocks, random numbers


@pytest.mark.parametrize("name", ["args", "environ"])
def test_strings(name: str) -> None:
    texts = ["prog.wasm", "grüße", ""] if name == "args" else ["HOME=/", "X=ü"]
    program = Program(args=texts) if name == "args" else Program(env={"HOME": "/", "X": "ü"})
    assert program.do(name + "_sizes_get", program.result, program.result + 4) == 0
    expected = b"".join(t.encode() + b"\0" for t in texts)
    assert (program.u32(), program.u32(4)) == (len(texts), len(expected))
    assert program.do(name + "_get", program.result, program.data) == 0
    assert program.memory.read(program.data, len(expected)) == expected
    for i, text in enumerate(texts):
        assert program.memory.read_cstr(program.u32(4 * i)) == text.encode()


def test_clocks(program: Program) -> None:
    for clock, now in ((0, time.time()), (1, time.monotonic())):
        assert program.call("clock_time_get", "iIi:i", clock, 0, program.result) == 0
        assert abs(program.u64() / 1e9 - now) < 5
    assert program.do("clock_res_get", 1, program.result) == 0
    assert program.u64() == 1_000_000
    assert program.call("clock_time_get", "iIi:i", 4, 0, program.result) == INVAL
    assert program.do("clock_res_get", 4, program.result) == INVAL


def test_random(program: Program) -> None:
    assert program.do("random_get", program.data, 1000) == 0
    first = program.memory.read(program.data, 1024)
    assert first[1000:] == bytes(24) and len(set(first)) > 100
    assert program.do("random_get", program.data, 1000) == 0
    assert program.memory.read(program.data, 1024) != first
    with pytest.raises(Trap):
        program.do("random_get", 0, 0xFFFFFFFF)


def test_random_without_urandom(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "urandom")
    assert program.do("random_get", program.data, 1000) == 0
    assert len(set(program.memory.read(program.data, 1000))) > 100


def test_exit(program: Program) -> None:
    with pytest.raises(Exit) as error:
        program.do("proc_exit", 7)
    assert error.value.code == 7
    assert program.do("sched_yield") == 0


@pytest.mark.parametrize("unstable", [False, True])
def test_poll(unstable: bool) -> None:
    program = Program(unstable=unstable)

    def clock(user: int, clock: int, ns: int, absolute: bool = False) -> bytes:
        if unstable:
            return struct.pack("<QB7xQI4xQQH6x", user, 0, 0, clock, ns, 0, absolute)
        return struct.pack("<QB7xI4xQQH6x", user, 0, clock, ns, 0, absolute)

    def poll(*subscriptions: bytes) -> tuple[float, list[tuple[int, int, int]]]:
        start = time.monotonic()
        program.memory.write(program.data, b"".join(subscriptions))
        n = len(subscriptions)
        events = program.data + 512
        assert program.do("poll_oneoff", program.data, events, n, program.result) == 0
        found = [
            struct.unpack_from("<QHB", program.memory.buf, events + 32 * i)
            for i in range(program.u32())
        ]
        return time.monotonic() - start, found

    took, events = poll(clock(11, 1, 30_000_000), clock(12, 0, 10**12))
    assert 0.03 <= took < 1 and events == [(11, 0, 0)]
    for kind, now in ((0, time.time_ns), (1, time.monotonic_ns)):
        took, events = poll(clock(13, kind, now() + 30_000_000, True))
        assert 0.02 <= took < 1 and events == [(13, 0, 0)]
    took, events = poll(clock(14, 1, 0, True), clock(15, 1, 0))
    assert took < 1 and events == [(14, 0, 0), (15, 0, 0)]
    stdin = struct.pack("<QB", 16, 1) + bytes(len(clock(0, 0, 0)) - 9)
    took, events = poll(clock(17, 1, 10**12), stdin)
    assert took < 1 and events == [(16, NOTSUP, 1)]
    assert program.do("poll_oneoff", 0, 0, 0, program.result) == INVAL
    with pytest.raises(Trap):
        program.do("poll_oneoff", 0, 0, 0xFFFFFFFF, program.result)


# ---- stdio


def test_stdout_and_stderr(program: Program) -> None:
    assert program.write(1, b"Hello ", b"", b"world\n") == 0
    assert program.u32() == 12
    assert program.write(2, b"oops") == 0
    assert (program.printed, program.warned) == (b"Hello world\n", b"oops")
    for fd in (0, 3, 0xFFFFFFFF):
        assert program.write(fd, b"x") == BADF
    with pytest.raises(Trap):
        program.do("fd_write", 1, program.data, 0xFFFFFFFF, program.result)
    with pytest.raises(Trap):
        program.do("fd_write", 1, program.vector((0xFFFF, 2)), 1, program.result)


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def test_stdin_line_by_line(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b"first\nsecond line\n\xff"))
    assert program.read(0) == b"first\n"
    assert program.read(0, 3) == b"sec"
    vector = program.vector((program.data, 0), (program.data, 4), (program.data + 500, 4))
    assert program.do("fd_read", 0, vector, 3, program.result) == 0
    assert program.memory.read(program.data, program.u32()) == b"ond "
    assert [program.read(0), program.read(0), program.read(0)] == [b"line\n", b"\xff", b""]
    assert program.read(1) == BADF


def test_stdin_without_bytes(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("line\nnext"))
    assert [program.read(0), program.read(0)] == [b"line\n", b"next"]


def test_stdio_is_a_terminal(program: Program) -> None:
    for fd in (0, 1, 2):
        assert program.do("fd_fdstat_get", fd, program.result) == 0
        assert program.memory.read(program.result, 1) == b"\2"
        assert program.u64(8) & 0x24 == 0  # neither seek nor tell
        assert program.do("fd_filestat_get", fd, program.result) == 0
        assert program.memory.read(program.result + 16, 1) == b"\2"
        assert program.call("fd_seek", "iIii:i", fd, 0, 0, program.result) == SPIPE
        assert program.do("fd_tell", fd, program.result) == SPIPE
        assert program.do("fd_fdstat_set_flags", fd, 0) == 0
        assert program.do("fd_close", fd) == 0
    for name in ("fd_fdstat_get", "fd_filestat_get", "fd_tell", "fd_fdstat_set_flags"):
        assert program.do(name, 3, program.result) == BADF
    assert program.call("fd_seek", "iIii:i", 3, 0, 0, program.result) == BADF
    assert program.do("fd_close", 3) == BADF


# ---- files


def test_preopened(files: Program) -> None:
    assert files.do("fd_prestat_get", 3, files.result) == 0
    assert (files.u32(), files.u32(4)) == (0, 5)
    assert files.do("fd_prestat_dir_name", 3, files.data, 5) == 0
    assert files.memory.read(files.data, 6) == b"/data\0"
    assert files.do("fd_prestat_dir_name", 3, files.data, 4) == NAMETOOLONG
    assert files.do("fd_prestat_get", 4, files.result) == BADF
    fd = files.open("a", CREATE)
    assert files.do("fd_prestat_get", fd, files.result) == BADF
    assert files.do("fd_prestat_dir_name", fd, files.data, 9) == BADF


def test_write_and_read(files: Program, inside: Path) -> None:
    fd = files.open("a.txt", CREATE | EXCLUSIVE, READ | WRITE)
    assert fd == 4
    assert files.write(fd, b"Hello ", b"world") == 0 and files.u32() == 11
    assert (inside / "a.txt").read_bytes() == b"Hello world"
    assert files.read(fd) == b""
    assert files.do("fd_tell", fd, files.result) == 0 and files.u64() == 11
    for offset, whence, place in ((6, 0, 6), (-2, 1, 4), (-5, 2, 6), (4, 2, 15), (3, 0, 3)):
        assert files.call("fd_seek", "iIii:i", fd, offset, whence, files.result) == 0
        assert files.u64() == place
    assert files.call("fd_seek", "iIii:i", fd, -1, 0, files.result) == INVAL
    assert files.call("fd_seek", "iIii:i", fd, -100, 1, files.result) == INVAL
    assert files.call("fd_seek", "iIii:i", fd, 0, 3, files.result) == INVAL
    vector = files.vector((files.data, 4), (files.data + 4, 400))
    assert files.do("fd_read", fd, vector, 2, files.result) == 0
    assert files.memory.read(files.data, files.u32()) == b"lo world"
    assert files.do("fd_close", fd) == 0
    assert files.read(fd) == files.write(fd, b"x") == files.do("fd_close", fd) == BADF
    with pytest.raises(Trap):  # before anything is read
        files.read(files.open("a.txt"), 0xFFFFFFF0)


def test_ways_of_opening(files: Program, inside: Path) -> None:
    (inside / "dir").mkdir()
    (inside / "old").write_bytes(b"12345")
    assert files.open("new") == -NOENT
    assert files.open("old", CREATE | EXCLUSIVE) == -EXIST
    assert files.open("old", DIRECTORY) == -NOTDIR
    assert files.open("dir", 0, WRITE) == -ISDIR
    assert files.open("dir", TRUNCATE) == -ISDIR
    assert files.open("missing/file", CREATE, WRITE) == -NOENT
    fd = files.open("old")
    assert files.write(fd, b"x") == BADF
    assert files.read(fd) == b"12345"
    fd = files.open("old", 0, WRITE)
    assert files.read(fd) == BADF
    assert files.write(fd, b"ab") == 0
    assert (inside / "old").read_bytes() == b"ab345"
    fd = files.open("old", 0, WRITE, flags=1)
    for text in (b"6", b"7"):
        assert files.call("fd_seek", "iIii:i", fd, 0, 0, files.result) == 0
        assert files.write(fd, text) == 0
    assert (inside / "old").read_bytes() == b"ab34567"
    assert files.do("fd_fdstat_set_flags", fd, 0) == 0
    assert files.call("fd_seek", "iIii:i", fd, 0, 0, files.result) == 0
    assert files.write(fd, b"!") == 0
    assert (inside / "old").read_bytes() == b"!b34567"
    files.open("old", TRUNCATE, WRITE)
    assert (inside / "old").read_bytes() == b""
    assert files.open("old", fd=fd) == -NOTDIR
    assert files.open("old", fd=99) == -BADF


def test_descriptors_are_limited_and_reused(files: Program) -> None:
    fds = [files.open("a", CREATE) for _ in range(28)]
    assert fds == list(range(4, 32))
    assert files.open("a") == -MFILE
    files.do("fd_close", 9)
    assert files.open("a") == 9
    files.space.close()
    assert files.open("a") == -BADF


@pytest.mark.parametrize("unstable", [False, True])
def test_stat(tmp_path: Path, unstable: bool) -> None:
    (tmp_path / "file").write_bytes(b"x" * 1000)
    (tmp_path / "dir").mkdir()
    program = Program(dirs={"d": str(tmp_path)}, unstable=unstable)
    fd = program.open("file", 0, READ | WRITE)
    program.call("fd_seek", "iIii:i", fd, 0, 1 if unstable else 2, program.result)
    program.write(fd, b"more")

    def stat() -> tuple[int, int, int, int]:
        layout = "<8xQB3xIQQQQ" if unstable else "<8xQB7xQQQQQ"
        inode, kind, links, size, _, changed, _ = struct.unpack_from(
            layout, program.memory.buf, program.result
        )
        assert links == 1 and abs(changed / 1e9 - time.time()) < 60
        return kind, size, inode

    inode = os.stat(tmp_path / "file").st_ino
    program.memory.write(program.result, b"\xee" * 80)
    assert program.do("fd_filestat_get", fd, program.result) == 0
    assert stat() == (4, 1004, inode)
    end = 56 if unstable else 64
    assert program.memory.read(program.result + end, 1) == b"\xee"
    assert program.path("path_filestat_get", 3, "./dir/../file", program.result) == 0
    assert stat() == (4, 1004, inode)
    assert program.path("path_filestat_get", 3, "dir", program.result) == 0
    assert stat()[0] == 3
    assert program.do("fd_filestat_get", 3, program.result) == 0
    assert stat()[0] == 3
    assert program.path("path_filestat_get", 3, "none", program.result) == NOENT
    assert program.do("fd_fdstat_get", fd, program.result) == 0
    assert program.memory.read(program.result, 1) == b"\4"
    assert program.u64(8) == READ | WRITE
    assert program.do("fd_fdstat_get", 3, program.result) == 0
    assert program.memory.read(program.result, 1) == b"\3"
    # Where the file is now, by the numbering of each version.
    assert program.call("fd_seek", "iIii:i", fd, -4, 0 if unstable else 1, program.result) == 0
    assert program.u64() == 1000
    assert program.call("fd_seek", "iIii:i", fd, 7, 2 if unstable else 0, program.result) == 0
    assert program.u64() == 7


def test_directories(files: Program, inside: Path) -> None:
    assert files.path("path_create_directory", 3, "sub") == 0
    assert files.path("path_create_directory", 3, "sub") == EXIST
    fd = files.open("sub", DIRECTORY)
    assert files.open("f", CREATE, WRITE, fd=fd) > fd
    assert (inside / "sub" / "f").exists()
    assert files.open("../sub/f", fd=fd) > fd
    assert files.open("../../secret.txt", fd=fd) == -NOTCAPABLE
    assert files.read(fd) == ISDIR
    assert files.path("path_remove_directory", 3, "sub") == NOTEMPTY
    assert files.path("path_remove_directory", 3, "sub/f") == NOTDIR
    assert files.path("path_unlink_file", 3, "sub") == ISDIR
    assert files.do("path_rename", 3, files.put(b"sub/f"), 5, fd, files.put(b"../g"), 4) == 0
    assert (inside / "g").exists()
    assert files.path("path_remove_directory", 3, "sub") == 0
    assert files.path("path_unlink_file", 3, "g") == 0
    assert files.path("path_unlink_file", 3, "g") == NOENT
    assert list(inside.iterdir()) == []


@pytest.mark.parametrize("size", [24, 25, 60, 100, 1000])
def test_readdir(files: Program, inside: Path, size: int) -> None:
    for i in range(12):
        (inside / f"file{i:02}").write_bytes(b"")
    (inside / "folder").mkdir()
    expected = sorted(os.listdir(inside))
    found: list[str] = []
    cookie = 0
    while len(found) < len(expected):
        args = (3, files.data, size, cookie, files.result)
        assert files.call("fd_readdir", "iiiIi:i", *args) == 0
        used = files.u32()
        data = files.memory.read(files.data, used)
        if size < 30:  # not even one name fits
            assert used == size and data[24:] == expected[0].encode()[: size - 24]
            return
        while len(data) >= 24:
            cookie_here, inode, n, kind = struct.unpack_from("<QQIB", data)
            name, data = data[24 : 24 + n].decode(), data[24 + n :]
            if len(name) < n:
                break
            assert kind == (3 if name == "folder" else 4)
            assert inode == os.stat(inside / name).st_ino & 0xFFFFFFFF
            found.append(name)
            cookie = cookie_here
    assert found == expected
    assert files.call("fd_readdir", "iiiIi:i", 3, files.data, 99, cookie, files.result) == 0
    assert files.u32() == 0
    assert files.call("fd_readdir", "iiiIi:i", files.open("file00"), 0, 0, 0, 0) == NOTDIR
    with pytest.raises(Trap):
        files.call("fd_readdir", "iiiIi:i", 3, 0xFF00, 0x1000, 0, files.result)


ESCAPES = [
    "..",
    "../secret.txt",
    "a/../../secret.txt",
    "./.././secret.txt",
    "/etc/passwd",
    "//",
    "/",
]


@pytest.mark.parametrize("path", ESCAPES)
def test_nothing_leads_outside(files: Program, tmp_path: Path, path: str) -> None:
    assert files.open(path) == files.open(path, CREATE | TRUNCATE, WRITE) == -NOTCAPABLE
    for name in ("path_create_directory", "path_remove_directory", "path_unlink_file"):
        assert files.path(name, 3, path) == NOTCAPABLE
    assert files.path("path_filestat_get", 3, path, files.result) == NOTCAPABLE
    p, q = files.put(path.encode()), files.put(b"b")
    assert files.do("path_rename", 3, p, len(path), 3, q, 1) == NOTCAPABLE
    assert files.do("path_rename", 3, q, 1, 3, p, len(path)) == NOTCAPABLE
    assert (tmp_path / "secret.txt").read_text() == "secret"


def test_strange_paths(files: Program) -> None:
    assert files.path("path_create_directory", 3, b"a\0b") == INVAL
    assert files.path("path_create_directory", 3, b"\xff") == INVAL
    assert files.path("path_create_directory", 3, "") == NOENT
    assert files.open(".", DIRECTORY) > 3
    # The preopened directory itself belongs to a directory that is not the program's.
    assert files.path("path_remove_directory", 3, ".") == INVAL
    p = files.put(b".")
    assert files.do("path_rename", 3, p, 1, 3, files.put(b"x"), 1) == INVAL
    with pytest.raises(Trap):
        files.do("path_create_directory", 3, 0xFFF0, 0x100)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="this system has no links")
def test_links_do_not_lead_outside(files: Program, inside: Path, tmp_path: Path) -> None:
    (inside / "file").write_text("inside")
    (inside / "good").symlink_to("file")
    (inside / "out").symlink_to(tmp_path)
    (inside / "dangling").symlink_to(tmp_path / "new")
    assert files.read(files.open("good")) == b"inside"
    for path in ("out", "out/secret.txt", "out/inside/file/../../secret.txt"):
        assert files.open(path) == -NOTCAPABLE, path
    assert files.open("dangling", CREATE, WRITE) == -NOTCAPABLE
    assert files.path("path_unlink_file", 3, "out/secret.txt") == NOTCAPABLE
    assert files.path("path_create_directory", 3, "out/x") == NOTCAPABLE
    assert files.path("path_unlink_file", 3, "good") == 0  # the link itself
    assert sorted(os.listdir(tmp_path)) == ["inside", "secret.txt"]
    assert (inside / "file").exists()


# Paths put together of everything that could matter: what is opened is below the directory.
@given(
    st.lists(
        st.sampled_from(["..", ".", "", "a", "b", "link", "secret.txt", "inside"]), max_size=8
    )
)
def test_any_path(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    root = tmp_path_factory.getbasetemp() / "any"
    if not root.exists():
        (root / "inside" / "a" / "b").mkdir(parents=True)
        (root / "secret.txt").write_text("secret")
        (root / "inside" / "a" / "link").symlink_to("..")
        (root / "inside" / "link").symlink_to("..")
    program = Program(dirs={"/": str(root / "inside")})
    path = "/".join(parts)
    if program.path("path_filestat_get", 3, path, program.result) == 0:
        inode = program.u64(8)
        inodes = [
            os.stat(p).st_ino
            for p in [root / "inside", *(root / "inside").rglob("*")]
            if p.name != "link"
        ]
        assert inode in inodes


def test_no_directory_means_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = Program(dirs={"here": ""})
    assert program.open("file", CREATE, WRITE) == 4
    assert os.listdir(tmp_path) == ["file"]


def test_error_numbers() -> None:
    files = wasi_files.Files(Wasi(), {})
    import errno

    for host, code in (
        ("ENOSPC", 51),
        ("EACCES", 2),
        ("EPERM", 63),
        ("EROFS", 69),
        ("EXDEV", 75),
        ("EMFILE", MFILE),
    ):
        assert files.errno(OSError(getattr(errno, host), "text")) == code
    assert files.errno(OSError(9999)) == IO
    assert files.errno(OSError("no number")) == IO
    assert files.errno(OSError()) == IO


interesting = st.sampled_from([0, 1, 2, 3, 4, 8, 100, 0xFFF0, 0xFFFF, 0x10000, 2**31, 2**32 - 1])


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_any_arguments(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Nothing but an error number, a trap or an exit, and nothing outside of the directory."""
    root = tmp_path_factory.mktemp("any")
    (root / "inside" / "dir").mkdir(parents=True)
    (root / "inside" / "file").write_bytes(b"12345")
    program = Program(dirs={"/": str(root / "inside")} if data.draw(st.booleans()) else None)
    start = data.draw(st.binary(min_size=32, max_size=32))
    program.memory.write(0, start + b"dir/../file/../../")
    sys_stdin, sys.stdin = sys.stdin, Stdin(b"line")
    try:
        for _ in range(4):
            name = data.draw(st.sampled_from([n for n in SIGNATURES if n != "poll_oneoff"]))
            words = SIGNATURES[name].partition(":")[0]
            big = st.integers(-(2**63), 2**63 - 1)
            args = [data.draw(interesting | big if c == "I" else interesting) for c in words]
            try:
                assert program.do(name, *args) in range(77)
            except (Trap, Exit):
                pass
    finally:
        sys.stdin = sys_stdin
        program.space.close()
    assert os.listdir(root) == ["inside"]


# ---- on MicroPython

CODE = (Path(__file__).parent / "wasi_device.py").read_text()


@pytest.fixture(scope="module")
def lines_of_cpython(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    out = io.StringIO()
    here = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("wasi"))
    try:
        with redirect_stdout(out):
            exec(compile(CODE, "wasi_device.py", "exec"), {"__name__": "device"})
    finally:
        os.chdir(here)
    return out.getvalue().splitlines()


def test_the_same_on_micropython(unix: Unix, lines_of_cpython: list[str], tmp_path: Path) -> None:
    code = f"import os; os.chdir({str(tmp_path)!r})\n{CODE}"
    assert unix.exec(code).splitlines() == lines_of_cpython


def test_the_same_on_boards(board: Board, lines_of_cpython: list[str]) -> None:
    assert board.exec(CODE, timeout_s=120).splitlines() == lines_of_cpython
