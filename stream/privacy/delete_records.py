"""DeleteRecords on the partition of one customer: for owners of topics who decide to shorten them.

Kafka deletes whole beginnings of partitions: records of all customers. Of an input nothing is deleted that
the workers have not read: they would stop (exit code 74) rather than skip it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from stream.config.settings import Settings
from stream.ops.cluster import TIMEOUT_S, TopicReader, bounds, delete_up_to, partitions_of, reader
from stream.wire import partition_of
from stream.worker.kafka.topics import INPUTS, topic_names
from stream.worker.kafka.topics_admin import ClusterError, admin_client


def delete_before(settings: Settings, customer: str, roles: Sequence[str], before_ms: int) -> Iterator[str]:
    """Delete what was written before an instant from the customer's partition of some topics, by role; what
    was done, in words. ClusterError: a topic is missing, not read that far, or refuses."""
    names, admin = topic_names(settings), admin_client(settings)
    with reader(settings) as consumer:
        for role in roles:
            topic = getattr(names, role)
            count = len(partitions_of(consumer, topic))
            if not count:
                raise ClusterError(f"{topic}: no such topic")
            place = TopicPartition(topic, partition_of(customer.encode(), count))
            end = _offset_at(consumer, place, before_ms)
            if role in INPUTS and end > (read := _committed(admin, settings.app_id, place)):
                known = f"the workers have read up to offset {read:,} only, and {end:,} is asked for"
                raise ClusterError(f"{topic}/{place.partition}: {known}; wait for them")
            delete_up_to(admin, {(topic, place.partition): end})
            yield f"{topic}/{place.partition}: records before offset {end:,} are deleted, of all customers"


def _offset_at(consumer: TopicReader, place: TopicPartition, at_ms: int) -> int:
    """The first offset that was not written before an instant."""
    (found,) = consumer.offsets_for_times(
        [TopicPartition(place.topic, place.partition, at_ms)], timeout=TIMEOUT_S
    )
    low, high = bounds(consumer, place.topic, place.partition)
    return max(low, found.offset) if found.offset >= 0 else high


def _committed(admin: AdminClient, group: str, place: TopicPartition) -> int:
    asked = [ConsumerGroupTopicPartitions(group)]
    answers = admin.list_consumer_group_offsets(asked, request_timeout=TIMEOUT_S)
    parts = answers[group].result(2 * TIMEOUT_S).topic_partitions
    offsets: dict[tuple[str, int], int] = {(each.topic, each.partition): each.offset for each in parts}
    return max(0, offsets.get((place.topic, place.partition), 0))
