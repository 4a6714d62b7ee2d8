"""A mapping proposed for a file: columns by name and content, and what the first lines would become."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from stream.importing.files.mapping import (
    FileOptions,
    MappingError,
    MoneyOptions,
    TimeOptions,
    contradict,
    parsed,
    ready,
)
from stream.importing.files.mapping import Mapping as ColumnMapping
from stream.importing.files.reading.instants import instants
from stream.importing.files.reading.rows import Row, file_format, rows
from stream.importing.files.reading.values import amounts
from stream.importing.files.run import Importer
from stream.importing.files.suggest.column_names import EXCEL_DAYS, NAMES, TIME_FORMATS, bare
from stream.importing.files.suggest.sample import SAMPLE_LINES, Columns, delimiter, found_encoding, sampled
from stream.recording.event_file import open_unpacked

FULL_SCAN_LINES = 300_000
READABLE_MIN = 0.9
SYMBOLS = {"£": "GBP", "€": "EUR", "$": "USD", "¥": "JPY"}


def suggested(path: Path, *, as_json: bool) -> str:
    """A ready mapping where one fits, else one made up; as TOML with the preview in comments."""
    columns = sampled(path)
    name = _ready_name(columns)
    text = _with_times(path, columns, ready()[name]) if name else _toml(path, columns)
    preview = _preview(path, parsed(text, f"the mapping proposed for {path}"))
    if as_json:
        return json.dumps({"ready": name, "mapping": text, **preview})
    said = [f"# ready mapping: {name}"] if name else []
    lines = preview["lines"]
    said += [text.rstrip(), "", f"# Of the first {lines['in']:,} lines: {lines['rejected']:,} rejected."]
    said += [f"#   {count:,} x {reason}" for reason, count in preview["reasons"].items()]
    said += ["# The first events:", *(f"#   {event}" for event in preview["first"])]
    return "\n".join(said)


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
    lines += ["", "[time]", *_time_lines(path, columns, found["time"])]
    lines += _file_lines(path, columns, found)
    return "\n".join(lines) + "\n"


def _time_lines(path: Path, columns: Columns, column: str) -> list[str]:
    """The format that fits; where day and month could change places, the whole file is asked."""
    times = columns[column]
    fits = _formats(times)
    if any(contradict(fits[0], form) for form in fits[1:]):
        times = _all_times(path, columns, column)
        fits = _formats(times) or fits
    rivals = [form for form in fits[1:] if contradict(fits[0], form) and _read(form, times) == len(times)]
    doubt = f" # every time also fits {', '.join(rivals)}: which is right?" if rivals else ""
    zone = 'zone = "UTC" # of times that name none: is it right?'
    return [f"formats = {json.dumps(fits[:1])}{doubt}", zone]


def _with_times(path: Path, columns: Columns, text: str) -> str:
    """A ready mapping with this file's way to write times, where it is another one."""
    mapping = parsed(text, "the ready mapping")
    column = next((one for one in mapping.columns["time"].split("|") if one in columns), None)
    fits = _formats(columns[column]) if column else []
    if column is None or not fits:
        return text
    line = _time_lines(path, columns, column)[0]
    best = json.loads(line.removeprefix("formats = ").partition(" #")[0])[0]
    if best in mapping.time.formats and " #" not in line:
        return text
    return re.sub(r"^formats = .*$", line.replace("\\", r"\\"), text, count=1, flags=re.M)


def _all_times(path: Path, columns: Columns, column: str) -> list[str]:
    """The different days of the time column, far beyond the sample."""
    mapping = ColumnMapping(
        columns={"time": column.replace("|", " ")},
        file=FileOptions(encoding=_encoding(path), delimiter=_delimiter(path)),
    )
    if "|" in column or column.endswith("?"):
        return columns[column]
    told = (row.values["time"] for row in rows(path, mapping) if isinstance(row, Row))
    days = {text.partition(" ")[0]: text for text in islice(told, FULL_SCAN_LINES)}
    return list(days.values())


