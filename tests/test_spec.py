"""The official test suite, every file of it, on CPython, the unix port and the boards."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import wamr
from spec import convert, suite
from spec.device_runner import Runner

FOLDER = suite.find()
FILES = {path.stem: path for path in suite.files(FOLDER)} if FOLDER else {}

pytestmark = pytest.mark.skipif(FOLDER is None, reason=suite.HOW_TO_GET)


@pytest.mark.parametrize("name", FILES or ["none"])
def test_cpython(name: str) -> None:
    reported: list[str] = []
    Runner(wamr, io.BytesIO(convert.convert(FILES[name])), reported.append).run()
    outcome = suite.Outcome.read("\n".join(reported))
    assert outcome.failed == outcome.not_fitting == 0, outcome.describe(name)
    assert outcome.passed + outcome.skipped > 0
