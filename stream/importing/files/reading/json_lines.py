"""Rows of JSON files: one for each record, or one for each product in the record's list of products."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.columns import Alternatives, alternatives_of, composed_text
from stream.importing.files.reading.json_records import json_records
from stream.importing.files.reading.row import FileRow, UnreadableRow, Values, cell_text

Steps = list[str]
"""A path in a JSON object."""


def json_rows(path: Path, mapping: ColumnMapping) -> Iterator[FileRow | UnreadableRow]:
    """`items.x` in the mapping looks into the product of a row, any other path into the whole record."""
    places: dict[str, Alternatives[Steps]] = {
        field: [[part.split(".") for part in parts] for parts in alternatives_of(named)]
        for field, named in mapping.columns_read.items()
    }
    items_path = mapping.items.split(".") if mapping.items else []
    for record in json_records(path, mapping):
        if isinstance(record, UnreadableRow):
            yield record
            continue
        items = _value_at(record.value, items_path) if items_path else None
        for item in items if isinstance(items, list) and items else [None]:
            yield FileRow(record.number, _values(record.value, item, places, mapping))


def _values(whole: Any, item: Any, places: dict[str, Alternatives[Steps]], mapping: ColumnMapping) -> Values:
    def text_at(steps: Steps) -> str:
        inside_item = steps[0] == "items" and len(steps) > 1
        return cell_text(_value_at(item, steps[1:]) if inside_item else _value_at(whole, steps))

    return {field: composed_text(field, ways, text_at, mapping) for field, ways in places.items()}


def _value_at(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = _parameter(value, step) if isinstance(value, list) else value
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _parameter(pairs: list[Any], name: str) -> dict[str, Any]:
    """One parameter of GA4, which writes lists of `{key, value: {string_value | int_value ...}}`."""
    for pair in pairs:
        if isinstance(pair, dict) and pair.get("key") == name and isinstance(pair.get("value"), dict):
            return {name: next((value for value in pair["value"].values() if value is not None), None)}
    return {}
