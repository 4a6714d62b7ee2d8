"""Why customers stay or leave: behaviours of those who left, compared with like customers who stayed.

Incidents are judged by what followed each of them (incidents.py). What customers are or like is compared once
per customer, among customers of the same tier, tenure and number of purchases: a customer who left early has
had less time to praise anything, and must not look discontented for that. Tiers are by spend per day while
active, which leaving does not lower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from stream.analysis.business.incidents import (
    PACE_BANDS,
    matched_incidents,
    pace_bands,
    tables_of_tiers,
)
from stream.analysis.business.ledger import Ledger
from stream.analysis.business.left import compared, have_left, tiers_while_active
from stream.analysis.statistics.contrast import FALSE_DISCOVERIES, Contrast, contrast, discoveries, pooled
from stream.core.facts.profile import Profile
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.arrays import Counts, Flags
from stream.fit.history import Snapshot

DISCOUNT_SHARE = 0.5
"""A larger share of orders with a discount is `mostly discounted orders`."""
BAND = 4.0 / 3.0
"""Ratio between the bounds of neighbouring bands of the number of purchases."""
PROMOTER_MIN = 9
"""Lowest answer, 0 to 10, of a promoter in the Net Promoter Score."""
REASON_TO_LEAVE = {
    "blamed": "SENTIMENT_LOW",
    "returned": "SENTIMENT_LOW",
    "ticket": "TICKET_UNRESOLVED",
    "detractor": "DETRACTOR",
    "discount": "SILENT_BEYOND_RHYTHM",
    "buys mostly": "CATEGORY_INTEREST",
}
"""Word in the name of a behaviour that goes with leaving -> the reason of the policy's playbook for it."""
REASON_TO_STAY = {"praised": "PROMOTER", "promoter": "PROMOTER", "buys mostly": "CATEGORY_INTEREST"}
"""The same of behaviours that go with staying: nobody apologises to customers who stay."""


Test = tuple[Callable[[Profile], bool], Callable[[Profile], bool]]
"""Whether a customer shows a behaviour, and whether that is known of them."""


@dataclass(frozen=True)
class Driver:
    """One behaviour in one tier; `play` and `to_do` are the action and text of the playbook."""

    tier: str
    contrast: Contrast
    play: str
    to_do: str


@dataclass(frozen=True)
class DeadEnd:
    """How many customers of one tier left after the same last event."""

    tier: str
    last_step: str
    customers: int
    share: float
    """Of all customers of the tier who left."""


def drivers(ledger: Ledger, snapshot: Snapshot, policy: Policy) -> list[Driver]:
    """Every behaviour in every tier that can be compared, discoveries first.

    The valuable tiers are a family of tests of their own, so that the many tests of other tiers do not drown
    them; each family has half of the false discoveries.
    """
    contrasts = [*_after_occasions(ledger, snapshot, policy), *_by_customer(ledger, snapshot, policy)]
    groups = _tier_groups(policy)
    found = []
    for family in (True, False):
        mine = [(tier, one) for tier, one in contrasts if groups[tier].valuable is family]
        marked = discoveries([one for _, one in mine], FALSE_DISCOVERIES / 2.0)
        ordered = sorted(mine, key=lambda each: each[1].p_value)
        found += [
            Driver(tier, one, *play_of(one.name, one.odds_ratio, policy))
            for (tier, _), one in zip(ordered, marked, strict=True)
        ]
    return sorted(found, key=lambda one: (not one.contrast.found, one.contrast.p_value))


def _after_occasions(ledger: Ledger, snapshot: Snapshot, policy: Policy) -> list[tuple[str, Contrast]]:
    """What followed when something went wrong, by the tier at that time."""
    contrasts = []
    for one in matched_incidents(ledger, snapshot.customers, snapshot.as_of_ms + DAY_MS, policy):
        for tier, group in _tier_groups(policy).items():
            tables, customers = tables_of_tiers(one, group.ranks.__contains__)
            if customers and (answer := pooled(one.name, tables, customers)) is not None:
                contrasts.append((tier, answer))
    return contrasts


def _by_customer(ledger: Ledger, snapshot: Snapshot, policy: Policy) -> list[tuple[str, Contrast]]:
    """What customers are, like and praise: one comparison per customer."""
    known = compared(snapshot)
    left, tiers = have_left(known), tiers_while_active(known, policy)
    behaviours = _behaviours(ledger, known)
    contrasts = []
    for tier, group in _tier_groups(policy).items():
        here = np.isin(tiers, list(group.ranks))
        groups = _groups(known, here) + 10_000 * tiers[here]
        for name, (shown, is_known) in behaviours.items():
            mine = is_known[here]
            answer = contrast(name, shown[here][mine], left[here][mine], groups[mine])
            if answer is not None:
                contrasts.append((tier, answer))
    return contrasts


def dead_ends(ledger: Ledger, snapshot: Snapshot, policy: Policy) -> list[DeadEnd]:
    """By tier, the last event of customers who left: where the relationship ended."""
    known = compared(snapshot)
    left, tiers = have_left(known), tiers_while_active(known, policy)
    found = []
    for rank, step in enumerate(policy.ladder.steps):
        places = np.flatnonzero(left & (tiers == rank))
        counts: dict[str, int] = {}
        for place in places:
            touch = ledger.history.profiles[known.customers[place]].touch or "purchase.completed"
            counts[touch] = counts.get(touch, 0) + 1
        found += [DeadEnd(step.name, touch, count, count / len(places)) for touch, count in counts.items()]
    rank_of = {step.name: rank for rank, step in enumerate(policy.ladder.steps)}
    return sorted(found, key=lambda one: (rank_of[one.tier], -one.customers, one.last_step))


