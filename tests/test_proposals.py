"""Three proposals that the official suite does not hold, tested from their specifications.

Extended constant expressions, tail calls, custom page sizes.
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
import wamr
from board import BOARDS, BUILD, Board, Unix
from spec import convert, suite
from spec.device_runner import Runner
from spec.script import Script, i32, i64
from wat import ON_DEVICE, binary, section, vector

RUNNER = Path(__file__).resolve().parent / "spec" / "device_runner.py"
# Bytes of cell stack: far too few for a thousand calls that are not tail calls.
STACK = 4096


def extended_const() -> Script:
    script = Script()
    script.module(
        """(global $base (import "spectest" "global_i32") i32)
        (global $wide (import "spectest" "global_i64") i64)
        (global $sum i32 (i32.add (i32.const 20) (i32.const 2)))
        (global $difference i32 (i32.sub (i32.const 20) (i32.const 22)))
        (global $product i32 (i32.mul (i32.const 0x10001) (i32.const 0x10001)))
        (global $imported i32 (i32.mul (i32.sub (global.get $base) (i32.const 600)) (i32.const 2)))
        (global $deep i64 (i64.add (i64.mul (global.get $wide) (i64.const -3))
                                   (i64.sub (i64.const 1) (global.get $wide))))
        (global $wraps i64 (i64.mul (i64.const 0x7FFFFFFFFFFFFFFF) (i64.const 2)))
        (memory 1)
        (data (offset (i32.sub (global.get $base) (i32.const 656))) "ten")
        (data $passive "x")
        (table 10 funcref)
        (elem (offset (i32.add (i32.const 3) (i32.const 4))) func $seven)
        (func $seven (result i32) (i32.const 7))
        (func (export "i32s") (result i32 i32 i32 i32)
          (global.get $sum) (global.get $difference) (global.get $product) (global.get $imported))
        (func (export "i64s") (result i64 i64) (global.get $deep) (global.get $wraps))
        (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))
        (func (export "call") (param i32) (result i32)
          (call_indirect (result i32) (local.get 0)))"""
    )
    script.returns("i32s", [], i32(22), i32(-2), i32(0x20001), i32(132))
    script.returns("i64s", [], i64(-3 * 666 + 1 - 666), i64(-2))
    script.returns("byte", [i32(9)], i32(0))
    script.returns("byte", [i32(10)], i32(ord("t")))
    script.returns("call", [i32(7)], i32(7))
    script.traps("call", [i32(6)], "uninitialized element")
    script.refused(
        "uninstantiable",
        '(memory 0) (data (offset (i32.sub (i32.const 2) (i32.const 1))) "")',
        "out of bounds memory access",
    )
    script.refused(
        "uninstantiable",
        "(table 3 funcref) (elem (offset (i32.mul (i32.const 2) (i32.const 2))) func)",
        "out of bounds table access",
    )
    for expression in (
        "(i32.div_u (i32.const 4) (i32.const 2))",
        "(i32.and (i32.const 4) (i32.const 2))",
        "(i32.eqz (i32.const 4))",
        "(i32.wrap_i64 (i64.add (i64.const 4) (i64.const 4)))",
        "(i32.add (i32.const 4) (i64.const 2))",
        "(i64.add (i64.const 4) (i64.const 2))",
        "(i32.add (i32.const 4))",
        "(i32.const 1) (i32.const 2) (i32.add) (i32.const 3)",
        "(i32.add (i32.const 1) (global.get $own))",
        "(i32.add (i32.const 1) (global.get $mutable))",
        "(i32.add (i32.const 1) (global.get 9))",
        "(i32.add (i32.const 1) (nop) (i32.const 1))",
    ):
        script.refused(
            "invalid",
            f"""(global $mutable (import "m" "g") (mut i32))
            (global $own i32 (i32.const 1)) (global i32 {expression})""",
        )
    script.refused("invalid", "(global f32 (f32.add (f32.const 1) (f32.const 1)))")
    return script


def tail_calls() -> Script:
    script = Script()
    script.module(
        """(func (export "far") (param i32 i32 i32) (result i32)
          (i32.sub (i32.mul (local.get 0) (local.get 1)) (local.get 2)))""",
        register="far",
    )
    script.module(
        """(import "far" "far" (func $far (param i32 i32 i32) (result i32)))
        (import "spectest" "print_i32" (func $print (param i32)))
        (type $wide (func (param i32 i32 i32 i64) (result i32 i64)))
        (type $unary (func (param i32) (result i32)))
        (table funcref (elem $even $odd $spread $far))
        (elem declare func $twice)
        (func $factorial (export "factorial") (param i64 i64) (result i64)
          (if (result i64) (i64.eqz (local.get 0)) (then (local.get 1))
            (else (return_call $factorial (i64.sub (local.get 0) (i64.const 1))
                                          (i64.mul (local.get 0) (local.get 1))))))
        (func $count (export "count") (param i32 i32) (result i32)
          (block (br_if 0 (i32.eqz (local.get 0)))
            (i64.const 77) (f32.const 1) ;; values that the call leaves behind
            (return_call $count (i32.sub (local.get 0) (i32.const 1))
                                (i32.add (local.get 1) (i32.const 3))))
          (local.get 1))
        (func $even (export "even") (param i32) (result i32)
          (if (i32.eqz (local.get 0)) (then (return (i32.const 44))))
          (loop (result i32)
            (return_call_indirect (type $unary)
              (i32.sub (local.get 0) (i32.const 1)) (i32.const 1))))
        (func $odd (export "odd") (param i32) (result i32) (local i64 i64 i64)
          (if (i32.eqz (local.get 0)) (then (return (i32.const 99))))
          (return_call $even (i32.sub (local.get 0) (i32.const 1))))
        ;; few parameters to many, and back; a frame of another size each time
        (func (export "spread") (param i32) (result i32 i64)
          (return_call_indirect (type $wide)
            (local.get 0) (i32.const 2) (i32.const 3) (i64.const 4) (i32.const 2)))
        (func $spread (type $wide) (local i64 f64 i64)
          (local.set 4 (i64.extend_i32_u (local.get 2)))
          (local.set 6 (i64.add (local.get 3) (local.get 4)))
          (return_call $gather (i64.extend_i32_s (i32.add (local.get 0) (local.get 1)))
                               (local.get 6)))
        (func $gather (param i64 i64) (result i32 i64)
          (i32.wrap_i64 (local.get 0)) (i64.mul (local.get 1) (i64.const 10)))
        (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
        (func (export "after") (param i32) (result i32) ;; a caller that goes on
          (i32.add (i32.const 1000) (call $thrice (local.get 0))))
        (func $thrice (param i32) (result i32) (local i32)
          (return_call $far (local.get 0) (i32.const 4) (local.get 0)))
        (func (export "far") (param i32) (result i32)
          (return_call $far (local.get 0) (i32.const 7) (i32.const 2)))
        (func (export "print") (param i32) (return_call $print (local.get 0)))
        (func (export "indirect") (param i32) (result i32)
          (return_call_indirect (type $unary) (i32.const 8) (local.get 0)))
        (func (export "zero") (param i32) (result i32) (local i32 i64 f32 f64)
          (local.set 1 (i32.const -1)) (local.set 2 (i64.const -1)) (local.set 3 (f32.const -1))
          (return_call $locals (i32.const 5)))
        (func $locals (param i32) (result i32) (local i32 i64 f32 f64 i64) ;; fresh, so zero
          (i32.add (local.get 0) (i32.add (local.get 1)
            (i32.add (i32.wrap_i64 (local.get 2)) (i32.reinterpret_f32 (local.get 3))))))"""
    )
    script.returns("factorial", [i64(20), i64(1)], i64(2432902008176640000))
    script.returns("factorial", [i64(600), i64(1)], i64(0))
    script.returns("count", [i32(0), i32(5)], i32(5))
    script.returns("count", [i32(1500), i32(0)], i32(4500))
    for number, result in ((0, 44), (1, 99), (2, 44), (77, 99), (1000, 44), (1001, 99)):
        script.returns("even", [i32(number)], i32(result))
    script.returns("odd", [i32(1000)], i32(99))
    script.returns("spread", [i32(-9)], i32(-7), i64(70))
    script.returns("after", [i32(5)], i32(1015))
    script.returns("far", [i32(6)], i32(40))
    script.returns("print", [i32(1)])
    script.returns("indirect", [i32(0)], i32(44))
    script.traps("indirect", [i32(2)], "indirect call type mismatch")
    script.traps("indirect", [i32(3)], "indirect call type mismatch")
    script.traps("indirect", [i32(4)], "undefined element")
    script.traps("indirect", [i32(-1)], "undefined element")
    script.returns("zero", [i32(1)], i32(5))
    script.module(
        """(table 2 funcref) (func (export "f") (return_call_indirect (i32.const 1)))
        (func $forever (export "forever") (param i32)
          (if (i32.eqz (local.get 0)) (then unreachable))
          (return_call $forever (i32.sub (local.get 0) (i32.const 1))))"""
    )
    script.traps("f", [], "uninitialized element")
    script.traps("forever", [i32(1000)], "unreachable")
    for function in (
        "(return_call 1)",
        "(return_call $number)",
        "(return_call $wants)",
        "(i64.const 1) (return_call $wants)",
        "(return_call_indirect $t (type 9) (i32.const 0))",
        "(return_call_indirect $t (i64.const 0))",
        "(return_call_indirect $t (result i32) (i32.const 0))",
        "(return_call_indirect $t (param i32) (i32.const 0))",
        "(return_call_indirect $externs (i32.const 0))",
        "(return_call_indirect 2 (i32.const 0))",
    ):
        # `(return_call 1)` without a function 1
        others = "(func $number (result i32) (i32.const 1)) (func $wants (param i32))"
        tables = "(table $t 1 funcref) (table $externs 1 externref)"
        if function == "(return_call 1)":
            others = ""
        script.refused("invalid", f"(func {function}) {others} {tables}")
    script.refused(
        "invalid", "(func (result i32) (return_call 1)) (func (result i64) i64.const 1)"
    )
    script.refused("invalid", "(func (result i32) (return_call 1)) (func)")
    # Code behind a tail call is dead: it may take any operands.
    script.module(
        """(func (export "f") (result i32) (return_call 1) (i32.add))
        (func (result i32) (i32.const 3))"""
    )
    script.returns("f", [], i32(3))
    return script


SMALL = """(memory $m (export "memory") 5 20 (pagesize 1))
    (data (i32.const 2) "abc") (data $passive "0123456789")
    (func (export "size") (result i32) (memory.size))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "load8") (param i32) (result i32) (i32.load8_u (local.get 0)))
    (func (export "load16") (param i32) (result i32) (i32.load16_u (local.get 0)))
    (func (export "load32") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "load64") (param i32) (result i64) (i64.load (local.get 0)))
    (func (export "store64") (param i32) (i64.store (local.get 0) (i64.const -1)))
    (func (export "fill") (param i32 i32) (memory.fill (local.get 0) (i32.const 9) (local.get 1)))
    (func (export "copy") (param i32 i32 i32)
      (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32)
      (memory.init $passive (local.get 0) (i32.const 0) (local.get 1)))"""


def custom_page_sizes() -> Script:
    script = Script()
    beyond = "out of bounds memory access"
    script.module(SMALL, register="small")
    script.returns("size", [], i32(5))
    script.returns("load8", [i32(4)], i32(ord("c")))
    script.traps("load8", [i32(5)], beyond)
    script.returns("load16", [i32(3)], i32(0x6362))
    script.traps("load16", [i32(4)], beyond)
    script.returns("load32", [i32(1)], i32(0x63626100))
    script.traps("load32", [i32(2)], beyond)
    script.traps("load64", [i32(0)], beyond)
    script.traps("load8", [i32(65535)], beyond)
    script.returns("grow", [i32(3)], i32(5))
    script.returns("size", [], i32(8))
    script.returns("load64", [i32(0)], i64(0x6362610000))
    script.traps("store64", [i32(1)], beyond)
    script.returns("load64", [i32(0)], i64(0x6362610000))
    script.returns("store64", [i32(0)])
    script.returns("load64", [i32(0)], i64(-1))
    script.traps("fill", [i32(4), i32(5)], beyond)
    script.returns("fill", [i32(4), i32(4)])
    script.returns("load32", [i32(4)], i32(0x09090909))
    script.returns("fill", [i32(8), i32(0)])
    script.traps("fill", [i32(9), i32(0)], beyond)
    script.traps("copy", [i32(5), i32(0), i32(4)], beyond)
    script.traps("copy", [i32(0), i32(5), i32(4)], beyond)
    script.returns("copy", [i32(1), i32(5), i32(3)])
    script.returns("load32", [i32(0)], i32(0x090909FF))
    script.traps("init", [i32(0), i32(9)], beyond)
    script.returns("init", [i32(0), i32(8)])
    script.returns("load64", [i32(0)], i64(0x3736353433323130))
    script.returns("grow", [i32(13)], i32(-1))
    script.returns("grow", [i32(-1)], i32(-1))
    script.returns("grow", [i32(0)], i32(8))
    script.returns("grow", [i32(12)], i32(8))
    script.returns("grow", [i32(1)], i32(-1))
    script.returns("size", [], i32(20))
    script.returns("load8", [i32(19)], i32(0))
    script.traps("load8", [i32(20)], beyond)
    # More than 65536 pages are not many bytes.
    script.module(
        """(memory 0 (pagesize 1))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))"""
    )
    script.returns("grow", [i32(300)], i32(0))
    script.returns("grow", [i32(7)], i32(300))
    script.returns("load", [i32(306)], i32(0))
    script.traps("load", [i32(307)], beyond)
    # The default size, said explicitly, is the default size.
    script.module('(memory (export "memory") 0 2 (pagesize 65536))', register="whole")
    script.module(
        """(import "whole" "memory" (memory 0 2))
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))"""
    )
    script.returns("grow", [i32(3)], i32(-1))
    script.module('(import "small" "memory" (memory 20 20 (pagesize 1)))')
    script.refused("unlinkable", '(import "small" "memory" (memory 0))')
    script.refused("unlinkable", '(import "small" "memory" (memory 0 1 (pagesize 65536)))')
    script.refused("unlinkable", '(import "small" "memory" (memory 21 (pagesize 1)))')
    script.refused("unlinkable", '(import "small" "memory" (memory 1 19 (pagesize 1)))')
    script.refused("unlinkable", '(import "whole" "memory" (memory 0 (pagesize 1)))')
    script.refused("uninstantiable", '(memory 3 (pagesize 1)) (data (i32.const 1) "abc")', beyond)
    # As large as can be said: valid, but there is nothing to import it from.
    script.refused("unlinkable", '(import "small" "none" (memory 0xFFFFFFFF (pagesize 1)))')
    script.refused("unlinkable", '(import "small" "none" (memory 65536 (pagesize 65536)))')
    script.refused("invalid", '(import "small" "none" (memory 65537 (pagesize 65536)))')
    script.refused("invalid", "(memory 2 1 (pagesize 1))")
    for log2 in (1, 2, 8, 15, 17, 31, 63, 64, 65, 127):
        script.refused("invalid", binary(section(5, vector(bytes([8, 0, log2])))))
        script.refused("invalid", binary(section(5, vector(bytes([9, 0, 0, log2])))))
    script.refused("invalid", binary(section(5, vector(b"\x08\0\x80\x80\x80\x80\x10"))))
    script.refused("malformed", binary(section(5, vector(b"\x08\0"))))
    script.refused("malformed", binary(section(5, vector(b"\x18\0\0"))))
    # Tables have no pages.
    script.refused("malformed", binary(section(4, vector(b"\x70\x08\0\0"))))
    return script


SCRIPTS = {make.__name__: make for make in (extended_const, tail_calls, custom_page_sizes)}
every_script = pytest.mark.parametrize("name", SCRIPTS)


def check(name: str, outcome: suite.Outcome) -> None:
    assert outcome.finished and outcome.failed == outcome.not_fitting == 0, outcome.describe(name)
    assert outcome.passed == len(SCRIPTS[name]().commands)


@pytest.fixture
def stream(name: str, tmp_path: Path) -> Path:
    path = tmp_path / "stream"
    path.write_bytes(convert.convert(SCRIPTS[name]().write(tmp_path, name)))
    return path


@every_script
def test_cpython(name: str, stream: Path) -> None:
    reported: list[str] = []
    Runner(wamr, io.BytesIO(stream.read_bytes()), reported.append, stack=STACK).run()
    check(name, suite.Outcome.read("\n".join(reported)))


@every_script
def test_unix(name: str, stream: Path, unix: Unix) -> None:
    output = unix.exec(
        f"{ON_DEVICE}sys.path.insert(0, {str(RUNNER.parent)!r})\n"
        f"from device_runner import main\nmain({str(stream)!r}, stack={STACK})"
    )
    check(name, suite.Outcome.read(output))


@pytest.mark.device
@every_script
@pytest.mark.parametrize("board_name", BOARDS)
def test_board(board_name: str, name: str, stream: Path, tmp_path: Path) -> None:
    compiled = tmp_path / "spec_runner.mpy"
    cross = BUILD / "mpy-cross" / "mpy-cross"
    subprocess.run([cross, "-s", "spec_runner.py", "-o", compiled, RUNNER], check=True)
    with Board(board_name) as board:
        board.put(compiled, "/spec_runner.mpy")
        output = board.exec(
            f"import spec_runner; spec_runner.main({str(stream)!r}, stack={STACK})"
        )
    check(name, suite.Outcome.read(output))
