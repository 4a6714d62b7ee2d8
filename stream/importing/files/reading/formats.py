"""Which format a file has: named in the mapping, else known by its suffix."""

from __future__ import annotations

from pathlib import Path

from stream.importing.files.mapping.mapping import ColumnMapping, MappingError

COMPRESSED = {".gz", ".zst", ".zstd"}
FORMATS = {
    **dict.fromkeys((".csv", ".txt"), "csv"),
    **dict.fromkeys((".tsv", ".tab"), "tsv"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "jsonl"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}
WORKBOOKS = {".xlsx", ".xls", ".xlsm", ".ods"}


def file_format(path: Path, mapping: ColumnMapping) -> str:
    """`csv`, `tsv`, `jsonl` or `parquet`."""
    if mapping.file.format is not None:
        return mapping.file.format
    suffix = path.with_suffix("").suffix if path.suffix in COMPRESSED else path.suffix
    if suffix.lower() not in FORMATS:
        if suffix.lower() in WORKBOOKS:
            raise MappingError(f"{path} is a workbook: save the sheet as CSV (UTF-8), and import that")
        raise MappingError(
            f"{path}: unknown format {suffix!r}; set [file] format to csv, tsv, jsonl or parquet"
        )
    return FORMATS[suffix.lower()]
