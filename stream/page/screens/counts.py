"""How many customers and open alerts there are, and what they come to: from the tables of counts where that
can be."""

from __future__ import annotations

from collections.abc import Sequence
from operator import sub
from typing import Any

from stream.page.store.store import Reading
from stream.page.store.tables import KNOWN_MINOR, OPEN_SUMS

MUTED = "SELECT customer FROM mutes WHERE until_ms > ?"


def counted(
    reading: Reading,
    columns: Sequence[str],
    where: str = "1 = 1",
    values: Sequence[Any] = (),
    *,
    of_rows: bool = False,
) -> list[tuple[Any, ...]]:
    """The columns, customers, and their values together, of the customers of a condition.

    `of_rows`: the condition names more than is counted by (stream/page/cells.py), so rows are looked at. So
    they are in a store that is being filled.
    """
    named = "".join(f"{column}, " for column in columns)
    by = f"GROUP BY {', '.join(columns)} " if columns else ""
    if of_rows or not _is_counted(reading):
        sql = (
            f"SELECT {named}COUNT(*), SUM({KNOWN_MINOR}) FROM customers WHERE {where} {by}HAVING COUNT(*) > 0"
        )
    else:
        sums = "SUM(customers), SUM(minor)"
        sql = f"SELECT {named}{sums} FROM cells WHERE {where} {by}HAVING SUM(customers) > 0"
    return [(*row[:-2], int(row[-2]), int(row[-1])) for row in reading.rows(sql, values)]


def open_counted(
    reading: Reading,
    columns: Sequence[str],
    where: str,
    values: Sequence[Any] = (),
    *,
    muted_after_ms: int | None = None,
) -> list[tuple[Any, ...]]:
    """The columns, open alerts, how many have no known stake, and mean and variance of the stakes together.

    The condition may name what is counted by (`OPEN_COUNTED_BY`). `muted_after_ms`: without the customers of
    whom nobody wants to hear after that instant; they are few.
    """
    named = "".join(f"{column}, " for column in columns)
    by = f"WHERE {where} " + (f"GROUP BY {', '.join(columns)}" if columns else "")
    sums = "SUM(alerts), SUM(unknown), SUM(mean), SUM(variance)"
    of_all = f"SELECT {named}{sums} FROM open_cells {by}"
    if not _is_counted(reading):
        of_all = f"SELECT {named}{OPEN_SUMS} FROM open_alerts {by}"
    found = {row[:-4]: row[-4:] for row in reading.rows(of_all, values) if row[-4]}
    if muted_after_ms is not None:
        muted = f"SELECT {named}{OPEN_SUMS} FROM open_alerts JOIN ({MUTED}) m USING (customer) {by}"
        for row in reading.rows(muted, [muted_after_ms, *values]):
            if row[-4]:
                found[row[:-4]] = tuple(map(sub, found[row[:-4]], row[-4:]))
    return [
        (*key, int(alerts), int(unknown), max(0.0, mean), max(0.0, variance))
        for key, (alerts, unknown, mean, variance) in found.items()
        if alerts
    ]


def _is_counted(reading: Reading) -> bool:
    """Not while the store is filled for the first time."""
    return reading.rows("SELECT value FROM meta WHERE name = 'indexed'") == [("1",)]


def customers_known(reading: Reading) -> int:
    """All customers."""
    return sum(customers for customers, _ in counted(reading, ()))


def currencies(reading: Reading) -> list[tuple[str, int]]:
    """Each currency with the number of its customers, most first; without those who never bought."""
    found = [(name, many) for name, many, _ in counted(reading, ("currency",), "currency <> ''")]
    return sorted(found, key=lambda each: (-each[1], each[0]))
