"""Decoding of whole modules (specification 5.5)."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
import wamr
from board import Unix
from wamr.wasm.interface import custom as custom_section
from wat import HEADER, ON_DEVICE, binary, custom, function, leb, load, section, vector, wat

APPS = sorted((Path(__file__).resolve().parent.parent / "apps").rglob("*.wasm"))

# Something of everything.
EVERYTHING = """(module
  (type $t (func (param i32 i64) (result f32)))
  (import "a" "f" (func $f (type $t)))
  (import "a" "g" (global $g i32))
  (import "a" "t" (table $t0 1 externref))
  (import "a" "m" (memory $m 1 2))
  (func $h (export "h") (param i32) (result i32)
    (local $x i64) (local $y funcref)
    (block $out (loop $in (br_if $out (local.get 0)) (br $in)))
    (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2))))
  (func $start (drop (ref.func $h)) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3)))
  (start $start)
  (table $t1 (export "t") 4 10 funcref)
  (global $v (export "v") (mut i64) (i64.const -1))
  (export "f" (func $f)) (export "m" (memory $m)) (export "g" (global $g))
  (elem (table $t1) (offset (global.get $g)) func $h $f)
  (elem $e funcref (ref.func $h) (ref.null func))
  (elem declare func $start)
  (data $d "abc")
  (data (i32.const 8) "defg"))"""


# Where a module comes from


def content(module: wamr.Module) -> dict[str, object]:
    """All that a module says, wherever its bytes are."""
    words = list(module.bodies)
    for i in range(0, len(words), 7):
        words[i] += module.code_base  # where it begins and ends
        words[i + 6] += module.code_base
    same = ("types funcs tables memories globals import_list export_list start customs imports "
            "exports n_imported_funcs n_imported_globals side ref_locals asks_memory_size "
            "data_count").split()  # fmt: skip
    out: dict[str, object] = {name: getattr(module, name) for name in same}
    out["bodies"] = words
    out["code"] = [
        bytes(module.code[words[i] - module.code_base : words[i + 6] - module.code_base])
        for i in range(0, len(words), 7)
    ]
    out["inits"] = [bytes(buf[pos : pos + 2]) for buf, pos in module.global_inits]
    out["datas"] = [bytes(buf[at : at + n]) for _, buf, at, n in module.datas]
    out["elems"] = [
        (mode, table, bool(offset), kind, bytes(buf[pos : pos + n]), n, exprs)
        for mode, table, offset, kind, buf, pos, n, exprs in module.elems
    ]
    return out


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.stem)
def test_a_file_is_what_its_bytes_are(path: Path) -> None:
    data = path.read_bytes()
    expected = content(wamr.Module(data))
    assert content(wamr.Module(str(path))) == expected
    assert content(wamr.Module(path)) == expected
    assert content(wamr.Module(bytearray(data))) == expected
    assert content(wamr.Module(memoryview(data))) == expected


def test_everything_from_a_file(tmp_path: Path) -> None:
    data = wat(EVERYTHING) + custom("later", b"\1\2\3")
    (tmp_path / "m.wasm").write_bytes(data)
    module = wamr.Module(tmp_path / "m.wasm")
    assert content(module) == content(wamr.Module(data))
    results = []
    for m in (module, wamr.Module(data)):
        memory = wamr.Memory(1, 2)
        given = {
            "f": lambda a, b: 1.0,
            "g": 1,
            "t": wamr.Table("externref", 1),
            "m": memory,
        }
        instance = wamr.Instance(m, {"a": given})
        table = instance.exports.t
        elements = [f and f.type for f in table]
        results.append((bytes(memory.data[:16]), elements, instance.exports.h(5)))
    assert results[0] == results[1]
    assert results[0][0] == b"abc\0\0\0\0\0defg\0\0\0\0"


def test_a_fault_in_a_file_is_the_fault_in_its_bytes(tmp_path: Path) -> None:
    data = wat(EVERYTHING)
    path = tmp_path / "m.wasm"
    for at in range(0, len(data), 3):
        broken = data[:at] + b"\xff" + data[at + 1 :]
        path.write_bytes(broken)
        reported = []
        for source in (broken, path):
            try:
                wamr.Module(source)
                reported.append("fine")
            except wamr.CompileError as error:
                reported.append(str(error))
        assert reported[0] == reported[1], at


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(OSError):
        wamr.Module("no/such/file.wasm")


# Faults


def check_error(data: bytes) -> bool:
    try:
        wamr.Module(data)
    except wamr.CompileError as error:
        assert 0 <= error.offset <= len(data), error
        reason, _, offset = str(error).rpartition(" (at offset ")
        assert reason and offset == f"0x{error.offset:x})"
        return True
    return False


def test_every_part_of_a_module_is_refused() -> None:
    data = wat(EVERYTHING)
    # Where a section ends, what is left is another module, of which only some are whole.
    fine = [n for n in range(len(data)) if not check_error(data[:n])]
    ends = []
    pos = 8
    while pos < len(data):
        ends.append(pos)
        size, shift, pos = 0, 0, pos + 1
        while True:
            size |= (data[pos] & 127) << shift
            shift += 7
            pos += 1
            if data[pos - 1] < 128:
                break
        pos += size
    assert set(fine) <= set(ends)
    assert 8 in fine


def test_every_changed_byte_is_fine_or_refused_with_a_place_inside_the_file() -> None:
    data = wat(EVERYTHING)
    refused = 0
    for at in range(len(data)):
        for byte in (0, 1, 0x0B, 0x40, 0x7F, 0x80, 0xFF, data[at] ^ 1):
            refused += check_error(data[:at] + bytes([byte]) + data[at + 1 :])
    assert refused > len(data) * 4


@pytest.mark.parametrize(
    "data, message, offset",
    [
        (b"", "magic header not detected", 0),
        (b"\0as", "magic header not detected", 0),
        (b"\0asn\1\0\0\0", "magic header not detected", 0),
        (b"\0asm", "unknown binary version", 4),
        (b"\0asm\2\0\0\0", "unknown binary version", 4),
        (b"\0asm\1\0\0", "unknown binary version", 4),
        (HEADER + b"\x0d\0", "malformed section id", 8),
        (HEADER + b"\1", "unexpected end", 9),
        (HEADER + b"\1\2\0", "length out of bounds", 10),
        (HEADER + b"\1\xff\xff\xff\xff\x0f", "length out of bounds", 14),
        (binary(section(1, b"\0\0")), "section size mismatch", 11),
        (binary(section(1, b"\1\x61")), "malformed function type", 11),
        (binary(section(1, b"\1\x60\1\x7b\0")), "malformed value type", 13),
        (
            binary(section(1, b"\0"), section(1, b"\0")),
            "unexpected content after last section",
            13,
        ),
        (
            binary(section(3, b"\0"), section(1, b"\0")),
            "unexpected content after last section",
            13,
        ),
        (binary(section(2, b"\1\0\0\4")), "malformed import kind", 13),
        (binary(section(3, b"\1\0")), "unknown type 0", 12),
        (binary(section(4, b"\1\x70\2\0")), "malformed limits flags", 12),
        (binary(section(4, b"\1\x70\1\2\1")), "size minimum must not be greater", 13),
        (binary(section(5, b"\2\0\0\0\0")), "multiple memories", 13),
        (binary(section(5, b"\1\0\x81\x80\4")), "memory size must be at most 65536 pages", 12),
        (binary(section(5, b"\1\x08\1\1")), "invalid custom page size", 12),
        (binary(section(6, b"\1\x7f\2\x41\0\x0b")), "malformed mutability", 12),
        (binary(section(6, b"\1\x7f\0\x42\0\x0b")), "type mismatch in constant expression", 15),
        (binary(section(6, b"\1\x7f\0\x45\x0b")), "constant expression required", 13),
        (binary(section(6, b"\1\x7f\0\x23\0\x0b")), "unknown global 0", 13),
        (binary(section(7, b"\1\0\0\0")), "unknown function 0", 11),
        (binary(section(7, b"\1\0\4\0")), "malformed export kind", 12),
        (
            binary(section(5, b"\1\0\0"), section(7, b"\2\0\2\0\0\2\0")),
            "duplicate export name",
            19,
        ),
        (binary(section(8, b"\0")), "unknown function 0", 11),
        (binary(section(9, b"\1\x08")), "malformed elements segment kind", 11),
        (binary(section(9, b"\1\0\x41\0\x0b\0")), "unknown table 0", 11),
        (binary(section(11, b"\1\3")), "malformed data segment kind", 11),
        (binary(section(11, b"\1\0\x41\0\x0b\0")), "unknown memory 0", 11),
        (binary(section(11, b"\1\1\2\0")), "length out of bounds", 13),
        (binary(section(12, b"\1")), "data count and data section have inconsistent", 11),
        (binary(section(1, b"\1\x60\0\0"), section(3, b"\1\0")), "function and code section", 18),
        (binary(section(0, b"")), "unexpected end", 10),
        (binary(section(0, b"\5abc")), "length out of bounds", 11),
        (binary(section(0, b"\1\x80")), "malformed UTF-8 encoding", 11),
    ],
)
def test_faults(data: bytes, message: str, offset: int) -> None:
    with pytest.raises(wamr.CompileError) as caught:
        wamr.Module(data)
    assert str(caught.value).startswith(message)
    assert caught.value.offset == offset


# Custom sections


def test_custom_sections_can_be_read_wherever_they_are(tmp_path: Path) -> None:
    data = binary(custom("a", b"1"), section(1, b"\0"), custom("b", b"22"), custom("a", b"333"))
    (tmp_path / "m.wasm").write_bytes(data)
    for source in (data, tmp_path / "m.wasm"):
        module = wamr.Module(source)
        assert [(name, data[pos : pos + n]) for name, pos, n in module.customs] == [
            ("a", b"1"),
            ("b", b"22"),
            ("a", b"333"),
        ]
        assert custom_section(module, "a") == b"1"
        assert custom_section(module, "b") == b"22"
        assert custom_section(module, "c") is None


def test_custom_sections_are_not_held(tmp_path: Path) -> None:
    code = wat('(func (export "f") (result i32) (i32.const 42))')
    big = custom(".debug_info", bytes(1 << 20))
    path = tmp_path / "debug.wasm"
    path.write_bytes(HEADER + big + code[8:] + big)
    wamr.Module(code)  # loads what has to be loaded
    for source in (path, path.read_bytes()):
        tracemalloc.start()
        module = wamr.Module(source)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert wamr.Instance(module).exports.f() == 42
        # A file object has a buffer that is as large as its file system's blocks.
        assert peak < 300_000


def test_custom_sections_are_not_held_on_micropython(unix: Unix, tmp_path: Path) -> None:
    code = wat('(func (export "f") (result i32) (i32.const 42))')
    big = custom(".debug_info", bytes(1 << 20))
    (tmp_path / "plain.wasm").write_bytes(code)
    (tmp_path / "debug.wasm").write_bytes(HEADER + big + code[8:] + big)
    script = f"""{ON_DEVICE}
