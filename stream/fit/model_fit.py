"""From a history to a model record: purchase process, spend, population, risk layer, thresholds, tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import numpy as np

from stream.core.model.document import ModelError, sealed
from stream.core.model.record import GridTable, Horizon, Model, PurchaseProcess, RiskLayer, Spend, Thresholds
from stream.core.model.record import Prior as NewCustomer
from stream.core.policy.policy import Finance, Policy
from stream.core.units import DAY_MS
from stream.fit.history import History, Snapshot
from stream.fit.purchases.evenness import fit_evenness
from stream.fit.purchases.population import population
from stream.fit.purchases.processes import UnfitError, fit_process, likelier_process
from stream.fit.purchases.spending import fit_spend
from stream.fit.purchases.value_tables import fast_table
from stream.fit.risk.adoption import TOO_SHORT, adopted
from stream.fit.risk.alert_levels import Wish, churn_thresholds, past_of
from stream.fit.risk.drift import drift_words
from stream.fit.risk.risk_layer import (
    constant_layer,
    fit_risk_layer,
    half_way,
    left_out_of,
)
from stream.fit.risk.season_lessons import (
    by_clock_of,
    cells_in_season,
    season_days,
    season_notes,
    with_seasons,
)
from stream.fit.risk.silences import PastDay
from stream.fit.risk.stalls import order_times, without_stalls
from stream.fit.risk.thresholds import never_alerted
from stream.fit.risk.training_set import (
    SAME_HORIZON,
    TrainingLook,
    TrainingRows,
    enough_to_learn,
    feature_matrix,
    learnt_words,
    own_horizons_ms,
    training_days,
    training_horizons,
)
from stream.fit.risk.upgrade_alerts import learnt_upgrade_level
from stream.fit.value.pace import learnt_pace
from stream.policy_file.no_price import NO_ALERT_EVER

GAP_DAYS_UNKNOWN = 30.0
"""Days between purchases of a new customer where nobody in the history bought twice."""


@dataclass(frozen=True)
class FitOptions:
    """What a user asks of a fit."""

    name: str
    source: str
    """What the model was fitted to, in words."""
    horizon: Horizon
    precision: float | None = None
    """Wanted share of right alerts, 0 to 1, among alerts as they are sent."""
    budget_share: float | None = None
    """Largest share of customers with an open alert, 0 to 1."""
    finance: Finance | None = None
    """Value tables are made for its horizons and discount; none without it."""
    rules: Policy | None = None
    """Whom alerts are about, as past alerts are followed by it; None: as the shipped policy says."""
    data_notes: tuple[str, ...] = ()
    """What is to be known of the events that are fitted to; the model keeps it with its own notes."""


def snapshot_days(first_ms: int, split_ms: int, horizon: Horizon) -> tuple[int, ...]:
    """The days as of which `fit_model` needs a snapshot: the training days, and the split."""
    days = dict.fromkeys(training_days(first_ms, split_ms, horizon.max_ms)[1])
    return (*days, *(day for day in season_days(first_ms, split_ms) if day not in days), split_ms)


def fit_model(history: History, split_ms: int, options: FitOptions, fallback: Model) -> Model:
    """The model of what was known at the end of the split's day; UnfitError when nobody had bought yet.

    `history` has a snapshot as of each of `snapshot_days`; `fallback` gives the purchase process where the
    history has none.
    """
    if not history.snapshots[split_ms].customers:
        raise UnfitError("no purchase before the split: nothing to fit")
    ranking = money_currency(history.snapshots[split_ms], options.finance)
    ranked = {day: one.ranked_in(ranking) for day, one in history.snapshots.items()}
    history = replace(history, snapshots=ranked)
    snapshot = ranked[split_ms]
    base, notes = base_model(snapshot, options, fallback)
    base = with_seasons(history, split_ms, base, options.horizon)
    notes = [*options.data_notes, *notes, *season_notes(base, snapshot, history.first_ms)]
    learnt, rules = _risk_layer(history, split_ms, base, options), options.rules or Policy()
    pace = learnt_pace(history, learnt.lessons)
    tables = finance_tables(base.process, options.finance) if options.finance else ()
    return usable(
        msgspec.structs.replace(
            base,
            risk=learnt.layer,
            risk_of=learnt.risk_of,
            thresholds=learnt.thresholds,
            upgrade=learnt_upgrade_level(history.moments, (history.first_ms, split_ms), base, rules),
            tables=tables,
            notes=(*notes, *learnt.notes, *pace.notes),
            further=pace.further,
            trend=pace.trend,
            wander=pace.wander,
        )
    )


def money_currency(snapshot: Snapshot, finance: Finance | None) -> str:
    """The currency of the model's money: that of the policy, else the one of most customers."""
    if finance is not None and finance.currency:
        return finance.currency
    counts = Counter(snapshot.currencies)
    return min(counts, key=lambda code: (-counts[code], code), default="")


