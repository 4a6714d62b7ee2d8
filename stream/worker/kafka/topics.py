"""Every topic with its name and required settings, and the differences between these and a cluster.

Record timestamps are event times, so a replay writes records of past years. With a time limit a broker would
delete such a record within minutes. Inputs and profiles therefore keep everything, and the other topics
count their limit from the time of writing. By default a broker also starts a new segment file for every
seven days of record timestamps; years replayed in a minute then cost it more for files than for records (75%
of a core instead of 30%). Inputs therefore start a new file by size alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from stream.config.settings import Settings
from stream.core.units import DAY_MS

Role = Literal[
    "purchases", "engagement", "feedback", "control", "profiles", "alerts", "shadow", "deliveries",
    "deadletter", "view",
]  # fmt: skip
INPUTS: tuple[Role, ...] = ("purchases", "engagement", "feedback", "control")
ROLES: tuple[Role, ...] = (*INPUTS, "profiles", "alerts", "shadow", "deliveries", "deadletter")
"""Of the topics that are always there; that of profile views is made on request."""

CENTURY_MS = 36_525 * DAY_MS
"""Longer than any history, so segments are closed by size alone."""
KEPT_DAYS = 400
"""Of alerts and what became of them: the readout of an experiment looks a year back, and some."""
SHADOW_KEPT_DAYS = 90
"""Of what a shadow policy would have sent: longer than its trial, and than an alert stays open."""
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
    "max.compaction.lag.ms": str(DAY_MS),  # the data of an erased customer are gone from the log after a day
    "delete.retention.ms": str(DAY_MS),  # readers up to a day behind still see the tombstone
    "segment.ms": "3600000",
    "min.cleanable.dirty.ratio": "0.1",
    "max.message.bytes": "2097152",  # a row with its outbox (ROW_BYTES_MAX), with room for headers
}


def _kept_for(days: int, **more: str) -> dict[str, str]:
    """A time limit that counts from the time of writing, whatever the record's own timestamp."""
    kept = {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}
    return {**kept, "message.timestamp.type": "LogAppendTime", **more}


CONFIGS: Mapping[Role, Mapping[str, str]] = {
    "purchases": KEPT_FOR_EVER,
    "engagement": KEPT_FOR_EVER,
    "feedback": KEPT_FOR_EVER,
    "control": KEPT_FOR_EVER,
    "profiles": COMPACTED,
    "view": {**COMPACTED, "compression.type": "gzip"},
    # KafkaJS and n8n can read no other compression.
    "alerts": _kept_for(KEPT_DAYS, **{"compression.type": "gzip"}),
    "deliveries": _kept_for(KEPT_DAYS, **{"compression.type": "gzip"}),
    "shadow": _kept_for(SHADOW_KEPT_DAYS, **{"compression.type": "gzip"}),
    "deadletter": _kept_for(14, **{"max.message.bytes": "2097152"}),
}


_WRITE_AGAIN = "create new topics (STREAM_TOPIC_PREFIX), and send the events again"
_CREATE_AGAIN = "stop the workers, delete this topic, and run `stream topics apply`: lost are only the"
RECREATION: Mapping[Role, str] = {
    **dict.fromkeys(INPUTS, _WRITE_AGAIN),
    "profiles": "cut over to new profiles (runbook), or restore the topic",
    "alerts": f"{_CREATE_AGAIN} alerts in it that nobody has read",
    "shadow": f"{_CREATE_AGAIN} alerts of a shadow policy in it",
    "deliveries": f"{_CREATE_AGAIN} outcomes of deliveries in it",
    "deadletter": f"{_CREATE_AGAIN} dead letters in it",
    "view": "stop the workers, delete this topic, run `stream topics apply`, and start them once with "
    "STREAM_PROFILES_VIEW=anew",
}
"""What to do about a topic that has another number of partitions than the others. No worker
reads alerts, deliveries and dead letters, so these are simply made again."""


KEPT_ROLES: tuple[Role, ...] = ("alerts", "deliveries")
ALERTS_NEEDED = (
    ": alerts must be there until they have expired and `stream uplift` has seen what came of them; the "
    "dashboard shows what the topic holds"
)


