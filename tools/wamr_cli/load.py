"""Looking at a module's file before it is used, so that errors can say what to do."""

from __future__ import annotations

from wamr_cli.errors import LoadError


def check(file: str) -> bytes:
    """The first bytes of `file`; LoadError if it cannot be read or is plainly something else."""
    try:
        with open(file, "rb") as stream:
            head = stream.read(256)
    except OSError as error:
        raise LoadError(f"cannot read {file}: {error.strerror}") from None
    reason = not_a_module(head)
    if reason:
        raise LoadError(f"{file} is no WebAssembly module: {reason}")
    return head


def not_a_module(head: bytes) -> str:
    """Why what begins like this is no module and what to do, or "" if it may be one."""
    if not head:
        return "the file is empty"
    if head[:4] == b"\0asm":
        if head[4:8] == b"\x0d\0\1\0":
            return "it is a component: build a core module (for WASI, preview 1)"
        return ""
    if head[:4] == b"\0aot":
        return "it is machine code made by wamrc: give the .wasm it was made from"
    if head.lstrip()[:1] in (b"(", b";") and b"\0" not in head:
        return "it is WebAssembly text: make a binary of it with wat2wasm"
    return "it does not begin with the bytes 00 61 73 6d (\\0asm)"
