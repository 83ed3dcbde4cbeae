"""Small modules that ask for much: loading or starting them is quick and ends as documented."""

from __future__ import annotations

from wat import HEADER, binary, custom, leb, section, vector

VOID = b"\x60\0\0"
I32 = b"\x7f"
START = section(8, b"\0")
LOOP = b"\x03\x40%s\x0c\0\x0b"
# () -> a thousand i32
WIDE = b"\x60\0" + vector(*[I32] * 1000)


def body(code: bytes, locals: bytes = b"\0") -> bytes:
    code = locals + code + b"\x0b"
    return leb(len(code)) + code


def one(code: bytes, type: bytes = VOID, *others: bytes, locals: bytes = b"\0") -> bytes:
    """A module of one function that is not exported; `others` are whole sections 4 to 8."""
    uses = section(3, vector(b"\0"))
    return binary(section(1, vector(type)), uses, *others, section(10, vector(body(code, locals))))


def constant(type: int, code: bytes) -> bytes:
    """A module of one global with this initial value."""
    return binary(section(6, vector(bytes([type]) + b"\0" + code + b"\x0b")))


def name(number: int) -> bytes:
    text = b"n%d" % number
    return leb(len(text)) + text


def distinct_type(number: int) -> bytes:
    params = [bytes([0x7C + (number >> 2 * digit & 3)]) for digit in range(9)]
    return b"\x60" + vector(*params) + b"\0"


def bombs(n: int) -> dict[str, bytes]:
    """All of them, by name; `n` is how many elements those have that have many."""
    return {
        # much to compare
        "distinct types": binary(section(1, vector(*map(distinct_type, range(n))))),
        "exports": binary(
            section(6, vector(b"\x7f\0\x41\0\x0b")),
            section(7, vector(*[name(i) + b"\3\0" for i in range(9999)])),
        ),
        "imports": binary(
            section(1, vector(VOID)),
            section(2, vector(*[name(0) + name(i) + b"\0\0" for i in range(9999)])),
        ),
        "functions": binary(
            section(1, vector(VOID)),
            section(3, vector(*[b"\0"] * (n - 1))),
            section(10, vector(*[b"\2\0\x0b"] * (n - 1))),
        ),
        "custom sections": HEADER + custom("") * n,
        "data segments": binary(section(5, vector(b"\0\1")), section(11, vector(*[b"\1\0"] * n))),
        # deep and long code
        "nested blocks": one(b"\x02\x40" * n + b"\x0b" * n),
        "nested ifs": one(b"\x41\0\x04\x40" * n + b"\x0b" * n),
        "a long br_table": one(b"\x41\0\x0e" + leb(n) + b"\0" * (n + 1)),
        "a long br_table of wide labels": one(b"\0\x0e" + leb(n) + b"\0" * (n + 1), WIDE),
        "wide blocks": one(b"\0" + b"\x02\0\0\x0b" * (n // 5) + b"\0", WIDE),
        "wide blocks, dropped": one(b"\0" + b"\x02\0\0\x0b\0" * (n // 5), WIDE),
        "very wide types": binary(section(1, vector(b"\x60\0" + vector(*[I32] * n)))),
        "a long constant": constant(0x7F, b"\x41\0" + b"\x41\0\x6a" * n),
        "a deep constant": constant(0x7F, b"\x41\0" * (n + 1) + b"\x6a" * n),
        "a huge product": constant(0x7E, b"\x42\3" + b"\x42\x7f\x7e" * n),
        # much memory
        "locals": one(b"", locals=b"\1\xff\xff\xff\xff\x0f\x7f"),
        "locals that wrap": one(b"", locals=b"\2\xff\xff\xff\xff\x0f\x7f\1\x7f"),
        "groups of no locals": one(b"", locals=leb(n) + b"\0\x7f" * n),
        "reference locals": one(b"", locals=b"\1\xd0\x86\3\x70"),
        "a big frame": one(b"\x10\0", VOID, START, locals=b"\1\xd0\x86\3\x7f"),
        "a table": binary(section(4, vector(b"\x70\0\xff\xff\xff\xff\x0f"))),
        "tables": binary(section(4, vector(*[b"\x70\0" + leb(10_000_000)] * 100))),
        "a memory": binary(section(5, vector(b"\0" + leb(65536)))),
        "a memory of single bytes": binary(section(5, vector(b"\x08\xff\xff\xff\xff\x0f\0"))),
        "a long name": HEADER + custom("a" * 10 * n),
        "a count without elements": binary(section(1, b"\xff\xff\xff\xff\x0f")),
        # running
        "recursion": one(b"\x10\0", VOID, START),
        "an endless loop": one(LOOP % b"", VOID, START),
        "table.grow": one(
            LOOP % b"\xd0\x70\x41\1\xfc\x0f\0\x1a", VOID, section(4, vector(b"\x70\0\0")), START
        ),
        "table.grow by millions": one(
            LOOP % b"\xd0\x70\x41\x80\x80\x80\1\xfc\x0f\0\x1a",
            VOID,
            section(4, vector(b"\x70\0\0")),
            START,
        ),
    }