def usable(model: Model) -> Model:
    """The model with its version; UnfitError when no worker could use it."""
    try:
        return sealed(model)
    except ModelError as error:
        text = f"these purchases lead to a model that cannot be used ({error}): are their amounts right?"
        raise UnfitError(text) from None


def base_model(snapshot: Snapshot, options: FitOptions, fallback: Model) -> tuple[Model, list[str]]:
    """The model without risk layer, thresholds and tables; and notes on what was assumed or left out."""
    is_priced = bool((snapshot.total_minor > 0.0).any())
    notes = [] if is_priced else [NO_ALERT_EVER]
    try:
        fit = likelier_process(snapshot.cells())
        process = fit.process
        notes += fit.notes
    except UnfitError as error:
        process = fallback.process
        notes.append(f"The purchase process is that of model {fallback.name}: {error}.")
    frequency, monetary = snapshot.column("frequency"), snapshot.column("monetary_minor")
    scale_minor, ranked = fallback.spend.scale_minor, snapshot.ranked
    spend = fit_spend(frequency[ranked], monetary[ranked] / scale_minor, scale_minor)
    notes += spend.notes if is_priced else ()
    notes += snapshot.currency_notes(options.finance.currency if options.finance else "")
    model = _assembled(process, spend.spend, snapshot, options)
    return model, notes


def _assembled(process: PurchaseProcess, spend: Spend, snapshot: Snapshot, options: FitOptions) -> Model:
    frequency, ranked = snapshot.column("frequency"), snapshot.ranked
    if not ranked.any():
        raise UnfitError(f"no customer's money is in {snapshot.ranking} ([finance] currency and rates)")
    came_back = frequency > 0
    spans = (snapshot.column("last_ms") - snapshot.column("first_ms"))[came_back] / DAY_MS
    gaps = spans / frequency[came_back]
    evenness = fit_evenness(frequency[came_back], snapshot.column("regularity")[came_back], gaps)
    return Model(
        name=options.name,
        source=options.source,
        fitted_at_ms=snapshot.as_of_ms,
        currency=snapshot.ranking or "EUR",
        process=process,
        spend=spend,
        population=population(
            snapshot.inactive_days,
            frequency,
            snapshot.column("monetary_minor")[ranked],
            snapshot.value_minor[ranked],
        ),
        prior=NewCustomer(
            repeat_share=round(float(came_back.mean()), 6),
            gap_days=round(float(np.median(gaps)), 3) if len(gaps) else GAP_DAYS_UNKNOWN,
            first_value_minor=round(float(snapshot.column("first_minor")[ranked].mean()), 2),
        ),
        horizon=options.horizon,
        evenness=evenness,
    )


class _RiskFit(NamedTuple):
    """The learnt layer, or None for the purchase process alone; with what is to be known of it."""

    layer: RiskLayer | None
    thresholds: Thresholds | None = None
    risk_of: str = ""
    notes: tuple[str, ...] = ()
    lessons: Mapping[int, tuple[Model, Sequence[int]]] = MappingProxyType({})
    """Training day -> the model of then with this layer, and how far ahead was looked from it (ms)."""


