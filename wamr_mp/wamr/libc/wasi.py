"""WASI preview 1 and its predecessor `wasi_unstable`: arguments, environment, stdio, clocks,
random numbers.

Files (wasi_files.py) are loaded only for a program that was given a directory. The functions
that are not in the table below exist, and return the error NOSYS.
Specification: WebAssembly/WASI, legacy/preview1 and legacy/preview0.
"""

import os
import sys
import time

from ..host import const
from ..wasm.errors import Exit
from ..wasm.externs import Native
from . import writer
from .clock import monotonic_ns, realtime_ns

_BADF = const(8)
_INVAL = const(28)
_NOSYS = const(52)
_NOTSUP = const(58)
_SPIPE = const(70)
_CHARACTER_DEVICE = const(2)
# Without the rights to seek and tell wasi-libc takes it for a terminal, and prints line by line.
_STDIO_RIGHTS = const(0x08000042)

_TABLE = (
    " args_get(uu)i args_sizes_get(uu)i environ_get(uu)i environ_sizes_get(uu)i"
    " clock_res_get(uu)i clock_time_get(uIu)i fd_close(u)i fd_fdstat_get(uu)i"
    " fd_fdstat_set_flags(uu)i fd_filestat_get(uu)i fd_read(uuuu)i fd_seek(uIuu)i fd_tell(uu)i"
    " fd_write(uuuu)i poll_oneoff(uuuu)i proc_exit(i) random_get(uu)i sched_yield()i "
)
# Methods of wasi_files.Files.
_FILES = (
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
            from .wasi_files import Files

            self.files = Files(self, dirs)

    def resolve(self, name, kind, type, module):
        if kind != "func":
            return None
        for place, table in ((self, _TABLE), (self.files, _FILES)):
            at = -1 if " " in name else table.find(" %s(" % name)
            if at >= 0:
                signature = table[at + 1 + len(name) : table.find(" ", at + 1)]
                if place is None:
                    return Native(None, lambda *args: _BADF, type)
                return Native(signature, self._guarded(getattr(place, name)))
        if type[1] == b"\x7f":
            return Native(None, lambda *args: _NOSYS, type)
        return None

    # With the errors of files as WASI's error numbers.
    def _guarded(self, method):
        if self.files is None:
            return method
        errno = self.files.errno

        def call(instance, *args):
            try:
                return method(instance, *args)
            except OSError as e:
                return errno(e)

        return call

    def close(self):
        """Close the files that the program left open."""
        if self.files:
            self.files.close()

    # ---- arguments and environment

    def args_sizes_get(self, instance, count, size):
        return _sizes(instance.memory, self.args, count, size)

    def args_get(self, instance, pointers, block):
        return _strings(instance.memory, self.args, pointers, block)

    def environ_sizes_get(self, instance, count, size):
        return _sizes(instance.memory, self.env, count, size)

    def environ_get(self, instance, pointers, block):
        return _strings(instance.memory, self.env, pointers, block)

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

    # ---- stdio, and what files have in common with it

    def fd_write(self, instance, fd, vector, n, result):
        memory = instance.memory
        if fd > 2:
            write = self.files.writer(fd) if self.files else None
        else:
            write = (None, self.write, self.write_error)[fd]
        if not write:
            return _BADF
        memory.check(vector, n * 8)
        total = 0
        for i in range(n):
            p = memory.u32(vector + 8 * i)
            size = memory.u32(vector + 8 * i + 4)
            memory.check(p, size)
            if fd > 2:
                done = write(memoryview(memory.buf)[p : p + size])
            else:
                write(memory.read(p, size))
                done = size
            total += done
            if done < size:
                break
        memory.put_u32(result, total)
        return 0

    def fd_read(self, instance, fd, vector, n, result):
        memory = instance.memory
        if fd > 2:
            read = self.files.reader(fd) if self.files else None
        else:
            read = None if fd else _read_line
        if not read:
            return _BADF
        memory.check(vector, n * 8)
        total = 0
        for i in range(n):
            p = memory.u32(vector + 8 * i)
            size = memory.u32(vector + 8 * i + 4)
            memory.check(p, size)
            done = read(memoryview(memory.buf)[p : p + size]) if size else 0
            total += done
            if done < size or size and fd == 0:
                break
        memory.put_u32(result, total)
        return 0

    def fd_close(self, instance, fd):
        if fd > 2:
            return self.files.close_fd(fd) if self.files else _BADF
        return 0

    def fd_seek(self, instance, fd, offset, whence, result):
        if fd > 2:
            if not self.files or whence > 2:
                return _INVAL if self.files else _BADF
            if self.unstable:  # current, end, set
                whence = (whence + 1) % 3
            return self.files.seek(instance, fd, offset, whence, result)
        return _SPIPE

    def fd_tell(self, instance, fd, result):
        if fd > 2:
            return self.files.seek(instance, fd, 0, 1, result) if self.files else _BADF
        return _SPIPE

    def fd_fdstat_get(self, instance, fd, result):
        if fd > 2:
            return self.files.fdstat(instance, fd, result) if self.files else _BADF
        instance.memory.write(result, bytes((_CHARACTER_DEVICE,)) + bytes(23))
        instance.memory.put_u64(result + 8, _STDIO_RIGHTS)
        return 0

    def fd_fdstat_set_flags(self, instance, fd, flags):
        if fd > 2:
            return self.files.set_flags(fd, flags) if self.files else _BADF
        return 0

    def fd_filestat_get(self, instance, fd, result):
        if fd > 2:
            return self.files.filestat(instance, fd, result) if self.files else _BADF
        instance.memory.write(
            result, bytes(16) + bytes((_CHARACTER_DEVICE,)) + bytes(39 if self.unstable else 47)
        )
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
        if hasattr(time, "sleep_ms"):
            time.sleep_ms(part)
        else:
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
