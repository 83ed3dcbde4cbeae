"""The boards that the firmware here is built for, and the heap they have left after booting."""

from __future__ import annotations

from typing import NamedTuple


class Board(NamedTuple):
    """`free_heap`: bytes right after boot, with asyncio and a mounted file system; measured.
    `target`: as in `wamr compile`.
    """

    name: str
    chip: str
    free_heap: int
    target: str


BOARDS = (
    Board("NETDUINOPLUS2", "STM32F405, Cortex-M4F", 112_400, "armv7emsp"),
    Board("MPS2_AN385", "Cortex-M3", 138_400, "armv7m"),
    Board("VIRT_RV32", "RV32IMC", 138_400, "rv32imc"),
)
