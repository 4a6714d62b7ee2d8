"""A mapping proposed for a file: columns by name and content, and what the first lines would become."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from stream.replay.event_file import opened
from stream.replay.mapping.mapping import FileOptions, MappingError, parsed, ready
from stream.replay.mapping.mapping import Mapping as ColumnMapping
from stream.replay.mapping.rows import as_text, file_format
from stream.replay.mapping.run import Importer

SAMPLE_LINES = 2_000
Columns = Mapping[str, list[str]]
"""Column -> its values on the first lines, as text."""

NAMES: Mapping[str, str] = {
    "customer": r"(cust(omer)?|client|user|buyer|household|member|reviewer)(id|no|number|key|email)?|email",
    "order": r"(invoice|order|basket|transaction|receipt|bill)(id|no|number|nr|key)?",
    "time": r".*(date|time|timestamp|createdat|occurredat)|ts|day",
    "product": r"(stockcode|sku|asin|(product|item|article)(id|code|no|number|key)?)",
    "name": r"(desc(ription)?|(product|item|article)(name|title|desc(ription)?)|title)",
    "category": r".*(category|department)",
    "quantity": r"(quantity|qty|units|pieces|count|numberofcds|amountofitems)",
    "unit_price": r"(unitprice|price|priceperunit|itemprice|unitcost)",
    "line_total": r"(linetotal|total|(net|gross)?amount|sales(value)?|revenue|(dollar)?value)",
    "currency": r"currency(code)?",
    "rating": r"(rating|stars|overall|score|starrating)",
    "text": r"(reviewtext|reviewbody|text|comment|review|body|feedback)",
    "discount": r"discount(amount)?",
    "coupon": r"(coupon|vouchercode|discountcode)(code)?",
    "channel": r"(channel|saleschannel)",
}
TIME_FORMATS = (
    "iso",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%y %H:%M",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%Y%m%d",
    "%Y-%m-%d %H:%M:%S %z",
)
SYMBOLS = {"£": "GBP", "€": "EUR", "$": "USD", "¥": "JPY"}


def suggested(path: Path, *, as_json: bool) -> str:
    """A ready mapping where one fits, else one made up; as TOML with the preview in comments."""
    columns = _sample(path)
    name = _ready_name(columns)
    text = ready()[name] if name else _toml(path, columns)
    preview = _preview(path, parsed(text, f"the mapping proposed for {path}"))
    if as_json:
        return json.dumps({"ready": name, "mapping": text, **preview})
    said = [f"# ready mapping: {name}"] if name else []
    lines = preview["lines"]
    said += [text.rstrip(), "", f"# Of the first {lines['in']:,} lines: {lines['rejected']:,} rejected."]
    said += [f"#   {count:,} x {reason}" for reason, count in preview["reasons"].items()]
    said += ["# The first events:", *(f"#   {event}" for event in preview["first"])]
    return "\n".join(said)


def _sample(path: Path) -> Columns:
    kind = file_format(path, ColumnMapping(columns={}))
    if kind == "parquet":
        import pyarrow.parquet as pq

        batch = next(pq.ParquetFile(path).iter_batches(batch_size=SAMPLE_LINES))
        return {name: [as_text(v) for v in batch.column(name).to_pylist()] for name in batch.schema.names}
    if kind == "jsonl":
        return _json_sample(path)
    with io.TextIOWrapper(opened(path, "rb"), "utf-8-sig", errors="replace", newline="") as text:
        head = "".join(islice(text, SAMPLE_LINES + 1))
    rows = list(csv.reader(io.StringIO(head), delimiter=_delimiter(head)))
    if not rows:
        raise MappingError(f"{path} is empty")
    whole = [row for row in rows[1:] if len(row) == len(rows[0])]
    return {name.strip(): [row[i] for row in whole] for i, name in enumerate(rows[0])}


def _delimiter(head: str) -> str:
    first = head.partition("\n")[0]
    return max(",;\t|", key=first.count)


def _json_sample(path: Path) -> Columns:
    columns: dict[str, list[str]] = {}
    with opened(path, "rb") as file:
        for line in islice(file, SAMPLE_LINES):
            try:
                told = msgspec.json.decode(line)
            except msgspec.DecodeError:
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


def _ready_name(columns: Columns) -> str | None:
    """The ready mapping all of whose own columns are in the file."""
    for name, text in ready().items():
        mapping = parsed(text, name)
        inner = f"{mapping.items}." if mapping.items else ""
        paths = [
            {place.replace("items.", inner) if inner and place.startswith("items.") else place for place in p}
            for p in (c.split("|") for c in mapping.columns.values() if not c.endswith("?"))
        ]
        found = [bool(p & set(columns)) for p in paths]
        nested = mapping.file.format == "jsonl" and mapping.items is not None
        if all(found) or (nested and sum(found) >= 6 and found[:3] == [True] * 3):
            return name
    return None


def _toml(path: Path, columns: Columns) -> str:
    """Named as plainly as a person would write it."""
    found = _by_name(columns)
    if "customer" not in found or "time" not in found:
        lacking = [field for field in ("customer", "time") if field not in found]
        raise MappingError(
            f"{path}: no column looks like the {' or '.join(lacking)}; the columns are {', '.join(columns)}"
        )
    review = "rating" in found and not {"unit_price", "line_total"} & set(found)
    lines = [
        f"# Proposed for {path.name}: look it over.",
        f"source = {json.dumps('/' + path.name.split('.')[0])}",
    ]
    lines += ["", "[columns]", *(f"{field} = {json.dumps(column)}" for field, column in found.items())]
    lines += ["", "[constants]"]
    if review:
        lines += ['event = "feedback.reviewed"', f'rating_max = "{_rating_max(columns[found["rating"]])}"']
    elif "currency" not in found:
        lines.append(f'currency = "{_currency(columns, found)}" # no column says so: is it right?')
    lines += ["", "[time]", f"formats = {json.dumps(_formats(columns[found['time']]))}"]
    lines.append('zone = "UTC" # of times that name none: is it right?')
    lines += _file_lines(path, columns, found)
    return "\n".join(lines) + "\n"


def _by_name(columns: Columns) -> dict[str, str]:
    """The first column whose name says the field; a column is one thing only."""
    bare = {name: re.sub(r"[^a-z0-9]", "", name.rpartition(".")[2].lower()) for name in columns}
    found: dict[str, str] = {}
    for field, pattern in NAMES.items():
        free = [name for name in columns if name not in found.values()]
        fits = [name for name in free if re.fullmatch(pattern, bare[name])]
        if field == "time":
            fits = [name for name in fits if _formats(columns[name])]
        if fits:
            found[field] = fits[0]
    if "unit_price" in found and "quantity" in found:
        found.pop("line_total", None)
    return found


def _filled(values: list[str]) -> list[str]:
    return [value.strip() for value in values if value.strip()]


def _formats(values: list[str]) -> list[str]:
    """The one format, or unit of a number, that reads every value of the sample."""
    from stream.replay.mapping.mapping import TimeOptions
    from stream.replay.mapping.values import instants

    some = _filled(values)[:500]
    if some and all(re.fullmatch(r"\d{9,16}(\.\d+)?", value) for value in some):
        digits = len(some[0].partition(".")[0])
        return ["unix_s" if digits <= 11 else "unix_ms" if digits <= 14 else "unix_us"]
    for form in TIME_FORMATS:
        read = instants(TimeOptions(formats=(form,)))
        if some and all(read(value) is not None for value in some):
            return [form]
    return []


def _rating_max(values: list[str]) -> int:
    numbers = [float(value) for value in _filled(values) if re.fullmatch(r"\d+(\.\d+)?", value)]
    return 10 if max(numbers, default=5) > 5 else 5


def _currency(columns: Columns, found: Mapping[str, str]) -> str:
    money = "".join(columns[found.get("unit_price") or found.get("line_total") or found["customer"]][:50])
    return next((code for symbol, code in SYMBOLS.items() if symbol in money), "USD")


def _file_lines(path: Path, columns: Columns, found: Mapping[str, str]) -> list[str]:
    """What is only said where it differs from the usual."""
    lines: list[str] = []
    if file_format(path, ColumnMapping(columns={}, file=FileOptions())) == "csv":
        with io.TextIOWrapper(opened(path, "rb"), "utf-8-sig", errors="replace") as text:
            mark = _delimiter(text.readline())
        lines += ["", "[file]", f"delimiter = {json.dumps(mark)}"] if mark != "," else []
    if all(value.endswith(".0") for value in _filled(columns[found["customer"]])):
        lines += ["", "[customer]", "whole_number = true # 17850.0 is customer 17850"]
    price = found.get("unit_price") or found.get("line_total")
    if price and any(re.search(r",\d{1,2}$", value) for value in _filled(columns[price])):
        lines += ["", "[money]", 'decimal = ","']
    return lines + _returns_lines(columns, found)


def _returns_lines(columns: Columns, found: Mapping[str, str]) -> list[str]:
    """A letter before the order numbers of all returned lines, and of no other, marks a credit note."""
    if "quantity" not in found or "order" not in found:
        return []
    pairs = list(zip(columns[found["quantity"]], columns[found["order"]], strict=False))
    marks = {re.match(r"[A-Za-z]*", order.strip())[0] for q, order in pairs if q.strip().startswith("-")}  # type: ignore[index]
    others = {re.match(r"[A-Za-z]*", order.strip())[0] for q, order in pairs if not q.strip().startswith("-")}  # type: ignore[index]
    marks -= {""}
    if len(marks) == 1 and not marks & others:
        return ["", "[returns]", f"order_prefix = {json.dumps(marks.pop())}"]
    return []


def _preview(path: Path, mapping: ColumnMapping) -> dict[str, Any]:
    from stream.replay.mapping.command import summary

    importer = Importer(mapping, io.BytesIO(), lambda count: None, SAMPLE_LINES)
    first = [told.value.decode() for told in islice(importer.events([path]), 3)]
    return {**summary(importer.accounts), "first": first}
