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
    """Without compressed instructions, but for `mv`, `li`, and those on cells."""

    def _compressed(self, op: int, d: int, a: int, n: int) -> bool:
        return False


def listing(asm: RV32) -> list[str]:
    mode = capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC
    code = bytes(asm.code)
    found = list(capstone.Cs(capstone.CS_ARCH_RISCV, mode).disasm(code, 0))
    assert sum(i.size for i in found) == len(code)
    return [long_form(i.mnemonic, i.op_str) for i in found]


def long_form(name: str, operands: str) -> str:
    """What a compressed instruction, or another name of an instruction, is short for."""
    first, _, rest = operands.partition(", ")
    compressed = name[:2] == "c."
    name = name.removeprefix("c.")
    if name == "li":
        name, operands = "addi", f"{first}, zero, {rest}"
    elif compressed and name not in ("mv", "lw", "sw", "jr", "jalr"):
        operands = f"{first}, {first}, {rest}"
    if (name, operands) == ("jr", "ra"):
        return "ret"
    if name == "addi" and operands.endswith(", zero, 0"):
        return f"mv {operands[:-3]}"
    return f"{name} {operands}".strip()


def address(n: int) -> str:
    """As the disassembler shows where a branch at 0 goes."""
    return str(n) if 0 <= n <= 9 else hex(n & 0xFFFFFFFF)


def without_distances(lines: list[str]) -> list[str]:
    out = []
    for line in lines:
        name = line.split()[0]
        jumps = name[0] == "b" or name[0] == "j"
        out.append(re.sub(r"-?\b(0x[0-9a-f]+|\d+)\b", "", line) if jumps else line)
    return out


def pair(low: int, high: int) -> int:
    return 0x10000 | high << 8 | low


ADD, SUB, MUL, DIV_S, DIV_U, REM_S, REM_U, AND, OR, XOR, SHL, SHR_S, SHR_U, ROTL, ROTR = range(15)
EQ, NE, _, _, LT_S, GE_S, GT_S, LE_S, LT_U, GE_U, GT_U, LE_U = range(12)
P, Q, R = pair(0, 1), pair(2, 3), pair(4, 5)


