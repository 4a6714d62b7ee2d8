"""Sends a model or a policy to every partition of the control topic; workers judge by it from then on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Raw

from stream.config.settings import Settings
from stream.core.events.event import ModelPublished, PolicyPublished, Publication
from stream.core.events.payload import ModelRecord
from stream.core.events.policy_record import PolicyRecord
from stream.core.model.document import encode_model
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.ops.cluster import newest, producer, reader, wait_for_partition_count
from stream.ops.send import FLUSH_S, OutgoingRecord, SendCounts, produce
from stream.policy_file.published import Mode, encode_policy
from stream.wire import encode_event
from stream.worker.kafka.topics import topic_names


class NotPublishedError(RuntimeError):
    """Only some partitions have the model or policy. Publishing it again is safe."""


def in_force_from_ms(last_event_ms: int, now_ms: int) -> int:
    """The event time from which a published model or policy is in force.

    The present while purchases are less than a day old. Otherwise (a replay of history is running) the time
    of the newest purchase, so that the event clock does not jump ahead of the events still to be replayed.
    """
    return now_ms if 0 <= now_ms - last_event_ms < DAY_MS else last_event_ms


def model_published(model: Model, at_ms: int) -> ModelPublished:
    """The `model.published` event. Its id holds the instant: the same model can be published again."""
    return ModelPublished(
        id=f"{model.version}-{at_ms}",
        source="/stream/fit",
        subject="model",
        time=datetime.fromtimestamp(at_ms / 1_000, UTC),
        data=ModelRecord(model=Raw(encode_model(model))),
    )


def newest_purchase_ms(settings: Settings, otherwise_ms: int) -> int:
    """Event time of the newest purchase on the topic; `otherwise_ms` when the topic is empty."""
    with reader(settings) as consumer:
        found = newest(consumer, topic_names(settings).purchases, 1)
    return max((message.timestamp()[1] for message in found), default=otherwise_ms)


def policy_published(mode: Mode, policy: Policy, at_ms: int) -> PolicyPublished:
    """The `policy.published` event. Its id holds the instant: the same policy can be published again."""
    return PolicyPublished(
        id=f"{policy.id}-{policy.version}-{mode}-{at_ms}",
        source="/stream/policy",
        subject="policy",
        time=datetime.fromtimestamp(at_ms / 1_000, UTC),
        data=PolicyRecord(mode=mode, policy=Raw(encode_policy(policy))),
    )


def publish_model(settings: Settings, model: Model, now_ms: int) -> int:
    """Publish on all partitions of the control topic and return their number; else NotPublishedError."""
    return _publish(settings, "model", now_ms, lambda at_ms: model_published(model, at_ms))


def publish_policy(settings: Settings, mode: Mode, policy: Policy, now_ms: int) -> int:
    """As `publish_model`, a policy: in force, as a shadow, or neither any more."""
    return _publish(settings, "policy", now_ms, lambda at_ms: policy_published(mode, policy, at_ms))


def _publish(settings: Settings, what: str, now_ms: int, event_at: Callable[[int], Publication]) -> int:
    topic = topic_names(settings).control
    client, counts = producer(settings), SendCounts()
    at_ms = in_force_from_ms(newest_purchase_ms(settings, now_ms), now_ms)
    event = encode_event(event_at(at_ms))
    count = wait_for_partition_count(client, topic)
    try:
        for partition in range(count):
            produce(client, counts, OutgoingRecord(topic, event, what.encode(), partition, at_ms))
    finally:
        client.flush(FLUSH_S)
    acknowledged = counts.acknowledged[topic]
    if acknowledged < count:
        reasons = "; ".join(counts.refused) or "no answer"
        raise NotPublishedError(
            f"{acknowledged} of {count} partitions of {topic} have the {what} ({reasons}); publish it again"
        )
    return count
