"""Code for other processors, under emulation: the kernels and the suite."""

from __future__ import annotations

import io

import pytest
import wamr
from board import Unix
from spec import convert, suite
from spec.device_runner import Runner
from test_kernels import CHECKSUMS, FOLDER, FUEL, every_kernel, needs_kernels
from test_spec import FILES, check_all_passed
from wamr.compiler.program import Program
from wamr.compiler.rv32 import RV32
from wamr.compiler.thumb1 import Thumb1
from wamr.compiler.thumb2 import Thumb2
from wamr.compiler.vfp import Thumb2F
from wamr.compiler.xtensa import Xtensa
from wat import ON_DEVICE, wat

from native import generate

pytest.importorskip("unicorn", reason="unicorn, which emulates them, is not installed")

from native import emulator  # noqa: E402
from native.emulator import emulate  # noqa: E402

TARGETS = [Thumb1, Thumb2, Thumb2F, RV32, Xtensa]
SUITE = "address br_table call_indirect conversions f32 f32_cmp f64 f64_cmp float_exprs i64"
SUITE += " float_misc memory_trap traps"


@needs_kernels
@every_kernel
@pytest.mark.parametrize("target", TARGETS)
def test_kernel(name: str, target: type) -> None:
    with emulate(target):
        module = wamr.Module(str(FOLDER / "wasm" / f"{name}.wasm"))
        execution = wamr.Instance(module, engine="native").start("run", 1)
        for _ in range(200):
            execution.step(1)
        assert execution.step()
    assert execution.raw == [CHECKSUMS[name][0]]
    assert execution.fuel_used == FUEL[name][0]


@pytest.mark.skipif(not FILES, reason=suite.HOW_TO_GET)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SUITE.split())
def test_official_suite(name: str, target: type) -> None:
    if not FILES:
        pytest.skip(suite.HOW_TO_GET)
    reported: list[str] = []
    with emulate(target):
        stream = io.BytesIO(convert.convert(FILES[name]))
        Runner(wamr, stream, reported.append, engine="native").run()
    check_all_passed(name, suite.Outcome.read("\n".join(reported)))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(3))
def test_same_code_by_micropython(seed: int, target: type, unix: Unix) -> None:
    data = generate.module(seed)
    program = Program(wamr.Module(data), target())
    list(program.compile())
    output = unix.exec(
        f"""{ON_DEVICE}
from wamr.compiler.program import Program
from {target.__module__} import {target.__name__}
program = Program(wamr.Module({data!r}), {target.__name__}())
for _ in program.compile():
    pass
for part in program.parts:
    print(bytes(part).hex())"""
    )
    assert output.split() == [bytes(part).hex() for part in program.parts]


# The forward branches of $large span more than some targets' reach.
@pytest.mark.parametrize("target", TARGETS)
def test_function_too_large_for_branches(target: type) -> None:
    step = "(local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1234567)) (i32.const 7)))"
    large = f"""(block $out (loop $again
        (br_if $out (i32.eqz (local.get $n)))
        (if (i32.and (local.get $x) (i32.const 1)) (then {step * 400}) (else {step * 400}))
        (block $b (block $a (block $default
            (br_table $a $b $default (i32.and (local.get $x) (i32.const 3))))
          {step * 400}) {step * 400})
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $again (local.get $x))))
      (local.get $x)"""
    module = wamr.Module(
        wat(
            f"""(func $large (export "large") (param $x i32) (param $n i32) (result i32) {large})
            (func (export "both") (param $x i32) (result i32)
              (i32.div_u (i32.const 1)
                (i32.mul (call $large (local.get $x) (i32.const 3)) (i32.const 0))))"""
        )
    )
    expected = wamr.Instance(module, engine="portable").exports
    with emulate(target):
        instance = wamr.Instance(module, engine="native")
        for x in range(8):
            assert instance.exports.large(x, 3) == expected.large(x, 3)
        with pytest.raises(wamr.Trap, match="^integer divide by zero$") as trap:
            instance.exports.both(1)
        assert [frame[0] for frame in trap.value.backtrace] == [1]


# MicroPython freezes the code of some processors without regard to words.
@pytest.mark.parametrize("target", [Thumb1, Thumb2, Thumb2F, RV32])
def test_code_between_words(target: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "CODE", emulator.CODE + 2)
    text = """(func $f (export "f") (param i32) (result i32)
      (block (block (block (br_table 0 1 2 (local.get 0)))
        (return (i32.const 0x12345678))) (return (i32.const 2)))
      (call $f (i32.sub (local.get 0) (i32.const 2))))"""
    module = wamr.Module(wat(text))
    with emulate(target):
        instance = wamr.Instance(module, engine="native")
        if target is Thumb1:
            assert module.native.base & 2  # which cache.find() looks at
        else:
            assert [instance.exports.f(n) for n in range(4)] == [0x12345678, 2] * 2


# MicroPython's arrays do not say so.
def test_a_table_that_does_not_reach() -> None:
    asm = Thumb2()
    asm.begin()
    table = asm.jump_table(0, 2)
    asm.case(table, 0, 2, table + 0xFFFF)
    with pytest.raises(OverflowError, match="too large for its branches"):
        asm.case(table, 1, 2, table + 0x10000)
