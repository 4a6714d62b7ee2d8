"""One lane of the engine with the worker's processor on it, fed by hand: no Kafka, no loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from stream.config.settings import Settings
from stream.core.events.event import EVENT_TYPES, Event
from stream.core.judgement.basis import Basis
from stream.engine import Arrival, EngineOptions, Lane
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import Table
from stream.engine.task.commit_point import CommitPoint
from stream.engine.task.group_progress import Clocks, GroupProgress
from stream.engine.task.merge import Source
from stream.metrics import Metrics
from stream.worker.kafka.dead_letter import DeadLetterLimit
from stream.worker.kafka.topics import topic_names
from stream.worker.monitoring.batch_counts import BatchCounts
from stream.worker.processor import ProfileProcessor
from stream.worker.rows.bars import ErasureBars
from stream.worker.rows.codec import ProfileCodec
from stream.worker.rows.row import LiveRow
from tests.support.builders import basis
from tests.support.narrow import not_none

NAMES = topic_names(Settings())
TOPICS = (NAMES.purchases, NAMES.engagement, NAMES.feedback, NAMES.control)
KINDS = dict(zip(TOPICS, EVENT_TYPES, strict=True))


class Wall:
    """A wall clock that a test sets, in ms since 1970."""

    def __init__(self, now_ms: int = 0) -> None:
        self.now_ms = now_ms
        self.clocks = Clocks(lambda: self.now_ms, lambda: self.now_ms / 1_000)


class Pipe:
    """One lane of the engine, fed by hand, and the worker's keeper that lives its moments.

    With `wall` the lane is live from the beginning, and this is the wall clock.
    """

    def __init__(
        self,
        *,
        guarded: bool = True,
        start: Mapping[str, int] | None = None,
        judged_by: Basis | None = None,
        views: Literal["on", "off", "anew"] = "off",
        erasure_key: str = "",
        wall: Wall | None = None,
    ) -> None:
        options = _options(guarded=guarded, wall=wall)
        codec = ProfileCodec(KINDS, 1, live=False, views=views)  # type: ignore[arg-type]
        self.sources = {topic: Source(topic, 0, 100_000) for topic in TOPICS}
        self.progress = GroupProgress(options, None if wall is None else wall.clocks)
        self.lane: Lane[LiveRow] = Lane(
            0,
            sources=list(self.sources.values()),
            table=Table(codec, MemoryStore(), 1_000),
            options=options,
            progress=self.progress,
            flush_if_due=_nothing,
        )
        beginning = CommitPoint(0, live=wall is not None)
        self.lane.start_at(
            {
                source.tp: beginning._replace(offset=(start or {}).get(source.topic, 0))
                for source in self.lane.sources
            }
        )
        self.metrics = Metrics()
        counts = BatchCounts(self.metrics)
        bars = ErasureBars(erasure_key)
        limit = DeadLetterLimit(0, 0, 1.0)
        self.processor = ProfileProcessor(judged_by or basis(), NAMES, limit, counts, bars)
        if views != "off":
            self.processor.write_views(views)
            self.lane.write_beside(not_none(self.processor.views))

    def feed(self, topic: str, events: Sequence[Event]) -> None:
        """Some records come, and the lane gives out what it may."""
        self.arrive(topic, events)
        self.live()

    def arrive(self, topic: str, events: Sequence[Event], more: int = 0) -> None:
        """Some records are at hand, and Kafka has so many more."""
        source = self.sources[topic]
        start = source.expected
        arrivals = [
            Arrival(event.subject.encode(), event.time_ms, event, topic, 0, start + number)
            for number, event in enumerate(events)
        ]
        source.highwater = start + len(arrivals) + more
        source.add(arrivals, start + len(arrivals))
        self.progress.note_read(topic, source.seen_ms)

    def live(self) -> None:
        """The lane gives out what it may."""
        for moment in self.lane.moments():
            for _ in self.processor.apply(self.lane, moment) or ():
                pass

    def alerts(self) -> list[bytes]:
        return [not_none(out.value) for out in self.lane.outgoing if out.topic == NAMES.alerts]


def _options(*, guarded: bool, wall: Wall | None) -> EngineOptions:
    return EngineOptions(
        app_id="a",
        bootstrap="nowhere:1",
        inputs=TOPICS,
        changelog="rows",
        reference=NAMES.purchases if guarded else None,
        stall_after_ms=0,
        clock="event" if wall is None else "wall",
    )


async def _nothing() -> None:
    return


def by_topic(events: Sequence[Event]) -> dict[str, list[Event]]:
    return {
        topic: [event for event in events if type(event) in EVENT_TYPES[KINDS[topic]]] for topic in TOPICS
    }
