"""Rows of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.columns import MappedColumns, composed_text, mapped_columns
from stream.importing.files.reading.row import FileRow, UnreadableRow, cell_text

BATCH_ROWS = 16_384
"""Rows in memory at once."""


def parquet_rows(path: Path, mapping: ColumnMapping) -> Iterator[FileRow | UnreadableRow]:
    """Reads only the mapped columns."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    columns = mapped_columns(path, file.schema_arrow.names, mapping)
    names = sorted({*columns.single.values(), *_parts(columns)})
    line = 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=names):
        cells = [[cell_text(value) for value in batch.column(name).to_pylist()] for name in names]
        for row in zip(*cells, strict=True):
            line += 1
            by_name = dict(zip(names, row, strict=True))
            values = {field: by_name[column] for field, column in columns.single.items()}
            for field, alternatives in columns.composed.items():
                values[field] = composed_text(field, alternatives, by_name.__getitem__, mapping)
            yield FileRow(line, values)


def _parts(columns: MappedColumns) -> Iterator[str]:
    """The columns of fields that several columns can fill."""
    for alternatives in columns.composed.values():
        for parts in alternatives:
            yield from parts
