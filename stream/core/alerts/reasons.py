"""Why an alert was raised: the evidence behind a rule's score, each with the customer's own baseline.

Base and contributions add up to the score, for churn_risk to its log-odds.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Literal, NamedTuple

from stream.core.alerts.alert import Evidence
from stream.core.alerts.amounts import month_text
from stream.core.alerts.counterfactual import (
    Clearing,
    churn_remedies,
    loyalty_remedies,
    upgrade_remedies,
)
from stream.core.alerts.telling import LOG_ODDS_POINT, SCORE_POINT, tells
from stream.core.facts.feedback import blamed_themes
from stream.core.facts.interests import strongest_unbought
from stream.core.facts.profile import Profile
from stream.core.facts.rhythm import mean_gap_days, quickening, rhythm
from stream.core.judgement.basis import Basis
from stream.core.judgement.rules import (
    basket_growth,
    drifting_counts,
    is_promoter,
    upgrade_parts,
)
from stream.core.judgement.standing import Standing
from stream.core.judgement.unhappiness import is_overdue, unhappy_words
from stream.core.model.features import BY_NAME, SILENCE
from stream.core.policy.policy import AlertKind
from stream.core.risk.buying_months import buying_months
from stream.core.risk.churn import explained_risk
from stream.core.units import DAY_MS

NOTES_SHOWN = 3
"""Pieces of bad feedback that evidence names, the latest."""
NPS_DETRACTOR = 6.0
"""Detractors answer 0 to 6 (Reichheld 2003)."""


def reasons(
    kind: AlertKind, now: Standing, profile: Profile, basis: Basis
) -> tuple[float, tuple[Evidence, ...]]:
    """Base and evidence of a rule's score, the strongest contribution first.

    What is observed but says nothing is no evidence: its contribution is in the base. The strongest is always
    given.
    """
    form = ALERT_FORMS[kind]
    base, found = form.reasons(now, profile, basis)
    least = LOG_ODDS_POINT if form.scale == "log_odds" else SCORE_POINT
    gap_days = mean_gap_days(profile.buying.sums) or basis.model.prior.gap_days
    kept = [reason for reason in found if tells(reason, gap_days, least)]
    if not kept and found:
        kept = [max(found, key=attrgetter("contribution"))]
    if len(kept) < len(found):
        base += sum(reason.contribution for reason in found if reason not in kept)
    return base, tuple(sorted(kept, key=lambda reason: (-reason.contribution, reason.code)))


def inactivity_evidence(now: Standing, profile: Profile, contribution: float, basis: Basis) -> Evidence:
    """How long nothing was bought, compared with the customer's usual gap; of a customer of few months,
    whether those have passed since."""
    buying = profile.buying
    own = rhythm(buying, basis.meaning.calendar)
    silent_days = round((now.as_of_ms - buying.sums.last_at_ms) / DAY_MS, 3)
    season = buying_months(now.features, basis.model, now.as_of_ms)
    late = season.is_missed if season else own is not None and silent_days >= own.usual_gap_days
    return Evidence(
        code="SILENT_BEYOND_RHYTHM" if late else "RISK_OF_NO_PURCHASE",
        feature="days_since_purchase",
        observed=max(0.0, silent_days),
        baseline=round(own.usual_gap_days, 3) if own else None,
        unit="days",
        contribution=contribution,
        months=tuple(place + 1 for place in season.places) if season else (),
        expected=month_text(season.next_month) if season else None,
        events=(buying.event_id,) if buying.event_id else (),
    )


def _churn_reasons(now: Standing, profile: Profile, basis: Basis) -> tuple[float, list[Evidence]]:
    if now.features is None:
        return 0.0, []
    risk = explained_risk(basis.model, now.features, now.as_of_ms)
    sums: dict[str, float] = {}
    for feature, log_odds in risk.contributions:
        code = BY_NAME[feature].reason
        sums[code] = sums.get(code, 0.0) + log_odds
    found, unseen = [], 0.0
    for code, log_odds in sums.items():
        if code == SILENCE:
            found.append(inactivity_evidence(now, profile, log_odds, basis))
        elif code in UNSEEN and UNSEEN[code](profile):
            unseen += log_odds
        elif log_odds:
            found.append(_churn_reason(code, log_odds, now, profile))
    return risk.base + unseen, found


UNSEEN: dict[str, Callable[[Profile], bool]] = {
    "FADING_ENGAGEMENT": lambda profile: not profile.engagement.last_at_ms,
    "SENTIMENT_LOW": lambda profile: not profile.feedback.count,
}
"""Reasons of the risk model of which nothing was ever observed: that says nothing of the customer."""


def _churn_reason(code: str, log_odds: float, now: Standing, profile: Profile) -> Evidence:
    features = now.features
    assert features is not None
    if code == "FADING_ENGAGEMENT":
        return Evidence(
            code=code,
            feature="days_since_engagement",
            observed=round((now.as_of_ms - profile.engagement.last_at_ms) / DAY_MS, 3),
            unit="days",
            contribution=log_odds,
        )
    if code == "SENTIMENT_LOW":
        return _mood(now, profile, log_odds)
    if code == "TICKET_UNRESOLVED":
        return Evidence(
            code=code,
            feature="open_tickets",
            observed=features.tickets,
            unit="tickets",
            contribution=log_odds,
        )
    if code == "RETURNS":
        share = round(features.returns, 4)
        return Evidence(
            code=code, feature="refunded_share", observed=share, unit="share", contribution=log_odds
        )
    days = float(now.purchase_days)
    return Evidence(code=code, feature="purchase_days", observed=days, unit="days", contribution=log_odds)


def _at_risk_reasons(now: Standing, profile: Profile, basis: Basis) -> tuple[float, list[Evidence]]:
    """The score is the larger of drifting and unhappiness; it is divided among its reasons by their
    strength."""
    rule = basis.policy.at_risk_loyal
    drifting, score = basis.drifting(now.risk), now.unhappiness
    parts: list[tuple[float, Evidence]] = []
    if drifting_counts(now, profile, basis):
        score = max(drifting, score)
        parts.append((drifting, inactivity_evidence(now, profile, 0.0, basis)))
    if now.opinion < 0.0:
        words = unhappy_words(now.opinion, now.confidence, now.drop, rule)
        parts.append((words, _mood(now, profile, 0.0)))
    if now.unresolved_ms is not None and is_overdue(now.unresolved_ms, now.as_of_ms, rule):
        parts.append((rule.ticket_weight, _ticket(now, now.unresolved_ms, rule.ticket_patience_ms)))
    whole = sum(strength for strength, _ in parts)
    return 0.0, [_with(reason, score * strength / whole if whole else 0.0) for strength, reason in parts]


def _mood(now: Standing, profile: Profile, contribution: float) -> Evidence:
    feedback = profile.feedback
    usual = feedback.temper_sum / feedback.temper_weight if feedback.temper_weight else 0.0
    dropped = now.drop > 0.0 and usual > 0.0
    notes = [note.event_id for note in feedback.notes if note.sentiment < 0.0]
    if feedback.notes and feedback.notes[-1].at_ms == feedback.nps_at_ms and feedback.nps <= NPS_DETRACTOR:
        return Evidence(
            code="DETRACTOR",
            feature="nps",
            observed=feedback.nps,
            unit="0 to 10",
            contribution=contribution,
            themes=tuple(blamed_themes(feedback, now.as_of_ms)),
            events=tuple(notes[-1:]),
        )
    return Evidence(
        code="SENTIMENT_DROP" if dropped else "SENTIMENT_LOW",
        feature="sentiment",
        observed=round(now.opinion, 4),
        baseline=round(usual, 4) if feedback.count > 1 else None,
        unit="-1 to 1",
        contribution=contribution,
        themes=tuple(blamed_themes(feedback, now.as_of_ms)),
        events=tuple(notes[-NOTES_SHOWN:]),
    )


def _ticket(now: Standing, unresolved_ms: int, patience_ms: int) -> Evidence:
    return Evidence(
        code="TICKET_UNRESOLVED",
        feature="days_unresolved",
        observed=round((now.as_of_ms - unresolved_ms) / DAY_MS, 3),
        baseline=patience_ms / DAY_MS,
        unit="days",
        contribution=0.0,
    )


def _upgrade_reasons(now: Standing, profile: Profile, basis: Basis) -> tuple[float, list[Evidence]]:
    rule = basis.policy.upgrade_opportunity
    if now.tier + 1 >= len(basis.cutoffs):
        return 0.0, []
    parts = upgrade_parts(now, profile, basis)
    found = [
        Evidence(
            code="NEAR_NEXT_TIER",
            feature="recent_spend",
            observed=round(now.value_minor),
            baseline=round(basis.cutoffs[now.tier + 1]),
            unit="minor",
            contribution=rule.closeness_weight * parts.closeness,
        )
    ]
    if parts.growth:
        grown = max(basket_growth(profile), quickening(profile.buying, basis.meaning.calendar))
        found.append(
            Evidence(
                code="GROWING",
                feature="growth_of_basket_or_frequency",
                observed=round(grown, 4),
                baseline=0.0,
                unit="share",
                contribution=rule.growth_weight * parts.growth,
            )
        )
    if parts.affinity:
        found.append(_interest(now, profile, rule.affinity_min, rule.affinity_weight * parts.affinity))
    if is_promoter(profile, now.as_of_ms):
        found.append(_promoter(now, profile, rule.promoter_weight * parts.promoter))
    return 0.0, found


def _interest(now: Standing, profile: Profile, baseline: float, contribution: float) -> Evidence:
    category, looked = strongest_unbought(profile.interests, now.as_of_ms)
    return Evidence(
        code="CATEGORY_INTEREST",
        feature="interest_without_purchase",
        observed=round(looked, 3),
        baseline=baseline,
        unit="looks",
        contribution=contribution,
        categories=(category,),
    )


def _promoter(now: Standing, profile: Profile, contribution: float) -> Evidence:
    answered = profile.feedback.nps_at_ms > 0
    return Evidence(
        code="PROMOTER",
        feature="nps" if answered else "sentiment",
        observed=round(profile.feedback.nps if answered else now.opinion, 4),
        unit="0 to 10" if answered else "-1 to 1",
        contribution=contribution,
    )


def _with(reason: Evidence, contribution: float) -> Evidence:
    fields = {name: getattr(reason, name) for name in Evidence.__struct_fields__}
    return Evidence(**{**fields, "contribution": contribution})


class AlertForm(NamedTuple):
    """What differs between the alerts of one kind and those of another."""

    score_name: str
    reasons: Callable[[Standing, Profile, Basis], tuple[float, list[Evidence]]]
    """Base of the score, and the evidence whose contributions add up to the rest of it."""
    remedies: Callable[[Profile, int, Basis, int], Clearing | None] = lambda *alert: None
    """What would clear an alert of a profile, of an instant, by the instant of its end; None: nothing in
    reach."""
    scale: Literal["share", "log_odds"] = "share"
    """Whether base and contributions add up to the score itself or to its log-odds."""
    is_warning: bool = True
    """Whether an open alert is a warning or an error; otherwise its severity is INFO."""
    reason_of_last_resort: str = "RISK_OF_NO_PURCHASE"
    """Whose play is recommended where no reason for the alert has one."""


ALERT_FORMS: dict[AlertKind, AlertForm] = {
    "at_risk_loyal": AlertForm("drifting_or_unhappy", _at_risk_reasons, loyalty_remedies),
    "churn_risk": AlertForm(
        "probability_of_no_purchase_within_own_horizon", _churn_reasons, churn_remedies, scale="log_odds"
    ),
    "upgrade_opportunity": AlertForm(
        "readiness_for_next_tier",
        _upgrade_reasons,
        upgrade_remedies,
        is_warning=False,
        reason_of_last_resort="NEAR_NEXT_TIER",
    ),
}
"""Every kind of alert; a new kind needs an entry here."""
