"""RV32 encodings against an independent disassembler, and functions too large for branches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import wamr
from wamr.compiler import context
from wamr.compiler.rv32 import RV32
from wat import wat

pytest.importorskip("unicorn", reason="unicorn, which emulates RISC-V, is not installed")
capstone = pytest.importorskip("capstone", reason="capstone, a disassembler, is not installed")

from native.emulator import emulate  # noqa: E402


def listing(asm: RV32) -> list[str]:
    decoder = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32)
    found = list(decoder.disasm(bytes(asm.code), 0))
    assert sum(i.size for i in found) == len(asm.code)
    return [f"{i.mnemonic} {i.op_str}".strip() for i in found]


def pair(low: int, high: int) -> int:
    return 0x10000 | high << 8 | low


P, Q, R = pair(0, 1), pair(2, 3), pair(4, 5)


# Compiler's registers 0, 1, 2 are a0, a1, a2; 17 is s11.
CASES: list[tuple[Callable[[RV32], object], list[str]]] = [
    (lambda a: a.mov(0, 17), ["mv a0, s11"]),
    (lambda a: a.imm(17, 2047), ["addi s11, zero, 0x7ff"]),
    (lambda a: a.imm(1, 0xFFFFF800), ["addi a1, zero, -0x800"]),
    (lambda a: a.imm(1, 0x800), ["lui a1, 1", "addi a1, a1, -0x800"]),
    (lambda a: a.imm(1, 0x80000000), ["lui a1, 0x80000"]),
    (lambda a: a.imm(1, 0x7FFFFFFF), ["lui a1, 0x80000", "addi a1, a1, -1"]),
    (lambda a: a.imm(1, 0x12345678), ["lui a1, 0x12345", "addi a1, a1, 0x678"]),
    (lambda a: a.load_frame(2, 2044), ["lw a2, 0x7fc(s0)"]),
    (lambda a: a.store_frame(2, 2048), ["lui t6, 1", "add t6, t6, s0", "sw a2, -0x800(t6)"]),
    (lambda a: a.load_context(9, 40), ["lw s3, 0x28(s1)"]),
    (lambda a: a.store_cell_const(0, 3, True), ["sw zero, 0xc(s0)", "sw zero, 0x10(s0)"]),
    (lambda a: a.alu32("add", 0, 1, 2), ["add a0, a1, a2"]),
    (lambda a: a.alu32("sub", 8, 9, 16), ["sub s2, s3, s10"]),
    (lambda a: a.alu32("mul", 0, 1, 2), ["mul a0, a1, a2"]),
    (lambda a: a.alu32("and", 0, 1, 2), ["and a0, a1, a2"]),
    (lambda a: a.alu32("or", 0, 1, 2), ["or a0, a1, a2"]),
    (lambda a: a.alu32("xor", 0, 1, 2), ["xor a0, a1, a2"]),
    (lambda a: a.alu32("shl", 0, 1, 2), ["sll a0, a1, a2"]),
    (lambda a: a.alu32("shr_u", 0, 1, 2), ["srl a0, a1, a2"]),
    (lambda a: a.alu32("shr_s", 0, 1, 2), ["sra a0, a1, a2"]),
    (
        lambda a: a.alu32("rotr", 0, 1, 2),
        ["neg t5, a2", "srl t4, a1, a2", "sll t5, a1, t5", "or a0, t4, t5"],
    ),
    (lambda a: a.alu32_const("add", 0, 1, 0xFFFFFFFF), ["addi a0, a1, -1"]),
    (lambda a: a.alu32_const("add", 0, 1, 4094), ["addi a0, a1, 0x7ff", "addi a0, a0, 0x7ff"]),
    (
        lambda a: a.alu32_const("add", 0, 1, 0xFFFFF000),
        ["addi a0, a1, -0x800", "addi a0, a0, -0x800"],
    ),
    (lambda a: a.alu32_const("and", 0, 1, 255), ["andi a0, a1, 0xff"]),
    (lambda a: a.alu32_const("and", 0, 1, 0xFFFF), ["slli a0, a1, 0x10", "srli a0, a0, 0x10"]),
    (lambda a: a.alu32_const("or", 0, 1, 7), ["ori a0, a1, 7"]),
    (lambda a: a.alu32_const("xor", 0, 1, 0xFFFFFFFF), ["not a0, a1"]),
    (lambda a: a.alu32_const("mul", 0, 1, 1 << 31), ["slli a0, a1, 0x1f"]),
    (lambda a: a.alu32_const("shr_u", 0, 1, 33), ["srli a0, a1, 1"]),
    (lambda a: a.alu32_const("shr_s", 0, 1, 31), ["srai a0, a1, 0x1f"]),
    (
        lambda a: a.alu32_const("rotl", 0, 0, 8),
        ["slli t4, a0, 8", "srli a0, a0, 0x18", "or a0, a0, t4"],
    ),
    (lambda a: a.unary32("extend8_s", 0, 1), ["slli a0, a1, 0x18", "srai a0, a0, 0x18"]),
    (lambda a: a.divide("div_s", 0, 1, 2, False), ["div a0, a1, a2"]),
    (lambda a: a.divide("div_u", 0, 1, 2, False), ["divu a0, a1, a2"]),
    (lambda a: a.divide("rem_s", 0, 1, 2, False), ["rem a0, a1, a2"]),
    (lambda a: a.divide("rem_u", 0, 1, 2, False), ["remu a0, a1, a2"]),
    (
        lambda a: a.add_pairs("add", P, P, Q),
        ["add a0, a0, a2", "sltu t4, a0, a2", "add a1, a1, a3", "add a1, a1, t4"],
    ),
    (
        lambda a: a.add_pairs("add", P, P, P),
        ["srli t4, a0, 0x1f", "add a0, a0, a0", "add a1, a1, a1", "add a1, a1, t4"],
    ),
    (
        lambda a: a.add_pairs("sub", P, Q, P),
        ["sltu t4, a2, a0", "sub a0, a2, a0", "sub a1, a3, a1", "sub a1, a1, t4"],
    ),
    (
        lambda a: a.mul_pairs(R, P, Q),
        [
            "mulhu t4, a0, a2",
            "mul t5, a1, a2",
            "add t4, t4, t5",
            "mul t5, a0, a3",
            "mul a4, a0, a2",
            "add a5, t4, t5",
        ],
    ),
    (lambda a: a.set(a.compare32("lt_s", 1, 2), 0), ["slt a0, a1, a2"]),
    (lambda a: a.set(a.compare32("gt_u", 1, 2), 0), ["sltu a0, a2, a1"]),
    (lambda a: a.set(a.compare32("ge_u", 1, 2), 0), ["sltu a0, a1, a2", "xori a0, a0, 1"]),
    (lambda a: a.set(a.compare32("eq", 1, 2), 0), ["xor a0, a1, a2", "seqz a0, a0"]),
    (lambda a: a.set(a.compare32_const("ne", 1, 0), 0), ["snez a0, a1"]),
    (lambda a: a.set(a.compare32_const("le_s", 1, 5), 0), ["slti a0, a1, 6"]),
    (
        lambda a: a.set(a.compare32_const("gt_s", 1, 0x7FFFFFFF), 0),
        ["lui t4, 0x80000", "addi t4, t4, -1", "slt a0, t4, a1"],
    ),
    (
        lambda a: a.set(a.compare32_const("le_u", 1, 0xFFFFFFFF), 0),
        ["addi t4, zero, -1", "sltu a0, t4, a1", "xori a0, a0, 1"],
    ),
    (lambda a: a.move_if(a.compare32_const("ne", 2, 0), 0, 1), ["beqz a2, 8", "mv a0, a1"]),
    (
        lambda a: a.move_if(a.compare32("lt_u", 4, 5), P, Q),
        ["bgeu a4, a5, 0xc", "mv a0, a2", "mv a1, a3"],
    ),
    (lambda a: a.load(0, 1, 8, 1, True, False), ["add t4, t0, a1", "lb a0, 8(t4)"]),
    (lambda a: a.load(0, 1, 8, 2, False, False), ["add t4, t0, a1", "lhu a0, 8(t4)"]),
    (
        lambda a: a.load(P, 2, 4088, 8, False, True),
        ["lui t4, 1", "add t4, t4, a2", "add t4, t4, t0"] + ["lw a0, -8(t4)", "lw a1, -4(t4)"],
    ),
    (
        lambda a: a.store(Q, None, 0x17FC, 8),
        ["lui t4, 1", "add t4, t4, t0", "addi t4, t4, 0x7fc", "sw a2, 0(t4)", "sw a3, 4(t4)"],
    ),
    (lambda a: a.store(0, 1, 0, 1), ["add t4, t0, a1", "sb a0, 0(t4)"]),
    (lambda a: a.store(0, None, 6, 2), ["sh a0, 6(t0)"]),
    (lambda a: a.float_sign("abs", 0, 1, 1, False), ["slli a0, a1, 1", "srli a0, a0, 1"]),
    (lambda a: a.float_sign("neg", 0, 1, 1, False), ["lui t4, 0x80000", "xor a0, a1, t4"]),
]


@pytest.mark.parametrize(("emit", "expected"), CASES)
def test_encoding(emit: Callable[[RV32], object], expected: list[str]) -> None:
    asm = RV32()
    emit(asm)
    assert listing(asm) == expected


@pytest.mark.parametrize("distance", [-4096, -2050, -8, 8, 30, 2046, 2048, 4094])
def test_branch_distance(distance: int) -> None:
    asm = RV32()
    asm.code.extend(bytes(8192))
    asm._s(0x63 | 5 << 12, 2, 1, 0)
    asm.patch_at(8192, -1, 8192 + distance)
    asm.code = asm.code[8192:]
    sign = "-" if distance < 0 else ""
    text = hex(abs(distance)) if abs(distance) > 9 else str(abs(distance))
    assert listing(asm) == [f"bge a1, a2, {sign}{text}"]


@pytest.mark.parametrize("distance", [-0x100000, -0x801, -2, 0x7FE, 0x800, 0xAAAAA, 0xFFFFE])
def test_jump_distance(distance: int) -> None:
    distance &= ~1
    asm = RV32()
    asm.call_stub(asm.label())
    asm.patch_at(0, -1, distance)
    sign = "-" if distance < 0 else ""
    text = hex(abs(distance)) if abs(distance) > 9 else str(abs(distance))
    assert listing(asm) == [f"jal {sign}{text}"]


def test_out_of_reach() -> None:
    asm = RV32()
    asm._s(0x63, 2, 1, 0)
    asm.jump(asm.label())
    with pytest.raises(OverflowError):
        asm.patch_at(0, -1, 4096)
    with pytest.raises(OverflowError):
        asm.patch_at(4, -1, 0x100004)


# The forward branches of $large span more than 4 KiB, as does its loop; those of $small do not.
def test_function_too_large_for_branches() -> None:
    step = "(local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1234567)) (i32.const 7)))"
    body = """(local $n i32) (local.set $n (i32.const 3))
      (block $out (loop $again
        (br_if $out (i32.eqz (local.get $n)))
        (if (i32.and (local.get $x) (i32.const 1)) (then {steps}) (else {steps}))
        (if (i32.eq (local.get $n) (i32.const 1)) (then unreachable))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $again (i32.ne (local.get $x) (local.get $n)))))
      (local.get $x)"""
    large = body.replace("{steps}", step * 400).replace("(then unreachable)", "(then)")
    module = wamr.Module(
        wat(
            f"""(func $small (export "small") (param $x i32) (result i32)
              {body.replace("{steps}", step)})
            (func $large (export "large") (param $x i32) (result i32) {large})
            (func (export "both") (param $x i32) (result i32)
              (call $small (call $large (local.get $x))))"""
        )
    )
    expected = wamr.Instance(module, engine="portable").exports
    with emulate(RV32):
        instance = wamr.Instance(module, engine="native")
        for x in range(4):
            assert instance.exports.large(x) == expected.large(x)
        with pytest.raises(wamr.Trap) as trap:
            instance.exports.both(1)
        assert [frame[0] for frame in trap.value.backtrace] == [0, 2]


# A trap keeps them in the context, to try again.
def test_registers_fit_the_context() -> None:
    asm = RV32()
    assert sum(asm.registers(False)) == sum(asm.registers(True)) == 18
    assert 4 * 18 <= context.TABLES - context.REGISTERS
