"""A new mapping as TOML text, from the names and the cells of a file's columns."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

from stream.core.currency import currency_digits
from stream.importing.files.mapping.check import formats_contradict
from stream.importing.files.mapping.load import parse_mapping
from stream.importing.files.mapping.mapping import MappingError, MoneyOptions
from stream.importing.files.suggest.column_names import AMOUNT_FIELDS, MONEY_FIELDS, is_minor, simplified
from stream.importing.files.suggest.currencies import constant_line, mark_lines
from stream.importing.files.suggest.encodings import encoding_doubt
from stream.importing.files.suggest.found_columns import FoundColumns, found_columns
from stream.importing.files.suggest.payments import payment_columns, payment_lines
from stream.importing.files.suggest.remarks import remarks
from stream.importing.files.suggest.sample import ColumnSample, FileSample
from stream.importing.files.suggest.time_formats import (
    READABLE_MIN,
    days_in_file,
    filled,
    fitting_formats,
    rival_formats,
)
from stream.importing.files.suggest.words import PAID, PART_REFUNDS, REFUNDED, WHOLE_REFUNDS, word_of
from stream.importing.files.values.amounts import THOUSANDS_DIGITS, MarkDoubt, amount_reader
from stream.printable import printable
from stream.toml_text import as_toml

UTF_8 = {"utf-8", "utf-8-sig", "utf-16"}
FEEDBACK_FIELDS = ("rating", "text", "review", "ticket", "topic")
"""Fields of reviews, surveys and tickets; an order has none of them."""
LAYOUT_KEYS = {"delimiter", "encoding", "title_lines", "quoted"}
"""What a ready mapping takes over from the layout of a file."""
ITEM_FIELDS = ("product", "quantity", "unit_price", "line_total")
"""Fields of a product; in JSON records they stand in a list."""
STARS_MAX = 5


def proposed_toml(sample: FileSample) -> str:
    """Short, as a person would write it: only what differs from the defaults, doubts in comments."""
    columns, found = sample.columns, found_columns(sample.columns)
    fields = found.fields
    missing = [field for field in ("customer", "time") if field not in fields]
    if missing:
        raise MappingError(
            f"{sample.path}: no column looks like the {' or '.join(missing)}; "
            f"the columns are {', '.join(columns)}; name it in a mapping (docs/import.md) and give that by "
            "--mapping"
        )
    feedback = _feedback_lines(columns, fields)
    _drop_fields_of_others(fields, is_feedback=bool(feedback))
    lines = [
        f"# Proposed for {printable(sample.path.name)}: please check.",
        f"source = {as_toml('/' + sample.path.name.split('.')[0])}",
    ]
    items, paths = _inside_items(fields, sample.lists)
    if items:
        lines.append(f"items = {as_toml(items)} # the list of products in a record")
    lines += ["", "[columns]", *(f"{field} = {as_toml(column)}" for field, column in paths.items())]
    payments = payment_columns(columns, fields, found.words)
    if payments is not None and fields.get("status") in payments.skip:
        fields.pop("status")
    lines += [*payment_lines(payments), "", "[constants]", *feedback]
    if not feedback and "currency" not in fields:
        lines.append(constant_line(columns, fields))
    lines += ["", "[time]", *_time_lines(sample, fields["time"]), *_file_lines(sample)]
    lines += _customer_lines(columns, fields) + _money_lines(columns, fields) + _returns_lines(columns, found)
    lines += mark_lines(columns, fields) + _event_lines(found)
    others = [*payments.of_refunds.values(), *payments.skip] if payments is not None else []
    is_feedback = bool(feedback) or _has_no_purchase(found)
    notes = remarks(columns, found, others, is_feedback=is_feedback)
    return "\n".join([*lines, *([""] if notes else []), *(f"# {printable(line)}" for line in notes)]) + "\n"


def with_time_format_of(sample: FileSample, text: str) -> str:
    """A ready mapping, with the time format of this file where that is another one."""
    mapping = parse_mapping(text, "the ready mapping")
    columns = sample.columns
    column = next((one for one in mapping.columns["time"].split("|") if one in columns), None)
    fits = fitting_formats(columns[column]) if column else []
    if column is None or not fits:
        return text
    line = _time_lines(sample, column)[0]
    best = tomllib.loads(line)["formats"][0]
    if best in mapping.time.formats and " #" not in line:
        return text
    return re.sub(r"^formats = .*$", line.replace("\\", r"\\"), text, count=1, flags=re.M)


def with_layout_of(sample: FileSample, text: str) -> str:
    """A ready mapping, with delimiter, encoding and title lines of this file where they are others."""
    known = tomllib.loads(text).get("file", {})
    lines = [line for line in _file_lines(sample) if line.partition(" = ")[0] in LAYOUT_KEYS - known.keys()]
    if not lines:
        return text
    section = "\n".join(["[file]", *lines])
    return text.replace("[file]", section, 1) if "\n[file]\n" in text else f"{text.rstrip()}\n\n{section}\n"


def with_decimal_of(sample: FileSample, text: str) -> str:
    """A ready mapping that says nothing of money, with the decimal comma of this file where it has one."""
    mapping = tomllib.loads(text)
    if "money" in mapping or "items" in mapping:
        return text
    named = {field: column.rstrip("?").split("|") for field, column in mapping["columns"].items()}
    fields = {field: column for field, all_ in named.items() for column in all_ if column in sample.columns}
    lines = _money_lines(sample.columns, fields)
    return "\n".join([text.rstrip(), *lines]) + "\n" if lines else text


def joined_cells(columns: ColumnSample, column: str) -> list[str]:
    """The cells of a column, or of a date and its clock joined."""
    if column in columns:
        return columns[column]
    parts = [columns[part] for part in column.split("|", maxsplit=1)[0].split("+")]
    return [" ".join(cell.strip() for cell in row if cell.strip()) for row in zip(*parts, strict=False)]


def _inside_items(fields: Mapping[str, str], lists: frozenset[str]) -> tuple[str, dict[str, str]]:
    """The path of the list that has the products, and the columns with `items.x` for what is inside it."""
    inside = [path for path in lists if any(fields.get(f, "").startswith(f"{path}.") for f in ITEM_FIELDS)]
    if not inside:
        return "", dict(fields)
    items = min(inside)
    others = tuple(f"{path}." for path in lists if path != items)
    return items, {
        field: column.replace(f"{items}.", "items.", 1) if column.startswith(f"{items}.") else column
        for field, column in fields.items()
        if not column.startswith(others)
    }


def _has_no_purchase(found: FoundColumns) -> bool:
    return bool(found.words) and PAID not in found.words.values()


def _drop_fields_of_others(fields: dict[str, str], *, is_feedback: bool) -> None:
    unwanted = (
        {*AMOUNT_FIELDS, "quantity", "coupon", "payment_method", "affiliation"}
        if is_feedback
        else FEEDBACK_FIELDS
    )
    for field in unwanted:
        fields.pop(field, None)


def _feedback_lines(columns: ColumnSample, fields: dict[str, str]) -> list[str]:
    """The constants of a file of reviews, of answers to a survey or of tickets; empty for orders."""
    if set(MONEY_FIELDS) & fields.keys() or "event" in fields:
        return []
    if "rating" in fields:
        cells, name = columns[fields["rating"]], simplified(fields["rating"])
        top = _rating_max(cells)
        if top > STARS_MAX and re.search("score|nps|recommend", name):
            return ['event = "feedback.survey_answered"', 'survey_kind = "nps"']
        return ['event = "feedback.reviewed"', f'rating_max = "{top}"']
    plain = {simplified(name): name for name in columns}
    if "topic" in fields and ("ticket" in fields or "id" in plain):
        fields.setdefault("ticket", plain.get("id", ""))
        return ['event = "feedback.ticket_opened" # when a ticket was solved is another column and event']
    return []


def _time_lines(sample: FileSample, column: str) -> list[str]:
    """The format that fits best. Where day and month could be exchanged, the whole file is read to decide."""
    cells = joined_cells(sample.columns, column)
    fits = fitting_formats(cells)
    if fits and any(formats_contradict(fits[0], form) for form in fits[1:]):
        cells = days_in_file(sample.path, column, sample.layout)
        fits = fitting_formats(cells) or fits
    rivals = rival_formats(fits[0], fits, cells) if fits else []
    doubt = f" # every time also fits {', '.join(rivals)}: which is right?" if rivals else ""
    zone = 'zone = "UTC" # of times without a zone: is it right?'
    return [f"formats = {as_toml(fits[:1])}{doubt}", zone]


def _rating_max(cells: list[str]) -> int:
    numbers = [float(text) for text in re.findall(r"\d+(?:\.\d+)?", " ".join(filled(cells)))]
    return 10 if max(numbers, default=STARS_MAX) > STARS_MAX else STARS_MAX


def _file_lines(sample: FileSample) -> list[str]:
    layout = sample.layout
    lines = [f"delimiter = {as_toml(layout.delimiter)}"] if layout.delimiter else []
    if layout.encoding not in UTF_8:
        doubt = encoding_doubt(sample.path, layout.encoding)
        lines.append(f'encoding = "{layout.encoding}"{f" # {doubt}" if doubt else ""}')
    if layout.title_lines:
        lines.append(f"title_lines = {layout.title_lines} # lines above the header")
    if not layout.quoted:
        lines.append("quoted = false # quotation marks are part of the text")
    if layout.names:
        lines.append(f"names = {as_toml(layout.names)} # the file has no header: invented, please check")
    return ["", "[file]", *lines] if lines else []


def _customer_lines(columns: ColumnSample, fields: Mapping[str, str]) -> list[str]:
    names = [name for name in fields["customer"].split("|") if name in columns] or [fields["customer"]]
    texts = [text for name in names for text in filled(columns[name])]
    lines = []
    if any(re.fullmatch(r"\d+\.0", text) for text in texts):
        lines.append("whole_number = true # 17850.0 is customer 17850")
    folded = {text.lower() for text in texts if "@" in text}
    if len(folded) < len({text for text in texts if "@" in text}):
        lines.append("lowercase = true # the same address is written in capital and in small letters")
    return ["", "[customer]", *lines] if lines else []


def _money_lines(columns: ColumnSample, fields: Mapping[str, str]) -> list[str]:
    """A decimal comma, if it reads more of the amounts than the point does; of all cells if none is known.

    Where every amount with a mark has three digits after it, the mark groups thousands, and the line says
    so.
    """
    amounts = [fields[field] for field in AMOUNT_FIELDS if field in fields]
    if amounts and all(is_minor(name) for name in amounts):
        return ["", "[money]", "minor_units = true # by the names of the columns"]
    named = [fields[field] for field in (*AMOUNT_FIELDS, "quantity") if field in fields]
    texts = [text for name in named or columns for text in filled(columns[name])]
    reads, doubts = dict[str, int](), {mark: MarkDoubt(mark) for mark in ".,"}
    for mark, doubt in doubts.items():
        read = amount_reader(MoneyOptions(decimal=mark), doubt)  # type: ignore[arg-type]
        reads[mark] = sum(read(text) is not None for text in texts)
    decimal = "," if reads[","] > reads["."] else "."
    other = "." if decimal == "," else ","
    if named and doubts[decimal].is_open and not _has_three_decimals(columns, fields):
        decimal, other = other, decimal
    elif not named or not doubts[other].is_open or doubts[decimal].is_sure:
        return ["", "[money]", 'decimal = ","'] if decimal == "," else []
    example = doubts[other].example
    whole = example.replace(other, "")
    why = f'{example} is read as {whole}: is it right? Else decimal = "{other}"'
    return ["", "[money]", f'decimal = "{decimal}" # {why}']


def _has_three_decimals(columns: ColumnSample, fields: Mapping[str, str]) -> bool:
    """Whether all amounts are in currencies of three decimals, such as dinars."""
    if "currency" in fields:
        codes = {text.upper() for text in filled(columns[fields["currency"]])}
    else:
        codes = set(re.findall('"([A-Z]{3})"', constant_line(columns, fields)))
    return bool(codes) and all(currency_digits(code) == THOUSANDS_DIGITS for code in codes)


def _returns_lines(columns: ColumnSample, found: FoundColumns) -> list[str]:
    """The prefix of credit notes, and the statuses of refunded orders."""
    lines = _prefix_of_returns(columns, found.fields)
    if REFUNDED in found.words.values() and "order_total" in found.fields:
        lines.append('negative_total = "ignore" # money that was sent, where a payment is negative')
    for option, words in (("whole_orders", WHOLE_REFUNDS), ("parts_of_orders", PART_REFUNDS)):
        texts = [text for text, kind in found.words.items() if kind == PAID and word_of(text) in words]
        if texts:
            lines.append(f"{option} = {as_toml(texts)}")
    return ["", "[returns]", *lines] if lines else []


def _prefix_of_returns(columns: ColumnSample, fields: Mapping[str, str]) -> list[str]:
    """Letters of order numbers for which nearly all lines of their orders are returns."""
    if fields.get("quantity") not in columns or fields.get("order") not in columns:
        return []
    is_return: dict[str, list[bool]] = {}
    for quantity, order in zip(columns[fields["quantity"]], columns[fields["order"]], strict=False):
        letters = re.match(r"[A-Za-z]*", order.strip())
        if letters and re.search("[1-9]", quantity):
            is_return.setdefault(letters[0], []).append(quantity.strip().startswith(("-", "(")))
    prefixes = [p for p, lines in is_return.items() if p and sum(lines) >= READABLE_MIN * len(lines)]
    if len(prefixes) == 1 and len(is_return) > 1:
        return [f"order_prefix = {as_toml(prefixes[0])}"]
    return []


def _event_lines(found: FoundColumns) -> list[str]:
    if not found.words:
        return []
    return [
        "",
        "[events]",
        *(f"{as_toml(text)} = {as_toml(kind)}" for text, kind in found.words.items()),
    ]
