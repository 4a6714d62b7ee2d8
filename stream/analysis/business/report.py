"""The numbers of the business report: customers won, grown and kept, what they cost, and why they leave.

As of the end of one day; money is in minor units of one currency. Customers who pay in another one without a
rate are in no number about money or tiers; they are counted by themselves.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from itertools import product

import numpy as np
from msgspec import to_builtins

from stream.analysis.business.before_leaving import before_leaving, recorded
from stream.analysis.business.campaign_use import used_in
from stream.analysis.business.campaign_value import campaign_values
from stream.analysis.business.drivers import Driver, dead_ends, drivers
from stream.analysis.business.growth import also_bought, next_best_categories, tier_growth
from stream.analysis.business.ledger import Ledger
from stream.analysis.business.retention import (
    RetentionTable,
    monthly_cohorts,
    retention_by_spending,
    retention_table,
)
from stream.analysis.business.win_back import reported_outcomes, win_backs
from stream.core.calendar import Calendar
from stream.core.facts.engagement import Engagement
from stream.core.facts.feedback import Feedback
from stream.core.judgement.ranking import ranking_currency
from stream.core.judgement.tier import cutoffs_minor, tier_of
from stream.core.model.record import Model
from stream.core.policy.policy import Finance, Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.history import Snapshot
from stream.fit.model_fit import money_currency
from stream.fit.risk.risk_layer import churn_risks

LOOK_BACK_MS = 90 * DAY_MS
"""Customers and tiers are compared with those of this long ago."""


def days_of_report(day_ms: int) -> tuple[int, int, int]:
    """The days as of whose ends a report needs snapshots, as midnights (UTC) in ms, the earliest first."""
    return day_ms - 2 * LOOK_BACK_MS, day_ms - LOOK_BACK_MS, day_ms


def business_report(ledger: Ledger, day_ms: int, model: Model, policy: Policy) -> dict[str, object]:
    """All numbers as plain values, ready for JSON, from the ledger up to the end of a day."""
    _, before_ms, _ = days_of_report(day_ms)
    finance, history = policy.finance, ledger.history
    everybody = history.snapshots[day_ms]
    currency = ranking_currency(policy, model) or money_currency(everybody, finance) or model.currency
    _count_in(ledger, currency)
    everybody = everybody.ranked_in(currency)
    now, before = history.snapshots[day_ms], history.snapshots[before_ms]
    table = retention_table(history.orders, history.first_ms, day_ms + DAY_MS, finance.annual_discount)
    return {
        "as_of_ms": policy.calendar.instant_ms(day_ms),
        "zone": policy.business.zone,
        **_currencies(ledger, everybody, finance),
        "acquisition": _acquisition(ledger, now, model, policy),
        "development": _development(ledger, before_ms, day_ms, model, policy),
        "retention": {
            **_at_risk(now, model, policy),
            **_retention_numbers(table, policy.calendar),
            **_win_back_numbers(ledger, before, table, (model, policy)),
        },
        "cohorts": monthly_cohorts(history.orders, history.first_ms, day_ms + DAY_MS),
        "campaigns": [asdict(one) for one in campaign_values(ledger, now, model, finance, field="campaign")],
        "channels": [asdict(one) for one in campaign_values(ledger, now, model, finance, field="channel")],
        "campaign_use": [asdict(one) for one in used_in(ledger.used, ledger.costs_minor(), currency)],
        "basis": {
            "margin": finance.margin,
            "annual_discount": finance.annual_discount,
            "horizon_weeks": finance.horizon_ms / WEEK_MS,
        },
        **_why(ledger, now, policy),
        "policy": policy.hash,
        "model": model.version,
        "no_price": not any(one.minor > 0 for moved in ledger.payments.values() for one in moved),
        "notes": list(model.notes),
        "model_notes": [*filter(None, [model.risk_of]), *model.notes],
    }


def _count_in(ledger: Ledger, currency: str) -> None:
    """Leave customers and money of other currencies out of the ledger's snapshots and payments."""
    ledger.count_in(currency)
    snapshots = ledger.history.snapshots
    for day_ms, snapshot in snapshots.items():
        ranked = snapshot.ranked_in(currency)
        snapshots[day_ms] = ranked.only(ranked.ranked)


def _currencies(ledger: Ledger, everybody: Snapshot, finance: Finance) -> dict[str, object]:
    """How many customers there are, in which currency amounts are, and who and what is not counted in it."""
    return {
        "customers": len(everybody.customers),
        "currency": everybody.ranking,
        "not_ranked": everybody.not_ranked(),
        "other_money": ledger.other_money(everybody.ranking),
        "currency_notes": everybody.currency_notes(finance.currency),
    }


def _why(ledger: Ledger, now: Snapshot, policy: Policy) -> dict[str, object]:
    """Why customers leave or stay, and what preceded it."""
    return {
        "drivers": [_driver(one) for one in drivers(ledger, now, policy)],
        "dead_ends": [asdict(one) for one in dead_ends(ledger, now, policy)],
        "leaving": before_leaving(ledger, now, policy),
        "engagement_recorded": _is_engagement_recorded(ledger),
        "recorded": recorded(ledger.history.profiles.values()),
    }


def _driver(one: Driver) -> dict[str, object]:
    contrast = {**asdict(one.contrast), "lift": one.contrast.lift}
    return {"tier": one.tier, "play": one.play, "to_do": one.to_do, **contrast}


