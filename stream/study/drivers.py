"""Why the valuable stay and why they leave: behaviours of leavers against those of stayers of like standing.

Like standing is tier (by spend while active, which leaving does not lower), tenure, and number of purchases:
who left early has had less time to complain, and must not look contented for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.core.model import DAY_MS
from stream.core.profile import Profile
from stream.core.rulebook import Policy
from stream.fit.contrast import Contrast, contrast, discoveries
from stream.fit.history import Snapshot
from stream.study.books import Books

Flags = NDArray[np.bool_]

LEFT_AFTER_GAPS = 3.0
"""Who is silent for more than this many own mean gaps (and the least silence) has left."""
LEFT_AFTER_DAYS = 60.0
DAYS_MIN = 3
"""Purchase days without which there is no rhythm to fall out of."""
DISCOUNT_SHARE = 0.5
BAND = 4.0 / 3.0
PLAYS = {
    "delivery": "SERVICE_RECOVERY_CALL",
    "blamed": "SERVICE_RECOVERY_CALL",
    "ticket": "RESOLVE_TICKET",
    "detractor": "DETRACTOR_CALLBACK",
    "discount": "WIN_BACK_OFFER",
    "cold": "REENGAGE_CONTENT",
}


@dataclass(frozen=True)
class Driver:
    """A behaviour of one tier, contrasted; `play` is what the playbook says to do."""

    tier: str
    contrast: Contrast
    play: str


@dataclass(frozen=True)
class DeadEnd:
    """The last thing customers of one tier did before they left."""

    tier: str
    last_step: str
    customers: int
    share: float


def drivers(books: Books, snapshot: Snapshot, policy: Policy) -> list[Driver]:
    """Every behaviour with enough support in every tier; found are those beyond chance over all of them."""
    known = _compared(snapshot)
    left, tiers = _left(known), _tiers(known, policy)
    names, flags = _behaviours(books, known)
    asked: list[tuple[str, Contrast]] = []
    for tier, here in _peers(tiers, policy):
        groups = _groups(known, here) + 1_000 * tiers[here]
        for name, shown in zip(names, flags, strict=True):
            answer = contrast(name, shown[here], left[here], groups)
            if answer is not None:
                asked.append((tier, answer))
    marked = {id(old): new for old, new in _marked([one for _, one in asked])}
    found = [Driver(tier, marked[id(one)], _play(one.name, policy)) for tier, one in asked]
    return sorted(found, key=lambda one: (not one.contrast.found, one.contrast.p_value))


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


def _peers(tiers: NDArray[np.int64], policy: Policy) -> list[tuple[str, Flags]]:
    """Everybody, the valuable ones together (they may be too few to ask alone), and each tier."""
    valuable = policy.tier_rank(policy.at_risk_loyal.tier_min)
    names = [step.name for step in policy.ladder.steps]
    each = [(name, tiers == rank) for rank, name in enumerate(names)]
    everybody = np.ones(len(tiers), dtype=bool)
    return [("everybody", everybody), (f"{names[valuable]} and above", tiers >= valuable), *each]


def _marked(contrasts: list[Contrast]) -> list[tuple[Contrast, Contrast]]:
    ordered = sorted(contrasts, key=lambda one: one.p_value)
    return list(zip(ordered, discoveries(contrasts), strict=True))


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


def _tiers(known: Snapshot, policy: Policy) -> NDArray[np.int64]:
    """By spend per day while active."""
    active = (known.column("last_ms") - known.column("first_ms")) / DAY_MS + 30.0
    rate = known.total_minor / active
    if not len(rate):
        return np.zeros(0, dtype=np.int64)
    cuts = np.quantile(rate, [step.quantile for step in policy.ladder.steps[1:]])
    return np.searchsorted(cuts, rate, side="right").astype(np.int64)


def _groups(known: Snapshot, here: Flags) -> NDArray[np.int64]:
    """Bands of purchases, each a third wider than the one before, within halves of tenure.

    The bands are narrow because every purchase is one more occasion to praise, blame or return.
    """
    band = np.floor(np.log(known.column("frequency")[here]) / np.log(BAND)).astype(np.int64)
    age = known.column("first_ms")[here]
    older = age < np.median(age) if len(age) else np.zeros(0, dtype=bool)
    groups: NDArray[np.int64] = 2 * band + older.astype(np.int64)
    return groups


def _behaviours(books: Books, known: Snapshot) -> tuple[list[str], list[Flags]]:
    """What each customer did or suffered, as yes or no."""
    profiles = [books.history.profiles[customer] for customer in known.customers]
    asks: dict[str, Callable[[Profile], bool]] = {
        "returned something": lambda one: one.buying.sums.refunded_minor > 0,
        "ticket or complaint": lambda one: bool(one.feedback.opened),
        "detractor (NPS 0-6)": lambda one: bool(one.feedback.nps_at_ms) and one.feedback.nps <= 6,
        "promoter (NPS 9-10)": lambda one: bool(one.feedback.nps_at_ms) and one.feedback.nps >= 9,
        "loyalty programme": lambda one: bool(one.engagement.joined_at_ms),
        "redeemed a promotion": lambda one: one.engagement.redeemed > 0,
        "mostly discounted orders": lambda one: (
            books.discounted.get(one.customer, 0) > DISCOUNT_SHARE * one.buying.sums.orders
        ),
    }
    for theme in sorted({theme for one in profiles for theme in one.feedback.themes}):
        asks[f"blamed {theme}"] = _voiced(theme, "blamed")
        asks[f"praised {theme}"] = _voiced(theme, "praised")
    for channel in sorted({one.identity.channel for one in profiles if one.identity.channel}):
        asks[f"came by {channel}"] = _is(lambda one: one.identity.channel, channel)
    for category in sorted({name for one in profiles if (name := _favourite(one))}):
        asks[f"buys mostly {category}"] = _is(_favourite, category)
    flags = [np.array([ask(one) for one in profiles], dtype=bool) for ask in asks.values()]
    return list(asks), flags


def _voiced(theme: str, how: str) -> Callable[[Profile], bool]:
    return lambda one: theme in one.feedback.themes and getattr(one.feedback.themes[theme], how) > 0


def _is(ask: Callable[[Profile], str], value: str) -> Callable[[Profile], bool]:
    return lambda one: ask(one) == value


def _favourite(profile: Profile) -> str:
    bought: Mapping[str, float] = profile.interests.bought
    return max(bought, key=lambda name: (bought[name], name)) if bought else ""


def _play(behaviour: str, policy: Policy) -> str:
    """The action of the playbook that answers a behaviour; none where there is nothing to do."""
    plays = {play.action for play in policy.playbook.values()}
    for word, action in PLAYS.items():
        if word in behaviour and action in plays:
            return action
    return ""
