"""Recorded events in, a model record out."""

from __future__ import annotations

from stream.core.events.event import PurchaseCompleted
from stream.core.model.record import Horizon, Model
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.history import read_history
from stream.fit.model_fit import Wishes, fit_model, wanted_days
from stream.recording.recording import Recording
from stream.recording.split import SplitEvents


class Lacking(ValueError):  # noqa: N818
    """The files hold no purchase."""


def horizon_of(horizon_ms: int | None) -> Horizon:
    """A fixed horizon for everybody, or each customer's own."""
    return Horizon() if horizon_ms is None else Horizon(min_ms=horizon_ms, max_ms=horizon_ms)


def purchase_span(recording: Recording) -> tuple[int, int]:
    """Midnight of the first purchase, and the last event; Lacking when nothing was bought."""
    first_ms, last_ms = 0, 0
    for event in recording.events():
        last_ms = event.time_ms
        if not first_ms and type(event) is PurchaseCompleted:
            first_ms = last_ms // DAY_MS * DAY_MS
    recording.unreadable.clear()  # each reading finds them anew
    if not first_ms:
        raise Lacking("no purchase in these events: nothing to learn from")
    return first_ms, last_ms


def learnt_model(
    recording: Recording, until_ms: int | None, wishes: Wishes, policy: Policy, fallback: Model
) -> Model:
    """The model of everything known at the end of a day."""
    first_ms, last_ms = purchase_span(recording)
    split_ms = (last_ms if until_ms is None else until_ms) // DAY_MS * DAY_MS
    days = wanted_days(first_ms, split_ms, wishes.horizon)
    parted = SplitEvents(recording.events(), split_ms + DAY_MS - 1)
    history = read_history(parted.before(), days, policy)
    return fit_model(history, split_ms, wishes, fallback)
