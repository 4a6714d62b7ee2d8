"""Who has left: customers with a rhythm who have been silent for far longer than it; and the tier that they
had while they bought."""

from __future__ import annotations

import numpy as np

from stream.analysis.business.incidents import (
    LEFT_AFTER_DAYS,
    LEFT_AFTER_GAPS,
    PURCHASE_DAYS_MIN,
    SPEND_DAYS,
)
from stream.analysis.statistics.tier_ranks import tier_ranks
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.arrays import Counts, Flags
from stream.fit.history import Snapshot


def compared(snapshot: Snapshot) -> Snapshot:
    """Customers who have a rhythm, and enough time since their first purchase to have left it."""
    return snapshot.only(
        (snapshot.column("frequency") + 1 >= PURCHASE_DAYS_MIN)
        & (snapshot.as_of_ms - snapshot.column("first_ms") >= 2 * LEFT_AFTER_DAYS * DAY_MS)
    )


def have_left(known: Snapshot) -> Flags:
    """Who of customers with a rhythm has left, shape (customers,): silent for LEFT_AFTER_DAYS and for
    LEFT_AFTER_GAPS of their own mean gaps."""
    gaps = (known.column("last_ms") - known.column("first_ms")) / DAY_MS / known.column("frequency")
    left: Flags = known.inactive_days > np.maximum(LEFT_AFTER_DAYS, LEFT_AFTER_GAPS * gaps)
    return left


def tiers_while_active(known: Snapshot, policy: Policy) -> Counts:
    """Rank of each customer's tier, shape (customers,), by spend per day while active."""
    active = (known.column("last_ms") - known.column("first_ms")) / DAY_MS + SPEND_DAYS
    rate = known.total_minor / active
    return tier_ranks(rate, [step.quantile for step in policy.ladder.steps[1:]])
