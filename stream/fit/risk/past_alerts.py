"""The alerts that would have been raised in the past, at any level, and what became of them.

A level is put in force for customers who stand above it already, and for those who reach it later. The first
are raised at once, some of them far above the level; the second as they cross it, once their own silence is
long enough for the rule. So what an alert is worth cannot be read off the customers above a level, nor off
those at it: here every silence of past windows is followed as the rule follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from stream.core.policy.policy import AlertKind
from stream.fit.arrays import Counts, Flags, Numbers
from stream.fit.risk.silences import NEVER_MS, Silences


class PastAlerts(NamedTuple):
    """Alerts at one level; all arrays have shape (alerts,)."""

    customer: Counts
    window: Counts
    """The number of the window in whose first moment it was raised; -1: later, as the risk reached it."""
    right: Numbers
    """Whether the customer stayed silent for the horizon, 0 or 1; its probability where that is not over."""

    @property
    def at_start(self) -> Flags:
        """Which alerts were raised in the first moment of a window."""
        return self.window >= 0


def alerts_at(
    silences: Silences,
    kind: AlertKind,
    level: float,
    starts_ms: Sequence[int],
    until_ms: int,
    *,
    expire_ms: int,
    seen: bool,
) -> PastAlerts:
    """The alerts of one kind that a level (log-odds) would have raised: about who stood above it at each
    start, and about who reached it after the first start and up to `until_ms`.

    `expire_ms`: after this an alert of at_risk_loyal expires, and gives way to one of churn_risk.
    `seen`: what became of them is known; else it is their risk.
    """
    reached = silences.reached_at(level)
    groups = []
    for number, start_ms in enumerate(starts_ms):
        standing = (reached <= start_ms) & (silences.next > start_ms) & (silences.since <= start_ms)
        standing &= silences.covered(kind, start_ms, held=False)
        groups.append(
            _raised(silences.only(standing), np.full(int(standing.sum()), float(start_ms)), number, seen)
        )
    crossing = (reached > starts_ms[0]) & (reached <= until_ms) & (reached < silences.next)
    crossing &= silences.covered(kind, reached, held=True)
    groups.append(_raised(silences.only(crossing), reached[crossing], -1, seen))
    if kind == "churn_risk":
        second = _after_loyal(silences, reached, starts_ms[0], expire_ms)
        late = (second <= until_ms) & (second < silences.next) & (second <= silences.held_until)
        groups.append(_raised(silences.only(late), second[late], -1, seen))
    return PastAlerts(*(np.concatenate(columns) for columns in zip(*groups, strict=True)))


def _after_loyal(silences: Silences, reached: Numbers, start_ms: float, expire_ms: int) -> Numbers:
    """When an alert of at_risk_loyal has expired, so that churn_risk is raised; infinite without one."""
    begun = np.maximum(reached, start_ms)
    held = np.where(
        reached > start_ms,
        silences.covered("at_risk_loyal", begun, held=True),
        silences.covered("at_risk_loyal", begun, held=False),
    )
    return np.where(held & (begun < silences.next), begun + expire_ms, NEVER_MS)


def _raised(silences: Silences, at_ms: Numbers, window: int, seen: bool) -> PastAlerts:
    right = (
        (silences.next > at_ms + silences.horizon).astype(np.float64)
        if seen
        else expit(silences.odds_at(at_ms))
    )
    return PastAlerts(silences.customer, np.full(len(at_ms), window), right)
