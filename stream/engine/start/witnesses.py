"""Rows as witnesses: is the last record that a row had of an input still that row's?

Asked when Kafka has forgotten the group's offsets, as it does with a topic that is deleted: only rows
remember then what was read, and in a topic made anew they would take new events for repeats. Blocks: run it
in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from stream.engine.codec import Codec, Headers
from stream.engine.failure import CUT_OVER, EngineError, Exit
from stream.engine.headers import headers_of
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId

WITNESSES = 20
READ_TIMEOUT_S = 30
POLL_S = 0.05
FETCH_WAIT_MS = 10
NOT_THERE = {KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}
OWN = b"\x00"
"""Keys that begin so are of rows that the workers keep for themselves."""
KeysAt = Callable[[Mapping[PartitionId, Collection[int]]], Iterable[tuple[PartitionId, int, bytes]]]
"""Of the records at these offsets, as far as they are there and one row's own: its key."""


class Had:
    """How far the rows of one partition had one input, and which of them had its last records."""

    __slots__ = ("next_offset", "witnesses")

    def __init__(self) -> None:
        self.next_offset = 0
        self.witnesses: dict[int, bytes] = {}  # offset -> key of the row that had the record there, the last

    def note(self, key: bytes, next_offset: int) -> None:
        """That this row had what is before the offset."""
        offset, witnesses = next_offset - 1, self.witnesses
        self.next_offset = max(self.next_offset, next_offset)
        if key.startswith(OWN) or offset < 0 or (len(witnesses) == WITNESSES and offset < min(witnesses)):
            return
        witnesses[offset] = key
        if len(witnesses) > WITNESSES:
            del witnesses[min(witnesses)]


def check_witnesses(witnesses: Mapping[PartitionId, Mapping[int, bytes]], keys_at: KeysAt) -> None:
    """EngineError: a record that some row had is another key's now. One that is gone says nothing."""
    for place, offset, key in keys_at(witnesses):
        if key != witnesses[place][offset]:
            name = f"{place.topic}/{place.partition}"
            text = f"{name} holds another key's record at {offset} than the one that was read there"
            raise EngineError(Exit.DATA_LOSS, f"{text}: it was made anew; {CUT_OVER}")


@dataclass(slots=True)
class Found:
    """What `Codec.decode` asks of a record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @classmethod
    def of(cls, message: Message) -> Found:
        headers: Any = headers_of(message)
        return cls(message.offset(), message.timestamp()[1], message.key(), message.value(), headers)


def keys_at(
    options: EngineOptions, codec: Codec[Any], asked: Mapping[PartitionId, Collection[int]]
) -> Iterator[tuple[PartitionId, int, bytes]]:
    """See `KeysAt`. TimeoutError: the broker does not say."""
    reader = Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": f"{options.app_id}-recovery",  # required by the client, never joined
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": "read_uncommitted",  # as the workers read
            "queued.min.messages": 1,
            "fetch.wait.max.ms": FETCH_WAIT_MS,
            "log_level": 3,
            **options.security,
        }
    )
    rising = {place: sorted(offsets) for place, offsets in asked.items()}
    try:
        for number in range(max(map(len, rising.values()), default=0)):
            wanted = {place: each[number] for place, each in rising.items() if number < len(each)}
            for place, record in _records(reader, wanted):
                arrival = codec.decode(*place, record)
                if arrival is not None and arrival.time_ms is not None and not arrival.for_all:
                    yield place, record.offset, arrival.key
    finally:
        reader.close()


def _records(reader: Consumer, wanted: Mapping[PartitionId, int]) -> Iterator[tuple[PartitionId, Found]]:
    """One of each partition, if it is there."""
    reader.assign([TopicPartition(*place, offset) for place, offset in wanted.items()])
    left, until = set(wanted), time.monotonic() + READ_TIMEOUT_S
    while left:
        if time.monotonic() > until:
            raise TimeoutError(f"records of {len(left)} partitions cannot be read")
        for message in reader.consume(len(left), POLL_S):
            place, error = PartitionId(message.topic(), message.partition()), message.error()
            if error is not None:
                if error.code() in NOT_THERE:
                    left.discard(place)
            elif place in left and message.offset() >= wanted[place]:
                left.discard(place)
                if message.offset() == wanted[place]:
                    yield place, Found.of(message)
