"""Reading topics as the worker does: by aiokafka's fetcher, with a bound on what a batch may hold.

librdkafka has no such bound for gzip and lz4: 2 MB of them can become gigabytes. At a batch of zstd that
holds more than 100 MB it stays for ever, with an error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import aiokafka
from aiokafka.errors import KafkaError as AioKafkaError
from aiokafka.structs import TopicPartition
from confluent_kafka import TIMESTAMP_CREATE_TIME, KafkaError, KafkaException

from stream.config.settings import Settings
from stream.engine import UnreadBatch
from stream.engine.client_internals import positions, read_in_bulk, take_fetched
from stream.worker.kafka.connection import aiokafka_settings
from stream.worker.kafka.topics_admin import ClusterError

Place = tuple[str, int]
"""A topic and a partition number."""
RECORDS_AT_ONCE = 2_000
WAIT_S = 0.5


class StoredRecord:
    """A record that is read here, with the methods of confluent-kafka's Message that the commands use.

    `unread` is set where the record stands for all records of a batch that cannot be read.
    """

    __slots__ = ("_place", "_record", "unread")

    def __init__(self, place: Place, record: Any, unread: UnreadBatch | None = None) -> None:
        self._place = place
        self._record = record
        self.unread = unread

    def topic(self) -> str:
        """The topic's name."""
        return self._place[0]

    def partition(self) -> int:
        """The partition's number."""
        return self._place[1]

    def offset(self) -> int:
        """Of the record in its partition."""
        return int(self._record.offset)

    def key(self) -> bytes | None:
        """None: it has none."""
        key: bytes | None = self._record.key
        return key

    def value(self) -> bytes | None:
        """None: a tombstone, or a batch that cannot be read."""
        value: bytes | None = self._record.value
        return value

    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Names and values."""
        headers: Sequence[tuple[str, bytes | None]] = self._record.headers
        return headers

    def timestamp(self) -> tuple[int, int]:
        """As confluent-kafka: the type, and milliseconds since 1970."""
        return TIMESTAMP_CREATE_TIME, int(self._record.timestamp)

    def error(self) -> None:
        """None: errors are raised."""


def stored_records(
    settings: Settings, starts: Mapping[Place, int], ends: Mapping[Place, int], silence_s: float
) -> Iterator[StoredRecord]:
    """The records from these offsets up to the ends. Within a partition they come in order.

    KafkaException: the broker refuses. ClusterError: no answer, or nothing comes for `silence_s`.
    """
    read_in_bulk(settings.batch_bytes_max)
    loop = asyncio.new_event_loop()
    try:
        reading = loop.run_until_complete(_opened(settings, starts, ends))
        try:
            since_s, left = time.monotonic(), {TopicPartition(*place) for place in ends}
            while left:
                found, left = loop.run_until_complete(_taken(reading, left, ends))
                for place, (records, _, _, unread) in found.items():
                    yield from (StoredRecord(place, each) for each in records if each.offset < ends[place])
                    if unread is not None:
                        yield StoredRecord(place, unread, unread)
                since_s = time.monotonic() if found else since_s
                if left and time.monotonic() - since_s > silence_s:
                    raise ClusterError(
                        f"no record arrived for {silence_s:.0f} s while reading {sorted(left)}"
                    )
        finally:
            loop.run_until_complete(reading.stop())
    except AioKafkaError as error:
        if error.errno > 0:  # the broker's answer: its number is the same in both libraries
            raise KafkaException(KafkaError(error.errno)) from error
        raise ClusterError(f"Kafka: {error}") from error
    finally:
        loop.close()


async def _opened(
    settings: Settings, starts: Mapping[Place, int], ends: Mapping[Place, int]
) -> aiokafka.AIOKafkaConsumer:
    """A consumer without a group that stands at the starts."""
    consumer = aiokafka.AIOKafkaConsumer(
        **aiokafka_settings(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    consumer.assign([TopicPartition(*place) for place in ends])
    for place in ends:
        consumer.seek(TopicPartition(*place), starts[place])
    return consumer


async def _taken(
    reading: aiokafka.AIOKafkaConsumer, left: set[TopicPartition], ends: Mapping[Place, int]
) -> tuple[Any, set[TopicPartition]]:
    """What was fetched, and the partitions of which more is to come."""
    found = await take_fetched(reading, left, WAIT_S, RECORDS_AT_ONCE)
    unfinished = set()
    for partition, (next_offset, stable_end, _) in positions(reading, left).items():
        end = ends[partition] if stable_end is None else min(ends[partition], stable_end)
        if next_offset is None or next_offset < end:
            unfinished.add(partition)
    return found, unfinished
