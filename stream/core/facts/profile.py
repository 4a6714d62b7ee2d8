"""One customer: facts that fold to the same value in any order, and the judgement that followed from them."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from stream.core.facts.engagement import Engagement
from stream.core.facts.feedback import Feedback
from stream.core.facts.interests import Interests
from stream.core.facts.purchases import Buying
from stream.core.units import DAY_MS

ERASURE_GRACE_MS = 7 * DAY_MS
"""How long an erased customer's stub (no data, only the instant) turns away late events."""

Stage = Literal["prospect", "new", "established", "loyal", "lapsed"]
EpisodeState = Literal["idle", "pending", "raised", "escalated"]
FACTS = ("buying", "engagement", "feedback", "interests", "identity", "first_seen_ms", "touch_at_ms", "touch")


class Identity(Struct, omit_defaults=True, gc=False):
    """Who the customer is and how they were won; of two statements the later one holds."""

    campaign: str = ""
    channel: str = ""
    acquired_ms: int = 0
    acquired_stated_ms: int = 0
    country: str = ""
    timezone: str = ""
    stated_ms: int = 0
    consent: dict[str, tuple[int, str]] = field(default_factory=dict)
    actions: int = 0
    action_at_ms: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)


class Episode(Struct, omit_defaults=True, gc=False):
    """Where one rule stands with this customer: at most one alert is open at a time."""

    state: EpisodeState = "idle"
    n: int = 0
    since_ms: int = 0
    """Since when the score has been high without a break."""
    opened_ms: int = 0
    closed_ms: int = 0
    armed: bool = True
    """After an episode ran out, the score must first fall below the clear threshold."""
    score: float = 0.0
    """The score of the last transition."""


class Judgement(Struct, omit_defaults=True, gc=False):
    """What was concluded from the facts, and when to look again."""

    judged_ms: int = 0
    tier: int = 0
    tier_since_ms: int = 0
    tier_moves: list[tuple[int, int]] = field(default_factory=list)
    stage: Stage = "prospect"
    lapsed_after_ms: int = -1
    """The last purchase of a customer who lapsed: another one ends it."""
    risk: float = 0.0
    episodes: dict[str, Episode] = field(default_factory=dict)
    contacts: list[int] = field(default_factory=list)
    alerts: int = 0


class Head(Struct, omit_defaults=True, gc=False):
    """The small part of a profile, which changes with every event."""

    customer: str
    next_review_ms: int | None = None
    first_seen_ms: int = 0
    touch_at_ms: int = 0
    touch: str = ""
    erased_ms: int = 0
    events: int = 0
    seen: bytes = b""
    """Days and fingerprints of recent events (seen.py)."""


class Profile(Head, omit_defaults=True, gc=False):
    """Everything kept about one customer; owned and changed in place by whoever folds."""

    identity: Identity = field(default_factory=Identity)
    feedback: Feedback = field(default_factory=Feedback)
    buying: Buying = field(default_factory=Buying)
    judgement: Judgement = field(default_factory=Judgement)
    interests: Interests = field(default_factory=Interests)
    engagement: Engagement = field(default_factory=Engagement)


SECTIONS = ("identity", "feedback", "buying", "judgement", "interests", "engagement")
"""The parts of a profile after its head, in the order of its fields (what changes often comes last).

A set of them is a number, a bit each."""
IDENTITY, FEEDBACK, BUYING, JUDGEMENT, INTERESTS, ENGAGEMENT = (1 << place for place in range(len(SECTIONS)))
NOTHING, EVERYTHING = 0, (1 << len(SECTIONS)) - 1


def head_of(profile: Profile) -> Head:
    """A profile without its sections."""
    return Head(
        profile.customer,
        profile.next_review_ms,
        profile.first_seen_ms,
        profile.touch_at_ms,
        profile.touch,
        profile.erased_ms,
        profile.events,
        profile.seen,
    )


def facts(profile: Profile) -> dict[str, Any]:
    """The part of a profile that does not depend on the order of events."""
    return {name: getattr(profile, name) for name in FACTS}