class TopicNames(Struct, frozen=True):
    """The names of all topics, with STREAM_TOPIC_PREFIX."""

    purchases: str
    engagement: str
    feedback: str
    control: str
    profiles: str
    alerts: str
    shadow: str
    deliveries: str
    deadletter: str
    view: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The input topics, in the order in which events of one instant are applied."""
        return tuple(getattr(self, role) for role in INPUTS)


class TopicPlan(Struct, frozen=True):
    """The required state of one topic."""

    role: Role
    name: str
    partitions: int
    replication: int
    config: dict[str, str]


class TopicState(Struct, frozen=True):
    """The state of one topic on the cluster."""

    partitions: int
    config: dict[str, str]


class TopicFinding(Struct, frozen=True):
    """One difference between the plan of a topic and the cluster, or `ok` when there is none."""

    topic: str
    what: Literal["ok", "missing", "partitions", "config"]
    config: str = ""
    wanted: str = ""
    found: str = ""
    role: Role = "purchases"
    """What the topic is for: it decides what to do about a number of partitions."""

    def line(self) -> str:
        """The difference in words, and what to do about it."""
        if self.what == "missing":
            return f"{self.topic}: missing; {self.remedy}"
        if self.what == "partitions":
            return (
                f"{self.topic}: {self.found} partitions, not {self.wanted}. "
                f"Numbers of partitions are never changed: {self.remedy}"
            )
        if self.what == "config":
            why = ALERTS_NEEDED if self.role in KEPT_ROLES and self.config == "retention.ms" else ""
            return f"{self.topic}: {self.config} is {self.found}, not {self.wanted}{why}; {self.remedy}"
        return f"{self.topic}: as it should be"

    @property
    def remedy(self) -> str:
        """What to do about the difference; empty when there is none."""
        remedies = {
            "missing": "`stream topics apply` creates it",
            "partitions": (
                f"set STREAM_PARTITIONS={self.found} if all topics have so many, else {RECREATION[self.role]}"
            ),
            "config": "`stream topics apply --alter` corrects it",
        }
        return remedies.get(self.what, "")


def roles_of(settings: Settings) -> tuple[Role, ...]:
    """Of the topics that there are with these settings."""
    return (*ROLES, "view") if settings.profiles_view != "off" else ROLES


def topic_names(settings: Settings) -> TopicNames:
    """The topic names that the settings give."""
    return TopicNames(
        *(settings.topic_prefix + getattr(settings, f"topic_{role}") for role in (*ROLES, "view"))
    )


def topic_plans(settings: Settings, alerts_needed_ms: int = 0) -> list[TopicPlan]:
    """The plan of every topic. Their partition counts are equal: a customer has one partition number.

    `alerts_needed_ms`: how long alerts must be kept at least, where that is more than usual.
    """
    kept_ms = str(max(KEPT_DAYS * DAY_MS, alerts_needed_ms))
    configs = {**CONFIGS, **{role: {**CONFIGS[role], "retention.ms": kept_ms} for role in KEPT_ROLES}}
    safe = {"min.insync.replicas": "2"} if settings.replication >= 3 else {}
    names = topic_names(settings)
    return [
        TopicPlan(
            role, getattr(names, role), settings.partitions, settings.replication, {**configs[role], **safe}
        )
        for role in roles_of(settings)
    ]


def topic_findings(plans: list[TopicPlan], cluster: Mapping[str, TopicState]) -> Iterator[TopicFinding]:
    """The differences of each topic; one `ok` for a topic without any."""
    for plan in plans:
        state = cluster.get(plan.name)
        if state is None:
            yield TopicFinding(plan.name, "missing", role=plan.role)
            continue
        found = list(_differences(plan, state))
        yield from found or [TopicFinding(plan.name, "ok", role=plan.role)]


def _differences(plan: TopicPlan, state: TopicState) -> Iterator[TopicFinding]:
    if state.partitions != plan.partitions:
        yield TopicFinding(
            plan.name, "partitions", "", str(plan.partitions), str(state.partitions), plan.role
        )
    for name, wanted in plan.config.items():
        found = state.config.get(name, "")
        if found != wanted and not (
            plan.role in KEPT_ROLES and name == "retention.ms" and _is_longer(found, wanted)
        ):
            yield TopicFinding(plan.name, "config", name, wanted, found, plan.role)


def _is_longer(found: str, wanted: str) -> bool:
    """Whether a retention keeps records for longer; -1 is for ever."""
    return found == "-1" or (found.isdecimal() and int(found) > int(wanted))
