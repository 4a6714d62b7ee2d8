"""How many customers and open alerts there are, and what they come to: from the tables of counts where that
can be; and whether so many in the highest tier can be right."""

from __future__ import annotations

from collections.abc import Sequence
from operator import sub
from typing import Any, NamedTuple

from stream.page.screens.view import View
from stream.page.store.store import Reading
from stream.page.store.tables import KNOWN_MINOR, OPEN_SUMS
from stream.wording.amounts import share

RANKED_MIN = 200
"""Of fewer customers the shares of the tiers say little."""
TOP_TIMES_MAX = 3.0
"""How many times as many customers as the policy means may be in the highest tier, before it is said."""
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


class UnlikeTiers(NamedTuple):
    """That the borders of the tiers are those of another shop, in words."""

    what: str
    to_do: str


def tiers_unlike(reading: Reading, view: View) -> UnlikeTiers | None:
    """Whether the borders of the tiers are those of another shop; None where they seem to fit.

    They come with the model: one that was learnt on other customers, such as the shipped one, may call nearly
    everybody the best.
    """
    ranked = {tier: customers for tier, customers, _ in counted(reading, ("tier",), "tier >= 0")}
    names, meant = view.basis.tier_names, 1.0 - view.basis.policy.ladder.steps[-1].quantile
    top, whole = ranked.get(len(names) - 1, 0), sum(ranked.values())
    if whole < RANKED_MIN or top <= TOP_TIMES_MAX * meant * whole:
        return None
    return UnlikeTiers(
        f"Tiers, values and alerts do not fit this shop: {top:,} of {whole:,} customers are {names[-1]}, "
        f"where the best {share(meant)} are meant.",
        "The model was learnt on other customers. Let one be fitted to this shop's own events: stream try "
        "makes one in its folder, stream fit one for --model, and stream fit publish sends one to running "
        "workers.",
    )


def currencies(reading: Reading) -> list[tuple[str, int]]:
    """Each currency with the number of its customers, most first; without those who never bought."""
    found = [(name, many) for name, many, _ in counted(reading, ("currency",), "currency <> ''")]
    return sorted(found, key=lambda each: (-each[1], each[0]))
