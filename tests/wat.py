"""Modules for tests: from text, and byte by byte where they have to be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wamr

wasmtime = pytest.importorskip("wasmtime")

SOURCES = Path(__file__).resolve().parent.parent / "wamr_mp"

# What a script on MicroPython starts with, to test these sources and not older frozen ones.
ON_DEVICE = f"import sys; sys.path.insert(0, {str(SOURCES)!r})\nimport gc, wamr\n"


def wat(text: str) -> bytes:
    """The binary of a module in text form; the fields alone will do."""
    if not text.lstrip().startswith("(module"):
        text = f"(module {text})"
    return bytes(wasmtime.wat2wasm(text))


def load(
    text: str, imports: dict[str, Any] | None = None, engine: str = "portable", **options: Any
) -> wamr.Instance:
    """An instance of a module in text form, in the engine that is the reference."""
    return wamr.Instance(wamr.Module(wat(text)), imports, engine=engine, **options)


def leb(n: int) -> bytes:
    """Unsigned LEB128 in its shortest form."""
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def sleb(n: int) -> bytes:
    """Signed LEB128 in its shortest form."""
    out = bytearray()
    while not -64 <= n < 64:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n & 127)
    return bytes(out)


def vector(*items: bytes) -> bytes:
    return leb(len(items)) + b"".join(items)


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + leb(len(content)) + content


def custom(name: str, content: bytes = b"") -> bytes:
    raw = name.encode()
    return section(0, leb(len(raw)) + raw + content)


HEADER = b"\0asm\1\0\0\0"


def binary(*sections: bytes) -> bytes:
    """A module of these sections."""
    return HEADER + b"".join(sections)


def function(code: bytes, locals: bytes = b"\0", type: bytes = b"\x60\0\0") -> bytes:
    """A module of one function, exported as `f`: its code without the last `end`."""
    body = locals + code + b"\x0b"
    return binary(
        section(1, vector(type)),
        section(3, vector(b"\0")),
        section(7, vector(b"\1f\0\0")),
        section(10, vector(leb(len(body)) + body)),
    )
