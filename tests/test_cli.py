"""The command line: `wamr run` in its three modes, its options and its exit codes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import wamr
from hypothesis import given
from hypothesis import strategies as st
from wamr_cli import main, values
from wasmtime import wat2wasm

ROOT = Path(__file__).resolve().parent.parent
APPS = ROOT / "apps"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(ROOT / "wamr_mp"), str(ROOT / "tools")]),
}

CALLS = """(module
  (memory (export "memory") 1)
  (global (export "counter") (mut i32) (i32.const 0))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "wide") (param i64) (result i64) (local.get 0))
  (func (export "half") (param f32) (result f32) (f32.mul (local.get 0) (f32.const 0.5)))
  (func (export "echo") (param f64) (result f64) (local.get 0))
  (func (export "divmod") (param i32 i32) (result i32 i32)
    (i32.div_u (local.get 0) (local.get 1)) (i32.rem_u (local.get 0) (local.get 1)))
  (func (export "is_null") (param externref) (result i32) (ref.is_null (local.get 0)))
  (func (export "count") (result i32)
    (global.set 0 (i32.add (global.get 0) (i32.const 1))) (global.get 0))
  (func $inner (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "outer") (result i32) (call $inner (i32.const 0x10000)))
  (func (export "nothing"))
  (func (export "forever") (loop (br 0))))"""

EXITS = """(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $exit (i32.const 42))))"""


@pytest.fixture
def module(tmp_path: Path):
    """Write a module given as text to a file."""

    def write(text: str, name: str = "app.wasm") -> str:
        path = tmp_path / name
        path.write_bytes(bytes(wat2wasm(text)))
        return str(path)

    return write


@pytest.fixture
def calls(module) -> str:
    return module(CALLS)


def wamr_command(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wamr_cli", *args],
        input=stdin,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=60,
        check=False,
    )


# ---- as a command


def test_runs_a_program_with_arguments_in_a_process_of_its_own() -> None:
    done = wamr_command("run", str(APPS / "calculator" / "calculator.wasm"), "84", "2")
    assert done.stdout == (APPS / "calculator" / "calculator.exp").read_text()
    assert (done.stderr, done.returncode) == ("", 0)


def test_version_and_help() -> None:
    assert wamr_command("--version").stdout == f"wamr {wamr.__version__}\n"
    done = wamr_command("--help")
    assert done.returncode == 0
    assert "run" in done.stdout and "inspect" in done.stdout


def test_repl_calls_functions_and_survives_errors(calls: str) -> None:
    lines = "add 1 2\n\ncount\nnosuch 1\nadd 1\nouter\nadd x 2\n'\ncount\n"
    done = wamr_command("run", "--repl", calls, stdin=lines)
    output = done.stdout.replace("webassembly> ", "").split()
    assert output == ["0x3:i32", "0x1:i32", "0x2:i32"]
    assert done.stdout.count("webassembly> ") == 10
    assert "no function 'nosuch' is exported; there are: add, wide" in done.stderr
    assert "add takes 2 arguments (i32, i32), 1 given" in done.stderr
    assert "argument 1 of add: 'x' is no i32" in done.stderr
    assert "Trap: out of bounds memory access\n  #0 inner" in done.stderr
    assert "No closing quotation" in done.stderr
    assert done.returncode == 0


def test_repl_ends_at_iwasms_word(calls: str) -> None:
    done = wamr_command("run", "--repl", calls, stdin="__exit__\nadd 1 2\n")
    assert (done.stdout, done.returncode) == ("webassembly> ", 0)


def test_an_app_for_boards_says_so() -> None:
    done = wamr_command("run", str(ROOT / "apps" / "timer" / "timer.wasm"))
    assert done.returncode == 3
    assert "wamr -p sim install NAME" in done.stderr


def test_ctrl_c_gives_130() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "wamr_cli", "run", str(APPS / "endless" / "endless.wasm")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        assert process.stdout.readline() == "looping until stopped\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors.strip() == "wamr: interrupted"


def test_completion_knows_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wamr_cli"],
        env={
            **ENVIRONMENT,
            "_WAMR_COMPLETE": "bash_complete",
            "COMP_WORDS": "wamr i",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "plain,inspect\nplain,install\n"


# ---- calling one function


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["add", "1", "2"], "0x3:i32\n"),
        (["add", "0x10", "-1"], "0xf:i32\n"),
        (["add", "4294967295", "007"], "0x6:i32\n"),
        (["wide", "-1"], "0xffffffffffffffff:i64\n"),
        (["half", "3"], "1.5:f32\n"),
        (["half", "0x1p-3"], "0.0625:f32\n"),
        (["echo", "3.14159265358979"], "3.141593:f64\n"),
        (["echo", "-inf"], "-inf:f64\n"),
        (["echo", "nan"], "nan:f64\n"),
        (["echo", "-nan"], "-nan:f64\n"),
        (["divmod", "7", "2"], "0x3:i32,0x1:i32\n"),
        (["is_null", "null"], "0x1:i32\n"),
        (["nothing"], ""),
    ],
)
def test_function_prints_its_results_as_iwasm_does(calls, capsys, arguments, output) -> None:
    name, *rest = arguments
    assert main(["run", "-f", name, calls, *rest]) == 0
    assert capsys.readouterr().out == output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["add", "1"], "add takes 2 arguments (i32, i32), 1 given"),
        (["add", "1", "4294967296"], "argument 2 of add: 4294967296 does not fit i32"),
        (["add", "1", "1.5"], "argument 2 of add: '1.5' is no i32"),
        (["half", "1e99"], "argument 1 of half: 1e99 does not fit f32"),
        (["half", "0x1p9999"], "argument 1 of half: '0x1p9999' is no f32"),
        (["is_null", "7"], "only null can be given"),
        (["memory"], "no function 'memory' is exported; there are: add"),
    ],
)
def test_wrong_calls_exit_with_2(calls, capsys, arguments, complaint) -> None:
    name, *rest = arguments
    assert main(["run", "-f", name, calls, *rest]) == 2
    assert complaint in capsys.readouterr().err


@given(st.integers(0, 2**64 - 1), st.sampled_from(["i32", "i64"]))
def test_integers_survive_being_shown_and_parsed(bits: int, valtype: str) -> None:
    bits &= (1 << values.BITS[valtype]) - 1
    assert values.parse(values.show(bits, valtype).split(":")[0], valtype) == bits
    signed = bits - (1 << values.BITS[valtype]) if bits >> (values.BITS[valtype] - 1) else bits
    assert values.parse(str(signed), valtype) == bits


@given(st.floats(allow_nan=False), st.sampled_from(["decimal", "hex"]))
def test_doubles_are_parsed_exactly(number: float, form: str) -> None:
    text = repr(number) if form == "decimal" else number.hex()
    assert values.show(values.parse(text, "f64"), "f64") == f"{number:.7g}:f64"
    instance = wamr.Instance(wamr.Module(bytes(wat2wasm(CALLS))))
    assert instance.call_raw("echo", [values.parse(text, "f64")]) == [values.parse(text, "f64")]
    assert instance.exports.echo(number) == number


# ---- exit codes


def test_the_programs_exit_code(module, capsys) -> None:
    assert main(["run", module(EXITS)]) == 42
    assert (
        main(["run", module('(module (func (export "main") (result i32) (i32.const -1)))')]) == 255
    )
    assert capsys.readouterr().err == ""


def test_verbose_says_how_it_is_run(module, capsys) -> None:
    calls = module(CALLS)
    assert main(["run", "--verbose", "-f", "add", calls, "1", "2"]) == 0
    out, err = capsys.readouterr()
    assert out == "0x3:i32\n"
    assert re.fullmatch(r"engine: native, [\d,]+ bytes of machine code, compiled\n", err)
    assert main(["run", "-v", "--engine", "portable", "-f", "nothing", calls]) == 0
    assert capsys.readouterr().err == "engine: portable: asked for\n"


def test_a_trap_is_1_with_the_names_of_the_functions(calls, capsys) -> None:
    assert main(["run", "-f", "outer", calls]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Trap: out of bounds memory access"
    assert lines[1].startswith("  #0 inner at 0x") and lines[2].startswith("  #1 outer at 0x")
    data = Path(calls).read_bytes()
    assert data[int(lines[1].split("0x")[1], 16) - 3] == 0x28  # the end of i32.load is meant
    assert len(lines) == 3


def test_a_trap_while_the_module_starts(module, capsys) -> None:
    assert main(["run", module("(module (func $main unreachable) (start $main))")]) == 1
    assert capsys.readouterr().err.startswith("Trap: unreachable\n  #0 main at 0x")


def test_functions_without_a_name_show_their_number(module, capsys) -> None:
    file = module('(module (func unreachable) (func (export "main") (call 0)))')
    assert main(["run", file]) == 1
    assert "  #0 function 0 at 0x" in capsys.readouterr().err


def test_fuel_ends_an_endless_program(calls, capsys) -> None:
    assert main(["run", "--fuel", "1000", "-f", "forever", calls]) == 1
    assert capsys.readouterr().err.startswith("Trap: out of fuel")


def test_stack_limits_recursion(module, capsys) -> None:
    file = module('(module (func $f (export "main") (call $f)))')
    assert main(["run", "--stack", "1k", file]) == 1
    assert capsys.readouterr().err.startswith("Trap: call stack exhausted")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (b"(module)", "it is WebAssembly text: make a binary of it with wat2wasm"),
        (b"\0aot\1\0\0\0", "machine code made by wamrc"),
        (b"\0asm\x0d\0\1\0", "it is a component"),
        (b"\x7fELF", "it does not begin with the bytes 00 61 73 6d"),
        (b"\0asm\2\0\0\0", "unknown binary version (at offset 0x4)"),
        (b"\0asm\1\0\0\0\x01", "unexpected end"),
    ],
)
@pytest.mark.parametrize("command", ["run", "inspect"])
def test_what_is_no_module_is_3(tmp_path, capsys, command, content, complaint) -> None:
    file = tmp_path / "app.wasm"
    file.write_bytes(content)
    assert main([command, str(file)]) == 3
    errors = capsys.readouterr().err
    assert complaint in errors and str(file) in errors


@pytest.mark.parametrize("command", ["run", "inspect"])
def test_a_missing_file_is_3(tmp_path, capsys, command) -> None:
    assert main([command, str(tmp_path / "nosuch.wasm")]) == 3
    assert "No such file" in capsys.readouterr().err


def test_missing_imports_are_3_and_all_are_named(module, capsys) -> None:
    text = '(module (import "env" "gpio_set" (func (param i32))) (import "env" "gpio_get" (func)))'
    assert main(["run", module(text)]) == 3
    errors = capsys.readouterr().err
    assert "gpio_set" in errors and "gpio_get" in errors


def test_a_module_without_entry_point_is_3(calls, capsys) -> None:
    assert main(["run", calls]) == 3
    errors = capsys.readouterr().err
    assert "no entry point" in errors and "--function" in errors


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--engine", "warp"], "'warp'"),
        (["--stack", "lots"], "'lots' is no number of bytes"),
        (["--env", "NAME"], "'NAME' is not NAME=VALUE"),
        (["--fuel", "-1"], "-1"),
        (["--repl", "-f", "add"], "exclude each other"),
        (["--nosuch"], "--nosuch"),
    ],
)
def test_wrong_options_are_2(calls, capsys, options, complaint) -> None:
    assert main(["run", *options, calls]) == 2
    assert complaint in capsys.readouterr().err


# ---- options


def test_options_behind_the_file_are_the_programs(calls, capsys) -> None:
    assert main(["run", "-f", "add", calls, "-5", "-6"]) == 0
    assert capsys.readouterr().out == "0xfffffff5:i32\n"


def test_env_reaches_the_program(module, capfdbinary) -> None:
    # Prints the block of its environment strings.
    text = """(module
      (type $two (func (param i32 i32) (result i32)))
      (type $four (func (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_get" (func $get (type $two)))
      (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (type $two)))
      (import "wasi_snapshot_preview1" "fd_write" (func $write (type $four)))
      (memory (export "memory") 1)
      (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 12)))
        (drop (call $get (i32.const 100) (i32.const 200)))
        (i32.store (i32.const 8) (i32.const 200))
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 4)))))"""
    assert main(["run", "--env", "NAME=a=b", "--env", "EMPTY=", module(text)]) == 0
    assert sorted(capfdbinary.readouterr().out.split(b"\0")) == [b"", b"EMPTY=", b"NAME=a=b"]


def test_dir_gives_the_program_a_directory(tmp_path, capfd) -> None:
    file = str(APPS / "files" / "files.wasm")
    args = ["data", "some", "words", "here"]
    assert main(["run", "--dir", f"{tmp_path}::data", file, *args]) == 0
    assert capfd.readouterr().out == (APPS / "files" / "files.exp").read_text()
    assert (tmp_path / "words.txt").read_text() == "some\nwords\nhere\n"
    assert main(["run", file, *args]) == 1
    assert capfd.readouterr().out.startswith("cannot create the file")


def test_heap_is_what_malloc_has(module, capsys) -> None:
    text = """(module (import "env" "malloc" (func $malloc (param i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "fits") (param i32) (result i32)
        (i32.ne (call $malloc (local.get 0)) (i32.const 0))))"""
    file = module(text)
    for heap, expected in (("1k", "0x0:i32\n"), ("16k", "0x1:i32\n")):
        assert main(["run", "--heap", heap, "-f", "fits", file, "10000"]) == 0
        assert capsys.readouterr().out == expected
