"""A history of events as the fits use it: snapshots of all customers as of some days, and all purchases.

The worker's own code folds the facts. A snapshot holds what was known at the end of its day; whatever came
later is used only as the outcome to predict.

A study has the clock of the business: every time in a history is what that clock shows (Calendar.local_ms),
so that a day is a day, whatever summer time does. Without a zone in the policy that is UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
import numpy as np

from stream.core.calendar import UTC_CALENDAR, Calendar
from stream.core.events.event import CustomerErased, Event, PurchaseCancelled, PurchaseCompleted
from stream.core.facts.decay import VALUE_HALF_LIFE_MS, as_of
from stream.core.facts.fold import FOLDS, fold
from stream.core.facts.meaning import Meaning
from stream.core.facts.memory.repeats import novelty
from stream.core.facts.profile import Profile, new_profile
from stream.core.judgement.ranking import is_ranked
from stream.core.judgement.standing import features_of, without_money
from stream.core.model.features import Features
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.arrays import Flags, Numbers
from stream.fit.coverage import Coverage
from stream.fit.order_names import Cancellations, order_name
from stream.fit.purchases.histogram import Histogram, histogram
from stream.fit.upgrade_moments import KEPT_MS, UpgradeMoment, moment_of, paid_so_far_minor
from stream.policy_file.money_words import (
    NOTHING_FOREIGN,
    Foreign,
    currency_notes,
    foreign_money,
    foreign_of_all,
)

Kept = TypeVar("Kept")
_encode = msgspec.msgpack.Encoder().encode
_decode_profiles = msgspec.msgpack.Decoder(dict[str, Profile]).decode


@dataclass(frozen=True)
class Snapshot:
    """Every customer with a purchase, by id, at the end of a day; arrays have shape (customers,)."""

    as_of_ms: int
    """Midnight at the start of the day; the whole day's events are known."""
    customers: tuple[str, ...]
    features: tuple[Features, ...]
    value_minor: Numbers
    """Money spent, in minor units, forgotten with a half-life of 180 days: what value tiers are cut by."""
    currencies: tuple[str, ...] = ()
    """In which currency each customer's money is; empty: all in the same."""
    ranking: str = ""
    """The currency in which customers are ranked; empty: each in their own."""
    foreign: Foreign = NOTHING_FOREIGN
    """Orders and refunds whose money is in no number."""

    @property
    def ranked(self) -> Flags:
        """Whose money is in that currency, shape (customers,)."""
        if not self.ranking or not self.currencies:
            return np.ones(len(self.customers), dtype=bool)
        return np.array([currency == self.ranking for currency in self.currencies], dtype=bool)

    def ranked_in(self, ranking: str) -> Snapshot:
        """The same customers; the money of those who cannot be ranked in a currency counts as none."""
        snapshot = replace(self, ranking=ranking)
        ranked = snapshot.ranked
        if ranked.all():
            return snapshot
        features = tuple(
            one if known else without_money(one) for one, known in zip(self.features, ranked, strict=True)
        )
        return replace(snapshot, features=features, value_minor=np.where(ranked, self.value_minor, 0.0))

    def not_ranked(self) -> dict[str, int]:
        """Currency -> customers who cannot be ranked."""
        counts = Counter(self.currencies)
        return {code: counts[code] for code in sorted(counts) if not is_ranked(code, self.ranking)}

    def currency_notes(self, finance_currency: str) -> list[str]:
        """What is to be said of several currencies; `finance_currency` is that of the policy, or empty."""
        counts = Counter(self.currencies)
        return currency_notes(counts, self.ranking, finance_currency, self.foreign)

    def column(self, name: str) -> Numbers:
        """One field of the features, of every customer."""
        return np.array([getattr(features, name) for features in self.features], dtype=np.float64)

    @property
    def inactive_days(self) -> Numbers:
        """Days since the last purchase of every customer."""
        return (self.as_of_ms - self.column("last_ms")) / DAY_MS

    @property
    def total_minor(self) -> Numbers:
        """Money of all purchases of every customer so far, in minor units."""
        return self.column("first_minor") + self.column("frequency") * self.column("monetary_minor")

    def cells(self, unit_ms: int = WEEK_MS) -> Histogram:
        """The sufficient statistics of the purchase process, times in units of `unit_ms`."""
        first, last = self.column("first_ms"), self.column("last_ms")
        return histogram(
            self.column("frequency"), (last - first) / unit_ms, (self.as_of_ms - first) / unit_ms
        )

    @classmethod
    def joined(cls, parts: Sequence[Snapshot]) -> Snapshot:
        """The snapshot of all customers from those of parts of them, as of the same day."""
        rows = sorted((row for one in parts for row in one.rows()), key=itemgetter(0))
        customers, features, values, currencies = zip(*rows, strict=True) if rows else ((), (), (), ())
        return cls(
            parts[0].as_of_ms,
            customers,
            features,
            np.array(values, dtype=np.float64),
            currencies,
            foreign=foreign_of_all(one.foreign for one in parts),
        )

    def rows(self) -> Iterator[tuple[str, Features, float, str]]:
        """Each customer with features, value and currency."""
        currencies = self.currencies or ("",) * len(self.customers)
        return zip(self.customers, self.features, self.value_minor.tolist(), currencies, strict=True)

    def only(self, keep: Flags) -> Snapshot:
        """The customers where `keep`, shape (customers,), is True."""
        places = np.flatnonzero(keep)
        return Snapshot(
            self.as_of_ms,
            tuple(self.customers[place] for place in places),
            tuple(self.features[place] for place in places),
            self.value_minor[places],
            tuple(self.currencies[place] for place in places) if self.currencies else (),
            self.ranking,
            self.foreign,
        )


