"""Helpers for the laws of the core: fold the events of a life, let time pass, and compare profiles."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from stream.core.alerts.alert import Alert
from stream.core.events.event import Event
from stream.core.facts.profile import Profile, facts
from stream.core.judgement.basis import Basis
from stream.core.step import on_event, on_review

ENCODE = msgspec.json.Encoder().encode


def lived(life: Iterable[Event], basis: Basis) -> tuple[Profile, list[Alert]]:
    """The profile after these events in this order, and all alerts on the way."""
    profile: Profile | None = None
    alerts: list[Alert] = []
    for event in life:
        step = on_event(profile, event, basis)
        profile = step.profile
        alerts += step.alerts
    assert profile is not None, "no event of this life made a profile"
    return profile, alerts


def waited(profile: Profile, until_ms: int, basis: Basis) -> tuple[Profile, list[Alert]]:
    """The customer after silence up to an instant, and its alerts; the given profile is not changed."""
    step = on_review(deepcopy(profile), until_ms, basis)
    assert step.profile is not None
    return step.profile, list(step.alerts)


def transitions(alerts: Iterable[Alert]) -> list[str]:
    """`kind.state` of each alert, in order."""
    return [alert.type for alert in alerts]


def assert_same_facts(one: Profile, other: Profile) -> None:
    """Compare two profiles: floats to 1e-9, everything else exactly."""
    assert_alike(msgspec.to_builtins(facts(one)), msgspec.to_builtins(facts(other)), "facts")


def assert_alike(one: Any, other: Any, where: str) -> None:
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_alike(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_alike(*pair, f"{where}[{index}]")
    elif isinstance(one, float) or isinstance(other, float):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9), where
    else:
        assert one == other, where
