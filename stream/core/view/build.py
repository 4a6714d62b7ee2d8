"""A profile becomes its view: a function of profile, policy and model alone, as of the last judgement."""

from __future__ import annotations

from math import floor, isfinite, log10

from msgspec.structs import astuple

from stream.core.alerts.alert import PolicyRef, rfc3339
from stream.core.alerts.amounts import days, money, most_bring, sentiment_word, share
from stream.core.alerts.build import episode_id
from stream.core.alerts.wording import ALERT_NAMES
from stream.core.facts.feedback import Feedback, blamed_themes, mood, oldest_unresolved_ms
from stream.core.facts.interests import strongest_unbought, top_categories
from stream.core.facts.profile import Profile
from stream.core.facts.purchases import Buying
from stream.core.facts.sums import priced_orders
from stream.core.judgement.basis import Basis
from stream.core.judgement.episode import is_open
from stream.core.judgement.ranking import is_ranked
from stream.core.judgement.standing import standing
from stream.core.judgement.worth import expected_minor, spread_now
from stream.core.units import DAY_MS
from stream.core.view.profile_view import (
    EngagementView,
    ExpectedValueView,
    MoodView,
    OpenAlertView,
    ProfileView,
    PurchasesView,
    RiskView,
)

CATEGORIES_SHOWN = 3
LOOKS_MIN = 1.0
"""Interest in a category from which it is named: one recent view's worth."""


def holds_as_of_ms(profile: Profile) -> int:
    """The instant of the last judgement; of a customer who was never judged, the last thing they did."""
    return profile.judgement.judged_ms or profile.touch_at_ms or profile.first_seen_ms


def profile_view(profile: Profile, basis: Basis) -> ProfileView | None:
    """The view of a profile; None: the customer is erased. ValueError: it holds a number that is not finite.

    Tier, stage, risk and alerts are those of the last judgement, and everything else is as of then.
    """
    if profile.erased_ms:
        return None
    identity, judgement, policy = profile.identity, profile.judgement, basis.policy
    as_of_ms, buying = holds_as_of_ms(profile), profile.buying
    ranked = is_ranked(buying.currency, basis.ranking) and judgement.tier < len(basis.tier_names)
    looked, interest = strongest_unbought(profile.interests, as_of_ms)
    bought = buying.sums.orders > 0
    return ProfileView(
        customer=profile.customer,
        stage=judgement.stage,
        policy=PolicyRef(id=policy.id, version=policy.version, hash=policy.hash, model=basis.model.version),
        tier=basis.tier_names[judgement.tier] if ranked else None,
        tier_since=_time(judgement.tier_since_ms) if ranked else None,
        first_seen_at=rfc3339(profile.first_seen_ms),
        country=identity.country or None,
        timezone=identity.timezone or None,
        campaign=identity.campaign or None,
        channel=identity.channel or None,
        consent={
            purpose: "granted" if status == "grant" else "denied"
            for purpose, (_, status) in sorted(identity.consent.items())
        },
        purchases=_purchases(buying) if bought else None,
        risk=_risk(judgement.risk) if bought and judgement.judged_ms else None,
        expected_value=_expected_value(profile, as_of_ms, basis) if bought and ranked else None,
        top_categories=tuple(top_categories(profile.interests.bought, CATEGORIES_SHOWN)),
        looks_at=looked if looked and interest >= LOOKS_MIN else None,
        engagement=_engagement(profile, basis),
        mood=_mood(profile.feedback, as_of_ms),
        open_alerts=_open_alerts(profile, basis),
    )


def _time(at_ms: int) -> str | None:
    return rfc3339(at_ms) if at_ms else None


def _day(at_ms: int, basis: Basis) -> str | None:
    """The business's day of an instant, as `2026-03-01`."""
    return rfc3339(basis.meaning.calendar.local_ms(at_ms))[:10] if at_ms else None


