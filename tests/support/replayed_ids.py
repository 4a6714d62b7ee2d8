"""The ids of the alerts that events lead to, by the core alone: without Kafka, and without time going on."""

from __future__ import annotations

from collections.abc import Iterable

from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.step import on_event
from tests.support.builders import basis


def replayed_alert_ids(events: Iterable[Event]) -> set[str]:
    """`events` in order of time; the shipped model and policy."""
    profiles: dict[str, Profile | None] = {}
    found: set[str] = set()
    for event in events:
        step = on_event(profiles.get(event.subject), event, basis())
        profiles[event.subject] = step.profile
        found |= {alert.id for alert in step.alerts}
    return found
