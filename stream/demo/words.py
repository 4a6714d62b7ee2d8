"""An alert in words: who, what happened against the customer's own past, and what to do. No code names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stream.core.alert import Alert, Evidence

KINDS = {
    "churn_risk": "may be leaving",
    "at_risk_loyal": "loyal, and at risk",
    "upgrade_opportunity": "could move up a tier",
}
REASONS_SHOWN = 3


def money(minor: float, currency: str) -> str:
    return f"{minor / 100:,.2f} {currency}"


def days(count: float) -> str:
    whole = max(round(count), 0)
    return "1 day" if whole == 1 else f"{whole} days"


def _silent(reason: Evidence, currency: str) -> str:
    usual = f", usually every {days(max(reason.baseline, 1))}" if reason.baseline else ""
    return f"no purchase for {days(reason.observed)}{usual}"


def _unlikely(reason: Evidence, currency: str) -> str:
    return f"another purchase is less likely than usual, {days(reason.observed)} after the last"


def _unhappy(reason: Evidence, currency: str) -> str:
    about = f" about {' and '.join(reason.themes)}" if reason.themes else ""
    return f"unhappy feedback{about}"


def _ticket(reason: Evidence, currency: str) -> str:
    return (
        f"a problem left unsolved for {days(reason.observed)}"
        if reason.unit == "days"
        else "unsolved problems"
    )


def _near(reason: Evidence, currency: str) -> str:
    missing = max((reason.baseline or 0) - reason.observed, 0)
    return f"only {money(missing, currency)} of spending short of the next tier"


def _growing(reason: Evidence, currency: str) -> str:
    return f"baskets or visits have grown by {round(reason.observed * 100)} %"


def _interest(reason: Evidence, currency: str) -> str:
    return f"looks at {' and '.join(reason.categories)} without buying"


WORDS: Mapping[str, Callable[[Evidence, str], str]] = {
    "SILENT_BEYOND_RHYTHM": _silent,
    "RISK_OF_NO_PURCHASE": _unlikely,
    "SENTIMENT_LOW": _unhappy,
    "SENTIMENT_DROP": _unhappy,
    "TICKET_UNRESOLVED": _ticket,
    "NEAR_NEXT_TIER": _near,
    "GROWING": _growing,
    "CATEGORY_INTEREST": _interest,
    "PROMOTER": lambda reason, currency: "recommends the shop",
    "FADING_ENGAGEMENT": lambda reason, currency: f"no visit or opened message for {days(reason.observed)}",
    "RETURNS": lambda reason, currency: f"{round(reason.observed * 100)} % of purchases came back",
}


def reasons(alert: Alert) -> list[str]:
    """The strongest reasons for the alert; what only speaks against it is left out."""
    currency = alert.data.value_at_risk.currency if alert.data.value_at_risk else ""
    told = [WORDS[r.code](r, currency) for r in alert.data.evidence if r.code in WORDS and r.contribution > 0]
    return told[:REASONS_SHOWN]


def line(alert: Alert) -> str:
    """One line for the screen."""
    data = alert.data
    why = f": {'; '.join(reasons(alert))}" if reasons(alert) else ""
    return f"{alert.time[:10]}  {alert.subject} ({data.customer.tier}) {KINDS[data.kind]}{why}"


def paragraph(alert: Alert) -> list[str]:
    """A few lines for the summary."""
    data = alert.data
    said = [f"{alert.subject}, {data.customer.tier}, a customer on {data.customer.purchase_days} days so far"]
    said += [f"  because: {reason}" for reason in reasons(alert)]
    if data.value_at_risk is not None:
        worth = money(data.value_at_risk.p50_minor, data.value_at_risk.currency)
        said.append(
            f"  worth:   about {worth} of earnings in the next {data.value_at_risk.horizon_days} days"
        )
    if data.recommended_action is not None:
        said.append(f"  do:      {data.recommended_action.text}")
    return said
