"""WASI preview 1: names, arguments, clocks, stdio, hostile arguments; see test_wasi_files.py."""

from __future__ import annotations

import io
import os
import struct
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from board import Board, Unix
from hypothesis import given, settings
from hypothesis import strategies as st
from libc_app import func_type
from wamr.wasm.errors import Exit, Trap
from wasi_program import (
    BADF,
    INVAL,
    NOSYS,
    NOTSUP,
    SIGNATURES,
    SPIPE,
    Program,
)


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


# ---- any arguments

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
