"""Compare recorded events with the lessons of a model."""

from __future__ import annotations

from stream.analysis.fit_recording import coverage_of, learn
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.fit.drift import Drift, days_of_drift, drift
from stream.fit.history import History
from stream.recording.jobs import Jobs


def drift_of_recording(jobs: Jobs, model: Model, policy: Policy) -> Drift:
    """What the events say of the model; TooNewLessonsError when they end before its lessons do."""
    coverage = coverage_of(jobs, policy.calendar)
    end_ms = coverage.last_day_ms(None)
    days = days_of_drift(model, end_ms)
    history = History.joined(jobs.run("reading what came since", learn, end_ms, days, policy))
    with jobs.recording.shown("comparing", None):
        return drift(history, model, end_ms)
