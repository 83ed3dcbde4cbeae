"""RV32 encodings against an independent disassembler, and functions too large for branches."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import wamr
from wamr.compiler import context
from wamr.compiler.program import Program
from wamr.compiler.rv32 import RV32
from wat import wat

from native import generate

pytest.importorskip("unicorn", reason="unicorn, which emulates RISC-V, is not installed")
capstone = pytest.importorskip("capstone", reason="capstone, a disassembler, is not installed")

from native.emulator import emulate  # noqa: E402


class Plain(RV32):
    """Without compressed instructions."""

    def _compressed(self, op: int, d: int, a: int, n: int) -> bool:
        return False


def listing(asm: RV32, start: int = 0) -> list[str]:
    mode = capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC
    code = bytes(asm.code)[start:]
    found = list(capstone.Cs(capstone.CS_ARCH_RISCV, mode).disasm(code, 0))
    assert sum(i.size for i in found) == len(code)
    return [long_form(i.mnemonic, i.op_str) for i in found]


def long_form(name: str, operands: str) -> str:
    """What a compressed instruction is short for."""
    if name[:2] == "c.":
        name = name[2:]
        first, _, rest = operands.partition(", ")
        if name == "li":
            name, operands = "addi", f"{first}, zero, {rest}"
        elif name not in ("mv", "lw", "sw", "jr", "jalr"):
            operands = f"{first}, {first}, {rest}"
    if (name, operands) == ("jr", "ra"):
        return "ret"
    if name == "addi" and operands.endswith(", zero, 0"):
        return f"mv {operands[:-3]}"
    return f"{name} {operands}".strip()


def without_distances(lines: list[str]) -> list[str]:
    out = []
    for line in lines:
        name = line.split()[0]
        jumps = name[0] == "b" or name[0] == "j"
        out.append(re.sub(r"-?\b(0x[0-9a-f]+|\d+)\b", "", line) if jumps else line)
    return out


def pair(low: int, high: int) -> int:
    return 0x10000 | high << 8 | low


P, Q, R = pair(0, 1), pair(2, 3), pair(4, 5)


# Compiler's registers 0, 1, 2 are a1, a2, a3; 17 is t3.
CASES: list[tuple[Callable[[RV32], object], list[str]]] = [
    (lambda a: a.mov(0, 17), ["mv a1, t3"]),
    (lambda a: a.imm(17, 2047), ["addi t3, zero, 0x7ff"]),
    (lambda a: a.imm(1, 0xFFFFF800), ["addi a2, zero, -0x800"]),
    (lambda a: a.imm(1, 0x800), ["lui a2, 1", "addi a2, a2, -0x800"]),
    (lambda a: a.imm(1, 0x80000000), ["lui a2, 0x80000"]),
    (lambda a: a.imm(1, 0x7FFFFFFF), ["lui a2, 0x80000", "addi a2, a2, -1"]),
    (lambda a: a.imm(1, 0x12345678), ["lui a2, 0x12345", "addi a2, a2, 0x678"]),
    (lambda a: a.load_frame(2, 2044), ["lw a3, 0x7fc(s0)"]),
    (lambda a: a.store_frame(2, 2048), ["lui t6, 1", "add t6, t6, s0", "sw a3, -0x800(t6)"]),
    (lambda a: a.load_context(9, 40), ["lw s4, 0x28(s1)"]),
    (lambda a: a.store_cell_const(0, 3, True), ["sw zero, 0xc(s0)", "sw zero, 0x10(s0)"]),
    (lambda a: a.alu32("add", 0, 1, 2), ["add a1, a2, a3"]),
    (lambda a: a.alu32("sub", 8, 9, 16), ["sub s3, s4, s11"]),
    (lambda a: a.alu32("mul", 0, 1, 2), ["mul a1, a2, a3"]),
    (lambda a: a.alu32("and", 0, 1, 2), ["and a1, a2, a3"]),
    (lambda a: a.alu32("or", 0, 1, 2), ["or a1, a2, a3"]),
    (lambda a: a.alu32("xor", 0, 1, 2), ["xor a1, a2, a3"]),
    (lambda a: a.alu32("shl", 0, 1, 2), ["sll a1, a2, a3"]),
    (lambda a: a.alu32("shr_u", 0, 1, 2), ["srl a1, a2, a3"]),
    (lambda a: a.alu32("shr_s", 0, 1, 2), ["sra a1, a2, a3"]),
    (
        lambda a: a.alu32("rotr", 0, 1, 2),
        ["neg t5, a3", "srl a0, a2, a3", "sll t5, a2, t5", "or a1, a0, t5"],
    ),
    (lambda a: a.alu32_const("add", 0, 1, 0xFFFFFFFF), ["addi a1, a2, -1"]),
    (lambda a: a.alu32_const("add", 0, 1, 4094), ["addi a1, a2, 0x7ff", "addi a1, a1, 0x7ff"]),
    (
        lambda a: a.alu32_const("add", 0, 1, 0xFFFFF000),
        ["addi a1, a2, -0x800", "addi a1, a1, -0x800"],
    ),
    (lambda a: a.alu32_const("and", 0, 1, 255), ["andi a1, a2, 0xff"]),
    (lambda a: a.alu32_const("and", 0, 1, 0xFFFF), ["slli a1, a2, 0x10", "srli a1, a1, 0x10"]),
    (lambda a: a.alu32_const("or", 0, 1, 7), ["ori a1, a2, 7"]),
    (lambda a: a.alu32_const("xor", 0, 1, 0xFFFFFFFF), ["not a1, a2"]),
    (lambda a: a.alu32_const("mul", 0, 1, 1 << 31), ["slli a1, a2, 0x1f"]),
    (lambda a: a.alu32_const("shr_u", 0, 1, 33), ["srli a1, a2, 1"]),
    (lambda a: a.alu32_const("shr_s", 0, 1, 31), ["srai a1, a2, 0x1f"]),
    (
        lambda a: a.alu32_const("rotl", 0, 0, 8),
        ["slli a0, a1, 8", "srli a1, a1, 0x18", "or a1, a1, a0"],
    ),
    (lambda a: a.unary32("extend8_s", 0, 1), ["slli a1, a2, 0x18", "srai a1, a1, 0x18"]),
    (lambda a: a.divide("div_s", 0, 1, 2, False), ["div a1, a2, a3"]),
    (lambda a: a.divide("div_u", 0, 1, 2, False), ["divu a1, a2, a3"]),
    (lambda a: a.divide("rem_s", 0, 1, 2, False), ["rem a1, a2, a3"]),
    (lambda a: a.divide("rem_u", 0, 1, 2, False), ["remu a1, a2, a3"]),
    (
        lambda a: a.add_pairs("add", P, P, Q),
        ["add a1, a1, a3", "sltu a0, a1, a3", "add a2, a2, a4", "add a2, a2, a0"],
    ),
    (
        lambda a: a.add_pairs("add", P, P, P),
        ["srli a0, a1, 0x1f", "add a1, a1, a1", "add a2, a2, a2", "add a2, a2, a0"],
    ),
    (
        lambda a: a.add_pairs("sub", P, Q, P),
        ["sltu a0, a3, a1", "sub a1, a3, a1", "sub a2, a4, a2", "sub a2, a2, a0"],
    ),
    (
        lambda a: a.mul_pairs(R, P, Q),
        [
            "mulhu a0, a1, a3",
            "mul t5, a2, a3",
            "add a0, a0, t5",
            "mul t5, a1, a4",
            "mul a5, a1, a3",
            "add a6, a0, t5",
        ],
    ),
    (lambda a: a.set(a.compare32("lt_s", 1, 2), 0), ["slt a1, a2, a3"]),
    (lambda a: a.set(a.compare32("gt_u", 1, 2), 0), ["sltu a1, a3, a2"]),
    (lambda a: a.set(a.compare32("ge_u", 1, 2), 0), ["sltu a1, a2, a3", "xori a1, a1, 1"]),
    (lambda a: a.set(a.compare32("eq", 1, 2), 0), ["xor a1, a2, a3", "seqz a1, a1"]),
    (lambda a: a.set(a.compare32_const("ne", 1, 0), 0), ["snez a1, a2"]),
    (lambda a: a.set(a.compare32_const("le_s", 1, 5), 0), ["slti a1, a2, 6"]),
    (
        lambda a: a.set(a.compare32_const("gt_s", 1, 0x7FFFFFFF), 0),
        ["lui a0, 0x80000", "addi a0, a0, -1", "slt a1, a0, a2"],
    ),
    (
        lambda a: a.set(a.compare32_const("le_u", 1, 0xFFFFFFFF), 0),
        ["addi a0, zero, -1", "sltu a1, a0, a2", "xori a1, a1, 1"],
    ),
    (lambda a: a.move_if(a.compare32_const("ne", 2, 0), 0, 1), ["beqz a3, 8", "mv a1, a2"]),
    (
        lambda a: a.move_if(a.compare32("lt_u", 4, 5), P, Q),
        ["bgeu a5, a6, 0xc", "mv a1, a3", "mv a2, a4"],
    ),
    (lambda a: a.load(0, 1, 8, 1, True, False), ["add a0, t0, a2", "lb a1, 8(a0)"]),
    (lambda a: a.load(0, 1, 8, 2, False, False), ["add a0, t0, a2", "lhu a1, 8(a0)"]),
    (
        lambda a: a.load(P, 2, 4088, 8, False, True),
        ["lui a0, 1", "add a0, a0, a3", "add a0, a0, t0"] + ["lw a1, -8(a0)", "lw a2, -4(a0)"],
    ),
    (
        lambda a: a.store(Q, None, 0x17FC, 8),
        ["lui a0, 1", "add a0, a0, t0", "addi a0, a0, 0x7fc", "sw a3, 0(a0)", "sw a4, 4(a0)"],
    ),
    (lambda a: a.store(0, 1, 0, 1), ["add a0, t0, a2", "sb a1, 0(a0)"]),
    (lambda a: a.store(0, None, 6, 2), ["sh a1, 6(t0)"]),
    (lambda a: a.float_sign("abs", 0, 1, 1, False), ["slli a1, a2, 1", "srli a1, a1, 1"]),
    (lambda a: a.float_sign("neg", 0, 1, 1, False), ["lui a0, 0x80000", "xor a1, a2, a0"]),
]


@pytest.mark.parametrize(("emit", "expected"), CASES)
def test_encoding(emit: Callable[[RV32], object], expected: list[str]) -> None:
    plain = Plain()
    emit(plain)
    assert listing(plain) == expected
    asm = RV32()
    emit(asm)
    assert without_distances(listing(asm)) == without_distances(expected)


@pytest.mark.parametrize("seed", range(60))
def test_compressed_code_means_the_same(seed: int) -> None:
    module = wamr.Module(generate.module(seed))
    found = []
    for target in (Plain, RV32):
        program = Program(module, target())
        list(program.compile())
        start = program.offset(program.functions[module.n_imported_funcs])
        found.append(without_distances(listing(program.asm, start)))
    assert found[0] == found[1]


@pytest.mark.parametrize("distance", [-4096, -2050, -8, 8, 30, 2046, 2048, 4094])
def test_branch_distance(distance: int) -> None:
    asm = RV32()
    asm.code.extend(bytes(8192))
    asm._s(0x63 | 5 << 12, 2, 1, 0)
    asm.patch_at(8192, -1, 8192 + distance)
    asm.code = asm.code[8192:]
    sign = "-" if distance < 0 else ""
    text = hex(abs(distance)) if abs(distance) > 9 else str(abs(distance))
    assert listing(asm) == [f"bge a2, a3, {sign}{text}"]


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