def _purchases(buying: Buying) -> PurchasesView:
    sums, priced = buying.sums, priced_orders(buying.sums)
    known = sums.gross_minor > 0
    return PurchasesView(
        orders=sums.orders,
        days=sums.days,
        first_at=rfc3339(sums.first_at_ms),
        last_at=rfc3339(sums.last_at_ms),
        currency=buying.currency or None if known else None,
        paid_minor=sums.gross_minor if known else None,
        refunded_minor=sums.refunded_minor if known else 0,
        mean_order_minor=round(sums.gross_minor / priced) if known and priced else None,
        orders_in_other_currencies=sums.foreign_orders,
    )


def _risk(risk: float) -> RiskView:
    return RiskView(
        probability=_rounded(risk, 2),
        meaning=f"{share(risk)} probability that they do not buy again within their usual time",
    )


def _expected_value(profile: Profile, as_of_ms: int, basis: Basis) -> ExpectedValueView | None:
    buying = profile.buying
    if not buying.sums.gross_minor or not buying.currency:
        return None
    now = standing(profile, as_of_ms, basis)
    mean = _two_figures(expected_minor(profile, now, basis))
    low, middle, high = map(_two_figures, astuple(spread_now(profile, now, basis)))
    horizon_days = basis.policy.finance.risk_horizon_ms // DAY_MS
    most = most_bring(low, high, buying.currency, " such customers bring")
    if not high:
        most = "more than 9 in 10 such customers bring nothing"
    return ExpectedValueView(
        mean_minor=mean,
        p10_minor=low,
        p50_minor=middle,
        p90_minor=high,
        currency=buying.currency,
        horizon_days=horizon_days,
        meaning=f"{money(mean, buying.currency, rounded=True)} profit within {days(horizon_days)} on "
        f"average; {most}",
    )


def _engagement(profile: Profile, basis: Basis) -> EngagementView:
    engagement = profile.engagement
    return EngagementView(
        last_on=_day(engagement.last_at_ms, basis),
        unsubscribed=tuple(
            sorted(name for name, channel in engagement.channels.items() if channel.unsubscribed_at_ms)
        ),
        loyalty_since=_day(engagement.joined_at_ms, basis),
    )


def _mood(feedback: Feedback, as_of_ms: int) -> MoodView | None:
    if not (feedback.count or feedback.complaints or feedback.opened):
        return None
    sentiment = _rounded(mood(feedback, as_of_ms), 1)
    return MoodView(
        sentiment=sentiment,
        meaning=sentiment_word(sentiment),
        complaints=feedback.complaints,
        complains_about=tuple(blamed_themes(feedback, as_of_ms)),
        open_tickets=sum(ticket not in feedback.resolved for ticket in feedback.opened),
        oldest_ticket_at=_time(oldest_unresolved_ms(feedback) or 0),
    )


def _open_alerts(profile: Profile, basis: Basis) -> tuple[OpenAlertView, ...]:
    return tuple(
        OpenAlertView(
            kind=kind,
            meaning=ALERT_NAMES[kind],
            state=episode.state,
            since=rfc3339(episode.opened_ms),
            expires_at=rfc3339(episode.opened_ms + basis.hysteresis[kind].expire_ms),  # type: ignore[index]
            episode=episode_id(kind, profile.customer, episode),
            arm=episode.experiment.arm if episode.experiment else "",
        )
        for kind, episode in sorted(profile.judgement.episodes.items())
        if is_open(episode)
    )


def _rounded(number: float, places: int) -> float:
    """ValueError: not finite. Never the negative zero, which reads like a mistake."""
    if not isfinite(number):
        raise ValueError("a number of the profile is not finite")
    return round(number, places) + 0.0


def _two_figures(minor: float) -> int:
    """Rounded to two figures, and at least to whole minor units: `31257.3` -> `31000`."""
    whole = round(minor)
    return round(whole, 1 - floor(log10(abs(whole)))) if abs(whole) >= 100 else whole
