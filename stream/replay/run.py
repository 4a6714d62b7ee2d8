"""The worker's own step over profiles in memory, in exact event time, with any number of partitions.

Before an event at time t, every review due up to and including t is judged, each as of its own due time; at
the end the clock goes on to `until_ms`. So the alerts do not depend on which partition a customer is in.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable

from stream.core.alerts.alert import Alert
from stream.core.events.event import ClockTicked, Event, ModelPublished
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.model.document import decode_model
from stream.core.step import Step, on_basis, on_event, on_review
from stream.wire import partition_of

AlertSink = Callable[[Alert], None]


class Shard:
    """The customers of one partition: their profiles, and a queue of their next reviews by due time."""

    def __init__(self, basis: Basis, sink: AlertSink) -> None:
        self.basis = basis
        self.profiles: dict[str, Profile] = {}
        self.outcomes: Counter[str] = Counter()
        self._reviews: list[tuple[int, str]] = []
        self._sink = sink

    def advance(self, to_ms: int) -> None:
        """Judge every review due up to and including an instant."""
        reviews = self._reviews
        while reviews and reviews[0][0] <= to_ms:
            review_ms, customer = heapq.heappop(reviews)
            profile = self.profiles.get(customer)
            if profile is not None and profile.next_review_ms == review_ms:
                self._keep(customer, on_review(profile, review_ms, self.basis))

    def apply(self, event: Event, at_ms: int) -> None:
        """Apply one event, after the reviews that are due before it."""
        self.advance(at_ms)
        customer = event.subject
        known = self.profiles.get(customer)
        step = on_event(known, event, self.basis)
        self.outcomes[step.outcome] += 1
        if known is not None or step.profile is not None:
            self._keep(customer, step)

    def take(self, basis: Basis, at_ms: int) -> None:
        """Put a new model or policy in force and judge every customer by it, in order of their ids."""
        self.advance(at_ms)
        self.basis = basis
        for customer in sorted(self.profiles):
            self._keep(customer, on_basis(self.profiles[customer], at_ms, basis))

    def _keep(self, customer: str, step: Step) -> None:
        profile = step.profile
        if profile is None:
            del self.profiles[customer]
        else:
            self.profiles[customer] = profile
            if profile.next_review_ms is not None:
                heapq.heappush(self._reviews, (profile.next_review_ms, customer))
        for alert in step.alerts:
            self._sink(alert)


class Replay:
    """A run over events in time order: it keeps `profiles` and passes each alert to the sink."""

    def __init__(self, basis: Basis, sink: AlertSink, partitions: int = 1) -> None:
        self.basis = basis
        self.shards = [Shard(basis, sink) for _ in range(partitions)]
        self.clock_ms = 0
        self.events = 0

    def feed(self, event: Event) -> None:
        """Apply one event; its time must not be before that of the last one."""
        at_ms = event.time_ms
        self.clock_ms = max(self.clock_ms, at_ms)
        self.events += 1
        if isinstance(event, ClockTicked):
            self.advance(at_ms)
        elif isinstance(event, ModelPublished):
            self.basis = Basis(self.basis.policy, decode_model(event.data.model))
            for shard in self.shards:
                shard.take(self.basis, at_ms)
        else:
            count = len(self.shards)
            place = partition_of(event.subject.encode(), count) if count > 1 else 0
            self.shards[place].apply(event, at_ms)

    def advance(self, to_ms: int) -> None:
        """Move the clock on without an event: reviews that are due by then are judged."""
        self.clock_ms = max(self.clock_ms, to_ms)
        for shard in self.shards:
            shard.advance(self.clock_ms)

    @property
    def profiles(self) -> dict[str, Profile]:
        """Customer -> profile, in order of customer ids."""
        merged = {customer: profile for shard in self.shards for customer, profile in shard.profiles.items()}
        return dict(sorted(merged.items()))

    @property
    def outcomes(self) -> Counter[str]:
        """How many events were applied, duplicate, of an erased customer, or without effect (`passed`)."""
        return sum((shard.outcomes for shard in self.shards), Counter())


def replay(
    events: Iterable[Event], basis: Basis, *, partitions: int = 1, until_ms: int = 0
) -> tuple[Replay, list[Alert]]:
    """Run events that are in time order; returns the run, and its alerts by time, customer and sequence."""
    alerts: list[Alert] = []
    run = Replay(basis, alerts.append, partitions)
    for event in events:
        run.feed(event)
    run.advance(until_ms)
    alerts.sort(key=in_order)
    return run, alerts


def in_order(alert: Alert) -> tuple[str, str, str]:
    """Sort key that puts alerts in the same order whatever the number of partitions."""
    return alert.time, alert.subject, alert.sequence
