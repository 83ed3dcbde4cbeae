"""engine="auto": machine code where it can be had and pays, and wamr.info() about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wamr
from board import Board, Unix
from wamr.compiler import loader, machine
from wamr.compiler.program import Program
from wamr.engine import native
from wat import ON_DEVICE, load, wat

from native import x64_only

LOOP = """(global $n (mut i64) (i64.const 5))
  (func (export "f") (param i32) (result i64)
    (loop $l
      (global.set $n (i64.add (global.get $n) (i64.const 1)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (global.get $n))"""
RECURSION = """(func $f (export "f") (param i32) (result i64)
    (if (result i64) (local.get 0)
      (then (i64.add (i64.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
      (else (i64.const 5))))"""
STRAIGHT = '(func (export "f") (param i32) (result i64) (loop) (i64.const 12))'


@x64_only
@pytest.mark.parametrize("text", [LOOP, RECURSION])
def test_what_repeats_is_compiled(text: str) -> None:
    instance = load(text, engine="auto")
    info = wamr.info(instance)
    assert info.engine == "native" and info.code > 100
    assert (info.origin, info.reason) == ("compiled", "")
    assert instance.exports.f(7) == 12


def test_what_does_not_repeat_is_not() -> None:
    instance = load(STRAIGHT, engine="auto")
    info = wamr.info(instance)
    assert (info.engine, info.code, info.origin) == ("portable", 0, "")
    assert "neither loops nor recursion" in info.reason
    assert instance.exports.f(7) == 12


def test_engines_that_are_asked_for() -> None:
    assert wamr.info(load(LOOP, engine="portable")) == ("portable", 0, "", "asked for")


@x64_only
def test_native_that_is_asked_for() -> None:
    assert wamr.info(load(STRAIGHT, engine="native")).engine == "native"


# Where it may go wrong, and what wamr.info() says then.
FAILURES: list[tuple[Any, str, Any, str]] = [
    (machine, "assembler", None, "no machine code for this kind of machine"),
    (loader, "load", OSError(1, "not permitted"), "not permitted"),
    (loader, "load", ValueError("incompatible .mpy arch"), "incompatible .mpy arch"),
    (Program, "function", MemoryError(), "not enough memory for machine code"),
    (Program, "function", KeyError("odd"), "odd"),
    (native, "_make_spare", MemoryError(), "not enough memory for machine code"),
]


@pytest.mark.parametrize(("place", "name", "fault", "reason"), FAILURES)
def test_a_failure_leaves_the_portable_engine(
    monkeypatch: pytest.MonkeyPatch, place: Any, name: str, fault: Any, reason: str
) -> None:
    def fail(*_args: Any) -> None:
        if fault:
            raise fault

    monkeypatch.setattr(place, name, fail)
    module = wamr.Module(wat(LOOP))
    instance = wamr.Instance(module)
    info = wamr.info(instance)
    assert info.engine == "portable" and reason in info.reason
    assert module.native is None
    assert [instance.exports.f(7), instance.exports.f(7)] == [12, 19]
    with pytest.raises((wamr.LinkError, type(fault or wamr.LinkError()))):
        wamr.Instance(module, engine="native")


@x64_only
def test_engines_of_one_module() -> None:
    """The code that one instance asked for is there for all: it costs nothing more."""
    module = wamr.Module(wat(STRAIGHT))
    wamr.Instance(module, engine="native")
    assert wamr.info(wamr.Instance(module)).engine == "native"
    assert wamr.info(wamr.Instance(module, engine="portable")).engine == "portable"


def test_a_heap_that_is_too_small(unix: Unix) -> None:
    """What does not fit is not even tried, and the app runs."""
    text = LOOP + "".join(f"(func (param i32) {'(drop (i32.const 1))' * 500})" for _ in range(20))
    output = Unix(heap="1m").exec(
        f"{ON_DEVICE}import gc\nm = wamr.Module({wat(text)!r})\n"
        "from wamr.engine import auto, info\nwamr.Instance(m, engine='portable').exports.f(7)\n"
        "gc.collect()\n"
        "taken = [bytearray(1000) for _ in range((gc.mem_free() - 70000) // 1088)]\n"
        "i = wamr.Instance(m)\nprint(i.exports.f(7), wamr.info(i).reason)"
    )
    assert output.startswith("12 not enough memory: compiling takes about ")


def test_what_has_no_code_needs_no_memory(unix: Unix) -> None:
    output = unix.exec(
        f"{ON_DEVICE}from wamr.engine import auto\n"
        f"print(repr(auto.no_room(wamr.Instance(wamr.Module({wat('')!r})), 1000)))"
    )
    assert output == "''\n"


@pytest.mark.parametrize(("text", "engine"), [(LOOP, "native"), (STRAIGHT, "portable")])
def test_boards(board: Board, text: str, engine: str) -> None:
    output = board.exec(
        f"import wamr\ni = wamr.Instance(wamr.Module({wat(text)!r}))\n"
        "print(i.exports.f(7), wamr.info(i).engine, wamr.info(i).code > 0)"
    )
    assert output.split() == ["12", engine, str(engine == "native")]


BUILDING = f"""
import sys, wamr
from wamr.compiler.build import Build
trapping = wamr.Instance(wamr.Module({wat('(func (export "f") unreachable)')!r}), engine="native")
modules = [wamr.Module({wat(LOOP)!r}), wamr.Module({wat(RECURSION)!r})]
builds = [Build(module) for module in modules]
for build in builds:
    build.step()
try:
    trapping.exports.f()
except wamr.Trap as e:
    print(e, e.backtrace[0][0])
cancelled = Build(wamr.Module({wat(STRAIGHT)!r}))
cancelled.step()
cancelled.close()
print(wamr.Instance(wamr.Module({wat(STRAIGHT)!r}), engine="native").exports.f(0))
while builds:
    if not builds[0].step():
        builds.pop(0)
    builds.reverse()
for module in modules:
    instance = wamr.Instance(module)
    print(wamr.info(instance).engine, instance.exports.f(7))
print([name for name in sys.modules if "compiler.core" in name])
"""


# Backtraces need it meanwhile, others build, or stop: none of them forgets it.
BUILT = ["unreachable 0", "12", "native 12", "native 12", "[]", ""]


def test_the_compiler_stays_for_what_is_being_built(unix: Unix) -> None:
    assert unix.exec(BUILDING).split("\n") == BUILT


def test_the_same_on_boards(board: Board) -> None:
    board.soft_reset()
    assert board.exec(BUILDING).split("\n") == BUILT


FORGETTING = f"""
import sys, wamr, wamr.compiler.code
instance = wamr.Instance(wamr.Module({wat('(func (export "f") unreachable)')!r}), engine="native")
compiler = sys.modules["wamr.compiler"]
compiler.load("wamr.compiler.core")
core = sys.modules["wamr.compiler.core"]
function = core.Program.function
def meanwhile(*args):
    compiler.unload()  # as what the loop does when it gets a turn
    return function(*args)
core.Program.function = meanwhile
try:
    instance.exports.f()
except wamr.Trap as e:
    print(e, e.backtrace[0][0], compiler.builds)
print("wamr.compiler.core" in sys.modules)
"""


def test_the_compiler_stays_for_a_backtrace(unix: Unix) -> None:
    assert unix.exec(FORGETTING).split() == ["unreachable", "0", "[]", "False"]


def test_the_compiler_is_forgotten(board: Board) -> None:
    output = board.exec(
        "import sys, wamr\n"
        f"i = wamr.Instance(wamr.Module({wat(LOOP)!r}), engine='native')\n"
        "print(sorted(n for n in sys.modules if n.startswith('wamr.compiler')))"
    )
    assert output.split() == [
        "['wamr.compiler',",
        "'wamr.compiler.code',",
        "'wamr.compiler.context']",
    ]


@pytest.mark.parametrize(("ballast", "engine"), [(0, "native"), (48000, "portable")])
def test_boards_take_what_fits(board: Board, ballast: int, engine: str) -> None:
    """An app that leaves too little room runs all the same."""
    if board.name != "NETDUINOPLUS2":
        pytest.skip("the others have more memory")
    board.soft_reset()
    path = Path(__file__).parents[2] / "apps" / "text" / "text.wasm"
    board.put(path, "/text.wasm")
    output = board.exec(
        f"import wamr\nballast = bytearray({ballast})\nfrom wamr.program import Program\n"
        "p = Program('/text.wasm', stdout=lambda data: None)\n"
        "print(p.main(), wamr.info(p.instance))\np.close()\ndel p, ballast",
        timeout_s=300,
    )
    assert output.startswith(f"0 Info(engine='{engine}'"), output
    assert engine == "native" or "memory" in output, output
