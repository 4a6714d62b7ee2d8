"""What was published of policies, by the control topic; and whom a shadow would alert about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec
from confluent_kafka import Message

from stream.config.settings import Settings
from stream.core.alerts.alert import Alert
from stream.core.events.event import PolicyPublished
from stream.core.policy.policy import Policy
from stream.ops.cluster import TopicReader, from_start, message_headers, partitions_of, reader, records
from stream.policy_file.published import (
    Mode,
    PoliciesInForce,
    PublishedPolicyError,
    check_fits,
    decode_policy,
    hash_in,
)
from stream.wire import decode
from stream.worker.kafka.topics import topic_names
from stream.worker.kafka.topics_admin import ClusterError

MARK = b"policy.published"
_decode_alert = msgspec.json.Decoder(Alert).decode


class PublishedThen(NamedTuple):
    """One publication of a policy, and what is in force after it."""

    at_ms: int
    mode: Mode
    in_force: PoliciesInForce


class PolicyHistory(NamedTuple):
    """Every publication that workers accepted, in their order, where STREAM_POLICY is `configured`."""

    configured: Policy
    published: tuple[PublishedThen, ...] = ()

    @property
    def in_force(self) -> PoliciesInForce:
        """What is published now."""
        return self.published[-1].in_force if self.published else PoliciesInForce()

    @property
    def active(self) -> Policy:
        """The policy in force."""
        return self.in_force.active or self.configured

    @property
    def active_since_ms(self) -> int | None:
        """Since when it has been in force; None: by the settings, since they say so."""
        since = None
        before: Policy | None = None
        for each in self.published:
            now = each.in_force.active
            if now is not None and (before is None or now.hash != before.hash):
                since = each.at_ms
            before = now
        return since if before is not None else None

    @property
    def shadow_since_ms(self) -> int:
        """When the shadow began; 0: there is none."""
        if self.in_force.shadow is None:
            return 0
        return max(each.at_ms for each in self.published if each.mode == "shadow")

    @property
    def before_active(self) -> Policy | None:
        """The policy that was in force before the present one; None: that of the settings."""
        states = [self.configured.hash, *(_hash(each.in_force.active, self) for each in self.published)]
        policies = [None, *(each.in_force.active for each in self.published)]
        others = [policy for policy, name in zip(policies, states, strict=True) if name != states[-1]]
        return others[-1] if others else None


def _hash(policy: Policy | None, history: PolicyHistory) -> str:
    return (policy or history.configured).hash


def policy_history(settings: Settings, configured: Policy) -> PolicyHistory:
    """Read the first partition of the control topic: every partition has the same publications.

    ClusterError: there is no such topic.
    """
    topic, found, now = topic_names(settings).control, [], PoliciesInForce()
    with reader(settings) as consumer:
        partitions = partitions_of(consumer, topic)
        if not partitions:
            raise ClusterError(f"{topic}: no such topic; run `stream topics apply`")
        for event in _publications(consumer, topic, partitions[0]):
            mode = event.data.mode
            try:
                policy: Policy | str = (
                    hash_in(event.data.policy) if mode == "off" else decode_policy(event.data.policy)
                )
                if isinstance(policy, Policy):
                    check_fits(policy, mode, now.active or configured)
            except PublishedPolicyError:
                continue  # a dead letter of the workers
            now = now.after(mode, policy, configured)
            found.append(PublishedThen(event.time_ms, mode, now))
    return PolicyHistory(configured, tuple(found))


def _publications(consumer: TopicReader, topic: str, partition: int) -> Iterator[PolicyPublished]:
    for message in records(consumer, {(topic, partition): 0}):
        headers = message_headers(message)
        if MARK in (message.value() or b"") or any(MARK in (value or b"") for _, value in headers):
            event = decode("control", message.key(), message.value(), headers)
            if isinstance(event, PolicyPublished):
                yield event


class RaisedBeside(NamedTuple):
    """What was raised since a shadow began; those of one customer in order of time."""

    active: list[Alert]
    shadow: list[Alert]


def raised_since(settings: Settings, shadow: Policy, since_ms: int) -> RaisedBeside:
    """The alerts raised since a shadow began: on the alerts topic, and by the shadow on its own.

    What was raised in the very millisecond was raised before the shadow began, or by it.
    """
    names = topic_names(settings)
    with reader(settings) as consumer:
        sent = _raised(from_start(consumer, names.alerts))
        beside = _raised(from_start(consumer, names.shadow))
    return RaisedBeside(
        [alert for alert in sent if _ms(alert) > since_ms],
        [alert for alert in beside if _ms(alert) >= since_ms and alert.data.policy.hash == shadow.hash],
    )


def _raised(messages: Iterable[Message]) -> list[Alert]:
    found: dict[tuple[str, str], Alert] = {}
    for message in messages:
        try:
            alert = _decode_alert(message.value() or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue  # no alert of a worker
        if alert.data.state == "raised":
            found[alert.id, alert.data.policy.hash] = alert
    return sorted(found.values(), key=lambda each: (each.time, each.subject, each.sequence))


def _ms(alert: Alert) -> int:
    return round(datetime.fromisoformat(alert.time).timestamp() * 1_000)
