"""WASI preview 1 and its predecessor `wasi_unstable`: arguments, environment, stdio, clocks,
random numbers.

Files (wasi_files.py) are loaded only for a program that was given a directory. The functions
that are not in the table below exist, and return the error NOSYS.
Specification: WebAssembly/WASI, legacy/preview1 and legacy/preview0.
"""

import os
import sys
import time

from wamr.host import const
from wamr.wasm.errors import Exit
from wamr.wasm.externs import Native
from wamr.libc import writer
from wamr.libc.clock import monotonic_ns, realtime_ns

_BADF = const(8)
_INVAL = const(28)
_IO = const(29)
_NOSYS = const(52)
_NOTSUP = const(58)
_SPIPE = const(70)
_CHARACTER_DEVICE = const(2)
# Without the rights to seek and tell wasi-libc takes it for a terminal, and prints line by line.
_STDIO_RIGHTS = const(0x08000042)

# Names and signatures. What is missing as a method below is one of Files.
_TABLE = (
    " args_get(uu)i args_sizes_get(uu)i environ_get(uu)i environ_sizes_get(uu)i"
    " clock_res_get(uu)i clock_time_get(uIu)i fd_close(u)i fd_fdstat_get(uu)i"
    " fd_fdstat_set_flags(uu)i fd_filestat_get(uu)i fd_read(uuuu)i fd_seek(uIuu)i fd_tell(uu)i"
    " fd_write(uuuu)i poll_oneoff(uuuu)i proc_exit(i) random_get(uu)i sched_yield()i"
    " fd_prestat_get(uu)i fd_prestat_dir_name(uuu)i fd_readdir(uuuIu)i"
    " path_create_directory(uuu)i path_filestat_get(uuuuu)i path_open(uuuuuIIuu)i"
    " path_remove_directory(uuu)i path_rename(uuuuuu)i path_unlink_file(uuu)i "
)


