"""The sources that a model is fitted to: files, the input topics, or the profiles topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.analysis.fit_recording import coverage_of, fit_recording
from stream.commands.parameters import basis_of_worker, chosen_model
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.fit.model_fit import FitOptions
from stream.fit.refit import refit
from stream.progress import progress
from stream.recording.recording import Recording


@dataclass(frozen=True)
class FitResult:
    """A model, how many lines or records are not events, and what is to be known of the data."""

    model: Model
    unreadable: int
    notes: tuple[str, ...] = ()


def fit_from_source(
    paths: Sequence[Path], from_kafka: bool, until_ms: int | None, options: FitOptions, policy: Policy
) -> FitResult:
    """Fit to files, or to the input topics, or (with neither) refit to the profiles topic."""
    if paths or from_kafka:
        recording = Recording(paths, progress) if paths else _topics()
        coverage = coverage_of(recording)
        day_ms = coverage.last_day_ms(until_ms)
        with progress("fitting the model"):
            model = fit_recording(
                recording, (coverage.first_day_ms, day_ms), options, policy, chosen_model(None)
            )
        return FitResult(model, len(recording.unreadable), tuple(coverage.notes(day_ms)))
    from stream.ops.topic_profiles import topic_profiles

    with progress("reading the profiles"):
        profiles, in_force = topic_profiles()
    with progress("fitting the model"):
        return FitResult(refit(profiles, in_force or basis_of_worker(None, None).model, options), 0)


def _topics() -> Recording:
    from stream.ops.topic_recording import topic_recording

    with progress("reading the topics"):
        return topic_recording()
