"""Rows of CSV and TSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import cast

from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.columns import column_names, mapped_columns
from stream.importing.files.reading.row import FileRow, UnreadableRow
from stream.recording.event_file import open_unpacked

CELL_CHARACTERS_MAX = 1 << 20
"""A longer cell is an error of its line: usually a quotation mark that is never closed."""


def delimited_rows(path: Path, mapping: ColumnMapping, delimiter: str) -> Iterator[FileRow | UnreadableRow]:
    """A row's line number is that of its first line, also after quoted line breaks."""
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    with io.TextIOWrapper(
        open_unpacked(path), file_encoding(path, mapping.file.encoding), errors="replace", newline=""
    ) as text:
        reader = csv.reader(text, delimiter=delimiter)
        header = list(mapping.file.names) or next(reader, [])
        columns = mapped_columns(path, header, mapping)
        names = column_names(header)
        fields, pick = list(columns), _picker([names.index(column) for column in columns.values()])
        width = len(header)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as failure:
                yield UnreadableRow(line, "unreadable", str(failure))
                continue
            if len(cells) == width:
                yield FileRow(line, dict(zip(fields, pick(cells), strict=True)))
            elif cells:
                yield UnreadableRow(
                    line, "columns_differ", f"{len(cells)} cells where the header has {width}"
                )
            else:
                yield UnreadableRow(line, "blank_line", "")


def file_encoding(path: Path, named: str) -> str:
    """The encoding of the mapping; where that is UTF-8, a byte order mark in the file may say UTF-16."""
    if named.lower().replace("_", "-") not in {"utf-8", "utf8"}:
        return named
    with open_unpacked(path) as file:
        return "utf-16" if file.read(2) in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"


def _picker(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    if len(places) == 1:
        return lambda cells: (cells[places[0]],)
    return cast("Callable[[list[str]], tuple[str, ...]]", itemgetter(*places))
