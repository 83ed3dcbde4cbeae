"""Tables for a terminal of 110 columns, and means."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence

WIDTH = 110


def geomean(values: Iterable[float]) -> float:
    """Geometric mean; not a number when there is nothing."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def cell(value: object) -> str:
    """A number with about three digits that count; None: there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:,.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def show(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table whose first column is text."""
    lines = [list(head), *([cell(value) for value in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    assert sum(widths) + 2 * len(widths) - 2 <= WIDTH, f"{title}: wider than {WIDTH} columns"
    print(f"\n{title}\n")
    for line in lines:
        pairs = zip(line, widths)
        cells = (text.rjust(w) if i else text.ljust(w) for i, (text, w) in enumerate(pairs))
        print("  ".join(cells).rstrip())
    sys.stdout.flush()


def progress(text: str) -> None:
    print(f"  {text} …", file=sys.stderr, flush=True)
