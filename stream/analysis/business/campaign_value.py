"""What the customers of a campaign are worth, compared with what it cost to win them.

Value is the margin earned so far plus the expected discounted margin within the policy's horizon, per
customer. Its interval is a bootstrap over the campaign's customers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from stream.analysis.business.ledger import Ledger
from stream.core.judgement.worth import expected_of
from stream.core.model.record import Model
from stream.core.policy.policy import Finance
from stream.core.risk.outlook import outlook
from stream.core.value.lifetime import valuation
from stream.fit.arrays import Numbers
from stream.fit.history import Snapshot
from stream.fit.risk.risk_layer import churn_risks

RESAMPLES = 400
SEED = 7
"""Fixed seed of the bootstrap, so that the same history gives the same report."""


@dataclass(frozen=True)
class CampaignValue:
    """One campaign or channel; money in minor units. The field names are keys of the report's JSON."""

    name: str
    customers: int
    cost_minor: int
    cost_per_customer_minor: float | None
    worth_minor: float
    """Mean value per customer: earned so far plus expected."""
    worth_low_minor: float
    worth_high_minor: float
    earned_minor: float
    """The part of it that was earned so far."""
    ratio: float | None
    """Value per customer over cost per customer."""
    payback_ms: int | None
    """When the earnings had covered the cost of the campaign; None: not yet."""


def campaign_values(
    ledger: Ledger, snapshot: Snapshot, model: Model, finance: Finance, *, field: str
) -> list[CampaignValue]:
    """One value per campaign or channel (`field`), the largest cost first.

    Customers of unknown origin are left out.
    """
    values = _values_of_each(ledger, snapshot, model, finance)
    groups: dict[str, list[str]] = {}
    for customer in snapshot.customers:
        origin = getattr(ledger.history.profiles[customer].identity, field)
        if origin:
            groups.setdefault(origin, []).append(customer)
    costs: dict[str, int] = {}
    for cost in ledger.costs.values():
        name = getattr(cost, field)
        costs[name] = costs.get(name, 0) + cost.spend_minor
    found = [
        _one(name, groups.get(name, []), costs.get(name, 0), values, (ledger, finance))
        for name in groups | costs
    ]
    return sorted(found, key=lambda one: (-one.cost_minor, one.name))


def _values_of_each(
    ledger: Ledger, snapshot: Snapshot, model: Model, finance: Finance
) -> Mapping[str, tuple[float, float]]:
    """Customer -> (margin earned so far, expected discounted margin), in minor units."""
    rules = valuation(model, finance.horizon_ms, finance.annual_discount, finance.margin)
    found: dict[str, tuple[float, float]] = {}
    risks = churn_risks(model, snapshot) if model.risk is not None else ()
    for customer, one, risk in zip_longest(snapshot.customers, snapshot.features, risks):
        chance = None if risk is None else 1.0 - float(risk)
        seen = outlook(model, rules, one, snapshot.as_of_ms)
        expected = expected_of(rules, seen, one.monetary_minor, chance)
        earned = finance.margin * sum(one.minor for one in ledger.payments.get(customer, ()))
        found[customer] = (earned, expected)
    return found


def _one(
    name: str,
    customers: Sequence[str],
    cost_minor: int,
    values: Mapping[str, tuple[float, float]],
    money: tuple[Ledger, Finance],
) -> CampaignValue:
    ledger, finance = money
    earned = np.array([values[customer][0] for customer in customers])
    total = earned + np.array([values[customer][1] for customer in customers])
    low, high = _interval(total)
    mean = float(total.mean()) if len(total) else 0.0
    each = cost_minor / len(customers) if customers else None
    return CampaignValue(
        name=name,
        customers=len(customers),
        cost_minor=cost_minor,
        cost_per_customer_minor=each,
        worth_minor=mean,
        worth_low_minor=low,
        worth_high_minor=high,
        earned_minor=float(earned.mean()) if len(earned) else 0.0,
        ratio=mean / each if each else None,
        payback_ms=_payback_ms(ledger, customers, cost_minor, finance.margin) if cost_minor else None,
    )


def _interval(values: Numbers) -> tuple[float, float]:
    """90% bootstrap interval of the mean of `values`, shape (customers,)."""
    if len(values) < 2:
        return (0.0, 0.0) if not len(values) else (float(values[0]), float(values[0]))
    random = np.random.default_rng(SEED)
    means = [float(values[random.integers(0, len(values), len(values))].mean()) for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.05, 0.95])
    return float(low), float(high)


def _payback_ms(ledger: Ledger, customers: Sequence[str], cost_minor: int, margin: float) -> int | None:
    moved = sorted(move for customer in customers for move in ledger.payments.get(customer, ()))
    earned = 0.0
    for one in moved:
        earned += margin * one.minor
        if earned >= cost_minor:
            return ledger.history.calendar.instant_ms(one.at_ms)
    return None
