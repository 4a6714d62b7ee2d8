"""Missing purchases of one customer are inactivity; missing purchases of all are a stalled input.

When purchases stop coming, time stands still for everybody; after they came the alerts are those of a run
that was never disturbed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stream.config.settings import Settings
from stream.core.events.event import EVENT_TYPES, Event
from stream.core.judgement.basis import Basis
from stream.core.units import DAY_MS
from stream.engine import Arrival, EngineOptions, Lane
from stream.engine.state.store import MemoryStore
from stream.engine.state.table import Table
from stream.engine.task.commit_point import CommitPoint
from stream.engine.task.group_progress import GroupProgress
from stream.engine.task.merge import Source
from stream.metrics import Metrics
from stream.replay.run import replay
from stream.worker.kafka.dead_letter import DeadLetterLimit
from stream.worker.kafka.topics import topic_names
from stream.worker.monitoring.batch_counts import BatchCounts
from stream.worker.processor import ProfileProcessor
from stream.worker.rows.codec import ProfileCodec
from stream.worker.rows.row import LiveRow
from tests.support.builders import at, basis, bought, reviewed, visited
from tests.support.laws import ENCODE
from tests.support.narrow import not_none
from tests.support.strategies import in_time_order, loyal_lives

NAMES = topic_names(Settings())
TOPICS = (NAMES.purchases, NAMES.engagement, NAMES.feedback, NAMES.control)
KINDS = dict(zip(TOPICS, EVENT_TYPES, strict=True))


class Pipe:
    """One lane of the engine, fed by hand, and the worker's keeper that lives its moments."""

    def __init__(
        self,
        *,
        guarded: bool = True,
        start: Mapping[str, int] | None = None,
        judged_by: Basis | None = None,
    ) -> None:
        options = EngineOptions(
            app_id="a",
            bootstrap="nowhere:1",
            inputs=TOPICS,
            changelog="rows",
            reference=NAMES.purchases if guarded else None,
            stall_after_ms=0,
        )
        codec = ProfileCodec(KINDS, 1, live=False)  # type: ignore[arg-type]
        self.sources = {topic: Source(topic, 0, 100_000) for topic in TOPICS}
        self.progress = GroupProgress(options)
        self.lane: Lane[LiveRow] = Lane(
            0,
            sources=list(self.sources.values()),
            table=Table(codec, MemoryStore(), 1_000),
            options=options,
            progress=self.progress,
            flush_if_due=_nothing,
        )
        self.lane.start_at(
            {source.tp: CommitPoint((start or {}).get(source.topic, 0)) for source in self.lane.sources}
        )
        counts = BatchCounts(Metrics())
        self.processor = ProfileProcessor(judged_by or basis(), NAMES, DeadLetterLimit(0, 0, 1.0), counts)

    def feed(self, topic: str, events: Sequence[Event]) -> None:
        """Some records come, and the lane gives out what it may."""
        self.arrive(topic, events)
        self.live()

    def arrive(self, topic: str, events: Sequence[Event]) -> None:
        """Some records are at hand."""
        source = self.sources[topic]
        start = source.expected
        arrivals = [
            Arrival(event.subject.encode(), event.time_ms, event, topic, 0, start + number)
            for number, event in enumerate(events)
        ]
        source.highwater = start + len(arrivals)
        source.add(arrivals, start + len(arrivals))
        self.progress.note_read(topic, source.seen_ms)

    def live(self) -> None:
        """The lane gives out what it may."""
        for moment in self.lane.moments():
            self.processor.apply(self.lane, moment)

    def alerts(self) -> list[bytes]:
        return [not_none(out.value) for out in self.lane.outgoing if out.topic == NAMES.alerts]


async def _nothing() -> None:
    return


def by_topic(events: Sequence[Event]) -> dict[str, list[Event]]:
    return {
        topic: [event for event in events if type(event) in EVENT_TYPES[KINDS[topic]]] for topic in TOPICS
    }


@settings(max_examples=25)
@given(loyal_lives(), st.floats(0, 1), st.integers(1, 5))
def test_after_a_stall_of_purchases_the_alerts_are_those_of_an_undisturbed_run(life, share, portions):
    end = bought((life[-1].time_ms - at(0)) / DAY_MS + 1, 1, event_id="end", customer="somebody else")
    topics = by_topic([*life, end])
    stalled_at = max(1, round(share * len(topics[NAMES.purchases])))  # before the first there is no clock
    at_hand, to_come = topics[NAMES.purchases][:stalled_at], topics[NAMES.purchases][stalled_at:]
    assume(not to_come or at_hand[-1].time < to_come[0].time)
    pipe = Pipe()
    pipe.arrive(NAMES.purchases, at_hand)
    rest = {}
    for topic in TOPICS[1:]:
        before = [event for event in topics[topic] if event.time <= at_hand[-1].time]
        rest[topic] = topics[topic][len(before) :]
        pipe.arrive(topic, before)
    pipe.live()
    for topic, events in rest.items():
        for portion in range(portions):
            pipe.feed(topic, _part(events, portion, portions))
    pipe.feed(NAMES.purchases, to_come)

    run, expected = replay(in_time_order([*life, end]), basis())
    row = pipe.lane.get(b"c")

    assert pipe.alerts() == [ENCODE(alert) for alert in expected]
    assert ENCODE(not_none(row).profile) == ENCODE(run.profiles["c"])


def _part(events: list[Event], portion: int, portions: int) -> list[Event]:
    size = -(-len(events) // portions)
    return events[portion * size : (portion + 1) * size]


def silent_shop() -> tuple[list[Event], list[Event]]:
    """A customer who buys every week, and half a year of visits and reviews by others."""
    weekly: list[Event] = [bought(number * 7.0, 20_000, event_id=f"b{number}") for number in range(47)]
    others = [visited(number * 1.0, event_id=f"v{number}") for number in range(320)]
    words = [reviewed(number * 10.0, 4, event_id=f"r{number}") for number in range(32)]
    return weekly, [*others, *words]


@pytest.mark.parametrize("guarded", [True, False])
def test_without_the_reference_source_a_stalled_input_looks_like_lost_customers(guarded):
    weekly, others = silent_shop()
    topics = by_topic(others)
    pipe = Pipe(guarded=guarded)
    pipe.feed(NAMES.purchases, weekly[:20])
    for topic in (NAMES.engagement, NAMES.feedback):
        pipe.feed(topic, topics[topic])

    raised = [alert for alert in pipe.alerts() if b'"state":"raised"' in alert]

    assert bool(raised) is not guarded
    assert pipe.lane.stalled is guarded
    if guarded:
        assert pipe.lane.clock_ms == weekly[19].time_ms
        pipe.feed(NAMES.purchases, weekly[20:])
        assert not any(b"at_risk_loyal" in alert or b"churn_risk" in alert for alert in pipe.alerts())
        assert not pipe.lane.stalled
