"""Which format a file has: named in the mapping, else known by its suffix."""

from __future__ import annotations

import codecs
from pathlib import Path

from stream.importing.files.mapping.mapping import ColumnMapping, MappingError
from stream.recording.event_file import open_unpacked

COMPRESSED = {".gz", ".zst", ".zstd"}
FORMATS = {
    **dict.fromkeys((".csv", ".txt"), "csv"),
    **dict.fromkeys((".tsv", ".tab"), "tsv"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "jsonl"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}
WORKBOOKS = {".xlsx", ".xls", ".xlsm", ".ods"}
SHEET = "save the sheet as CSV (UTF-8), and import that"
OTHER_CONTENTS = {
    b"pk\x03\x04": f"a workbook, or another archive: {SHEET}",
    b"\xd0\xcf\x11\xe0": f"a workbook: {SHEET}",
    b"%pdf": f"a PDF: {SHEET}",
    **dict.fromkeys(
        (b"<!doctype html", b"<html", b"<table"), f"an HTML page: open it in a spreadsheet, {SHEET}"
    ),
    b"<?xml": f"an XML document: open it in a spreadsheet, {SHEET}",
}
"""How a file begins, in small letters, that is no table of text -> what it is, and what to do."""
HEAD_BYTES = 64


def file_format(path: Path, mapping: ColumnMapping) -> str:
    """`csv`, `tsv`, `jsonl` or `parquet`. MappingError: it is none of these."""
    kind = mapping.file.format or _by_name(path)
    if kind in {"csv", "tsv"}:
        _refuse_other_contents(path)
    return kind


def _refuse_other_contents(path: Path) -> None:
    """Shop systems call their files .csv and .xls whatever is in them."""
    with open_unpacked(path) as file:
        head = file.read(HEAD_BYTES).removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for begin, what in OTHER_CONTENTS.items():
        if head.startswith(begin):
            raise MappingError(f"{path} is {what}")


def _by_name(path: Path) -> str:
    suffix = path.with_suffix("").suffix if path.suffix in COMPRESSED else path.suffix
    if suffix.lower() not in FORMATS:
        if suffix.lower() in WORKBOOKS:
            raise MappingError(f"{path} is a workbook: {SHEET}")
        raise MappingError(
            f"{path}: unknown format {suffix!r}; set [file] format to csv, tsv, jsonl or parquet"
        )
    return FORMATS[suffix.lower()]
