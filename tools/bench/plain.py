"""Three of the kernels as they are written in Python, and their instructions on a board."""

from __future__ import annotations

import kernels
from board import Board
from table import progress

FIB = """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def run(n):
    total = 0
    for _ in range(n):
        total = total * 31 + fib(15) & 0xFFFFFFFF
    return total
"""

CRC32 = """
def run(n):
    data = bytearray(4096)
    seed = 1
    for i in range(4096):
        seed = seed * 1664525 + 1013904223 & 0xFFFFFFFF
        data[i] = seed >> 24
    crc = 0
    for _ in range(n):
        crc ^= 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                if crc & 1:
                    crc = crc >> 1 ^ 0xEDB88320
                else:
                    crc >>= 1
        crc ^= 0xFFFFFFFF
    return crc
"""

SIEVE = """
def run(n):
    total = 0
    for _ in range(n):
        flags = bytearray(8192)
        for i in range(8192):
            flags[i] = 1
        count = 0
        for i in range(2, 8192):
            if flags[i]:
                for k in range(i + i, 8192, i):
                    flags[k] = 0
                count += 1
        total = total * 31 + count & 0xFFFFFFFF
    return total
"""

SOURCES = {"fib": FIB, "crc32": CRC32, "sieve": SIEVE}

COUNT = """
import gc, semihost
spent = []
sums = []
for n in (1, 3, 1, 3):
    gc.collect()
    start = semihost.virtual_ns()
    sums.append(run(n))
    spent.append(semihost.virtual_ns() - start)
print(sums[0], sums[1], (spent[3] - spent[2]) // 2)
"""


def count(name: str) -> dict[str, int]:
    """Instructions of an iteration; ValueError when a checksum is wrong."""
    found = {}
    with Board(name, icount=True) as board:
        for kernel, source in SOURCES.items():
            progress(f"{name}: {kernel} in Python")
            board.soft_reset()
            one, three, found[kernel] = map(int, board.exec(source + COUNT, 120).split())
            if [one, three] != kernels.checksums(kernel):
                raise ValueError(f"{kernel} in Python is wrong: {one}, {three}")
    return found
