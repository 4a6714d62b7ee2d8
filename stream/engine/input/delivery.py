"""From polls to lanes: no gap passes. Knows records and offsets, not how they were fetched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic

from stream.engine.codec import Arrival, Codec, Record, State
from stream.engine.partition_id import PartitionId
from stream.engine.task.lane import Lane, ReferenceSource
from stream.engine.task.merge import Source

AT_END = -1
"""In place of a highwater: the reader stands at the end, which markers may put behind the last record."""


@dataclass(slots=True)
class PollResult:
    """What a poll led to."""

    touched: list[Lane[Any]] = field(default_factory=list)
    rewind: dict[PartitionId, int] = field(default_factory=dict)  # a gap: fetch again from here


class Delivery(Generic[State]):
    """Hands raw records to the lanes, in unbroken order of offsets."""

    def __init__(self, codec: Codec[State], reference_topic: str | None, tick_topic: str | None) -> None:
        self._codec = codec
        self._reference_topic = reference_topic
        self._tick_topic = tick_topic
        self.reference = ReferenceSource()
        self.lanes: dict[int, Lane[State]] = {}
        self._sources: dict[PartitionId, Source] = {}
        self._probed: dict[PartitionId, tuple[int, int]] = {}
        self.holes = 0  # offsets that the log does not have: transaction markers, compaction

    def open_lane(self, lane: Lane[State]) -> None:
        self.lanes[lane.partition] = lane
        self._sources.update((PartitionId(source.topic, source.partition), source) for source in lane.sources)

    def shut(self) -> None:
        """All that was given out is committed; nothing is given out any more."""
        for lane in self.lanes.values():
            lane.open = False

    def close(self) -> None:
        for lane in self.lanes.values():
            lane.close()
        self.lanes.clear()
        self._sources.clear()
        self._probed.clear()

    @property
    def backlog(self) -> int:
        """Records that the broker told of and that were not given out yet."""
        return sum([source.backlog for source in self._sources.values()])

    def wanted(self) -> list[PartitionId]:
        """The partitions to fetch from; those with enough at hand are left to wait."""
        return [place for place, source in self._sources.items() if not source.full]

    def expected(self, place: PartitionId) -> int:
        """The next offset to come."""
        return self._sources[place].expected

    def distribute(
        self,
        asked: Iterable[PartitionId],
        records: Mapping[PartitionId, Sequence[Record]],
        highwaters: Mapping[PartitionId, int | None],
        now_s: float,
    ) -> PollResult:
        result = PollResult()
        touched = set()
        for place in asked:
            source = self._sources.get(place)
            if source is None:
                continue
            batch = records.get(place)
            if batch:
                self._take(place, source, batch, result)
                touched.add(place.partition)
            _note_end(source, highwaters.get(place), result.rewind.get(place))
            if not batch:
                source.note_empty_poll(now_s)
        result.touched = [self.lanes[partition] for partition in sorted(touched)]
        return result

    def _take(self, place: PartitionId, source: Source, batch: Sequence[Record], result: PollResult) -> None:
        """Holes inside one fetch are the log's own; one between two is believed when the next has it too."""
        probed = self._probed.pop(place, None)
        if batch[0].offset < source.expected:
            batch = [record for record in batch if record.offset >= source.expected]
            if not batch:
                return
        first, expected = batch[0].offset, source.expected
        if first > expected and probed != (expected, first):
            self._probed[place] = (expected, first)
            result.rewind[place] = expected
            return
        next_offset = batch[-1].offset + 1
        self.holes += next_offset - expected - len(batch)
        source.add(map(partial(self._codec.decode, *place), batch), next_offset)
        if place.topic == self._reference_topic:
            self.reference.advance(source.seen_ms)
        elif place.topic == self._tick_topic:
            self._note_ticks(source.pending[-len(batch) :])

    def _note_ticks(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            if arrival.complete_to_ms is not None:
                self.reference.advance(arrival.complete_to_ms)


def _note_end(source: Source, highwater: int | None, rewound: int | None) -> None:
    if highwater == AT_END:
        source.highwater = source.expected + (rewound is not None)  # what was missed is still to come
    elif highwater is not None:
        source.highwater = highwater
