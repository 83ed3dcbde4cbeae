"""How much C stack it takes: the Pico has 8 KiB, of which the caller wants a share."""

from __future__ import annotations

import pytest
from board import Board
from wat import wat

# What the qemu port gives to C (ports/qemu/main.c), and what must be enough for us.
LIMIT = 10240
ENOUGH = 5632

# What takes the most, each through other files of the compiler.
TEXT = """
(module
  (memory 1)
  (table funcref (elem $products))
  (type $unary (func (param i64) (result i64)))
  (func $products (type $unary)
    (i64.trunc_f64_s (f64.div
      (f64.mul (f64.convert_i64_s (local.get 0)) (f64.sqrt (f64.const 16)))
      (f64.promote_f32 (f32.mul (f32.const 0.5) (f32.convert_i32_s (i32.const 2)))))))
  (func (export "run") (param i32) (result i64)
    (i64.store (i32.const 8) (i64.div_s (i64.extend_i32_s (local.get 0)) (i64.const 7)))
    (block (block (br_table 0 1 (i32.const 0)))
      (memory.fill (i32.const 0) (i32.const 0) (i32.const 8)))
    (call_indirect (type $unary) (i64.rotl (i64.load (i32.const 8)) (i64.const 1)) (i32.const 0))))
"""

PROGRAM = """
import micropython, wamr
def deep(to):
    if micropython.stack_use() < to:
        return deep(to)
    instance = wamr.Instance(wamr.Module(wasm), engine={engine!r})
    return wamr.info(instance).engine, instance.exports.run(70)
wasm = {wasm!r}
print(deep({to}))
"""


@pytest.mark.device
@pytest.mark.parametrize("engine", ["portable", "native"])
def test_a_small_stack_is_enough(board: Board, engine: str) -> None:
    board.soft_reset()
    output = board.exec(PROGRAM.format(engine=engine, wasm=wat(TEXT), to=LIMIT - ENOUGH))
    assert output.strip() == f"('{engine}', 80)"
