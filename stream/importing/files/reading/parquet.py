"""Rows of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.columns import mapped_columns
from stream.importing.files.reading.row import FileRow, UnreadableRow, cell_text

BATCH_ROWS = 16_384
"""Rows in memory at once."""


def parquet_rows(path: Path, mapping: ColumnMapping) -> Iterator[FileRow | UnreadableRow]:
    """Reads only the mapped columns."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    columns = mapped_columns(path, file.schema_arrow.names, mapping)
    fields, line = list(columns), 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=sorted(set(columns.values()))):
        cells = [[cell_text(value) for value in batch.column(c).to_pylist()] for c in columns.values()]
        for values in zip(*cells, strict=True):
            line += 1
            yield FileRow(line, dict(zip(fields, values, strict=True)))
