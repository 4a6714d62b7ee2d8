"""The first lines of a file as columns of text; encoding and delimiter are guessed."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from stream.importing.files.mapping.mapping import ColumnMapping, MappingError
from stream.importing.files.reading.columns import column_names
from stream.importing.files.reading.delimited import file_encoding
from stream.importing.files.reading.formats import file_format
from stream.importing.files.reading.row import cell_text
from stream.recording.event_file import BYTE_ORDER_MARK, open_unpacked

SAMPLE_LINES = 2_000
SAMPLE_BYTES = 1 << 20
"""Bytes by which the encoding is guessed."""
DELIMITERS = ",;\t|"
ColumnSample = Mapping[str, list[str]]
"""Column name -> its cells on the first lines, as text."""


def sampled_columns(path: Path) -> ColumnSample:
    """The first SAMPLE_LINES lines; lines with a wrong number of cells are left out."""
    kind = file_format(path, ColumnMapping(columns={}))
    if kind == "parquet":
        import pyarrow.parquet as pq

        batch = next(pq.ParquetFile(path).iter_batches(batch_size=SAMPLE_LINES))
        return {name: [cell_text(v) for v in batch.column(name).to_pylist()] for name in batch.schema.names}
    if kind == "jsonl":
        return _json_sample(path)
    with io.TextIOWrapper(open_unpacked(path), guessed_encoding(path), errors="replace", newline="") as text:
        head = "".join(islice(text, SAMPLE_LINES + 1))
    rows = list(csv.reader(io.StringIO(head, newline=""), delimiter=guessed_delimiter(head)))
    if not rows:
        raise MappingError(f"{path} is empty")
    whole = [row for row in rows[1:] if len(row) == len(rows[0])]
    return {name: [row[i] for row in whole] for i, name in enumerate(column_names(rows[0]))}


def guessed_encoding(path: Path) -> str:
    """That of the byte order mark, else UTF-8 where the first bytes are valid, else Windows-1252."""
    marked = file_encoding(path, "utf-8")
    with open_unpacked(path) as file:
        head = file.read(SAMPLE_BYTES)
    try:
        codecs.getincrementaldecoder(marked)().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return marked


def guessed_delimiter(head: str) -> str:
    """The delimiter that occurs most often in the header."""
    first = head.lstrip("\r\n").splitlines()[0] if head.strip() else ""
    return max(DELIMITERS, key=first.count)


def _json_sample(path: Path) -> ColumnSample:
    columns: dict[str, list[str]] = {}
    with open_unpacked(path) as file:
        for line in islice(file, SAMPLE_LINES):
            try:
                value = msgspec.json.decode(line.removeprefix(BYTE_ORDER_MARK))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            for name, cell in _paths_of(value, ""):
                columns.setdefault(name, []).append(cell_text(cell))
    return columns


def _paths_of(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every path in a JSON value with what is there; of a list of objects, only the first object counts."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0]
    if not isinstance(value, dict):
        yield path, value
        return
    for name, inner in value.items():
        yield from _paths_of(inner, f"{path}.{name}" if path else name)
