"""Compares the topics of a cluster with the required ones, and creates or corrects them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stream.config.settings import Settings
from stream.core.policy.policy import ALERT_KINDS, Policy
from stream.core.units import DAY_MS
from stream.worker.kafka.topics import TopicFinding, topic_findings, topic_plans
from stream.worker.kafka.topics_admin import admin_client, alter_topics, cluster_topics, create_topics

UPLIFT_WINDOW_MS = 60 * DAY_MS
"""Twice the window that `stream uplift` looks ahead by default."""


class TopicChanges(Struct, frozen=True):
    """What `stream topics apply` does, and the findings that remain afterwards."""

    to_create: tuple[str, ...]
    to_alter: tuple[TopicFinding, ...]
    remaining: tuple[TopicFinding, ...]

    def lines(self) -> list[str]:
        """Each change in words."""
        altered = [f"alter {each.topic}: {each.config}={each.wanted}" for each in self.to_alter]
        return [f"create {topic}" for topic in self.to_create] + altered


def alerts_needed_ms(policy: Policy) -> int:
    """How long an alert must be kept: until the last of the policy expires, and a study's window is over."""
    expire_ms: list[int] = [getattr(policy, kind).hysteresis.expire_ms for kind in ALERT_KINDS]
    return max(expire_ms) + UPLIFT_WINDOW_MS


def compare_topics(settings: Settings, needed_ms: int = 0) -> list[TopicFinding]:
    """The differences between the required topics and the cluster's; ClusterError when no broker answers.

    `needed_ms`: how long alerts must be kept (`alerts_needed_ms`).
    """
    plans = topic_plans(settings, needed_ms)
    client = admin_client(settings)
    return list(topic_findings(plans, cluster_topics(client, [plan.name for plan in plans])))


def planned_changes(findings: Sequence[TopicFinding], may_alter: bool) -> TopicChanges:
    """Missing topics are created, settings corrected if `may_alter`; partition counts are never changed."""
    missing = sorted({finding.topic for finding in findings if finding.what == "missing"})
    drifted = [finding for finding in findings if may_alter and finding.what == "config"]
    remaining = [finding for finding in findings if finding.what != "missing" and finding not in drifted]
    created = [TopicFinding(topic, "ok") for topic in missing]
    return TopicChanges(tuple(missing), tuple(drifted), (*remaining, *created))


def apply_changes(settings: Settings, changes: TopicChanges, needed_ms: int = 0) -> None:
    """Create and alter; ClusterError when the cluster refuses."""
    client = admin_client(settings)
    create_topics(
        client, [plan for plan in topic_plans(settings, needed_ms) if plan.name in changes.to_create]
    )
    alter_topics(client, changes.to_alter)