def _is_engagement_recorded(ledger: Ledger) -> bool:
    """Whether any event told what a customer did beside buying: engagement or feedback."""
    profiles = ledger.history.profiles.values()
    return any(one.engagement != Engagement() or one.feedback != Feedback() for one in profiles)


def _tiers(snapshot: Snapshot, model: Model, policy: Policy) -> dict[str, int]:
    """Customer -> rank of their value tier, in the order of the snapshot."""
    cutoffs = cutoffs_minor(policy.ladder, model)
    return {
        customer: tier_of(float(value), 0, cutoffs, policy.ladder.slack)
        for customer, value in zip(snapshot.customers, snapshot.value_minor, strict=True)
    }


def _acquisition(ledger: Ledger, now: Snapshot, model: Model, policy: Policy) -> dict[str, object]:
    """New customers of the last 90 days, the report's included, and of the 90 before, with their tiers now.

    Where the history does not reach back over the whole of the latter, their number is not known: None. It
    would be compared with a whole one, and whoever bought before the history began would count as new.
    """
    names = [step.name for step in policy.ladder.steps]
    age_ms = now.as_of_ms - now.column("first_ms")
    tiers = _tiers(now, model, policy)
    by_channel: dict[str, Counter[str]] = {}
    for customer, age in zip(now.customers, age_ms, strict=True):
        channel = ledger.history.profiles[customer].identity.channel or "unknown"
        counts = by_channel.setdefault(channel, Counter())
        counts["customers"] += 1
        counts["new"] += int(age < LOOK_BACK_MS)
        if LOOK_BACK_MS <= age < 2 * LOOK_BACK_MS:
            counts["settled"] += 1
            counts["settled_" + names[tiers[customer]]] += 1
    return {
        "new_90_days": int((age_ms < LOOK_BACK_MS).sum()),
        "new_90_days_before": (
            int(((age_ms >= LOOK_BACK_MS) & (age_ms < 2 * LOOK_BACK_MS)).sum())
            if ledger.history.first_ms <= now.as_of_ms - 2 * LOOK_BACK_MS
            else None
        ),
        "channels": {channel: dict(counts) for channel, counts in sorted(by_channel.items())},
    }


def _development(
    ledger: Ledger, before_ms: int, day_ms: int, model: Model, policy: Policy
) -> dict[str, object]:
    """Moves between tiers within 90 days, growth of the same customers, and the categories to offer next."""
    before, now = ledger.history.snapshots[before_ms], ledger.history.snapshots[day_ms]
    names = [step.name for step in policy.ladder.steps]
    first = _tiers(ledger.history.snapshots[before_ms - LOOK_BACK_MS], model, policy)
    here, there = _tiers(now, model, policy), _tiers(before, model, policy)
    moves = Counter((names[there[customer]], names[here[customer]]) for customer in there if customer in here)
    return {
        "tiers": {
            name: count
            for name, count in zip(
                names, np.bincount([*here.values()] or [0], minlength=len(names)).tolist(), strict=True
            )
            if count
        },
        "moved_up": sum(count for (old, new), count in moves.items() if names.index(new) > names.index(old)),
        "moved_down": sum(
            count for (old, new), count in moves.items() if names.index(new) < names.index(old)
        ),
        "moves": [
            {"from": old, "to": new, "customers": moves[old, new]}
            for old, new in product(names, names)
            if (old, new) in moves
        ],
        "growth": [asdict(one) for one in tier_growth(ledger, before, first, names)],
        "next_best": [asdict(one) for one in next_best_categories(ledger, now, here, names)],
        "also_bought": to_builtins(also_bought(ledger, now)),
    }


def _raise_at(model: Model, policy: Policy) -> float:
    """The risk from which on a customer counts as at risk."""
    return model.thresholds.raise_at if model.thresholds else policy.churn_risk.hysteresis.raise_at


def _at_risk(now: Snapshot, model: Model, policy: Policy) -> dict[str, object]:
    """Customers at risk, by tier, with their recent spending."""
    names = [step.name for step in policy.ladder.steps]
    risk, raise_at = churn_risks(model, now), _raise_at(model, policy)
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


def _win_back_numbers(
    ledger: Ledger, before: Snapshot, table: RetentionTable, rules: tuple[Model, Policy]
) -> dict[str, object]:
    """Retention by spending, what customers at risk 90 days ago did since, and reported outcomes."""
    model, policy = rules
    end_ms = max(ledger.history.snapshots) + DAY_MS
    steps = [(step.name, step.quantile) for step in policy.ladder.steps]
    names = [name for name, _ in steps]
    risks = (churn_risks(model, before), _raise_at(model, policy))
    segments = retention_by_spending(ledger.payments, table, end_ms, steps)
    return {
        "by_value": [{**asdict(one), "rate": one.rate} for one in segments],
        "saved": [
            asdict(one) for one in win_backs(ledger, before, risks, _tiers(before, model, policy), names)
        ],
        "outcomes": reported_outcomes(ledger),
    }


def _retention_numbers(table: RetentionTable, calendar: Calendar) -> dict[str, object]:
    return {
        "period": table.unit,
        "starts_ms": [calendar.instant_ms(shown_ms) for shown_ms in table.starts_ms],
        "rates": [{**asdict(one), "rate": one.rate} for one in table.rates],
        "simple_lifetime_periods": table.simple_lifetime if table.simple_lifetime != float("inf") else None,
        "sbg": {"alpha": table.retention.alpha, "beta": table.retention.beta} if table.retention else None,
        "sbg_lifetime_periods": table.lifetime,
        "sbg_lifetime_90": list(table.lifetime_90) if table.lifetime_90 else None,
    }
