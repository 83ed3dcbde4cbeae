"""The boards that the firmware here is built for, and the heap they have left after booting."""

from __future__ import annotations

from typing import NamedTuple


class Board(NamedTuple):
    """`free_heap`: bytes right after boot, with asyncio and a mounted file system; measured."""

    name: str
    chip: str
    free_heap: int


BOARDS = (
    Board("NETDUINOPLUS2", "STM32F405, Cortex-M4F", 112_400),
    Board("MPS2_AN385", "Cortex-M3", 138_400),
    Board("VIRT_RV32", "RV32IMC", 138_400),
)
