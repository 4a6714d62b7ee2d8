"""From polls to lanes: no gap passes. Knows records and offsets, not how they were fetched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic

from stream.engine.codec import Arrival, Job, Record, State
from stream.engine.place import Place
from stream.engine.task.lane import Heartbeat, Lane
from stream.engine.task.merge import Source

AT_END = -1
"""In place of a highwater: the reader stands at the end, which markers may put behind the last record."""


@dataclass(slots=True)
class Intake:
    """What a poll led to."""

    touched: list[Lane[Any]] = field(default_factory=list)
    rewind: dict[Place, int] = field(default_factory=dict)  # a gap: fetch again from here


class Delivery(Generic[State]):
    """Hands raw records to the lanes, in unbroken order of offsets."""

    def __init__(self, job: Job[State], heartbeat_topic: str | None, tick_topic: str | None) -> None:
        self._job = job
        self._heartbeat_topic = heartbeat_topic
        self._tick_topic = tick_topic
        self.heartbeat = Heartbeat()
        self.lanes: dict[int, Lane[State]] = {}
        self._sources: dict[Place, Source] = {}
        self._probed: dict[Place, tuple[int, int]] = {}
        self.holes = 0  # offsets that the log does not have: transaction markers, compaction

    def open(self, lane: Lane[State]) -> None:
        self.lanes[lane.partition] = lane
        self._sources.update((Place(source.topic, source.partition), source) for source in lane.sources)

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

    def wanted(self) -> list[Place]:
        """The partitions to fetch from; those with enough at hand are left to wait."""
        return [place for place, source in self._sources.items() if not source.full]

    def expected(self, place: Place) -> int:
        """The next offset to come."""
        return self._sources[place].expected

    def accept(
        self,
        asked: Iterable[Place],
        records: Mapping[Place, Sequence[Record]],
        highwaters: Mapping[Place, int | None],
        now_s: float,
    ) -> Intake:
        intake = Intake()
        touched = set()
        for place in asked:
            source = self._sources.get(place)
            if source is None:
                continue
            batch = records.get(place)
            if batch:
                self._take(place, source, batch, intake)
                touched.add(place.partition)
            _note_end(source, highwaters.get(place), intake.rewind.get(place))
            if not batch:
                source.note_empty_poll(now_s)
        intake.touched = [self.lanes[partition] for partition in sorted(touched)]
        return intake

    def _take(self, place: Place, source: Source, batch: Sequence[Record], intake: Intake) -> None:
        """Holes inside one fetch are the log's own; one between two is believed when the next has it too."""
        probed = self._probed.pop(place, None)
        if batch[0].offset < source.expected:
            batch = [record for record in batch if record.offset >= source.expected]
            if not batch:
                return
        first, expected = batch[0].offset, source.expected
        if first > expected and probed != (expected, first):
            self._probed[place] = (expected, first)
            intake.rewind[place] = expected
            return
        next_offset = batch[-1].offset + 1
        self.holes += next_offset - expected - len(batch)
        source.accept(map(partial(self._job.decode, *place), batch), next_offset)
        if place.topic == self._heartbeat_topic:
            self.heartbeat.beat(source.seen_ms)
        elif place.topic == self._tick_topic:
            self._note_ticks(source.pending[-len(batch) :])

    def _note_ticks(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            if arrival.complete_to_ms is not None:
                self.heartbeat.beat(arrival.complete_to_ms)


def _note_end(source: Source, highwater: int | None, rewound: int | None) -> None:
    if highwater == AT_END:
        source.highwater = source.expected + (rewound is not None)  # what was missed is still to come
    elif highwater is not None:
        source.highwater = highwater