@dataclass(frozen=True)
class TierGroup:
    """Tiers that are compared together; `valuable` from the policy's tier of at_risk_loyal on."""

    ranks: frozenset[int]
    valuable: bool


def _tier_groups(policy: Policy) -> dict[str, TierGroup]:
    """All customers, the valuable tiers together (alone they may be too small), and each tier."""
    valuable = policy.tier_rank(policy.at_risk_loyal.tier_min)
    names = [step.name for step in policy.ladder.steps]
    every = range(len(names))
    return {
        "everybody": TierGroup(frozenset(every), valuable=False),
        f"{names[valuable]} and above": TierGroup(frozenset(every[valuable:]), valuable=True),
        **{name: TierGroup(frozenset({rank}), rank >= valuable) for rank, name in enumerate(names)},
    }


def _groups(known: Snapshot, here: Flags) -> Counts:
    """Number of the matched group, shape (customers here,): band of purchases, band of pace, half of tenure.

    Each band of purchases is a third wider than the one before. They are narrow because every purchase is one
    more occasion to praise something.
    """
    band = np.floor(np.log(known.column("frequency")[here]) / np.log(BAND)).astype(np.int64)
    age = known.column("first_ms")[here]
    older = age < np.median(age) if len(age) else np.zeros(0, dtype=bool)
    gaps = (
        (known.column("last_ms") - known.column("first_ms"))[here] / DAY_MS / known.column("frequency")[here]
    )
    groups: Counts = 2 * (PACE_BANDS * band + pace_bands(gaps)) + older.astype(np.int64)
    return groups


def _behaviours(ledger: Ledger, known: Snapshot) -> dict[str, tuple[Flags, Flags]]:
    """Behaviour -> who showed it, and of whom it is known, both of shape (customers,).

    Who never answered is no less of a promoter than others, and where no source tells discounts, channels or
    categories, nobody bought without: such customers are left out of the comparison.
    """
    profiles = [ledger.history.profiles[customer] for customer in known.customers]
    favourites = {one.customer: _favourite(one) for one in profiles}
    tests: dict[str, Test] = {
        "promoter (NPS 9-10)": (lambda one: one.feedback.nps >= PROMOTER_MIN, _answered),
        "loyalty programme": (lambda one: bool(one.engagement.joined_at_ms), _always),
        "redeemed a promotion": (lambda one: one.engagement.redeemed > 0, _always),
        "mostly discounted orders": _discounted(ledger),
    }
    for theme in sorted({theme for one in profiles for theme in one.feedback.themes}):
        tests[f"praised {theme}"] = _praised(theme), _always
    for channel in sorted({one.identity.channel for one in profiles if one.identity.channel}):
        shown = _is(lambda one: one.identity.channel, channel)
        tests[f"came by {channel}"] = shown, lambda one: bool(one.identity.channel)
    for category in sorted({name for name in favourites.values() if name}):
        shown = _is(lambda one: favourites[one.customer], category)
        tests[f"buys mostly {category}"] = shown, lambda one: bool(favourites[one.customer])
    return {
        name: (_flags(shown, profiles), _flags(is_known, profiles))
        for name, (shown, is_known) in tests.items()
    }


def _flags(of: Callable[[Profile], bool], profiles: list[Profile]) -> Flags:
    return np.array([of(one) for one in profiles], dtype=bool)


def _discounted(ledger: Ledger) -> Test:
    """Whether most orders had a discount, of the sources that tell discounts: of one without any it is not
    known."""
    telling = [ledger.ordered[source] for source in sorted(ledger.discounting)]

    def orders(customer: str) -> int:
        return sum(of_source.get(customer, 0) for of_source in telling)

    return (
        lambda one: ledger.discounted.get(one.customer, 0) > DISCOUNT_SHARE * orders(one.customer),
        lambda one: orders(one.customer) > 0,
    )


def _answered(profile: Profile) -> bool:
    return bool(profile.feedback.nps_at_ms)


def _always(profile: Profile) -> bool:
    return True


def _praised(theme: str) -> Callable[[Profile], bool]:
    return lambda one: theme in one.feedback.themes and one.feedback.themes[theme].praised > 0


def _is(value_of: Callable[[Profile], str], value: str) -> Callable[[Profile], bool]:
    return lambda one: value_of(one) == value


def _favourite(profile: Profile) -> str:
    bought: Mapping[str, float] = profile.interests.bought
    return max(bought, key=lambda name: (bought[name], name)) if bought else ""


def play_of(behaviour: str, odds_ratio: float, policy: Policy) -> tuple[str, str]:
    """The playbook's action for a behaviour, and its text; empty where it has none.

    `odds_ratio` above 1: who shows it leaves more often than like customers.
    """
    for word, reason in (REASON_TO_LEAVE if odds_ratio > 1.0 else REASON_TO_STAY).items():
        if word in behaviour and reason in policy.playbook:
            play = policy.playbook[reason]
            return play.action, play.text
    return "", ""
