"""A module of 7 KB and 3,700 opcodes, as large as CoreMark: many functions of a usual mix."""

from __future__ import annotations

# A sort by insertion, a checksum byte by byte, and a mix in 64 bits; {n} makes each one another.
FUNCTION = """
(func $f{n} (param $base i32) (param $count i32) (result i32)
  (local $i i32) (local $j i32) (local $key i32) (local $sum i32) (local $wide i64)
  (block $done (loop $next
    (br_if $done (i32.ge_s (local.get $i) (local.get $count)))
    (local.set $key (i32.load offset={offset}
      (i32.add (local.get $base) (i32.shl (local.get $i) (i32.const 2)))))
    (local.set $j (i32.sub (local.get $i) (i32.const 1)))
    (block $placed (loop $shift
      (br_if $placed (i32.lt_s (local.get $j) (i32.const 0)))
      (br_if $placed (i32.le_s (i32.load offset={offset}
        (i32.add (local.get $base) (i32.shl (local.get $j) (i32.const 2)))) (local.get $key)))
      (i32.store offset={after}
        (i32.add (local.get $base) (i32.shl (local.get $j) (i32.const 2)))
        (i32.load offset={offset}
          (i32.add (local.get $base) (i32.shl (local.get $j) (i32.const 2)))))
      (local.set $j (i32.sub (local.get $j) (i32.const 1)))
      (br $shift)))
    (i32.store offset={after}
      (i32.add (local.get $base) (i32.shl (local.get $j) (i32.const 2))) (local.get $key))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br $next)))
  (loop $again
    (local.set $i (i32.sub (local.get $i) (i32.const 1)))
    (local.set $key (i32.load8_u offset={offset} (i32.add (local.get $base) (local.get $i))))
    (if (i32.and (local.get $key) (i32.const {bit}))
      (then (local.set $sum (i32.add (i32.rotl (local.get $sum) (i32.const 5)) (local.get $key))))
      (else (local.set $sum (i32.xor (local.get $sum) (i32.const {n})))))
    (local.set $wide (i64.add (i64.mul (local.get $wide) (i64.const 31))
      (i64.extend_i32_u (local.get $key))))
    (br_if $again (i32.gt_s (local.get $i) (i32.const 0))))
  (i32.xor (local.get $sum) (i32.wrap_i64 (i64.shr_u (local.get $wide) (i64.const 7)))))
"""

MODULE = """
(module
  (memory (export "memory") 1 1)
  (global (export "__heap_base") i32 (i32.const 2048))
  {functions}
  (func (export "run") (param $n i32) (result i32) (local $i i32) (local $sum i32)
    (loop $fill
      (i32.store (i32.shl (local.get $i) (i32.const 2))
        (i32.mul (i32.add (local.get $i) (local.get $n)) (i32.const 747796405)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $fill (i32.lt_u (local.get $i) (i32.const 400))))
    {calls}
    (local.get $sum)))
"""
CALL = """(local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31))
  (call $f{n} (i32.const {base}) (i32.const 16))))"""
COUNT = 31


def module() -> bytes:
    from hostile.mutate import assemble, sections
    from wat import wat

    functions = [
        FUNCTION.format(n=n, offset=4 * n, after=4 * n + 4, bit=1 << n % 8) for n in range(COUNT)
    ]
    calls = [CALL.format(n=n, base=40 * n + 16) for n in range(COUNT)]
    named = wat(MODULE.format(functions="".join(functions), calls="".join(calls)))
    return assemble([section for section in sections(named) if section.kind != 0])
