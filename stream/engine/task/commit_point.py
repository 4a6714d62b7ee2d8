"""Commit points: what Kafka keeps of each input partition, so that a restart goes on exactly there.

The offset is the committed offset of the consumer group. All else is the metadata that Kafka stores beside
it, as text: `flush clock_ms given_ms;rows;topic_id;live;@offset checksum;`, with `-` for a time that is not
known, without `topic_id;` where topics have no ids, without `live;` as long as the lane is in its first
history, and without its last part before any record was read. Older versions ignore the parts that they do
not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from stream.engine.codec import Record
from stream.engine.failure import EngineError, Exit
from stream.engine.partition_id import PartitionId

METADATA = re.compile(
    r"(\d+) (-|-?\d+) (-|-?\d+);(\d+);(?:([\w-]{22});)?(live;)?(?:@(\d+) ([0-9a-f]{8});)?", re.ASCII
)
"""Each part ends with a semicolon, and what follows the last one is ignored: confluent-kafka commits a NUL
behind the text, and a program that copies offsets with it copies whatever its memory holds there."""


class LastRead(NamedTuple):
    """The last record that was read of an input partition, so that it can be known again."""

    offset: int
    checksum: int  # CRC-32 of its key and value, which begins with Kafka's timestamp

    @staticmethod
    def of_all(records: Iterable[Record]) -> list[tuple[int, int]]:
        """For each record what `LastRead` holds; plain tuples, since it is done for all that is read."""
        return [
            (each.offset, crc32(each.value or b"", crc32(each.key or b"", each.timestamp & 0xFFFF_FFFF)))
            for each in records
        ]


class CommitPoint(NamedTuple):
    """Where one input partition goes on, and the state of its lane at that offset."""

    offset: int  # of the next record to read
    flush: int = 0  # number of the flush that committed it; 0: no worker did, it is new or was set by hand
    clock_ms: int | None = None  # the lane's clock
    given_ms: int | None = None  # the highest event time of this input so far
    rows: int = 0  # the lane's changelog holds at least so many records, dead and compacted ones counted
    topic_id: str = ""  # Kafka's id of the topic, where it is known
    live: bool = False  # the lane has been live (task/lane_clock.py)
    last_read: LastRead | None = None  # before `offset`; markers of transactions may lie in between

    @classmethod
    def decode(cls, tp: PartitionId, offset: int, metadata: str) -> CommitPoint:
        """EngineError: the metadata is neither empty, as after an offset was set by hand, nor in our form."""
        if not metadata.strip("\0"):
            return cls(offset)
        found = METADATA.match(metadata)
        if found is None:
            raise EngineError(
                Exit.CONFIGURATION,
                f"{tp}: the metadata of its committed offset {offset} is in no form that this version writes "
                f"({metadata[:80]!r}). Stop all workers, then set the offsets of the group by hand (runbook)",
            )
        flush, clock, given, rows, topic_id, live, read, checksum = found.groups()
        last_read = LastRead(int(read), int(checksum, 16)) if read else None
        times = _time(clock), _time(given)
        return cls(offset, int(flush), *times, int(rows), topic_id or "", bool(live), last_read)

    def metadata(self) -> str:
        """The text that Kafka keeps beside the offset."""
        times = " ".join("-" if each is None else str(each) for each in (self.clock_ms, self.given_ms))
        more = (f"{self.topic_id};" if self.topic_id else "") + ("live;" if self.live else "")
        if self.last_read is not None:
            more += f"@{self.last_read.offset} {self.last_read.checksum:08x};"
        return f"{self.flush} {times};{self.rows};{more}"


def _time(text: str) -> int | None:
    return None if text == "-" else int(text)


CommitPoints = dict[PartitionId, CommitPoint]
