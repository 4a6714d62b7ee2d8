"""Have the data drifted from the lessons of a model? Several looks at what came after them.

Each look compares what the model's lessons said with what the events show, against a limit that is wide
enough for chance. One beyond its limit means: fit anew. All times are what the clock of the business shows
(stream/fit/history.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stream.core.model.record import Model
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Flags, Numbers
from stream.fit.coverage import day
from stream.fit.history import History, Snapshot
from stream.fit.risk.risk_layer import churn_risks
from stream.fit.risk.training_set import own_horizons_ms
from stream.fit.value.trend import expected_purchases

RECENT_MS, BEFORE_MS = 8 * WEEK_MS, 26 * WEEK_MS
"""The newest weeks, and those up to the end of the lessons that they are compared with."""
SINCE_MIN_MS = 2 * WEEK_MS
"""So long the data must go on after the lessons; a shorter time shows nothing."""
LOOKS_MS = tuple(weeks * WEEK_MS for weeks in (2, 4, 8, 13, 26, 52))
"""How long before the end of the data a look at the stated risks may lie."""
COMPLETE_SHARE = 0.2
"""A look is complete when the own horizons of so many customers are over by the end of the data."""
CASES_MIN = 100
"""With fewer customers or purchases a look says nothing."""
ERRORS = 3.0
"""A difference must be so many standard errors, besides its limit."""
VOLUME_MAX, PURCHASES_MAX = 1.5, 1.25
"""Purchases a week may be so many times more or less; so may those of known customers against the model's."""
MIX_MAX, RANK_MAX, RISK_MAX = 0.15, 0.10, 0.05
"""Largest change of the share of first purchases, of a mean rank, and of a mean risk."""


@dataclass(frozen=True)
class Look:
    """One comparison; `drifted` is None where the data do not suffice for it."""

    name: str
    drifted: bool | None
    lessons: float | None
    data: float | None
    limit: float
    words: str


@dataclass(frozen=True)
class Drift:
    """What was found. The field names are keys of the command's JSON."""

    model: str
    lessons_until: str
    data_end: str
    looks: tuple[Look, ...]

    @property
    def drifted(self) -> bool:
        """Whether the model should be fitted anew."""
        return any(one.drifted for one in self.looks)


class TooNewLessonsError(ValueError):
    """The events do not go on after the lessons; the message says by how much."""


def days_of_drift(model: Model, end_ms: int) -> tuple[int, ...]:
    """The days (midnights) as of which `drift` needs snapshots; TooNewLessonsError when there is none.

    `end_ms`: midnight of the last day of the data.
    """
    lessons_ms = model.fitted_at_ms // DAY_MS * DAY_MS
    if end_ms < lessons_ms + SINCE_MIN_MS:
        raise TooNewLessonsError(
            f"the model was learnt from events up to {day(lessons_ms)}, and these end on {day(end_ms)}: "
            f"at least {SINCE_MIN_MS // DAY_MS} days after its lessons are needed to compare"
        )
    looks = {end_ms - before_ms for before_ms in LOOKS_MS if end_ms - before_ms >= lessons_ms}
    return tuple(sorted({lessons_ms, end_ms, *looks}))


def drift(history: History, model: Model, end_ms: int) -> Drift:
    """The looks at a history that has a snapshot as of each of `days_of_drift`."""
    lessons_ms = model.fitted_at_ms // DAY_MS * DAY_MS
    ranked = {day_ms: one.ranked_in(model.currency) for day_ms, one in history.snapshots.items()}
    times = _purchase_days(history)
    looks = (
        _volume(times, lessons_ms, end_ms),
        _mix(times, lessons_ms, end_ms),
        *_population(model, ranked[end_ms]),
        _purchases(model, ranked[lessons_ms], times, end_ms),
        _calibration(history, model, ranked, end_ms),
    )
    return Drift(model.version, day(lessons_ms), day(end_ms), looks)


Times = dict[str, list[int]]
"""Customer -> the midnights of the days on which they bought, in order."""


