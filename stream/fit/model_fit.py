"""From a history to a model record: purchase process, spend, population, learnt risk, thresholds, tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from scipy.special import expit

from stream.core.model.document import sealed
from stream.core.model.features import NAMES
from stream.core.model.record import Horizon, Model, PurchaseProcess, RiskLayer, Spend, Table, Thresholds
from stream.core.model.record import Prior as NewCustomer
from stream.core.policy.policy import Finance
from stream.core.units import DAY_MS, WEEK_MS
from stream.core.value.clv import own_horizon
from stream.fit.arrays import Numbers
from stream.fit.history import History, Snapshot
from stream.fit.purchases.population import population
from stream.fit.purchases.processes import UnfitError, better_process, fit_process
from stream.fit.purchases.spending import fit_spend
from stream.fit.purchases.value_tables import fast_table
from stream.fit.risk.risk_layer import (
    Lesson,
    inner_days,
    inner_horizons,
    learn,
    learnable,
    lesson,
    log_odds,
    observed,
)
from stream.fit.risk.thresholds import learn_thresholds

SAME_HORIZON = 0.9
"""With an inner horizon of at least this share of the real one, thresholds are learnt from what was seen."""
GAP_DAYS_UNKNOWN = 30.0


@dataclass(frozen=True)
class Wishes:
    """What is asked of a fit."""

    name: str
    source: str
    horizon: Horizon
    precision: float | None = None
    budget_share: float | None = None
    finance: Finance | None = None
    """Tables are made for its horizons and discount; without it, none."""


def wanted_days(first_ms: int, split_ms: int, horizon: Horizon) -> tuple[int, ...]:
    """The days as of which the history must be looked at: the inner ones, and the split."""
    return (*inner_days(first_ms, split_ms, horizon.max_ms)[1], split_ms)


def fit_model(history: History, split_ms: int, wishes: Wishes, fallback: Model) -> Model:
    """The model of what was known at the end of the split's day; UnfitError when nobody ever bought."""
    snapshot = history.snapshots[split_ms]
    if not snapshot.customers:
        raise UnfitError("no purchase before the split: nothing to fit")
    plain, notes = plain_model(snapshot, history, wishes, fallback)
    learnt = _learnt(history, split_ms, plain, wishes)
    if isinstance(learnt, str):
        notes.append(learnt)
        layer, thresholds = None, None
    else:
        layer, thresholds = learnt
    tables = tables_of(plain.process, wishes.finance) if wishes.finance else ()
    return sealed(
        msgspec.structs.replace(plain, risk=layer, thresholds=thresholds, tables=tables, notes=tuple(notes))
    )


def plain_model(
    snapshot: Snapshot, history: History, wishes: Wishes, fallback: Model
) -> tuple[Model, list[str]]:
    """The model without its learnt layer, and what to know about it."""
    notes: list[str] = []
    try:
        fit = better_process(snapshot.cells())
        process = fit.process
        notes += fit.notes
    except UnfitError as error:
        process = fallback.process
        notes.append(f"The purchase process is that of {fallback.name}: {error}.")
    frequency, monetary = snapshot.column("frequency"), snapshot.column("monetary_minor")
    spend = fit_spend(frequency, monetary / fallback.spend.scale_minor, fallback.spend.scale_minor)
    notes += spend.notes
    if len(history.currencies) > 1:
        notes.append(
            "Purchases came in several currencies (" + ", ".join(sorted(history.currencies)) + "): money of "
            "each customer counts in the currency of their first order."
        )
    model = _assembled(process, spend.spend, snapshot, wishes, history)
    return model, notes


def _assembled(
    process: PurchaseProcess, spend: Spend, snapshot: Snapshot, wishes: Wishes, history: History
) -> Model:
    frequency, first = snapshot.column("frequency"), snapshot.column("first_minor")
    came_back = frequency > 0
    spans = (snapshot.column("last_ms") - snapshot.column("first_ms"))[came_back] / DAY_MS
    gaps = spans / frequency[came_back]
    return Model(
        name=wishes.name,
        source=wishes.source,
        fitted_at_ms=snapshot.as_of_ms,
        currency=history.currencies.most_common(1)[0][0] if history.currencies else "EUR",
        process=process,
        spend=spend,
        population=population(
            snapshot.inactive_days, frequency, snapshot.column("monetary_minor"), snapshot.value_minor
        ),
        prior=NewCustomer(
            repeat_share=round(float(came_back.mean()), 6),
            gap_days=round(float(np.median(gaps)), 3) if len(gaps) else GAP_DAYS_UNKNOWN,
            first_value_minor=round(float(first.mean()), 2),
        ),
        horizon=wishes.horizon,
    )


