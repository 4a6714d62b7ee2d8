"""The business's questions, answered from a history: who came, who grew, who stays, what it cost and why.

Acquisition, development and retention, as of one day; money in minor units of the history's currency.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import expit

from stream.analysis.business.campaign_value import worth_by
from stream.analysis.business.drivers import dead_ends, drivers
from stream.analysis.business.growth import growth, next_best
from stream.analysis.business.ledger import Books, read_books
from stream.analysis.business.retention import Loyalty, kept_by_value, loyalty
from stream.analysis.business.win_back import saved, told_outcomes
from stream.core.events.event import Event
from stream.core.judgement.tier import cutoffs_minor, tier_of
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Numbers
from stream.fit.history import Snapshot
from stream.fit.risk.risk_layer import log_odds, observed

LOOK_BACK_MS = 90 * DAY_MS


@dataclass(frozen=True)
class Business:
    """The whole report as plain values, ready for JSON."""

    numbers: dict[str, object]
    loyalty: Loyalty


def business(events: Iterable[Event], day_ms: int, model: Model, policy: Policy) -> Business:
    """Events up to the end of a day, in time order."""
    before_ms = day_ms - LOOK_BACK_MS
    books = read_books(events, (before_ms, day_ms), policy)
    now, before = books.history.snapshots[day_ms], books.history.snapshots[before_ms]
    finance = policy.finance
    kept = loyalty(books.history.orders, books.history.first_ms, day_ms + DAY_MS, finance.annual_discount)
    numbers: dict[str, object] = {
        "as_of_ms": day_ms,
        "customers": len(now.customers),
        "currency": model.currency,
        "acquisition": _acquisition(books, now, model, policy),
        "development": _development(books, before_ms, day_ms, model, policy),
        "retention": {
            **_at_risk(now, model, policy),
            **_loyalty_numbers(kept),
            **_kept(books, before, kept, (model, policy)),
        },
        "campaigns": [asdict(one) for one in worth_by(books, now, model, finance, field="campaign")],
        "channels": [asdict(one) for one in worth_by(books, now, model, finance, field="channel")],
        "basis": {
            "margin": finance.margin,
            "annual_discount": finance.annual_discount,
            "horizon_weeks": finance.horizon_ms / WEEK_MS,
        },
        "drivers": [
            {
                "tier": one.tier,
                "play": one.play,
                "to_do": one.to_do,
                **asdict(one.contrast),
                "lift": one.contrast.lift,
            }
            for one in drivers(books, now, policy)
        ],
        "dead_ends": [asdict(one) for one in dead_ends(books, now, policy)],
        "model": model.version,
        "notes": list(model.notes),
    }
    return Business(numbers, kept)


def _tiers(snapshot: Snapshot, model: Model, policy: Policy) -> dict[str, int]:
    cutoffs = cutoffs_minor(policy.ladder, model)
    return {
        customer: tier_of(float(value), 0, cutoffs, policy.ladder.slack)
        for customer, value in zip(snapshot.customers, snapshot.value_minor, strict=True)
    }


def _acquisition(books: Books, now: Snapshot, model: Model, policy: Policy) -> dict[str, object]:
    """Customers won in the last 90 days and the 90 before, and the tier of those won long enough ago."""
    names = [step.name for step in policy.ladder.steps]
    age_ms = now.as_of_ms - now.column("first_ms")
    tiers = _tiers(now, model, policy)
    by_channel: dict[str, Counter[str]] = {}
    for customer, age in zip(now.customers, age_ms, strict=True):
        channel = books.history.profiles[customer].identity.channel or "unknown"
        counts = by_channel.setdefault(channel, Counter())
        counts["customers"] += 1
        counts["new"] += int(age <= LOOK_BACK_MS)
        if LOOK_BACK_MS < age <= 2 * LOOK_BACK_MS:
            counts["settled"] += 1
            counts["settled_" + names[tiers[customer]]] += 1
    return {
        "new_90_days": int((age_ms <= LOOK_BACK_MS).sum()),
        "new_90_days_before": int(((age_ms > LOOK_BACK_MS) & (age_ms <= 2 * LOOK_BACK_MS)).sum()),
        "channels": {channel: dict(counts) for channel, counts in sorted(by_channel.items())},
    }


def _development(
    books: Books, before_ms: int, day_ms: int, model: Model, policy: Policy
) -> dict[str, object]:
    """Who moved between tiers in 90 days, how baskets and visits of the same ones grew, what is next."""
    before, now = books.history.snapshots[before_ms], books.history.snapshots[day_ms]
    names = [step.name for step in policy.ladder.steps]
    here, there = _tiers(now, model, policy), _tiers(before, model, policy)
    moves = Counter((names[there[customer]], names[here[customer]]) for customer in there if customer in here)
    return {
        "tiers": dict(Counter(names[tier] for tier in here.values())),
        "moved_up": sum(count for (old, new), count in moves.items() if names.index(new) > names.index(old)),
        "moved_down": sum(
            count for (old, new), count in moves.items() if names.index(new) < names.index(old)
        ),
        "moves": [
            {"from": old, "to": new, "customers": count} for (old, new), count in sorted(moves.items())
        ],
        "growth": [asdict(one) for one in growth(books, before, there, names)],
        "next_best": [asdict(one) for one in next_best(books, now, here, names)],
    }


def _risk(snapshot: Snapshot, model: Model) -> Numbers:
    rows = observed(model, snapshot)
    risk: Numbers = expit(log_odds(model.risk, rows) if model.risk else rows[:, 0])
    return risk


def _raise_at(model: Model, policy: Policy) -> float:
    return model.thresholds.raise_at if model.thresholds else policy.churn_risk.hysteresis.raise_at


def _at_risk(now: Snapshot, model: Model, policy: Policy) -> dict[str, object]:
    """Customers above the raise threshold, by tier, and the spending of late that goes with them."""
    names = [step.name for step in policy.ladder.steps]
    risk, raise_at = _risk(now, model), _raise_at(model, policy)
    tiers = np.array(list(_tiers(now, model, policy).values()), dtype=np.int64)
    return {
        "raise_at": raise_at,
        "by_tier": {
            name: {
                "customers": int((tiers == rank).sum()),
                "at_risk": int(((tiers == rank) & (risk >= raise_at)).sum()),
                "lost": int(((tiers == rank) & (risk >= policy.stages.lapsed_risk)).sum()),
                "value_at_risk_minor": round(
                    float(now.value_minor[(tiers == rank) & (risk >= raise_at)].sum())
                ),
            }
            for rank, name in enumerate(names)
        },
    }


def _kept(books: Books, before: Snapshot, kept: Loyalty, rules: tuple[Model, Policy]) -> dict[str, object]:
    """Retention by spending, and what became of those at risk 90 days ago."""
    model, policy = rules
    end_ms = max(books.history.snapshots) + DAY_MS
    steps = [(step.name, step.quantile) for step in policy.ladder.steps]
    risks = (_risk(before, model), _raise_at(model, policy))
    became = saved(books, before, risks, _tiers(before, model, policy), [name for name, _ in steps])
    return {
        "by_value": [
            {**asdict(one), "rate": one.rate} for one in kept_by_value(books.paid, kept, end_ms, steps)
        ],
        "saved": [asdict(one) for one in became],
        "outcomes": told_outcomes(books),
    }


def _loyalty_numbers(kept: Loyalty) -> dict[str, object]:
    return {
        "period": kept.unit,
        "rates": [
            {
                "cohort": one.cohort,
                "period": one.period,
                "active": one.active,
                "again": one.again,
                "rate": one.rate,
            }
            for one in kept.kept
        ],
        "simple_lifetime_periods": kept.simple_lifetime if kept.simple_lifetime != float("inf") else None,
        "sbg": {"alpha": kept.retention.alpha, "beta": kept.retention.beta} if kept.retention else None,
        "sbg_lifetime_periods": kept.lifetime,
    }
