"""Files to rows: each line, or item inside a JSON line, with its number and its values as text."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import Struct

from stream.importing.files.mapping import Mapping, MappingError
from stream.recording.event_file import BYTE_ORDER_MARK, open_unpacked

COMPRESSED = {".gz", ".zst", ".zstd"}
FORMATS = {
    **dict.fromkeys((".csv", ".txt"), "csv"),
    **dict.fromkeys((".tsv", ".tab"), "tsv"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "jsonl"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}
CELL_BYTES_MAX = 1 << 20
Values = dict[str, str]


class Row(Struct, frozen=True, gc=False):
    """One line that could be read."""

    line: int
    values: Values


class Unreadable(Struct, frozen=True):
    """A line that could not."""

    line: int
    reason: str
    detail: str


def rows(path: Path, mapping: Mapping) -> Iterator[Row | Unreadable]:
    """Every line of the file, the header left out; a file that lacks a named column is refused at once."""
    kind = file_format(path, mapping)
    if kind == "parquet":
        return _parquet(path, mapping)
    if kind == "jsonl":
        return _json_lines(path, mapping)
    return _delimited(path, mapping, mapping.file.delimiter or ("\t" if kind == "tsv" else ","))


def file_format(path: Path, mapping: Mapping) -> str:
    if mapping.file.format is not None:
        return mapping.file.format
    suffix = path.with_suffix("").suffix if path.suffix in COMPRESSED else path.suffix
    if suffix.lower() not in FORMATS:
        if suffix.lower() in {".xlsx", ".xls", ".xlsm", ".ods"}:
            raise MappingError(f"{path} is a workbook: save the sheet as CSV (UTF-8), and import that")
        raise MappingError(
            f"{path}: unknown format {suffix!r}; set [file] format to csv, tsv, jsonl or parquet"
        )
    return FORMATS[suffix.lower()]


def _delimited(path: Path, mapping: Mapping, delimiter: str) -> Iterator[Row | Unreadable]:
    csv.field_size_limit(CELL_BYTES_MAX)
    with io.TextIOWrapper(
        open_unpacked(path), encoding(path, mapping.file.encoding), errors="replace", newline=""
    ) as text:
        reader = csv.reader(text, delimiter=delimiter)
        header = list(mapping.file.names) or next(reader, [])
        columns = found_columns(path, header, mapping)
        known = names(header)
        fields, pick = list(columns), _picker([known.index(column) for column in columns.values()])
        width = len(header)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as failure:
                yield Unreadable(line, "unreadable", str(failure))
                continue
            if len(cells) == width:
                yield Row(line, dict(zip(fields, pick(cells), strict=True)))
            elif cells:
                yield Unreadable(line, "columns_differ", f"{len(cells)} cells where the header has {width}")
            else:
                yield Unreadable(line, "blank_line", "")


def _picker(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    if len(places) == 1:
        return lambda cells: (cells[places[0]],)
    return cast("Callable[[list[str]], tuple[str, ...]]", itemgetter(*places))


def encoding(path: Path, named: str) -> str:
    """The encoding as named; a byte order mark in the file says more than the usual one does."""
    if named.lower().replace("_", "-") not in {"utf-8", "utf8"}:
        return named
    with open_unpacked(path) as file:
        return "utf-16" if file.read(2) in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"


def names(header: Sequence[str]) -> list[str]:
    """Column names as data frames tell them apart: a second `Price` is `Price.1`."""
    seen: Counter[str] = Counter()
    found = []
    for name in (name.strip() for name in header):
        found.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def found_columns(path: Path, header: Sequence[str], mapping: Mapping) -> dict[str, str]:
    """Field -> its column in this file: of `A|B` the first there is; `A?` may be absent."""
    there, found = names(header), {}
    for field, named in mapping.columns.items():
        alternatives = [*named.removesuffix("?").split("|"), named]
        column = next((one for one in alternatives if one in there), None)
        if column is not None:
            found[field] = column
        elif not named.endswith("?"):
            raise MappingError(f"{path}: there is no column {named!r}; the columns are {', '.join(there)}")
    return found


def _parquet(path: Path, mapping: Mapping) -> Iterator[Row | Unreadable]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    columns = found_columns(path, file.schema_arrow.names, mapping)
    fields, line = list(columns), 0
    for batch in file.iter_batches(batch_size=16_384, columns=sorted(set(columns.values()))):
        cells = [[as_text(value) for value in batch.column(c).to_pylist()] for c in columns.values()]
        for values in zip(*cells, strict=True):
            line += 1
            yield Row(line, dict(zip(fields, values, strict=True)))


def _json_lines(path: Path, mapping: Mapping) -> Iterator[Row | Unreadable]:
    decode = msgspec.json.Decoder(float_hook=str).decode
    places = {field: _places(named) for field, named in mapping.columns.items()}
    items_at = mapping.items.split(".") if mapping.items else []
    with open_unpacked(path) as file:
        for line, raw in enumerate(file, start=1):
            try:
                told = decode(raw.removeprefix(BYTE_ORDER_MARK))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
                yield Unreadable(line, "unreadable" if raw.strip() else "blank_line", str(failure))
                continue
            items = _at(told, items_at) if items_at else None
            for item in items if isinstance(items, list) and items else [None]:
                yield Row(line, {field: _first(told, item, paths) for field, paths in places.items()})


def _places(named: str) -> list[list[str]]:
    return [place.split(".") for place in named.removesuffix("?").split("|")]


def _first(told: Any, item: Any, paths: list[list[str]]) -> str:
    """The first place that holds anything; `items.x` looks into the item at hand."""
    for steps in paths:
        inner = steps[0] == "items" and len(steps) > 1
        if text := as_text(_at(item, steps[1:]) if inner else _at(told, steps)):
            return text
    return ""


def _at(told: Any, steps: list[str]) -> Any:
    for step in steps:
        told = _keyed(told, step) if isinstance(told, list) else told
        told = told.get(step) if isinstance(told, dict) else None
    return told


def _keyed(pairs: list[Any], name: str) -> dict[str, Any]:
    """Google's lists of `{key, value: {string_value or int_value ...}}` read like an object."""
    for pair in pairs:
        if isinstance(pair, dict) and pair.get("key") == name and isinstance(pair.get("value"), dict):
            return {name: next((value for value in pair["value"].values() if value is not None), None)}
    return {}


def as_text(value: Any) -> str:
    """As a person would type it; a float as its shortest decimal, which is the number that was meant."""
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