@dataclass
class History:
    """Snapshots by their day, and every purchase so far: the outcomes for earlier snapshots."""

    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    orders: dict[str, dict[str, int]] = field(default_factory=dict)
    """Customer -> order (`order_name`) -> when it was placed, in ms; cancelled orders are taken out."""
    first_ms: int = 0
    """Midnight of the day of the first purchase; engagement may be recorded from long before."""
    calendar: Calendar = UTC_CALENDAR
    """That of the business; all times here are what its clock shows, in ms since it showed 1970-01-01."""
    coverage: Coverage = field(default_factory=Coverage)
    """How far the events reach that were recorded so far."""
    events: int = 0
    profiles: dict[str, Profile] = field(default_factory=dict)
    moments: dict[str, list[UpgradeMoment]] = field(default_factory=dict)
    """Customer -> purchases after which they might have been asked to spend more, in order of time."""

    cancelled: Cancellations[int] = field(default_factory=Cancellations)
    """Customer -> orders that were taken out, where any was cancelled."""

    def note(self, event: Event, at_ms: int) -> None:
        """Record what outcomes need of an event, `at_ms` as the clock shows it; profiles do not change."""
        self.events += 1
        self.coverage.note(event, at_ms)
        if type(event) is PurchaseCompleted:
            self.first_ms = self.first_ms or at_ms // DAY_MS * DAY_MS
            orders = self.orders.setdefault(event.subject, {})
            orders[order_name(event)] = at_ms
            self.cancelled.place(event, orders)
        elif type(event) is PurchaseCancelled:
            self.cancelled.cancel(event, self.orders.setdefault(event.subject, {}))

    @classmethod
    def joined(cls, parts: Sequence[History]) -> History:
        """The history of all customers from those of parts of them, in order of their ids."""
        days_ms = parts[0].snapshots
        return cls(
            snapshots={day: Snapshot.joined([part.snapshots[day] for part in parts]) for day in days_ms},
            orders=in_order([part.orders for part in parts]),
            first_ms=min((part.first_ms for part in parts if part.first_ms), default=0),
            coverage=Coverage.joined([part.coverage for part in parts]),
            events=sum(part.events for part in parts),
            profiles=in_order([part.profiles for part in parts]),
            calendar=parts[0].calendar,
            moments=in_order([part.moments for part in parts]),
            cancelled=Cancellations(in_order([part.cancelled for part in parts])),
        )

    def __getstate__(self) -> dict[str, Any]:
        """As it goes to another process: profiles as the bytes of a row."""
        return {**self.__dict__, "profiles": _encode(self.profiles)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, profiles=_decode_profiles(state["profiles"]))

    def silent(self, snapshot: Snapshot, horizon_ms: int | Numbers) -> Flags:
        """Who bought nothing within the horizon after the snapshot's day, shape (customers,)."""
        known_ms = snapshot.as_of_ms + DAY_MS - 1
        next_ms = self.next_purchase_ms(snapshot.customers, known_ms)
        return next_ms > known_ms + np.asarray(horizon_ms)

    def next_purchase_ms(self, customers: Sequence[str], after_ms: int) -> Numbers:
        """Time of each customer's first purchase after an instant, shape (customers,); infinite if none."""
        found = np.full(len(customers), np.inf)
        for place, customer in enumerate(customers):
            later = [at_ms for at_ms in self.orders.get(customer, {}).values() if at_ms > after_ms]
            if later:
                found[place] = min(later)
        return found


