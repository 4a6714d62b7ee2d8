"""What a customer is worth, as figures: paid so far, profit to expect with its range, rank in fifths."""

from __future__ import annotations

from msgspec import Struct

from stream.core.facts.profile import Profile
from stream.core.judgement.ranking import is_ranked
from stream.core.judgement.standing import standing
from stream.core.judgement.worth import expected_minor, spread_now
from stream.core.units import DAY_MS
from stream.core.value.rfm import scores, summary
from stream.page.screens.view import View, estimate
from stream.wording.amounts import count, days, money, most_bring

FIFTHS = ("lowest fifth", "second fifth from below", "middle fifth", "second fifth", "best fifth")
RANKED_BY = {
    "how lately": "days since the last purchase",
    "how often": "days with a purchase, of all time",
    "how much": "mean paid on such a day, of all time, without the first",
}


class Rank(Struct, frozen=True):
    """A place among all customers."""

    name: str
    by: str
    """What customers are ranked by."""
    fifth: int
    """1 lowest, 5 best."""
    words: str


class ValueFigures(Struct, frozen=True):
    """In words; empty where a number is not known."""

    paid: str
    """Without refunds taken off."""
    refunded: str
    net: str
    orders: str
    expected: str
    spread: str
    """What 8 in 10 of such customers bring, in words."""
    horizon: str
    low: float
    middle: float
    """Ends and mean of the range, as shares of its upper end."""
    ranks: list[Rank]


def value_figures(profile: Profile, view: View) -> ValueFigures | None:
    """The figures; None for a customer who never bought."""
    buying, sums, basis = profile.buying, profile.buying.sums, view.basis
    if not sums.orders:
        return None
    currency, is_priced = buying.currency, bool(sums.gross_minor)
    history = summary(buying, view.as_of_ms, basis.model.process.unit_ms)
    is_known = is_priced and is_ranked(currency, basis.ranking)
    expected = spread = ""
    low = middle = 0.0
    if is_known:
        now = standing(profile, view.as_of_ms, basis)
        mean, range_ = expected_minor(profile, now, basis), spread_now(profile, now, basis)
        least, most = range_.p10_minor, range_.p90_minor
        expected = estimate(mean, currency)
        spread = most_bring(least, most, currency, " such customers bring")
        if not round(most):
            spread = "more than 9 in 10 such customers bring nothing"
        whole = max(mean, most) or 1.0
        low, middle = least / whole, mean / whole
    found = scores(history, basis.model)
    ranks = [("how lately", found.r), ("how often", found.f), *([("how much", found.m)] if is_known else [])]
    return ValueFigures(
        paid=money(sums.gross_minor, currency) if is_priced else "",
        refunded=money(sums.refunded_minor, currency) if sums.refunded_minor else "",
        net=money(buying.net_minor, currency) if is_priced else "",
        orders=count(sums.orders, "order"),
        expected=expected,
        spread=spread,
        horizon=days(basis.policy.finance.risk_horizon_ms / DAY_MS),
        low=low,
        middle=middle,
        ranks=[Rank(name, RANKED_BY[name], fifth, FIFTHS[fifth - 1]) for name, fifth in ranks],
    )
