"""Whether a file has a line for each status that an order had: lines that differ in their status only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from stream.importing.files.events.line_amounts import PRICES
from stream.importing.files.events.statuses import STATUS_FIELDS, has_statuses
from stream.importing.files.mapping.mapping import ColumnMapping, MappingError
from stream.importing.files.reading.columns import alternatives_of
from stream.importing.files.reading.formats import file_format
from stream.importing.files.suggest.column_names import simplified, simplified_status
from stream.importing.files.suggest.sample import ColumnSample, sampled_file
from stream.importing.files.suggest.time_formats import filled, fitting_formats, readable_count
from stream.importing.files.suggest.words import is_status

SHIPMENT_NAMES = r"(fulfil+ment|delivery|shipping|shipment|versand|liefer|lieferungs)status"
CHANGE_NAMES = (
    r"(last)?(updated|modified|changed|update|modification|change)(at|on|date|time|datetime|utc)*|"
    r"(date|time)(last)?(updated|modified|changed)|status(changed?|updated?|date|time|at|on)+|"
    r"(aktualisiert|geaendert)(am|um)|aenderungsdatum|letzteaenderung"
)


def status_columns(columns: ColumnSample, fields: Mapping[str, str]) -> list[str]:
    """The columns of statuses in which lines of one order differ that are equal in all that is mapped.

    `fields`: field of the mapping -> its column, or several.
    """
    orders = columns.get(fields.get("order", ""))
    names = [name for name in columns if _is_named_status(name)]
    if not orders or not names:
        return []
    ways = {"order", "time", "updated", *STATUS_FIELDS}
    mapped = sorted({part for field, named in fields.items() if field not in ways for part in _parts(named)})
    rows = list(zip(orders, *(columns[name] for name in mapped if name in columns), strict=True))
    return [name for name in names if _differs_alone(rows, columns[name])]


def choose_statuses(columns: ColumnSample, fields: dict[str, str]) -> tuple[str, ...]:
    """Where lines of one order differ in their status only: what tells statuses, and which is the latest."""
    statuses = status_columns(columns, fields)
    others = [name for name in statuses if name not in fields.values()]
    if others:
        fields["status"] = "+".join(others)
    if statuses and (name := change_column(columns, fields)):
        fields["updated"] = name
    return tuple(statuses)


def change_column(columns: ColumnSample, fields: Mapping[str, str]) -> str | None:
    """The column of the time at which a status was reached, if it is written as the time of the order is."""
    times = columns.get(fields.get("time", ""), [])
    form = next(iter(fitting_formats(times)), None)
    for name in columns:
        texts = filled(columns[name])
        is_free = name not in fields.values() and re.fullmatch(CHANGE_NAMES, simplified(name))
        if form and texts and is_free and readable_count(form, texts) == len(texts):
            return name
    return None


def unmapped_statuses(path: Path, mapping: ColumnMapping) -> str:
    """What an import must say of the columns of statuses that its mapping does not name; empty if nothing."""
    columns_named = mapping.columns.keys()
    if "order" not in columns_named or not mapping.is_orders_only or has_statuses(mapping):
        return ""
    if not columns_named & {*PRICES} or file_format(path, mapping) == "jsonl":
        return ""
    try:
        columns = sampled_file(path).columns
    except (MappingError, OSError, UnicodeError):
        return ""
    used = {part for named in mapping.columns.values() for part in _parts(named)}
    found = [name for name in status_columns(columns, mapping.columns) if name not in used]
    if not found:
        return ""
    return (
        f"lines of one order differ in {' and '.join(map(repr, found))} only, and each of them counts: if "
        f'these are statuses of one line, name the column in [columns] (status = "{found[0]}")'
    )


def _is_named_status(name: str) -> bool:
    plain = simplified_status(name)
    return is_status(plain) or re.fullmatch(SHIPMENT_NAMES, plain) is not None


def _differs_alone(rows: list[tuple[str, ...]], statuses: list[str]) -> bool:
    seen: dict[tuple[str, ...], str] = {}
    return any(
        row[0].strip() and seen.setdefault(row, status) != status
        for row, status in zip(rows, statuses, strict=True)
        if status.strip()
    )


def _parts(named: str) -> list[str]:
    return [named, *(part for parts in alternatives_of(named) for part in parts)]


def choose_store(columns: ColumnSample, fields: dict[str, str]) -> None:
    """Where stores have other orders under one number, the store is part of the number."""
    store, order = fields.get("affiliation"), fields.get("order", "")
    if store is None or order not in columns:
        return
    named = f"{fields.get('customer', '')}|{fields.get('time', '')}"
    others = [columns[part] for part in re.split(r"[|+]", named) if part in columns]
    first: dict[str, tuple[str, list[str]]] = {}
    for number, name, *what in zip(columns[order], columns[store], *others, strict=False):
        if number.strip() and name.strip():
            where, rest = first.setdefault(number, (name, what))
            if where != name and rest != what:
                fields["order"] = f"{fields.pop('affiliation')}+{order}"
                return
