"""The currency of a proposal: which column holds it, what its marks mean, or which one the amounts name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from stream.importing.files.currency_marks import (
    CODES,
    CurrencyFault,
    MarkedCurrency,
    currency_cell,
    marked_currency,
    named_currency,
)
from stream.importing.files.suggest.column_names import (
    AMOUNT_FIELDS,
    CURRENCY_NAMES,
    UNIT_IN_NAME,
    simplified,
)
from stream.importing.files.suggest.sample import ColumnSample
from stream.importing.files.suggest.time_formats import filled
from stream.toml_text import as_toml

NAMED_MIN = 0.5
"""Share of the cells that must be currencies where only the name of a column says that it holds them."""
AMOUNTS_SEARCHED = 50
"""Amounts of each column that are searched for a currency."""
TEXTS_SHOWN = 4


def currency_columns(free: Sequence[str], columns: ColumnSample) -> list[str]:
    """The columns that hold currencies, the surest first: by name and cells, by cells alone, by name alone.

    A column that is called currency counts although none of its cells can be read: its lines are then
    rejected, and do not become dollars.
    """
    named = [name for pattern in CURRENCY_NAMES for name in free if re.fullmatch(pattern, simplified(name))]
    by_both = [name for name in named if _share(columns[name], _is_named) >= NAMED_MIN]
    by_cells = [name for name in free if _share(columns[name], _is_evident) == 1.0]
    by_name = [
        name for name in named if filled(columns[name]) and re.fullmatch(CURRENCY_NAMES[0], simplified(name))
    ]
    return list(dict.fromkeys((*by_both, *by_cells, *by_name)))


def mark_lines(columns: ColumnSample, fields: Mapping[str, str]) -> list[str]:
    """The section of the mapping that says what the open marks of the column mean; none without such marks.

    A dollar sign is taken as US dollars, with a doubt; other marks are left to the reader, and rejected.
    """
    lines = []
    for text, fault in _faults(columns, fields):
        if fault.reason == "currency_ambiguous":
            others = ", ".join(sorted(_fitting(text) - {fault.example}))
            line = f'{as_toml(text)} = "{fault.example}" # also written for {others}: '
            lines.append(line + "is it right?" if fault.example == "USD" else f"# {line}which is it?")
    return ["", "[values.currency]", *lines] if lines else []


def currency_remarks(columns: ColumnSample, fields: Mapping[str, str]) -> list[str]:
    """What is odd about the currencies of a file, in sentences."""
    column, lines = fields.get("currency"), []
    if column is None:
        codes = {found.meant for name in _money(fields) if (found := _in_name(name)) and found.meant}
        if len(codes) > 1:
            lines.append(f"The columns of money are in {' and '.join(sorted(codes))}: they are taken as one.")
        return lines
    faults = _faults(columns, fields)
    for text, fault in faults:
        if fault.reason == "currency_ambiguous":
            lines.append(f"{text!r} in {column!r} is written for several currencies: see [values.currency].")
    unread = [repr(text) for text, fault in faults if fault.reason == "currency_unreadable"]
    if unread:
        more = ", ..." if len(unread) > TEXTS_SHOWN else ""
        shown = ", ".join(unread[:TEXTS_SHOWN]) + more
        lines.append(f"{column!r} also holds {shown}: no currency, such lines are rejected.")
    for name in currency_columns([one for one in columns if one not in fields.values()], columns):
        lines.append(f"{name!r} holds currencies as well: are the amounts in {column!r}?")
    return lines


def constant_line(columns: ColumnSample, fields: Mapping[str, str]) -> str:
    """The line of [constants]: the currency of a column's name (`Total (EUR)`), else the one most written
    beside amounts, else dollars. A mark of several currencies is left to the reader, but for the dollar sign.
    """
    found = _most_written(columns, fields)
    code = (found.meant or found.example) if found is not None and found.fitting else "USD"
    line = f'currency = "{code}" # no column has it: is it right?'
    if found is None or not found.fitting or found.meant or code == "USD":
        return line
    mark = next(text for text in _texts(columns, fields) if marked_currency(text) == found)
    written = re.sub(r"[+-]?\d[\d.,\s]*", "", mark).strip()
    others = ", ".join(sorted(found.fitting))
    return f"# {line.partition(' #')[0]} # {written!r} is written for {others}: which is it?"


def _money(fields: Mapping[str, str]) -> list[str]:
    return [fields[field] for field in AMOUNT_FIELDS if field in fields]


def _in_name(name: str) -> MarkedCurrency | None:
    found = UNIT_IN_NAME.search(name)
    return currency_cell(next(group for group in found.groups() if group)) if found else None


def _most_written(columns: ColumnSample, fields: Mapping[str, str]) -> MarkedCurrency | None:
    for name in _money(fields) or list(columns):
        if found := _in_name(name):
            return found
    marks = Counter(found for text in _texts(columns, fields) if (found := marked_currency(text)) is not None)
    return max(marks, key=lambda found: marks[found], default=None)


def _texts(columns: ColumnSample, fields: Mapping[str, str]) -> list[str]:
    names = _money(fields) or list(columns)
    return [text for name in names for text in filled(columns[name])[:AMOUNTS_SEARCHED]]


def _faults(columns: ColumnSample, fields: Mapping[str, str]) -> list[tuple[str, CurrencyFault]]:
    """The different texts of the column of currencies that name no single one."""
    texts = dict.fromkeys(filled(columns.get(fields.get("currency", ""), [])))
    found = [(text.strip(), named_currency(text)) for text in texts]
    return [(text, fault) for text, fault in found if isinstance(fault, CurrencyFault)]


def _fitting(text: str) -> frozenset[str]:
    found = currency_cell(text)
    return found.fitting if found else frozenset()


def _share(cells: list[str], is_currency: Callable[[str], bool]) -> float:
    texts = filled(cells)
    return sum(map(is_currency, texts)) / len(texts) if texts else 0.0


def _is_named(text: str) -> bool:
    return currency_cell(text) is not None


def _is_evident(text: str) -> bool:
    """A usual code or a sign: a column of such texts holds currencies, whatever it is called."""
    text = text.strip()
    return text in CODES or (not (text.isascii() and text.isalpha()) and currency_cell(text) is not None)
