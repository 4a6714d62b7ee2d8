"""Seasons in a fit: when they are believed, and from which days a model that knows them learns.

What customers do in a season is seen in the same season of an earlier year. So such a model also learns from
the day one year before the split, by what was known of seasons then. And it is made only where on that day
the purchase process that knew seasons said better what followed than the one that did not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from scipy.special import expit

from stream.core.alerts.amounts import months_words
from stream.core.model.record import Horizon, Model, Seasons
from stream.core.risk.curve import risk_curve
from stream.core.risk.season import season_of
from stream.core.units import (
    DAY_MS,
    MONTHS_OF_YEAR,
    WEEK_MS,
    YEAR_MS,
    calendar_month,
    first_day_of_month,
)
from stream.fit.arrays import Numbers
from stream.fit.history import History, Snapshot
from stream.fit.purchases.histogram import Histogram, histogram
from stream.fit.purchases.processes import UnfitError, fit_process
from stream.fit.risk.seasons import fit_seasons
from stream.fit.risk.training_set import capped, own_horizons_ms
from stream.fit.risk.unseen_months import unseen_notes

SURE = 2.33
"""Standard errors by which the seasons must be better: one shop in a hundred without any would seem so."""

QUARTER_MS = 13 * WEEK_MS
"""A year ahead every season comes; so it is also asked who buys within a quarter, which value depends on."""
NEWTON_ROUNDS = 25


class KnownSeasons(NamedTuple):
    """What was known of seasons at the split, and on the day one year before."""

    at_split: Seasons
    year_ago_ms: int
    year_ago: Seasons


def year_before(day_ms: int) -> int:
    """Midnight of the same day of the year before; 28 February for 29 February."""
    day = day_ms // DAY_MS
    month = calendar_month(day)
    begins, earlier = first_day_of_month(month), month - MONTHS_OF_YEAR
    last = first_day_of_month(earlier + 1) - 1
    return min(first_day_of_month(earlier) + day - begins, last) * DAY_MS


def season_days(first_ms: int, split_ms: int) -> tuple[int, ...]:
    """The day one year before the split, where the history reaches a year further back; else none."""
    day_ms = year_before(split_ms)
    return (day_ms,) if day_ms - first_ms >= YEAR_MS else ()


def known_seasons(snapshots: Mapping[int, Snapshot], first_ms: int, split_ms: int) -> KnownSeasons | None:
    """The seasons that this history shows at the split and showed a year before; None where it does not."""
    for day_ms in season_days(first_ms, split_ms):
        years = int((split_ms - first_ms) / YEAR_MS)
        customers = len(snapshots[split_ms].customers)
        learnt = f"Learnt from the months in which {customers:,} customers bought, over {years} whole years."
        at_split = fit_seasons(snapshots[split_ms], learnt)
        year_ago = fit_seasons(snapshots[day_ms], learnt) if at_split else None
        if at_split and year_ago:
            return KnownSeasons(at_split, day_ms, year_ago)
    return None


def with_seasons(history: History, split_ms: int, base: Model, longest: Horizon) -> Model:
    """The base model with seasons, where they can be believed; else the same. `longest` is its horizon."""
    known = known_seasons(history.snapshots, history.first_ms, split_ms)
    if known is None:
        return base
    then = history.snapshots[known.year_ago_ms]
    models = [in_seasons(base, then, seasons) for seasons in (known.year_ago, None)]
    for longest_ms in (split_ms - known.year_ago_ms, QUARTER_MS):
        horizon = capped(longest, longest_ms)
        knowing, plain = (replace(model, horizon=horizon) for model in models)
        silent = history.silent(then, own_horizons_ms(plain, then)).astype(np.float64)
        if surely_better(log_odds_by_process(knowing, then), log_odds_by_process(plain, then), silent):
            return in_seasons(base, history.snapshots[split_ms], known.at_split)
    return base


def in_seasons(base: Model, snapshot: Snapshot, seasons: Seasons | None) -> Model:
    """The model with these seasons, and the purchase process fitted again by the clock that they give."""
    try:
        process = fit_process(cells_in_season(snapshot, seasons), base.process.kind).process
    except UnfitError:  # nobody has bought twice
        process = base.process
    return by_clock_of(seasons, replace(base, process=process))


def by_clock_of(seasons: Seasons | None, model: Model) -> Model:
    """The model with these seasons; with some it knows no evenness, which is of gaps by the calendar."""
    return replace(model, seasons=seasons, evenness=model.evenness if seasons is None else None)


def cells_in_season(snapshot: Snapshot, seasons: Seasons | None, unit_ms: int = WEEK_MS) -> Histogram:
    """The sufficient statistics of the purchase process, with silence in purchasing time if there are
    seasons."""
    if seasons is None:
        return snapshot.cells(unit_ms)
    spans = snapshot.column("last_ms") - snapshot.column("first_ms")
    silent = [season_of(seasons, one).silent_ms(snapshot.as_of_ms) for one in snapshot.features]
    t_x = spans / unit_ms
    return histogram(snapshot.column("frequency"), t_x, t_x + np.array(silent) / unit_ms)


def log_odds_by_process(model: Model, snapshot: Snapshot) -> Numbers:
    """Log-odds of no purchase by the purchase process alone, shape (customers,)."""
    curves = (risk_curve(model, one) for one in snapshot.features)
    return np.array([curve.log_odds(snapshot.as_of_ms) for curve in curves])


def surely_better(log_odds: Numbers, plain: Numbers, silent: Numbers) -> bool:
    """Whether the first log-odds of silence are better than the second; all arrays have shape (customers,).

    By the log loss, of both as they are or after both were brought to their best level and scale, as the
    learnt layer does.
    """
    tamed, known = _tamed(log_odds), _tamed(plain)
    if _surely_less(_loss(tamed, silent), _loss(known, silent)):
        return True
    return _surely_less(_loss(_scaled(tamed, silent), silent), _loss(_scaled(known, silent), silent))


def _surely_less(loss: Numbers, other: Numbers) -> bool:
    gain = other - loss
    error = float(gain.std() / np.sqrt(max(1, len(gain))))
    return bool(float(gain.mean()) > SURE * error)


def _tamed(log_odds: Numbers) -> Numbers:
    """Log-odds with their logarithms in place of large ones: the purchase process is too sure of itself."""
    tamed: Numbers = np.sign(log_odds) * np.log1p(np.abs(log_odds))
    return tamed


def _loss(log_odds: Numbers, silent: Numbers) -> Numbers:
    """Log loss of each customer, shape (customers,)."""
    loss: Numbers = np.logaddexp(0.0, log_odds) - silent * log_odds
    return loss


def _scaled(tamed: Numbers, silent: Numbers) -> Numbers:
    """Log-odds after Platt's scaling, by Newton's method."""
    columns = np.column_stack([np.ones(len(tamed)), tamed])
    scale = np.array([0.0, 1.0])
    for _ in range(NEWTON_ROUNDS):
        chance = expit(columns @ scale)
        bend = columns.T @ (columns * (chance * (1.0 - chance))[:, None]) + 1e-6 * np.eye(2)
        scale = scale - np.clip(np.linalg.solve(bend, columns.T @ (chance - silent)), -1.0, 1.0)
    scaled: Numbers = columns @ scale
    return scaled


def season_notes(model: Model, snapshot: Snapshot, first_ms: int) -> list[str]:
    """What is to be known of a model about seasons; the snapshot is that of the day to which it is fitted.

    Where each customer has an own horizon, the median one is the time that is predicted.
    """
    if model.seasons is None:
        usual_ms = int(np.median(own_horizons_ms(model, snapshot)))
        return unseen_notes(first_ms, snapshot.as_of_ms, usual_ms)
    cycles = int((model.fitted_at_ms - first_ms) / YEAR_MS)
    return [f"Seasons are known, from {cycles} whole years: {seasons_words(model.seasons)}."]


def seasons_words(seasons: Seasons) -> str:
    """The kinds of buyers in words: `57% buy all year, 43% mostly in November and December`."""
    return ", ".join(
        f"{kind.share:.0%} of customers buy {months_words(kind.months)}" for kind in seasons.kinds
    )
