"""A stand-in for an instance, with memory, heap and libc: natives can be called one by one."""

from __future__ import annotations

from wamr.heap import Heap
from wamr.libc import Libc
from wamr.wasm.externs import Memory

TYPES = {"i": 0x7F, "I": 0x7E, "f": 0x7D, "F": 0x7C}
SIZE = 0x10000
OUT_OF_BOUNDS = "out of bounds memory access"
# Pieces of memory: what put() makes, the argument blocks, and the app heap.
TEXTS, BLOCK, HEAP = 0x1000, 0x4000, 0x8000


def func_type(words: str) -> tuple[bytes, bytes]:
    """The type of "ii:i" (parameters, colon, results)."""
    params, _, results = words.partition(":")
    return bytes(TYPES[c] for c in params), bytes(TYPES[c] for c in results)


class App:
    def __init__(self, namespace: object = None) -> None:
        self.printed = bytearray()
        self.warned = bytearray()
        self.space = namespace or Libc(self.printed.extend, self.warned.extend)
        self.memory = Memory(1)
        self.memory.heap = self.heap = Heap(self.memory.buf, HEAP, 0x4000)
        self.tables: list[object] = []
        self.at = TEXTS

    def native(self, name: str, words: str) -> object:
        if isinstance(self.space, Libc):
            self.space.is_2019 = False
        native = self.space.resolve(name, "func", func_type(words), None)
        assert native is not None, f"{name} is not there"
        assert native.type == func_type(words), f"{name} has another type"
        return native

    def call(self, name: str, words: str, *args: int | bytes) -> int | None:
        """Call a native; bytes stand for a pointer to them. The result is signed."""
        native = self.native(name, words)
        cells = [self.put(a) if isinstance(a, bytes) else a & 0xFFFFFFFF for a in args]
        if "I" in words:
            cells = [c if t != "I" else a & 2**64 - 1 for a, c, t in zip(args, cells, words)]
        result = native.call(self, cells)
        if not result:
            return None
        bits = 64 if words[-1] == "I" else 32
        return result[0] - (1 << bits) if result[0] >> bits - 1 else result[0]

    def put(self, text: bytes) -> int:
        """The address of a NUL-terminated copy."""
        at = self.at
        self.memory.write(at, text + b"\0")
        self.at += len(text) + 1
        assert self.at < BLOCK
        return at

    def block(self, *args: object, aligned: bool = True) -> int:
        """An argument block: ints take 4 bytes, (value,) takes 8, bytes are put somewhere."""
        at = BLOCK + 4  # so that alignment matters
        for arg in args:
            if isinstance(arg, tuple):
                if aligned:
                    at = (at + 7) & ~7
                self.memory.put_u64(at, arg[0])
                at += 8
            else:
                self.memory.put_u32(at, self.put(arg) if isinstance(arg, bytes) else arg)
                at += 4
        return BLOCK + 4

    def format(self, text: bytes, *args: object, name: str = "printf") -> bytes:
        """What printf prints; the number it returns is checked."""
        self.printed.clear()
        block = self.block(*args, aligned=name[0] != "_")
        assert self.call(name, "ii:i", text, block) == len(self.printed)
        return bytes(self.printed)