def _risk_layer(history: History, split_ms: int, base: Model, options: FitOptions) -> _RiskFit:
    """The risk layer and its thresholds, if it is adopted."""
    training_ms, days = training_days(history.first_ms, split_ms, options.horizon.max_ms)
    if base.seasons is not None:
        days = tuple(dict.fromkeys((*season_days(history.first_ms, split_ms), *days)))
    assert all(day in history.snapshots for day in days), "the history lacks a snapshot of snapshot_days"
    thens = {day: _known_then(history.snapshots[day], base, options) for day in days}
    parts_of = {
        day: _parts_of_day(history, (day, split_ms), training_ms, then, options)
        for day, then in thens.items()
    }
    parts_of, notes = without_stalls(parts_of, history, split_ms)
    notes += drift_words(order_times(history), min(days, default=history.first_ms), split_ms)
    parts = [one for day in days for one in parts_of[day].values()]
    whole = {day: parts_of[day][training_ms] for day in days if training_ms in parts_of[day]}
    if not enough_to_learn(parts) or not whole:
        return _RiskFit(None, risk_of=TOO_SHORT, notes=notes)
    snapshot = history.snapshots[split_ms]
    left_out = left_out_of(parts, feature_matrix(base, snapshot), seasonal=base.seasons is not None)
    learnt = fit_risk_layer(parts, learnt_words(parts_of, training_ms, options.horizon), left_out)
    observed = _observed_share(base, snapshot, training_ms) >= SAME_HORIZON
    chosen = adopted(parts, learnt.newest)
    if chosen.basis == "constant" and observed:
        same = constant_layer(float(next(iter(whole.values())).silent.mean()), chosen.words)
        return _RiskFit(
            same, never_alerted(chosen.words), chosen.words, notes, _looked(thens, parts_of, same)
        )
    layers = {"layer": learnt.layer, "half": half_way(learnt.layer)}
    layer = layers.get(chosen.basis)
    today = PastDay(msgspec.structs.replace(base, risk=layer), snapshot)
    lessons = {day: (then, whole[day]) for day, then in thens.items() if then is not None and day in whole}
    past = past_of(history, lessons, today, training_ms if observed else None)
    wish = Wish(options.precision, options.budget_share)
    thresholds = churn_thresholds(past, wish, options.rules or Policy())
    return _RiskFit(layer, thresholds, chosen.words, notes, _looked(thens, parts_of, layer))


def _looked(
    thens: Mapping[int, Model | None],
    parts_of: Mapping[int, Mapping[int, TrainingRows]],
    layer: RiskLayer | None,
) -> dict[int, tuple[Model, Sequence[int]]]:
    """`lessons` of a risk fit: of each day the shortest and the longest time."""
    return {
        day_ms: (msgspec.structs.replace(then, risk=layer), sorted({min(spans), max(spans)}))
        for day_ms, then in thens.items()
        if then is not None and (spans := parts_of.get(day_ms))
    }


def _known_then(snapshot: Snapshot, base: Model, options: FitOptions) -> Model | None:
    """The model without risk layer that would have been fitted on a training day, so that nothing later leaks
    in; None where nothing could be."""
    if not snapshot.ranked.any():
        return None
    try:
        process = fit_process(cells_in_season(snapshot, base.seasons), base.process.kind).process
    except UnfitError:
        return None
    return by_clock_of(base.seasons, _assembled(process, base.spend, snapshot, options))


def _parts_of_day(
    history: History,
    day_and_split_ms: tuple[int, int],
    training_ms: int,
    then: Model | None,
    options: FitOptions,
) -> dict[int, TrainingRows]:
    """Horizon -> training rows of one training day, by the model of that day."""
    if then is None:
        return {}
    look = TrainingLook(then, history.snapshots[day_and_split_ms[0]], history)
    horizons = training_horizons(*day_and_split_ms, training_ms, options.horizon.max_ms)
    return {horizon_ms: look.over(horizon_ms, 1.0 / len(horizons)) for horizon_ms in horizons}


def _observed_share(base: Model, snapshot: Snapshot, training_ms: int) -> float:
    """The mean share of the real horizons that the training horizon covers, 0 to 1."""
    real = own_horizons_ms(base, snapshot)
    return float(np.mean(np.minimum(real, training_ms) / real))


def finance_tables(process: PurchaseProcess, finance: Finance) -> tuple[GridTable, ...]:
    """Tables of expected discounted purchases for the policy's horizons, and for ever where it discounts."""
    horizons: list[int | None] = [*sorted({finance.risk_horizon_ms, finance.horizon_ms})]
    if finance.annual_discount > 0.0:
        horizons.append(None)
    return tuple(fast_table(process, horizon_ms, finance.annual_discount) for horizon_ms in horizons)
