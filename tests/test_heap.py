"""heap.py and pool.py: against a model, with millions of operations, and with a hostile app."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from wamr import pool
from wamr.heap import Heap, HeapError

# The everyday run; WAMR_HEAP_OPS=5000000 for the long one.
OPERATIONS = int(os.environ.get("WAMR_HEAP_OPS", "150000"))
GUARD = 64


class Model:
    """A heap between two guard zones, and what every block of it has to contain."""

    def __init__(self, size: int, offset: int = 0, view: bool = False) -> None:
        self.raw = bytearray(b"\xaa" * (GUARD + offset + size + GUARD))
        self.buf = memoryview(self.raw) if view else self.raw
        self.start, self.size = GUARD + offset, size
        self.heap = Heap(self.buf, self.start, size)
        self.blocks: dict[int, bytes] = {}
        self.count = 0

    def _fill(self, ptr: int, n: int, keep: bytes = b"") -> None:
        self.count += 1
        data = (keep + self.count.to_bytes(4, "little") * (n // 4 + 1))[:n]
        self.raw[ptr : ptr + n] = data
        self.blocks[ptr] = data

    def _inside(self, ptr: int, n: int) -> None:
        assert ptr % 8 == 0
        assert self.start <= ptr and ptr + n <= self.start + self.size

    def alloc(self, n: int, zero: bool = False) -> int:
        ptr = self.heap.alloc(n, zero)
        if ptr:
            self._inside(ptr, n)
            if zero:
                assert bytes(self.raw[ptr : ptr + n]) == bytes(n)
            self._fill(ptr, n)
        else:
            assert self.heap.stats()[3] < max(n, 1)
        return ptr

    def free(self, ptr: int) -> None:
        data = self.blocks.pop(ptr)
        assert self.raw[ptr : ptr + len(data)] == data
        self.heap.free(ptr)

    def realloc(self, ptr: int, n: int) -> int:
        data = self.blocks[ptr]
        new = self.heap.realloc(ptr, n)
        if new:
            self._inside(new, n)
            del self.blocks[ptr]
            assert bytes(self.raw[new : new + min(n, len(data))]) == data[:n]
            self._fill(new, n, data[:n])
        return new

    def check(self) -> None:
        """All blocks whole, apart from each other, and nothing written outside."""
        end = 0
        for ptr in sorted(self.blocks):
            data = self.blocks[ptr]
            assert ptr >= end
            assert self.raw[ptr : ptr + len(data)] == data
            end = ptr + len(data)
        total, used, free, largest, peak = self.heap.stats()
        assert used == self.heap.used <= peak <= total == used + free
        assert used >= sum(8 + len(data) for data in self.blocks.values())
        if not self.blocks:
            assert (used, largest) == (0, total - 8)
        assert self.raw[: self.start] == b"\xaa" * self.start
        after = self.start + self.size
        assert self.raw[after:] == b"\xaa" * (len(self.raw) - after)


class HeapMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.model = Model(2000, offset=3)

    @rule(n=st.integers(0, 300) | st.integers(0, 2500), zero=st.booleans())
    def alloc(self, n: int, zero: bool) -> None:
        self.model.alloc(n, zero)

    @precondition(lambda self: self.model.blocks)
    @rule(data=st.data())
    def free(self, data: st.DataObject) -> None:
        ptr = data.draw(st.sampled_from(sorted(self.model.blocks)))
        self.model.free(ptr)
        with pytest.raises(HeapError):
            self.model.heap.free(ptr)

    @precondition(lambda self: self.model.blocks)
    @rule(data=st.data(), n=st.integers(0, 400))
    def realloc(self, data: st.DataObject, n: int) -> None:
        self.model.realloc(data.draw(st.sampled_from(sorted(self.model.blocks))), n)

    @rule(data=st.data())
    def free_of_something_else(self, data: st.DataObject) -> None:
        ptr = data.draw(st.integers(1, 2300).filter(lambda p: p not in self.model.blocks))
        with pytest.raises(HeapError):
            self.model.heap.free(ptr)

    @invariant()
    def whole(self) -> None:
        self.model.check()


TestHeapMachine = HeapMachine.TestCase
TestHeapMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("view", [False, True], ids=["bytearray", "memoryview"])
def test_many_operations(view: bool) -> None:
    rng = random.Random(2019)
    model = Model(64 * 1024, view=view)
    live: list[int] = []
    for step in range(OPERATIONS // 2):
        # Phases of growing and shrinking, mostly small blocks, as programs do.
        grow = 0.75 if step % 4000 < 2000 else 0.3
        if not live or rng.random() < grow:
            n = rng.choice(
                (rng.randrange(64), rng.randrange(64), rng.randrange(512), rng.randrange(4096))
            )
            if live and rng.random() < 0.25:
                i = rng.randrange(len(live))
                live[i] = model.realloc(live[i], n) or live[i]
            else:
                ptr = model.alloc(n, rng.random() < 0.1)
                if ptr:
                    live.append(ptr)
        else:
            i = rng.randrange(len(live))
            live[i], live[-1] = live[-1], live[i]
            model.free(live.pop())
        if step % 1000 == 0:
            model.check()
    for ptr in live:
        model.free(ptr)
    model.check()


# Whatever the app writes into its heap: HeapError, no other exception, no loop, nothing outside
# touched.
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_hostile_app(data: st.DataObject) -> None:
    model = Model(512, offset=5)
    heap = model.heap
    words = st.sampled_from((0, 1, 2, 5, 16, 17, 18, 21, 72, 80, 88, 96, 1 << 31)) | st.integers(
        0, 700
    )
    known = [heap.alloc(n) for n in (10, 40, 0, 100, 24)]
    for _ in range(data.draw(st.integers(1, 30))):
        action = data.draw(st.integers(0, 3))
        ptr = data.draw(st.sampled_from(known) | st.integers(0, 700))
        try:
            if action == 0:
                at = model.start + data.draw(st.integers(0, 127)) * 4
                at = min(at, model.start + model.size - 4)
                model.raw[at : at + 4] = data.draw(words).to_bytes(4, "little")
            elif action == 1:
                new = heap.alloc(data.draw(st.integers(0, 200)), True)
                if new:
                    model._inside(new, 8)
                    known.append(new)
            elif action == 2:
                heap.free(ptr)
            else:
                heap.realloc(ptr, data.draw(st.integers(0, 200)))
        except HeapError:
            pass
    model.blocks.clear()
    assert model.raw[: model.start] == b"\xaa" * model.start
    end = model.start + model.size
    assert model.raw[end:] == b"\xaa" * (len(model.raw) - end)


def test_a_loop_of_free_blocks_ends() -> None:
    heap = Heap(bytearray(2048), 0, 2048)
    ptrs = [heap.alloc(200) for _ in range(5)]
    heap.free(ptrs[0])
    heap.free(ptrs[2])
    # Both in one bin, each the next of the other.
    heap.buf[ptrs[0] : ptrs[0] + 4] = ptrs[2].to_bytes(4, "little")
    with pytest.raises(HeapError) as error:
        heap.alloc(215)
    assert error.value.corrupt


def test_faults_are_told_apart() -> None:
    heap = Heap(bytearray(256), 0, 256)
    a, b, c = heap.alloc(16), heap.alloc(16), heap.alloc(16)
    heap.free(a)
    for wrong in (a, b + 8, b + 1, 3, 4096, -8):
        with pytest.raises(HeapError):
            heap.free(wrong)
    with pytest.raises(HeapError) as error:
        heap.free(a)
    assert not error.value.corrupt
    assert "double free" in str(error.value)
    heap.buf[b + 16] ^= 8  # one byte too far: the header of c
    with pytest.raises(HeapError) as error:
        heap.free(c)
    assert error.value.corrupt
    heap.free(0)


# As in C runtimes, neighbours are merged, so that freed memory can be used for larger blocks.
def test_neighbours_are_merged() -> None:
    heap = Heap(bytearray(1000), 0, 1000)
    whole = heap.stats()[3]
    for order in ((0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2)):
        ptrs = [heap.alloc(320) for _ in range(3)]
        assert all(ptrs)
        for i in order:
            heap.free(ptrs[i])
        assert heap.stats()[3] == whole


def test_realloc_grows_in_place_when_it_can() -> None:
    heap = Heap(bytearray(1000), 0, 1000)
    a, b, c = heap.alloc(100), heap.alloc(100), heap.alloc(100)
    heap.free(b)
    assert heap.realloc(a, 180) == a
    assert heap.realloc(a, 20) == a
    assert heap.realloc(c, 400) == c
    assert heap.realloc(c, 2000) == 0
    assert heap.realloc(0, 8) != 0


def test_a_heap_that_is_extended_when_it_is_full() -> None:
    end = 4096
    buf = bytearray(end + 8)
    buf[end:] = b"\xaa" * 8
    heap = Heap(buf, 0, 64)
    calls = []

    def more(size: int) -> bool:
        calls.append(size)
        n = min(max(size, 64), end - heap.end)
        if n < 16:
            return False
        heap.extend(n)
        return True

    heap.more = more
    rng = random.Random(4)
    blocks: dict[int, bytes] = {}
    for i in range(3000):
        if blocks and rng.random() < 0.45:
            p = rng.choice(list(blocks))
            assert buf[p : p + len(blocks[p])] == blocks[p]
            del blocks[p]
            heap.free(p)
        elif p := heap.alloc(n := rng.randrange(1, 120)):
            assert p not in blocks and p + n <= heap.end
            blocks[p] = buf[p : p + n] = i.to_bytes(2, "little") * (n // 2) + b"x" * (n % 2)
        assert heap.stats()[1] == heap.used
    assert heap.end == end and buf[end:] == b"\xaa" * 8
    assert len(calls) > 20
    for p in blocks:
        heap.free(p)
    assert heap.stats()[:4] == (end, 0, end, end - 8)


def test_a_replaced_buffer() -> None:
    heap = Heap(bytearray(1000), 0, 1000)
    a = heap.alloc(100)
    larger = bytearray(2000)
    larger[:1000] = heap.buf
    heap.buf = larger
    heap.free(a)
    assert heap.stats()[1] == 0


def test_sizes() -> None:
    heap = Heap(bytearray(1000), 0, 1000)
    for n in (-1, 1000, 1 << 30, 1 << 32, 1 << 64):
        assert heap.alloc(n) == 0
    for size in (0, 15, 1 << 31):
        with pytest.raises(ValueError):
            Heap(bytearray(16), 0, size)


@pytest.fixture
def fresh_pool():
    yield
    for view, _ in list(pool.taken):
        pool.give(view)
    pool._heap = None


def test_pool(fresh_pool: None) -> None:
    assert isinstance(pool.take(100), bytearray)
    assert pool.stats() is None
    pool.init(10000)
    a = pool.take(4000)
    a[:] = b"x" * 4000
    b = pool.take(4000)
    with pytest.raises(MemoryError, match="at most"):
        pool.take(4000)
    with pytest.raises(RuntimeError):
        pool.init(20000)
    pool.give(a)
    again = pool.take(4000)
    assert bytes(again) == bytes(4000)
    pool.give(bytearray(5))  # made before init(): nothing to do
    pool.give(b)
    pool.give(again)
    assert pool.stats()[:3] == (10000, 0, 10000)
    pool.init(20000)
    assert pool.stats()[0] == 20000
