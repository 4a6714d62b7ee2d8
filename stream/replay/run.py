"""The same step as the worker's, over a dict of profiles: no Kafka, exact event time, any partitions.

Before an event at time t, the reviews due up to and including t are judged, each as of its own due time; at
the end the clock moves on to `until_ms`. So the alerts do not depend on how customers are spread.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable

from stream.core.alerts.alert import Alert
from stream.core.events.event import ClockTicked, Event, ModelPublished
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Book
from stream.core.model.record import decode_model
from stream.core.step import Step, on_book, on_due, on_event
from stream.wire import partition_of

AlertSink = Callable[[Alert], None]


class Shard:
    """The customers of one partition: profiles, what is due when, and the clock."""

    def __init__(self, book: Book, sink: AlertSink) -> None:
        self.book = book
        self.profiles: dict[str, Profile] = {}
        self.outcomes: Counter[str] = Counter()
        self._due: list[tuple[int, str]] = []
        self._sink = sink

    def advance(self, to_ms: int) -> None:
        """Silence up to and including an instant."""
        due = self._due
        while due and due[0][0] <= to_ms:
            due_ms, customer = heapq.heappop(due)
            profile = self.profiles.get(customer)
            if profile is not None and profile.next_review_ms == due_ms:
                self._keep(customer, on_due(profile, due_ms, self.book))

    def apply(self, event: Event, at_ms: int) -> None:
        """One event, after the silence before it."""
        self.advance(at_ms)
        customer = event.subject
        known = self.profiles.get(customer)
        step = on_event(known, event, self.book)
        self.outcomes[step.outcome] += 1
        if known is not None or step.profile is not None:
            self._keep(customer, step)

    def take(self, book: Book, at_ms: int) -> None:
        """A new model or policy is in force: everyone is judged by it."""
        self.advance(at_ms)
        self.book = book
        for customer in sorted(self.profiles):
            self._keep(customer, on_book(self.profiles[customer], at_ms, book))

    def _keep(self, customer: str, step: Step) -> None:
        profile = step.profile
        if profile is None:
            del self.profiles[customer]
        else:
            self.profiles[customer] = profile
            if profile.next_review_ms is not None:
                heapq.heappush(self._due, (profile.next_review_ms, customer))
        for alert in step.alerts:
            self._sink(alert)


class Replay:
    """A run over events in time order; its outcome is `profiles`, and the alerts given to the sink."""

    def __init__(self, book: Book, sink: AlertSink, partitions: int = 1) -> None:
        self.book = book
        self.shards = [Shard(book, sink) for _ in range(partitions)]
        self.clock_ms = 0
        self.events = 0

    def feed(self, event: Event) -> None:
        """One event, not earlier than the one before."""
        at_ms = event.time_ms
        self.clock_ms = max(self.clock_ms, at_ms)
        self.events += 1
        if isinstance(event, ClockTicked):
            self.advance(at_ms)
        elif isinstance(event, ModelPublished):
            self.book = Book(self.book.policy, decode_model(event.data.model))
            for shard in self.shards:
                shard.take(self.book, at_ms)
        else:
            count = len(self.shards)
            place = partition_of(event.subject.encode(), count) if count > 1 else 0
            self.shards[place].apply(event, at_ms)

    def advance(self, to_ms: int) -> None:
        """The clock moves on though nothing happens."""
        self.clock_ms = max(self.clock_ms, to_ms)
        for shard in self.shards:
            shard.advance(self.clock_ms)

    @property
    def profiles(self) -> dict[str, Profile]:
        """Every profile by customer, in the order of their ids."""
        merged = {customer: profile for shard in self.shards for customer, profile in shard.profiles.items()}
        return dict(sorted(merged.items()))

    @property
    def outcomes(self) -> Counter[str]:
        """How many events were applied, duplicate, erased or passed by."""
        return sum((shard.outcomes for shard in self.shards), Counter())


def replay(
    events: Iterable[Event], book: Book, *, partitions: int = 1, until_ms: int = 0
) -> tuple[Replay, list[Alert]]:
    """Run events that are in time order; the run and its alerts by time, customer and sequence."""
    alerts: list[Alert] = []
    run = Replay(book, alerts.append, partitions)
    for event in events:
        run.feed(event)
    run.advance(until_ms)
    alerts.sort(key=in_order)
    return run, alerts


def in_order(alert: Alert) -> tuple[str, str, str]:
    """Sort key of alerts: the same whatever the partitions."""
    return alert.time, alert.subject, alert.sequence
