"""A model is tried before it is in force: it judges some made-up customers, and one that fails is refused.

`check_model` bounds every number of a model. What numbers do together, and with the policy in force, shows
only when customers are judged. Without a trial an exception would end every worker at each of its starts,
because the publication is read again. The trial reads nothing else, so it is the same on every worker,
partition and replay with one policy.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite

from msgspec.structs import astuple

from stream.core.events.event import PurchaseCompleted, Reviewed
from stream.core.events.payload import Purchase, Review
from stream.core.facts.profile import Profile
from stream.core.judgement.basis import Basis
from stream.core.judgement.ranking import ranking_currency
from stream.core.judgement.standing import standing
from stream.core.judgement.worth import expected_minor, spread_if_kept, spread_now
from stream.core.model.document import ModelError
from stream.core.model.record import Model
from stream.core.policy.policy import Policy
from stream.core.risk.churn import explained_risk
from stream.core.step import on_event, on_review
from stream.core.units import DAY_MS
from stream.core.value.lifetime import has_table
from stream.core.value.rfm import scores, summary

LIVES: tuple[tuple[int, ...], ...] = (
    (0,),
    (0, 7_000),
    (0, 1, 2, 3, 400, 401),
    (*range(0, 7 * 12, 7),),
    (*range(0, 900, 9),),
)
"""Days on which the customers of a trial buy."""
BEGIN = datetime(2010, 1, 1, tzinfo=UTC)
SILENCES_DAYS = (0, 1, 40, 400, 4_000, 10_000)
REVIEWS_MAX = 50
LEAVING_MIN = 0.05
"""Of a and b when the table of lifetime value must be computed: 0.7 s of CPU, with smaller ones minutes."""


def tried_basis(policy: Policy, model: Model) -> Basis:
    """The basis of a published model; ModelError when no worker could judge by it, with the reason."""
    smallest, finance = min(model.process.a, model.process.b), policy.finance
    tabled = has_table(model, finance.risk_horizon_ms, finance.annual_discount)
    if smallest < LEAVING_MIN and not tabled:
        raise ModelError(
            f"process: a or b is {smallest:g}, below {LEAVING_MIN:g}, and it has no table for the "
            "risk_horizon and annual_discount of the policy in force: fit the model with that policy"
        )
    ranking_currency(policy, model)
    try:
        basis = Basis(policy, model)
        for days in LIVES:
            _live(days, model, basis)
    except Exception as error:  # whatever it is, it says that this model judges nobody
        raise ModelError(f"no customer can be judged by it: {type(error).__name__}: {error}") from None
    return basis


def _live(days: tuple[int, ...], model: Model, basis: Basis) -> None:
    profile: Profile | None = None
    money_in = basis.ranking or model.currency
    for number, day in enumerate(days):
        at, spent = BEGIN + timedelta(days=day), 10 ** (1 + number % 7)
        purchase = Purchase(order_id=str(number), total_minor=spent, currency=money_in, products=())
        event = PurchaseCompleted(id=f"p{number}", source="/trial", subject="c", time=at, data=purchase)
        profile = on_event(profile, event, basis).profile
    assert profile is not None
    data = Review(review_id="r", rating=1, rating_max=5)
    review = Reviewed(id="r", source="/trial", subject="c", time=at, data=data)
    on_event(profile, review, basis)
    for silence in SILENCES_DAYS:
        _judged(profile, review.time_ms + silence * DAY_MS, model, basis)
    for _ in range(REVIEWS_MAX):
        if profile.next_review_ms is None:
            break
        on_review(profile, profile.next_review_ms, basis)


def _judged(profile: Profile, as_of_ms: int, model: Model, basis: Basis) -> None:
    """What a judgement and an alert of that instant compute; it raises what they would raise."""
    now = standing(profile, as_of_ms, basis)
    assert now.features is not None
    risk = explained_risk(model, now.features, as_of_ms)
    scores(summary(profile.buying, as_of_ms, model.process.unit_ms), model)
    kept, spread = spread_if_kept(profile, now, basis), spread_now(profile, now, basis)
    values = (*astuple(kept), *astuple(spread), expected_minor(profile, now, basis))
    numbers = (now.risk, risk.score, risk.base, *(part for _, part in risk.contributions), *values)
    assert all(isfinite(number) for number in numbers), "a risk or a value is not finite"
