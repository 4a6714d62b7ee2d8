"""An alert in plain words: what happened, why, how much is at stake, what would end it, what to do.

No code of the wire is shown; every number has its unit and what it is measured against.
"""

from __future__ import annotations

from collections.abc import Callable

from stream.core.alerts.alert import Action, Alert, AlertData, Evidence, Remedy, ValueAtRisk
from stream.wording.amounts import count, date, days, every, listed, money, mood, share

ALERT_NAMES = {
    "at_risk_loyal": "loyal customer at risk",
    "churn_risk": "customer likely to leave",
    "upgrade_opportunity": "ready for the next tier",
}
MEASURES = {
    "churn_risk": "{} chance that they do not buy again in the time they usually would",
    "at_risk_loyal": "{} risk of losing them, by how likely they stop buying or by how unhappy they are",
    "upgrade_opportunity": "{} of the way to the next tier, growth and interest counted in",
}
STATES = {
    "raised": "new alert",
    "escalated": "more urgent now",
    "cleared": "over, all is well again",
    "expired": "ended, too old to act on",
    "retracted": "taken back, its cause was corrected",
}


def alert_lines(alert: Alert) -> list[str]:
    """Headline first; then reasons, score, stakes, what would end it and what to do, each one line."""
    data = alert.data
    if data.state not in ("raised", "escalated"):
        return [headline(alert), f"Now: {score_words(data)}"]
    lines = [headline(alert)]
    lines += [f"Why: {reason}" for reason in reason_lines(data)]
    against = listed([reason_words(each, currency(data)) for each in in_favour(data)])
    if against:
        lines.append(f"In their favour: {against}")
    lines.append(f"How sure: {score_words(data)}")
    if data.value_at_risk is not None:
        lines.append(f"At stake: {stake_words(data.value_at_risk)}")
    if data.counterfactual is not None:
        lines.append(f"Would end: {ending_words(data)}")
    if data.recommended_action is not None:
        lines.append(f"To do: {action_words(data.recommended_action)}")
    return lines


def headline(alert: Alert) -> str:
    """`2 May 2018: c-42 (platinum tier, customer for 14 months), loyal customer at risk: new alert`."""
    data = alert.data
    who = f"{alert.subject} ({data.customer.tier} tier, customer for {days(data.customer.tenure_days)})"
    return f"{date(alert.time)}: {who}, {ALERT_NAMES[data.kind]}: {STATES[data.state]}"


def because(data: AlertData) -> str:
    """The reasons in one sentence, for a table or a notice."""
    return "; ".join(reason_lines(data)) or "no single reason stands out"


def reason_lines(data: AlertData) -> list[str]:
    """What speaks for the alert, the strongest reason first; who the customer is is no reason."""
    for_it = [each for each in data.evidence if each.contribution > 0 and each.code != "HISTORY"]
    return [reason_words(each, currency(data)) for each in for_it]


def in_favour(data: AlertData) -> list[Evidence]:
    """What speaks against the alert, the strongest first."""
    return [each for each in reversed(data.evidence) if each.contribution < 0]


def currency(data: AlertData) -> str:
    """The customer's currency, as far as the alert tells it."""
    return data.value_at_risk.currency if data.value_at_risk else ""


def reason_words(reason: Evidence, money_in: str) -> str:
    """One reason: what was observed, against the customer's own past."""
    words = REASONS.get(reason.code)
    if words is not None:
        return words(reason, money_in)
    return f"{reason.feature.replace('_', ' ')}: {reason.observed:g} ({reason.unit})"


def _silent(reason: Evidence, money_in: str) -> str:
    if reason.baseline is None:
        return f"bought only once, {days(reason.observed)} ago"
    return f"usually buys {every(reason.baseline)}, silent for {days(reason.observed)}"


def _not_yet_late(reason: Evidence, money_in: str) -> str:
    if reason.baseline is None:
        return f"bought on one day only, {days(reason.observed)} ago"
    return f"last bought {days(reason.observed)} ago, usually buys {every(reason.baseline)}"


def _fading(reason: Evidence, money_in: str) -> str:
    if reason.contribution < 0:
        return f"visited, clicked or opened something {days(reason.observed)} ago"
    return f"no visit, click or opened message for {days(reason.observed)}"


