"""What happens after something went wrong: each occasion against customers in the same place who were spared.

An occasion is the first time in a pause between two purchases that something went wrong. Its customer is
compared, as of that day, with all of the same tier, pace and length of silence who were spared it in their
own pause. So those who stay have not had more time to complain, and leaving does not lower the tier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stream.analysis.business.ledger import Books
from stream.analysis.statistics.exact import Tables
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.arrays import Counts, Flags, Numbers

LEFT_AFTER_GAPS = 3.0
"""Who is silent for more than this many own mean gaps (and the least silence) has left."""
LEFT_AFTER_DAYS = 60.0
DAYS_MIN = 3
"""Purchase days without which there is no rhythm to fall out of."""
SILENCES = (0.5, 1.0, 2.0)
"""Bands of silence, in own mean gaps."""
PACE_STEP = 2.0
"""Bands of the mean gap, in doublings: narrower ones leave few to compare with."""
TIER, PACE = 64, 8
"""Places of tier and pace in a group's number."""


@dataclass(frozen=True)
class Pauses:
    """Every pause after a purchase, by customer and time, until the first that ended in leaving."""

    customer: Counts
    began: Counts
    """The day of the purchase."""
    ended: Counts
    """The day of the next one, or that by which the customer counts as gone."""
    gap: Numbers
    """The mean gap so far, days."""
    worth: Numbers
    """Spend a day so far."""
    left: Flags
    decided: Flags
    """Whether what followed was seen."""


class Sore(NamedTuple):
    """Pauses in which one kind of thing went wrong, and the day it first did."""

    pauses: Counts
    days: Counts


Row = tuple[int, int, int, int, int, frozenset[int]]
"""Of one group on one day: hits, exposed, left, total, tier, and who was exposed."""


@dataclass(frozen=True)
class Occasions:
    """All occasions of one kind in groups of one tier."""

    name: str
    tables: Tables
    tiers: Counts
    """Of each group."""
    customers: tuple[frozenset[int], ...]
    """Of each group, who suffered."""


