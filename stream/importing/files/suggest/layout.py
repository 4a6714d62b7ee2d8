"""How a text file is laid out: delimiter, title lines, quotation marks, and whether it has a header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from stream.importing.files.mapping.mapping import FileOptions, MoneyOptions, TimeOptions
from stream.importing.files.reading.header import DELIMITERS, separator_of
from stream.importing.files.reading.quotes import lenient_cells
from stream.importing.files.suggest.time_formats import ANY_HOME
from stream.importing.files.values.amounts import amount_reader
from stream.importing.files.values.instants import instant_reader
from stream.recording.event_file import open_unpacked

LINES_JUDGED = 60
"""Lines by which delimiter and title lines are guessed."""
DATA_FORMATS = ("iso", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y%m%d", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M")
"""Formats by which a cell of a first line is known to be a time, and so no column name."""


def first_lines(path: Path, encoding: str, most: int) -> list[str]:
    """The first lines of a text file, with their line ends."""
    with io.TextIOWrapper(open_unpacked(path), encoding, errors="replace", newline="") as text:
        return list(islice(text, most))


def guessed_layout(lines: Sequence[str], kind: str, encoding: str) -> FileOptions:
    """The options that read these lines; `kind` is csv or tsv."""
    separator = separator_of(lines[0]) if lines else None
    below = lines[1:] if separator else lines
    delimiter = separator or ("\t" if kind == "tsv" else guessed_delimiter(below))
    titles = 0 if separator else _title_lines(below, delimiter)
    rows = [lenient_cells(line, delimiter) for line in below[titles:] if line.strip()]
    names = _invented_names(rows) if rows and _is_data(rows[0]) else ()
    is_default = separator is not None or delimiter == ("\t" if kind == "tsv" else ",")
    return FileOptions(
        encoding=encoding,
        delimiter=None if is_default else delimiter,
        title_lines=titles,
        quoted=_is_quoted(below[titles:], delimiter),
        names=names,
    )


def guessed_delimiter(lines: Sequence[str]) -> str:
    """The delimiter that gives most lines the same number of cells; of several the one with most cells."""
    judged = [line for line in lines[:LINES_JUDGED] if line.strip()]

    def fit(delimiter: str) -> float:
        width, times = _usual_width(judged, delimiter)
        return 0 if width < 2 else width * times / len(judged)

    return max(DELIMITERS, key=fit)


def _usual_width(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    """The most frequent number of cells, and how many lines have it."""
    widths = Counter(len(lenient_cells(line, delimiter)) for line in lines)
    return max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))


def _title_lines(lines: Sequence[str], delimiter: str) -> int:
    """Lines above the header: those with fewer cells than nearly all lines have."""
    judged = lines[:LINES_JUDGED]
    width, times = _usual_width([line for line in judged if line.strip()], delimiter)
    if width < 2 or times < 2:
        return 0
    for number, line in enumerate(judged):
        cells = lenient_cells(line, delimiter)
        if len(cells) >= width and sum(bool(cell.strip()) for cell in cells) > len(cells) / 2:
            return number
    return 0


def _is_quoted(lines: Sequence[str], delimiter: str) -> bool:
    """False where quotation marks are not written by the rules, and without quoting every line fits."""
    text = "".join(lines)
    if '"' not in text:
        return True
    try:
        list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        return True
    except csv.Error:
        pass
    widths = {line.count(delimiter) for line in lines if line.strip()}
    return len(widths) != 1


def _is_data(cells: Sequence[str]) -> bool:
    """Whether a first line holds values: a time, an address, or nearly only numbers."""
    times = instant_reader(TimeOptions(formats=DATA_FORMATS, zone=ANY_HOME))
    amount = amount_reader(MoneyOptions())
    filled = [cell.strip() for cell in cells if cell.strip()]
    if any(times(cell) is not None or re.fullmatch(r"[^@\s]+@[^@\s]+\.\w+", cell) for cell in filled):
        return True
    return len(filled) > 1 and sum(amount(cell) is not None for cell in filled) >= len(filled) - 1


def _invented_names(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Names for the columns of a file without a header, by what is in them."""
    width = len(rows[0])
    whole = [row for row in rows if len(row) == width]
    columns = [[row[at].strip() for row in whole] for at in range(width)]
    kinds = [_kind(cells) for cells in columns]
    ids = [at for at, kind in enumerate(kinds) if kind == "id"]
    names = list(kinds)
    for role, at in zip(_roles(columns, ids), ids, strict=True):
        names[at] = role
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name}{seen[name]}")
    return tuple(unique)


def _kind(cells: Sequence[str]) -> str:
    times = instant_reader(TimeOptions(formats=DATA_FORMATS, zone=ANY_HOME))
    amount = amount_reader(MoneyOptions())
    filled = [cell for cell in cells if cell]
    if filled and all(times(cell) is not None for cell in filled):
        return "date"
    if filled and all("@" in cell for cell in filled):
        return "email"
    if filled and all(amount(cell) is not None for cell in filled):
        if any(re.search(r"[.,]\d{2}$", cell) for cell in filled):
            return "amount"
        return "quantity" if all(len(cell) <= 2 for cell in filled) else "id"
    return "id" if filled and all(re.fullmatch(r"[\w#-]*\d[\w#-]*", cell) for cell in filled) else "text"


def _roles(columns: Sequence[Sequence[str]], ids: Sequence[int]) -> list[str]:
    """Of several columns of ids, an order has one customer, and a customer has several orders."""
    roles = dict.fromkeys(ids, "id")
    pairs = [(a, b) for a in ids for b in ids if a != b and _determines(columns[a], columns[b])]
    found = next(((a, b) for a, b in pairs if (b, a) not in pairs), None)
    if found:
        roles[found[0]], roles[found[1]] = "order_id", "customer_id"
    elif ids:
        roles[ids[0]] = "customer_id"
    return ["product_id" if role == "id" else role for role in (roles[at] for at in ids)]


def _determines(cells: Sequence[str], others: Sequence[str]) -> bool:
    """Whether each value of one column stands beside one value of the other only."""
    seen: dict[str, str] = {}
    return all(seen.setdefault(cell, other) == other for cell, other in zip(cells, others, strict=True))
