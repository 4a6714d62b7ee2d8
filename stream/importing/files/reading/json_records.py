"""Records of JSON files: one for each line, or those of one document: `[...]` or `{"orders": [...]}`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from stream.importing.files.mapping.mapping import ColumnMapping, MappingError
from stream.importing.files.reading.columns import alternatives_of
from stream.importing.files.reading.row import UnreadableRow
from stream.recording.event_file import BYTE_ORDER_MARK, open_unpacked

DOCUMENT_BYTES_MAX = 512 << 20
"""A larger document is refused: it is read as a whole. JSON lines have no limit."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class JsonRecord(NamedTuple):
    """One record and where it is."""

    number: int
    """Its line, or in a document its number in the list, from 1."""
    value: Any


def json_records(path: Path, mapping: ColumnMapping) -> Iterator[JsonRecord | UnreadableRow]:
    """Numbers stay the text that is in the file, so that no amount passes through a float."""
    decode = msgspec.json.Decoder(float_hook=str).decode
    if (records := document_records(path, mapping)) is not None:
        for number, value in enumerate(records, start=1):
            yield JsonRecord(number, value)
        return
    with open_unpacked(path) as file:
        for line, raw in enumerate(file, start=1):
            try:
                yield JsonRecord(line, decode(raw.removeprefix(BYTE_ORDER_MARK)))
            except UNREADABLE as failure:
                yield UnreadableRow(line, "unreadable" if raw.strip() else "blank_line", str(failure))


def document_records(path: Path, mapping: ColumnMapping) -> list[Any] | None:
    """The records of a file that is one JSON document; None where each line is a record.

    A document begins with a list, or its first line is no whole value, or it is an object that has the
    records in a list and none of the mapped fields beside it.
    """
    decode = msgspec.json.Decoder(float_hook=str).decode
    with open_unpacked(path) as file:
        first = next((line for line in file if line.strip()), b"").removeprefix(BYTE_ORDER_MARK)
        try:
            value = decode(first)
        except UNREADABLE:
            value = None
        if isinstance(value, dict):
            is_last = not any(line.strip() for line in file)
            return _records_in(value, mapping) if is_last or mapping.file.records else None
    if value is None and first.strip()[:1] not in {b"[", b"{"}:
        return None
    with open_unpacked(path) as file:
        whole = file.read(DOCUMENT_BYTES_MAX + 1)
    if len(whole) > DOCUMENT_BYTES_MAX:
        if first.strip()[:1] == b"{":
            return None
        raise MappingError(
            f"{path}: one JSON document of more than {DOCUMENT_BYTES_MAX >> 20} MiB; "
            "write its records one a line (jq -c '.[]')"
        )
    try:
        document = decode(whole.removeprefix(BYTE_ORDER_MARK))
    except UNREADABLE:
        return None
    return _records_in(document, mapping)


def _records_in(document: Any, mapping: ColumnMapping) -> list[Any] | None:
    """The list of records in a document; the document itself where it is one record."""
    if mapping.file.records:
        for step in mapping.file.records.split("."):
            document = document.get(step) if isinstance(document, dict) else None
        return document if isinstance(document, list) else None
    if isinstance(document, list):
        return document
    if not isinstance(document, dict) or _mapped_keys(mapping) & document.keys():
        return [document]
    lists = [value for value in document.values() if isinstance(value, list) and _holds_objects(value)]
    return lists[0] if len(lists) == 1 else [document]


def _holds_objects(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, dict) for value in values)


def _mapped_keys(mapping: ColumnMapping) -> set[str]:
    """The keys at the top of a record that the mapping names."""
    return {
        part.partition(".")[0]
        for named in mapping.columns_read.values()
        for parts in alternatives_of(named)
        for part in parts
    }