def pauses(books: Books, customers: Sequence[str], end_ms: int) -> Pauses:
    """Of customers with a rhythm."""
    rows: list[tuple[float, ...]] = []
    for number, customer in enumerate(customers):
        orders = books.history.orders.get(customer, {})
        days = sorted({at_ms // DAY_MS for at_ms in orders.values() if at_ms < end_ms})
        if len(days) >= DAYS_MIN:
            rows += _pauses_of(number, days, books.paid.get(customer, ()), end_ms // DAY_MS)
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 7).T
    whole = columns[:3].astype(np.int64)
    return Pauses(whole[0], whole[1], whole[2], columns[3], columns[4], columns[5] > 0.0, columns[6] > 0.0)


def _pauses_of(
    number: int, days: Sequence[int], paid: Sequence[tuple[int, int]], end: int
) -> list[tuple[float, ...]]:
    found: list[tuple[float, ...]] = []
    moved = sorted(paid)
    spent, at = 0, 0
    for place, day in enumerate(days):
        while at < len(moved) and moved[at][0] // DAY_MS <= day:
            spent += moved[at][1]
            at += 1
        if place + 1 < DAYS_MIN:
            continue
        gap = (day - days[0]) / place
        patience = int(max(LEFT_AFTER_DAYS, LEFT_AFTER_GAPS * gap))
        following = days[place + 1] if place + 1 < len(days) else None
        left = (following if following is not None else end) - day > patience
        gone = day + patience + 1
        ended = gone if left or following is None else following
        decided = left or following is not None
        found.append((number, day, ended, gap, spent / (day - days[0] + 30.0), left, decided))
        if left:
            break
    return found


def occasions(books: Books, customers: Sequence[str], end_ms: int, policy: Policy) -> list[Occasions]:
    """Of every kind of thing that went wrong."""
    held = pauses(books, customers, end_ms)
    numbers = {customer: number for number, customer in enumerate(customers)}
    suffered = _suffered(books, numbers, held, end_ms)
    groups = _Groups(held, policy)
    found: dict[str, list[Row]] = {}
    for day in sorted({day for sore in suffered.values() for day in sore.days.tolist()}):
        groups.look(day)
        for name, sore in suffered.items():
            found.setdefault(name, []).extend(groups.tables(sore))
    return [_joined(name, tables) for name, tables in sorted(found.items()) if tables]


def _suffered(books: Books, numbers: Mapping[str, int], held: Pauses, end_ms: int) -> dict[str, Sore]:
    """Per kind: in which pauses it happened, and on which day first."""
    starts = np.searchsorted(held.customer, np.arange(len(numbers) + 1))
    found: dict[str, dict[int, int]] = {}
    for customer, news in books.suffered.items():
        number = numbers.get(customer)
        if number is None:
            continue
        low, high = int(starts[number]), int(starts[number + 1])
        for at_ms, name in sorted(news):
            day = at_ms // DAY_MS
            row = low + int(np.searchsorted(held.began[low:high], day, side="right")) - 1
            if low <= row and day < held.ended[row] and at_ms < end_ms:
                found.setdefault(name, {}).setdefault(row, day)
    return {
        name: Sore(np.array(list(rows), dtype=np.int64), np.array(list(rows.values()), dtype=np.int64))
        for name, rows in found.items()
    }


class _Groups:
    """The pauses that are open on one day, in groups of like ones."""

    def __init__(self, held: Pauses, policy: Policy) -> None:
        self._held = held
        self._quantiles = [step.quantile for step in policy.ladder.steps[1:]]
        self._pace = paces(held.gap)
        self._group = np.zeros(len(held.left), dtype=np.int64)
        self._day = 0

    def look(self, day: int) -> None:
        """Take this day: who is where."""
        held = self._held
        self._day = day
        self._open = np.flatnonzero((held.began <= day) & (day < held.ended) & held.decided)
        here = self._open
        tiers = np.searchsorted(
            np.quantile(held.worth[here], self._quantiles) if len(here) else [],
            held.worth[here],
            side="right",
        )
        silence = np.searchsorted(SILENCES, (day - held.began[here]) / held.gap[here], side="right")
        self._group[here] = tiers * TIER + self._pace[here] * 4 + silence
        self._total = np.bincount(self._group[here], minlength=1)
        self._left = np.bincount(self._group[here], weights=held.left[here], minlength=1).astype(np.int64)

    def tables(self, sore: Sore) -> list[Row]:
        """One per group with an occasion today."""
        held, day = self._held, self._day
        known = held.decided[sore.pauses]
        today = sore.pauses[known & (sore.days == day)]
        away = sore.pauses[known & (sore.days < day) & (day < held.ended[sore.pauses])]
        found: list[Row] = []
        for group in np.unique(self._group[today]).tolist():
            exposed, others = today[self._group[today] == group], away[self._group[away] == group]
            total = int(self._total[group]) - len(others)
            left = int(self._left[group]) - int(held.left[others].sum())
            if total > len(exposed):
                hits = int(held.left[exposed].sum())
                who = frozenset(held.customer[exposed].tolist())
                found.append((hits, len(exposed), left, total, group // TIER, who))
        return found


def _joined(name: str, tables: Sequence[Row]) -> Occasions:
    columns = np.array([one[:5] for one in tables], dtype=np.int64).T
    return Occasions(name, Tables(*columns[:4]), columns[4], tuple(one[5] for one in tables))


def paces(gap_days: Numbers) -> Counts:
    """The band of each mean gap."""
    bands: Counts = np.floor(np.log2(np.maximum(gap_days, 1.0)) / PACE_STEP).astype(np.int64)
    return np.minimum(bands, PACE - 1)


def of_tiers(one: Occasions, wanted: Callable[[int], bool]) -> tuple[Tables, int]:
    """The groups of some tiers, and how many customers suffered in them."""
    keep = np.array([wanted(int(tier)) for tier in one.tiers], dtype=bool)
    who = {customer for kept, group in zip(keep, one.customers, strict=True) if kept for customer in group}
    return Tables(*(column[keep] for column in one.tables)), len(who)
