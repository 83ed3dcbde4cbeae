"""The fixed-size heap allocator: blocks inside one region of a buffer, headers in band.

The same code manages the heap of an app inside its linear memory, where the app can overwrite
every byte of it, and the pool of the runtime (pool.py). So nothing read from the buffer is
trusted: each size and link is checked before it is followed.

A block is a header of 8 bytes and its payload; a position is that of the payload, as an index
into the buffer. Sizes count the header and are multiples of 8.

    position - 8    size | 1 (used) or 2 (free)
    position - 4    size of the block before | 5, so that both neighbours are found at once
    position        free blocks only: next block of the same bin, or 0
    position + 4    free blocks only: previous block of the same bin, or 0

Free blocks wait in bins: one for each size below 128, then one for each power of two. Words stay
below 2**30, so that they are small ints on every board.
"""

from wamr.host import const

_USED = const(1)
_FREE = const(2)
_PREV = const(5)
_HEADER = const(8)
_MIN = const(16)
_MAX = const(0x3FFFFF00)
# So many blocks of a bin are compared for the best fit.
_TRIES = const(16)


class HeapError(Exception):
    """free() or realloc() of something that is not an allocated block, or a corrupt heap.

    `corrupt` is True when a header or link was overwritten: nothing in this heap can be relied on
    then.
    """

    corrupt = False


