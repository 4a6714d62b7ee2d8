"""Which column is which field: by its name, and by what is in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from stream.importing.files.events.line_values import SCIENTIFIC
from stream.importing.files.events.single_events import BOT_WORDS
from stream.importing.files.mapping.mapping import NOBODY
from stream.importing.files.suggest.column_names import (
    AMOUNT_FIELDS,
    COLUMN_PATTERNS,
    COUNTED,
    MONEY_FIELDS,
    OTHER_TIMES,
    SEPARATE_CLOCK,
    SEPARATE_ZONE,
    simplified,
    simplified_status,
)
from stream.importing.files.suggest.currencies import currency_columns
from stream.importing.files.suggest.histories import choose_statuses, choose_store
from stream.importing.files.suggest.rates import READERS, is_share, is_tax_rate
from stream.importing.files.suggest.sample import ColumnSample
from stream.importing.files.suggest.time_formats import filled, fitting_formats
from stream.importing.files.suggest.words import (
    EVENT_WORDS,
    PAID,
    STATUS_WORDS,
    TYPE_WORDS,
    is_event,
    is_status,
    is_type,
    meanings,
    of_payment,
)
from stream.importing.files.zones import named_zone

READ_MIN = 0.5
"""Share of the cells that must be numbers in a column of amounts; the others may be n/a."""
ZONED = re.compile(r"(Z|[+-]\d\d:?\d\d|[A-Za-z]{3,})\)?$")
"""A time that ends in a zone of its own, or in words that may be one."""
FILLED_MIN = 0.9
"""Share of the lines that must have a customer for one column to be enough."""


class FoundColumns(NamedTuple):
    """The columns of a proposal, and what was seen on the way."""

    fields: dict[str, str]
    """Field -> column, `A|B` or `A+B` where several fill it."""
    words: dict[str, str]
    """Values of the column of statuses or events -> event type or `ignore`."""
    rates: list[str]
    """Columns named like an amount that hold shares between 0 and 1."""
    by_cells: tuple[str, ...] = ()
    """Fields, of customer and time, whose column was taken for its cells, although no name fits."""
    percents: tuple[str, ...] = ()
    """Columns called tax that hold its rate in percent."""
    statuses: tuple[str, ...] = ()
    """Columns of statuses in which lines of one order differ that are equal else."""


def found_columns(columns: ColumnSample) -> FoundColumns:
    """A column is used once; the customer may have fallbacks, the time its date and clock."""
    fields: dict[str, str] = {}
    rates, percents = list[str](), list[str]()
    for field in COLUMN_PATTERNS:
        free = [name for name in columns if name not in fields.values()]
        fits = _fitting(field, free, columns, rates)
        if fits:
            fields[field] = fits[0]
    _choose_customer(columns, fields)
    by_cells = _by_cells(columns, fields)
    _join_clock(columns, fields)
    _choose_order(columns, fields)
    _choose_money(columns, fields)
    if (tax := fields.get("tax")) and is_tax_rate(tax, columns, fields):
        percents.append(fields.pop("tax"))
    _choose_product(columns, fields)
    _choose_currency(columns, fields)
    column, words = _event_column(columns, fields)
    if column:
        fields["event"] = column
    if not any("message_" in kind for kind in words.values()):
        fields.pop("bot", None)
    statuses = choose_statuses(columns, fields)
    choose_store(columns, fields)
    return FoundColumns(fields, words, rates, by_cells, tuple(percents), statuses)


def varies(cells: Sequence[str], orders: Sequence[str]) -> bool:
    """Whether the cells differ within an order: then they are said of each line."""
    seen: dict[str, str] = {}
    return any(
        seen.setdefault(order, cell) != cell
        for cell, order in zip(cells, orders, strict=False)
        if cell.strip()
    )


def are_amounts(cells: Sequence[str]) -> bool:
    """Whether nearly all cells that are not blank are numbers."""
    texts = filled(list(cells))
    return any(sum(read(text) is not None for text in texts) >= READ_MIN * len(texts) for read in READERS)


def _fitting(field: str, free: list[str], columns: ColumnSample, rates: list[str]) -> list[str]:
    """The columns whose names fit, the surest name first, and whose cells can be what the name says."""
    fits = [
        name
        for pattern in COLUMN_PATTERNS[field]
        for name in free
        if re.fullmatch(pattern, simplified(name)) and _can_be(field, name, columns[name])
    ]
    fits = list(dict.fromkeys(fits))
    if field in AMOUNT_FIELDS:
        shares = [name for name in fits if field != "tax" and is_share(columns[name])]
        rates += [name for name in shares if name not in rates and field not in MONEY_FIELDS]
        fits = [name for name in fits if name not in shares or field in MONEY_FIELDS]
    return fits


def _can_be(field: str, name: str, cells: list[str]) -> bool:
    if not filled(cells):
        return not cells  # a column that is always blank holds nothing
    if field in {"product", "name"} and re.fullmatch(COUNTED, simplified(name)):
        return not are_counts(cells)
    if field == "time":
        return bool(fitting_formats(cells))
    if field in AMOUNT_FIELDS or field == "quantity":
        return are_amounts(cells)
    if field == "bot":
        return all(text.lower() in BOT_WORDS for text in filled(cells))
    return field != "rating" or any(re.search(r"\d", text) for text in filled(cells))


def are_counts(cells: Sequence[str]) -> bool:
    """Whether all cells that are not blank are whole numbers as of pieces in a basket."""
    return all(re.fullmatch(r"\d{1,3}([.,]0+)?", text) for text in filled(list(cells)))


def _by_cells(columns: ColumnSample, fields: dict[str, str]) -> tuple[str, ...]:
    """The fields that no name is of; each is put into `fields` with the first column that looks like it."""
    found = []
    for field, looks_like in (("customer", _are_addresses), ("time", _are_times)):
        free = [name for name in columns if name not in fields.values()]
        fits = [name for name in free if looks_like(name, columns[name])]
        if field not in fields and fits:
            fields[field] = fits[0]
            found.append(field)
    return tuple(found)


def _are_addresses(name: str, cells: list[str]) -> bool:
    texts = filled(cells)
    return bool(texts) and all(re.fullmatch(r"[^@\s]+@[^@\s]+\.\w+", text) for text in texts)


def _are_times(name: str, cells: list[str]) -> bool:
    """Digits alone are no time: they may be a telephone number or an order."""
    texts = filled(cells)
    if not texts or re.search(OTHER_TIMES, simplified(name)):
        return False
    is_number = any(re.fullmatch(r"[\d.,]+", text) for text in texts if not _is_day(text))
    return not is_number and bool(fitting_formats(cells))


def _is_day(text: str) -> bool:
    """`3.11.2025`: digits and points, but of a day."""
    return re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{2,4}|\d{4}\.\d{2}\.\d{2}", text) is not None


def _choose_customer(columns: ColumnSample, fields: dict[str, str]) -> None:
    """Where the first column is blank on many lines, the next one fills in: the address, the telephone."""
    if "customer" not in fields:
        return
    used = [column for field, column in fields.items() if field != "customer"]
    fits = [name for name in _fitting("customer", list(columns), columns, []) if name not in used]
    chosen: list[str] = []
    for name in fits:
        if _share_filled(columns, [*chosen, name]) > _share_filled(columns, chosen) + 0.001:
            chosen.append(name)
        if _share_filled(columns, chosen) >= FILLED_MIN:
            break
    fields["customer"] = "|".join(chosen or fits[:1])


def _share_filled(columns: ColumnSample, names: list[str]) -> float:
    if not names:
        return 0.0
    lines = list(zip(*(columns[name] for name in names), strict=False))
    known = sum(any(_is_somebody(cell.strip()) for cell in line) for line in lines)
    return known / max(len(lines), 1)


def _is_somebody(text: str) -> bool:
    return bool(text) and text.lower() not in NOBODY and not SCIENTIFIC.fullmatch(text)


def _join_clock(columns: ColumnSample, fields: dict[str, str]) -> None:
    """A date without a clock is joined with the column of the clock, and with that of the zone."""
    date = fields.get("time")
    if date is None:
        return
    if any(":" in text for text in filled(columns[date])):
        has_zone = any(ZONED.search(text) for text in filled(columns[date]))
        fields["time"] = "+".join([date, *(() if has_zone else _zones(columns))])
        return
    for name in columns:
        texts = filled(columns[name])
        if name == date or not re.fullmatch(SEPARATE_CLOCK, simplified(name)) or not texts:
            continue
        if all(re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?", text) for text in texts):
            fields["time"] = "+".join([date, name, *_zones(columns)])
            return


def _zones(columns: ColumnSample) -> list[str]:
    fits = [name for name in columns if re.fullmatch(SEPARATE_ZONE, name.lower())]
    return [name for name in fits if all(named_zone(text) for text in set(filled(columns[name])))][:1]


def _choose_order(columns: ColumnSample, fields: dict[str, str]) -> None:
    """A column `id` that differs on every line is the order where nothing else is."""
    if "order" in fields or not set(MONEY_FIELDS) & fields.keys() or "rating" in fields:
        return
    for name in columns:
        if name.lower() == "id" and len(set(columns[name])) == len(columns[name]):
            fields["order"] = name


def _choose_currency(columns: ColumnSample, fields: dict[str, str]) -> None:
    free = [name for name in columns if name not in fields.values()]
    if fits := currency_columns(free, columns):
        fields["currency"] = fits[0]


def _choose_product(columns: ColumnSample, fields: dict[str, str]) -> None:
    """Where few lines have an id of the product, its name stands for it, and else its category."""
    if "product" in fields and "name" in fields:
        ids, names = (filled(columns[fields[field]]) for field in ("product", "name"))
        if len(ids) < FILLED_MIN * len(names):
            fields.pop("product")
    if "product" not in fields and "name" in fields:
        fields["product"] = fields.pop("name")
    elif "product" not in fields and "category" in fields and "order" in fields:
        fields["product"] = fields["category"]


def _choose_money(columns: ColumnSample, fields: dict[str, str]) -> None:
    """Prices of pieces, or amounts of lines, and the total of the order; never two that say the same."""
    orders = columns.get(fields.get("order", ""), [])
    total = fields.get("order_total")
    if total and orders and varies(columns[total], orders) and "line_total" not in fields:
        fields["line_total"] = fields.pop("order_total")
    if "unit_price" in fields and "quantity" in fields:
        fields.pop("line_total", None)
    elif "unit_price" in fields and fields.keys() & {"line_total", "order_total"}:
        fields.pop("unit_price")
    if "unit_price" in fields and _is_line_price(fields):
        fields["line_total"] = fields.pop("unit_price")
    if "order_total" not in fields and simplified(fields.get("line_total", "")).startswith("net"):
        fields.pop("discount", None)  # it was taken off already
    if "tax" in fields and not _has_net_prices(fields):
        fields.pop("tax")


def _is_line_price(fields: dict[str, str]) -> bool:
    """`item-price` of Amazon is the price of all pieces of a line."""
    quantity, order = (simplified(fields.get(field, "")) for field in ("quantity", "order"))
    is_amazon = quantity == "quantitypurchased" or order == "amazonorderid"
    return is_amazon and simplified(fields["unit_price"]) == "itemprice"


def _has_net_prices(fields: dict[str, str]) -> bool:
    """Whether adding the tax is right: beside a total it is not added, beside net sales it is missing."""
    if "order_total" in fields:
        return True
    line = simplified(fields.get("line_total", ""))
    return line in {"netsales", "netsale", "netamount", "itemprice", "grosssales"}


def _event_column(columns: ColumnSample, fields: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The column of statuses or events whose every word is known; a status only where orders are paid."""
    for name in sorted(columns, key=lambda name: not of_payment(name)):
        if name in fields.values():
            continue
        plain = simplified(name)
        words = meanings(columns[name], EVENT_WORDS) if is_event(plain) else {}
        if not words and is_type(plain) and fields.keys() & set(MONEY_FIELDS):
            types = meanings(columns[name], TYPE_WORDS)
            words = types if PAID in types.values() and len(set(types.values())) > 1 else {}
        if not words and is_status(simplified_status(name)) and fields.keys() & set(MONEY_FIELDS):
            words = meanings(columns[name], STATUS_WORDS)
        if words:
            return name, words
    return "", {}
