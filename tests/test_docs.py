"""The examples of the documentation do what it says they do."""

from __future__ import annotations

import doctest
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def examples(path: Path) -> doctest.DocTest:
    """All `>>>` examples of a page, which run one after the other in the same namespace."""
    text = re.sub(r"^```.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return doctest.DocTestParser().get_doctest(text, {}, path.name, str(path), 0)


@pytest.mark.parametrize("page", ["docs/api.md", "README.md"])
def test_examples(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "apps" / "hello" if page == "README.md" else ROOT / "apps")
    test = examples(ROOT / page)
    assert test.examples
    report = io.StringIO()
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.write)
    assert result.failed == 0, report.getvalue()


def anchors(page: Path) -> set[str]:
    """What a heading is linked by, as the usual viewers make it."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(
    "page",
    [path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]],
    ids=str,
)
def test_links_lead_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^):]+)\)", text):
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_all_settings_are_documented() -> None:
    from wamr.apps.config import Config

    text = (ROOT / "docs" / "devices.md").read_text()
    told = set(re.findall(r"`(\w+)`", text[text.index("## Settings") : text.index("## Sensors")]))
    settings = {name for name in vars(Config) if not name.startswith("_")}
    assert settings <= told
    for name, default in re.findall(r"^\| `(\w+)` \| ([^|]*\S) \|", text, re.MULTILINE):
        if default.isdecimal():
            assert int(default) == getattr(Config, name), name
