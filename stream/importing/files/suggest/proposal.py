"""A new mapping as TOML text, from the names and the cells of a file's columns."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path

from stream.importing.files.mapping.check import formats_contradict
from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.mapping.mapping import ColumnMapping, FileOptions, MappingError, MoneyOptions
from stream.importing.files.reading.formats import file_format
from stream.importing.files.suggest.column_names import COLUMN_PATTERNS, simplified
from stream.importing.files.suggest.sample import ColumnSample, guessed_delimiter, guessed_encoding
from stream.importing.files.suggest.time_formats import (
    READABLE_MIN,
    days_in_file,
    filled,
    fitting_formats,
    rival_formats,
)
from stream.importing.files.values.amounts import amount_reader
from stream.recording.event_file import open_unpacked

CURRENCY_BY_SYMBOL = {"£": "GBP", "€": "EUR", "$": "USD", "¥": "JPY"}
CURRENCY_SAMPLE = 50
"""Amounts that are searched for a currency symbol."""
UTF_8 = {"utf-8", "utf-8-sig"}


def proposed_toml(path: Path, columns: ColumnSample) -> str:
    """Short, as a person would write it: only what differs from the defaults, doubts in comments."""
    found = _columns_by_name(columns)
    if "customer" not in found or "time" not in found:
        missing = [field for field in ("customer", "time") if field not in found]
        raise MappingError(
            f"{path}: no column looks like the {' or '.join(missing)}; the columns are {', '.join(columns)}"
        )
    is_review = "rating" in found and not {"unit_price", "line_total"} & set(found)
    lines = [
        f"# Proposed for {path.name}: please check.",
        f"source = {json.dumps('/' + path.name.split('.')[0])}",
    ]
    lines += ["", "[columns]", *(f"{field} = {json.dumps(column)}" for field, column in found.items())]
    lines += ["", "[constants]"]
    if is_review:
        lines += ['event = "feedback.reviewed"', f'rating_max = "{_rating_max(columns[found["rating"]])}"']
    elif "currency" not in found:
        lines.append(f'currency = "{_currency(columns, found)}" # no column has it: is it right?')
    lines += ["", "[time]", *_time_lines(path, columns, found["time"])]
    lines += _file_lines(path) + _customer_lines(columns, found)
    lines += _money_lines(columns, found) + _returns_lines(columns, found)
    return "\n".join(lines) + "\n"


def with_time_format_of(path: Path, columns: ColumnSample, text: str) -> str:
    """A ready mapping, with the time format of this file where that is another one."""
    mapping = parse_mapping(text, "the ready mapping")
    column = next((one for one in mapping.columns["time"].split("|") if one in columns), None)
    fits = fitting_formats(columns[column]) if column else []
    if column is None or not fits:
        return text
    line = _time_lines(path, columns, column)[0]
    best = json.loads(line.removeprefix("formats = ").partition(" #")[0])[0]
    if best in mapping.time.formats and " #" not in line:
        return text
    return re.sub(r"^formats = .*$", line.replace("\\", r"\\"), text, count=1, flags=re.M)


def _columns_by_name(columns: ColumnSample) -> dict[str, str]:
    """Field -> the first free column whose name fits; a column is used once."""
    found: dict[str, str] = {}
    for field, pattern in COLUMN_PATTERNS.items():
        free = [name for name in columns if name not in found.values()]
        fits = [name for name in free if re.fullmatch(pattern, simplified(name))]
        if field == "time":
            fits = [name for name in fits if fitting_formats(columns[name])]
        if fits:
            found[field] = fits[0]
    if "unit_price" in found and "quantity" in found:
        found.pop("line_total", None)
    return found


def _time_lines(path: Path, columns: ColumnSample, column: str) -> list[str]:
    """The format that fits best. Where day and month could be exchanged, the whole file is read to decide."""
    cells = columns[column]
    fits = fitting_formats(cells)
    if any(formats_contradict(fits[0], form) for form in fits[1:]):
        if "|" not in column and not column.endswith("?"):
            cells = days_in_file(
                path, column, FileOptions(encoding=_encoding(path), delimiter=_delimiter(path))
            )
        fits = fitting_formats(cells) or fits
    rivals = rival_formats(fits[0], fits, cells) if fits else []
    doubt = f" # every time also fits {', '.join(rivals)}: which is right?" if rivals else ""
    zone = 'zone = "UTC" # of times without a zone: is it right?'
    return [f"formats = {json.dumps(fits[:1])}{doubt}", zone]


def _rating_max(cells: list[str]) -> int:
    numbers = [float(text) for text in filled(cells) if re.fullmatch(r"\d+(\.\d+)?", text)]
    return 10 if max(numbers, default=5) > 5 else 5


def _currency(columns: ColumnSample, found: Mapping[str, str]) -> str:
    money = found.get("unit_price") or found.get("line_total") or found["customer"]
    cells = "".join(columns[money][:CURRENCY_SAMPLE])
    return next((code for symbol, code in CURRENCY_BY_SYMBOL.items() if symbol in cells), "USD")


def _file_lines(path: Path) -> list[str]:
    delimiter, encoding = _delimiter(path), _encoding(path)
    lines = [f"delimiter = {json.dumps(delimiter)}"] if delimiter else []
    if encoding not in UTF_8:
        lines.append(f'encoding = "{encoding}"')
    return ["", "[file]", *lines] if lines else []


def _encoding(path: Path) -> str:
    is_text = file_format(path, ColumnMapping(columns={})) in {"csv", "tsv"}
    return guessed_encoding(path) if is_text else "utf-8"


def _delimiter(path: Path) -> str | None:
    """The delimiter of a CSV file, where it is no comma."""
    if file_format(path, ColumnMapping(columns={})) != "csv":
        return None
    with io.TextIOWrapper(open_unpacked(path), guessed_encoding(path), errors="replace") as text:
        delimiter = guessed_delimiter(text.readline())
    return delimiter if delimiter != "," else None


def _customer_lines(columns: ColumnSample, found: Mapping[str, str]) -> list[str]:
    if any(re.fullmatch(r"\d+\.0", text) for text in filled(columns[found["customer"]])):
        return ["", "[customer]", "whole_number = true # 17850.0 is customer 17850"]
    return []


def _money_lines(columns: ColumnSample, found: Mapping[str, str]) -> list[str]:
    """A decimal comma, where it reads more of the amounts than the point does."""
    fields = ("unit_price", "line_total", "discount", "quantity")
    texts = [text for field in fields if field in found for text in filled(columns[found[field]])]
    comma, point = amount_reader(MoneyOptions(decimal=",")), amount_reader(MoneyOptions())
    by_comma = sum(comma(text) is not None for text in texts)
    by_point = sum(point(text) is not None for text in texts)
    return ["", "[money]", 'decimal = ","'] if by_comma > by_point else []


def _returns_lines(columns: ColumnSample, found: Mapping[str, str]) -> list[str]:
    """The prefix of credit notes: letters for which nearly all lines of their orders are returns."""
    if "quantity" not in found or "order" not in found:
        return []
    is_return: dict[str, list[bool]] = {}
    for quantity, order in zip(columns[found["quantity"]], columns[found["order"]], strict=False):
        letters = re.match(r"[A-Za-z]*", order.strip())
        if letters and re.search("[1-9]", quantity):
            is_return.setdefault(letters[0], []).append(quantity.strip().startswith(("-", "(")))
    prefixes = [p for p, lines in is_return.items() if p and sum(lines) >= READABLE_MIN * len(lines)]
    if len(prefixes) == 1 and len(is_return) > 1:
        return ["", "[returns]", f"order_prefix = {json.dumps(prefixes[0])}"]
    return []
