"""History as the fits see it: facts folded as in production, looked at as of some days, and what followed.

A snapshot as of a day holds what was known at the end of that day; what came later is only a label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stream.core.events.event import PURCHASES, CustomerErased, Event, PurchaseCancelled, PurchaseCompleted
from stream.core.facts.decay import VALUE_HALF_LIFE_MS, as_of
from stream.core.facts.fold import FOLDS, fold
from stream.core.facts.profile import Profile, fingerprint, first_sight
from stream.core.judgement.standing import features_of
from stream.core.model.features import Features
from stream.core.policy.policy import Policy
from stream.core.text.themes import ThemeReader
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Flags, Numbers
from stream.fit.purchases.histogram import Histogram, histogram


@dataclass(frozen=True)
class Snapshot:
    """Every customer with a purchase, by id, as of midnight of a day whose events are all known."""

    as_of_ms: int
    customers: tuple[str, ...]
    features: tuple[Features, ...]
    value_minor: Numbers
    """Decayed value."""

    def column(self, name: str) -> Numbers:
        """One field of the features of all customers."""
        return np.array([getattr(features, name) for features in self.features], dtype=np.float64)

    @property
    def inactive_days(self) -> Numbers:
        """Days since the last purchase."""
        return (self.as_of_ms - self.column("last_ms")) / DAY_MS

    @property
    def total_minor(self) -> Numbers:
        """Money of all purchases so far."""
        return self.column("first_minor") + self.column("frequency") * self.column("monetary_minor")

    def cells(self, unit_ms: int = WEEK_MS) -> Histogram:
        """The sufficient statistics for the purchase process."""
        first, last = self.column("first_ms"), self.column("last_ms")
        return histogram(
            self.column("frequency"), (last - first) / unit_ms, (self.as_of_ms - first) / unit_ms
        )

    def only(self, keep: Flags) -> Snapshot:
        """Some of the customers."""
        places = np.flatnonzero(keep)
        return Snapshot(
            self.as_of_ms,
            tuple(self.customers[place] for place in places),
            tuple(self.features[place] for place in places),
            self.value_minor[places],
        )


@dataclass
class History:
    """What was known as of each asked day, and every purchase so far: the truth about days before."""

    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    orders: dict[str, dict[str, int]] = field(default_factory=dict)
    """Per customer, when each order was placed; cancelled ones are taken out."""
    currencies: Counter[str] = field(default_factory=Counter)
    first_ms: int = 0
    """Midnight of the first purchase: engagement may be recorded from long before."""
    last_ms: int = 0
    last_purchase_ms: int = 0
    """When purchases were last heard of at all."""
    events: int = 0
    profiles: dict[str, Profile] = field(default_factory=dict)

    def note(self, event: Event, at_ms: int) -> None:
        """Keep what the truth needs of an event; profiles are not touched."""
        self.events += 1
        self.last_ms = max(self.last_ms, at_ms)
        if type(event) in PURCHASES:
            self.last_purchase_ms = at_ms
        if type(event) is PurchaseCompleted:
            self.first_ms = self.first_ms or at_ms // DAY_MS * DAY_MS
            self.orders.setdefault(event.subject, {})[event.data.order_id] = at_ms
            self.currencies[event.data.currency] += 1
        elif type(event) is PurchaseCancelled:
            self.orders.get(event.subject, {}).pop(event.data.order_id, None)

    def silent(self, snapshot: Snapshot, horizon_ms: int | Numbers) -> Flags:
        """Which customers bought nothing within the horizon after the snapshot's day."""
        known_ms = snapshot.as_of_ms + DAY_MS - 1
        next_ms = self.next_purchase_ms(snapshot.customers, known_ms)
        return next_ms > known_ms + np.asarray(horizon_ms)

    def next_purchase_ms(self, customers: Sequence[str], after_ms: int) -> Numbers:
        """The first purchase after an instant; infinite where none was seen."""
        found = np.full(len(customers), np.inf)
        for place, customer in enumerate(customers):
            later = [at_ms for at_ms in self.orders.get(customer, {}).values() if at_ms > after_ms]
            if later:
                found[place] = min(later)
        return found


def read_history(events: Iterable[Event], days_ms: Sequence[int], policy: Policy) -> History:
    """Fold events that are in time order; a snapshot is taken as of each asked midnight (UTC).

    Days without enough history behind them give snapshots with few or no customers.
    """
    history, reader = History(), ThemeReader(policy.themes, policy.lexicon)
    waiting = sorted(days_ms)
    for event in events:
        at_ms = event.time_ms
        while waiting and at_ms >= waiting[0] + DAY_MS:
            day_ms = waiting.pop(0)
            history.snapshots[day_ms] = take_snapshot(history.profiles, day_ms)
        history.note(event, at_ms)
        apply_facts(history.profiles, event, at_ms, reader)
    for day_ms in waiting:
        history.snapshots[day_ms] = take_snapshot(history.profiles, day_ms)
    return history


def apply_facts(profiles: dict[str, Profile], event: Event, at_ms: int, reader: ThemeReader) -> None:
    """Fold an event into its customer's facts, once; nothing is judged."""
    if type(event) is CustomerErased:
        profiles.pop(event.subject, None)
        return
    if type(event) not in FOLDS:
        return
    profile = profiles.get(event.subject)
    if profile is None:
        profile = profiles[event.subject] = Profile(customer=event.subject)
    if first_sight(profile, at_ms, fingerprint(event.source, event.id)):
        fold(profile, event, at_ms, reader)


def take_snapshot(profiles: Mapping[str, Profile], as_of_ms: int) -> Snapshot:
    """Everybody with a purchase, in the order of their ids."""
    buyers = sorted(customer for customer, profile in profiles.items() if profile.buying.sums.orders)
    values = [as_of(profiles[one].buying.sums.value, as_of_ms, VALUE_HALF_LIFE_MS) for one in buyers]
    return Snapshot(
        as_of_ms,
        tuple(buyers),
        tuple(features_of(profiles[customer]) for customer in buyers),
        np.maximum(0.0, np.array(values, dtype=np.float64)),
    )
