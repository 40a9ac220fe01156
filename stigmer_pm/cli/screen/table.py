"""Aligned columns of plain text.

rich has tables, but importing it takes 40 ms, which is half of what ``ps`` may take as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Paint = Callable[[int, int, str], str]

_GAP = "  "


def aligned(
    rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset(), paint: Paint | None = None
) -> list[str]:
    """One line for each row. ``right`` names the columns with numbers.

    ``paint`` colours a cell after it has been padded, given its row, its column and its text: codes have no width.
    """
    if not rows:
        return []
    last = len(rows[0]) - 1
    widths = [max(len(row[column]) for row in rows) for column in range(last + 1)]
    lines = []
    for number, row in enumerate(rows):
        cells = []
        for column, text in enumerate(row):
            # Nothing stands behind the last, so that it need not be filled up.
            width = widths[column] if column != last or column in right else 0
            padded = text.rjust(width) if column in right else text.ljust(width)
            cells.append(paint(number, column, padded) if paint else padded)
        lines.append(_GAP.join(cells).rstrip())
    return lines


def width_before_last(rows: Sequence[Sequence[str]]) -> int:
    """The columns that everything before the last cell takes, gaps included."""
    last = len(rows[0]) - 1
    return sum(max(len(row[column]) for row in rows) + len(_GAP) for column in range(last))
