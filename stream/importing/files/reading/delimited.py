"""Rows of CSV and TSV files. Every line of a file is in a row, or is told by its number."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Literal, cast

from msgspec import structs

from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.columns import Alternatives, MappedColumns, column_names, composed_text
from stream.importing.files.reading.header import FileHeader, read_header
from stream.importing.files.reading.quotes import PROTECTED, bare_cells, lenient_cells, swallows_lines
from stream.importing.files.reading.row import HEADER_REPEATED, FileRow, UnreadableRow, Values
from stream.recording.event_file import open_unpacked

CELL_CHARACTERS_MAX = 1 << 20
"""A longer cell is an error of its line: usually a quotation mark that is never closed."""
RowReader = Callable[[int, list[str]], FileRow | UnreadableRow]
"""From a line number and the cells that begin there to the fields of the mapping."""


def delimited_rows(path: Path, mapping: ColumnMapping, delimiter: str) -> Iterator[FileRow | UnreadableRow]:
    """A row's line number is that of its first line, also after quoted line breaks."""
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    with io.TextIOWrapper(
        open_unpacked(path), file_encoding(path, mapping.file.encoding), errors="replace", newline=""
    ) as text:
        header = read_header(path, text, mapping, delimiter)
        row_of = _row_reader(header, mapping)
        yield from _Records(text, header, row_of, quoted=mapping.file.quoted)


def file_encoding(path: Path, named: str) -> str:
    """The encoding of the mapping; where that is UTF-8, a byte order mark in the file may say UTF-16."""
    if named.lower().replace("_", "-") not in {"utf-8", "utf8"}:
        return named
    with open_unpacked(path) as file:
        return "utf-16" if file.read(2) in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"


class _Records:
    """Rows of records. The lines of a record are held until it is clear that it has no other reading."""

    def __init__(self, text: Iterable[str], header: FileHeader, row_of: RowReader, *, quoted: bool) -> None:
        self._row_of = row_of
        self._text, self._delimiter, self._width = iter(text), header.delimiter, len(header.cells)
        self._again: deque[str] = deque()
        """Lines of a record that was not well-formed, to be read once more before the next ones."""
        self._line = header.lines
        """Lines of the file that are in records already."""
        self._held: list[str] = []
        self._quoted = quoted

    def __iter__(self) -> Iterator[FileRow | UnreadableRow]:
        while True:
            held, row_of = self._held, self._row_of
            quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self._quoted else csv.QUOTE_NONE
            reader = csv.reader(
                _holding(self._lines(), held), delimiter=self._delimiter, quoting=quoting, strict=self._quoted
            )
            try:
                for cells in reader:
                    if PROTECTED in held[0]:
                        cells[:] = bare_cells(cells)
                    if len(held) == 1:
                        yield row_of(self._line + 1, cells)
                    elif swallows_lines(held, self._width, self._delimiter):
                        yield from self._rejected_lines(held)
                    else:
                        row = row_of(self._line + 1, cells)
                        yield row if isinstance(row, FileRow) else structs.replace(row, lines=len(held))
                    self._line += len(held)
                    held.clear()
            except csv.Error as failure:
                yield self._first_line_again(held, str(failure))
                self._line += 1
                self._again.extendleft(reversed(held[1:]))
                self._held = []
                continue
            return

    def _lines(self) -> Iterator[str]:
        while True:
            if self._again:
                yield self._again.popleft()
            elif (line := next(self._text, None)) is not None:
                yield line
            else:
                return

    def _first_line_again(self, held: Sequence[str], why: str) -> FileRow | UnreadableRow:
        """The quotation marks are not well-formed: the first line is read by itself, the others again."""
        line = self._line + 1
        if len(held[0]) > CELL_CHARACTERS_MAX:
            return UnreadableRow(line, "unreadable", why)
        cells = bare_cells(lenient_cells(held[0], self._delimiter))
        if len(cells) == self._width:
            return self._row_of(line, cells)
        hint = (
            "close or double the quotation marks; where the file quotes nothing, set quoted = false in [file]"
        )
        return UnreadableRow(line, "quote_unclosed", hint)

    def _rejected_lines(self, held: Sequence[str]) -> Iterator[UnreadableRow]:
        """Lines that are either one cell or a row each: each is rejected by its number."""
        first, last = self._line + 1, self._line + len(held)
        why = (
            f"lines {first} to {last} are one cell between two quotation marks, or a row each; "
            "where the file quotes nothing, set quoted = false in [file]"
        )
        for line in range(first, last + 1):
            yield UnreadableRow(line, "quote_ambiguous", why)


def _holding(source: Iterator[str], held: list[str]) -> Iterator[str]:
    for text in source:
        held.append(text)
        yield text


def _row_reader(header: FileHeader, mapping: ColumnMapping) -> RowReader:
    names, width, ragged = column_names(header.cells), len(header.cells), mapping.file.ragged
    fields = list(header.columns.single)
    pick = _picker([names.index(column) for column in header.columns.single.values()])
    composed = _composer(header.columns, names, mapping)

    def row_of(line: int, cells: list[str]) -> FileRow | UnreadableRow:
        if len(cells) != width or cells == header.cells or not any(cells):
            fitted = _fitted(line, cells, header, ragged=ragged)
            if isinstance(fitted, UnreadableRow):
                return fitted
            cells = fitted
        values = dict(zip(fields, pick(cells), strict=True))
        return FileRow(line, composed(values, cells) if composed is not None else values)

    return row_of


def _fitted(line: int, cells: list[str], header: FileHeader, *, ragged: bool) -> list[str] | UnreadableRow:
    """Cells of an unusual line, with as many as the header has; or why they cannot be read."""
    width = len(header.cells)
    if not any(cells):
        return UnreadableRow(line, "blank_line", "")
    if cells == header.cells and header.lines:
        return UnreadableRow(line, HEADER_REPEATED, "")
    if len(cells) > width and not any(cell.strip(" ") for cell in cells[width:]):
        return cells[:width]
    if len(cells) <= width and (ragged or len(cells) >= header.named_width):
        return cells + [""] * (width - len(cells))
    remedy = "a cell that holds the delimiter must stand in quotation marks"
    if len(cells) < width:
        remedy = "if blank cells at the end were left out, set ragged = true in [file]"
    return UnreadableRow(line, "columns_differ", f"{len(cells)} cells where the header has {width}; {remedy}")


def _composer(
    columns: MappedColumns, names: list[str], mapping: ColumnMapping
) -> Callable[[Values, list[str]], Values] | None:
    """A function that adds the fields that several columns can fill; None where there is no such field."""
    places: dict[str, Alternatives[int]] = {
        field: [[names.index(part) for part in parts] for parts in alternatives]
        for field, alternatives in columns.composed.items()
    }
    if not places:
        return None

    def add(values: Values, cells: list[str]) -> Values:
        for field, alternatives in places.items():
            values[field] = composed_text(field, alternatives, cells.__getitem__, mapping)
        return values

    return add


def _picker(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    if not places:
        return lambda cells: ()
    if len(places) == 1:
        return lambda cells: (cells[places[0]],)
    return cast("Callable[[list[str]], tuple[str, ...]]", itemgetter(*places))
