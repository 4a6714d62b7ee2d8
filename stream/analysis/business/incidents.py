"""Who leaves after something went wrong, compared with customers in the same situation to whom it did not
happen.

A pause is the time between two purchases of a customer. An incident is the first time in a pause that one
kind of thing goes wrong. Its customer is compared, as of that day, with all customers of the same value tier,
pace and length of silence in whose current pause it has not happened. Because everybody is compared as of
that day, those who stay have not had more time to complain, and leaving does not lower a tier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stream.analysis.business.ledger import Ledger
from stream.analysis.business.payments import Payment
from stream.analysis.statistics.exact import ContingencyTables
from stream.analysis.statistics.tier_ranks import tier_ranks
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.arrays import Counts, Flags, Numbers

LEFT_AFTER_GAPS = 3.0
"""Who is silent for more than this many of their own mean gaps, and LEFT_AFTER_DAYS, has left."""
LEFT_AFTER_DAYS = 60.0
PURCHASE_DAYS_MIN = 3
"""Purchase days from which on a customer has a rhythm, and can be said to have left it."""
SPEND_DAYS = 30.0
"""Added to the days that spend per day is taken over: two purchases in two days are no fortune."""
SILENCES = (0.5, 1.0, 2.0)
"""Bounds between the bands of silence, in the customer's own mean gaps."""
PACE_STEP = 2.0
"""Width of a band of mean gaps, in doublings: narrower bands leave too few customers to compare."""
TIER_PLACE, PACE_BANDS = 64, 8
"""The number of a group is tier * 64 + band of pace * 4 + band of silence."""


@dataclass(frozen=True)
class Pauses:
    """Every pause after a purchase, by customer and time, up to the first that ended with the customer
    leaving.

    All arrays have shape (pauses,).
    """

    customer: Counts
    """Index of the customer."""
    began: Counts
    """Day of the purchase, in days since 1970."""
    ended: Counts
    """Day of the next purchase, or the day from which the customer counts as having left."""
    gap: Numbers
    """The customer's mean gap so far, in days."""
    spend: Numbers
    """The customer's spend per day so far, in minor units."""
    left: Flags
    decided: Flags
    """Whether the history shows how the pause ended."""


class Incidents(NamedTuple):
    """All incidents of one kind: their pauses and their days, both of shape (incidents,)."""

    pauses: Counts
    days: Counts


class GroupRow(NamedTuple):
    """The comparison of one group on one day, as counts of pauses."""

    hits: int
    """Pauses with an incident on this day that ended with the customer leaving."""
    exposed: int
    """Pauses with an incident on this day."""
    left: int
    """Pauses, with and without an incident, that ended with the customer leaving."""
    total: int
    tier: int
    customers: frozenset[int]
    """Customers with an incident on this day."""


@dataclass(frozen=True)
class MatchedIncidents:
    """All comparisons of one kind of incident; each group is of one tier."""

    name: str
    tables: ContingencyTables
    tiers: Counts
    """Tier of each group, shape (groups,)."""
    customers: tuple[frozenset[int], ...]
    """Customers with an incident, for each group."""


