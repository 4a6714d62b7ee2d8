"""One row of a file, and how a cell that is not text becomes text."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

Values = dict[str, str]
"""Field of the mapping -> text of its cell."""
HEADER_REPEATED = "header_repeated"
"""The reason of a header that stands again within a file: another table of the same columns begins."""


class FileRow(Struct, frozen=True, gc=False):
    """A row that could be read."""

    line: int
    """Line number in the file, from 1; in a Parquet file the row number."""
    values: Values


class UnreadableRow(Struct, frozen=True):
    """A row that could not be read."""

    line: int
    reason: str
    detail: str
    lines: int = 1
    """Lines of the file that it takes: more than one where a quoted cell has line breaks."""

    @property
    def where_and_detail(self) -> str:
        """The detail, after the numbers of the lines where there are several."""
        return (
            self.detail
            if self.lines == 1
            else f"lines {self.line} to {self.line + self.lines - 1}: {self.detail}"
        )


def cell_text(value: Any) -> str:
    """A value as a person would type it: a float as its shortest decimal text, nothing for null and NaN."""
    if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
