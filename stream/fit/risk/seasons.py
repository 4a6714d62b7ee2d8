"""Kinds of buyers by the months in which they buy: a mixture of multinomials, fitted by EM.

One kind buys all year; others are begun at each month of the year, and those that nobody needs die out
(Dempster, Laird & Rubin 1977; choice by the Bayesian information criterion, Schwarz 1978). Only customers are
learnt from whose purchases span nearly a year: who was seen in a few months only looks like a seasonal buyer,
whatever they are. A month counts by how often it was there to be bought in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from stream.core.model.record import BuyerKind, Seasons
from stream.core.risk.season import MONTH_DAYS
from stream.core.units import DAY_MS, MONTHS_OF_YEAR, calendar_month, first_day_of_month
from stream.fit.arrays import Counts, Numbers
from stream.fit.history import Snapshot

SPAN_MIN_MS = 330 * DAY_MS
"""From the first purchase to the last: who buys once a year may come a month earlier in the next."""
CUSTOMERS_MIN = 100
"""Of fewer such customers no seasons are learnt."""
CUSTOMERS_MAX = 20_000
"""So many are learnt from, evenly chosen: more would say the same."""
SHARE_MIN = 0.02
"""A smaller kind is left out."""
ROUNDS = 60
"""Of EM; later ones move no share by a visible amount."""
SMOOTHING = 12.0
"""Purchases spread over a whole year that each kind is given beforehand, so that no month is impossible."""
IN_SEASON = 0.8
"""Share of the year's purchases in the three months with which a kind is begun: half of it in the middle
one."""
ALL_YEAR: Numbers = np.array(MONTH_DAYS) / sum(MONTH_DAYS)
"""Every day like any other, shape (12,)."""


@dataclass(frozen=True)
class BoughtMonths:
    """What is learnt from; arrays have shape (customers, 12), January first."""

    bought: Numbers
    """Purchase days by month of the year, without the first: when a customer was won says when shops win."""
    lived: Numbers
    """How often each month was there between the first purchase and the snapshot; parts count as parts."""


@dataclass(frozen=True)
class Kinds:
    """A mixture: shares have shape (kinds,), months (kinds, 12); each row adds up to 1."""

    shares: Numbers
    months: Numbers


def fit_seasons(snapshot: Snapshot, learnt: str) -> Seasons | None:
    """The kinds of buyers of a snapshot; None where one kind that buys all year explains them as well.

    `learnt` is the record's sentence about what it was learnt from.
    """
    found = months_of(snapshot)
    if len(found.bought) < CUSTOMERS_MIN:
        return None
    best = _best(found, _begun())
    if best is None:
        return None
    order = np.argsort(-best.shares, kind="stable")
    shares, months = _rounded(best.shares[order]), _rounded(best.months[order])
    kinds = (
        BuyerKind(share=share, months=tuple(row))
        for share, row in zip(shares.tolist(), months.tolist(), strict=True)
    )
    return Seasons(kinds=tuple(kinds), learnt=learnt)


def months_of(snapshot: Snapshot) -> BoughtMonths:
    """The months of the customers of a snapshot who can be learnt from."""
    first_ms, last_ms = snapshot.column("first_ms"), snapshot.column("last_ms")
    places = np.flatnonzero(last_ms - first_ms >= SPAN_MIN_MS)
    places = places[:: max(1, len(places) // CUSTOMERS_MAX)]
    rows = [snapshot.features[place].by_month or (0,) * MONTHS_OF_YEAR for place in places]
    bought = np.array(rows, dtype=np.float64).reshape(len(rows), MONTHS_OF_YEAR)
    first_days = (first_ms[places] // DAY_MS).astype(np.int64)
    first_months = [calendar_month(int(day)) % MONTHS_OF_YEAR for day in first_days]
    bought[np.arange(len(places)), first_months] -= 1.0
    end = np.full(len(places), (snapshot.as_of_ms + DAY_MS) // DAY_MS)
    return BoughtMonths(np.maximum(bought, 0.0), _passed(end) - _passed(first_days + 1))


def _passed(days: Counts) -> Numbers:
    """How often each month of the year has passed until the beginning of days, shape (days, 12)."""
    different, where = np.unique(days, return_inverse=True)
    months = [calendar_month(int(day)) for day in different]
    begins = np.array([first_day_of_month(month) for month in months])
    ends = np.array([first_day_of_month(month + 1) for month in months])
    years, place = np.divmod(months, MONTHS_OF_YEAR)
    inside = place + (different - begins) / (ends - begins)
    passed: Numbers = years[:, None] + np.clip(inside[:, None] - np.arange(MONTHS_OF_YEAR), 0.0, 1.0)
    return passed[where]


def _begun() -> Kinds:
    """A kind that buys all year, and one around each month."""
    seasons = np.full((MONTHS_OF_YEAR, MONTHS_OF_YEAR), (1.0 - IN_SEASON) / MONTHS_OF_YEAR)
    for place in range(MONTHS_OF_YEAR):
        for near, part in ((0, 0.5), (-1, 0.25), (1, 0.25)):
            seasons[place, (place + near) % MONTHS_OF_YEAR] += IN_SEASON * part
    shares = np.concatenate([[0.5], np.full(MONTHS_OF_YEAR, 0.5 / MONTHS_OF_YEAR)])
    return Kinds(shares, np.vstack([ALL_YEAR, seasons]))


def _best(months: BoughtMonths, kinds: Kinds) -> Kinds | None:
    """The mixture with the lowest criterion among those from which the smallest kind is taken again and
    again; None: buying all year has the lowest."""
    best, lowest = None, -2.0 * _likelihood(months, Kinds(np.ones(1), ALL_YEAR[None]))
    while True:
        kinds = _em(months, kinds)
        free = len(kinds.shares) * MONTHS_OF_YEAR - 1
        criterion = free * np.log(len(months.bought)) - 2.0 * _likelihood(months, kinds)
        if criterion < lowest and kinds.shares.min() >= SHARE_MIN:
            best, lowest = kinds, criterion
        if len(kinds.shares) == 1:
            return best
        keep = np.arange(len(kinds.shares)) != int(np.argmin(kinds.shares))
        kinds = Kinds(kinds.shares[keep] / kinds.shares[keep].sum(), kinds.months[keep])


def _em(months: BoughtMonths, kinds: Kinds) -> Kinds:
    for _ in range(ROUNDS):
        chances = np.exp(_fits(months, kinds))
        chances /= chances.sum(axis=1, keepdims=True)
        shares = np.maximum(chances.mean(axis=0), 1e-9)
        bought = chances.T @ months.bought + SMOOTHING * ALL_YEAR
        rates = bought / np.maximum(chances.T @ months.lived, 1e-9)
        kinds = Kinds(shares / shares.sum(), rates / rates.sum(axis=1, keepdims=True))
    return kinds


def _fits(months: BoughtMonths, kinds: Kinds) -> Numbers:
    """Log-likelihood of each customer's months under each kind, less the best; shape (customers, kinds)."""
    fits: Numbers = months.bought @ np.log(kinds.months).T + np.log(kinds.shares)
    fits -= fits.max(axis=1, keepdims=True)
    return fits


def _likelihood(months: BoughtMonths, kinds: Kinds) -> float:
    """Log-likelihood of the months of all customers, given how many purchases each made."""
    reachable = months.lived @ kinds.months.T / np.maximum(months.lived.mean(axis=1, keepdims=True), 1e-9)
    fits = months.bought @ np.log(kinds.months).T + np.log(kinds.shares)
    fits -= months.bought.sum(axis=1, keepdims=True) * np.log(reachable)
    return float(logsumexp(fits, axis=1).sum())


def _rounded(shares: Numbers) -> Numbers:
    """Shares with eight decimals that add up to 1 along the last axis: the largest takes the rest."""
    short: Numbers = np.round(shares, 8)
    largest = short.argmax(axis=-1, keepdims=True)
    rest = 1.0 - short.sum(axis=-1, keepdims=True)
    np.put_along_axis(short, largest, np.take_along_axis(short, largest, -1) + rest, -1)
    rounded: Numbers = np.round(short, 8)
    return rounded
