"""From polls to lanes, without a gap. Knows records and offsets, not how they were fetched.

The rule that guards against lost records: inside one fetch offsets may be missing (transaction markers,
records of aborted transactions, compaction). A gap between two fetches is not believed at once: we fetch
again from the offset that was expected, and believe it when the next fetch begins behind the same gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic

from stream.engine.client_internals import Fetched
from stream.engine.codec import Arrival, Codec, State
from stream.engine.partition_id import PartitionId
from stream.engine.task.commit_point import LastRead
from stream.engine.task.group_progress import GroupProgress
from stream.engine.task.lane import Lane
from stream.engine.task.merge import Source

AT_END = -1
"""In place of the end of a partition: the consumer stands at it. Transaction markers occupy offsets, so it
may be greater than the last record's offset + 1."""


@dataclass(slots=True)
class PollResult:
    """What one poll led to."""

    lanes: list[Lane[Any]] = field(default_factory=list)  # that received records
    rewind: dict[PartitionId, int] = field(default_factory=dict)  # gaps: fetch again from these offsets


class Delivery(Generic[State]):
    """Gives fetched records to the lanes, decoded and in unbroken order of offsets."""

    def __init__(self, codec: Codec[State], tick_topic: str | None, progress: GroupProgress) -> None:
        self._codec = codec
        self._tick_topic = tick_topic
        self.progress = progress
        self.lanes: dict[int, Lane[State]] = {}
        self._sources: dict[PartitionId, Source] = {}
        self._gaps: dict[PartitionId, tuple[int, int]] = {}  # seen once: (offset expected, offset found)
        self.holes = 0  # offsets without a record that counts: markers, aborted and compacted records

    def open_lane(self, lane: Lane[State]) -> None:
        """From now on the lane gets the records of its partitions."""
        self.lanes[lane.partition] = lane
        self._sources.update((source.tp, source) for source in lane.sources)

    def stop_lanes(self) -> None:
        """Everything given out is committed: the lanes give out nothing more. Their tables stay open."""
        for lane in self.lanes.values():
            lane.open = False

    def close_lanes(self) -> None:
        """Close the lanes and their tables, and forget them."""
        for lane in self.lanes.values():
            lane.close()
        self.lanes.clear()
        self._sources.clear()
        self._gaps.clear()

    @property
    def backlog(self) -> int:
        """Records that Kafka has and that were not given out yet, as far as the broker has reported."""
        return sum([source.backlog for source in self._sources.values()])

    def to_fetch(self) -> list[PartitionId]:
        """The partitions to fetch from now: not those of which enough records wait already."""
        return [tp for tp, source in self._sources.items() if not source.full]

    def next_offset(self, tp: PartitionId) -> int:
        """The offset that must be read next."""
        return self._sources[tp].expected

    def distribute(
        self,
        asked: Iterable[PartitionId],
        found: Mapping[PartitionId, Fetched],
        ends: Mapping[PartitionId, int | None],
        now_s: float,
    ) -> PollResult:
        """Give what one poll found to the lanes. `asked`: every partition that the poll asked for.

        `ends`: up to which offset the records of each partition may be read now, or AT_END.
        """
        result = PollResult()
        touched = set()
        for tp in asked:
            source = self._sources.get(tp)
            if source is None:
                continue
            fetched = found.get(tp)
            if fetched is not None:
                self._take(tp, source, fetched, result)
            _note_end(source, ends.get(tp), result.rewind.get(tp))
            if fetched is not None and (fetched.records or fetched.unread):
                touched.add(tp.partition)
            else:
                source.note_empty_poll(now_s)
        result.lanes = [self.lanes[partition] for partition in sorted(touched)]
        return result

    def _take(self, tp: PartitionId, source: Source, fetched: Fetched, result: PollResult) -> None:
        gap, expected = self._gaps.pop(tp, None), source.expected
        records, start, next_offset, unread = fetched
        if next_offset <= expected:
            return
        if start > expected and gap != (expected, start):
            self._gaps[tp] = (expected, start)
            result.rewind[tp] = expected
            return
        if records and records[0].offset < expected:
            records = [record for record in records if record.offset >= expected]
        if unread is None:
            self.holes += next_offset - expected - len(records)
            source.add(map(partial(self._codec.decode, *tp), records), next_offset)
            source.note_read(LastRead.of_all(records))
        else:
            source.add([self._codec.reject(*tp, unread)], next_offset)
        if records:
            self.progress.note_read(tp.topic, source.seen_ms)
        if records and tp.topic == self._tick_topic:
            self._note_ticks(source.pending[-len(records) :])

    def _note_ticks(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            if arrival.complete_to_ms is not None:
                self.progress.note_reference(arrival.complete_to_ms)


def _note_end(source: Source, end: int | None, rewound: int | None) -> None:
    if end == AT_END:
        source.highwater = source.expected + (rewound is not None)  # behind a gap there is more to read
    elif end is not None:
        source.highwater = end