# Compiler's registers 0, 1, 2 are a1, a2, a3; 17 is t3.
CASES: list[tuple[Callable[[RV32], object], list[str]]] = [
    (lambda a: a.move(0, 17), ["mv a1, t3"]),
    (lambda a: a.const(17, 2047), ["addi t3, zero, 0x7ff"]),
    (lambda a: a.const(1, -2048), ["addi a2, zero, -0x800"]),
    (lambda a: a.const(1, 0x800), ["lui a2, 1", "addi a2, a2, -0x800"]),
    (lambda a: a.const(1, 0x80000000), ["lui a2, 0x80000"]),
    (lambda a: a.const(1, 0x7FFFFFFF), ["lui a2, 0x80000", "addi a2, a2, -1"]),
    (lambda a: a.const(1, 0x12345678), ["lui a2, 0x12345", "addi a2, a2, 0x678"]),
    (lambda a: a.load_cell(2, 511), ["lw a3, 0x7fc(s0)"]),
    (lambda a: a.store_cell(2, 512), ["lui t6, 1", "add t6, t6, s0", "sw a3, -0x800(t6)"]),
    (lambda a: a.load_context(9, 40), ["lw s4, 0x28(s1)"]),
    (lambda a: a.store_const_wide(0, 3), ["sw zero, 0xc(s0)", "sw zero, 0x10(s0)"]),
    (lambda a: a.alu(ADD, 0, 1, 2), ["add a1, a2, a3"]),
    (lambda a: a.alu(SUB, 8, 9, 16), ["sub s3, s4, s11"]),
    (lambda a: a.alu(MUL, 0, 1, 2), ["mul a1, a2, a3"]),
    (lambda a: a.alu(AND, 0, 1, 2), ["and a1, a2, a3"]),
    (lambda a: a.alu(OR, 0, 1, 2), ["or a1, a2, a3"]),
    (lambda a: a.alu(XOR, 0, 1, 2), ["xor a1, a2, a3"]),
    (lambda a: a.alu(SHL, 0, 1, 2), ["sll a1, a2, a3"]),
    (lambda a: a.alu(SHR_U, 0, 1, 2), ["srl a1, a2, a3"]),
    (lambda a: a.alu(SHR_S, 0, 1, 2), ["sra a1, a2, a3"]),
    (
        lambda a: a.alu(ROTR, 0, 1, 2),
        ["neg t5, a3", "srl a0, a2, a3", "sll t5, a2, t5", "or a1, a0, t5"],
    ),
    (lambda a: a.alu_const(ADD, 0, 1, -1), ["addi a1, a2, -1"]),
    (lambda a: a.alu_const(ADD, 0, 1, 4094), ["addi a1, a2, 0x7ff", "addi a1, a1, 0x7ff"]),
    (
        lambda a: a.alu_const(ADD, 0, 1, -4096),
        ["addi a1, a2, -0x800", "addi a1, a1, -0x800"],
    ),
    (lambda a: a.alu_const(AND, 0, 1, 255), ["andi a1, a2, 0xff"]),
    (lambda a: a.alu_const(AND, 0, 1, 0xFFFF), ["slli a1, a2, 0x10", "srli a1, a1, 0x10"]),
    (lambda a: a.alu_const(OR, 0, 1, 7), ["ori a1, a2, 7"]),
    (lambda a: a.alu_const(XOR, 0, 1, -1), ["not a1, a2"]),
    (lambda a: a.alu_const(MUL, 0, 1, 1 << 31), ["slli a1, a2, 0x1f"]),
    (lambda a: a.alu_const(SHR_U, 0, 1, 33), ["srli a1, a2, 1"]),
    (lambda a: a.alu_const(SHR_S, 0, 1, 31), ["srai a1, a2, 0x1f"]),
    (
        lambda a: a.alu_const(ROTL, 0, 0, 8),
        ["slli a0, a1, 8", "srli a1, a1, 0x18", "or a1, a1, a0"],
    ),
    (lambda a: a.extend(0xC0, 0, 1), ["slli a1, a2, 0x18", "srai a1, a1, 0x18"]),
    (lambda a: a.divide(DIV_S, 0, 1, 2, False), ["div a1, a2, a3"]),
    (lambda a: a.divide(DIV_U, 0, 1, 2, False), ["divu a1, a2, a3"]),
    (lambda a: a.divide(REM_S, 0, 1, 2, False), ["rem a1, a2, a3"]),
    (lambda a: a.divide(REM_U, 0, 1, 2, False), ["remu a1, a2, a3"]),
    (
        lambda a: a.add_pairs(ADD, P, P, Q),
        ["add a1, a1, a3", "sltu a0, a1, a3", "add a2, a2, a4", "add a2, a2, a0"],
    ),
    (
        lambda a: a.add_pairs(ADD, P, P, P),
        ["srli a0, a1, 0x1f", "add a1, a1, a1", "add a2, a2, a2", "add a2, a2, a0"],
    ),
    (
        lambda a: a.add_pairs(SUB, P, Q, P),
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
    (lambda a: a.set(a.compare(LT_S, 1, 2), 0), ["slt a1, a2, a3"]),
    (lambda a: a.set(a.compare(GT_U, 1, 2), 0), ["sltu a1, a3, a2"]),
    (lambda a: a.set(a.compare(GE_U, 1, 2), 0), ["sltu a1, a2, a3", "xori a1, a1, 1"]),
    (lambda a: a.set(a.compare(EQ, 1, 2), 0), ["xor a1, a2, a3", "seqz a1, a1"]),
    (lambda a: a.set(a.compare_const(NE, 1, 0), 0), ["snez a1, a2"]),
    (lambda a: a.set(a.compare_const(LE_S, 1, 5), 0), ["slti a1, a2, 6"]),
    (
        lambda a: a.set(a.compare_const(GT_S, 1, 0x7FFFFFFF), 0),
        ["lui a0, 0x80000", "addi a0, a0, -1", "slt a1, a0, a2"],
    ),
    (
        lambda a: a.set(a.compare_const(LE_U, 1, -1), 0),
        ["addi a0, zero, -1", "sltu a1, a0, a2", "xori a1, a1, 1"],
    ),
    (lambda a: a.select(a.compare_const(NE, 2, 0), 0, 1), ["beqz a3, 6", "mv a1, a2"]),
    (
        lambda a: a.select_wide(a.compare(LT_U, 4, 5), P, Q),
        ["bgeu a5, a6, 8", "mv a1, a3", "mv a2, a4"],
    ),
    (lambda a: a.load(0x2C, 0, 1, 8), ["add a0, t0, a2", "lb a1, 8(a0)"]),
    (lambda a: a.load(0x2F, 0, 1, 8), ["add a0, t0, a2", "lhu a1, 8(a0)"]),
    (
        lambda a: a.load(0x29, P, 2, 4088),
        ["lui a0, 1", "add a0, a0, a3", "add a0, a0, t0"] + ["lw a1, -8(a0)", "lw a2, -4(a0)"],
    ),
    (
        lambda a: a.store(0x37, Q, None, 0x17FC),
        ["lui a0, 1", "add a0, a0, t0", "addi a0, a0, 0x7fc", "sw a3, 0(a0)", "sw a4, 4(a0)"],
    ),
    (lambda a: a.store(0x3A, 0, 1, 0), ["add a0, t0, a2", "sb a1, 0(a0)"]),
    (lambda a: a.store(0x3B, 0, None, 6), ["sh a1, 6(t0)"]),
    (lambda a: a.float_unary(0, 0, 1, 0), ["slli a1, a2, 1", "srli a1, a1, 1"]),
    (lambda a: a.float_unary(1, 0, 1, 0), ["lui a0, 0x80000", "xor a1, a2, a0"]),
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
        stubs = program.asm.here()
        list(program.compile())
        lines = []
        for part in program.parts:
            program.asm.code = part[stubs:]
            lines.extend(without_distances(listing(program.asm)))
            stubs = 0
        found.append(lines)
    assert found[0] == found[1]


@pytest.mark.parametrize("distance", [-4096, -2050, -8, 8, 30, 2046, 2048, 4094])
def test_branch_distance(distance: int) -> None:
    asm = RV32()
    place = asm._skip(5, 1, 2)
    asm.patch(place, distance // 2)
    assert listing(asm) == [f"bge a2, a3, {address(distance)}"]


@pytest.mark.parametrize("distance", [-0x100000, -0x802, -2, 0x7FE, 0x800, 0xAAAAA, 0xFFFFE])
def test_jump_distance(distance: int) -> None:
    asm = RV32()
    asm.call_stub(-1)
    asm.patch(0, distance // 2)
    assert listing(asm) == [f"jal {address(distance)}"]


def test_out_of_reach() -> None:
    asm = RV32()
    asm._skip(0, 1, 2)
    asm.jump([])
    with pytest.raises(OverflowError):
        asm.patch(0, 2048)
    with pytest.raises(OverflowError):
        asm.patch(2, 0x80002)


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
    for wide in (False, True):
        operands, for_locals = asm.registers(wide)
        assert bytes(range(operands)) + for_locals == bytes(range(18))
    assert 4 * 18 <= context.FLOAT_REGISTERS - context.REGISTERS