def read_history(events: Iterable[Event], days_ms: Sequence[int], policy: Policy) -> History:
    """Fold events in time order; take a snapshot at the end of each day of `days_ms` (midnights).

    Days early in the history give snapshots with few customers or none.
    """
    meaning = Meaning(policy)
    history, calendar = History(calendar=meaning.calendar), meaning.calendar
    waiting = sorted(days_ms)
    moments_from_ms = max(waiting, default=0) - KEPT_MS
    for event in events:
        shown_ms = calendar.local_ms(event.time_ms)
        while waiting and shown_ms >= waiting[0] + DAY_MS:
            day_ms = waiting.pop(0)
            history.snapshots[day_ms] = take_snapshot(history.profiles, day_ms, calendar)
        history.note(event, shown_ms)
        is_moment = type(event) is PurchaseCompleted and shown_ms >= moments_from_ms
        paid_minor = paid_so_far_minor(history.profiles.get(event.subject)) if is_moment else 0
        if apply_facts(history.profiles, event, event.time_ms, meaning) and is_moment:
            profile = history.profiles[event.subject]
            moment = moment_of(profile, event.time_ms, shown_ms, policy, paid_minor)
            history.moments.setdefault(event.subject, []).append(moment)
    for day_ms in waiting:
        history.snapshots[day_ms] = take_snapshot(history.profiles, day_ms, calendar)
    return history


def in_order(parts: Iterable[Mapping[str, Kept]]) -> dict[str, Kept]:
    """What is kept by customer in several parts, in order of their ids."""
    return dict(sorted((entry for part in parts for entry in part.items()), key=itemgetter(0)))


def apply_facts(profiles: dict[str, Profile], event: Event, at_ms: int, meaning: Meaning) -> bool:
    """Fold an event into its customer's facts unless it is a duplicate; nothing is judged. True: it counts.

    An erasure leaves a profile without facts that knows its instant: as in the core's step, an event of then
    or before is not the beginning of a new customer.
    """
    if type(event) is CustomerErased:
        stub = profiles[event.subject] = new_profile(event.subject, meaning.digest)
        stub.erased_ms = at_ms
        return True
    if type(event) not in FOLDS:
        return True
    profile = profiles.get(event.subject)
    if profile is not None and profile.erased_ms and at_ms <= profile.erased_ms:
        return True
    if profile is None or profile.erased_ms:
        profile = profiles[event.subject] = new_profile(event.subject, meaning.digest)
    if novelty(profile, event, at_ms, meaning) != "applied":
        return False
    fold(profile, event, at_ms, meaning)
    return True


def take_snapshot(profiles: Mapping[str, Profile], as_of_ms: int, calendar: Calendar) -> Snapshot:
    """A snapshot of every customer with a purchase, in order of their ids, at a time that the clock shows."""
    instant_ms = calendar.instant_ms(as_of_ms)
    buyers = sorted(customer for customer, profile in profiles.items() if profile.buying.sums.orders)
    values = [as_of(profiles[one].buying.sums.value, instant_ms, VALUE_HALF_LIFE_MS) for one in buyers]
    return Snapshot(
        as_of_ms,
        tuple(buyers),
        tuple(_by_the_clock(profiles[customer], calendar) for customer in buyers),
        np.maximum(0.0, np.array(values, dtype=np.float64)),
        tuple(profiles[one].buying.currency for one in buyers),
        foreign=foreign_money(profiles[one].buying.sums for one in buyers),
    )


def _by_the_clock(profile: Profile, calendar: Calendar) -> Features:
    """The features of a customer with their times as the clock of the business shows them."""
    sums, engaged_ms = profile.buying.sums, profile.engagement.last_at_ms
    return msgspec.structs.replace(
        features_of(profile),
        first_ms=sums.first_day * DAY_MS,
        last_ms=sums.last_day * DAY_MS,
        engagement_ms=calendar.local_ms(engaged_ms) if engaged_ms else 0,
        by_month=tuple(sums.seasons),
    )
