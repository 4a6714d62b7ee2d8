"""Spot checks: are the records that were read last still in the input topics?

Kafka forgets a group's offsets when the topic is deleted (or after `offsets.retention.minutes`). Only the
rows tell then what was read. In a topic that was created again they would take new events for repeated ones.
So for each input partition some of the last records that rows have applied are read again, and their keys
compared. A record that is gone proves nothing: retention or compaction may have removed it.

Where workers have committed, the metadata of the commit names the very last record (`LastRead`). It is read
again at every start: the end of a log can be lost and written again under the same offsets, by a change of
leader with `unclean.leader.election.enable` or when an older copy of a broker's disk is put back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from stream.engine.client_log import CLIENT_LOG
from stream.engine.codec import Codec, Headers
from stream.engine.failure import CUT_OVER, EngineError, Exit
from stream.engine.headers import headers_of
from stream.engine.options import EngineOptions
from stream.engine.partition_id import PartitionId
from stream.engine.task.commit_point import CommitPoint, CommitPoints, LastRead

CHECKS_MAX = 20
"""Records checked per input partition: those with the highest offsets."""
READ_TIMEOUT_S = 30
POLL_S = 0.05
LOOKS_MAX, LOOK_AGAIN_S = 5, 1.0
"""A broker that has just become the leader may not give out the last records for a moment."""
FETCH_WAIT_MS = 10
UNKNOWN = {
    KafkaError._AUTO_OFFSET_RESET,  # the log begins after it
    KafkaError.OFFSET_OUT_OF_RANGE,
    KafkaError._BAD_COMPRESSION,  # a batch that holds too much, which no row has read
}
INTERNAL_PREFIX = b"\x00"
"""Keys that begin with it belong to rows that workers keep for themselves: no input record has such a key."""
KeysAt = Callable[[Mapping[PartitionId, Collection[int]]], Iterable[tuple[PartitionId, int, bytes]]]
"""Offsets by partition -> (partition, offset, key) of each record that is there."""


class ReadByRows:
    """How far the rows of one partition have read one input, and which of them read its last records."""

    __slots__ = ("last_keys", "next_offset")

    def __init__(self) -> None:
        self.next_offset = 0
        self.last_keys: dict[int, bytes] = {}  # offset -> key of the row that applied the record there

    def note(self, key: bytes, next_offset: int) -> None:
        """The row of this key has applied the record before `next_offset`."""
        offset, last_keys = next_offset - 1, self.last_keys
        self.next_offset = max(self.next_offset, next_offset)
        if offset < 0 or key.startswith(INTERNAL_PREFIX):
            return
        if len(last_keys) == CHECKS_MAX and offset < min(last_keys):
            return
        last_keys[offset] = key
        if len(last_keys) > CHECKS_MAX:
            del last_keys[min(last_keys)]


def spot_check(last_keys: Mapping[PartitionId, Mapping[int, bytes]], keys_at: KeysAt) -> None:
    """EngineError: where a row read its last record there is one of another key now."""
    for tp, offset, key in keys_at(last_keys):
        if key != last_keys[tp][offset]:
            text = f"{tp} holds another key's record at {offset} than the one that was read there"
            raise EngineError(Exit.DATA_LOSS, f"{text}: the topic was created again; {CUT_OVER}")


@dataclass(slots=True)
class RereadRecord:
    """A record that confluent-kafka read, in the form that `Codec.decode` takes."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @classmethod
    def of(cls, message: Message) -> RereadRecord:
        """From confluent-kafka's message."""
        headers: Any = headers_of(message)
        return cls(message.offset(), message.timestamp()[1], message.key(), message.value(), headers)


def keys_at(
    options: EngineOptions, codec: Codec[Any], asked: Mapping[PartitionId, Collection[int]]
) -> Iterator[tuple[PartitionId, int, bytes]]:
    """See `KeysAt`; records that are `for_all` or cannot be decoded are left out. Blocks: use a thread.

    TimeoutError: the broker does not answer.
    """
    reader, rising = _reader(options), {tp: sorted(offsets) for tp, offsets in asked.items()}
    try:
        for number in range(max(map(len, rising.values()), default=0)):
            wanted = {tp: each[number] for tp, each in rising.items() if number < len(each)}
            for tp, record in _records(reader, wanted):
                arrival = None if record is None else codec.decode(*tp, record)
                if arrival is not None and arrival.time_ms is not None and not arrival.for_all:
                    yield tp, arrival.offset, arrival.key
    finally:
        reader.close()


def check_last_read(options: EngineOptions, points: CommitPoints) -> None:
    """EngineError: an input holds another record, or none, where the last one was read before the commit.

    Blocks: use a thread. A record that retention has deleted proves nothing. TimeoutError: no answer.
    """
    left = {tp: point.last_read for tp, point in points.items() if point.last_read is not None}
    if not left:
        return
    reader = _reader(options)
    try:
        for look in range(LOOKS_MAX):
            time.sleep(LOOK_AGAIN_S if look else 0)
            missing = set()
            for tp, record in _records(reader, {tp: last_read.offset for tp, last_read in left.items()}):
                if record is None:
                    missing.add(tp)
                elif LastRead.of_all([record])[0] != left[tp]:
                    raise _tail_was_lost(tp, "another record", points[tp])
            left = {tp: left[tp] for tp in left if tp in missing}
            if not left:
                return
    finally:
        reader.close()
    tp = min(left)
    raise _tail_was_lost(tp, "no record", points[tp])


def _tail_was_lost(tp: PartitionId, found: str, point: CommitPoint) -> EngineError:
    assert point.last_read is not None
    return EngineError(
        Exit.DATA_LOSS,
        f"{tp} holds {found} at {point.last_read.offset}, and not the one that was read last: the broker "
        "lost the end of its log and went on under the same offsets, so that new records before "
        f"{point.offset} would never be read; {CUT_OVER}",
    )


def _reader(options: EngineOptions) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": f"{options.app_id}-recovery",  # the client requires one; it never joins
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",  # as the workers read
            "queued.min.messages": 1,
            "fetch.wait.max.ms": FETCH_WAIT_MS,
            "log_level": 3,
            **options.security,
        },
        logger=CLIENT_LOG,
    )


def _records(
    reader: Consumer, wanted: Mapping[PartitionId, int]
) -> Iterator[tuple[PartitionId, RereadRecord | None]]:
    """The record at one offset of each partition; None: there is none, though the log begins before it.

    Left out is what cannot be known: the log begins after the offset, or the batch there cannot be read.
    """
    reader.assign([TopicPartition(*tp, offset) for tp, offset in wanted.items()])
    left, until, last = set(wanted), time.monotonic() + READ_TIMEOUT_S, ""
    while left:
        if time.monotonic() > until:
            raise TimeoutError(f"records of {len(left)} partitions cannot be read{last}")
        for message in reader.consume(len(left), POLL_S):
            tp, error = PartitionId(message.topic(), message.partition()), message.error()
            if error is not None:
                if tp in left and error.code() == KafkaError._PARTITION_EOF:
                    left.discard(tp)
                    yield tp, None
                elif error.code() in UNKNOWN:
                    left.discard(tp)
                else:
                    last = f": {error.str()}"
            elif tp in left and message.offset() >= wanted[tp]:
                left.discard(tp)
                yield tp, RereadRecord.of(message) if message.offset() == wanted[tp] else None
