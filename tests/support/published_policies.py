"""Policies that are published, and what replays say of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stream.core.events.event import Event, PolicyPublished
from stream.core.events.policy_record import PolicyRecord
from stream.core.policy.policy import Policy
from stream.policy_file import parse_policy
from stream.policy_file.published import Mode, encode_policy
from stream.replay.run import Replay, replay
from stream.wire import encode_alert
from tests.support.builders import basis, bought, erased, reviewed, when

BOLD_TEXT = """id = "bold"
version = 2
[churn_risk]
learnt_thresholds = false
tier_min = "bronze"
silence_gaps_min = 0.5
[churn_risk.hysteresis]
raise_at = 0.35
clear_at = 0.2
escalate_at = 0.6
cool_down = "5d"
expire = "20d"
"""
"""It alerts earlier and oftener than the default."""
ANYONE = ("a", "b", "c", "d")


def bold() -> Policy:
    return parse_policy(BOLD_TEXT)


def published(day: float, mode: Mode, policy: Policy, content: bytes = b"") -> PolicyPublished:
    data = PolicyRecord(mode=mode, policy=msgspec.Raw(content or encode_policy(policy)))
    return PolicyPublished(id=f"p{day}", source="/policy", subject="policy", time=when(day), data=data)


def a_year(*publications: Event) -> list[Event]:
    """Four weekly customers, of whom two stop in the summer and come back, `a` after an erasure."""
    purchases = [
        bought(week * 7.0 + place / 10, 30_000, event_id=f"{name}{week}", customer=name)
        for place, name in enumerate(ANYONE)
        for week in range(60)
        if not (name in "ab" and 26 < week < 40) and not (name == "c" and week in (44, 45, 46))
    ]
    unhappy = [reviewed(day, 1, event_id=f"r{day}") for day in (200.0, 203.0, 300.0)]
    gone = msgspec.structs.replace(erased(330.05, event_id="gone"), subject="a")
    events = [*purchases, *unhappy, gone, *publications, bought(470, 1, customer="z", event_id="end")]
    return sorted(events, key=lambda event: event.time)


def switched(events: Sequence[Event]) -> list[Event]:
    """The same events, with every shadow in force instead, and what is published later left out."""
    found: list[Event] = []
    for event in events:
        if isinstance(event, PolicyPublished):
            if event.data.mode != "shadow":
                continue
            active = msgspec.structs.replace(event.data, mode="active")
            found.append(msgspec.structs.replace(event, data=active))
        else:
            found.append(event)
    return found


def replayed(events: Sequence[Event]) -> tuple[Replay, set[bytes]]:
    run, alerts = replay(events, basis())
    return run, {encode_alert(alert) for alert in alerts}


def of_policy(alerts: set[bytes], policy: Policy) -> set[bytes]:
    """The alerts that a policy is named in."""
    return {alert for alert in alerts if policy.hash.encode() in alert}
