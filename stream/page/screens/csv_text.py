"""Lines of CSV for spreadsheets. A text that a spreadsheet would take for a formula gets an apostrophe."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

Cell = str | int | float | None
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With these first a cell is run as a formula by one spreadsheet or another (OWASP, CSV injection)."""


def csv_lines(rows: Iterable[Sequence[Cell]]) -> str:
    """The rows as CSV (RFC 4180), with a line end after each. Numbers stay numbers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([[_cell(cell) for cell in row] for row in rows])
    return out.getvalue()


def _cell(cell: Cell) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, str):
        text = cell.replace("\0", "\\u0000")
        return f"'{text}" if text.startswith(FORMULA_STARTS) else text
    return cell
