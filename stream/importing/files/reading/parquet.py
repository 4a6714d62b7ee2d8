"""Rows of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stream.importing.files.mapping.mapping import ColumnMapping, MappingError
from stream.importing.files.reading.columns import MappedColumns, composed_text, mapped_columns
from stream.importing.files.reading.row import FileRow, UnreadableRow, cell_text

BATCH_ROWS = 16_384
"""Rows in memory at once."""


def parquet_rows(path: Path, mapping: ColumnMapping) -> Iterator[FileRow | UnreadableRow]:
    """Reads only the mapped columns; MappingError where the file is broken, with the last row before that."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    line = 0
    try:
        file = pq.ParquetFile(path)
        columns = mapped_columns(path, file.schema_arrow.names, mapping)
        for row in _rows(file, columns, mapping):
            line = row.line
            yield row
    except (pa.ArrowException, OSError) as failure:
        raise _broken(path, line, failure) from failure


def first_cells(path: Path, count: int) -> dict[str, list[str]]:
    """Column -> its first `count` cells as text; MappingError where the file is broken."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        for batch in file.iter_batches(batch_size=count):
            return {name: _cells(batch.column(name)) for name in batch.schema.names}
        return {name: [] for name in file.schema_arrow.names}
    except (pa.ArrowException, OSError) as failure:
        raise _broken(path, 0, failure) from failure


def _broken(path: Path, rows: int, failure: Exception) -> MappingError:
    return MappingError(
        f"{path}: a broken Parquet file, after {rows:,} rows: {' '.join(str(failure).split())}"
    )


def _rows(file: Any, columns: MappedColumns, mapping: ColumnMapping) -> Iterator[FileRow]:
    names = sorted({*columns.single.values(), *_parts(columns)})
    line = 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=names):
        for row in zip(*[_cells(batch.column(name)) for name in names], strict=True):
            line += 1
            by_name = dict(zip(names, row, strict=True))
            values = {field: by_name[column] for field, column in columns.single.items()}
            for field, alternatives in columns.composed.items():
                values[field] = composed_text(field, alternatives, by_name.__getitem__, mapping)
            yield FileRow(line, values)


def _cells(column: Any) -> list[str]:
    """The cells as text. A time that no calendar has makes pyarrow raise: it is told as it is stored."""
    try:
        return [cell_text(value) for value in column.to_pylist()]
    except (ValueError, OverflowError):
        return [_cell(value) for value in column]


def _cell(value: Any) -> str:
    try:
        return cell_text(value.as_py())
    except (ValueError, OverflowError):
        return f"{value.value} out of range"


def _parts(columns: MappedColumns) -> Iterator[str]:
    """The columns of fields that several columns can fill."""
    for alternatives in columns.composed.values():
        for parts in alternatives:
            yield from parts