def _learnt(
    history: History, split_ms: int, plain: Model, wishes: Wishes
) -> tuple[RiskLayer, Thresholds | None] | str:
    """The risk layer and its thresholds, or why there are none."""
    inner_ms, days = inner_days(history.first_ms, split_ms, wishes.horizon.max_ms)
    assert all(day in history.snapshots for day in days), "the history was not looked at as of wanted_days"
    lessons = {day: _taught(history, (day, split_ms), inner_ms, plain, wishes) for day in days}
    taught = [one for day in days for one in lessons[day].values()]
    if not learnable(taught):
        return (
            "The churn risk is the purchase process's own: the history is too short, or too few customers "
            "stayed or left, to learn more from it."
        )
    layer = learn(taught, _described(lessons, inner_ms, wishes.horizon))
    snapshot = history.snapshots[split_ms]
    whole = [lessons[day][inner_ms] for day in days if inner_ms in lessons[day]]
    if whole and _mean_horizon(plain, snapshot, inner_ms) >= SAME_HORIZON:
        rows, truth = whole[0].observed, whole[0].silent.astype(np.float64)
        risk = expit(log_odds(layer, rows))
    else:
        rows = observed(plain, snapshot)
        truth = risk = expit(log_odds(layer, rows))
    again = rows[:, NAMES.index("frequency")] > 0.0
    if not again.any():
        return layer, None
    return layer, learn_thresholds(
        risk[again], truth[again], precision=wishes.precision, budget_share=wishes.budget_share
    )


def _taught(
    history: History, days: tuple[int, int], inner_ms: int, plain: Model, wishes: Wishes
) -> dict[int, Lesson]:
    """What one inner day (of `days`, before the split) teaches over each horizon, by the process and the
    population as they would have been fitted then."""
    snapshot = history.snapshots[days[0]]
    if not snapshot.customers:
        return {}
    try:
        process = fit_process(snapshot.cells(), plain.process.kind).process
    except UnfitError:
        return {}
    then = _assembled(process, plain.spend, snapshot, wishes, history)
    real_ms = _own_horizons_ms(then, snapshot)
    horizons = inner_horizons(*days, inner_ms, wishes.horizon.max_ms)
    found = {}
    for horizon_ms in horizons:
        looking = msgspec.structs.replace(then, horizon=_capped(wishes.horizon, horizon_ms))
        looked_ms = np.minimum(real_ms, horizon_ms)
        found[horizon_ms] = lesson(looking, snapshot, history, (looked_ms, real_ms), 1.0 / len(horizons))
    return found


def _capped(horizon: Horizon, inner_ms: int) -> Horizon:
    """A horizon that ends where the labels do."""
    return Horizon(
        factor=horizon.factor, min_ms=min(horizon.min_ms, inner_ms), max_ms=min(horizon.max_ms, inner_ms)
    )


def _own_horizons_ms(model: Model, snapshot: Snapshot) -> Numbers:
    unit_ms = model.process.unit_ms
    return np.array(
        [
            own_horizon(model.process, model.horizon, one.frequency, (one.last_ms - one.first_ms) / unit_ms)
            * unit_ms
            for one in snapshot.features
        ]
    )


def _mean_horizon(plain: Model, snapshot: Snapshot, inner_ms: int) -> float:
    """The inner horizons as a share of the real ones."""
    real = _own_horizons_ms(plain, snapshot)
    return float(np.mean(np.minimum(real, inner_ms) / real))


def _described(lessons: Mapping[int, Mapping[int, Lesson]], inner_ms: int, horizon: Horizon) -> str:
    looks = [found[max(found)] for found in lessons.values() if found]
    longest_ms = max(max(found) for found in lessons.values() if found)
    customers = sum(len(one.silent) for one in looks)
    silent = sum(int(one.silent.sum()) for one in looks)
    shorter = ""
    if inner_ms < SAME_HORIZON * horizon.max_ms:
        shorter = (
            f" The history is too short to have seen {horizon.max_ms / WEEK_MS:.0f} weeks whole: how fewer "
            f"stay silent as one looks longer, up to {longest_ms / WEEK_MS:.0f} weeks, is carried on."
        )
    return (
        f"Learnt from {len(looks)} earlier looks at {customers:,} customer histories, {silent:,} of which "
        f"then stayed silent for up to {longest_ms / WEEK_MS:.0f} weeks.{shorter}"
    )


def tables_of(process: PurchaseProcess, finance: Finance) -> tuple[Table, ...]:
    horizons: list[int | None] = [*sorted({finance.risk_horizon_ms, finance.horizon_ms})]
    if finance.annual_discount > 0.0:
        horizons.append(None)
    return tuple(fast_table(process, horizon_ms, finance.annual_discount) for horizon_ms in horizons)
