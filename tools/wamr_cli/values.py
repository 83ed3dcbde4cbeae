"""Typed values on the command line: text to bit patterns and back, in iwasm's notation.

A value is what a cell of the operand stack holds: an unsigned bit pattern, or None for a null
reference.
"""

from __future__ import annotations

import math
import struct

BITS = {"i32": 32, "i64": 64, "f32": 32, "f64": 64}
REFERENCES = ("funcref", "externref")


def parse(text: str, valtype: str) -> int | None:
    """The bit pattern `text` stands for; ValueError says why there is none."""
    if valtype in REFERENCES:
        if text != "null":
            raise ValueError(f"{text!r} is no {valtype}: only null can be given on a command line")
        return None
    if valtype[0] == "i":
        return _parse_int(text, BITS[valtype], valtype)
    return _parse_float(text, valtype)


def _parse_int(text: str, bits: int, valtype: str) -> int:
    value = None
    for base in (0, 10):  # 0 takes 0x, 0o and 0b; 10 takes 007, which base 0 refuses
        try:
            value = int(text, base)
            break
        except ValueError:
            pass
    if value is None:
        raise ValueError(f"{text!r} is no {valtype}: give a decimal or hexadecimal number")
    low, high = -(1 << (bits - 1)), (1 << bits) - 1
    if not low <= value <= high:
        raise ValueError(f"{text} does not fit {valtype} ({low} to {high})")
    return value & high


def _parse_float(text: str, valtype: str) -> int:
    try:
        value = float.fromhex(text) if "0x" in text.lower() else float(text)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no {valtype}: give a number, inf or nan") from None
    try:
        packed = struct.pack("<f" if valtype == "f32" else "<d", value)
    except OverflowError:
        raise ValueError(f"{text} does not fit {valtype}") from None
    return int.from_bytes(packed, "little")


def show(bits: int | None, valtype: str) -> str:
    """A result as iwasm prints it: 0x3:i32, 3.141593:f64."""
    if valtype in REFERENCES:
        return f"{'null' if bits is None else 'ref'}:{valtype}"
    if valtype[0] == "i":
        return f"{bits:#x}:{valtype}"
    size = BITS[valtype] // 8
    value = struct.unpack("<f" if size == 4 else "<d", bits.to_bytes(size, "little"))[0]
    if math.isnan(value):  # the C library shows a NaN's sign, Python does not
        return f"{'-' if bits >> (size * 8 - 1) else ''}nan:{valtype}"
    return f"{value:.7g}:{valtype}"
