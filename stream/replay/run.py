"""The worker's own step over profiles in memory, in exact event time, with any number of partitions.

Events of one instant are collected, and those of one customer are folded together and judged once.
Before an event at time t, every review due up to and including t is judged, each as of its own due time; at
the end the clock goes on to `until_ms`. So the alerts do not depend on which partition a customer is in.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from stream.core.alerts.alert import Alert
from stream.core.events.event import PUBLICATIONS, ClockTicked, Event, ModelPublished, Publication
from stream.core.events.order import instant_order
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.model.document import ModelError, decode_model
from stream.core.step import Step, on_basis, on_event, on_instant, on_review
from stream.core.trial import tried_basis
from stream.policy_file.published import (
    PoliciesInForce,
    PublishedPolicyError,
    check_fits,
    decode_policy,
    hash_in,
)
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

    def apply(self, events: Sequence[Event], at_ms: int) -> None:
        """Apply events of one customer and one instant, after the reviews that are due before it."""
        self.advance(at_ms)
        customer = events[0].subject
        known = self.profiles.get(customer)
        if len(events) == 1:
            step = on_event(known, events[0], self.basis, at_ms)
            self.outcomes[step.outcome] += 1
        else:
            step, outcomes = on_instant(known, events, self.basis)
            self.outcomes.update(outcomes)
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
    """A run over events in time order: it keeps `profiles` and passes each alert to the sink.

    Events wait until one of a later instant comes, or the clock is moved on: end a run with `advance`.
    """

    def __init__(self, basis: Basis, sink: AlertSink, partitions: int = 1) -> None:
        self.basis = basis
        self.shards = [Shard(basis, sink) for _ in range(partitions)]
        self.clock_ms = 0
        self.events = 0
        self.refused: list[str] = []
        """Why published models and policies were not put in force."""
        self._configured, self._policies = basis.policy, PoliciesInForce()
        self._instant: list[Event] = []

    def feed(self, event: Event) -> None:
        """Take one event; its time must not be before that of the last one."""
        at_ms = event.time_ms
        if at_ms > self.clock_ms:
            self._apply_instant()
            self.clock_ms = at_ms
        self.events += 1
        self._instant.append(event)

    def advance(self, to_ms: int) -> None:
        """Apply all that waits and move the clock on without an event: reviews due by then are judged."""
        self._apply_instant()
        self.clock_ms = max(self.clock_ms, to_ms)
        for shard in self.shards:
            shard.advance(self.clock_ms)

    def _apply_instant(self) -> None:
        """Apply the events of the last instant: each customer's, then models and policies."""
        events, self._instant = self._instant, []
        by_customer: defaultdict[str, list[Event]] = defaultdict(list)
        published: list[Publication] = []
        for event in events:
            if isinstance(event, PUBLICATIONS):
                published.append(event)
            elif not isinstance(event, ClockTicked):
                by_customer[event.subject].append(event)
        count, at_ms = len(self.shards), self.clock_ms
        for customer in sorted(by_customer):
            place = partition_of(customer.encode(), count) if count > 1 else 0
            self.shards[place].apply(by_customer[customer], at_ms)
        for publication in sorted(published, key=instant_order):
            try:
                basis = self._after(publication)
            except (ModelError, PublishedPolicyError) as error:
                self.refused.append(str(error))  # a dead letter of the worker, which goes on as before
                continue
            if basis is not None:
                self.basis = basis
                for shard in self.shards:
                    shard.take(basis, at_ms)
        if not by_customer:
            for shard in self.shards:
                shard.advance(at_ms)

    def _after(self, published: Publication) -> Basis | None:
        """What a publication puts in force; None: nothing else than before. A shadow is not replayed: what it
        says is what a replay with it in force says."""
        now = self.basis
        if isinstance(published, ModelPublished):
            return tried_basis(now.policy, decode_model(published.data.model))
        mode, content = published.data.mode, published.data.policy
        if mode == "off":
            self._policies = self._policies.after(mode, hash_in(content), self._configured)
            policy = self._policies.active or self._configured
            return None if policy.hash == now.policy.hash else tried_basis(policy, now.model)
        policy = decode_policy(content)
        check_fits(policy, mode, now.policy)
        basis = tried_basis(policy, now.model)
        self._policies = self._policies.after(mode, policy, self._configured)
        return basis if mode == "active" else None

    @property
    def profiles(self) -> dict[str, Profile]:
        """Customer -> profile, in order of customer ids."""
        merged = {customer: profile for shard in self.shards for customer, profile in shard.profiles.items()}
        return dict(sorted(merged.items()))

    @property
    def outcomes(self) -> Counter[str]:
        """How many events were applied, duplicate, unsure, of an erased customer, or without effect
        (`passed`)."""
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
