"""An alert in plain words: what happened, why, how much is at stake, what would close it, what to do.

Each alert carries the most important of them (`text_of`); pages and reports use all. No code names are
shown. Every number has its unit and what it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stream.core.alerts.alert import (
    Alert,
    AlertData,
    AlertText,
    CustomerRef,
    Evidence,
    Remedy,
    instant_of,
)
from stream.core.alerts.amounts import count, date, days, listed, sentiment_word, share
from stream.core.alerts.silence_words import not_yet_late_words, silent_words
from stream.core.alerts.stake_words import stake_words
from stream.core.alerts.to_do_words import to_do_words
from stream.core.alerts.upgrade_words import (
    HIGHEST_TIER,
    TIER_REACHED,
    is_aim_reached,
    more_spend_words,
    near_words,
)
from stream.core.alerts.whole_days import in_whole_days
from stream.core.calendar import UTC_CALENDAR, Calendar
from stream.core.judgement.episode import OPEN

ALERT_NAMES = {
    "at_risk_loyal": "loyal customer at risk",
    "churn_risk": "customer likely to leave",
    "upgrade_opportunity": "ready for the next tier",
}
SCORE_MEANINGS = {
    "churn_risk": "{} probability that they do not buy again within their usual time",
    "at_risk_loyal": "warning level {} of 100, from their purchases and their feedback",
    "upgrade_opportunity": "readiness {} of 100, from how near the next tier is, growth and interest",
}
STATE_WORDS = {
    "raised": "new alert",
    "escalated": "now more urgent",
    "cleared": "closed, it no longer applies",
    "expired": "closed, too old to act on",
    "retracted": "withdrawn, its cause has been corrected",
}
SCALE = "on a scale from -1 to 1"
OF_100 = ("at_risk_loyal", "upgrade_opportunity")
"""Kinds whose score is no share and no probability, but a number from 0 to 100."""


def alert_lines(alert: Alert, calendar: Calendar = UTC_CALENDAR) -> list[str]:
    """One line each: headline, reasons, score, money at stake, what would close the alert, what to do."""
    data, as_of_ms = alert.data, instant_of(alert.time)
    if data.state not in OPEN:
        return [headline(alert, calendar), _capital(_score_after(data))]
    lines = [headline(alert, calendar)]
    lines += [f"Why: {reason}" for reason in reason_lines(data, calendar, as_of_ms)]
    against = listed(lines_against(data, calendar, as_of_ms))
    if against:
        lines.append(f"But: {against}")
    lines.append(f"Score: {score_words(data)}")
    if data.value_at_risk is not None:
        lines.append(f"At stake: {stake_words(data.value_at_risk)}")
    lines.append(closing_words(alert, calendar))
    lines.append(f"To do: {to_do_words(data)}")
    return lines


def text_of(
    data: AlertData, expires: str | None, as_of_ms: int, calendar: Calendar = UTC_CALENDAR
) -> AlertText:
    """What an alert says to people; `expires`: its `expirytime`; `as_of_ms`: its `time`.

    Days are those of the calendar.
    """
    who = f"{data.customer.tier} tier, customer for {days(data.customer.tenure_days)}"
    title = f"{_capital(ALERT_NAMES[data.kind])}: {state_words(data)} ({who})"
    if data.state not in OPEN:
        return AlertText(headline=title, why=f"{_capital(_score_after(data))}.")
    why = _capital("; ".join(reason_lines(data, calendar, as_of_ms))) + "."
    against = listed(lines_against(data, calendar, as_of_ms))
    stake = data.value_at_risk
    return AlertText(
        headline=title,
        why=f"{why} But: {against}." if against else why,
        at_stake=f"{_capital(stake_words(stake))}." if stake is not None else None,
        to_do=_capital(to_do_words(data)),
        until=f"{ending_words(data, expires, calendar)}.",
    )


def _capital(words: str) -> str:
    """With a capital letter at the beginning; the rest as it is."""
    return words[:1].upper() + words[1:]


def headline(alert: Alert, calendar: Calendar = UTC_CALENDAR) -> str:
    """`2 May 2018: c-42 (platinum tier, customer for 14 months), loyal customer at risk: new alert`."""
    data = alert.data
    who = f"{alert.subject} ({data.customer.tier} tier, customer for {days(data.customer.tenure_days)})"
    return f"{date(alert.time, calendar)}: {who}, {ALERT_NAMES[data.kind]}: {state_words(data)}"


def state_words(data: AlertData) -> str:
    """What became of the alert: `new alert`, `closed, it no longer applies`."""
    return TIER_REACHED if data.state == "cleared" and is_aim_reached(data) else STATE_WORDS[data.state]


def _score_after(data: AlertData) -> str:
    """The score of an alert that has ended; the tier where that was its aim."""
    if data.state == "cleared" and is_aim_reached(data):
        return f"now of the {data.customer.tier} tier"
    return f"score now: {score_words(data)}"


def because(alert: Alert, calendar: Calendar = UTC_CALENDAR) -> str:
    """All reasons in one line, for a table."""
    return "; ".join(reason_lines(alert.data, calendar, instant_of(alert.time)))


def reason_lines(data: AlertData, calendar: Calendar, as_of_ms: int) -> list[str]:
    """The reasons for the alert, the strongest first; the purchase history only where there is no other.
    `as_of_ms`: the instant for which it was judged; days are whole ones of the calendar up to then."""
    reasons = [each for each in data.evidence if each.contribution > 0 and each.code != "HISTORY"]
    return _lines(reasons, data, calendar, as_of_ms) or [history_words(data.customer, calendar)]


def lines_against(data: AlertData, calendar: Calendar, as_of_ms: int) -> list[str]:
    """The reasons against the alert, the strongest first; `as_of_ms` as above."""
    return _lines(reasons_against(data), data, calendar, as_of_ms)


def _lines(found: Iterable[Evidence], data: AlertData, calendar: Calendar, as_of_ms: int) -> list[str]:
    bought = data.customer.last_purchase
    counted = [in_whole_days(each, bought, as_of_ms, calendar) for each in found]
    return [reason_words(each, currency(data)) for each in counted]


def history_words(customer: CustomerRef, calendar: Calendar) -> str:
    """The purchase history as the one reason for an alert."""
    last = f", last on {date(customer.last_purchase, calendar)}" if customer.last_purchase else ""
    bought = f"has bought on {count(customer.purchase_days, 'day')} so far{last}"
    return f"{bought}; customers with such a history often do not buy again within their usual time"


def reasons_against(data: AlertData) -> list[Evidence]:
    """The reasons against the alert, the strongest first."""
    return [each for each in reversed(data.evidence) if each.contribution < 0]


def currency(data: AlertData) -> str:
    """The customer's currency; empty where the alert names none."""
    return data.value_at_risk.currency if data.value_at_risk else ""


