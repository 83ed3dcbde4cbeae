"""`wamr inspect`: what it says about modules, and that it runs nothing of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import wamr
from board import Board
from wamr.program import Program
from wamr_cli import main
from wamr_cli.inspect import as_text, examine
from wasmtime import wat2wasm

ROOT = Path(__file__).resolve().parent.parent
APPS = sorted((ROOT / "apps").glob("*/*.wasm"))


@pytest.fixture
def examined(tmp_path: Path):
    """The report on a module given as text, or as bytes."""

    def report(source: str | bytes) -> dict:
        path = tmp_path / "app.wasm"
        path.write_bytes(source if isinstance(source, bytes) else bytes(wat2wasm(source)))
        return examine(str(path))

    return report


def custom(name: bytes, content: bytes) -> bytes:
    body = bytes((len(name),)) + name + content
    return bytes((0, len(body))) + body


# ---- sections


def test_sections_with_their_places(examined) -> None:
    data = bytes(wat2wasm('(module (memory 1) (func (export "f")) (data "abc"))'))
    data = data[:8] + custom(b"greeting", b"hello") + data[8:]
    report = examined(data)
    assert report["errors"] == []
    names = [section["name"] for section in report["sections"]]
    assert names == ["greeting", "type", "function", "memory", "export", "code", "data"]
    for section in report["sections"]:
        start, size = section["offset"], section["size"]
        assert data[start - 2 : start] == bytes((section["id"], size))
    assert report["sections"][-1]["offset"] + report["sections"][-1]["size"] == len(data)


@pytest.mark.parametrize("size", [11, 17, 30])
def test_a_truncated_file_is_shown_as_far_as_it_goes(tmp_path, capsys, size) -> None:
    data = bytes(wat2wasm('(module (memory 1) (func (export "f")))'))
    file = tmp_path / "app.wasm"
    file.write_bytes(data[:size])
    assert main(["inspect", str(file)]) == 3
    out, err = capsys.readouterr()
    assert ("type" in out) == (size > 13)
    assert "the module cannot be used" in err and "at offset 0x" in err


def test_an_invalid_module_names_the_place(examined) -> None:
    report = examined(bytes.fromhex("0061736d010000000105016000017f 03020100 0a040102000b"))
    assert [section["name"] for section in report["sections"]] == ["type", "function", "code"]
    assert "type mismatch" in report["errors"][0]
    assert "imports" not in report


# ---- features


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("(func (param i32 i32) (result i32) (br_table 0 0 (i32.const 1) (local.get 0)))", []),
        ("(func (drop (i64.const 0xC0FC)) (drop (f64.const 3.5)) (drop (f32.const 2)))", []),
        ("(func (drop (i32.extend8_s (i32.const 1))))", ["sign extension"]),
        ("(func (drop (i32.trunc_sat_f64_u (f64.const 1))))", ["non-trapping float-to-int"]),
        ("(func (result i32 i32) (i32.const 1) (i32.const 2))", ["multi-value"]),
        ("(func i32.const 1 block (param i32) drop end)", ["multi-value"]),
        (
            "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))",
            ["bulk memory"],
        ),
        ('(memory 1) (data "passive")', ["bulk memory"]),
        ("(table 1 externref)", ["reference types"]),
        ("(func (param externref))", ["reference types"]),
        ("(func (drop (ref.is_null (ref.null func))))", ["reference types"]),
        ("(func $f (return_call $f))", ["tail calls"]),
        ("(global i32 (i32.add (i32.const 1) (i32.const 2)))", ["extended constant expressions"]),
        (
            '(memory 1) (data (i32.sub (i32.const 9) (i32.const 2)) "x")',
            ["extended constant expressions"],
        ),
        ('(import "env" "g" (global (mut i32)))', ["mutable globals"]),
        ('(global (export "g") (mut i64) (i64.const 1))', ["mutable globals"]),
        ('(global (export "g") i64 (i64.const 1))', []),
    ],
)
def test_features(examined, text, expected) -> None:
    assert examined(f"(module {text})")["features"] == expected


def test_custom_page_sizes(examined) -> None:
    report = examined(bytes.fromhex("0061736d01000000 0504 01 08 0a 00"))
    assert report["features"] == ["custom page sizes"]
    assert report["memory"]["page_size"] == 1
    assert report["memory"]["allocated"] == 10


# ---- imports


def test_says_which_imports_are_built_in(examined) -> None:
    report = examined("""(module
      (import "env" "puts" (func (param i32) (result i32)))
      (import "env" "gpio_set" (func (param i32 i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (import "board" "pins" (memory 1))
      (import "board" "count" (global i32)))""")
    provided = {entry["name"]: entry["provided"] for entry in report["imports"]}
    assert provided == {
        "puts": True,
        "gpio_set": False,
        "proc_exit": True,
        "pins": False,
        "count": False,
    }
    text = as_text(report)
    assert "to be given in Python with imports={…}: env.gpio_set, board.pins, board.count" in text
    assert report["errors"] == []


def test_an_import_of_another_type_is_an_error(examined) -> None:
    report = examined('(module (import "env" "puts" (func (param i64))))')
    assert "incompatible import type" in report["errors"][0]


# ---- memory


MEMORY = """(module (import "env" "malloc" (func (param i32) (result i32)))
  (memory (export "memory") 2)
  (global (export "__heap_base") i32 (i32.const 4096)) {})"""


def test_memory_is_cut_to_what_is_used(examined) -> None:
    memory = examined(MEMORY.format(""))["memory"]
    assert (memory["declared_pages"], memory["max_pages"], memory["page_size"]) == (2, None, 65536)
    assert memory["allocated"] == 4096 + 8192
    assert memory["heap"] == 8192


def test_says_why_memory_is_not_cut(examined) -> None:
    grows = examined(MEMORY.format("(func (drop (memory.size)))"))
    assert grows["memory"]["allocated"] >= 2 * 65536
    assert "the module uses memory.size or memory.grow" in as_text(grows)
    no_base = examined("(module (memory 1))")
    assert no_base["memory"]["allocated"] == 65536
    assert "link with -Wl,--export=__heap_base" in as_text(no_base)


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.stem)
def test_memory_is_what_running_takes(path) -> None:
    report = examine(str(path))
    assert report["errors"] == []
    assert all(entry["provided"] for entry in report["imports"])
    if wamr.Module(str(path)).find_export("on_init"):
        return  # for the app manager, which has more functions than a program can import
    program = Program(str(path), stdout=lambda data: None)
    try:
        assert report["memory"]["allocated"] == len(program.instance.memory.buf)
    finally:
        program.close()


def test_nothing_of_the_module_is_run(examined) -> None:
    report = examined("""(module
      (func $spin (export "_initialize") (loop (br 0)))
      (func (export "__wasm_call_ctors") unreachable)
      (start $spin))""")
    assert report["errors"] == []
    assert [export["name"] for export in report["exports"]] == ["_initialize", "__wasm_call_ctors"]


# ---- output


def test_json_is_the_report(capsys) -> None:
    file = str(ROOT / "apps" / "hello" / "hello.wasm")
    assert main(["inspect", "--json", file]) == 0
    assert json.loads(capsys.readouterr().out) == examine(file)


def test_heap_and_stack_count(tmp_path) -> None:
    file = str(shutil.copy(ROOT / "apps" / "hello" / "hello.wasm", tmp_path))
    small, large = examine(file, heap=1024), examine(file, heap=4096)
    assert large["memory"]["allocated"] - small["memory"]["allocated"] == 3072
    assert large["ram"]["total"] - small["ram"]["total"] == 3072
    assert examine(file, stack=9192)["ram"]["total"] - examine(file)["ram"]["total"] == 1000


# ---- RAM on the boards

MEASURE = """
import gc
def free():
    gc.collect()
    gc.collect()
    return gc.mem_free()
before = free()
from wamr.program import Program
program = Program("/inspected.wasm", stdout=lambda data: None, engine={!r})
print(before, before - free())
"""


@pytest.mark.parametrize("app", ["hello/hello.wasm", "text/text.wasm", "filter/filter.wasm"])
def test_estimates_are_what_boards_need(board: Board, app: str) -> None:
    path = ROOT / "apps" / app
    board.put(path, "/inspected.wasm")
    needs = []
    for engine in ("portable", "native"):
        board.soft_reset()
        free, needed = map(int, board.exec(MEASURE.format(engine)).split())
        needs.append(needed)
    # As users ask, in a process that has loaded nothing else: what other tests have would count.
    command = [sys.executable, "-m", "wamr_cli", "inspect", "--json", str(path)]
    report = json.loads(subprocess.check_output(command))["ram"]
    (known,) = [entry for entry in report["boards"] if entry["name"] == board.name]
    assert abs(known["free_heap"] - free) < 2048
    portable, native = needs
    assert portable == pytest.approx(report["total"] - report["stack"], rel=0.1)
    assert native == pytest.approx(known["free_heap"] - known["left_native"], rel=0.1)
