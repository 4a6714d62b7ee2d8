"""What a campaign's customers are worth against what winning them cost.

Worth is earnings so far plus expected discounted earnings within the policy's horizon, per customer; the
interval is over customers of the campaign drawn anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stream.analysis.business.ledger import Books
from stream.core.model.record import Model
from stream.core.policy.policy import Finance
from stream.core.value.lifetime import customer_value, valuation
from stream.fit.arrays import Numbers
from stream.fit.history import Snapshot

RESAMPLES = 400


@dataclass(frozen=True)
class Worth:
    """One campaign or channel; money in minor units."""

    name: str
    customers: int
    cost_minor: int
    cost_per_customer_minor: float | None
    worth_minor: float
    """Mean per customer: earned so far and expected."""
    worth_low_minor: float
    worth_high_minor: float
    earned_minor: float
    """Of that, earned so far."""
    ratio: float | None
    """Worth over cost per customer."""
    payback_ms: int | None
    """When the earnings so far had paid for the campaign; None: not yet."""


def worth_by(books: Books, snapshot: Snapshot, model: Model, finance: Finance, *, field: str) -> list[Worth]:
    """Per campaign or channel (`field`), the largest cost first; customers of unknown origin are left out."""
    worth = _worth_of_each(books, snapshot, model, finance)
    groups: dict[str, list[str]] = {}
    for customer in snapshot.customers:
        origin = getattr(books.history.profiles[customer].identity, field)
        if origin:
            groups.setdefault(origin, []).append(customer)
    costs: dict[str, int] = {}
    for cost in books.costs.values():
        name = getattr(cost, field)
        costs[name] = costs.get(name, 0) + cost.spend_minor
    found = [
        _one(name, groups.get(name, []), costs.get(name, 0), worth, (books, finance))
        for name in groups | costs
    ]
    return sorted(found, key=lambda one: (-one.cost_minor, one.name))


def _worth_of_each(
    books: Books, snapshot: Snapshot, model: Model, finance: Finance
) -> Mapping[str, tuple[float, float]]:
    """Per customer, earned so far and expected."""
    rules = valuation(model, finance.horizon_ms, finance.annual_discount, finance.margin)
    unit_ms = model.process.unit_ms
    found: dict[str, tuple[float, float]] = {}
    for customer, one in zip(snapshot.customers, snapshot.features, strict=True):
        t_x, age = (one.last_ms - one.first_ms) / unit_ms, (snapshot.as_of_ms - one.first_ms) / unit_ms
        ahead = customer_value(rules, one.frequency, t_x, age, one.monetary_minor).finite_minor
        earned = finance.margin * sum(amount for _, amount in books.paid.get(customer, ()))
        found[customer] = (earned, ahead)
    return found


def _one(
    name: str,
    customers: Sequence[str],
    cost_minor: int,
    worth: Mapping[str, tuple[float, float]],
    money: tuple[Books, Finance],
) -> Worth:
    books, finance = money
    earned = np.array([worth[customer][0] for customer in customers])
    total = earned + np.array([worth[customer][1] for customer in customers])
    low, high = _interval(total)
    mean = float(total.mean()) if len(total) else 0.0
    each = cost_minor / len(customers) if customers else None
    return Worth(
        name=name,
        customers=len(customers),
        cost_minor=cost_minor,
        cost_per_customer_minor=each,
        worth_minor=mean,
        worth_low_minor=low,
        worth_high_minor=high,
        earned_minor=float(earned.mean()) if len(earned) else 0.0,
        ratio=mean / each if each else None,
        payback_ms=_payback_ms(books, customers, cost_minor, finance.margin) if cost_minor else None,
    )


def _interval(values: Numbers) -> tuple[float, float]:
    """90% interval of the mean."""
    if len(values) < 2:
        return (0.0, 0.0) if not len(values) else (float(values[0]), float(values[0]))
    chance = np.random.default_rng(7)
    means = [float(values[chance.integers(0, len(values), len(values))].mean()) for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.05, 0.95])
    return float(low), float(high)


def _payback_ms(books: Books, customers: Sequence[str], cost_minor: int, margin: float) -> int | None:
    moved = sorted(move for customer in customers for move in books.paid.get(customer, ()))
    earned = 0.0
    for at_ms, amount in moved:
        earned += margin * amount
        if earned >= cost_minor:
            return at_ms
    return None