def reason_words(reason: Evidence, money_in: str) -> str:
    """One reason: what was observed, compared with the customer's own past. `money_in` is the currency."""
    words = REASON_WORDS.get(reason.code)
    if words is not None:
        return words(reason, money_in)
    return f"{reason.feature.replace('_', ' ')}: {reason.observed:g} ({reason.unit})"


def _fading(reason: Evidence, money_in: str) -> str:
    if reason.contribution < 0:
        return f"visited, clicked or opened something {days(reason.observed)} ago"
    return f"no visit, click or opened message for {days(reason.observed)}"


def _low(reason: Evidence, money_in: str) -> str:
    words = f"recent feedback is {sentiment_word(reason.observed)} ({reason.observed:+.1f} {SCALE})"
    if reason.baseline is not None:
        words += f", usually {sentiment_word(reason.baseline)} ({reason.baseline:+.1f})"
    return words + (f", mostly about {listed(reason.themes)}" if reason.themes else "")


def _ticket(reason: Evidence, money_in: str) -> str:
    if reason.unit == "tickets":
        return (
            f"{count(reason.observed, 'support ticket or complaint', 'support tickets or complaints')} open"
        )
    return f"a support ticket or complaint has been open for {days(reason.observed)}"


def _returns(reason: Evidence, money_in: str) -> str:
    return f"{share(reason.observed)} of the money they spent was refunded"


