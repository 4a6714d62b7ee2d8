"""How many customers there are, and their values together: from the table of counts where that can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stream.page.store.store import Reading
from stream.page.store.tables import KNOWN_MINOR


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
    if of_rows or reading.rows("SELECT value FROM meta WHERE name = 'indexed'") != [("1",)]:
        sql = (
            f"SELECT {named}COUNT(*), SUM({KNOWN_MINOR}) FROM customers WHERE {where} {by}HAVING COUNT(*) > 0"
        )
    else:
        sums = "SUM(customers), SUM(minor)"
        sql = f"SELECT {named}{sums} FROM cells WHERE {where} {by}HAVING SUM(customers) > 0"
    return [(*row[:-2], int(row[-2]), int(row[-1])) for row in reading.rows(sql, values)]


def customers_known(reading: Reading) -> int:
    """All customers."""
    return sum(customers for customers, _ in counted(reading, ()))


def currencies(reading: Reading) -> list[tuple[str, int]]:
    """Each currency with the number of its customers, most first; without those who never bought."""
    found = [(name, many) for name, many, _ in counted(reading, ("currency",), "currency <> ''")]
    return sorted(found, key=lambda each: (-each[1], each[0]))
