"""Runs numeric instructions on bit patterns, the same code on CPython, the unix port and boards.

It reads lines of hexadecimal numbers, `opcode a b result`, where the result may be a trap's text
instead, and prints a line for each that differs, then `RESULT passed failed`. Instructions on
floats are run in integers and as floats.py chooses.
"""
# ruff: noqa: UP031

from wamr.engine import floats, numerics, softfloat
from wamr.wasm.errors import Trap


# `op` is the opcode, or 0xFC00 and the number that follows the prefix. Instructions with one
# operand do not look at `b`.
def call(op, a, b, floats=floats):
    if op >= 0xFC00:
        return numerics.trunc_sat(op - 0xFC00, a)
    if op < 0x5B:
        if op < 0x51:
            return numerics.compare(op - 0x46, a, b, 32)
        return numerics.compare(op - 0x51, a, b, 64)
    if op < 0x67:
        if op < 0x61:
            return floats.compare(op - 0x5B, a, b, 32)
        return floats.compare(op - 0x61, a, b, 64)
    if op < 0x8B:
        bits = 32
        if op >= 0x79:
            bits = 64
            op -= 0x12
        if op < 0x6A:
            return numerics.unary(op - 0x67, a, bits)
        return numerics.binary(op - 0x6A, a, b, bits)
    if op < 0xA7:
        bits = 32
        if op >= 0x99:
            bits = 64
            op -= 0x0E
        if op < 0x92:
            return floats.unary(op - 0x8B, a, bits)
        return floats.binary(op - 0x92, a, b, bits)
    return numerics.convert(op, a)


# The result, or the trap's text.
def outcome(op, a, b, floats=floats):
    try:
        return call(op, a, b, floats)
    except Trap as trap:
        return str(trap)


def main(path, report=print):
    passed = failed = 0
    with open(path) as file:
        for line in file:
            op, a, b, wanted = line.strip().split(" ", 3)
            op = int(op, 16)
            a = int(a, 16)
            b = int(b, 16)
            if wanted[:5] != "trap ":
                wanted = int(wanted, 16)
            else:
                wanted = wanted[5:]
            ways = (softfloat, floats) if 0x5B <= op < 0x67 or 0x8B <= op < 0xA7 else (floats,)
            for way in ways:
                result = outcome(op, a, b, way)
                if result == wanted:
                    passed += 1
                else:
                    failed += 1
                    report("FAIL %s %s: %s" % (line.strip(), way.__name__, result))
    report("RESULT %d %d" % (passed, failed))
