"""Files become rows: each line of a table, or each product inside a JSON line, with its values as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.delimited import delimited_rows
from stream.importing.files.reading.formats import file_format
from stream.importing.files.reading.json_lines import json_rows
from stream.importing.files.reading.parquet import parquet_rows
from stream.importing.files.reading.row import FileRow, UnreadableRow


def file_rows(path: Path, mapping: ColumnMapping) -> Iterator[FileRow | UnreadableRow]:
    """Every row of a file, without the header; MappingError where a mapped column is missing."""
    kind = file_format(path, mapping)
    if kind == "parquet":
        return parquet_rows(path, mapping)
    if kind == "jsonl":
        return json_rows(path, mapping)
    return delimited_rows(path, mapping, mapping.file.delimiter or ("\t" if kind == "tsv" else ","))
