"""What a batch changes of rows that are there already: only that is written.

A round over all customers changes a risk here and a value there. An index is touched only by an UPDATE that
names one of its columns, so each row is updated in the columns that differ, and a row that is the same is
left alone: a million rows that are replaced as a whole, with eleven indexes, are gigabytes of log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import compress
from operator import add, itemgetter, ne
from typing import Any, NamedTuple

from msgspec.structs import astuple

from stream.page.cells import COUNTED_BY, OPEN_COUNTED_BY
from stream.page.entries import CustomerEntry, OpenEntry
from stream.page.store.tables import StoreTable

Row = tuple[Any, ...]
Read = Callable[[str, Sequence[Any]], list[Row]]
"""Runs a query (`Reading.rows`)."""
NAMES_AT_ONCE = 500


class Differences(NamedTuple):
    """Of one table."""

    added: list[Row]
    updated: dict[tuple[str, ...], list[Row]]
    """Columns -> their new values, then the key, of each row that differs in just these."""
    removed: list[Row]
    """Keys."""
    before: list[Row]
    """The rows that are changed or removed, as they are."""
    after: list[Row]
    """The rows that are changed or added, as they are to be."""


def differences(
    table: StoreTable, before: Iterable[Row], after: Iterable[Row], replaced: Collection[str]
) -> Differences:
    """From the rows that are there to those of a batch. `replaced`: customers of whom nothing else stays."""
    names = table.entry.__struct_fields__
    places = [*map(names.index, table.key)]
    key_of, customer = itemgetter(*places), names.index("customer")
    found = Differences([], defaultdict(list), [], [], [])
    known = {key_of(row): row for row in before}
    for row in {key_of(row): row for row in after}.values():
        old = known.pop(key_of(row), None)
        if old == row:
            continue
        found.after.append(row)
        if old is None:
            found.added.append(row)
            continue
        found.before.append(old)
        differs = [*map(ne, old, row)]
        new = (*compress(row, differs), *(row[place] for place in places))
        found.updated[tuple(compress(names, differs))].append(new)
    left = [row for row in known.values() if row[customer] in replaced]
    found.before.extend(left)
    found.removed.extend(tuple(row[place] for place in places) for row in left)
    return found


def update_statement(table: StoreTable, columns: Sequence[str]) -> str:
    """The statement that sets these columns of the row of a key."""
    sets = ", ".join(f"{name} = ?" for name in columns)
    return f"UPDATE {table.name} SET {sets} WHERE {' AND '.join(f'{name} = ?' for name in table.key)}"


def customers_moved(found: Differences) -> list[Row]:
    """What is to be added to the cells of customers."""
    return _moved(found, _counted_by, lambda row: (1, row[_VALUE] if row[_STEP] >= 0 else 0))


def alerts_moved(found: Differences) -> list[Row]:
    """What is to be added to the cells of open alerts."""
    return _moved(found, _open_counted_by, lambda row: (1, int(row[_STAKE] < 0), row[_MEAN], row[_VARIANCE]))


def _moved(
    found: Differences, cell_of: Callable[[Row], Row], amounts_of: Callable[[Row], tuple[float, ...]]
) -> list[Row]:
    sums: dict[Row, tuple[float, ...]] = {}
    for sign, rows in ((-1, found.before), (1, found.after)):
        for row in rows:
            amounts = tuple(sign * amount for amount in amounts_of(row))
            cell = cell_of(row)
            sums[cell] = tuple(map(add, sums[cell], amounts)) if cell in sums else amounts
    return [(*cell, *amounts) for cell, amounts in sums.items() if any(amounts)]


_place, _open_place = CustomerEntry.__struct_fields__.index, OpenEntry.__struct_fields__.index
_counted_by = itemgetter(*map(_place, COUNTED_BY))
_open_counted_by = itemgetter(*map(_open_place, OPEN_COUNTED_BY))
_VALUE, _STEP = _place("value_minor"), _place("value_step")
_STAKE, _MEAN, _VARIANCE = map(_open_place, ("stake_minor", "stake_mean", "stake_variance"))


def rows_of(entries: Iterable[Any]) -> list[Row]:
    """Entries as rows."""
    return [astuple(entry) for entry in entries]


def rows_named(table: StoreTable, customers: Collection[str], read: Read) -> list[Row]:
    """The rows of these customers that are there."""
    names, found = sorted(customers), []
    columns = ", ".join(table.entry.__struct_fields__)
    for start in range(0, len(names), NAMES_AT_ONCE):
        some = names[start : start + NAMES_AT_ONCE]
        marks = ", ".join("?" * len(some))
        found += read(f"SELECT {columns} FROM {table.name} WHERE customer IN ({marks})", some)
    return found
