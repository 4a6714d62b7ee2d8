"""The header of a CSV or TSV file: below title lines and `sep=;`, or named by the mapping."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

from stream.importing.files.mapping.mapping import ColumnMapping, MappingError
from stream.importing.files.reading.columns import MappedColumns, mapped_columns
from stream.importing.files.reading.quotes import bare_cells

DELIMITERS = ",;\t|"
TITLE_LINES_SEARCHED = 40
"""Lines below the first in which the mapped columns are looked for, to say where the header is."""
SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?", re.IGNORECASE)
"""How a spreadsheet names the delimiter in a line above the header."""


class FileHeader(NamedTuple):
    """What the top of a file says."""

    cells: list[str]
    """The names as they stand there, one for each column."""
    columns: MappedColumns
    delimiter: str
    lines: int
    """Lines of the file down to the header; 0 where the mapping names the columns."""

    @property
    def named_width(self) -> int:
        """Cells up to the last column that has a name: a header may end in delimiters."""
        return max((at for at, name in enumerate(self.cells, start=1) if name.strip()), default=0)


def read_header(path: Path, text: TextIO, mapping: ColumnMapping, delimiter: str) -> FileHeader:
    """Read the lines down to the header; MappingError where a mapped column is missing, with the remedy."""
    titles = list(islice(text, mapping.file.title_lines))
    names = list(mapping.file.names)
    if names:
        return FileHeader(names, mapped_columns(path, names, mapping), delimiter, len(titles))
    read: list[str] = []
    reader = csv.reader(_noting(text, read), delimiter=delimiter)
    cells = next(reader, [])
    if found := separator_of("".join(read)):
        delimiter = mapping.file.delimiter or found
        cells = next(csv.reader(_noting(text, read), delimiter=delimiter), [])
    cells = bare_cells(cells)
    try:
        columns = mapped_columns(path, cells, mapping)
    except MappingError as failure:
        hint = _hint(path, "".join(read), islice(text, TITLE_LINES_SEARCHED), mapping, delimiter)
        raise MappingError(f"{failure}{hint}") from failure
    return FileHeader(cells, columns, delimiter, len(titles) + len(read))


def separator_of(line: str) -> str | None:
    """The delimiter that a line `sep=;` names; None for any other line."""
    found = SEPARATOR_LINE.fullmatch(line.strip("\r\n"))
    return found[1] if found else None


def _noting(text: TextIO, read: list[str]) -> Iterator[str]:
    for line in text:
        read.append(line)
        yield line


def _hint(path: Path, header: str, below: Iterator[str], mapping: ColumnMapping, delimiter: str) -> str:
    """What would make the header be found; empty where nothing that is tried does."""
    for other in DELIMITERS:
        if other != delimiter and _has_columns(path, header, mapping, other):
            return f"; set delimiter = {other!r} in [file]"
    lines: Sequence[str] = [header, *below]
    for number, line in enumerate(lines[1:], start=1):
        if _has_columns(path, line, mapping, delimiter):
            above = mapping.file.title_lines + "".join(lines[:number]).count("\n")
            return f"; line {above + 1} has them: set title_lines = {above} in [file]"
    return ""


def _has_columns(path: Path, line: str, mapping: ColumnMapping, delimiter: str) -> bool:
    try:
        mapped_columns(path, next(csv.reader([line], delimiter=delimiter), []), mapping)
    except (MappingError, csv.Error):
        return False
    return True