def _purchase_days(history: History) -> Times:
    return {
        customer: sorted({at_ms // DAY_MS * DAY_MS for at_ms in orders.values()})
        for customer, orders in history.orders.items()
    }


def _within(times: Times, after_ms: int, until_ms: int) -> int:
    """Purchase days after one midnight, up to another."""
    return sum(after_ms < at_ms <= until_ms for days in times.values() for at_ms in days)


def _spans(times: Times, lessons_ms: int, end_ms: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The newest weeks after the lessons, and those before their end: from (exclusive) and to, midnights."""
    first_ms = min(days[0] for days in times.values() if days) - DAY_MS
    recent = max(lessons_ms, end_ms - RECENT_MS), end_ms
    return recent, (max(first_ms, lessons_ms - BEFORE_MS), lessons_ms)


def _volume(times: Times, lessons_ms: int, end_ms: int) -> Look:
    recent, before = _spans(times, lessons_ms, end_ms)
    now, then = (_within(times, *span) for span in (recent, before))
    if then < CASES_MIN or before[1] <= before[0]:
        return _unknown("volume", VOLUME_MAX, "too few purchases before the end of the lessons")
    rates = [count * WEEK_MS / (span[1] - span[0]) for count, span in ((then, before), (now, recent))]
    noise = ERRORS * np.sqrt(1.0 / then + 1.0 / max(now, 1))
    apart = abs(np.log(max(rates[1], 1e-9) / rates[0]))
    drifted = bool(apart > max(np.log(VOLUME_MAX), noise))
    words = (
        f"{rates[1]:,.0f} purchase days a week in the {_weeks(recent)} up to the end of the data, "
        f"{rates[0]:,.0f} in the {_weeks(before)} up to the end of the lessons"
    )
    return Look("volume", drifted, rates[0], rates[1], VOLUME_MAX, words)


def _mix(times: Times, lessons_ms: int, end_ms: int) -> Look:
    """Share of first purchases among all."""
    recent, before = _spans(times, lessons_ms, end_ms)
    counts = [_within(times, *span) for span in (before, recent)]
    if min(counts) < CASES_MIN:
        return _unknown("mix", MIX_MAX, "too few purchases to compare the shares of new customers")
    firsts = [
        sum(span[0] < days[0] <= span[1] for days in times.values() if days) for span in (before, recent)
    ]
    shares = [first / count for first, count in zip(firsts, counts, strict=True)]
    errors = [share * (1.0 - share) / count for share, count in zip(shares, counts, strict=True)]
    apart = abs(shares[1] - shares[0])
    drifted = bool(apart > max(MIX_MAX, ERRORS * np.sqrt(sum(errors))))
    words = f"{shares[1]:.0%} of the newest purchases are a customer's first; {shares[0]:.0%} of the lessons'"
    return Look("mix", drifted, shares[0], shares[1], MIX_MAX, words)


def _population(model: Model, now: Snapshot) -> Iterator[Look]:
    """Where today's customers stand among those of the lessons: the mean of their ranks, .5 if alike."""
    known = model.population
    names = {
        "inactive_days": (known.inactive_days, now.inactive_days, "days since the last purchase"),
        "frequency": (known.frequency, now.column("frequency"), "numbers of purchase days"),
        "monetary": (known.monetary_minor, now.column("monetary_minor")[now.ranked], "amounts of a purchase"),
    }
    for name, (ranks, values, what) in names.items():
        if len(values) < CASES_MIN:
            yield _unknown(name, RANK_MAX, "too few customers")
            continue
        found = np.array([ranks.rank(value) for value in values])
        mean, error = float(found.mean()), float(found.std() / np.sqrt(len(found)))
        drifted = abs(mean - 0.5) > max(RANK_MAX, ERRORS * error)
        words = f"today's {what} have a mean rank of {100 * mean:.0f}% among the lessons' (alike: 50%)"
        yield Look(name, drifted, 0.5, mean, RANK_MAX, words)


def _purchases(model: Model, then: Snapshot, times: Times, end_ms: int) -> Look:
    """What the customers of the lessons bought since, against what the model expected."""
    span_ms = end_ms - then.as_of_ms
    if len(then.customers) < CASES_MIN:
        return _unknown("purchases", PURCHASES_MAX, "too few customers in the lessons")
    expected = expected_purchases(model, then, span_ms)
    got = np.array([sum(at > then.as_of_ms for at in times.get(one, ())) for one in then.customers])
    error = ERRORS * float(np.sqrt(((got - expected) ** 2).sum()))
    low, high = float(expected.sum()) / PURCHASES_MAX, float(expected.sum()) * PURCHASES_MAX
    total = float(got.sum())
    drifted = not low <= total <= high and abs(total - float(expected.sum())) > error
    words = (
        f"the {len(got):,} customers of the lessons bought on {total:,.0f} days since; the model expected "
        f"{expected.sum():,.0f}"
    )
    return Look("purchases", drifted, float(expected.sum()), total, PURCHASES_MAX, words)


def _calibration(history: History, model: Model, ranked: dict[int, Snapshot], end_ms: int) -> Look:
    """The mean stated risk of the newest complete look after the lessons, against who stayed away."""
    for day_ms in sorted(ranked, reverse=True):
        snapshot = ranked[day_ms]
        own_ms = own_horizons_ms(model, snapshot)
        over = own_ms <= end_ms - day_ms
        if over.sum() >= CASES_MIN and over.mean() >= COMPLETE_SHARE:
            return _calibrated(history, model, snapshot, (own_ms, over))
    return _unknown("risk", RISK_MAX, "not enough customers whose horizon is over since the lessons")


def _calibrated(history: History, model: Model, snapshot: Snapshot, horizons: tuple[Numbers, Flags]) -> Look:
    own_ms, over = horizons
    risks = churn_risks(model, snapshot)[over]
    silent = history.silent(snapshot, own_ms)[over]
    stated_risk, share = float(risks.mean()), float(silent.mean())
    error = float(np.sqrt((risks * (1.0 - risks)).sum())) / len(risks)
    drifted = abs(stated_risk - share) > max(RISK_MAX, ERRORS * error)
    words = (
        f"of {len(risks):,} customers as of {day(snapshot.as_of_ms)}, {share:.0%} bought nothing within "
        f"their own horizon; the model said {stated_risk:.0%}"
    )
    return Look("risk", drifted, stated_risk, share, RISK_MAX, words)


def _unknown(name: str, limit: float, words: str) -> Look:
    return Look(name, None, None, None, limit, f"not looked at: {words}")


def _weeks(span: tuple[int, int]) -> str:
    days = (span[1] - span[0]) // DAY_MS
    return f"{days // 7} weeks" if days >= 14 else f"{days} days"
