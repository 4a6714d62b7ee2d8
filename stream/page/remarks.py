"""The rows of the read store that a running shop adds: remarks on alerts, and what was not counted."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from stream.core.units import FOREVER_MS

RemarkKind = Literal["acknowledged", "taken", "saved", "churned", "ignored", "undone"]
"""A remark on an alert: seen, done, an outcome, or that an earlier remark was a mistake."""
NEVER_AGAIN_MS = FOREVER_MS
"""`MuteEntry.until_ms` of a customer about whom no alert is to reach anybody again."""


class ActionEntry(Struct, frozen=True):
    """One `action.*` event about an alert, as columns of the table `actions`, in this order."""

    id: str
    """Of the event."""
    customer: str
    alert_id: str
    remark: str
    """One of RemarkKind."""
    at_ms: int
    actor: str
    """Whose remark it is; empty where the event does not tell."""
    undoes: str
    """With `undone`: the id of the event that is taken back."""


class MuteEntry(Struct, frozen=True):
    """The latest word on whether alerts of a customer reach people, as columns of the table `mutes`."""

    customer: str
    until_ms: int
    """They do not before this instant; 0: they do."""
    at_ms: int
    """Time of the event; of two at one instant the longer mute counts."""
    reason: str
    actor: str


class ErasureEntry(Struct, frozen=True):
    """The erasure of a customer: nothing from before it is shown, as columns of the table `erasures`, in
    which a pseudonym stands for the customer."""

    customer: str
    at_ms: int


class NotCounted(Struct, frozen=True):
    """How many records were not counted on a day, by topic and reason, as columns of `not_counted`."""

    day: int
    """Of the business, days since 1970, by the time at which the record was put aside."""
    source: str
    """The topic that the records were on."""
    reason: str
    count: int