def _low(reason: Evidence, money_in: str) -> str:
    said = f"recent feedback is {mood(reason.observed)} ({reason.observed:+.1f} on a scale from -1 to 1)"
    if reason.baseline is not None:
        said += f", usually {mood(reason.baseline)} ({reason.baseline:+.1f})"
    return said + (f", mostly about {listed(reason.themes)}" if reason.themes else "")


def _ticket(reason: Evidence, money_in: str) -> str:
    if reason.unit == "tickets":
        return (
            f"{count(reason.observed, 'support ticket or complaint', 'support tickets or complaints')} open"
        )
    return f"a support ticket or complaint has been open for {days(reason.observed)}"


def _returns(reason: Evidence, money_in: str) -> str:
    return f"{share(reason.observed)} of the money they spent was refunded"


def _detractor(reason: Evidence, money_in: str) -> str:
    return f"would warn others ({reason.observed:g} of 10)"


def _history(reason: Evidence, money_in: str) -> str:
    return f"has bought on {count(reason.observed, 'day')} so far"


def _near(reason: Evidence, money_in: str) -> str:
    spent, needed = money(reason.observed, money_in), money(reason.baseline or 0, money_in)
    return f"recent spend of {spent} is close to the {needed} of the next tier (older spend counts less)"


def _growing(reason: Evidence, money_in: str) -> str:
    return f"buys {share(reason.observed)} more, or more often, than before"


def _interest(reason: Evidence, money_in: str) -> str:
    return f"keeps looking at {listed(reason.categories)} without ever having bought there"


def _promoter(reason: Evidence, money_in: str) -> str:
    if reason.feature == "nps":
        return f"would recommend us ({reason.observed:g} of 10)"
    return f"speaks warmly of us ({reason.observed:+.1f} on a scale from -1 to 1)"


REASONS: dict[str, Callable[[Evidence, str], str]] = {
    "SILENT_BEYOND_RHYTHM": _silent,
    "RISK_OF_NO_PURCHASE": _not_yet_late,
    "FADING_ENGAGEMENT": _fading,
    "SENTIMENT_LOW": _low,
    "SENTIMENT_DROP": _low,
    "DETRACTOR": _detractor,
    "TICKET_UNRESOLVED": _ticket,
    "RETURNS": _returns,
    "HISTORY": _history,
    "NEAR_NEXT_TIER": _near,
    "GROWING": _growing,
    "CATEGORY_INTEREST": _interest,
    "PROMOTER": _promoter,
}


def score_words(data: AlertData) -> str:
    """The score, what it is a measure of, and from where on it is an alert."""
    score = data.score
    told = MEASURES[data.kind].format(share(score.value))
    return f"{told} (alert from {share(score.raise_at)}, over below {share(score.clear_at)})"


def stake_words(stake: ValueAtRisk) -> str:
    """What the customer would be expected to earn if kept."""
    low, middle, high = (
        money(minor, stake.currency, rounded=True)
        for minor in (stake.p10_minor, stake.p50_minor, stake.p90_minor)
    )
    return (
        f"about {middle} of earnings within {days(stake.horizon_days)} if they stay "
        f"(8 in 10 such customers: {low} to {high}; {share(stake.margin)} of what they pay is earned)"
    )


def ending_words(data: AlertData) -> str:
    """What would end the alert, and by when."""
    told = data.counterfactual
    assert told is not None
    parts = [_remedy(each, currency(data)) for each in told.clears_if]
    return f"{listed(parts) or 'by itself'}, before {date(told.before)}"


def _remedy(remedy: Remedy, money_in: str) -> str:
    if remedy.code == "ORDER":
        return count(remedy.count, "order")
    if remedy.code == "POSITIVE_FEEDBACK":
        return count(remedy.count, "clearly happy answer or review", "clearly happy answers or reviews")
    if remedy.code == "RESOLVE_TICKET":
        return "the open tickets settled"
    return f"{money(remedy.amount_minor or 0, money_in)} more spend, which reaches the next tier"


def action_words(action: Action) -> str:
    """What the playbook recommends, by which channel, and whether they may be contacted."""
    consent = {
        "granted": f"they agreed to {action.requires_consent}",
        "denied": f"but they refused {action.requires_consent}: do not send",
        "unknown": f"whether they agreed to {action.requires_consent} is not known",
        "not_needed": "no consent needed",
    }[action.consent]
    return f"{action.text} By {listed(action.channels, 'or')}; {consent}."
