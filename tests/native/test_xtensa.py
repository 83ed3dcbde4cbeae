"""Xtensa encodings against an independent disassembler."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import wamr
from wamr.compiler.program import Program
from wamr.compiler.xtensa import Xtensa

from native import generate

capstone = pytest.importorskip("capstone", reason="capstone, a disassembler, is not installed")


def listing(asm: Xtensa) -> list[str]:
    cs = capstone.Cs(capstone.CS_ARCH_XTENSA, capstone.CS_MODE_XTENSA_ESP32)
    found = list(cs.disasm(bytes(asm.code), 0))
    assert sum(i.size for i in found) == len(asm.code)
    return [f"{i.mnemonic} {i.op_str}".strip() for i in found]


def pair(low: int, high: int) -> int:
    return 0x10000 | high << 8 | low


P, Q, R = pair(0, 1), pair(2, 3), pair(4, 5)

# Compiler's registers 0, 1, 2 are a2, a3, a4. Operations and conditions: see numeric.py.
CASES: list[tuple[Callable[[Xtensa], object], list[str]]] = [
    (lambda a: a.move(0, 8), ["mov.n a2, a10"]),
    (lambda a: a.const(0, 95), ["movi.n a2, 0x5f"]),
    (lambda a: a.const(0, -32), ["movi.n a2, -0x20"]),
    (lambda a: a.const(0, 96), ["movi a2, 0x60"]),
    (lambda a: a.const(0, -33), ["movi a2, -0x21"]),
    (lambda a: a.const(0, 2047), ["movi a2, 0x7ff"]),
    (lambda a: a.const(0, -2048), ["movi a2, -0x800"]),
    (lambda a: a.const(0, 2048), ["movi.n a2, 1", "slli a2, a2, 0xb"]),
    (lambda a: a.const(0, 0x7F7F), ["movi a2, 0x7f", "addmi a2, a2, 0x7f00"]),
    (lambda a: a.const(0, 0x7FFF), ["movi.n a2, -1", "extui a2, a2, 0x11, 0xf"]),
    (lambda a: a.const(0, -0x8080), ["movi a2, -0x101", "slli a2, a2, 7"]),
    (lambda a: a.const(0, 0xFFFF), ["movi.n a2, -1", "extui a2, a2, 0x10, 0x10"]),
    (lambda a: a.const(0, 0x1FFFF), ["movi.n a2, -1", "srli a2, a2, 0xf"]),
    (lambda a: a.const(0, -1 << 31), ["movi.n a2, -1", "slli a2, a2, 0x1f"]),
    (lambda a: a.load_cell(2, 15), ["l32i.n a4, a15, 0x3c"]),
    (lambda a: a.load_cell(2, 255), ["l32i a4, a15, 0x3fc"]),
    (lambda a: a.load_cell(2, 256), ["addmi a4, a15, 0x400", "l32i.n a4, a4, 0"]),
    (
        lambda a: a.load_cell(2, 9000),
        ["addmi a4, a15, 0x7f00", "addmi a4, a4, 0xd00", "l32i a4, a4, 0xa0"],
    ),
    (lambda a: a.store_cell(2, 16), ["s32i a4, a15, 0x40"]),
    (lambda a: a.store_cell(2, 300), ["addmi a0, a15, 0x400", "s32i a4, a0, 0xb0"]),
    (lambda a: a.load_context(8, 40), ["l32i.n a10, a1, 4", "l32i.n a10, a10, 0x28"]),
    (lambda a: a.store_context(8, 40), ["l32i.n a11, a1, 4", "s32i.n a10, a11, 0x28"]),
    (lambda a: a.alu(0, 0, 1, 2), ["add.n a2, a3, a4"]),
    (lambda a: a.alu(1, 0, 1, 2), ["sub a2, a3, a4"]),
    (lambda a: a.alu(2, 0, 1, 2), ["mull a2, a3, a4"]),
    (lambda a: a.alu(7, 0, 1, 2), ["and a2, a3, a4"]),
    (lambda a: a.alu(8, 0, 1, 2), ["or a2, a3, a4"]),
    (lambda a: a.alu(9, 0, 1, 2), ["xor a2, a3, a4"]),
    (lambda a: a.alu(10, 0, 1, 2), ["ssl a4", "sll a2, a3"]),
    (lambda a: a.alu(11, 0, 1, 2), ["ssr a4", "sra a2, a3"]),
    (lambda a: a.alu(12, 0, 1, 2), ["ssr a4", "srl a2, a3"]),
    (lambda a: a.alu(13, 0, 1, 2), ["ssl a4", "src a2, a3, a3"]),
    (lambda a: a.alu(14, 0, 1, 2), ["ssr a4", "src a2, a3, a3"]),
    (lambda a: a.alu_const(0, 0, 1, 1), ["addi.n a2, a3, 1"]),
    (lambda a: a.alu_const(0, 0, 1, -1), ["addi.n a2, a3, -1"]),
    (lambda a: a.alu_const(0, 0, 1, 16), ["addi a2, a3, 0x10"]),
    (lambda a: a.alu_const(0, 0, 1, -128), ["addi a2, a3, -0x80"]),
    (lambda a: a.alu_const(0, 0, 1, 128), ["addmi a2, a3, 0x100", "addi a2, a2, -0x80"]),
    (lambda a: a.alu_const(0, 0, 1, 32639), ["addmi a2, a3, 0x7f00", "addi a2, a2, 0x7f"]),
    (lambda a: a.alu_const(0, 0, 1, -0x8000), ["addmi a2, a3, -0x8000"]),
    (
        lambda a: a.alu_const(0, 0, 1, 0x10000),
        ["movi.n a11, 1", "slli a11, a11, 0x10", "add.n a2, a3, a11"],
    ),
    (lambda a: a.alu_const(2, 0, 1, 8), ["slli a2, a3, 3"]),
    (lambda a: a.alu_const(2, 0, 1, 10), ["movi.n a0, 0xa", "mull a2, a3, a0"]),
    (lambda a: a.alu_const(7, 0, 1, 255), ["extui a2, a3, 0, 8"]),
    (lambda a: a.alu_const(7, 0, 1, 0x1FFFF), ["slli a2, a3, 0xf", "srli a2, a2, 0xf"]),
    (lambda a: a.alu_const(7, 0, 1, -2), ["movi.n a0, -2", "and a2, a3, a0"]),
    (lambda a: a.alu_const(9, 0, 1, -1), ["neg a2, a3", "addi.n a2, a2, -1"]),
    (lambda a: a.alu_const(10, 0, 1, 1), ["slli a2, a3, 1"]),
    (lambda a: a.alu_const(10, 0, 1, 31), ["slli a2, a3, 0x1f"]),
    (lambda a: a.alu_const(12, 0, 1, 15), ["srli a2, a3, 0xf"]),
    (lambda a: a.alu_const(12, 0, 1, 16), ["extui a2, a3, 0x10, 0x10"]),
    (lambda a: a.alu_const(11, 0, 1, 17), ["srai a2, a3, 0x11"]),
    (lambda a: a.alu_const(13, 0, 1, 8), ["ssai 0x18", "src a2, a3, a3"]),
    (lambda a: a.alu_const(14, 0, 1, 8), ["ssai 8", "src a2, a3, a3"]),
    (lambda a: a.divide(3, 0, 1, 2, False), ["quos a2, a3, a4"]),
    (lambda a: a.divide(4, 0, 1, 2, False), ["quou a2, a3, a4"]),
    (lambda a: a.divide(5, 0, 1, 2, False), ["rems a2, a3, a4"]),
    (lambda a: a.divide(6, 0, 1, 2, False), ["remu a2, a3, a4"]),
    (lambda a: a.unary(0, 0, 1), ["nsau a2, a3"]),
    (lambda a: a.sign_extend(0, 1, 8), ["sext a2, a3, 7"]),
    (lambda a: a.sign_extend(0, 1, 16), ["sext a2, a3, 0xf"]),
    (
        lambda a: a.add_pairs(0, P, P, Q),
        ["add.n a3, a3, a5", "add.n a2, a2, a4", "bgeu a2, a4, . +5", "addi.n a3, a3, 1"],
    ),
    (
        lambda a: a.add_pairs(0, P, P, P),
        ["add.n a3, a3, a3", "extui a11, a2, 0x1f, 1", "add.n a3, a3, a11", "add.n a2, a2, a2"],
    ),
    (
        lambda a: a.add_pairs(1, P, Q, P),
        ["sub a3, a5, a3", "bgeu a4, a2, . +5", "addi.n a3, a3, -1", "sub a2, a4, a2"],
    ),
    (
        lambda a: a.add_pairs_const(P, Q, 7, -1),
        [
            "addi.n a3, a5, -1",
            "movi.n a11, 7",
            "add.n a2, a4, a11",
            "bgeu a2, a11, . +5",
            "addi.n a3, a3, 1",
        ],
    ),
    (
        lambda a: a.mul_pairs(R, P, Q),
        [
            "mull a11, a3, a4",
            "mull a0, a2, a5",
            "add.n a11, a11, a0",
            "muluh a0, a2, a4",
            "mull a6, a2, a4",
            "add.n a7, a11, a0",
        ],
    ),
    (lambda a: a.alu_const_wide(10, P, Q, 7), ["ssai 0x19", "src a3, a5, a4", "slli a2, a4, 7"]),
    (lambda a: a.alu_const_wide(10, P, Q, 39), ["slli a3, a4, 7", "movi.n a2, 0"]),
    (lambda a: a.alu_const_wide(11, P, Q, 40), ["srai a2, a5, 8", "srai a3, a5, 0x1f"]),
    (
        lambda a: a.alu_const_wide(13, P, Q, 40),
        ["ssai 0x18", "src a11, a4, a5", "src a2, a5, a4", "mov.n a3, a11"],
    ),
    (
        lambda a: a.shift_pairs(11, P, Q, R, 6),
        [
            "ssr a6",
            "src a2, a5, a4",
            "sra a3, a5",
            "bbci a6, 5, . +8",
            "mov.n a2, a3",
            "srai a3, a3, 0x1f",
        ],
    ),
    (
        lambda a: a.set(a.compare(0, 1, 2), 0),
        ["sub a11, a3, a4", "nsau a2, a11", "srli a2, a2, 5"],
    ),
    (lambda a: a.set(a.compare_const(1, 1, 0), 0), ["movi.n a2, 1", "moveqz a2, a3, a3"]),
    (
        lambda a: a.set(a.compare(4, 1, 2), 1),
        ["movi.n a0, 1", "blt a3, a4, . +5", "movi.n a0, 0", "mov.n a3, a0"],
    ),
    (lambda a: a.set(a.compare_const(4, 1, 0), 0), ["extui a2, a3, 0x1f, 1"]),
    (
        lambda a: a.set(a.compare_const(11, 1, 9), 0),
        ["movi.n a2, 1", "bltui a3, 0xa, . +5", "movi.n a2, 0"],
    ),
    (
        lambda a: a.set(a.compare_const(6, 1, 0x7FFFFFFF), 0),
        [
            "movi.n a2, 1",
            "movi.n a11, -1",
            "srli a11, a11, 1",
            "blt a11, a3, . +5",
            "movi.n a2, 0",
        ],
    ),
    (
        lambda a: a.set(a.compare_wide(8, P, Q), 0),
        [
            "movi.n a11, 1",
            "bltu a3, a5, . +0xb",
            "bne a3, a5, . +6",
            "bltu a2, a4, . +5",
            "movi.n a11, 0",
            "movi.n a2, 1",
            "moveqz a2, a11, a11",
        ],
    ),
    (lambda a: a.select(a.compare_const(1, 2, 0), 0, 1), ["movnez a2, a3, a4"]),
    (
        lambda a: a.select_wide(a.compare_const(4, 8, 7), P, Q),
        ["bgei a10, 7, . +7", "mov.n a2, a4", "mov.n a3, a5"],
    ),
    (lambda a: a.load(0x2D, 0, 1, 255), ["add.n a11, a12, a3", "l8ui a2, a11, 0xff"]),
    (
        lambda a: a.load(0x2C, 0, 1, 256),
        ["add.n a11, a12, a3", "addmi a11, a11, 0x100", "l8ui a2, a11, 0", "sext a2, a2, 7"],
    ),
    (lambda a: a.load(0x2E, 0, None, 510), ["l16si a2, a12, 0x1fe"]),
    (
        lambda a: a.load(0x28, 0, 1, 3),
        ["add.n a11, a12, a3", "addi.n a11, a11, 3", "l32i.n a2, a11, 0"],
    ),
    (
        lambda a: a.load(0x29, P, 2, 1016),
        ["add.n a11, a12, a4", "l32i a2, a11, 0x3f8", "l32i a3, a11, 0x3fc"],
    ),
    (
        lambda a: a.load(0x29, P, 2, 1020),
        [
            "add.n a11, a12, a4",
            "addmi a11, a11, 0x300",
            "l32i a2, a11, 0xfc",
            "l32i a3, a11, 0x100",
        ],
    ),
    (
        lambda a: a.store(0x37, P, None, 0x12344),
        [
            "movi a0, 0x123",
            "slli a0, a0, 8",
            "add.n a11, a12, a0",
            "s32i a2, a11, 0x44",
            "s32i a3, a11, 0x48",
        ],
    ),
    (lambda a: a.store(0x3A, 0, 1, 0), ["add.n a11, a12, a3", "s8i a2, a11, 0"]),
    (
        lambda a: a.float_unary(1, 0, 1, False),
        ["movi.n a11, -1", "slli a11, a11, 0x1f", "xor a2, a3, a11"],
    ),
    (
        lambda a: a.float_binary(13, 0, 1, 2, False),
        ["extui a0, a4, 0x1f, 1", "slli a2, a3, 1", "ssai 1", "src a2, a0, a2"],
    ),
]


@pytest.mark.parametrize(("emit", "expected"), CASES)
def test_encoding(emit: Callable[[Xtensa], object], expected: list[str]) -> None:
    asm = Xtensa()
    emit(asm)
    assert listing(asm) == expected


def test_number_in_the_code() -> None:
    """It is jumped over at its first use, and in a word of its own."""
    asm = Xtensa()
    asm.move(0, 1)
    asm.const(0, 0x12345678)
    asm.const(1, 0x12345678)
    code = bytes(asm.code)
    assert code[8:12] == b"\x78\x56\x34\x12"
    assert code[2:5] == (0x06 | 12 - 2 - 4 << 6).to_bytes(3, "little")  # j 12
    # l32r counts words from the next one on, backwards: at 12 from 12, at 15 from 16.
    assert code[12:15] == (0x21 | (-1 & 0xFFFF) << 8).to_bytes(3, "little")
    assert code[15:18] == (0x31 | (-2 & 0xFFFF) << 8).to_bytes(3, "little")


@pytest.mark.parametrize("distance", [-0x20000 + 4, -200, 4, 7, 0x20003])
def test_jump_distance(distance: int) -> None:
    asm = Xtensa()
    asm._far(0x06, -1)
    asm.patch(0, distance)
    assert listing(asm) == [f"j . {distance:+#x}".replace("0x4", "4").replace("0x7", "7")]


@pytest.mark.parametrize("distance", [-0x80000 + 4, -4, 4, 0x80000])
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_call_distance(distance: int, place: int) -> None:
    """From any place, to words."""
    asm = Xtensa()
    asm.code.extend(bytes(place))
    asm._far(0x05, -1)
    asm.patch(place, distance)
    word = int.from_bytes(asm.code[place:], "little")
    assert word & 0x3F == 0x05
    offset = (word >> 6) - (word >> 23 << 18)
    assert (place & ~3) + 4 + 4 * offset == distance


def test_out_of_reach() -> None:
    asm = Xtensa()
    label: list[int] = []
    asm.branch(asm.compare_const(0, 1, 0), label)
    asm.jump(label)
    for place, distance in zip(label, (2052, 0x20004)):
        asm.patch(place, place + distance - 1)
        with pytest.raises(OverflowError):
            asm.patch(place, place + distance)


@pytest.mark.parametrize("seed", range(40))
def test_code_is_made_of_words(seed: int) -> None:
    """ESP32 copies it to executable RAM by words, and call0 reaches nothing else."""
    program = Program(wamr.Module(generate.module(seed)), Xtensa())
    list(program.compile())
    assert program.parts[0][0] & 0x3F == 0x36  # entry
    assert all(len(part) % 4 == 0 for part in program.parts)
    assert all(offset % 4 == 0 for offset in program.offsets if offset >= 0)
