"""Quotation marks that are not written by the rules of CSV (RFC 4180): what they leave undecided is told.

A cell is quoted where it begins with a mark, and the closing mark stands before a delimiter or the end of the
line; marks inside are doubled. In `"Nora" lamp` and `"Rosa lamp` the marks are part of the text. Read as
quotes, such a mark would swallow the lines up to the next one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

LINES_TRIED = 200
"""Lines of one cell that are looked at to decide whether it swallowed lines."""


PROTECTED = '="'
_PROTECTED_CELL = re.compile(r'="([^"]*)"')


def bare_cells(cells: list[str]) -> list[str]:
    """The cells; of `="00123"`, which keeps a spreadsheet from making 123 of it, what it protects."""
    if not any(cell.startswith(PROTECTED) for cell in cells):
        return cells
    found = [_PROTECTED_CELL.fullmatch(cell) for cell in cells]
    return [cell if one is None else one[1] for cell, one in zip(cells, found, strict=True)]


@lru_cache(16)
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    return re.compile(rf'(?:"([^"]*(?:""[^"]*)*)"(?={mark}|\Z)|([^{mark}]*))({mark})?')


def lenient_cells(text: str, delimiter: str) -> list[str]:
    """The cells of a record, without its line end; marks that do not quote are kept as text."""
    pattern, cells, at = _cell_pattern(delimiter), list[str](), 0
    text = text.rstrip("\r\n")
    while True:
        found = pattern.match(text, at)
        assert found is not None  # the second alternative always matches
        quoted, plain, more = found.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        if more is None:
            return cells
        at = found.end()


def swallows_lines(lines: Sequence[str], width: int, delimiter: str) -> bool:
    """Whether each line of a cell with line breaks would be a whole row of its own.

    Then a mark that stands for inches, or one that was never closed, may have joined rows. A long cell is
    judged by its first and its last lines.
    """
    if width == 1:
        return False
    sample = lines if len(lines) <= LINES_TRIED else [*lines[: LINES_TRIED // 2], *lines[-LINES_TRIED // 2 :]]
    return all(len(lenient_cells(line, delimiter)) == width for line in sample)
