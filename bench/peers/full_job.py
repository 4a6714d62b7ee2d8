"""The full job for peers: our own core inside another engine, with that engine's own state and commits.

A peer of the full job reads BENCH_INPUT, one topic that holds all events in order of event time (only our
engine and Quix Streams can merge topics by time; so this costs the peers less than the three topics that ours
reads). With each event it decodes, folds, judges and encodes by the functions that the worker has. Its rows
and alerts go to Kafka by its own means.

Silence is judged when a customer's next event comes, as none of the peers has a timer per customer that goes
by event time and is durable; `bench/same_job.py` judges what is left at the end before it compares.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from stream.core.alerts.alert import Alert
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.step import on_event, on_review
from stream.model_file import default_model
from stream.policy_file import default_policy
from stream.wire import decode_line, encode_alert

INPUT = os.environ.get("BENCH_INPUT", "")
ALERTS = os.environ.get("BENCH_ALERTS", "")
ROWS = os.environ.get("BENCH_CHANGELOG", "")
EPOCH_S = float(os.environ.get("BENCH_EPOCH_S", "5"))
"""How often a peer makes its state durable: ours commits about every 5 s too."""

encode_row = msgspec.json.Encoder().encode
decode_row = msgspec.json.Decoder(Profile).decode


def basis() -> Basis:
    """The policy and the model that the worker has by default."""
    return Basis(default_policy(), default_model())


def silence_until(profile: Profile, to_ms: int, by: Basis) -> tuple[Profile, list[Alert]]:
    """Judge every review that is due up to and including an instant."""
    alerts: list[Alert] = []
    while profile.next_review_ms is not None and profile.next_review_ms <= to_ms:
        step = on_review(profile, profile.next_review_ms, by)
        assert step.profile is not None
        profile = step.profile
        alerts += step.alerts
    return profile, alerts


def step(profile: Profile | None, value: bytes, by: Basis) -> tuple[Profile | None, list[bytes]]:
    """One event of a customer, as JSON: the profile after it (changed in place), and the encoded alerts."""
    event: Any = decode_line(value)
    at_ms: int = event.time_ms
    alerts: list[Alert] = []
    if profile is not None:
        profile, alerts = silence_until(profile, at_ms, by)
    done = on_event(profile, event, by, at_ms)
    return done.profile, [encode_alert(alert) for alert in (*alerts, *done.alerts)]
