"""Models that know seasons, and customers of a Christmas shop, for tests."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import chain

import msgspec

from stream.core.events.event import Event
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.model.document import sealed
from stream.core.model.record import BuyerKind, Horizon, Model, RiskLayer, RiskSegment, Seasons, Term
from stream.core.step import on_event, on_review
from stream.core.units import DAY_MS, calendar_month, first_day_of_month
from stream.model_file import default_model
from stream.policy_file import default_policy, parse_policy

ALL_YEAR = BuyerKind(share=0.6, months=(1 / 12,) * 12)
CHRISTMAS = BuyerKind(share=0.4, months=(*(0.005,) * 10, 0.4, 0.55))
SEASONS = Seasons(kinds=(ALL_YEAR, CHRISTMAS), learnt="for a test")
WEIGHTS = {
    **{"churn_tempered": 0.9, "lateness": 0.4, "silence_rank": 0.5, "recent": -0.1, "engagement": -0.2},
    **{"frequency": -0.2, "season_due": -1.5, "season_away": 0.8},
}


def seasonal(model: Model, seasons: Seasons = SEASONS) -> Model:
    """The model with seasons."""
    return msgspec.structs.replace(model, seasons=seasons, version="")


def seasonal_model(weights: dict[str, float] | None = None, horizon_days: int = 91) -> Model:
    """A model with seasons, a learnt layer and one horizon for everybody."""
    terms = tuple(Term(feature=name, weight=weight) for name, weight in (weights or WEIGHTS).items())
    layer = RiskLayer(
        segments=(RiskSegment(frequency_min=0, intercept=-0.5, terms=terms),), learnt="a test's"
    )
    horizon = Horizon(min_ms=horizon_days * DAY_MS, max_ms=horizon_days * DAY_MS)
    return sealed(msgspec.structs.replace(seasonal(default_model()), risk=layer, horizon=horizon))


def seasonal_basis(horizon_days: int = 91, policy: str = "") -> Basis:
    """The shipped policy, or one with the changes of a text, with such a model."""
    chosen = parse_policy(policy) if policy else default_policy()
    return Basis(chosen, seasonal_model(horizon_days=horizon_days))


class BorderCounts(msgspec.Struct):
    """How many reviews there were at one border of months, and how many of them changed a judgement."""

    reviews: int = 0
    changes: int = 0


def counts_at_borders(
    events: Iterable[Event], basis: Basis, until_ms: int
) -> tuple[dict[int, BorderCounts], dict[str, Profile], int]:
    """By border (ms) what happened there while events were replayed in order of time, each review at the
    instant at which it was due; the profiles; and how many reviews there were in all. The clock is UTC."""
    found: dict[int, BorderCounts] = {}
    profiles: dict[str, Profile] = {}
    due: list[tuple[int, str]] = []
    reviews = 0
    for event in chain(events, [None]):
        at_ms = until_ms if event is None else event.time_ms
        while due and due[0][0] <= at_ms:
            review_ms, customer = heapq.heappop(due)
            profile = profiles[customer]
            if profile.next_review_ms != review_ms:
                continue
            reviews += 1
            before = judged(profile)
            on_review(profile, review_ms, basis)
            if is_border(review_ms):
                counts = found.setdefault(review_ms, BorderCounts())
                counts.reviews += 1
                counts.changes += judged(profile) != before
            if profile.next_review_ms is not None:
                heapq.heappush(due, (profile.next_review_ms, customer))
        if event is not None:
            kept = on_event(profiles.get(event.subject), event, basis).profile
            assert kept is not None
            profiles[event.subject] = kept
            if kept.next_review_ms is not None:
                heapq.heappush(due, (kept.next_review_ms, event.subject))
    return found, profiles, reviews


def is_border(at_ms: int) -> bool:
    """Whether a month begins at this instant, by UTC."""
    day, rest = divmod(at_ms, DAY_MS)
    return not rest and first_day_of_month(calendar_month(day)) == day


def judged(profile: Profile) -> bytes:
    """What was judged of a customer, without the instant and the risk itself."""
    judgement = msgspec.structs.replace(profile.judgement, judged_ms=0, risk=0.0)
    return msgspec.json.encode(judgement)
