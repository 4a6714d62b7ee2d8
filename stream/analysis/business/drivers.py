"""Why the valuable stay and why they leave: behaviours of leavers against those of stayers of like standing.

What went wrong is judged by what followed (stream.analysis.business.incidents). What customers are or like
is judged once per customer, within tier (by spend while active, which leaving does not lower), tenure and
number of purchases: who left early has had less time to praise, and must not look discontented for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from stream.analysis.business.incidents import (
    DAYS_MIN,
    LEFT_AFTER_DAYS,
    LEFT_AFTER_GAPS,
    PACE,
    occasions,
    of_tiers,
    paces,
)
from stream.analysis.business.ledger import Books
from stream.analysis.statistics.contrast import FALSE_DISCOVERIES, Contrast, contrast, discoveries, pooled
from stream.core.facts.profile import Profile
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.arrays import Counts, Flags
from stream.fit.history import Snapshot

DISCOUNT_SHARE = 0.5
BAND = 4.0 / 3.0
REASONS = {
    "praised": "PROMOTER",
    "promoter": "PROMOTER",
    "blamed": "SENTIMENT_LOW",
    "returned": "SENTIMENT_LOW",
    "ticket": "TICKET_UNRESOLVED",
    "detractor": "DETRACTOR",
    "discount": "SILENT_BEYOND_RHYTHM",
    "buys mostly": "CATEGORY_INTEREST",
}
"""Which reason of the playbook a behaviour stands for."""


@dataclass(frozen=True)
class Driver:
    """A behaviour of one tier, contrasted; `play` and `to_do` are what the playbook says to do."""

    tier: str
    contrast: Contrast
    play: str
    to_do: str


@dataclass(frozen=True)
class DeadEnd:
    """The last thing customers of one tier did before they left."""

    tier: str
    last_step: str
    customers: int
    share: float


def drivers(books: Books, snapshot: Snapshot, policy: Policy) -> list[Driver]:
    """Every behaviour with enough support in every tier; found are those beyond chance over all of them.

    The valuable tiers are a family of questions of their own, so that what is asked of all the others cannot
    drown them; each family may spend half of the false discoveries.
    """
    asked = [*_after_occasions(books, snapshot, policy), *_by_customer(books, snapshot, policy)]
    peers = _peers(policy)
    found = []
    for family in (True, False):
        mine = [(tier, one) for tier, one in asked if peers[tier].valuable is family]
        marked = discoveries([one for _, one in mine], FALSE_DISCOVERIES / 2.0)
        ordered = sorted(mine, key=lambda each: each[1].p_value)
        found += [
            Driver(tier, one, *_play(one.name, policy))
            for (tier, _), one in zip(ordered, marked, strict=True)
        ]
    return sorted(found, key=lambda one: (not one.contrast.found, one.contrast.p_value))


def _after_occasions(books: Books, snapshot: Snapshot, policy: Policy) -> list[tuple[str, Contrast]]:
    """What followed when something went wrong, by the tier held then."""
    asked = []
    for one in occasions(books, snapshot.customers, snapshot.as_of_ms + DAY_MS, policy):
        for tier, peers in _peers(policy).items():
            tables, customers = of_tiers(one, peers.ranks.__contains__)
            if customers and (answer := pooled(one.name, tables, customers)) is not None:
                asked.append((tier, answer))
    return asked


def _by_customer(books: Books, snapshot: Snapshot, policy: Policy) -> list[tuple[str, Contrast]]:
    """What customers are, like and praise, once for each."""
    known = _compared(snapshot)
    left, tiers = _left(known), _tiers(known, policy)
    names, flags = _behaviours(books, known)
    asked = []
    for tier, peers in _peers(policy).items():
        here = np.isin(tiers, list(peers.ranks))
        groups = _groups(known, here) + 10_000 * tiers[here]
        for name, shown in zip(names, flags, strict=True):
            if (answer := contrast(name, shown[here], left[here], groups)) is not None:
                asked.append((tier, answer))
    return asked


def dead_ends(books: Books, snapshot: Snapshot, policy: Policy) -> list[DeadEnd]:
    """By tier, what leavers did last: the step of the relationship that led nowhere."""
    known = _compared(snapshot)
    left, tiers = _left(known), _tiers(known, policy)
    found = []
    for rank, step in enumerate(policy.ladder.steps):
        places = np.flatnonzero(left & (tiers == rank))
        counts: dict[str, int] = {}
        for place in places:
            touch = books.history.profiles[known.customers[place]].touch or "purchase.completed"
            counts[touch] = counts.get(touch, 0) + 1
        found += [DeadEnd(step.name, touch, count, count / len(places)) for touch, count in counts.items()]
    return sorted(found, key=lambda one: (one.tier, -one.customers))


@dataclass(frozen=True)
class Peers:
    """Tiers that are asked about together, and whether they are the valuable ones."""

    ranks: frozenset[int]
    valuable: bool


def _peers(policy: Policy) -> dict[str, Peers]:
    """Everybody, the valuable ones together (they may be too few to ask alone), and each tier."""
    valuable = policy.tier_rank(policy.at_risk_loyal.tier_min)
    names = [step.name for step in policy.ladder.steps]
    every = range(len(names))
    return {
        "everybody": Peers(frozenset(every), valuable=False),
        f"{names[valuable]} and above": Peers(frozenset(every[valuable:]), valuable=True),
        **{name: Peers(frozenset({rank}), rank >= valuable) for rank, name in enumerate(names)},
    }


def _compared(snapshot: Snapshot) -> Snapshot:
    """Customers with a rhythm and time enough to have fallen out of it."""
    return snapshot.only(
        (snapshot.column("frequency") + 1 >= DAYS_MIN)
        & (snapshot.as_of_ms - snapshot.column("first_ms") >= 2 * LEFT_AFTER_DAYS * DAY_MS)
    )


def _left(known: Snapshot) -> Flags:
    gaps = (known.column("last_ms") - known.column("first_ms")) / DAY_MS / known.column("frequency")
    left: Flags = known.inactive_days > np.maximum(LEFT_AFTER_DAYS, LEFT_AFTER_GAPS * gaps)
    return left


def _tiers(known: Snapshot, policy: Policy) -> Counts:
    """By spend per day while active."""
    active = (known.column("last_ms") - known.column("first_ms")) / DAY_MS + 30.0
    rate = known.total_minor / active
    if not len(rate):
        return np.zeros(0, dtype=np.int64)
    cuts = np.quantile(rate, [step.quantile for step in policy.ladder.steps[1:]])
    return np.searchsorted(cuts, rate, side="right").astype(np.int64)


def _groups(known: Snapshot, here: Flags) -> Counts:
    """Bands of purchases, each a third wider than the one before, within bands of pace and halves of tenure.

    The bands are narrow because every purchase is one more occasion to praise, blame or return.
    """
    band = np.floor(np.log(known.column("frequency")[here]) / np.log(BAND)).astype(np.int64)
    age = known.column("first_ms")[here]
    older = age < np.median(age) if len(age) else np.zeros(0, dtype=bool)
    gaps = (
        (known.column("last_ms") - known.column("first_ms"))[here] / DAY_MS / known.column("frequency")[here]
    )
    groups: Counts = 2 * (PACE * band + paces(gaps)) + older.astype(np.int64)
    return groups


def _behaviours(books: Books, known: Snapshot) -> tuple[list[str], list[Flags]]:
    """What each customer did or suffered, as yes or no."""
    profiles = [books.history.profiles[customer] for customer in known.customers]
    asks: dict[str, Callable[[Profile], bool]] = {
        "promoter (NPS 9-10)": lambda one: bool(one.feedback.nps_at_ms) and one.feedback.nps >= 9,
        "loyalty programme": lambda one: bool(one.engagement.joined_at_ms),
        "redeemed a promotion": lambda one: one.engagement.redeemed > 0,
        "mostly discounted orders": lambda one: (
            books.discounted.get(one.customer, 0) > DISCOUNT_SHARE * one.buying.sums.orders
        ),
    }
    for theme in sorted({theme for one in profiles for theme in one.feedback.themes}):
        asks[f"praised {theme}"] = _praised(theme)
    for channel in sorted({one.identity.channel for one in profiles if one.identity.channel}):
        asks[f"came by {channel}"] = _is(lambda one: one.identity.channel, channel)
    for category in sorted({name for one in profiles if (name := _favourite(one))}):
        asks[f"buys mostly {category}"] = _is(_favourite, category)
    flags = [np.array([ask(one) for one in profiles], dtype=bool) for ask in asks.values()]
    return list(asks), flags


def _praised(theme: str) -> Callable[[Profile], bool]:
    return lambda one: theme in one.feedback.themes and one.feedback.themes[theme].praised > 0


def _is(ask: Callable[[Profile], str], value: str) -> Callable[[Profile], bool]:
    return lambda one: ask(one) == value


def _favourite(profile: Profile) -> str:
    bought: Mapping[str, float] = profile.interests.bought
    return max(bought, key=lambda name: (bought[name], name)) if bought else ""


def _play(behaviour: str, policy: Policy) -> tuple[str, str]:
    """The action of the playbook that answers a behaviour, and its words; empty where none does."""
    for word, reason in REASONS.items():
        if word in behaviour and reason in policy.playbook:
            play = policy.playbook[reason]
            return play.action, play.text
    return "", ""
