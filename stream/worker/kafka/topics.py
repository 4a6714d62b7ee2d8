"""Every topic: its name, what it is for and how it must be set. What is there is compared, never guessed.

Historical event times must survive: under a time limit a broker deletes a replayed record of 2011 within
minutes. So inputs and profiles keep everything, and topics with a limit count it from the time of writing.
By the same clock a broker begins a file for every seven days of its records: years that are replayed in a
minute cost it more in files than in records (75% of a core beside 30%). So inputs begin one by size alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from stream.config.settings import Settings
from stream.core.units import DAY_MS

Role = Literal["purchases", "engagement", "feedback", "control", "profiles", "alerts", "deadletter"]
INPUTS: tuple[Role, ...] = ("purchases", "engagement", "feedback", "control")
ROLES: tuple[Role, ...] = (*INPUTS, "profiles", "alerts", "deadletter")

CENTURY_MS = 36_525 * DAY_MS
KEPT_FOR_EVER = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "message.timestamp.type": "CreateTime",
    "segment.ms": str(CENTURY_MS),
}
COMPACTED = {
    "cleanup.policy": "compact",
    "retention.ms": "-1",
    "message.timestamp.type": "CreateTime",
    "min.compaction.lag.ms": "60000",
    "max.compaction.lag.ms": str(DAY_MS),  # an erased customer is gone from the log after a day
    "delete.retention.ms": str(DAY_MS),  # a reader may be a day behind and still see the erasure
    "segment.ms": "3600000",
    "min.cleanable.dirty.ratio": "0.1",
    "max.message.bytes": "2097152",  # a row with its outbox
}


def _kept_for(days: int, **more: str) -> dict[str, str]:
    """Counted from the writing, whatever time the record itself claims."""
    kept = {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}
    return {**kept, "message.timestamp.type": "LogAppendTime", **more}


CONFIGS: Mapping[Role, Mapping[str, str]] = {
    "purchases": KEPT_FOR_EVER,
    "engagement": KEPT_FOR_EVER,
    "feedback": KEPT_FOR_EVER,
    "control": KEPT_FOR_EVER,
    "profiles": COMPACTED,
    "alerts": _kept_for(30, **{"compression.type": "gzip"}),  # n8n and KafkaJS read no other
    "deadletter": _kept_for(14, **{"max.message.bytes": "2097152"}),
}


class TopicNames(Struct, frozen=True):
    """The full names, prefix included."""

    purchases: str
    engagement: str
    feedback: str
    control: str
    profiles: str
    alerts: str
    deadletter: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """In the order in which events of one instant are applied."""
        return tuple(getattr(self, role) for role in INPUTS)


class TopicPlan(Struct, frozen=True):
    """How one topic must be."""

    role: Role
    name: str
    partitions: int
    replication: int
    config: dict[str, str]


class TopicState(Struct, frozen=True):
    """How one topic is."""

    partitions: int
    config: dict[str, str]


class TopicFinding(Struct, frozen=True):
    """One difference between plan and cluster; `ok` findings have none."""

    topic: str
    what: Literal["ok", "missing", "partitions", "config"]
    config: str = ""
    wanted: str = ""
    found: str = ""

    def line(self) -> str:
        """The finding and its remedy, in words."""
        if self.what == "missing":
            return f"{self.topic}: missing"
        if self.what == "partitions":
            return (
                f"{self.topic}: {self.found} partitions, {self.wanted} wanted. Partitions of a keyed topic "
                "are never changed: set STREAM_PARTITIONS to what is there, or make new topics "
                "(STREAM_TOPIC_PREFIX)"
            )
        if self.what == "config":
            return f"{self.topic}: {self.config} is {self.found}, {self.wanted} wanted"
        return f"{self.topic}: as it should be"


def topic_names(settings: Settings) -> TopicNames:
    return TopicNames(*(settings.topic_prefix + getattr(settings, f"topic_{role}") for role in ROLES))


def topic_plans(settings: Settings) -> list[TopicPlan]:
    """Every topic as it must be: equal partition counts, for one customer lives in one partition number."""
    safe = {"min.insync.replicas": "2"} if settings.replication >= 3 else {}
    names = topic_names(settings)
    return [
        TopicPlan(
            role, getattr(names, role), settings.partitions, settings.replication, {**CONFIGS[role], **safe}
        )
        for role in ROLES
    ]


def topic_findings(plans: list[TopicPlan], cluster: Mapping[str, TopicState]) -> Iterator[TopicFinding]:
    """What differs, topic by topic; a topic without a difference is one `ok`."""
    for plan in plans:
        state = cluster.get(plan.name)
        if state is None:
            yield TopicFinding(plan.name, "missing")
            continue
        found = list(_differences(plan, state))
        yield from found or [TopicFinding(plan.name, "ok")]


def _differences(plan: TopicPlan, state: TopicState) -> Iterator[TopicFinding]:
    if state.partitions != plan.partitions:
        yield TopicFinding(plan.name, "partitions", "", str(plan.partitions), str(state.partitions))
    for name, wanted in plan.config.items():
        found = state.config.get(name, "")
        if found != wanted:
            yield TopicFinding(plan.name, "config", name, wanted, found)
