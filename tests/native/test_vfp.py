"""What the FPU's encodings mean, by an independent disassembler."""

from __future__ import annotations

import capstone
import pytest
from wamr.compiler.vfp import Thumb2F

ADD, SUB, MUL, DIV, COPYSIGN = 7, 8, 9, 10, 13


def listing(asm: Thumb2F) -> list[str]:
    cs = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    return [f"{i.mnemonic} {i.op_str}" for i in cs.disasm(bytes(asm.code), 0)]


@pytest.mark.parametrize(
    ("method", "args", "expected"),
    [
        ("move", (16, 17), ["vmov.f32 s0, s1"]),
        ("move", (29, 22), ["vmov.f32 s13, s6"]),
        ("move", (3, 25), ["vmov r3, s9"]),
        ("move", (24, 11), ["vmov s8, r11"]),
        ("move", (20, 20), []),
        ("const", (19, 0), ["movw r12, #0", "vmov s3, r12"]),
        ("load_cell", (17, 5), ["vldr s1, [r7, #0x14]"]),
        ("load_cell", (16, 255), ["vldr s0, [r7, #0x3fc]"]),
        ("store_cell", (28, 40), ["vstr s12, [r7, #0xa0]"]),
        (
            "store_cell",
            (16, 256),
            ["movw r12, #0x400", "add.w r12, r7, r12", "vstr s0, [r12]"],
        ),
        ("load_context", (21, 0x40), ["vldr s5, [r10, #0x40]"]),
        ("float_binary", (ADD, 16, 23, 29, 0), ["vadd.f32 s0, s7, s13"]),
        ("float_binary", (SUB, 29, 16, 17, 0), ["vsub.f32 s13, s0, s1"]),
        ("float_binary", (MUL, 17, 18, 19, 0), ["vmul.f32 s1, s2, s3"]),
        ("float_binary", (DIV, 20, 21, 22, 0), ["vdiv.f32 s4, s5, s6"]),
        (
            "float_binary",
            (COPYSIGN, 16, 17, 18, 0),
            ["vmov r12, s2", "vabs.f32 s0, s1", "cmp.w r12, #0", "it mi", "vnegmi.f32 s0, s0"],
        ),
        ("float_unary", (0, 16, 25, 0), ["vabs.f32 s0, s9"]),
        ("float_unary", (1, 25, 16, 0), ["vneg.f32 s9, s0"]),
        ("float_unary", (6, 18, 19, 0), ["vsqrt.f32 s2, s3"]),
        ("float_compare", (18, 16, 27, 0), ["vcmp.f32 s0, s11", "vmrs APSR_nzcv, fpscr"]),
        ("select", (0, 17, 24), ["it eq", "vmoveq.f32 s1, s8"]),
        ("convert", (0xB2, 17, 3), ["vmov s1, r3", "vcvt.f32.s32 s1, s1"]),
        ("convert", (0xB3, 16, 0), ["vmov s0, r0", "vcvt.f32.u32 s0, s0"]),
    ],
)
def test_instructions(method: str, args: tuple[int, ...], expected: list[str]) -> None:
    asm = Thumb2F()
    getattr(asm, method)(*args)
    assert listing(asm) == expected


@pytest.mark.parametrize(
    ("opcode", "limit", "conversion"),
    [(0xA8, 0x4F000000, "vcvt.s32.f32"), (0xA9, 0x4F800000, "vcvt.u32.f32")],
)
def test_truncation(opcode: int, limit: int, conversion: str) -> None:
    asm = Thumb2F()
    asm.truncate(opcode, 2, 17, [], [])
    lines = listing(asm)
    assert lines[:2] == [f"mov.w r12, #{limit:#x}", "vmov s14, r12"]
    assert lines[-2:] == [f"{conversion} s14, s1", "vmov r2, s14"]