def load(name):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    module = wamr.Module({str(tmp_path)!r} + "/" + name)
    taken = gc.mem_alloc() - before
    gc.enable()
    print(taken, wamr.Instance(module).exports.f())
load("plain.wasm")
load("plain.wasm")
load("debug.wasm")
"""
    _, plain, debug = (line.split() for line in unix.exec(script).splitlines())
    assert plain[1] == debug[1] == "42"
    # Even with what is garbage at once.
    assert int(debug[0]) < int(plain[0]) + 2000


def test_a_long_custom_name() -> None:
    assert wamr.Module(binary(custom("x" * 10000))).customs[0][0] == "x" * 10000
    with pytest.raises(wamr.CompileError, match="^name too long"):
        wamr.Module(binary(custom("x" * 10001)))


# What a byte may cost


def test_equal_types_are_one() -> None:
    types = [b"\x60\1\x7f\0", b"\x60\0\1\x7f", b"\x60\1\x7f\0", b"\x60\0\1\x7f", b"\x60\0\0"]
    module = wamr.Module(binary(section(1, vector(*types))))
    assert module.types == (
        (b"\x7f", b""),
        (b"", b"\x7f"),
        (b"\x7f", b""),
        (b"", b"\x7f"),
        (b"", b""),
    )
    assert module.types[0] is module.types[2]
    assert module.types[1] is module.types[3]


VALTYPES = b"\x7f\x7e\x7d\x7c\x70\x6f"


def many_types(n: int) -> bytes:
    items = []
    for i in range(n):
        digits = bytes(VALTYPES[i // 6**k % 6] for k in range(8))
        items.append(b"\x60\x08" + digits + b"\0")
    return binary(section(1, vector(*items)))


def many_exports(n: int) -> bytes:
    names = [b"%07d" % i for i in range(n)]
    exports = vector(*[leb(len(name)) + name + b"\2\0" for name in names])
    return binary(section(5, b"\1\0\0"), section(7, exports))


@pytest.mark.parametrize("make, n", [(many_types, 10000), (many_exports, 10000)])
def test_twice_as_much_takes_twice_as_long(make: object, n: int) -> None:
    def seconds(data: bytes) -> float:
        best = 1e9
        for _ in range(3):
            start = time.process_time()
            wamr.Module(data)
            best = min(best, time.process_time() - start)
        return best

    # Quadratic time would take sixteen times as long.
    assert seconds(make(n)) < 10 * seconds(make(n // 4))  # type: ignore[operator]


@pytest.mark.parametrize(
    "data, message",
    [
        (binary(section(1, vector(b"\x60" + leb(256) + b"\x7f" * 256 + b"\0"))), "parameters"),
        (binary(section(1, vector(b"\x60\0" + leb(256) + b"\x7f" * 256))), "results"),
        (binary(section(4, vector(*[b"\x70\0\0"] * 17))), "tables"),
        (many_exports(10001), "exports"),
        (binary(section(2, vector(*[b"\0\0\3\x7f\0"] * 10001))), "imports"),
        (
            binary(section(1, vector(b"\x60\0\0")), section(3, vector(*[b"\0"] * 100001))),
            "functions",
        ),
    ],
)
def test_limits(data: bytes, message: str) -> None:
    with pytest.raises(wamr.CompileError, match=f"^too many .*{message}"):
        wamr.Module(data)


def test_the_limits_themselves_are_fine() -> None:
    wamr.Module(many_exports(10000))
    wamr.Module(binary(section(4, vector(*[b"\x70\0\0"] * 16))))
    many = ["i32"] * 255
    consts = " ".join(f"(i32.const {i})" for i in range(255))
    instance = load(f'(func (export "f") (result {" ".join(many)}) {consts})')
    assert instance.exports.f() == tuple(range(255))
    text = f'(func (export "f") (param {" ".join(many)}) (result i32) (local.get 254))'
    assert load(text).exports.f(*range(255)) == 254


def test_huge_counts_end_at_the_end_of_the_file() -> None:
    huge = b"\xff\xff\xff\xff\x0f"
    for number in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11):
        with pytest.raises(wamr.CompileError, match="^length out of bounds"):
            wamr.Module(binary(section(number, huge + b"\0\0")))
    for code in (b"\x0e" + huge, b"\x1c" + huge):
        assert check_error(function(code))
    assert check_error(function(b"", locals=huge))


# The public face


def test_imports_and_exports_in_words() -> None:
    module = wamr.Module(wat(EVERYTHING))
    assert module.imports == [
        ("a", "f", "func", "(i32, i64) -> f32"),
        ("a", "g", "global", "i32"),
        ("a", "t", "table", "externref 1.."),
        ("a", "m", "memory", "1..2 pages of 65536"),
    ]
    assert module.exports == [
        ("h", "func", "(i32) -> i32"),
        ("t", "table", "funcref 4..10"),
        ("v", "global", "mut i64"),
        ("f", "func", "(i32, i64) -> f32"),
        ("m", "memory", "1..2 pages of 65536"),
        ("g", "global", "i32"),
    ]
    assert module.find_export("v") == ("global", 1)
    assert module.find_export("w") is None


def test_custom_page_sizes() -> None:
    module = wamr.Module(wat('(memory (export "m") 10 20 (pagesize 1))'))
    assert module.exports == [("m", "memory", "10..20 pages of 1")]
    module = wamr.Module(wat('(memory (export "m") 1 (pagesize 65536))'))
    assert module.exports == [("m", "memory", "1.. pages of 65536")]
    # 4 GiB less one byte is what a memory of bytes can have.
    assert wamr.Module(binary(section(5, b"\1\x08" + leb(2**32 - 1) + b"\0"))).memories[0][2] == 1
