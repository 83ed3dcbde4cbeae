"""Where installed apps are kept: files that survive a power cut at any moment.

    aN.wasm (.py, .mpy)   the file as it was installed; N grows with each install
    aN.code               its machine code, see compiler/cache.py; made anew when it is missing
    aN.app                its settings; an app is installed if, and only if, this file is there
    aN.new                the settings being written; renamed to aN.app when complete
    boot                  number of the app that is being started; left behind when the board hangs
                          or resets over it

Each settings file carries a checksum of its own and that of the app's file.
"""

import binascii
import json
import os

from wamr.host import const

_PIECE = const(256)


class StoreError(Exception):
    """Flash or memory is full or broken."""


class FileStore:
    """A store in the folder `path`, which is made if needed."""

    def __init__(self, path):
        self.path = path
        self._last = 0
        part = ""
        for name in path.split("/"):
            part += name
            if part:
                try:
                    os.mkdir(part)
                except OSError:
                    pass  # it is there; or else the first write says so
            part += "/"

    def _name(self, index, extension):
        return "%s/a%d.%s" % (self.path, index, extension)

    def create(self, extension):
        """An Entry to write() an app's file to."""
        self._last += 1
        return FileEntry(self, self._last, extension)

    def load(self):
        """The entries of the installed apps, oldest first. Removes what interrupted installs and
        uninstalls left.
        """
        names = os.listdir(self.path)
        entries = []
        for name in names:
            if name[:1] != "a" or name[-4:] != ".new":
                continue
            # Complete, but the rename was cut in the middle, on a file system where that is
            # possible.
            index = _number(name)
            if "a%d.app" % index not in names and self._read(index, "new"):
                os.rename(self._name(index, "new"), self._name(index, "app"))
                names.append("a%d.app" % index)
            else:
                self._delete(name)
        for name in names:
            if name[:1] == "a" and name[-4:] == ".app":
                index = _number(name)
                self._last = max(self._last, index)
                settings = self._read(index, "app")
                entry = settings and FileEntry(self, index, settings["type"], settings)
                if entry and entry.size() == settings["size"]:
                    entries.append(entry)
                else:
                    self._delete(name)
        known = [e.name for e in entries] + [e.code_name() for e in entries]
        for name in names:
            if name[:1] == "a" and name[-4:] not in (".app", ".new") and name not in known:
                self._delete(name)
        entries.sort(key=lambda e: e.index)
        return entries

    def _read(self, index, extension):
        try:
            with open(self._name(index, extension), "rb") as file:
                data = file.read()
            if binascii.crc32(data[8:]) != int(data[:8], 16):
                return None
            return json.loads(data[8:])
        except (OSError, ValueError):
            return None

    # Written aside and renamed: the old settings or the new ones, never half of them.
    def _write(self, index, settings):
        data = json.dumps(settings).encode()
        with open(self._name(index, "new"), "wb") as file:
            file.write(_hex(data) + data)
        os.rename(self._name(index, "new"), self._name(index, "app"))

    def _delete(self, name):
        try:
            os.remove(self.path + "/" + name)
        except OSError:
            pass

    def starting(self, index):
        """Note that this app is being started (0: no app any more). A reset before the next call
        is its fault.
        """
        try:
            if index:
                with open(self.path + "/boot", "w") as file:
                    file.write(str(index))
            else:
                os.remove(self.path + "/boot")
        except OSError:
            pass

    def suspect(self):
        """Number of the app during whose start the board was last reset, or 0."""
        try:
            with open(self.path + "/boot") as file:
                return int(file.read() or 0)
        except (OSError, ValueError):
            return 0


class FileEntry:
    """One app in a FileStore. `settings` is the dict it was committed with; `source` what to load
    it from.
    """

    def __init__(self, store, index, extension, settings=None):
        self.store = store
        self.index = index
        self.name = "a%d.%s" % (index, extension)
        self.source = store.path + "/" + self.name
        self.settings = settings
        self.removed = False
        self._file = None
        self._crc = self._size = 0

    def write(self, view):
        """Append to the app's file. StoreError."""
        try:
            if not self._file:
                self._file = open(self.source, "wb")
            self._file.write(view)
        except OSError as e:
            raise StoreError("write to flash failed: %s" % e)
        self._crc = binascii.crc32(view, self._crc)
        self._size += len(view)

    def close(self):
        """Complete the file and verify it. StoreError."""
        try:
            self._file.close()
            self._file = None
            crc = 0
            with open(self.source, "rb") as file:
                while True:
                    piece = file.read(_PIECE)
                    if not piece:
                        break
                    crc = binascii.crc32(piece, crc)
        except OSError as e:
            raise StoreError("write to flash failed: %s" % e)
        if crc != self._crc:
            raise StoreError("flash does not hold what was written to it")

    def commit(self, settings):
        """From now on the app is installed. Also: change its settings. StoreError."""
        if self.removed:
            return  # by its last words an app does not come back
        if self.settings is None:
            settings["size"] = self._size
            settings["crc"] = self._crc
        self.settings = settings
        try:
            self.store._write(self.index, settings)
        except (OSError, MemoryError) as e:
            raise StoreError("write to flash failed: %s" % e)

    def remove(self):
        """The app is not installed any more: the settings go first."""
        self.removed = True
        if self._file:
            try:
                self._file.close()
            except OSError:
                pass  # of a full flash: it cannot keep what it goes without
            self._file = None
        for extension in ("new", "app"):
            self.store._delete("a%d.%s" % (self.index, extension))
        self.store._delete(self.name)
        self.store._delete(self.code_name())

    # The file that keeps the app's machine code. No app can be installed under such a name.
    def code_name(self):
        return "a%d.code" % self.index

    def code_path(self):
        """Where to keep the app's machine code; None: nowhere."""
        return self.store.path + "/" + self.code_name()

    def size(self):
        try:
            return os.stat(self.source)[6]
        except OSError:
            return -1


def _number(name):
    try:
        return int(name[1 : name.find(".")])
    except ValueError:
        return 0


def _hex(data):
    text = "%x" % binascii.crc32(data)
    return ("0" * (8 - len(text)) + text).encode()