def _detractor(reason: Evidence, money_in: str) -> str:
    return f"would not recommend us ({reason.observed:g} of 10)"


def _history(reason: Evidence, money_in: str) -> str:
    return f"has bought on {count(reason.observed, 'day')} so far"


def _growing(reason: Evidence, money_in: str) -> str:
    return f"buys {share(reason.observed)} more than before, in larger or more frequent orders"


def _interest(reason: Evidence, money_in: str) -> str:
    return f"keeps looking at {listed(reason.categories)}, but has never bought there"


def _promoter(reason: Evidence, money_in: str) -> str:
    if reason.feature == "nps":
        return f"would recommend us ({reason.observed:g} of 10)"
    return f"gives positive feedback ({reason.observed:+.1f} {SCALE})"


REASON_WORDS: dict[str, Callable[[Evidence, str], str]] = {
    "SILENT_BEYOND_RHYTHM": silent_words,
    "RISK_OF_NO_PURCHASE": not_yet_late_words,
    "FADING_ENGAGEMENT": _fading,
    "SENTIMENT_LOW": _low,
    "SENTIMENT_DROP": _low,
    "DETRACTOR": _detractor,
    "TICKET_UNRESOLVED": _ticket,
    "RETURNS": _returns,
    "HISTORY": _history,
    "NEAR_NEXT_TIER": near_words,
    "GROWING": _growing,
    "CATEGORY_INTEREST": _interest,
    "PROMOTER": _promoter,
}


def score_words(data: AlertData) -> str:
    """The score, what it means, and the thresholds at which an alert is raised and closed."""
    score = data.score
    if is_aim_reached(data):
        return HIGHEST_TIER
    numbers = (score_number(data.kind, each) for each in (score.value, score.raise_at, score.clear_at))
    value, raise_at, clear_at = numbers
    return f"{SCORE_MEANINGS[data.kind].format(value)} (alert from {raise_at}, closed below {clear_at})"


def score_number(kind: str, score: float) -> str:
    """`71%`; of a loyal customer at risk `71`: that score is the larger of drifting and unhappiness, each on
    a scale from 0 to 100, and no probability. Nor is the readiness for the next tier a share of the way."""
    return f"{100 * score:.0f}" if kind in OF_100 else share(score)


def closing_words(alert: Alert, calendar: Calendar = UTC_CALENDAR) -> str:
    """What would close the alert, and before which day."""
    return ending_words(alert.data, alert.expirytime, calendar)


def ending_words(data: AlertData, expires: str | None, calendar: Calendar = UTC_CALENDAR) -> str:
    """What would close the alert, and before which day; `expires` is its end where nothing would."""
    counterfactual = data.counterfactual
    if counterfactual is None:
        ends = f"; it ends on {date(expires, calendar)} at the latest" if expires else ""
        return f"Closes with: nothing that is in reach{ends}"
    remedies = listed([_remedy(each, data) for each in counterfactual.clears_if])
    closes = f"Closes with: {remedies}," if remedies else "Closes by itself"
    return f"{closes} before {date(counterfactual.before, calendar)}"


def _remedy(remedy: Remedy, data: AlertData) -> str:
    if remedy.code == "ORDER":
        return "1 order" if remedy.count == 1 else f"an order on each of {remedy.count} days"
    if remedy.code == "POSITIVE_FEEDBACK":
        return count(
            remedy.count,
            "clearly positive review or survey answer",
            "clearly positive reviews or survey answers",
        )
    if remedy.code == "RESOLVE_TICKET":
        return "all open tickets resolved"
    return more_spend_words(remedy, data, currency(data))
