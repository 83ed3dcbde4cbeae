"""Tests of the suite's own machinery: it catches a wrong engine, and no big module passes."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spec import convert, fetch, suite
from spec.device_runner import Runner

# A module that imports the function "f" of "M".
NEEDS_M = b"\0asm\1\0\0\0\2\7\1\1M\1f\0\0"
I32 = {"type": "i32", "value": "7"}


class Trap(Exception):
    pass


class LinkError(Exception):
    pass


class CompileError(Exception):
    offset: Any = 0


class Engine:
    """Looks like the package; what happens is written in the module and in the field."""

    Trap, LinkError, CompileError = Trap, LinkError, CompileError

    @staticmethod
    def Module(data: bytes) -> bytes:
        if data.startswith(b"invalid"):
            raise CompileError("type mismatch")
        if data.startswith(b"odd"):
            error = CompileError("type mismatch")
            error.offset = None
            raise error
        if data.startswith(b"crash"):
            raise IndexError("list index out of range")
        return data

    class Instance:
        def __init__(self, module: bytes, imports: dict[str, Any], engine: str) -> None:
            if module.startswith(b"unlinkable"):
                raise LinkError("unknown import")
            if module.startswith(b"traps"):
                raise Trap("unreachable")
            if module.startswith(b"big"):
                raise MemoryError
            if module.startswith(b"wide"):
                raise LinkError("not enough memory: 65536 bytes of linear memory wanted")
            if module == NEEDS_M:
                namespace = imports["M"]
                if not isinstance(namespace, Engine.Instance):
                    namespace.resolve("f", "func", None, module)

        def call_raw(self, field: str, arguments: list[Any]) -> list[Any]:
            word, _, text = field.partition(" ")
            if word == "echo":
                return arguments
            if word == "give":
                return [int(bits, 0) for bits in text.split(",")]
            if word == "null":
                return [None]
            if word == "trap":
                raise Trap(text)
            if word == "big":
                raise MemoryError
            raise ValueError(field)


@pytest.fixture
def play(tmp_path: Path):
    """Runs commands of the JSON; module files hold their own name without number and ending."""

    def run(*commands: dict[str, Any]) -> suite.Outcome:
        for command in commands:
            if "filename" in command:
                name = command["filename"]
                (tmp_path / name).write_bytes(NEEDS_M if name == "needs M" else name.encode())
        numbered = [dict(command, line=line) for line, command in enumerate(commands, 1)]
        document = {"source_filename": "x/test.wast", "commands": numbered}
        path = tmp_path / "test.json"
        path.write_text(json.dumps(document))
        reported: list[str] = []
        Runner(Engine, io.BytesIO(convert.convert(path)), reported.append).run()
        return suite.Outcome.read("\n".join(reported))

    return run


def module(filename: str = "fine", **more: Any) -> dict[str, Any]:
    return {"type": "module", "filename": filename, **more}


def invoke(field: str, *arguments: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"type": "invoke", "field": field, "args": list(arguments), **more}


def returns(field: str, *values: Any, arguments: Any = (), **more: Any) -> dict[str, Any]:
    action = invoke(field, *arguments, **more)
    return {"type": "assert_return", "action": action, "expected": list(values)}


def refused(kind: str, filename: str, text: str = "type mismatch") -> dict[str, Any]:
    return {"type": kind, "filename": filename, "text": text, "module_type": "binary"}


def test_right_results_pass(play):
    values = [
        I32,
        {"type": "i64", "value": str(2**64 - 1)},
        {"type": "f32", "value": "2143289344"},
        {"type": "f64", "value": "9221120237041090560"},
        {"type": "externref", "value": "1"},
        {"type": "externref", "value": "null"},
        {"type": "funcref", "value": "null"},
    ]
    outcome = play(module(), returns("echo", *values, arguments=values), returns("echo"))
    assert (outcome.passed, outcome.failed, outcome.finished) == (3, 0, True)


@pytest.mark.parametrize(
    "field, expected",
    [
        ("give 8", [I32]),
        ("give -1", [{"type": "i32", "value": str(2**32 - 1)}]),  # no bit pattern
        ("give 7,7", [I32]),
        ("null", [I32]),
        ("give 7", []),
        ("give 0", [{"type": "externref", "value": "null"}]),
        ("null", [{"type": "externref", "value": "1"}]),
        ("give 1", [{"type": "externref", "value": "1"}]),
        ("null", [{"type": "funcref"}]),
        ("give 0x7fc00001", [{"type": "f32", "value": "nan:canonical"}]),
        ("give 0x7fa00000", [{"type": "f32", "value": "nan:arithmetic"}]),
        ("give 0x17fc00000", [{"type": "f32", "value": "nan:arithmetic"}]),
        ("give 0x7ff8000000000001", [{"type": "f64", "value": "nan:canonical"}]),
        ("give 0x7ff4000000000000", [{"type": "f64", "value": "nan:arithmetic"}]),
        ("trap unreachable", [I32]),
        ("unheard-of", [I32]),
    ],
)
def test_wrong_results_fail(play, field, expected):
    outcome = play(module(), returns(field, *expected))
    assert (outcome.passed, outcome.failed) == (1, 1)
    assert list(outcome.failures) == [2]


@pytest.mark.parametrize(
    "bits, kind, name",
    [
        ("0xffc00000", "f32", "nan:canonical"),
        ("0x7fc00000", "f32", "nan:arithmetic"),
        ("0xffe12345", "f32", "nan:arithmetic"),
        ("0xfff8000000000000", "f64", "nan:canonical"),
        ("0x7ffc000000000001", "f64", "nan:arithmetic"),
    ],
)
def test_nan_classes(play, bits, kind, name):
    assert play(module(), returns("give " + bits, {"type": kind, "value": name})).passed == 2


@pytest.mark.parametrize(
    "kind, text, field, passes",
    [
        ("assert_trap", "unreachable", "trap unreachable", True),
        ("assert_trap", "uninitialized element", "trap uninitialized element 2", True),
        ("assert_trap", "unreachable", "trap integer overflow", False),
        ("assert_trap", "unreachable", "give 1", False),
        ("assert_trap", "unreachable", "raises ValueError", False),
        ("assert_exhaustion", "call stack exhausted", "trap call stack exhausted", True),
        ("assert_exhaustion", "call stack exhausted", "trap out of fuel", False),
    ],
)
def test_traps(play, kind, text, field, passes):
    outcome = play(module(), {"type": kind, "action": invoke(field), "text": text, "expected": []})
    assert outcome.passed == 1 + passes and outcome.failed == 1 - passes


@pytest.mark.parametrize(
    "kind, passing, failing",
    [
        ("assert_invalid", ["invalid"], ["fine", "odd", "crash"]),
        ("assert_malformed", ["invalid"], ["fine", "odd", "crash"]),
        ("assert_unlinkable", ["unlinkable"], ["fine", "invalid", "traps", "crash"]),
        ("assert_uninstantiable", ["traps"], ["fine", "invalid", "unlinkable", "crash"]),
    ],
)
def test_refused_modules(play, kind, passing, failing):
    text = "unreachable" if kind == "assert_uninstantiable" else "type mismatch"
    for name in passing:
        assert play(refused(kind, name, text)).passed == 1, name
    for name in failing:
        assert play(refused(kind, name, text)).failed == 1, name


def test_text_modules_are_skipped(play):
    command = dict(refused("assert_malformed", "fine"), module_type="text")
    assert play(command).skipped == 1


def test_a_failed_module_fails_its_commands(play):
    outcome = play(module("invalid"), returns("echo"), {"type": "register", "as": "M"})
    assert (outcome.passed, outcome.failed, outcome.not_fitting) == (0, 3, 0)


def test_a_module_that_does_not_fit_takes_its_commands_and_importers_along(play):
    outcome = play(
        module("big.0", name="$M"),
        {"type": "register", "name": "$M", "as": "M"},
        returns("echo"),
        module("needs M"),
        returns("echo"),
        module("fine"),
        returns("echo"),
        returns("echo", module="$M"),
    )
    assert (outcome.passed, outcome.failed, outcome.not_fitting) == (2, 0, 6)
    assert outcome.too_big == {"big.0": 1}


def test_no_memory_is_not_taken_for_another_link_error(play):
    outcome = play(refused("assert_unlinkable", "wide.0", "unknown import"), module("wide.1"))
    assert (outcome.passed, outcome.not_fitting) == (0, 2)
    assert outcome.too_big == {"wide.0": 1, "wide.1": 2}


def test_memory_error_of_a_call_names_the_module(play):
    outcome = play(module("small.0"), returns("big"), returns("echo"))
    assert (outcome.passed, outcome.failed, outcome.not_fitting) == (2, 0, 1)
    assert outcome.too_big == {"small.0": 2}


def test_modules_are_dropped_after_their_last_use(play, tmp_path):
    play(
        module("one", name="$A"),
        module("two"),
        returns("echo", module="$A"),
        {"type": "register", "name": "$A", "as": "A"},
        module("three"),
    )
    operations = []
    stream = io.BytesIO(convert.convert(tmp_path / "test.json"))
    assert stream.read(4) == convert.MAGIC
    while header := stream.read(4):
        stream.read(int.from_bytes(header[1:], "little"))
        operations.append(header[:1])
    assert b"".join(operations) == b"M" + b"MD" + b"I" + b"RFD" + b"MD" + b"E"


def test_segments_share_no_module(play, tmp_path):
    play(
        module("one", name="$A"),
        {"type": "register", "name": "$A", "as": "M"},
        module("needs M"),
        returns("echo", module="$A"),
        refused("assert_invalid", "invalid"),
        refused("assert_unlinkable", "unlinkable"),
        module("two"),
        returns("echo"),
    )
    segments = convert.segments(tmp_path / "test.json")
    assert [segment.lines for segment in segments] == [{1, 2, 3, 4, 5}, {6}, {7, 8}]
    for segment in segments:
        reported: list[str] = []
        Runner(Engine, io.BytesIO(segment.stream), reported.append).run()
        assert reported == [f"RESULT {len(segment.lines)} 0 0 0"]


def test_a_second_run_of_some_lines_replaces_the_first():
    first = suite.Outcome.read("NOFIT 3 a.0.wasm\nFAIL 4 x\nNOFIT 8 a.1.wasm\nRESULT 1 1 0 2")
    first.replace({3, 4}, suite.Outcome.read("FAIL 4 y\nRESULT 1 1 0 0"))
    assert (first.failures, first.too_big, first.finished) == ({4: "y"}, {"a.1.wasm": 8}, True)


def test_import_sections_are_read():
    wasmtime = pytest.importorskip("wasmtime")
    text = """(module
        (import "a" "f" (func (param i32))) (import "b" "g" (global i64))
        (import "c" "t" (table 1 2 funcref)) (import "d" "m" (memory 1))
        (import "e" "f" (func)))"""
    assert convert.imported_modules(wasmtime.wat2wasm(text)) == frozenset("abcde")
    assert convert.imported_modules(wasmtime.wat2wasm("(module)")) == frozenset()


def test_a_cut_stream_is_noticed(play, tmp_path):
    play(module(), returns("echo"))
    data = convert.convert(tmp_path / "test.json")
    for length in range(len(data)):
        with pytest.raises((EOFError, ValueError)):
            Runner(Engine, io.BytesIO(data[:length]), lambda line: None).run()


def test_unknown_commands_are_refused(play):
    with pytest.raises(convert.SuiteError, match="unknown command assert_exception"):
        play(module(), {"type": "assert_exception", "action": invoke("echo"), "expected": []})
    with pytest.raises(convert.SuiteError, match="v128"):
        play(module(), returns("echo", {"type": "v128", "value": "0"}))


def test_the_list_can_only_shrink():
    listed = suite.NotFitting.read("a.0.wasm one page\na.wast:9 grows by 800 pages\n# a comment\n")
    modules = {"a.0.wasm": 3, "a.1.wasm": 5}

    def complaints(text: str) -> dict[int, str]:
        return listed.complaints("a", suite.Outcome.read(text), modules)

    assert complaints("NOFIT 3 a.0.wasm\nFAIL 9 result 0 is -1\nRESULT 1 1 0 2") == {}
    assert complaints("NOFIT 3 a.0.wasm\nRESULT 1 0 0 2") == {
        9: "a.wast:9 passes now: take it off the list"
    }
    assert complaints("FAIL 9 x\nRESULT 1 1 0 0") == {3: "a.0.wasm fits now: take it off the list"}
    assert set(complaints("NOFIT 5 a.1.wasm\nFAIL 8 x\nRESULT 1 1 0 2")) == {3, 5, 8, 9}
    assert complaints("NOFIT 3 a.0.wasm\nFAIL 9 x") == {0: "a.wast: the run did not end"}
    with pytest.raises(ValueError, match="say why"):
        suite.NotFitting.read("a.0.wasm\n")


WAST = """(module $M
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
(register "M" $M)
(assert_return (invoke "add" (i32.const 3) (i32.const 4)) (i32.const 7))
(assert_invalid (module (func (result i32))) "type mismatch")
(assert_malformed (module quote "(func") "unexpected token")
"""

needs_wabt = pytest.mark.skipif(shutil.which("wast2json") is None, reason="needs wabt")


@needs_wabt
def test_fetch_converts_a_folder(tmp_path, capsys):
    source = tmp_path / "source"
    source.mkdir()
    (source / "small.wast").write_text(WAST)
    (source / "simd_load.wast").write_text("not for us")
    target = tmp_path / "out" / "spec"
    assert fetch.main(["--from", str(source), "--to", str(target)]) == 0
    assert suite.files(target) == [target / "small" / "small.json"]
    commands = convert.convert(target / "small" / "small.json")
    assert commands.count(b"small.0.wasm") == 1
    (source / "wrong.wast").write_text("(module")
    assert fetch.main(["--from", str(source), "--to", str(tmp_path / "second")]) == 1
    assert "wrong.wast" in capsys.readouterr().err
    assert not (tmp_path / "second").exists()


def test_fetch_takes_the_pinned_commit_once(tmp_path):
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / "a.wast").write_text("(module)")
    git = ["git", "-C", str(origin), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *arguments], check=True)
    commit = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()
    folder = tmp_path / "clone"
    fetch.download(folder, str(origin), commit)
    assert (folder / "a.wast").read_text() == "(module)"
    shutil.rmtree(origin)
    fetch.download(folder, str(origin), commit)  # a second time needs no network
    with pytest.raises(fetch.FetchError, match="fetch"):
        fetch.download(folder, str(origin), "0" * 40)
