"""WASI's files: descriptors, and paths below the directories that the program was given.

A path is taken apart by name: "..", absolute paths and (where the host has os.path) links cannot
lead out of the directory. MicroPython's boards have no links; its unix port follows them.
"""

import os

from wamr.host import const
from wamr.libc.wasi import transfer

_BADF = const(8)
_EXIST = const(20)
_INVAL = const(28)
_ISDIR = const(31)
_MFILE = const(33)
_NAMETOOLONG = const(37)
_NOENT = const(44)
_NOTDIR = const(54)
_NOTCAPABLE = const(76)

_DIRECTORY = const(3)
_REGULAR = const(4)
_RIGHT_READ = const(2)
_RIGHT_WRITE = const(0x40)
_ALL_RIGHTS = const(0x1FFFFFFF)
_CREATE = const(1)
_ONLY_DIRECTORY = const(2)
_EXCLUSIVE = const(4)
_TRUNCATE = const(8)
_APPEND = const(1)
_MAX_FILES = const(32)

# Pairs of a host's error number and WASI's: EPERM ENOENT EACCES EEXIST EXDEV ENODEV ENOTDIR EISDIR
# EINVAL EMFILE ENOSPC EROFS ENOTEMPTY (two numbers).
_ERRNOS = (
    b"\x01\x3f\x02\x2c\x0d\x02\x11\x14\x12\x4b\x13\x2b\x14\x36\x15\x1f\x16\x1c\x18\x21\x1c\x33\x1e\x45"
    b"\x27\x37\x42\x37"
)
_IO = const(29)


class _Descriptor:
    # root and parts: the host's path of the preopened directory, and the names below it.
    def __init__(self, root, parts, stream=None, rights=_ALL_RIGHTS, flags=0, guest=None):
        self.root = root
        self.parts = parts
        self.stream = stream  # None for a directory
        self.rights = rights
        self.flags = flags
        self.guest = guest  # the name of a preopened directory
        self.names = []  # what fd_readdir found


# An error number on the way to the caller.
class _Errno(OSError):
    pass


