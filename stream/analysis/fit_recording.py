"""Fit a model to recorded events."""

from __future__ import annotations

from stream.core.events.event import PurchaseCompleted
from stream.core.model.record import Horizon, Model
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions, fit_model, snapshot_days
from stream.recording.recording import Recording
from stream.recording.split import SplitEvents


class NoPurchasesError(ValueError):
    """There is no purchase to learn from; the message says where."""


def horizon_of(horizon_ms: int | None) -> Horizon:
    """The same horizon for every customer, or (None) each customer's own."""
    return Horizon() if horizon_ms is None else Horizon(min_ms=horizon_ms, max_ms=horizon_ms)


def purchase_span(recording: Recording) -> tuple[int, int]:
    """Midnight of the day of the first purchase, and the time of the last event, in milliseconds."""
    first_ms, last_ms = 0, 0
    for event in recording.events():
        last_ms = event.time_ms
        if not first_ms and type(event) is PurchaseCompleted:
            first_ms = last_ms // DAY_MS * DAY_MS
    if not first_ms:
        raise NoPurchasesError("no purchase in these events: nothing to learn from")
    return first_ms, last_ms


def fit_recording(
    recording: Recording, until_ms: int | None, options: FitOptions, policy: Policy, fallback: Model
) -> Model:
    """The model of what was known at the end of the day of `until_ms`, by default of the last event.

    `policy` gives the value tiers and words for reading text, `fallback` what cannot be fitted.
    """
    first_ms, last_ms = purchase_span(recording)
    split_ms = (last_ms if until_ms is None else until_ms) // DAY_MS * DAY_MS
    days = snapshot_days(first_ms, split_ms, options.horizon)
    split = SplitEvents(recording.events(), split_ms + DAY_MS - 1)
    history = read_history(split.before(), days, policy)
    return fit_model(history, split_ms, options, fallback)
