"""The levels of churn risk at which alerts are raised, and what is promised of alerts at them.

Which level is asked for: one whose alerts are right as often as wished, one within a budget, or that of the
best agreement. What is promised of it: what became of the alerts that it would have raised in past windows
(past_alerts.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import UNSET, structs
from scipy.special import expit

from stream.core.model.features import NAMES
from stream.core.model.record import Model, RiskLayer, Thresholds
from stream.core.policy.policy import AlertKind, Policy
from stream.core.units import DAY_MS
from stream.fit.arrays import Flags, Numbers
from stream.fit.history import History
from stream.fit.risk.past_alerts import PastAlerts, alerts_at
from stream.fit.risk.risk_layer import log_odds, process_log_odds
from stream.fit.risk.silences import PastDay, past_silences
from stream.fit.risk.thresholds import (
    ALERTS_MIN,
    RAISE_MAX,
    RAISE_MIN,
    PastWindow,
    learn_thresholds,
    level_thresholds,
)
from stream.fit.risk.training_set import TrainingRows, feature_matrix

SHRINKAGE = 50.0
"""So many past alerts count as having been as right as was stated."""
LEVELS_TRIED = 60
"""Levels that are tried for a wished precision: quantiles of the risks that customers reached."""
LATER_MAX = 4.0
"""An alert of those who reached a level later stands for at most so many in a window as long as a horizon."""
KINDS: tuple[AlertKind, AlertKind] = ("churn_risk", "at_risk_loyal")
RESAMPLES = 200
SEED = 2_026


class Past(NamedTuple):
    """What alerts are followed in."""

    history: History
    looks: Sequence[PastDay]
    """The days on which a window begins, with the models of then; in order."""
    today: PastDay
    """The day of the split."""
    until_ms: int
    """Midnight of the last day on which an alert is followed."""
    windows: Sequence[PastWindow]
    """The repeat buyers of those days, or of the newest one alone, by which the level of a budget and that of
    the best agreement are chosen."""
    seen: bool
    """Whether what became of them is in the history; else it is what the risk says."""


class Wish(NamedTuple):
    """What is asked of the alerts: one of both, or neither."""

    precision: float | None = None
    budget_share: float | None = None


class Promise(NamedTuple):
    """What may be said of the alerts of one kind at a level."""

    alerts: int
    """How many there would have been in the past windows."""
    share: float
    """The share that will be right, of the alerts of a window as long as a horizon."""
    low: float
    high: float
    """Its 95% interval: a bootstrap over customers and windows."""
    at_start: float
    """The share among those who stand above the level now."""
    later: float
    """The share among those who will reach it."""


class _Half(NamedTuple):
    """Past alerts of those who stood above the level, or of those who reached it."""

    alerts: float
    stated: float
    """The mean probability that was stated."""
    shift: float
    """By how much it was off, held towards 0 where there are few."""


class _Drawn(NamedTuple):
    """Alerts of past windows and of today, each counted as often as it was drawn; all of shape (alerts,)."""

    right: Numbers
    """Of past alerts: what became of them."""
    stated: Numbers
    """The probability that was stated when they were raised."""
    is_later: Flags
    times: Numbers
    today: Numbers
    """Of those who stand above the level today: the stated probability."""
    today_times: Numbers

    def shares(self, later_weight: float) -> tuple[float, float, float]:
        """The share that will be right in all, of those who stand above the level, and of those who reach it.

        What is stated, moved by as much as it was off for past alerts of the same group; SHRINKAGE of them
        count as not off.
        """
        first, last = (self._half(keep) for keep in (~self.is_later, self.is_later))
        standing = float(self.today_times.sum())
        now = float(self.today_times @ self.today) / standing if standing else first.stated
        counts = standing or first.alerts, later_weight * last.alerts
        at_start, later = now + first.shift, last.stated + last.shift
        if not all(counts):  # one of both is unknown: it counts as the other
            at_start = later = at_start if counts[0] else later
        at_start, later = (min(max(one, 0.0), 1.0) for one in (at_start, later))
        part = counts[1] / sum(counts) if any(counts) else 0.0
        return at_start + part * (later - at_start), at_start, later

    def _half(self, keep: Flags) -> _Half:
        times = self.times[keep]
        count, off = float(times.sum()), float(times @ (self.right[keep] - self.stated[keep]))
        return _Half(count, float(times @ self.stated[keep]) / max(count, 1.0), off / (count + SHRINKAGE))


class PastRun:
    """The silences of past windows, and the alerts that levels would have raised in them."""

    def __init__(self, past: Past, policy: Policy) -> None:
        self._past, self._until_ms = past, past.until_ms + DAY_MS - 1
        self._expire_ms = policy.at_risk_loyal.hysteresis.expire_ms
        self._starts = [look.known_ms for look in past.looks]
        self.silences = past_silences(past.history, past.looks, self._until_ms, policy)
        self._today_ms = past.today.known_ms
        self._today = past_silences(past.history, [past.today], self._today_ms, policy)
        span_ms = self._until_ms - self._starts[0]
        horizons = self.silences.horizon
        has_later = span_ms > 0 and len(horizons) > 0
        self._later = min(LATER_MAX, float(np.median(horizons)) / span_ms) if has_later else 0.0

    def alerts(self, kind: AlertKind, level: float, *, seen: bool) -> PastAlerts:
        """The alerts at a level (log-odds); `seen` as in `alerts_at`."""
        return alerts_at(
            self.silences, kind, level, self._starts, self._until_ms, expire_ms=self._expire_ms, seen=seen
        )

    def alerts_today(self, kind: AlertKind, level: float) -> PastAlerts:
        """Those who stand above the level today, with the probability that they stay silent."""
        return alerts_at(
            self._today, kind, level, [self._today_ms], self._today_ms, expire_ms=self._expire_ms, seen=False
        )

    def promise(self, kind: AlertKind, raise_at: float, resamples: int = RESAMPLES) -> Promise | None:
        """What may be said of alerts at a risk; None where there were too few to say anything."""
        level = float(np.log(raise_at / (1.0 - raise_at)))
        past, today = self.alerts(kind, level, seen=self._past.seen), self.alerts_today(kind, level)
        if len(past.right) + len(today.right) < ALERTS_MIN:
            return None
        stated = self.alerts(kind, level, seen=False).right
        found = [
            _Drawn(past.right, stated, ~past.at_start, times, today.right, now).shares(self._later)
            for times, now in _drawn(past, len(self._starts), len(today.right), resamples)
        ]
        low, high = np.quantile([whole for whole, *_ in found], [0.025, 0.975])
        return Promise(len(past.right), found[0][0], float(low), float(high), *found[0][1:])


def _drawn(past: PastAlerts, windows: int, today: int, resamples: int) -> Iterator[tuple[Numbers, Numbers]]:
    """How often each past alert, shape (alerts,), and each of today's, shape (today,), is drawn: first once
    each, then by customers and windows drawn anew."""
    yield np.ones(len(past.right)), np.ones(today)
    draw = np.random.default_rng(SEED)
    _, places = np.unique(past.customer, return_inverse=True)
    people = len(np.unique(places))
    for _ in range(resamples):
        of_people = np.bincount(draw.integers(0, people, people), minlength=people) if people else places
        of_windows = np.bincount(draw.integers(0, windows, windows), minlength=windows)
        times = of_people[places] * np.where(past.at_start, of_windows[past.window], 1)
        yield (
            times.astype(np.float64),
            draw.multinomial(today, np.full(max(1, today), 1 / max(1, today)))[:today].astype(np.float64),
        )


def churn_thresholds(past: Past, wish: Wish, policy: Policy) -> Thresholds | None:
    """The level that is asked for, and what is promised of the alerts of both kinds that it raises; None
    without anybody who came back."""
    if not past.windows:
        return None
    run = PastRun(past, policy)
    base = learn_thresholds(past.windows, precision=wish.precision, budget_share=wish.budget_share)
    if wish.precision is not None and wish.budget_share is None:
        base = _wished(run, wish.precision) or base
    churn, loyal = (run.promise(kind, base.raise_at) for kind in KINDS)
    if churn is None:
        return base
    return structs.replace(
        base,
        learnt=f"{base.learnt} {_words(churn)}",
        promised=round(churn.share, 4),
        promised_95=(round(churn.low, 4), round(churn.high, 4)),
        promised_at_start=round(churn.at_start, 4),
        promised_later=round(churn.later, 4),
        promised_loyal=UNSET if loyal is None else round(loyal.share, 4),
    )


def _wished(run: PastRun, precision: float) -> Thresholds | None:
    """The lowest level whose alerts will be right as often as wished, also those of customers who reach it
    later, else the surest one; None where no level had enough alerts.

    Of those who stand far above any level many stay away: alone they would let a level of 3% keep a wish of
    60%, and the alerts of all later weeks would be wrong."""
    odds = np.concatenate([run.silences.odds_begin, run.silences.odds_end])
    if not len(odds):
        return None
    levels = expit(np.unique(np.quantile(odds, np.linspace(0.0, 1.0, LEVELS_TRIED))))
    found = [
        (run.promise("churn_risk", float(level), resamples=0), float(level))
        for level in levels
        if level < 1.0
    ]
    usable = [(min(promise.share, promise.later), level) for promise, level in found if promise is not None]
    if not usable:
        return None
    basis = f"a precision of {precision:.0%} of the alerts that are raised"
    reached = [level for share, level in usable if share >= precision]
    if reached:
        return level_thresholds(max(min(reached), RAISE_MIN), f"Learnt for {basis}.")
    best, level = max(usable)
    words = (
        f"Learnt for {basis}, which no level reached: reachable are about {best:.0%}, at the surest level."
    )
    return level_thresholds(max(level, min(precision, RAISE_MAX)), words)


def _words(promise: Promise) -> str:
    """What is promised, in words."""
    return (
        f"By {promise.alerts:,} alerts that would have been raised at this risk before, {promise.share:.0%} "
        f"will be right (95%: {promise.low:.0%} to {promise.high:.0%}): {promise.at_start:.0%} about who "
        f"stands above it when it comes into force, {promise.later:.0%} about who reaches it later."
    )


def past_of(
    history: History,
    lessons: Mapping[int, tuple[Model, TrainingRows]],
    today: PastDay,
    training_ms: int | None,
) -> Past:
    """What alerts are followed in. `lessons`: earlier day -> the model of then without risk layer, and who
    bought nothing in the horizon after it.

    `training_ms`: how long before today alerts are not followed any more, because their outcome is not known;
    None where no outcome over a whole horizon is.
    """
    layer, horizon, split_ms = today.model.risk, today.model.horizon, today.snapshot.as_of_ms
    looks = [
        PastDay(structs.replace(model, risk=layer, horizon=horizon), history.snapshots[day])
        for day, (model, _) in sorted(lessons.items())
    ]
    if training_ms is None:
        windows = [_repeat_buyers(layer, feature_matrix(today.model, today.snapshot), None)]
        return Past(history, [*looks, today], today, split_ms, _filled(windows), seen=False)
    windows = [_repeat_buyers(layer, rows.features, rows.silent) for _, rows in lessons.values()]
    return Past(history, looks, today, split_ms - training_ms, _filled(windows), seen=True)


def _repeat_buyers(layer: RiskLayer | None, features: Numbers, silent: Flags | None) -> PastWindow:
    """The repeat buyers of one day, of features of shape (customers, features)."""
    risk = expit(log_odds(layer, features) if layer else process_log_odds(features))
    came_back = features[:, NAMES.index("frequency")] > 0.0
    outcome = risk if silent is None else silent.astype(np.float64)
    return PastWindow(risk[came_back], outcome[came_back], silent is not None)


def _filled(windows: Sequence[PastWindow]) -> list[PastWindow]:
    return [one for one in windows if len(one.risk)]
