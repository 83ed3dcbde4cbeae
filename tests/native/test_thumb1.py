"""ARMv6-M encodings against an independent disassembler."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from wamr.compiler import context
from wamr.compiler.thumb1 import Thumb1

capstone = pytest.importorskip("capstone", reason="capstone, a disassembler, is not installed")

from native.test_armv6m import instructions  # noqa: E402


def listing(asm: Thumb1) -> list[str]:
    cs = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    found = list(cs.disasm(bytes(asm.code), 0))
    assert sum(i.size for i in found) == 2 * len(asm.code)
    return [f"{i.mnemonic} {i.op_str}".strip() for i in found]


def pair(low: int, high: int) -> int:
    return 0x10000 | high << 8 | low


ADD, SUB, MUL, DIV_S, DIV_U, REM_S, REM_U, AND, OR, XOR, SHL, SHR_S, SHR_U, ROTL, ROTR = range(15)
EQ, NE, _, _, LT_S, GE_S, GT_S, LE_S, LT_U, GE_U, GT_U, LE_U = range(12)
P, Q = pair(0, 1), pair(2, 3)
# The compiler's registers 0 to 6 are r0 to r6; and these are r8 and r12.
H, T = 7, 11

CASES: list[tuple[Callable[[Thumb1], object], list[str]]] = [
    (lambda a: a.move(0, 1), ["mov r0, r1"]),
    (lambda a: a.move(4, H), ["mov r4, r8"]),
    (lambda a: a.move(T, 2), ["mov r12, r2"]),
    (lambda a: a.const(3, 255), ["movs r3, #0xff"]),
    (lambda a: a.const(3, 256), ["movs r3, #1", "lsls r3, r3, #8"]),
    (lambda a: a.const(3, 510), ["movs r3, #0xff", "lsls r3, r3, #1"]),
    (lambda a: a.const(3, 0x3FC), ["movs r3, #0xff", "lsls r3, r3, #2"]),
    (lambda a: a.const(3, -1), ["movs r3, #0", "mvns r3, r3"]),
    (lambda a: a.const(3, -256), ["movs r3, #0xff", "mvns r3, r3"]),
    (lambda a: a.const(3, -0x80000000), ["movs r3, #1", "lsls r3, r3, #0x1f"]),
    (lambda a: a.const(H, 7), ["movs r7, #7", "mov r8, r7"]),
    (lambda a: a.load_cell(2, 31), ["ldr r2, [r6, #0x7c]"]),
    (lambda a: a.load_cell(2, 32), ["movs r7, #0x80", "ldr r2, [r6, r7]"]),
    (lambda a: a.load_cell(H, 3), ["ldr r7, [r6, #0xc]", "mov r8, r7"]),
    (lambda a: a.store_cell(2, 31), ["str r2, [r6, #0x7c]"]),
    (lambda a: a.store_cell(2, 300), ["movs r7, #0x4b", "lsls r7, r7, #4", "str r2, [r6, r7]"]),
    (lambda a: a.store_cell(H, 3), ["mov r7, r8", "str r7, [r6, #0xc]"]),
    (
        lambda a: a.store_cell(H, 40),
        ["mov r7, r8", "mov lr, r0", "movs r0, #0xa0", "str r7, [r6, r0]", "mov r0, lr"],
    ),
    (
        lambda a: a.store_const_wide(5, 3),
        ["movs r7, #5", "str r7, [r6, #0xc]", "movs r7, #0", "str r7, [r6, #0x10]"],
    ),
    (
        lambda a: a.copy_cells(30, 31, 2),
        [
            "ldr r7, [r6, #0x7c]",
            "str r7, [r6, #0x78]",
            "movs r7, #0x80",
            "ldr r7, [r6, r7]",
            "str r7, [r6, #0x7c]",
        ],
    ),
    (lambda a: a.load_context(1, 272), ["ldr r1, [sp, #4]", "ldr r1, [r1]"]),
    (
        lambda a: a.load_context(1, 272 + 128),
        ["ldr r1, [sp, #4]", "adds r1, #4", "ldr r1, [r1, #0x7c]"],
    ),
    (
        lambda a: a.load_context(H, 272 + 1000),
        [
            "movs r7, #0x7d",
            "lsls r7, r7, #3",
            "mov lr, r7",
            "ldr r7, [sp, #4]",
            "add r7, lr",
            "ldr r7, [r7]",
            "mov r8, r7",
        ],
    ),
    (lambda a: a.store_context(1, 280), ["ldr r7, [sp, #4]", "str r1, [r7, #8]"]),
    (
        lambda a: a.store_context(H, 280),
        ["ldr r7, [sp, #4]", "mov r12, r0", "mov r0, r8", "str r0, [r7, #8]", "mov r0, r12"],
    ),
    (
        lambda a: a.load_far(P, 272, True),
        ["ldr r7, [sp, #4]", "ldr r7, [r7]", "ldr r0, [r7]", "ldr r1, [r7, #4]"],
    ),
    (
        lambda a: a.store_far(H, 272, False),
        [
            "ldr r7, [sp, #4]",
            "ldr r7, [r7]",
            "mov r12, r0",
            "mov r0, r8",
            "str r0, [r7]",
            "mov r0, r12",
        ],
    ),
    (lambda a: a.alu(ADD, 0, 1, 2), ["adds r0, r1, r2"]),
    (lambda a: a.alu(SUB, 4, 3, 2), ["subs r4, r3, r2"]),
    (lambda a: a.alu(ADD, 0, 1, H), ["mov r0, r1", "add r0, r8"]),
    (lambda a: a.alu(ADD, H, H, 2), ["add r8, r2"]),
    (lambda a: a.alu(ADD, H, 1, H), ["add r8, r1"]),
    (lambda a: a.alu(SUB, 0, 1, H), ["mov r7, r8", "mov r0, r1", "subs r0, r0, r7"]),
    (lambda a: a.alu(SUB, H, H, 1), ["mov r7, r8", "subs r7, r7, r1", "mov r8, r7"]),
    (
        lambda a: a.alu(SUB, H, H, T),
        ["mov r7, r12", "mov lr, r0", "mov r0, r8", "subs r0, r0, r7", "mov r8, r0", "mov r0, lr"],
    ),
    (lambda a: a.alu(MUL, 0, 0, 1), ["muls r0, r1, r0"]),
    (lambda a: a.alu(AND, 0, 1, 2), ["mov r0, r1", "ands r0, r2"]),
    (lambda a: a.alu(OR, 1, 0, 1), ["orrs r1, r0"]),
    (lambda a: a.alu(XOR, H, 0, 1), ["mov r7, r0", "eors r7, r1", "mov r8, r7"]),
    (lambda a: a.alu(SHL, 0, 0, 1), ["lsls r7, r1, #0x1b", "lsrs r7, r7, #0x1b", "lsls r0, r7"]),
    (
        lambda a: a.alu(SHR_S, 0, 1, 0),
        ["lsls r7, r0, #0x1b", "lsrs r7, r7, #0x1b", "mov r0, r1", "asrs r0, r7"],
    ),
    (
        lambda a: a.alu(SHR_U, 0, 1, H),
        ["mov r7, r8", "lsls r7, r7, #0x1b", "lsrs r7, r7, #0x1b", "mov r0, r1", "lsrs r0, r7"],
    ),
    (
        lambda a: a.alu(SHL, H, 0, 1),
        [
            "lsls r7, r1, #0x1b",
            "lsrs r7, r7, #0x1b",
            "mov lr, r0",
            "lsls r0, r7",
            "mov r8, r0",
            "mov r0, lr",
        ],
    ),
    (lambda a: a.alu(ROTL, 0, 1, 2), ["rsbs r7, r2, #0", "mov r0, r1", "rors r0, r7"]),
    (lambda a: a.alu(ROTR, 0, 0, 1), ["rors r0, r1"]),
    (lambda a: a.alu(ROTR, 1, 0, 1), ["mov r7, r1", "mov r1, r0", "rors r1, r7"]),
    (lambda a: a.alu_const(ADD, 0, 1, 7), ["adds r0, r1, #7"]),
    (lambda a: a.alu_const(ADD, 0, 1, -7), ["subs r0, r1, #7"]),
    (lambda a: a.alu_const(ADD, 0, 0, 255), ["adds r0, #0xff"]),
    (lambda a: a.alu_const(ADD, 0, 0, -256), ["subs r0, #0xff", "subs r0, #1"]),
    (lambda a: a.alu_const(ADD, 0, 1, 8), ["mov r0, r1", "adds r0, #8"]),
    (
        lambda a: a.alu_const(ADD, 0, 0, 0x400),
        ["movs r7, #1", "lsls r7, r7, #0xa", "adds r0, r0, r7"],
    ),
    (
        lambda a: a.alu_const(ADD, 0, 1, 0x400),
        ["movs r0, #1", "lsls r0, r0, #0xa", "adds r0, r1, r0"],
    ),
    (lambda a: a.alu_const(ADD, 0, H, 0x400), ["movs r0, #1", "lsls r0, r0, #0xa", "add r0, r8"]),
    (lambda a: a.alu_const(ADD, H, H, 8), ["mov r7, r8", "adds r7, #8", "mov r8, r7"]),
    (lambda a: a.alu_const(ADD, H, 1, 1), ["adds r7, r1, #1", "mov r8, r7"]),
    (
        lambda a: a.alu_const(ADD, H, 1, 0x400),
        ["movs r7, #1", "lsls r7, r7, #0xa", "adds r7, r1, r7", "mov r8, r7"],
    ),
    (lambda a: a.alu_const(MUL, 0, 1, 8), ["lsls r0, r1, #3"]),
    (lambda a: a.alu_const(MUL, 0, 1, 10), ["movs r0, #0xa", "muls r0, r1, r0"]),
    (lambda a: a.alu_const(MUL, 0, 0, 10), ["movs r7, #0xa", "muls r0, r7, r0"]),
    (lambda a: a.alu_const(AND, 0, 1, 255), ["uxtb r0, r1"]),
    (lambda a: a.alu_const(AND, 0, 1, 0xFFFF), ["uxth r0, r1"]),
    (lambda a: a.alu_const(AND, 0, 1, 0x7FF), ["lsls r0, r1, #0x15", "lsrs r0, r0, #0x15"]),
    (lambda a: a.alu_const(AND, 0, 1, -4096), ["lsrs r0, r1, #0xc", "lsls r0, r0, #0xc"]),
    (lambda a: a.alu_const(AND, 0, 1, -3), ["movs r7, #2", "mov r0, r1", "bics r0, r7"]),
    (lambda a: a.alu_const(AND, 0, 1, 7), ["movs r0, #7", "ands r0, r1"]),
    (lambda a: a.alu_const(AND, 0, 0, 7), ["movs r7, #7", "ands r0, r7"]),
    (
        lambda a: a.alu_const(AND, H, H, 7),
        ["movs r7, #7", "mov lr, r0", "mov r0, r8", "ands r0, r7", "mov r8, r0", "mov r0, lr"],
    ),
    (lambda a: a.alu_const(OR, H, 0, 7), ["movs r7, #7", "orrs r7, r0", "mov r8, r7"]),
    (lambda a: a.alu_const(XOR, 0, 1, -1), ["mvns r0, r1"]),
    (lambda a: a.alu_const(SHL, 0, 1, 31), ["lsls r0, r1, #0x1f"]),
    (lambda a: a.alu_const(SHR_U, 0, 1, 1), ["lsrs r0, r1, #1"]),
    (lambda a: a.alu_const(SHR_S, 0, H, 1), ["mov r7, r8", "asrs r0, r7, #1"]),
    (lambda a: a.alu_const(SHR_U, H, 0, 33), ["lsrs r7, r0, #1", "mov r8, r7"]),
    (lambda a: a.alu_const(ROTL, 0, 1, 8), ["movs r7, #0x18", "mov r0, r1", "rors r0, r7"]),
    (lambda a: a.alu_const(ROTR, 0, 0, 8), ["movs r7, #8", "rors r0, r7"]),
    (lambda a: a.sign_extend(0, 1, 8), ["sxtb r0, r1"]),
    (lambda a: a.sign_extend(H, 1, 16), ["sxth r7, r1", "mov r8, r7"]),
    (lambda a: a.add_pairs(ADD, P, P, Q), ["adds r0, r0, r2", "adcs r1, r3"]),
    (
        lambda a: a.add_pairs(SUB, Q, P, Q),
        ["subs r2, r0, r2", "mov r7, r1", "sbcs r7, r3", "mov r3, r7"],
    ),
    (
        lambda a: a.add_pairs(SUB, P, pair(H, H), P),
        ["mov r7, r8", "subs r0, r7, r0", "mov r7, r8", "sbcs r7, r1", "mov r1, r7"],
    ),
    (
        lambda a: a.add_pairs(ADD, pair(6, H), P, P),
        ["adds r6, r0, r0", "mov r7, r1", "adcs r7, r1", "mov r8, r7"],
    ),
    (
        lambda a: a.add_pairs_const(P, P, 1, 0),
        ["movs r7, #1", "adds r0, r0, r7", "movs r7, #0", "adcs r1, r7"],
    ),
    (
        lambda a: a.add_pairs_const(P, P, -2, -1),
        [
            "movs r7, #1",
            "mvns r7, r7",
            "adds r0, r0, r7",
            "movs r7, #0",
            "mvns r7, r7",
            "adcs r1, r7",
        ],
    ),
    (
        lambda a: a.shift_pairs(SHL, P, P, Q, 4),
        [
            "lsls r7, r2, #0x1a",
            "lsrs r7, r7, #0x1a",
            "mov r4, r0",
            "mov lr, r0",
            "lsls r1, r7",
            "lsls r0, r7",
            "subs r7, #0x20",
            "rsbs r7, r7, #0",
            "lsrs r4, r7",
            "orrs r1, r4",
            "rsbs r7, r7, #0",
            "mov r4, lr",
            "lsls r4, r7",
            "orrs r1, r4",
        ],
    ),
    (
        lambda a: a.shift_pairs(SHR_S, P, P, Q, 4),
        [
            "lsls r7, r2, #0x1a",
            "lsrs r7, r7, #0x1a",
            "mov r4, r1",
            "mov lr, r1",
            "lsrs r0, r7",
            "asrs r1, r7",
            "subs r7, #0x20",
            "rsbs r7, r7, #0",
            "lsls r4, r7",
            "orrs r0, r4",
            "rsbs r7, r7, #0",
            "mov r4, lr",
            "bmi 0x1e",
            "asrs r4, r7",
            "orrs r0, r4",
        ],
    ),
    (
        lambda a: a.alu_const_wide(SHL, P, P, 7),
        ["lsls r1, r1, #7", "lsrs r7, r0, #0x19", "orrs r1, r7", "lsls r0, r0, #7"],
    ),
    (lambda a: a.alu_const_wide(SHR_S, P, P, 40), ["asrs r0, r1, #8", "asrs r1, r1, #0x1f"]),
    (lambda a: a.or_shifted(0, 1, SHL, 2, 5), ["lsls r7, r2, #5", "mov r0, r1", "orrs r0, r7"]),
    (lambda a: a.bits(0, 1, 20, 11), ["lsls r0, r1, #1", "lsrs r0, r0, #0x15"]),
    (lambda a: a.bits(H, 1, 20, 12), ["lsrs r7, r1, #0x14", "mov r8, r7"]),
    (lambda a: a.shift_by(SHL, 0, 1, 2), ["mov r0, r1", "lsls r0, r2"]),
    (lambda a: a.shift_by(SHR_U, T, T, 2), ["mov r7, r12", "lsrs r7, r2", "mov r12, r7"]),
    (lambda a: a.shift_by(SHL, 2, 1, 2), ["mov r7, r2", "mov r2, r1", "lsls r2, r7"]),
    (
        lambda a: a.shift_out(SHR_U, 1, 0, 2, 3),
        [
            "mov r7, r0",
            "lsrs r0, r3",
            "subs r3, #0x20",
            "rsbs r3, r3, #0",
            "lsls r7, r3",
            "mov r2, r7",
            "mov r7, r1",
            "lsls r7, r3",
            "orrs r0, r7",
            "subs r3, #0x20",
            "rsbs r3, r3, #0",
            "lsrs r1, r3",
        ],
    ),
    (
        lambda a: a.shift_out(SHR_S, 1, 0, H, 3),
        [
            "mov r7, r0",
            "lsrs r0, r3",
            "subs r3, #0x20",
            "rsbs r3, r3, #0",
            "lsls r7, r3",
            "mov r8, r7",
            "mov r7, r1",
            "lsls r7, r3",
            "orrs r0, r7",
            "subs r3, #0x20",
            "rsbs r3, r3, #0",
            "asrs r1, r3",
        ],
    ),
    (
        lambda a: a.shift_in(H, 0, 1, 2, 3),
        [
            "mov r7, r8",
            "lsls r7, r2",
            "subs r2, #0x20",
            "rsbs r2, r2, #0",
            "mov r3, r0",
            "lsrs r3, r2",
            "orrs r7, r3",
            "mov r8, r7",
            "mov r3, r1",
            "lsrs r3, r2",
            "subs r2, #0x20",
            "rsbs r2, r2, #0",
            "lsls r0, r2",
            "orrs r0, r3",
            "lsls r1, r2",
        ],
    ),
    (
        lambda a: a.set(a.compare(EQ, 1, 2), 0),
        ["subs r7, r1, r2", "rsbs r0, r7, #0", "adcs r0, r7"],
    ),
    (
        lambda a: a.set(a.compare(NE, 1, 2), 1),
        ["subs r1, r1, r2", "subs r7, r1, #1", "sbcs r1, r7"],
    ),
    (lambda a: a.set(a.compare(LT_U, 1, 2), 0), ["cmp r1, r2", "sbcs r0, r0", "rsbs r0, r0, #0"]),
    (lambda a: a.set(a.compare(GE_U, 1, 2), 0), ["cmp r1, r2", "movs r0, #0", "adcs r0, r0"]),
    (lambda a: a.set(a.compare(GT_U, 1, 2), 0), ["cmp r2, r1", "sbcs r0, r0", "rsbs r0, r0, #0"]),
    (
        lambda a: a.set(a.compare(LT_S, 1, 2), 0),
        ["cmp r1, r2", "blt 8", "movs r0, #0", "b 0xa", "movs r0, #1"],
    ),
    (
        lambda a: a.set(a.compare(LT_S, 1, H), H),
        ["cmp r1, r8", "blt 8", "movs r7, #0", "b 0xa", "movs r7, #1", "mov r8, r7"],
    ),
    (lambda a: a.set(a.compare_const(EQ, 1, 0), 0), ["rsbs r0, r1, #0", "adcs r0, r1"]),
    (lambda a: a.set(a.compare_const(EQ, 1, 0), 1), ["rsbs r7, r1, #0", "adcs r1, r7"]),
    (
        lambda a: a.set(a.compare_const(NE, 1, 0), 0),
        ["subs r7, r1, #1", "mov r0, r1", "sbcs r0, r7"],
    ),
    (lambda a: a.set(a.compare_const(LT_S, 1, 0), 0), ["lsrs r0, r1, #0x1f"]),
    (
        lambda a: a.set(a.compare_const(LE_S, 1, 5), 0),
        ["cmp r1, #5", "ble 8", "movs r0, #0", "b 0xa", "movs r0, #1"],
    ),
    (lambda a: a.compare_const(EQ, 1, -7), ["adds r7, r1, #7"]),
    (lambda a: a.compare_const(EQ, 1, -8), ["movs r7, #8", "cmn r1, r7"]),
    (lambda a: a.compare_const(EQ, H, 300), ["movs r7, #0x4b", "lsls r7, r7, #2", "cmp r8, r7"]),
    (lambda a: a.compare_const(EQ, H, 3), ["mov r7, r8", "cmp r7, #3"]),
    (
        lambda a: a.set(a.compare_wide(EQ, P, Q), 0),
        ["cmp r0, r2", "bne 6", "cmp r1, r3", "beq 0xc", "movs r0, #0", "b 0xe", "movs r0, #1"],
    ),
    (
        lambda a: a.set(a.compare_wide(GT_S, P, Q), 0),
        [
            "cmp r2, r0",
            "mov r7, r3",
            "sbcs r7, r1",
            "blt 0xc",
            "movs r0, #0",
            "b 0xe",
            "movs r0, #1",
        ],
    ),
    (
        lambda a: a.set(a.compare_const_wide(NE, P, 0), 0),
        ["mov r7, r0", "orrs r7, r1", "bne 0xa", "movs r0, #0", "b 0xc", "movs r0, #1"],
    ),
    (lambda a: a.select(a.compare(GT_S, 1, 2), 0, 3), ["cmp r1, r2", "ble 6", "mov r0, r3"]),
    (
        lambda a: a.select_wide(a.compare(GT_S, 1, 2), P, Q),
        ["cmp r1, r2", "ble 8", "mov r0, r2", "mov r1, r3"],
    ),
    (lambda a: a.float_unary(0, 0, 1, False), ["lsls r0, r1, #1", "lsrs r0, r0, #1"]),
    (lambda a: a.float_unary(1, P, P, True), ["movs r7, #1", "lsls r7, r7, #0x1f", "eors r1, r7"]),
    (
        lambda a: a.float_binary(13, 0, 1, 2, False),
        [
            "lsrs r7, r2, #0x1f",
            "mov lr, r7",
            "lsls r0, r1, #1",
            "lsrs r0, r0, #1",
            "mov r7, lr",
            "lsls r7, r7, #0x1f",
            "orrs r0, r7",
        ],
    ),
    (lambda a: a.load(0x2D, 0, 1, 31), ["adds r7, r5, r1", "ldrb r0, [r7, #0x1f]"]),
    (lambda a: a.load(0x2D, 0, 1, 32), ["movs r7, #0x20", "add r7, r1", "ldrb r0, [r5, r7]"]),
    (lambda a: a.load(0x2C, 0, 1, 7), ["adds r7, r1, #7", "ldrsb r0, [r5, r7]"]),
    (lambda a: a.load(0x30, P, 2, 0), ["ldrsb r0, [r5, r2]", "asrs r1, r0, #0x1f"]),
    (lambda a: a.store(0x3A, 0, 1, 0), ["strb r0, [r5, r1]"]),
    (
        lambda a: a.store(0x3A, H, 0, 1),
        ["mov r12, r1", "mov r1, r8", "adds r7, r5, r0", "strb r1, [r7, #1]", "mov r1, r12"],
    ),
    (lambda a: a.load(0x28, 0, None, 124), ["ldr r0, [r5, #0x7c]"]),
    (lambda a: a.load(0x28, 0, None, 128), ["movs r7, #0x80", "ldr r0, [r5, r7]"]),
    (lambda a: a.load(0x29, P, None, 8), ["ldr r0, [r5, #8]", "ldr r1, [r5, #0xc]"]),
]


@pytest.mark.parametrize(("emit", "expected"), CASES)
def test_encoding(emit: Callable[[Thumb1], object], expected: list[str]) -> None:
    asm = Thumb1()
    emit(asm)
    assert listing(asm) == expected


# What an instruction loads, and from where on numbers must lie.
def number_at(code: Sequence[int], place: int) -> int:
    assert code[place] >> 11 == 0x09
    at = (place + 2 & ~1) + 2 * (code[place] & 0xFF)
    return code[at] | code[at + 1] << 16


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("far", [False, True])
def test_number_in_the_code(before: int, far: bool) -> None:
    """At a word: behind the function, or, in large ones, where it is jumped over."""
    asm = Thumb1()
    asm.far = far
    for _ in range(before):
        asm.move(0, 1)
    asm.const(2, 0x12345678)
    asm.const(3, 511)
    asm.const(2, 0x12345678)
    asm.align()
    loads = [at for at, word in enumerate(asm.code) if word >> 11 == 0x09]
    found = [number_at(asm.code, at) for at in loads]
    assert found == [0x12345678, 511, 0x12345678]
    assert loads == ([before, before + 1, before + 2] if not far else loads)
    if far:
        for at in loads:
            assert asm.code[at + 1] == 0xE001 + (at & 1)  # b
    assert len(asm.code) % 2 == 0


@pytest.mark.parametrize("ends", [False, True])
def test_numbers_stay_in_reach(ends: bool) -> None:
    """They are put where the code ends for a while, or jumped over."""
    asm = Thumb1()
    for n in range(200):
        asm.const(n & 3, 1000003 * (n + 1))
        for _ in range(6):
            asm.move(0, 1)
        if ends and n % 40 == 39:
            asm.jump_back(0)
    asm.align()
    loads = [at for at, word in instructions(bytes(asm.code)) if word >> 11 == 0x09]
    assert [number_at(asm.code, at) for at in loads] == [1000003 * (n + 1) for n in range(200)]
    over = [word for _, word in instructions(bytes(asm.code)) if word >> 10 == 0x38]
    assert len(over) == (0 if ends else 4)


def test_numbers_out_of_reach() -> None:
    asm = Thumb1()
    asm.const(0, 1000003)
    for _ in range(508):
        asm.move(0, 1)
    asm.move(0, 1)
    asm.align()
    assert number_at(asm.code, 0) == 1000003
    asm.open(0, asm.code)
    asm.begin()
    asm.const(0, 1000003)
    for _ in range(512):
        asm.move(0, 1)
    with pytest.raises(OverflowError, match="too large for its numbers"):
        asm.align()


def test_flags_stay_while_they_are_waited_for() -> None:
    asm = Thumb1()
    asm.compare(EQ, 0, 1)
    asm.load_cell(2, 100)
    asm.store_cell(H, 100)
    assert not any(word >> 13 == 1 for word in asm.code)  # movs, cmp, adds, subs
    asm.set(EQ, 3)
    assert list(asm.code[-4:]) == [0xD001, 0x2300, 0xE000, 0x2301]


@pytest.mark.parametrize("distance", [-1024, -129, -128, 4, 127, 128, 1022, 1024, 2000])
@pytest.mark.parametrize("far", [False, True])
def test_branch(distance: int, far: bool) -> None:
    """Alone where it reaches, else over a jump, or, for large functions, a call."""
    asm = Thumb1()
    asm.far = far
    if distance < 0:
        for _ in range(-distance):
            asm.code.append(0xBF00)
        at = -distance
        asm.branch_back(asm.compare(LT_S, 0, 1), 0)
        target = 0
    else:
        label: list[int] = []
        at = 0
        asm.branch(asm.compare(LT_S, 0, 1), label)
        while len(asm.code) < distance:
            asm.code.append(0xBF00)
        if distance > 1026 and not far:
            with pytest.raises(OverflowError, match="too large for its branches"):
                asm.bind(label)
            return
        asm.bind(label)
        target = 2 * distance
    lines = [line for line in listing(asm)[at:] if line != "nop"]
    assert lines[0] == "cmp r0, r1"
    goes = [int(line.split()[1].lstrip("#"), 0) & 0xFFFFFFFF for line in lines[1:]]
    assert goes[-1] == target
    if len(lines) > 2:
        assert lines[1].startswith("bge") and goes[0] == 2 * at + (8 if "bl" in lines[2] else 6)
    else:
        assert lines[1].startswith("blt")


def looks_at(emit: Callable[[Thumb1], object]) -> int:
    """How often it is looked whether the address in register 1 is aligned."""
    asm = Thumb1()
    asm.stubs()
    asm.open(0, asm.code)
    asm.begin()
    emit(asm)
    asm.check(1, 4, [], [])
    asm.load(0x28, 0, 1, 0)
    return list(asm.code).count(0x0780 | 1 << 3 | 7)


def test_addresses_known_to_be_aligned() -> None:
    assert not looks_at(lambda a: a.alu_const(SHL, 1, 0, 2))
    assert not looks_at(lambda a: a.alu_const(AND, 1, 1, 0x3FC))
    assert not looks_at(lambda a: (a.alu_const(SHL, 2, 0, 3), a.alu_const(ADD, 1, 2, 1024)))
    assert looks_at(lambda a: a.alu_const(SHL, 1, 0, 1))
    assert looks_at(lambda a: a.alu_const(SHL, 2, 0, 2))
    assert looks_at(lambda a: (a.alu_const(SHL, 1, 0, 2), a.alu_const(ADD, 1, 1, 2)))
    assert looks_at(lambda a: (a.alu_const(SHL, 1, 0, 2), a.alu(ADD, 1, 1, 2)))
    assert looks_at(lambda a: (a.alu_const(SHL, 1, 0, 2), a.bind([])))


# A trap keeps them in the context, to try again.
def test_registers_fit_the_context() -> None:
    assert context.REGISTERS + 4 * 5 <= 124  # what an instruction reaches
    for wide in (False, True):
        operands, for_locals = Thumb1().registers(wide)
        assert set(range(operands)) | set(for_locals) == {0, 1, 2, 3, 4, 7}
