"""The profile of one customer: facts, which are the same in any order of events, and the last judgement."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from stream.core.facts.engagement import Engagement
from stream.core.facts.feedback import Feedback
from stream.core.facts.interests import Interests
from stream.core.facts.purchases import Buying
from stream.core.policy.arms import Assignment
from stream.core.units import DAY_MS

PROFILE_VERSION = 2
"""What profiles are written as. Version 1, of the program's version 0.1.0, has no number (versions.py)."""
ERASURE_GRACE_MS = 7 * DAY_MS
"""How long the stub of an erased customer, which holds only the instant, rejects events from before it."""

Stage = Literal["prospect", "new", "established", "loyal", "lapsed"]
EpisodeState = Literal["idle", "pending", "raised", "escalated"]
FACTS = ("buying", "engagement", "feedback", "interests", "identity", "first_seen_ms", "touch_at_ms", "touch")


class Identity(Struct, omit_defaults=True, gc=False):
    """Who the customer is and how they were won; of two statements the later one counts. Instants: epoch
    ms."""

    campaign: str = ""
    """The campaign that won the customer."""
    channel: str = ""
    """The channel that won the customer."""
    acquired_ms: int = 0
    """When the customer was won; 0: not known."""
    acquired_stated_ms: int = 0
    """Event time of the statement about acquisition that counts."""
    country: str = ""
    timezone: str = ""
    stated_ms: int = 0
    """Event time of the statement about country and time zone that counts."""
    consent: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Purpose -> event time and status (grant, deny, revoked)."""
    actions: int = 0
    """Actions that somebody took on alerts."""
    action_at_ms: int = 0
    """The last of them."""
    outcomes: dict[str, int] = field(default_factory=dict)
    """How often actions had which outcome (saved, churned, ignored)."""


class Episode(Struct, omit_defaults=True, gc=False):
    """State of one kind of alert for this customer; at most one alert of a kind is open. Instants: epoch
    ms."""

    state: EpisodeState = "idle"
    n: int = 0
    """Episodes of this kind so far, the present one included."""
    since_ms: int = 0
    """Since when the score has been above the raise threshold without a break (pending)."""
    opened_ms: int = 0
    """When the present or last episode was raised."""
    closed_ms: int = 0
    """When the last one ended; 0: none has."""
    armed: bool = True
    """False after an episode expired: first the score must fall below the clear threshold."""
    score: float = 0.0
    """The score at the last transition, 0 to 1."""
    experiment: Assignment | None = None
    """The arm in which the present or last episode was raised; None: in no experiment."""

    @property
    def is_open(self) -> bool:
        """Whether an alert of it is open."""
        return self.state in ("raised", "escalated")


class Judgement(Struct, omit_defaults=True, gc=False):
    """What was concluded from the facts at the last judgement. Instants: epoch ms."""

    judged_ms: int = 0
    """The instant of the last judgement."""
    tier: int = 0
    """Rank on the policy's ladder, 0 lowest."""
    tier_since_ms: int = 0
    tier_moves: list[tuple[int, int]] = field(default_factory=list)
    """Instant and new rank of the latest changes of tier."""
    stage: Stage = "prospect"
    """Stage of the relationship."""
    lapsed_after_ms: int = -1
    """The last purchase before the customer lapsed; the next one ends the stage. -1: not lapsed."""
    risk: float = 0.0
    """Churn risk, 0 to 1: probability of no purchase within the customer's own horizon."""
    episodes: dict[str, Episode] = field(default_factory=dict)
    """By kind of alert."""
    contacts: list[int] = field(default_factory=list)
    """When alerts were raised within the policy's contact window."""
    alerts: int = 0
    """Alerts so far: the sequence number of the last one."""
    stage_moves: list[tuple[int, Stage]] = field(default_factory=list)
    """Instant and new stage of the latest changes of stage."""


class ShadowJudgement(Struct, omit_defaults=True, gc=False):
    """What a shadow policy concluded from the same facts: kept beside the profile, never in it."""

    begun: int
    """By which publication: the offset after it on the control topic. A later shadow begins anew."""
    judgement: Judgement = field(default_factory=Judgement)
    next_review_ms: int | None = None
    """As in the profile, for this judgement."""


class Head(Struct, omit_defaults=True, gc=False):
    """The small part of a profile, which changes with every event. Instants: epoch ms."""

    customer: str
    version: int = 1
    """Of this record; version 1 does not state it. New profiles are made by `new_profile`."""
    meaning: str = ""
    """`Meaning.digest` of the policy that the facts were folded by: its time zone and currency. Empty: UTC,
    and no currency named."""
    next_review_ms: int | None = None
    """The next instant at which time alone may change the judgement."""
    first_seen_ms: int = 0
    """The earliest event."""
    touch_at_ms: int = 0
    """The last event that was the customer's own doing."""
    touch: str = ""
    """Its type."""
    erased_ms: int = 0
    """When the customer was erased; 0: not."""
    events: int = 0
    """Events folded, duplicates left out."""
    seen: bytes = b""
    """Days and fingerprints of recent events (seen.py)."""
    seen_kinds: bytes = b""
    """Of each of them the part of the day, type and source, as marks."""
    forgotten: bytes = b""
    """Up to when events of each type and source are no longer remembered one by one."""
    counted_from_ms: int = 0
    """From here on facts by month and changes of stage are complete. Before, they may be missing or too few,
    since the profile was of version 1. 0: they are complete from the beginning."""


class Profile(Head, omit_defaults=True, gc=False):
    """Everything kept about one customer. It is changed in place (docs/decisions/0003)."""

    identity: Identity = field(default_factory=Identity)
    feedback: Feedback = field(default_factory=Feedback)
    buying: Buying = field(default_factory=Buying)
    judgement: Judgement = field(default_factory=Judgement)
    interests: Interests = field(default_factory=Interests)
    engagement: Engagement = field(default_factory=Engagement)


SECTIONS = ("identity", "feedback", "buying", "judgement", "interests", "engagement")
"""The parts of a profile after its head, in the order of the fields; what changes often comes last. A set of
sections is a bit mask."""
IDENTITY, FEEDBACK, BUYING, JUDGEMENT, INTERESTS, ENGAGEMENT = (1 << place for place in range(len(SECTIONS)))
NOTHING, EVERYTHING = 0, (1 << len(SECTIONS)) - 1


def new_profile(customer: str, meaning: str) -> Profile:
    """The profile of a customer of whom nothing is known yet; `meaning`: the digest of what facts mean."""
    return Profile(customer, PROFILE_VERSION, meaning)


def head_of(profile: Profile) -> Head:
    """The head of a profile, without the sections."""
    return Head(
        profile.customer,
        profile.version,
        profile.meaning,
        profile.next_review_ms,
        profile.first_seen_ms,
        profile.touch_at_ms,
        profile.touch,
        profile.erased_ms,
        profile.events,
        profile.seen,
        profile.seen_kinds,
        profile.forgotten,
        profile.counted_from_ms,
    )


def facts(profile: Profile) -> dict[str, Any]:
    """The part of a profile that is the same in any order of events, by field."""
    return {name: getattr(profile, name) for name in FACTS}
