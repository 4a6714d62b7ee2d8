"""What a proposal leaves out: columns that are not used, and what follows from those that are missing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stream.core.currency import currency_digits
from stream.importing.files.events.line_values import SCIENTIFIC
from stream.importing.files.suggest.column_names import (
    COLUMN_PATTERNS,
    MONEY_FIELDS,
    SEPARATE_ZONE,
    is_minor,
    simplified,
    simplified_status,
)
from stream.importing.files.suggest.currencies import currency_remarks
from stream.importing.files.suggest.found_columns import FoundColumns
from stream.importing.files.suggest.sample import ColumnSample
from stream.importing.files.suggest.time_formats import filled
from stream.importing.files.suggest.words import is_status, is_type

VALUES_SHOWN, TYPES_MAX = 6, 20
AMOUNTS_MIN, CENTS_MIN = 2, 100
"""From so many whole amounts, all of so many units, on, they may be cents."""
NO_ORDER = "No column looks like the number of an order: each line counts as an order of its own."
NO_MONEY = (
    "No column looks like money: every order would count as 0, and no alert can follow. "
    "Name it in [columns]: order_total, line_total or unit_price."
)


def remarks(
    columns: ColumnSample, found: FoundColumns, others: Sequence[str] = (), *, is_feedback: bool
) -> list[str]:
    """Sentences for people, without the mark of a comment; `others`: columns that are used beside fields."""
    fields, lines = found.fields, list[str]()
    if not is_feedback:
        if not fields.keys() & set(MONEY_FIELDS):
            lines.append(NO_MONEY)
        if "order" not in fields:
            lines.append(NO_ORDER)
        lines += currency_remarks(columns, fields) + _of_whole_amounts(columns, fields)
    lines += [
        f"{fields[field]!r} is taken as the {field} for its cells, not for its name: is it right?"
        for field in found.by_cells
    ]
    lines += [f"{name!r} holds shares between 0 and 1: no amount, so it is not used." for name in found.rates]
    lines += [
        f"{name!r} is the same for orders of different worth: a rate, no amount, so it is not used."
        for name in found.percents
    ]
    differing = [name for name in found.statuses if name not in others]
    if differing:
        named = " and ".join(map(repr, differing))
        lines.append(
            f"Lines of one order differ in {named} only: they are taken as one line, by its latest status. "
            'Where each is a piece of its own: [orders] status_lines = "each".'
        )
    lines += _of_blank_statuses(columns, fields)
    used = {
        part for column in fields.values() for one in column.split("|") for part in [one, *one.split("+")]
    } | {*others}
    for name, cells in columns.items():
        lines += _of_used(name, cells, fields) if name in used else _of_unused(name, cells)
    unused = [name for name in columns if name not in used]
    if unused:
        lines.append(f"Not used: {', '.join(unused)}.")
    return lines


def _of_whole_amounts(columns: ColumnSample, fields: dict[str, str]) -> list[str]:
    """Amounts without decimals may be cents: then every order would be worth a hundred times as much."""
    names = [fields[field] for field in MONEY_FIELDS if fields.get(field) in columns]
    texts = [text for name in names if not is_minor(name) for text in filled(columns[name])]
    worth = [int(text) for text in texts if text.isdecimal()]
    codes = {text.upper() for text in filled(columns.get(fields.get("currency", ""), []))}
    is_whole = len(worth) == len(texts) >= AMOUNTS_MIN and min(worth, default=0) >= CENTS_MIN
    if not is_whole or (codes and not any(currency_digits(code) for code in codes)):
        return []
    return ["All amounts are whole numbers: if they are cents, set minor_units = true in [money]."]


def _of_unused(name: str, cells: list[str]) -> list[str]:
    texts = sorted(set(filled(cells)))
    if texts and is_status(simplified_status(name)) and simplified(name) != "state":
        more = ", ..." if len(texts) > VALUES_SHOWN else ""
        return [
            f"{name!r} is not used ({', '.join(texts[:VALUES_SHOWN])}{more}): "
            "lines count whatever it says. To leave some out: event = ... in [columns], "
            "and what each value means in [events]."
        ]
    if 1 < len(texts) <= TYPES_MAX and is_type(simplified(name)):
        return [f"{name!r} is not used ({', '.join(texts[:VALUES_SHOWN])}): lines count whatever it says."]
    if texts and re.fullmatch(COLUMN_PATTERNS["bot"][0], simplified(name)):
        more = ", ..." if len(texts) > VALUES_SHOWN else ""
        return [
            f"{name!r} may say which messages a program opened ({', '.join(texts[:VALUES_SHOWN])}{more}): "
            "then they are no sign of life. Name it in [columns] (bot = ...), and in [values.bot] what each "
            "of its values means, true or false."
        ]
    if texts and re.search(SEPARATE_ZONE, name.lower()):
        return [f"{name!r} is not used ({texts[0]}): times without a zone are taken in the zone of [time]."]
    if texts and re.search("refund|cancel|void|storn|erstatt", simplified(name)):
        return [f"{name!r} is not used: refunds and cancellations in it are not seen."]
    return []


def _of_blank_statuses(columns: ColumnSample, fields: dict[str, str]) -> list[str]:
    """Exports of one line per product often say what is true of the order on its first line only."""
    cells = columns.get(fields.get("event", ""), [])
    blank = sum(not cell.strip() for cell in cells)
    if not blank:
        return []
    return [
        f"{fields['event']!r} is blank on {blank:,} of {len(cells):,} lines, which are rejected. Where only "
        'the first line of an order says it: fill_down = ["event"] above [columns], and order = ... in it.'
    ]


def _of_used(name: str, cells: list[str], fields: dict[str, str]) -> list[str]:
    if any(SCIENTIFIC.fullmatch(text) for text in filled(cells)) and _is_id(name, fields):
        return [
            f"{name!r} holds numbers like {_example(cells)}: their digits are lost, such lines are rejected."
        ]
    return []


def _is_id(name: str, fields: dict[str, str]) -> bool:
    return any(name in fields.get(field, "") for field in ("customer", "order", "product"))


def _example(cells: list[str]) -> str:
    return next(text for text in filled(cells) if SCIENTIFIC.fullmatch(text))
