"""The first lines of a file as columns of text, whatever its format, encoding and delimiter."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from stream.importing.files.mapping import Mapping as ColumnMapping
from stream.importing.files.mapping import MappingError
from stream.importing.files.reading.rows import as_text, encoding, file_format, names
from stream.recording.event_file import BYTE_ORDER_MARK, open_unpacked

SAMPLE_LINES = 2_000
SAMPLE_BYTES = 1 << 20
Columns = Mapping[str, list[str]]
"""Column -> its values on the first lines, as text."""


def sampled(path: Path) -> Columns:
    kind = file_format(path, ColumnMapping(columns={}))
    if kind == "parquet":
        import pyarrow.parquet as pq

        batch = next(pq.ParquetFile(path).iter_batches(batch_size=SAMPLE_LINES))
        return {name: [as_text(v) for v in batch.column(name).to_pylist()] for name in batch.schema.names}
    if kind == "jsonl":
        return _json_sample(path)
    with io.TextIOWrapper(open_unpacked(path), found_encoding(path), errors="replace", newline="") as text:
        head = "".join(islice(text, SAMPLE_LINES + 1))
    rows = list(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter(head)))
    if not rows:
        raise MappingError(f"{path} is empty")
    whole = [row for row in rows[1:] if len(row) == len(rows[0])]
    return {name: [row[i] for row in whole] for i, name in enumerate(names(rows[0]))}


def found_encoding(path: Path) -> str:
    """What the first bytes can be: a byte order mark's, UTF-8, else Windows' Western one."""
    marked = encoding(path, "utf-8")
    with open_unpacked(path) as file:
        head = file.read(SAMPLE_BYTES)
    try:
        codecs.getincrementaldecoder(marked)().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return marked


def delimiter(head: str) -> str:
    """The mark that parts the header best."""
    first = head.lstrip("\r\n").splitlines()[0] if head.strip() else ""
    return max(",;\t|", key=first.count)


def _json_sample(path: Path) -> Columns:
    columns: dict[str, list[str]] = {}
    with open_unpacked(path) as file:
        for line in islice(file, SAMPLE_LINES):
            try:
                told = msgspec.json.decode(line.removeprefix(BYTE_ORDER_MARK))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            for name, value in _flat(told, ""):
                columns.setdefault(name, []).append(as_text(value))
    return columns


def _flat(told: Any, above: str) -> Iterator[tuple[str, Any]]:
    """Every path in a JSON object; a list of objects by the paths in its first."""
    if isinstance(told, list) and told and isinstance(told[0], dict):
        told = told[0]
    if not isinstance(told, dict):
        yield above, told
        return
    for name, value in told.items():
        yield from _flat(value, f"{above}.{name}" if above else name)
