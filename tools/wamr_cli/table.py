"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import click


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows under their heads. Columns of numbers are set to the right; None is shown as `-`."""
    columns = list(zip(head, *rows))
    numeric = [
        bool(rows) and all(isinstance(cell, (int, float, type(None))) for cell in column[1:])
        for column in columns
    ]
    texts = [[_text(cell) for cell in column] for column in columns]
    widths = [max(len(text) for text in column) for column in texts]
    lines = []
    for number in range(len(rows) + 1):
        cells = [
            column[number].rjust(width) if right else column[number].ljust(width)
            for column, width, right in zip(texts, widths, numeric)
        ]
        line = "  ".join(cells).rstrip()
        lines.append(click.style(line, bold=True) if number == 0 else line)
    return "\n".join(lines)


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
