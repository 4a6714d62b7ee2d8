"""Customers at risk on an earlier day who bought again, and how many would have done so anyway."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stream.analysis.business.ledger import Ledger
from stream.core.units import DAY_MS
from stream.fit.arrays import Numbers
from stream.fit.history import Snapshot


@dataclass(frozen=True)
class WinBack:
    """What the customers of one tier who were at risk on the earlier day have done since."""

    tier: str
    at_risk: int
    came_back: int
    expected_back: float
    """How many were expected to buy again by their risk then, once their own horizon has passed."""
    value_back_minor: int
    """What those who bought again have paid for orders since, less refunds of these, in minor units."""


def win_backs(
    ledger: Ledger,
    before: Snapshot,
    risks: tuple[Numbers, float],
    tiers: Mapping[str, int],
    names: Sequence[str],
) -> list[WinBack]:
    """One row per tier of `names`; `tiers` are customer -> rank in `names`.

    `risks` are the risks on the earlier day, shape (customers,), and the risk from which on one is at risk.
    """
    risk, raise_at = risks
    found = []
    for rank, name in enumerate(names):
        at_risk, back, expected, spent = 0, 0, 0.0, 0
        for customer, score in zip(before.customers, risk, strict=True):
            if score < raise_at or tiers[customer] != rank:
                continue
            since_ms = before.as_of_ms + DAY_MS
            orders = ledger.history.orders.get(customer, {}).values()
            paid = ledger.payments.get(customer, ())
            at_risk += 1
            back += any(at_ms >= since_ms for at_ms in orders)
            expected += 1.0 - float(score)
            spent += max(0, sum(one.minor for one in paid if one.order_ms >= since_ms))
        found.append(WinBack(name, at_risk, back, expected, spent))
    return found


def reported_outcomes(ledger: Ledger) -> dict[str, int]:
    """Outcomes that were reported for actions on alerts (saved, churned, ignored) -> how many."""
    counts: Counter[str] = Counter()
    for profile in ledger.history.profiles.values():
        counts.update(profile.identity.outcomes)
    return {outcome: count for outcome, count in sorted(counts.items()) if count > 0}
