"""Code that runs in the buffer it was compiled into, on boards where the heap can be executed."""

from __future__ import annotations

import capstone
import pytest
from board import Board, Unix
from wamr.compiler import context, in_place, machine
from wat import wat

THUMB = """
ldr r0, [r3]
lsrs r0, r0, #1
lsls r0, r0, #2
ldr r0, [r0, #{base}]
movs r1, #1
orrs r0, r1
dsb sy
isb sy
bx r0
"""
RV32 = """
lw a0, 0(a3)
srli a0, a0, 1
slli a0, a0, 2
lw a0, {base}(a0)
fence.i
jr a0
"""


@pytest.mark.parametrize("arch", in_place.JUMPS)
def test_jump(arch: int) -> None:
    """To context.BASE, of the context whose address the argument is."""
    assert arch in machine.TARGETS
    if arch == 11:
        decoder = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32)
        expected, base = RV32, str(context.BASE)
    else:
        decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB)
        expected, base = THUMB, hex(context.BASE)
    lines = [f"{i.mnemonic} {i.op_str}".strip() for i in decoder.disasm(in_place.JUMPS[arch], 0)]
    assert [line.replace("0x50(", "80(") for line in lines] == expected.format(
        base=base
    ).strip().split("\n")


TEXT = """(func (export "f") (param i32) (result i32) (local i32)
  (loop $l
    (local.set 1 (i32.add (local.get 1) (local.get 0)))
    (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
  (local.get 1))"""
RUN = f"""
import gc, wamr
from wamr.compiler import code
module = wamr.Module({wat(TEXT)!r})
one = wamr.Instance(module, engine="native")
other = wamr.Instance(wamr.Module(module.source), engine="native")
gc.collect()
garbage = [bytearray(200) for _ in range(50)]
buf = module.native.buf
print(one.exports.f(100), other.exports.f(10), buf is not None, code.jump is not None)
print(buf is None or (len(buf) * 2, buf is other.native.code.buf))
"""


@pytest.mark.device
def test_on_boards(board: Board) -> None:
    board.soft_reset()
    output = board.exec(RUN).split("\n")
    assert output[0] == "5050 55 True True"
    size, same = eval(output[1])
    assert 300 < size < 800 and not same


@pytest.mark.device
def test_where_memory_for_code_is_a_thing_of_its_own(unix: Unix) -> None:
    assert unix.exec(RUN).split("\n")[:2] == ["5050 55 False False", "True"]
