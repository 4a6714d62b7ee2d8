"""The first lines of a file as columns of text; encoding and layout are guessed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from stream.importing.files.mapping.mapping import ColumnMapping, FileOptions, MappingError
from stream.importing.files.reading.columns import column_names
from stream.importing.files.reading.delimited import CELL_CHARACTERS_MAX
from stream.importing.files.reading.formats import file_format
from stream.importing.files.reading.header import separator_of
from stream.importing.files.reading.json_records import JsonRecord, json_records
from stream.importing.files.reading.parquet import first_cells
from stream.importing.files.reading.quotes import bare_cells
from stream.importing.files.reading.row import cell_text
from stream.importing.files.suggest.encodings import guessed_encoding
from stream.importing.files.suggest.layout import first_lines, guessed_layout

SAMPLE_LINES = 2_000
ColumnSample = Mapping[str, list[str]]
"""Column name -> its cells on the first lines, as text."""


class FileSample(NamedTuple):
    """What --suggest knows of a file."""

    path: Path
    columns: ColumnSample
    layout: FileOptions
    """The options of [file] that read it."""
    lists: frozenset[str] = frozenset()
    """Paths in JSON records at which there are lists of objects, such as the products of an order."""


def sampled_file(path: Path) -> FileSample:
    """The first SAMPLE_LINES lines; lines with a wrong number of cells are left out."""
    kind = file_format(path, ColumnMapping(columns={}))
    if kind == "parquet":
        return FileSample(path, first_cells(path, SAMPLE_LINES), FileOptions())
    if kind == "jsonl":
        lists: set[str] = set()
        return FileSample(path, _json_sample(path, lists), FileOptions(), frozenset(lists))
    encoding = guessed_encoding(path)
    lines = first_lines(path, encoding, SAMPLE_LINES + 1)
    if not any(line.strip() for line in lines):
        raise MappingError(f"{path} is empty")
    layout = guessed_layout(lines, kind, encoding)
    return FileSample(path, _cells(lines, layout, "\t" if kind == "tsv" else ","), layout)


def _cells(lines: list[str], layout: FileOptions, usual: str) -> ColumnSample:
    separator = separator_of(lines[0])
    delimiter = separator or layout.delimiter or usual
    below = lines[1 if separator else layout.title_lines :]
    if layout.quoted:
        rows = list(_readable_rows(csv.reader(io.StringIO("".join(below), newline=""), delimiter=delimiter)))
    else:
        rows = [line.rstrip("\r\n").split(delimiter) for line in below]
    rows = [bare_cells(row) for row in rows]
    header = list(layout.names) or (rows.pop(0) if rows else [])
    named = max((at for at, name in enumerate(header, start=1) if name.strip()), default=0)
    whole = [row for row in rows if named <= len(row) and not any(row[len(header) :])]
    filled = [row + [""] * (len(header) - len(row)) for row in whole]
    return {name: [row[i] for row in filled] for i, name in enumerate(column_names(header)) if name}


def _readable_rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Without the rows that an import would reject: a cell may be too long."""
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    while True:
        try:
            yield next(reader)
        except csv.Error:
            continue
        except StopIteration:
            return


def _json_sample(path: Path, lists: set[str]) -> ColumnSample:
    columns: dict[str, list[str]] = {}
    for record in islice(json_records(path, ColumnMapping(columns={})), SAMPLE_LINES):
        if isinstance(record, JsonRecord):
            for name, cell in _paths_of(record.value, "", lists):
                columns.setdefault(name, []).append(cell_text(cell))
    return columns


def _paths_of(value: Any, path: str, lists: set[str]) -> Iterator[tuple[str, Any]]:
    """Every path in a JSON value with what is there; of a list of objects, only the first object counts."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        lists.add(path)
        value = value[0]
    if not isinstance(value, dict):
        yield path, value
        return
    for name, inner in value.items():
        yield from _paths_of(inner, f"{path}.{name}" if path else name, lists)