def pauses(ledger: Ledger, customers: Sequence[str], end_ms: int) -> Pauses:
    """The pauses of all customers who have a rhythm, up to `end_ms`."""
    rows: list[tuple[float, ...]] = []
    for number, customer in enumerate(customers):
        orders = ledger.history.orders.get(customer, {})
        days = sorted({at_ms // DAY_MS for at_ms in orders.values() if at_ms < end_ms})
        if len(days) >= PURCHASE_DAYS_MIN:
            rows += _pauses_of(number, days, ledger.payments.get(customer, ()), end_ms // DAY_MS)
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 7).T
    whole = columns[:3].astype(np.int64)
    return Pauses(whole[0], whole[1], whole[2], columns[3], columns[4], columns[5] > 0.0, columns[6] > 0.0)


def _pauses_of(
    number: int, days: Sequence[int], payments: Sequence[Payment], end: int
) -> list[tuple[float, ...]]:
    """The columns of Pauses for one customer, from purchase days in order; `end` is the last day."""
    found: list[tuple[float, ...]] = []
    moved = sorted(payments)
    spent, at = 0, 0
    for place, day in enumerate(days):
        while at < len(moved) and moved[at].at_ms // DAY_MS <= day:
            spent += moved[at].minor
            at += 1
        if place + 1 < PURCHASE_DAYS_MIN:
            continue
        gap = (day - days[0]) / place
        patience = int(max(LEFT_AFTER_DAYS, LEFT_AFTER_GAPS * gap))
        following = days[place + 1] if place + 1 < len(days) else None
        left = (following if following is not None else end) - day > patience
        gone = day + patience + 1
        ended = gone if left or following is None else following
        decided = left or following is not None
        found.append((number, day, ended, gap, spent / (day - days[0] + SPEND_DAYS), left, decided))
        if left:
            break
    return found


def matched_incidents(
    ledger: Ledger, customers: Sequence[str], end_ms: int, policy: Policy
) -> list[MatchedIncidents]:
    """Every kind of incident, compared day by day and group by group."""
    all_pauses = pauses(ledger, customers, end_ms)
    numbers = {customer: number for number, customer in enumerate(customers)}
    by_kind = _incidents_by_kind(ledger, numbers, all_pauses, end_ms)
    groups = _DailyGroups(all_pauses, policy)
    found: dict[str, list[GroupRow]] = {}
    for day in sorted({day for incidents in by_kind.values() for day in incidents.days.tolist()}):
        groups.move_to(day)
        for name, incidents in by_kind.items():
            found.setdefault(name, []).extend(groups.rows(incidents))
    return [_joined(name, rows) for name, rows in sorted(found.items()) if rows]


def _incidents_by_kind(
    ledger: Ledger, numbers: Mapping[str, int], all_pauses: Pauses, end_ms: int
) -> dict[str, Incidents]:
    """Kind -> the pauses in which it happened, with the first day that it did."""
    starts = np.searchsorted(all_pauses.customer, np.arange(len(numbers) + 1))
    found: dict[str, dict[int, int]] = {}
    for customer, news in ledger.incidents.items():
        number = numbers.get(customer)
        if number is None:
            continue
        low, high = int(starts[number]), int(starts[number + 1])
        for at_ms, name in sorted(news):
            day = at_ms // DAY_MS
            row = low + int(np.searchsorted(all_pauses.began[low:high], day, side="right")) - 1
            if low <= row and day < all_pauses.ended[row] and at_ms < end_ms:
                found.setdefault(name, {}).setdefault(row, day)
    return {
        name: Incidents(np.array(list(rows), dtype=np.int64), np.array(list(rows.values()), dtype=np.int64))
        for name, rows in found.items()
    }


class _DailyGroups:
    """The pauses that are open on one day, in groups of the same tier, pace and length of silence."""

    def __init__(self, all_pauses: Pauses, policy: Policy) -> None:
        self._pauses = all_pauses
        self._quantiles = [step.quantile for step in policy.ladder.steps[1:]]
        self._pace = pace_bands(all_pauses.gap)
        self._group = np.zeros(len(all_pauses.left), dtype=np.int64)
        self._day = 0

    def move_to(self, day: int) -> None:
        """Group the pauses that are open on this day."""
        every = self._pauses
        self._day = day
        here = np.flatnonzero((every.began <= day) & (day < every.ended) & every.decided)
        tiers = tier_ranks(every.spend[here], self._quantiles)
        silence = np.searchsorted(SILENCES, (day - every.began[here]) / every.gap[here], side="right")
        self._group[here] = tiers * TIER_PLACE + self._pace[here] * 4 + silence
        self._total = np.bincount(self._group[here], minlength=1)
        self._left = np.bincount(self._group[here], weights=every.left[here], minlength=1).astype(np.int64)

    def rows(self, incidents: Incidents) -> list[GroupRow]:
        """One row per group of like customers in which an incident fell on the day looked at.

        A pause (the days since a purchase) in which an incident had come earlier is not counted.
        """
        every, day = self._pauses, self._day
        known = every.decided[incidents.pauses]
        today = incidents.pauses[known & (incidents.days == day)]
        earlier = incidents.pauses[known & (incidents.days < day) & (day < every.ended[incidents.pauses])]
        found: list[GroupRow] = []
        for group in np.unique(self._group[today]).tolist():
            exposed, others = today[self._group[today] == group], earlier[self._group[earlier] == group]
            total = int(self._total[group]) - len(others)
            left = int(self._left[group]) - int(every.left[others].sum())
            if total > len(exposed):
                hits = int(every.left[exposed].sum())
                customers = frozenset(every.customer[exposed].tolist())
                found.append(GroupRow(hits, len(exposed), left, total, group // TIER_PLACE, customers))
        return found


def _joined(name: str, rows: Sequence[GroupRow]) -> MatchedIncidents:
    columns = np.array([row[:5] for row in rows], dtype=np.int64).T
    return MatchedIncidents(
        name, ContingencyTables(*columns[:4]), columns[4], tuple(row.customers for row in rows)
    )


def pace_bands(gap_days: Numbers) -> Counts:
    """Sort mean gaps between purchases (days, any shape) into bands: 0 holds the shortest, PACE_BANDS - 1 the
    longest.

    A band is PACE_STEP doublings wide and includes its lower edge; gaps below one day count as one day.
    """
    bands: Counts = np.floor(np.log2(np.maximum(gap_days, 1.0)) / PACE_STEP).astype(np.int64)
    return np.minimum(bands, PACE_BANDS - 1)


def tables_of_tiers(one: MatchedIncidents, wanted: Callable[[int], bool]) -> tuple[ContingencyTables, int]:
    """The groups whose tier is wanted, and how many customers had an incident in them."""
    keep = np.array([wanted(int(tier)) for tier in one.tiers], dtype=bool)
    who = {customer for kept, group in zip(keep, one.customers, strict=True) if kept for customer in group}
    return ContingencyTables(*(column[keep] for column in one.tables)), len(who)
