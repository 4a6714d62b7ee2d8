"""What would clear an alert of each kind: rehearsed, and named only if the rules then end the alert."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct, structs

from stream.core.alerts.alert import Remedy
from stream.core.alerts.rehearsal import Rehearsal
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.units import DAY_MS

TRIES_MAX = 5
"""Orders or pieces of feedback that are tried; a remedy never asks for more."""
HALVINGS_MAX = 4
"""Remedies that do not clear an alert all the time until it expires may still do so for a while: the time is
halved at most so often."""
REHEARSED_TO_MS = 4_102_444_800_000
"""2100-01-01: a policy may let an alert of 2099 expire after a hundred years, but doubles hold the weights of
decayed sums (facts/decay.py) until 2104 only."""


class Clearing(NamedTuple):
    """Everything that has to happen for an alert to clear, by when, and the score that is left then."""

    remedies: list[Remedy]
    score: float
    before_ms: int


class Needed(Struct):
    """How much of each remedy was needed so far; the orders come on a day each."""

    tickets: bool = False
    """All open tickets are resolved."""
    feedback: int = 0
    """Pieces of the best possible feedback."""
    orders: int = 0

    def as_remedies(self) -> list[Remedy]:
        """In the order in which they were rehearsed, orders first."""
        found = [Remedy(code="ORDER", count=self.orders)] if self.orders else []
        found += [Remedy(code="RESOLVE_TICKET")] if self.tickets else []
        return found + ([Remedy(code="POSITIVE_FEEDBACK", count=self.feedback)] if self.feedback else [])


def loyalty_remedies(profile: Profile, now_ms: int, basis: Basis, before_ms: int) -> Clearing | None:
    """Resolved tickets and good feedback against unhappiness; orders against drifting."""
    return _whenever(_appease_and_sell, Rehearsal(profile, "at_risk_loyal", basis), now_ms, before_ms)


def churn_remedies(profile: Profile, now_ms: int, basis: Basis, before_ms: int) -> Clearing | None:
    """The orders that lower the churn risk enough."""
    return _whenever(_sell, Rehearsal(profile, "churn_risk", basis), now_ms, before_ms)


def upgrade_remedies(profile: Profile, now_ms: int, basis: Basis, before_ms: int) -> Clearing | None:
    """The spend that is missing now to the next tier, or to one above it where that tier is near as well."""
    stage = Rehearsal(profile, "upgrade_opportunity", basis)
    now = stage.standing(now_ms)
    for cutoff_minor in basis.cutoffs[now.tier + 1 :]:
        missing_minor = max(1, math.floor(cutoff_minor - now.value_minor) + 1)
        stage.begin()
        stage.order(now_ms, missing_minor)
        if stage.is_over:
            remedy = Remedy(code="REACH_NEXT_TIER", amount_minor=missing_minor)
            return Clearing([remedy], stage.score, before_ms)
    return None


Play = Callable[[Rehearsal, int, Needed], None]
"""Does remedies to a rehearsal from an instant on, at least what was needed before, and notes what was."""


def _whenever(play: Play, stage: Rehearsal, now_ms: int, before_ms: int) -> Clearing | None:
    """The remedies that clear an alert now, and until when the same ones will: at most until it expires.

    Where they would for a moment only, more of them that will until it expires. None where TRIES_MAX of each
    do not clear it.
    """
    before_ms = min(before_ms, max(now_ms, REHEARSED_TO_MS))
    needed = Needed()
    stage.begin()
    play(stage, now_ms, needed)
    if not stage.is_over:
        return None
    score = stage.score
    for halved in range(HALVINGS_MAX + 1):
        end_ms = now_ms + (before_ms - now_ms >> halved)
        last_ms = max(now_ms, end_ms - max(needed.orders, 1) * DAY_MS)
        if _suffices(play, stage, last_ms, needed):
            return Clearing(needed.as_remedies(), score, end_ms)
    last_ms = max(now_ms, before_ms - TRIES_MAX * DAY_MS)
    stage.begin()
    play(stage, last_ms, needed)
    return Clearing(needed.as_remedies(), score, before_ms) if stage.is_over else None


def _suffices(play: Play, stage: Rehearsal, start_ms: int, needed: Needed) -> bool:
    """Whether the remedies, begun at an instant, clear the alert without any more of them."""
    used = structs.replace(needed)
    stage.begin()
    play(stage, start_ms, used)
    return stage.is_over and used == needed


def _sell(stage: Rehearsal, start_ms: int, needed: Needed) -> None:
    """Orders of the customer's usual size, one a day, until the alert is over."""
    for number in range(TRIES_MAX):
        if stage.is_over:
            return
        stage.order(start_ms + number * DAY_MS, stage.usual_order_minor)
        needed.orders = max(needed.orders, number + 1)


def _appease_and_sell(stage: Rehearsal, start_ms: int, needed: Needed) -> None:
    """Open tickets are resolved if one has waited too long, then feedback comes in, then orders do."""
    if needed.tickets or stage.has_overdue_ticket(start_ms):
        needed.tickets = True
        stage.resolve_tickets(start_ms)
    for number in range(TRIES_MAX):
        if stage.is_over or (number >= needed.feedback and not stage.is_unhappy(start_ms)):
            break
        stage.praise(start_ms)
        needed.feedback = max(needed.feedback, number + 1)
    _sell(stage, start_ms, needed)
