"""Where a fit reads from: files, the input topics, or the profiles topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stream.analysis.fit_recording import learnt_model
from stream.commands.parameters import chosen_model
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.fit.model_fit import Wishes
from stream.fit.refit import refit
from stream.recording.recording import Recording


@dataclass(frozen=True)
class Fitted:
    """A model, and how many records were no events."""

    model: Model
    refused: int


def fitted_to(
    paths: Sequence[Path], from_kafka: bool, until_ms: int | None, wishes: Wishes, policy: Policy
) -> Fitted:
    """Files, or the input topics, or (neither) the profiles topic."""
    if paths or from_kafka:
        recording = Recording(paths) if paths else _topics()
        model = learnt_model(recording, until_ms, wishes, policy, chosen_model(None))
        return Fitted(model, len(recording.unreadable))
    from stream.ops.topic_profiles import topic_profiles

    profiles, in_force = topic_profiles()
    return Fitted(refit(profiles, in_force or chosen_model(None), wishes), 0)


def _topics() -> Recording:
    from stream.ops.topic_recording import topic_recording

    return topic_recording()
