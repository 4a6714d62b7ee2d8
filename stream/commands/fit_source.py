"""The sources that a model is fitted to: recorded events of files or topics, or the profiles topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stream.analysis.fit_recording import coverage_of, fit_recording
from stream.commands.parameters import basis_of_worker, chosen_model
from stream.commands.recorded_events import far_notes, future_notes
from stream.core.facts.meaning import Meaning
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.fit.model_fit import FitOptions
from stream.fit.refit import refit
from stream.progress import progress
from stream.recording.jobs import Jobs
from stream.recording.recording import Recording


def recorded_events(paths: Sequence[Path], now_ms: int) -> Recording:
    """The events of files, or (without any) of the input topics."""
    if paths:
        return Recording(paths, progress, now_ms)
    from stream.ops.topic_recording import topic_recording

    with progress("reading the topics"):
        recording = topic_recording(now_ms)
    recording.shown = progress
    return recording


def fit_to_events(jobs: Jobs, until_ms: int | None, options: FitOptions, policy: Policy) -> Model:
    """Fit to recorded events; the model's notes say what is to be known of them."""
    coverage, recording = coverage_of(jobs, policy.calendar), jobs.recording
    day_ms = coverage.last_day_ms(until_ms)
    notes = (*coverage.notes(day_ms), *far_notes(recording), *future_notes(recording))
    span_ms = (coverage.first_day_ms, day_ms)
    return fit_recording(jobs, span_ms, replace(options, data_notes=notes), policy, chosen_model(None))


def refit_to_profiles(options: FitOptions, policy: Policy) -> Model:
    """Refit to the profiles topic, with the risk layer of the model in force. Facts must mean there what they
    mean by this policy."""
    from stream.ops.topic_profiles import topic_profiles

    with progress("reading the profiles"):
        profiles, in_force = topic_profiles(Meaning(policy).digest)
    with progress("fitting the model"):
        return refit(profiles, in_force or basis_of_worker(None, None).model, options, policy.calendar)
