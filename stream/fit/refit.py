"""A refit from current profiles, without reading the history of events.

Purchase process, spend and population are fitted anew to the sufficient statistics in the profiles. The risk
layer and the thresholds need outcomes, which profiles do not have: they stay those of the current model, with
the words on whose risk it is and, unless another is asked for, the horizon for which they were learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from stream.core.calendar import UTC_CALENDAR, Calendar
from stream.core.facts.profile import Profile
from stream.core.model.record import Horizon, Model
from stream.core.units import DAY_MS
from stream.fit.absurd_money import absurd_customers, set_aside_words
from stream.fit.history import take_snapshot
from stream.fit.model_fit import FitOptions, base_model, finance_tables, money_currency, usable
from stream.fit.purchases.processes import UnfitError
from stream.fit.risk.season_lessons import in_seasons


def last_purchase_day(profiles: Mapping[str, Profile]) -> int:
    """The day of the newest purchase of all (days since 1970-01-01); UnfitError when there is none."""
    days = [profile.buying.sums.last_day for profile in profiles.values() if profile.buying.sums.orders]
    if not days:
        raise UnfitError("no purchase in these profiles: nothing to fit")
    return max(days)


def refit(
    profiles: Mapping[str, Profile], current: Model, options: FitOptions, calendar: Calendar = UTC_CALENDAR
) -> Model:
    """The model of customer -> profile as of the day of the newest purchase, with `current`'s risk layer.

    `options.horizon`: each customer's own, the default, stands for that of `current`.
    `calendar`: by whose days the profiles were folded.
    """
    if options.horizon == Horizon():
        options = replace(options, horizon=current.horizon)
    absurd = absurd_customers(profiles)
    if absurd:
        profiles = {customer: one for customer, one in profiles.items() if customer not in absurd}
    as_of_ms = last_purchase_day(profiles) * DAY_MS
    snapshot = take_snapshot(profiles, as_of_ms, calendar)
    snapshot = snapshot.ranked_in(money_currency(snapshot, options.finance))
    base, notes = base_model(snapshot, options, current)
    if current.seasons is not None:
        base = in_seasons(base, snapshot, current.seasons)
    if absurd:
        notes.append(set_aside_words(absurd))
    notes.append(
        f"Refitted from profiles: the weights of churn risk and its thresholds are those of model "
        f"{current.name} {current.version}; fit them to events again from time to time."
        if current.risk is not None
        else "Refitted from profiles, which do not contain outcomes: churn risk is that of the purchase "
        "process alone."
    )
    return usable(
        msgspec.structs.replace(
            base,
            risk=current.risk,
            risk_of=current.risk_of,
            retention=current.retention,
            thresholds=current.thresholds,
            upgrade=current.upgrade,
            further=current.further,
            trend=current.trend,
            wander=current.wander,
            tables=finance_tables(base.process, options.finance) if options.finance else (),
            notes=tuple(notes),
        )
    )
