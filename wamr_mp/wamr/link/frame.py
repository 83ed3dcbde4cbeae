"""The framing of the host link: finds frames in a stream of bytes, and stays in step whatever
comes.

A frame is `12 34`, the type and the length of the payload (u16 and u32, big endian), the payload.
There is no checksum.
"""

from wamr.host import const

_HUNT = const(0)
_LEADING = const(1)
_HEADER = const(2)
_PAYLOAD = const(3)

REQUEST = const(2)
RESPONSE = const(3)
INSTALL = const(4)


def header(kind, length):
    return b"\x124" + kind.to_bytes(2, "big") + length.to_bytes(4, "big")


class FrameReader:
    """Calls the methods of `sink` for what feed() is given, in pieces of any size.

    sink.begin(kind, length) -> False when these cannot be the bytes of a frame: they are looked
    through for another one. sink.data(view) gets the payload piece by piece; True: this is no
    frame either. sink.end() after the last piece. sink.abort() when the rest does not come.
    """

    def __init__(self, sink):
        self.sink = sink
        self._state = _HUNT
        self._header = bytearray(6)
        self._n = 0  # bytes of the header, or of the payload that are still to come

    @property
    def busy(self):
        """Whether the last byte was in the middle of a frame."""
        return self._state != _HUNT

    def reset(self):
        """Forget half a frame: the peer is another one, or has been silent for too long."""
        if self._state == _PAYLOAD:
            self.sink.abort()
        self._state = _HUNT

    def feed(self, data):
        view = memoryview(data)
        n = len(view)
        i = 0
        while i < n:
            state = self._state
            if state == _PAYLOAD:
                piece = min(self._n, n - i)
                if self.sink.data(view[i : i + piece]):
                    self._state = _HUNT
                    continue
                i += piece
                self._n -= piece
                if not self._n:
                    self._state = _HUNT
                    self.sink.end()
                continue
            byte = view[i]
            i += 1
            if state == _HEADER:
                self._header[self._n] = byte
                self._n += 1
                if self._n == 6:
                    self._begin()
            elif byte == 0x12:
                # Also after another 0x12: the second one may be the first byte of a frame.
                self._state = _LEADING
            elif byte == 0x34 and state == _LEADING:
                self._state = _HEADER
                self._n = 0
            else:
                self._state = _HUNT

    def _begin(self):
        kind = self._header[0] << 8 | self._header[1]
        length = int.from_bytes(self._header[2:], "big")
        # A frame without payload says nothing: it is over.
        self._state = _HUNT
        if length and self.sink.begin(kind, length):
            self._state = _PAYLOAD
            self._n = length
