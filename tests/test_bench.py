"""tools/bench: what it measures is right, and its verdicts are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import wamr
from kernels import bench

TOOLS = Path(__file__).resolve().parent.parent / "tools" / "bench"
FOLDER = bench.find()
needs_kernels = pytest.mark.skipif(FOLDER is None, reason=bench.HOW_TO_GET)


# Its modules have names like `kernels`, which others here have too.
@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(sys.modules)
    monkeypatch.setattr(sys, "path", [str(TOOLS), *sys.path])
    sys.modules.pop("kernels")
    yield
    sys.modules.clear()
    sys.modules.update(before)


def test_verdicts(tools: None) -> None:
    from goals import Goal, goals

    assert [Goal("", value, 2.0, 1.4).verdict() for value in (1.4, 2.0, 2.1, None)] == [
        "aim met",
        "met",
        "NOT MET",
        "not measured",
    ]
    assert [Goal("", value, 4, 8, more=True).verdict() for value in (8, 4, 3.9)] == [
        "aim met",
        "met",
        "NOT MET",
    ]
    # A mean over some of the kernels is none.
    figures = {"ratio to gcc -O2": {"Cortex-M4F": {"fib": 1.0, "i64mix": 1.5}}}
    found = {goal.what: goal.value for goal in goals(figures)}
    assert found["Cortex-M4F, 9 integer kernels"] is None
    assert found["Cortex-M4F, i64mix"] == 1.5


def test_tables_fit_a_terminal(tools: None, capsys: pytest.CaptureFixture[str]) -> None:
    from table import geomean, show

    show("title", ["kernel", "n", "ratio"], [["fib", 12345, 1.234], ["all", None, 123.4]])
    assert capsys.readouterr().out == (
        "\ntitle\n\nkernel       n  ratio\nfib     12,345   1.23\nall          -    123\n"
    )
    with pytest.raises(AssertionError, match="wider"):
        show("title", ["kernel"], [["x" * 111]])
    assert geomean([2.0, 8.0]) == pytest.approx(4.0)


@needs_kernels
def test_opcodes_are_counted(tools: None) -> None:
    import kernels

    assert kernels.size(kernels.wasm("sha256").read_bytes()) == (900, 429)


def test_the_large_module_is_as_large_as_coremark(tools: None) -> None:
    import kernels
    import large

    data = large.module()
    code, opcodes = kernels.size(data)
    assert 6500 < code and len(data) < 7168 and 3600 < opcodes < 3800
    module = wamr.Module(data)
    results = [wamr.Instance(module, engine=e).exports.run(5) for e in ("portable", "auto")]
    assert results[0] == results[1]


@needs_kernels
@pytest.mark.parametrize("name", ["fib", "crc32", "sieve"])
def test_kernels_in_python_are_the_same(name: str, tools: None) -> None:
    import plain

    made: dict = {}
    exec(plain.SOURCES[name], made)
    assert [made["run"](n) for n in (1, 3)] == bench.expected(FOLDER)[name]


# What the bench itself keeps on the board must leave room for an app's machine code.
@pytest.mark.device
def test_an_app_in_machine_code_is_measured(tools: None) -> None:
    import messages

    found = messages.measure("NETDUINOPLUS2")
    for app in ("counter", "room_temp"):
        assert 0 < found[f"{app}, native"]["request"] < found[f"{app}, portable"]["request"]
