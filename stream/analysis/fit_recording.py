"""Fit a model to recorded events."""

from __future__ import annotations

from collections.abc import Sequence

from stream.core.calendar import Calendar
from stream.core.model.record import Horizon, Model
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.absurd_money import is_absurd, set_aside_words
from stream.fit.coverage import Coverage
from stream.fit.history import History, read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.recording.jobs import Jobs
from stream.recording.part import Part
from stream.recording.split import SplitEvents


class NoPurchasesError(ValueError):
    """There is no purchase to learn from; the message says where."""


def horizon_of(horizon_ms: int | None) -> Horizon:
    """The same horizon for every customer, or (None) each customer's own."""
    return Horizon() if horizon_ms is None else Horizon(min_ms=horizon_ms, max_ms=horizon_ms)


def coverage_of(jobs: Jobs, calendar: Calendar) -> Coverage:
    """How far the events of a recording reach, by the clock of the business.

    NoPurchasesError when none of them is a purchase.

    Customers whose money cannot be true are left out of the recording from now on, and named in the notes.
    """
    coverage, absurd = _looked_through(jobs, calendar)
    if absurd:
        jobs.recording.left_out |= absurd
        coverage, _ = _looked_through(jobs, calendar)
        coverage.left_out_words = [set_aside_words(absurd)]
    if not coverage.first_day_ms:
        left_out = "".join(f"; {words}" for words in coverage.left_out_words)
        raise NoPurchasesError(f"no purchase in these events: nothing to learn from{left_out}")
    return coverage


def _looked_through(jobs: Jobs, calendar: Calendar) -> tuple[Coverage, set[str]]:
    parts = jobs.run("looking at the dates", look_through, calendar)
    return Coverage.joined([coverage for coverage, _ in parts]), set().union(*(who for _, who in parts))


def look_through(part: Part, calendar: Calendar) -> tuple[Coverage, set[str]]:
    """The span of a part, and its customers whose money cannot be true."""
    coverage, absurd = Coverage(), set()
    for event in part.events():
        coverage.note(event, calendar.local_ms(event.time_ms))
        if is_absurd(event):
            absurd.add(event.subject)
    return coverage, absurd


def fit_recording(
    jobs: Jobs, span_ms: tuple[int, int], options: FitOptions, policy: Policy, fallback: Model
) -> Model:
    """The model of what was known at the end of a day.

    `span_ms` are the midnights of the days of the first purchase and of the last event to learn from, as the
    clock of the business shows them.
    `policy` gives the value tiers and words for reading text, `fallback` what cannot be fitted.
    """
    first_ms, day_ms = span_ms
    days = snapshot_days(first_ms, day_ms, options.horizon)
    history = History.joined(jobs.run("learning", learn, day_ms, days, policy))
    with jobs.recording.shown("fitting the model", None):
        return fit_model(history, day_ms, options, fallback)


def learn(part: Part, day_ms: int, days_ms: Sequence[int], policy: Policy) -> History:
    """The history of a part up to the end of a day, without the profiles, which no fit needs."""
    until_then = SplitEvents(part.events(), last_instant_ms(day_ms, policy.calendar)).before()
    history = read_history(until_then, days_ms, policy)
    history.profiles = {}
    return history


def last_instant_ms(day_ms: int, calendar: Calendar) -> int:
    """The last millisecond (since 1970 UTC) of a day that begins when the clock shows `day_ms`."""
    return calendar.instant_ms(day_ms + DAY_MS) - 1
