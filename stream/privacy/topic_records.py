"""The records of one customer on every topic: by key, by the customer that the record itself names, or by
what is left of a dead letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from confluent_kafka import Message
from msgspec import Struct

from stream.config.settings import Settings
from stream.core.events.event import CustomerErased, Event
from stream.ops.about_customer import is_about
from stream.ops.cluster import TopicReader, message_headers, partitions_of, records
from stream.wire import decode, partition_of
from stream.worker.kafka.topics import INPUTS, ROLES, Role, topic_names


class TopicRecords(Struct, frozen=True):
    """What one topic holds of a customer, in the order of partitions and offsets."""

    role: Role
    topic: str
    exists: bool
    found: tuple[Message, ...] = ()

    @property
    def offsets(self) -> dict[int, tuple[int, int]]:
        """Partition -> the first and the last offset of a record of the customer."""
        seen: dict[int, list[int]] = {}
        for each in self.found:
            seen.setdefault(each.partition(), []).append(each.offset())
        return {partition: (min(of), max(of)) for partition, of in seen.items()}


def records_of(
    settings: Settings, consumer: TopicReader, customer: str, *, everywhere: bool = False
) -> dict[Role, TopicRecords]:
    """The records of a customer, by the role of the topic.

    Only the customer's own partition is read, but every partition of the dead letters; `everywhere`: of all
    topics (records in a wrong partition are rejected by workers, and stay there).
    """
    names, found = topic_names(settings), dict[Role, TopicRecords]()
    for role in ROLES:
        topic = getattr(names, role)
        numbers = partitions_of(consumer, topic)
        if not numbers:
            found[role] = TopicRecords(role, topic, exists=False)
            continue
        own = [partition_of(customer.encode(), len(numbers))]
        read = numbers if everywhere or role == "deadletter" else own
        matching = [
            each
            for each in records(consumer, {(topic, number): 0 for number in read})
            if is_about(each, customer, loosely=role == "deadletter")
        ]
        matching.sort(key=lambda each: (each.partition(), each.offset()))
        found[role] = TopicRecords(role, topic, exists=True, found=tuple(matching))
    return found


def events_of(found: Mapping[Role, TopicRecords]) -> Iterator[tuple[Message, Event]]:
    """The records of the input topics that are events."""
    for role in INPUTS:
        for record in found[role].found:
            event = decode(role, record.key(), record.value(), message_headers(record))  # type: ignore[arg-type]
            if isinstance(event, Event):
                yield record, event


def erasure_in_force(found: Mapping[Role, TopicRecords]) -> CustomerErased | None:
    """The latest erasure of the customer, if nothing has happened after it; None: there is none, or they came
    back."""
    events = [event for _, event in events_of(found)]
    erasures = [event for event in events if isinstance(event, CustomerErased)]
    latest = max(erasures, key=lambda event: event.time_ms, default=None)
    if latest is None or any(event.time_ms > latest.time_ms for event in events):
        return None
    return latest