class Files:
    def __init__(self, wasi, dirs):
        self.unstable = wasi.unstable
        self.fds = {}
        for guest in dirs:
            self.fds[3 + len(self.fds)] = _Descriptor(dirs[guest] or ".", [], guest=guest.encode())

    def errno(self, error):
        code = error.args[0] if error.args else 0
        if isinstance(error, _Errno):
            return code
        for i in range(0, len(_ERRNOS), 2):
            if _ERRNOS[i] == code:
                return _ERRNOS[i + 1]
        return _IO

    def close(self):
        for file in self.fds.values():
            if file.stream:
                file.stream.close()
        self.fds.clear()

    # ---- descriptors

    # The open file or directory; a stream is wanted, or none, unless `stream` is None.
    def _get(self, fd, stream=None):
        file = self.fds.get(fd)
        if file is None:
            raise _Errno(_BADF)
        if stream is not None and stream != (file.stream is not None):
            raise _Errno(_ISDIR if stream else _NOTDIR)
        return file

    def fd_write(self, instance, fd, vector, n, result):
        file = self._get(fd, True)
        if not file.rights & _RIGHT_WRITE:
            return _BADF
        if file.flags & _APPEND:
            file.stream.seek(0, 2)
        return transfer(instance.memory, vector, n, result, file.stream.write)

    def fd_read(self, instance, fd, vector, n, result):
        file = self._get(fd, True)
        if not file.rights & _RIGHT_READ:
            return _BADF
        return transfer(instance.memory, vector, n, result, file.stream.readinto)

    def fd_close(self, instance, fd):
        file = self._get(fd)
        if file.stream:
            file.stream.close()
        del self.fds[fd]
        return 0

    def fd_seek(self, instance, fd, offset, whence, result):
        stream = self._get(fd, True).stream
        if whence > 2:
            return _INVAL
        if self.unstable:  # current, end, set
            whence = (whence + 1) % 3
        if whence == 0 and offset < 0:
            return _INVAL
        instance.memory.put_u64(result, stream.seek(offset, whence))
        return 0

    def fd_tell(self, instance, fd, result):
        instance.memory.put_u64(result, self._get(fd, True).stream.seek(0, 1))
        return 0

    def fd_fdstat_get(self, instance, fd, result):
        file = self._get(fd)
        kind = _REGULAR if file.stream else _DIRECTORY
        instance.memory.write(result, bytes((kind, 0, file.flags, 0, 0, 0, 0, 0)))
        instance.memory.put_u64(result + 8, file.rights)
        instance.memory.put_u64(result + 16, _ALL_RIGHTS)
        return 0

    def fd_fdstat_set_flags(self, instance, fd, flags):
        self._get(fd).flags = flags & 0x1F
        return 0

    def fd_filestat_get(self, instance, fd, result):
        file = self._get(fd)
        stat = os.stat(_host(file.root, file.parts))
        size = 0
        if file.stream:
            here = file.stream.seek(0, 1)
            size = file.stream.seek(0, 2)
            file.stream.seek(here)
        return self._put_stat(instance.memory, result, stat, size)

    def _put_stat(self, memory, p, stat, size):
        kind = _DIRECTORY if stat[0] & 0xF000 == 0x4000 else _REGULAR
        memory.write(p, bytes(56 if self.unstable else 64))
        memory.put_u64(p + 8, stat[1])
        memory.write(p + 16, bytes((kind,)))
        # The number of links is 4 bytes in the older version, and then what follows moves up.
        p += 20 if self.unstable else 24
        memory.write(p, b"\1")
        p += 4 if self.unstable else 8
        memory.put_u64(p, size)
        for i in (7, 8, 9):
            p += 8
            memory.put_u64(p, stat[i] * 1000000000)
        return 0

    # ---- directories

    def fd_prestat_get(self, instance, fd, result):
        file = self._get(fd)
        if file.guest is None:
            return _BADF
        instance.memory.put_u64(result, len(file.guest) << 32)
        return 0

    def fd_prestat_dir_name(self, instance, fd, p, n):
        file = self._get(fd)
        if file.guest is None:
            return _BADF
        if n < len(file.guest):
            return _NAMETOOLONG
        instance.memory.write(p, file.guest)
        return 0

    # As many entries as fit; the last one may be cut. `cookie` is the number of the entry to start
    # with.
    def fd_readdir(self, instance, fd, p, n, cookie, result):
        file = self._get(fd, False)
        memory = instance.memory
        memory.check(p, n)
        path = _host(file.root, file.parts)
        if cookie == 0:
            file.names = sorted(os.listdir(path))
        used = 0
        for i in range(max(cookie, 0), len(file.names)):
            name = file.names[i].encode()
            try:
                stat = os.stat(path + "/" + file.names[i])
            except OSError:
                stat = (0, 0)
            kind = _DIRECTORY if stat[0] & 0xF000 == 0x4000 else _REGULAR
            entry = (i + 1).to_bytes(8, "little") + (stat[1] & 0xFFFFFFFF).to_bytes(8, "little")
            entry += len(name).to_bytes(4, "little") + bytes((kind, 0, 0, 0)) + name
            entry = entry[: n - used]
            memory.write(p + used, entry)
            used += len(entry)
            if used == n:
                break
        memory.put_u32(result, used)
        return 0

    # ---- paths

    # (directory's root, names below it) of a path in memory.
    def _parts(self, instance, fd, p, n):
        file = self._get(fd, False)
        try:
            text = instance.memory.read(p, n).decode("utf-8")
        except UnicodeError:
            raise _Errno(_INVAL)
        if not text:
            raise _Errno(_NOENT)
        if "\0" in text or "\\" in text and getattr(os, "sep", "/") != "/":
            raise _Errno(_INVAL)
        if text[0] == "/":
            raise _Errno(_NOTCAPABLE)
        parts = list(file.parts)
        for name in text.split("/"):
            if name == "..":
                if not parts:
                    raise _Errno(_NOTCAPABLE)
                parts.pop()
            elif name and name != ".":
                parts.append(name)
        return file.root, parts

    # The host's path. follow: what it leads to when it is a link is what counts. Otherwise its
    # directory is changed, which has to be one of ours.
    def _path(self, instance, fd, p, n, follow=True):
        root, parts = self._parts(instance, fd, p, n)
        if not follow and not parts:
            raise _Errno(_INVAL)
        path = _host(root, parts)
        if hasattr(os, "path"):
            inside = os.path.realpath(path if follow else _host(root, parts[:-1]))
            root = os.path.realpath(root)
            if inside != root and not inside.startswith(os.path.join(root, "")):
                raise _Errno(_NOTCAPABLE)
        return path

    def path_open(self, instance, fd, look, p, n, how, rights, inheriting, flags, result):
        path = self._path(instance, fd, p, n)
        root, parts = self._parts(instance, fd, p, n)
        try:
            is_dir = os.stat(path)[0] & 0xF000 == 0x4000
            if how & _CREATE and how & _EXCLUSIVE:
                return _EXIST
        except OSError:
            if not how & _CREATE:
                raise
            is_dir = None  # there is nothing
        writes = rights & _RIGHT_WRITE
        if how & _ONLY_DIRECTORY and is_dir is False:
            return _NOTDIR
        if is_dir and (how & _TRUNCATE or writes and not how & _ONLY_DIRECTORY):
            return _ISDIR
        new = 3
        while new in self.fds:
            new += 1
        if new >= _MAX_FILES:
            return _MFILE
        instance.memory.check(result, 4)
        file = _Descriptor(root, parts, None, rights & _ALL_RIGHTS, flags & 0x1F)
        if not is_dir:
            if is_dir is None or how & _TRUNCATE:
                open(path, "wb").close()
            file.stream = open(path, "r+b" if writes else "rb", 0)
        self.fds[new] = file
        instance.memory.put_u32(result, new)
        return 0

    def path_filestat_get(self, instance, fd, look, p, n, result):
        stat = os.stat(self._path(instance, fd, p, n))
        return self._put_stat(instance.memory, result, stat, stat[6])

    def path_create_directory(self, instance, fd, p, n):
        os.mkdir(self._path(instance, fd, p, n))
        return 0

    def path_remove_directory(self, instance, fd, p, n):
        path = self._path(instance, fd, p, n, False)
        if os.stat(path)[0] & 0xF000 != 0x4000:
            return _NOTDIR
        os.rmdir(path)
        return 0

    def path_unlink_file(self, instance, fd, p, n):
        path = self._path(instance, fd, p, n, False)
        if os.stat(path)[0] & 0xF000 == 0x4000:
            return _ISDIR
        os.remove(path)
        return 0

    def path_rename(self, instance, fd, p, n, new_fd, q, m):
        os.rename(self._path(instance, fd, p, n, False), self._path(instance, new_fd, q, m, False))
        return 0


def _host(root, parts):
    if not parts:
        return root
    return (root if root[-1:] == "/" else root + "/") + "/".join(parts)