def _by_name(columns: Columns) -> dict[str, str]:
    """The first column whose name says the field; a column is one thing only."""
    found: dict[str, str] = {}
    for field, pattern in NAMES.items():
        free = [name for name in columns if name not in found.values()]
        fits = [name for name in free if re.fullmatch(pattern, bare(name))]
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
    """The formats, or the unit of a number, that read the sample but for a few lines; the best first."""
    some = list(dict.fromkeys(_filled(values)))
    if some and all(re.fullmatch(r"\d{9,16}(\.\d+)?", value) for value in some):
        digits = len(some[0].partition(".")[0])
        return ["unix_s" if digits <= 11 else "unix_ms" if digits <= 14 else "unix_us"]
    if some and all(re.fullmatch(r"\d{5}(\.\d+)?", value) for value in some):
        return ["excel"] if all(EXCEL_DAYS[0] <= float(value) < EXCEL_DAYS[1] for value in some) else []
    counts = {form: _read(form, some) for form in TIME_FORMATS}
    enough = [form for form, count in counts.items() if some and count >= READABLE_MIN * len(some)]
    return sorted(enough, key=lambda form: -counts[form])


def _read(form: str, values: list[str]) -> int:
    """How many of the values a format reads."""
    read = instants(TimeOptions(formats=(form,)))
    return sum(read(value) is not None for value in _filled(values))


def _rating_max(values: list[str]) -> int:
    numbers = [float(value) for value in _filled(values) if re.fullmatch(r"\d+(\.\d+)?", value)]
    return 10 if max(numbers, default=5) > 5 else 5


def _currency(columns: Columns, found: Mapping[str, str]) -> str:
    money = "".join(columns[found.get("unit_price") or found.get("line_total") or found["customer"]][:50])
    return next((code for symbol, code in SYMBOLS.items() if symbol in money), "USD")


def _encoding(path: Path) -> str:
    return found_encoding(path) if _is_text(path) else "utf-8"


def _is_text(path: Path) -> bool:
    return file_format(path, ColumnMapping(columns={})) in {"csv", "tsv"}


def _delimiter(path: Path) -> str | None:
    """The delimiter, where it is not the usual one."""
    if file_format(path, ColumnMapping(columns={})) != "csv":
        return None
    with io.TextIOWrapper(open_unpacked(path), found_encoding(path), errors="replace") as text:
        mark = delimiter(text.readline())
    return mark if mark != "," else None


def _file_lines(path: Path, columns: Columns, found: Mapping[str, str]) -> list[str]:
    """What is only said where it differs from the usual."""
    said = [f"delimiter = {json.dumps(mark)}"] if (mark := _delimiter(path)) else []
    if (code := _encoding(path)) not in {"utf-8", "utf-8-sig"}:
        said.append(f'encoding = "{code}"')
    lines = ["", "[file]", *said] if said else []
    customers = _filled(columns[found["customer"]])
    if any(re.fullmatch(r"\d+\.0", value) for value in customers):
        lines += ["", "[customer]", "whole_number = true # 17850.0 is customer 17850"]
    if _decimal_comma(columns, found):
        lines += ["", "[money]", 'decimal = ","']
    return lines + _returns_lines(columns, found)


def _decimal_comma(columns: Columns, found: Mapping[str, str]) -> bool:
    """Whether the comma reads more of the amounts than the point does."""
    money = ("unit_price", "line_total", "discount", "quantity")
    texts = [text for field in money if field in found for text in _filled(columns[found[field]])]
    comma, point = amounts(MoneyOptions(decimal=",")), amounts(MoneyOptions())
    return sum(comma(text) is not None for text in texts) > sum(point(text) is not None for text in texts)


def _returns_lines(columns: Columns, found: Mapping[str, str]) -> list[str]:
    """Letters before the order numbers of which nearly all lines went back mark a credit note."""
    if "quantity" not in found or "order" not in found:
        return []
    back: dict[str, list[bool]] = {}
    for quantity, order in zip(columns[found["quantity"]], columns[found["order"]], strict=False):
        letters = re.match(r"[A-Za-z]*", order.strip())
        if letters and re.search("[1-9]", quantity):
            back.setdefault(letters[0], []).append(quantity.strip().startswith(("-", "(")))
    marks = [mark for mark, minus in back.items() if mark and sum(minus) >= READABLE_MIN * len(minus)]
    if len(marks) == 1 and len(back) > 1:
        return ["", "[returns]", f"order_prefix = {json.dumps(marks[0])}"]
    return []


def _preview(path: Path, mapping: ColumnMapping) -> dict[str, Any]:

    importer = Importer(mapping, io.BytesIO(), lambda count: None, SAMPLE_LINES)
    first = [told.value.decode() for told in islice(importer.events([path]), 3)]
    return {**importer.accounts.summary(), "first": first}
