"""Where installed apps are kept without a file system; the same face as store.py."""

from wamr.apps.store import StoreError


class RamStore:
    """A store for boards without a file system: nothing survives a restart."""

    def __init__(self):
        self._last = 0

    def create(self, extension):
        self._last += 1
        return RamEntry(self, self._last)

    def load(self):
        return []

    def starting(self, index):
        pass

    def suspect(self):
        return 0


class RamEntry:
    """One app in a RamStore."""

    def __init__(self, store, index):
        self.store = store
        self.index = index
        self.source = bytearray()
        self.settings = None

    def write(self, view):
        try:
            self.source.extend(view)
        except MemoryError:
            raise StoreError("allocate memory failed.")

    def close(self):
        pass

    def commit(self, settings):
        self.settings = settings

    def remove(self):
        self.source = b""

    def code_path(self):
        return None

    def size(self):
        return len(self.source)
