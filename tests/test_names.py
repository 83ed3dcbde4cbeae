"""The name section, read for backtraces only (specification 7.4.1)."""

from __future__ import annotations

from pathlib import Path

import pytest
import wamr
from wat import binary, custom, leb, load, section, vector, wat

TEXT = """(module
  (import "e" "imported" (func $imported))
  (func $first (export "one"))
  (func (export "two"))
  (func))"""


def names(*pairs: tuple[int, bytes]) -> bytes:
    """The subsection of function names."""
    return section(1, vector(*[leb(i) + leb(len(name)) + name for i, name in pairs]))


def test_names_of_functions() -> None:
    module = wamr.Module(wat(TEXT))
    assert [module.function_name(i) for i in range(4)] == ["imported", "first", "two", None]


def test_names_come_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "m.wasm").write_bytes(wat(TEXT))
    module = wamr.Module(tmp_path / "m.wasm")
    assert module.function_name(1) == "first"
    (tmp_path / "m.wasm").unlink()
    # Without it, the exports still say something.
    assert [module.function_name(i) for i in range(4)] == [None, "one", "two", None]


def bare(section: bytes) -> wamr.Module:
    return wamr.Module(wat('(func (export "f"))') + section)


def test_names_behind_other_subsections() -> None:
    content = section(0, b"\6module") + names((0, "näme".encode())) + section(2, b"\0")
    assert bare(custom("name", content)).function_name(0) == "näme"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\1",
        b"\1\5",
        b"\xff",
        section(1, b"\xff\xff\xff\xff\x0f"),
        names((0, b"\xff")),
        names((0, b"name"))[:-1],
        section(1, b"\1\0\x7fx"),
        section(0, b"") + b"\1\x80\x80\x80\x80\x80\x80",
        names((0, b"x" * 10001)),
    ],
)
def test_a_damaged_name_section_does_not_matter(content: bytes) -> None:
    assert bare(custom("name", content)).function_name(0) == "f"


def test_a_name_that_is_empty_is_a_name() -> None:
    assert bare(custom("name", names((0, b"")))).function_name(0) == ""


def test_the_names_in_a_trap() -> None:
    text = """(func $deepest unreachable) (func $middle (call $deepest))
      (func (export "outer") (call $middle))"""
    module = wamr.Module(wat(text))
    data = wat(text)
    with pytest.raises(wamr.Trap) as caught:
        wamr.Instance(module).exports.outer()
    backtrace = caught.value.backtrace
    assert [(index, name) for index, name, _ in backtrace] == [
        (0, "deepest"),
        (1, "middle"),
        (2, "outer"),
    ]
    # Each offset is behind the instruction that trapped or called.
    assert [data[at - 1 : at] for _, _, at in backtrace[:1]] == [b"\0"]
    assert [data[at - 2 : at] for _, _, at in backtrace[1:]] == [b"\x10\0", b"\x10\1"]


def test_a_damaged_name_section_does_not_hide_a_trap() -> None:
    data = wat('(func (export "f") unreachable)') + custom("name", b"\1\x7f")
    with pytest.raises(wamr.Trap, match="^unreachable") as caught:
        wamr.Instance(wamr.Module(data)).exports.f()
    assert [name for _, name, _ in caught.value.backtrace] == ["f"]


def test_no_names_at_all() -> None:
    data = binary(
        section(1, vector(b"\x60\0\0")),
        section(3, vector(b"\0", b"\0")),
        section(7, vector(b"\1f\0\1")),
        section(10, vector(b"\3\0\0\x0b", b"\4\0\x10\0\x0b")),
    )
    with pytest.raises(wamr.Trap) as caught:
        wamr.Instance(wamr.Module(data)).exports.f()
    assert [(i, name) for i, name, _ in caught.value.backtrace] == [(0, None), (1, "f")]


def test_a_backtrace_does_not_grow_with_the_stack() -> None:
    instance = load('(func $f (export "f") (call $f))')
    with pytest.raises(wamr.Trap, match="^call stack exhausted") as caught:
        instance.exports.f()
    assert len(caught.value.backtrace) == 24
    assert {(index, name) for index, name, _ in caught.value.backtrace} == {(0, "f")}
