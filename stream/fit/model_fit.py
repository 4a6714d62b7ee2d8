"""From a history to a model record: purchase process, spend, population, learnt risk, thresholds, tables."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from stream.core.clv import own_horizon
from stream.core.feature_names import NAMES
from stream.core.model import (
    DAY_MS,
    WEEK_MS,
    Horizon,
    Model,
    PurchaseProcess,
    RiskLayer,
    Spend,
    Table,
    Thresholds,
    sealed,
)
from stream.core.model import Prior as NewCustomer
from stream.core.rulebook import Finance
from stream.fit.history import History, Snapshot
from stream.fit.population import population
from stream.fit.processes import UnfitError, better_process, fit_process
from stream.fit.risk_layer import (
    Lesson,
    inner_days,
    learn,
    learnable,
    lesson,
    log_odds,
    observed,
    shift_to_mean,
    shifted,
)
from stream.fit.spending import fit_spend
from stream.fit.tables import fast_table
from stream.fit.thresholds import learn_thresholds

Numbers = NDArray[np.float64]
SAME_HORIZON = 0.9
"""An inner horizon of at least this share of the real one needs no help from the model's own mean."""
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
    lessons = [
        taught for day in days if (taught := _taught(history, day, inner_ms, plain, wishes)) is not None
    ]
    if not lessons or not learnable(lessons):
        return (
            "The churn risk is the purchase process's own: the history is too short, or too few customers "
            "stayed or left, to learn more from it."
        )
    layer = learn(lessons, _described(lessons, inner_ms, wishes.horizon, len(days)))
    snapshot = history.snapshots[split_ms]
    now = observed(plain, snapshot)
    reach = _mean_horizon(plain, snapshot, inner_ms)
    if reach < SAME_HORIZON:
        level = _carried_level(lessons, now)
        layer = shifted(layer, (1.0 - reach) * shift_to_mean(log_odds(layer, now), level))
        rows, truth = now, expit(log_odds(layer, now))
        risk = truth
    else:
        rows, truth = lessons[0].observed, lessons[0].silent.astype(np.float64)
        risk = expit(log_odds(layer, rows))
    again = rows[:, NAMES.index("frequency")] > 0.0
    if not again.any():
        return layer, None
    return layer, learn_thresholds(
        risk[again], truth[again], precision=wishes.precision, budget_share=wishes.budget_share
    )


def _taught(history: History, day_ms: int, inner_ms: int, plain: Model, wishes: Wishes) -> Lesson | None:
    """What one inner day teaches, by the process and the population as they would have been fitted then."""
    snapshot = history.snapshots[day_ms]
    if not snapshot.customers:
        return None
    try:
        process = fit_process(snapshot.cells(), plain.process.kind).process
    except UnfitError:
        return None
    horizon = _capped(wishes.horizon, inner_ms)
    then = msgspec.structs.replace(
        _assembled(process, plain.spend, snapshot, wishes, history), horizon=horizon
    )
    return lesson(then, snapshot, history, _own_horizons_ms(then, snapshot))


def _carried_level(lessons: list[Lesson], now: Numbers) -> float:
    """The mean risk to expect: the purchase process's own, corrected by its error on the inner splits."""
    said = np.concatenate([expit(one.observed[:, 0]) for one in lessons]).mean()
    seen = np.concatenate([one.silent for one in lessons]).mean()
    return float(expit(logit(expit(now[:, 0]).mean()) + logit(seen) - logit(said)))


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


def _described(lessons: list[Lesson], inner_ms: int, horizon: Horizon, looks: int) -> str:
    customers = sum(len(one.silent) for one in lessons)
    silent = sum(int(one.silent.sum()) for one in lessons)
    shorter = ""
    if inner_ms < SAME_HORIZON * horizon.max_ms:
        shorter = (
            f" The history is too short for a horizon of {horizon.max_ms / WEEK_MS:.0f} weeks: what was "
            f"learnt over {inner_ms / WEEK_MS:.0f} weeks is set to the purchase process's own level."
        )
    return (
        f"Learnt from {looks} earlier looks at {customers:,} customer histories, {silent:,} of which "
        f"then stayed silent for up to {inner_ms / WEEK_MS:.0f} weeks.{shorter}"
    )


def tables_of(process: PurchaseProcess, finance: Finance) -> tuple[Table, ...]:
    horizons: list[int | None] = [*sorted({finance.risk_horizon_ms, finance.horizon_ms})]
    if finance.annual_discount > 0.0:
        horizons.append(None)
    return tuple(fast_table(process, horizon_ms, finance.annual_discount) for horizon_ms in horizons)
