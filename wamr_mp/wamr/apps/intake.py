"""Takes requests out of the frames of one link, and streams the files of apps to be installed into
the store.
"""

from wamr.host import const
from wamr.link.frame import INSTALL, REQUEST
from wamr.apps.packet import HOST, PUT, REQUEST_SIZE, TOO_LARGE, Request, request_fields

_SKIP = const(0)
_HEAD = const(1)
_URL = const(2)
_BODY = const(3)
_FILE = const(4)

_MAX_URL = const(1024)


class Intake:
    """What a FrameReader reports to."""

    def __init__(self, manager):
        self.manager = manager
        self._state = _SKIP
        self._buf = bytearray(REQUEST_SIZE)
        self._n = 0  # bytes in _buf
        self._request = None
        self._install = None

    def begin(self, kind, length):
        self._state = _SKIP
        self._kind = kind
        self._length = length
        self._oversize = length > self.manager.config.max_install + REQUEST_SIZE + _MAX_URL
        if kind == REQUEST or kind == INSTALL:
            self._state = _HEAD
            self._n = 0
            return True
        if not self._oversize:
            self.manager.log("unexpected host msg type: %d" % kind)
        return not self._oversize

    def data(self, view):
        if self._state == _HEAD and self._oversize and not self._n and view[0] != 1:
            # No host sends so much, and no request starts so: the header was no header.
            self._state = _SKIP
            return True
        while len(view) and self._state:
            if self._state == _FILE:
                self._install.write(view)
                break
            piece = view[: len(self._buf) - self._n]
            self._buf[self._n : self._n + len(piece)] = piece
            self._n += len(piece)
            if self._n < len(self._buf) or self._state == _BODY:
                break
            view = view[len(piece) :]
            if self._state == _HEAD:
                self._head()
            else:
                self._url()
        return False

    # The fixed part of a request is there. What makes no sense is skipped without a word.
    def _head(self):
        version, action, fmt, mid, _, url_len, payload_len = request_fields(self._buf)
        self._state = _SKIP
        if version != 1 or not url_len or self._length != REQUEST_SIZE + url_len + payload_len:
            return
        # Whatever the packet says, it comes from the host.
        self._request = Request(action, b"", fmt, b"", mid, HOST)
        self._payload_len = payload_len
        if self._oversize or url_len > _MAX_URL:
            self._refuse("%d bytes" % self._length)
            return
        self._state = _URL
        self._buf = bytearray(url_len)
        self._n = 0

    def _url(self):
        request = self._request
        url = self._buf
        self._state = _SKIP
        self._buf = None
        if url[-1]:
            self._request = None
            return
        request.url = bytes(url[:-1])
        wanted = self._payload_len
        if not wanted:
            return
        manager = self.manager
        try:
            if request.action == PUT and (self._kind == INSTALL or manager.is_install(request)):
                from wamr.apps.install import Install

                self._install = Install(manager, request, self._kind == INSTALL)
                self._state = _FILE
            elif self._kind == INSTALL:
                pass  # any other action: the file is of no use
            elif wanted > manager.config.max_request:
                self._refuse("a payload of %d bytes" % wanted)
            else:
                self._buf = bytearray(wanted)
                self._n = 0
                self._state = _BODY
        except MemoryError:
            self._refuse("out of memory: %d bytes" % wanted)

    def _refuse(self, what):
        request = self._request
        self._request = None
        self.manager.fail(
            request.mid,
            "Request refused: %s, at most %d in a request and %d in an app's file."
            % (what, self.manager.config.max_request, self.manager.config.max_install),
            TOO_LARGE,
        )

    def end(self):
        request = self._request
        install = self._install
        if self._state == _BODY:
            request.payload = bytes(self._buf)
        complete = self._state != _HEAD and self._state != _URL
        self._clear()
        if install:
            install.finish()
        elif request and complete:
            self.manager.dispatch(request)

    def abort(self):
        if self._install:
            self._install.discard()
        self._clear()

    def _clear(self):
        self._state = _SKIP
        self._request = self._install = None
        if not self._buf or len(self._buf) != REQUEST_SIZE:
            self._buf = bytearray(REQUEST_SIZE)