class Heap:
    """An allocator over buf[start : start + size].

    buf: bytearray or writable memoryview; the attribute may be replaced by a larger copy at any
    time. start, size: bytes; size from 24 bytes (less the alignment of both ends to 8) to 1 GiB.
    ValueError otherwise. `more`, if set, is called with the bytes of a block for which there is no
    room: it may extend() the heap, and tells whether it did.
    """

    more = None

    def __init__(self, buf, start, size):
        end = (start + size) & ~7
        start = (start + 7) & ~7
        size = end - start
        if size < _MIN or size > _MAX:
            raise ValueError("a heap has from 24 bytes to 1 GiB, not %d" % size)
        self.buf = buf
        self.start = start
        self.end = end
        self.used = 0  # bytes, headers included
        self.peak = 0
        self._stop = end + _HEADER  # position a block after the last one would have
        self._free = 0  # number of free blocks: no list can be longer
        self._bins = [0] * (_bin(size) + 1)
        self._set(start + 4, _PREV)
        self._link(start + _HEADER, size)

    # ---- words and blocks

    # A word that has its upper two bits set was not written here.
    def _get(self, at):
        b = self.buf
        high = b[at + 3]
        if high > 0x3F:
            self._corrupt(at)
        return b[at] | b[at + 1] << 8 | b[at + 2] << 16 | high << 24

    def _set(self, at, value):
        b = self.buf
        b[at] = value & 0xFF
        b[at + 1] = value >> 8 & 0xFF
        b[at + 2] = value >> 16 & 0xFF
        b[at + 3] = value >> 24

    def _corrupt(self, at):
        error = HeapError("heap corrupted at 0x%x" % at)
        error.corrupt = True
        raise error

    # Size of the block at p, which must be in the given state and agree with the block after it.
    def _size(self, p, state):
        if p < self.start + _HEADER or p > self._stop - _MIN or p & 7:
            self._corrupt(p)
        size = self._get(p - 8)
        if size & 7 != state:
            self._corrupt(p - 8)
        size &= ~7
        if size < _MIN or size > self._stop - p:
            self._corrupt(p - 8)
        if p + size < self._stop and self._get(p + size - 4) != size | _PREV:
            self._corrupt(p + size - 4)
        return size

    # Writes the size of a block into both headers that tell it.
    def _set_size(self, p, size, state):
        self._set(p - 8, size | state)
        if p + size < self._stop:
            self._set(p + size - 4, size | _PREV)

    # Makes a block of `size` bytes free and the first of its bin.
    def _link(self, p, size):
        k = _bin(size)
        first = self._bins[k]
        if first:
            self._size(first, _FREE)
            self._set(first + 4, p)
        self._set_size(p, size, _FREE)
        self._set(p, first)
        self._set(p + 4, 0)
        self._bins[k] = p
        self._free += 1

    # Takes a free block out of its bin; its neighbours there have to know it.
    def _unlink(self, p, size):
        k = _bin(size)
        after = self._get(p)
        before = self._get(p + 4)
        if after:
            self._size(after, _FREE)
            if self._get(after + 4) != p:
                self._corrupt(after + 4)
        if before:
            self._size(before, _FREE)
            if self._get(before) != p:
                self._corrupt(before)
            self._set(before, after)
        else:
            if self._bins[k] != p:
                self._corrupt(p + 4)
            self._bins[k] = after
        if after:
            self._set(after + 4, before)
        self._free -= 1

    # The smallest free block that is large enough, among the first few of the first bin that has
    # one.
    def _find(self, size):
        bins = self._bins
        k = _bin(size)
        while k < len(bins):
            p = bins[k]
            best = best_size = tries = 0
            while p:
                n = self._size(p, _FREE)
                if n >= size and (not best or n < best_size):
                    best = p
                    best_size = n
                    if n == size:
                        break
                tries += 1
                if best and tries >= _TRIES:
                    break
                if tries > self._free:
                    self._corrupt(p)
                p = self._get(p)
            if best:
                return best
            k += 1
        return 0

    # Ends the used block p after `size` of its `had` bytes, when the rest is worth a block.
    def _trim(self, p, size, had):
        rest = had - size
        if rest < _MIN:
            size = had
        self._set_size(p, size, _USED)
        if rest >= _MIN:
            q = p + size
            after = p + had
            if after < self._stop and self._get(after - 8) & 7 == _FREE:
                n = self._size(after, _FREE)
                self._unlink(after, n)
                self._set(after - 8, 0)
                rest += n
            self._link(q, rest)
        self.used += size
        if self.used > self.peak:
            self.peak = self.used

    # Size of the allocated block p. A header of 0 is what is left of a block that was merged.
    def _allocated(self, p):
        if p < self.start + _HEADER or p > self._stop - _MIN or p & 7:
            raise HeapError("0x%x is not a block of this heap" % p)
        state = self._get(p - 8)
        if state & 7 == _FREE or not state:
            raise HeapError("0x%x is not allocated (any more): double free?" % p)
        return self._size(p, _USED)

    # ---- the public face

    def alloc(self, n, zero=False):
        """n bytes, 8-byte aligned: their index in the buffer, or 0 when there is no room.

        zero: fill them with zeros. Raises HeapError when the heap is corrupt.
        """
        if n < 0 or n > _MAX:
            return 0
        size = n + 15 & ~7
        if size < _MIN:
            size = _MIN
        p = self._find(size)
        if not p and self.more and self.more(size):
            p = self._find(size)
        if p:
            had = self._get(p - 8) & ~7
            self._unlink(p, had)
            self._trim(p, size, had)
            if zero:
                fill(self.buf, p, n)
        return p

    def free(self, p):
        """Give back the block at index p. Raises HeapError; 0 is ignored."""
        if not p:
            return
        had = size = self._allocated(p)
        before = self._get(p - 4)
        if before & 7 != _PREV:
            self._corrupt(p - 4)
        before &= ~7
        after = p + size
        if after < self._stop and self._get(after - 8) & 7 == _FREE:
            n = self._size(after, _FREE)
            self._unlink(after, n)
            self._set(after - 8, 0)
            size += n
        if before:
            q = p - before
            # Only a block that starts there and ends here is what the header means.
            state = self._get(q - 8) & 7 if q > self.start else 0
            if self._size(q, state if state == _FREE else _USED) != before:
                self._corrupt(p - 4)
            if state == _FREE:
                self._unlink(q, before)
                self._set(p - 8, 0)
                p = q
                size += before
        elif p != self.start + _HEADER:
            self._corrupt(p - 4)
        self.used -= had
        self._link(p, size)

    def realloc(self, p, n):
        """Resize the block at index p to n bytes: its index, which may have changed, or 0 (no
        room; p stays as it is).

        p 0 is alloc(n). Raises HeapError.
        """
        if not p:
            return self.alloc(n)
        had = size = self._allocated(p)
        if n < 0 or n > _MAX:
            return 0
        want = max(n + 15 & ~7, _MIN)
        after = p + size
        if want > size and after < self._stop and self._get(after - 8) & 7 == _FREE:
            more = self._size(after, _FREE)
            if size + more >= want:
                self._unlink(after, more)
                self._set(after - 8, 0)
                size += more
        if want <= size:
            self.used -= had
            self._trim(p, want, size)
            return p
        q = self.alloc(n)
        if q:
            view = memoryview(self.buf)
            n = had - _HEADER
            view[q : q + n][:] = view[p : p + n]
            self.free(p)
        return q

    def extend(self, size):
        """Make the region `size` bytes longer (a multiple of 8, 16 at least): the buffer has them.

        Raises HeapError when the heap is corrupt.
        """
        p = self.start + _HEADER
        last = state = 0
        while p < self._stop:
            state = self._get(p - 8) & 7
            last = self._size(p, state if state == _FREE else _USED)
            p += last
        self._bins.extend([0] * (_bin(self.end + size - self.start) + 1 - len(self._bins)))
        if state == _FREE:
            self._unlink(p - last, last)
        else:
            self._set(p - 4, last | _PREV)
            last = 0
        self.end += size
        self._stop += size
        self._link(p - last, size + last)

    def stats(self):
        """(total, used, free, largest, peak) in bytes; `largest` is what alloc() could return at
        most.

        Walks through all blocks; raises HeapError when they do not fit together.
        """
        p = self.start + _HEADER
        largest = used = 0
        before = 0
        while p < self._stop:
            if self._get(p - 4) != before | _PREV:
                self._corrupt(p - 4)
            free = self._get(p - 8) & 7 == _FREE
            before = self._size(p, _FREE if free else _USED)
            if not free:
                used += before
            elif before > largest:
                largest = before
            p += before
        total = self.end - self.start
        return total, used, total - used, max(largest - _HEADER, 0), self.peak


# Fills buf[at : at + n] with one value, in pieces, so that no second buffer of that size is
# needed.
def fill(buf, at, n, value=0):
    view = memoryview(buf)
    end = at + n
    piece = bytes((value,)) * min(n, 256)
    while at < end:
        n = min(len(piece), end - at)
        view[at : at + n][:] = piece if n == len(piece) else piece[:n]
        at += n


# The bin of blocks of `size` bytes.
def _bin(size):
    if size < 128:
        return (size >> 3) - 2
    k = 13
    size >>= 7
    while size:
        size >>= 1
        k += 1
    return k