class Wasi:
    """The namespace of `wasi_snapshot_preview1` (unstable: of `wasi_unstable`).

    args: strings, the program's name first. env: dict of strings. dirs: dict of what the program
    calls a directory -> its path; it can reach nothing else. stdout, stderr: see Libc; stdin is
    the console's.
    """

    def __init__(self, args=(), env=None, dirs=None, stdout=None, stderr=None, unstable=False):
        self.args = args
        self.env = ["%s=%s" % item for item in (env or {}).items()]
        self.unstable = unstable
        self.write = writer(stdout, "stdout")
        self.write_error = writer(stderr, "stderr") if stderr or not stdout else self.write
        self.files = None
        if dirs:
            from wamr.libc.wasi_files import Files

            self.files = Files(self, dirs)

    def resolve(self, name, kind, type, module):
        if kind != "func":
            return None
        at = -1 if " " in name else _TABLE.find(" %s(" % name)
        if at >= 0:
            at += 1 + len(name)
            return Native(_TABLE[at : _TABLE.find(" ", at)], self._function(name))
        if type[1] == b"\x7f":
            return Native(None, lambda *args: _NOSYS, type)
        return None

    def _function(self, name):
        own = getattr(self, name, None)
        if name[:3] != "fd_" and name[:5] != "path_":
            if own:
                return own
            strings = self.args if name[0] == "a" else self.env
            put = _sizes if "sizes" in name else _strings
            return lambda instance, p, q: put(instance.memory, strings, p, q)
        files = self.files
        other = getattr(files, name, None)

        # Stdio's descriptors are our own affair, the others are files.
        def call(instance, fd, *args):
            method = own if fd < 3 else other
            if not method:
                return _BADF
            try:
                return method(instance, fd, *args)
            except OSError as e:
                return files.errno(e) if files else _IO
            except OverflowError:  # a position that this host's files cannot have
                return _INVAL

        return call

    def close(self):
        """Close the files that the program left open."""
        if self.files:
            self.files.close()

    # ---- clocks, random numbers, the end

    def clock_res_get(self, instance, clock, result):
        if clock > 3:
            return _INVAL
        instance.memory.put_u64(result, 1000000)
        return 0

    def clock_time_get(self, instance, clock, precision, result):
        if clock > 3:
            return _INVAL
        instance.memory.put_u64(result, monotonic_ns() if clock else realtime_ns())
        return 0

    def random_get(self, instance, p, n):
        memory = instance.memory
        memory.check(p, n)
        end = p + n
        while p < end:
            n = min(end - p, 256)
            memory.write(p, _random(n))
            p += n
        return 0

    def sched_yield(self, instance):
        return 0

    def proc_exit(self, instance, code):
        raise Exit(code)

    # Waits for the first of several clocks. Other subscriptions end at once, with the error
    # NOTSUP.
    def poll_oneoff(self, instance, subscriptions, events, n, result):
        memory = instance.memory
        size, clock = (56, 24) if self.unstable else (48, 16)
        memory.check(subscriptions, n * size)
        memory.check(events, n * 32)
        if not n:
            return _INVAL
        now = monotonic_ns()
        ends = []  # when each subscription is over
        for i in range(n):
            p = subscriptions + i * size
            end = 0
            if memory.read(p + 8, 1) == b"\0":
                end = memory.u64(p + clock + 8)
                if memory.read(p + clock + 24, 1)[0] & 1:  # an absolute time
                    end += now - (monotonic_ns() if memory.u32(p + clock) else realtime_ns())
                else:
                    end += now
            ends.append(end)
        first = max(min(ends), now)
        _sleep((first - now + 999999) // 1000000)
        count = 0
        for i in range(n):
            if ends[i] <= first:
                p = subscriptions + i * size
                q = events + count * 32
                kind = memory.read(p + 8, 1)
                memory.write(
                    q,
                    memory.read(p, 8)
                    + bytes((0 if kind == b"\0" else _NOTSUP, 0))
                    + kind
                    + bytes(21),
                )
                count += 1
        memory.put_u32(result, count)
        return 0

    # ---- stdio

    def fd_write(self, instance, fd, vector, n, result):
        if not fd:
            return _BADF
        write = self.write if fd == 1 else self.write_error

        def move(view):
            write(bytes(view))
            return len(view)

        return transfer(instance.memory, vector, n, result, move)

    def fd_read(self, instance, fd, vector, n, result):
        if fd:
            return _BADF
        return transfer(instance.memory, vector, n, result, _read_line, True)

    def fd_close(self, instance, fd):
        return 0

    def fd_seek(self, instance, *args):
        return _SPIPE

    fd_tell = fd_seek

    def fd_fdstat_get(self, instance, fd, result):
        instance.memory.write(result, bytes((_CHARACTER_DEVICE,)) + bytes(23))
        instance.memory.put_u64(result + 8, _STDIO_RIGHTS)
        return 0

    def fd_fdstat_set_flags(self, instance, fd, flags):
        return 0

    def fd_filestat_get(self, instance, fd, result):
        instance.memory.write(result, bytes(56 if self.unstable else 64))
        instance.memory.write(result + 16, bytes((_CHARACTER_DEVICE,)))
        return 0


# Moves the n pieces of memory that `vector` lists: move() gets a view of each and returns how many
# bytes it took. once: do not go on after one of them.
def transfer(memory, vector, n, result, move, once=False):
    memory.check(vector, n * 8)
    total = 0
    for i in range(n):
        p = memory.u32(vector + 8 * i)
        size = memory.u32(vector + 8 * i + 4)
        memory.check(p, size)
        if size:
            done = move(memoryview(memory.buf)[p : p + size])
            total += done
            if done < size or once:
                break
    memory.put_u32(result, total)
    return 0


# How many strings, and the bytes they take with their NULs.
def _sizes(memory, strings, count, size):
    memory.put_u32(count, len(strings))
    memory.put_u32(size, sum([len(s.encode()) + 1 for s in strings]))
    return 0


def _strings(memory, strings, pointers, block):
    for s in strings:
        data = s.encode() + b"\0"
        memory.put_u32(pointers, block)
        memory.write(block, data)
        pointers += 4
        block += len(data)
    return 0


def _random(n):
    if hasattr(os, "urandom"):
        return os.urandom(n)
    from random import getrandbits

    return bytes([getrandbits(8) for _ in range(n)])


def _sleep(ms):
    while ms > 0:
        part = min(ms, 1000000)
        time.sleep(part / 1000)
        ms -= part


# Reads at most a line from the console: a program that reads blocks shall not wait for more than
# one.
def _read_line(view):
    stream = getattr(sys.stdin, "buffer", sys.stdin)
    data = stream.readline(len(view))
    if isinstance(data, str):
        data = data.encode()[: len(view)]
    view[: len(data)] = data
    return len(data)
