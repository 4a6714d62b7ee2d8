"""A fitted model goes to every partition of the control topic: running workers judge by it from then on."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Raw

from stream.config.settings import Settings
from stream.core.events.event import ModelPublished
from stream.core.events.payload import ModelRecord
from stream.core.model.record import DAY_MS, Model, encode_model
from stream.ops.cluster import newest, partition_count, producer, reader
from stream.ops.send import FLUSH_S, Record, Tally, put
from stream.wire import encode_event
from stream.worker.kafka.topics import topic_names


class NotPublishedError(RuntimeError):
    """Not every partition has the model; to publish it once more does no harm."""


def in_force_from_ms(last_event_ms: int, now_ms: int) -> int:
    """Now while events are current; else right where they end, so that no clock is pushed past them."""
    return now_ms if 0 <= now_ms - last_event_ms < DAY_MS else last_event_ms


def published(model: Model, at_ms: int) -> ModelPublished:
    """The event that says so. The same model may come again later: its id holds the instant too."""
    return ModelPublished(
        id=f"{model.version}-{at_ms}",
        source="/stream/fit",
        subject="model",
        time=datetime.fromtimestamp(at_ms / 1_000, UTC),
        data=ModelRecord(model=Raw(encode_model(model))),
    )


def newest_purchase_ms(settings: Settings, otherwise_ms: int) -> int:
    """The instant of the newest purchase on the topic."""
    with reader(settings) as consumer:
        found = newest(consumer, topic_names(settings).purchases, 1)
    return max((message.timestamp()[1] for message in found), default=otherwise_ms)


def publish_model(settings: Settings, model: Model, now_ms: int) -> int:
    """On how many partitions it was acknowledged: all of them, or NotPublishedError says how many were."""
    topic = topic_names(settings).control
    client, tally = producer(settings), Tally()
    at_ms = in_force_from_ms(newest_purchase_ms(settings, now_ms), now_ms)
    event = encode_event(published(model, at_ms))
    count = partition_count(client, topic)
    try:
        for partition in range(count):
            put(client, tally, Record(topic, event, b"model", partition, at_ms))
    finally:
        client.flush(FLUSH_S)
    done = tally.acknowledged[topic]
    if done < count:
        reasons = "; ".join(tally.refused) or "no answer"
        raise NotPublishedError(
            f"{done} of {count} partitions of {topic} have the model ({reasons}); publish it again"
        )
    return count
