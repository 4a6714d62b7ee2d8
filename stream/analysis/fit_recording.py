"""Fit a model to recorded events."""

from __future__ import annotations

from stream.core.model.record import Horizon, Model
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.absurd_money import is_absurd, set_aside_words
from stream.fit.coverage import Coverage
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.recording.recording import Recording
from stream.recording.split import SplitEvents


class NoPurchasesError(ValueError):
    """There is no purchase to learn from; the message says where."""


def horizon_of(horizon_ms: int | None) -> Horizon:
    """The same horizon for every customer, or (None) each customer's own."""
    return Horizon() if horizon_ms is None else Horizon(min_ms=horizon_ms, max_ms=horizon_ms)


def coverage_of(recording: Recording) -> Coverage:
    """How far the events of a recording reach; NoPurchasesError when none of them is a purchase.

    Customers whose money cannot be true are left out of the recording from now on, and named in the notes.
    """
    coverage, absurd = _looked_through(recording)
    if absurd:
        recording.left_out |= absurd
        coverage, _ = _looked_through(recording)
        coverage.left_out_words = [set_aside_words(absurd)]
    if not coverage.first_day_ms:
        left_out = "".join(f"; {words}" for words in coverage.left_out_words)
        raise NoPurchasesError(f"no purchase in these events: nothing to learn from{left_out}")
    return coverage


def _looked_through(recording: Recording) -> tuple[Coverage, set[str]]:
    coverage, absurd = Coverage(), set()
    for event in recording.events("looking at the dates"):
        coverage.note(event, event.time_ms)
        if is_absurd(event):
            absurd.add(event.subject)
    return coverage, absurd


def fit_recording(
    recording: Recording, span_ms: tuple[int, int], options: FitOptions, policy: Policy, fallback: Model
) -> Model:
    """The model of what was known at the end of a day.

    `span_ms` are the midnights (UTC) of the days of the first purchase and of the last event to learn from.
    `policy` gives the value tiers and words for reading text, `fallback` what cannot be fitted.
    """
    first_ms, day_ms = span_ms
    days = snapshot_days(first_ms, day_ms, options.horizon)
    until_then = SplitEvents(recording.events("learning"), day_ms + DAY_MS - 1).before()
    history = read_history(until_then, days, policy)
    return fit_model(history, day_ms, options, fallback)
