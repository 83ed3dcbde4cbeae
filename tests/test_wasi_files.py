"""WASI's files, and that no path leads out of a preopened directory."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wamr.libc import wasi_files
from wamr.libc.wasi import Wasi
from wamr.wasm.errors import Trap
from wasi_program import (
    BADF,
    CREATE,
    DIRECTORY,
    EXCLUSIVE,
    EXIST,
    INVAL,
    IO,
    ISDIR,
    MFILE,
    NAMETOOLONG,
    NOENT,
    NOTCAPABLE,
    NOTDIR,
    NOTEMPTY,
    READ,
    TRUNCATE,
    WRITE,
    Program,
)


@pytest.fixture
def files(tmp_path: Path) -> Program:
    """A program with the directory "/data", next to which there is a secret."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    return Program(dirs={"/data": str(tmp_path / "inside")})


@pytest.fixture
def inside(files: Program, tmp_path: Path) -> Path:
    return tmp_path / "inside"


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
