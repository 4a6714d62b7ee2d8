"""Rows of JSON lines: one for each line, or one for each product in the line's list of products."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from stream.importing.files.mapping.mapping import ColumnMapping
from stream.importing.files.reading.row import FileRow, UnreadableRow, cell_text
from stream.recording.event_file import BYTE_ORDER_MARK, open_unpacked


def json_rows(path: Path, mapping: ColumnMapping) -> Iterator[FileRow | UnreadableRow]:
    """Numbers stay the text that is in the file, so that no amount passes through a float."""
    decode = msgspec.json.Decoder(float_hook=str).decode
    paths = {field: _paths(named) for field, named in mapping.columns.items()}
    items_path = mapping.items.split(".") if mapping.items else []
    with open_unpacked(path) as file:
        for line, raw in enumerate(file, start=1):
            try:
                whole = decode(raw.removeprefix(BYTE_ORDER_MARK))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
                yield UnreadableRow(line, "unreadable" if raw.strip() else "blank_line", str(failure))
                continue
            items = _value_at(whole, items_path) if items_path else None
            for item in items if isinstance(items, list) and items else [None]:
                yield FileRow(line, {field: _first_text(whole, item, p) for field, p in paths.items()})


def _paths(named: str) -> list[list[str]]:
    """`a.b|c` -> [[a, b], [c]]."""
    return [place.split(".") for place in named.removesuffix("?").split("|")]


def _first_text(whole: Any, item: Any, paths: list[list[str]]) -> str:
    """The text at the first path that is not empty; `items.x` looks into the product of this row."""
    for steps in paths:
        inside_item = steps[0] == "items" and len(steps) > 1
        if text := cell_text(_value_at(item, steps[1:]) if inside_item else _value_at(whole, steps)):
            return text
    return ""


def _value_at(value: Any, steps: list[str]) -> Any:
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
