"""The `data` part of what people remark on alerts: seen, a mistake, and of whom nobody wants to hear.

That something was done about an alert, and what came of it, is in payload.py: these two are older.
"""

from __future__ import annotations

from typing import Literal

from stream.core.events.payload import EventData, Id, Instant, Label


class Acknowledgement(EventData, frozen=True):
    """Somebody has seen an alert; nothing was done yet, and nothing counts it as an action."""

    alert_id: Id
    actor: Label | None = None


class UndoneAction(EventData, frozen=True):
    """A word about an alert was said by mistake; `event_id` is that event, `undoes` what it said."""

    alert_id: Id
    event_id: Id
    undoes: Literal["acknowledged", "taken", "saved", "churned", "ignored"]
    actor: Label | None = None


class Mute(EventData, frozen=True):
    """No alert about the customer is to reach anybody before `until`, or never again where it is missing.

    The latest of mutes and unmutes by event time counts; of two at one instant the mute.
    """

    reason: Literal["snoozed", "staff", "test", "wholesale", "other"]
    until: Instant | None = None
    alert_id: Id | None = None
    actor: Label | None = None


class Unmute(EventData, frozen=True):
    """Alerts about the customer reach people and programs again."""

    alert_id: Id | None = None
    actor: Label | None = None
