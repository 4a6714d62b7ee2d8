"""The rules of a policy in sentences, with the thresholds that are in force: those of the model where it has some."""

from __future__ import annotations

from collections.abc import Mapping

from stream.core.judgement.basis import Basis
from stream.core.policy.policy import ALERT_KINDS, AlertKind, Hysteresis, Policy
from stream.core.units import DAY_MS
from stream.wording.alert import ALERT_NAMES, score_number
from stream.wording.amounts import count, date, days, share
from stream.wording.profile import Section

SCORE_NAMES = {"at_risk_loyal": "warning level (0 to 100)", "upgrade_opportunity": "readiness (0 to 100)"}
"""Of kinds whose score is no probability."""
HASH_SHOWN = len("sha256:") + 12
"""Of the hash of a policy, as much as tells it from others."""


def rule_sections(basis: Basis) -> list[Section]:
    """What each kind of alert is raised for, and what holds for all."""
    return [
        Section("Loyal customer at risk", (*_at_risk(basis), *_when(basis, "at_risk_loyal"))),
        Section("Likely to leave", (*_churn(basis), *_when(basis, "churn_risk"))),
        Section("Ready for the next tier", (*_upgrade(basis), *_when(basis, "upgrade_opportunity"))),
        Section("All alerts", tuple(_all(basis))),
        Section("Tiers, stages and money", tuple(_frame(basis))),
    ]


def _span(span_ms: float) -> str:
    return days(span_ms / DAY_MS) if span_ms else "no time"


def _silence(gaps: float, least_ms: int) -> str:
    times = (
        "their own usual gap between purchases"
        if gaps == 1
        else f"{gaps:g} of their own usual gaps between purchases"
    )
    return f"longer than {times} and a day, and for {_span(least_ms)} at least"


def _at_risk(basis: Basis) -> list[str]:
    rule, stages = basis.policy.at_risk_loyal, basis.policy.stages
    return [
        f"About loyal customers ({count(stages.loyal_purchase_days, 'day')} with a purchase or more, the first one "
        f"{_span(stages.loyal_tenure_ms)} ago or longer) of the tier {rule.tier_min} and above.",
        f"They drift away (nothing was bought for {_silence(rule.silence_gaps_min, rule.silence_min_ms)}), or they are unhappy: "
        f"bad feedback, or a ticket that has been open for more than {_span(rule.ticket_patience_ms)}. Both at once is urgent.",
    ]


def _churn(basis: Basis) -> list[str]:
    rule = basis.policy.churn_risk
    return [
        f"About customers of the tier {rule.tier_min} and above with {count(rule.purchase_days_min, 'day')} with a purchase or "
        f"more, the first one {_span(rule.history_min_ms)} ago or longer.",
        f"It is likely that they do not buy again within their usual time, and they have bought nothing for "
        f"{_silence(rule.silence_gaps_min, rule.silence_min_ms)}.",
    ]


def _upgrade(basis: Basis) -> list[str]:
    rule = basis.policy.upgrade_opportunity
    return [
        f"About customers with {share(rule.closeness_min)} of the spending of the next tier or more, who buy more than before, "
        "show interest in a category they never bought, or recommend us.",
        f"Not about customers with a churn risk above {share(rule.risk_max)}: who is at risk is not asked to spend more.",
    ]


def _when(basis: Basis, kind: AlertKind) -> list[str]:
    rule: Hysteresis = basis.hysteresis[kind]
    raise_at, clear_at, urgent = (
        score_number(kind, each) for each in (rule.raise_at, rule.clear_at, rule.escalate_at)
    )
    waits = f" and has stayed there for {_span(rule.dwell_ms)}" if rule.dwell_ms else ""
    name = SCORE_NAMES.get(kind, "risk")
    given: Hysteresis = getattr(basis.policy, kind).hysteresis
    learnt = rule.raise_at != given.raise_at or rule.clear_at != given.clear_at
    source = " These thresholds were learnt from history." if learnt else ""
    return [
        f"Raised when the {name} reaches {raise_at}{waits}; urgent from {urgent}; cleared below {clear_at}.{source}",
        f"It ends by itself after {_span(rule.expire_ms)}; the next one comes {_span(rule.cool_down_ms)} after that at the earliest.",
    ]


def _all(basis: Basis) -> list[str]:
    contact, experiment = basis.policy.contact, basis.policy.experiment
    lines = [
        f"At most {count(contact.alerts_max, 'new alert')} about one customer within {_span(contact.window_ms)}; only that of a loyal "
        "customer at risk is raised all the same.",
        "One kind at a time: while a loyal customer is at risk no other alert about them is raised, and while they are "
        "likely to leave none that asks for more.",
    ]
    lines.append(
        "The tier counts when an alert is raised: who falls below it later keeps the alert until it ends, so that "
        "lists have some customers of lower tiers."
    )
    if experiment.share:
        lines.append(
            f"Alerts about {share(experiment.share)} of the customers are sent to nobody, to see whether alerts help."
        )
    return lines


def _frame(basis: Basis) -> list[str]:
    policy = basis.policy
    steps = [
        f"{step.name}: the best {share(1 - step.quantile)} by recent spending"
        for step in reversed(policy.ladder.steps)
    ]
    finance = policy.finance
    return [
        f"Tiers: {'; '.join(steps)}. A tier is lost when spending falls {share(policy.ladder.slack)} below its border.",
        f"A customer has probably left when the risk reaches {share(policy.stages.lapsed_risk)}.",
        f"Profit is {share(finance.margin)} of what is paid; what is at stake is that of {_span(finance.risk_horizon_ms)}; money that comes a "
        f"year later counts {share(finance.annual_discount)} less.",
    ]


def in_force_line(policy: Policy, since_ms: int | None) -> str:
    """Which policy is in force since when; None: the settings of the workers say so."""
    since = "by the settings of the workers" if since_ms is None else f"since {_day(policy, since_ms)}"
    return f"In force: {policy_name(policy)}, {since}."


def shadow_line(policy: Policy, since_ms: int, raised: Mapping[str, int]) -> str:
    """Which policy is a shadow since when, and how many alerts it would have raised, by kind."""
    counts = [f"{ALERT_NAMES[kind]}: {raised.get(kind, 0):,}" for kind in ALERT_KINDS]
    would = f"It would have raised {', '.join(counts)}"
    return (
        f"Shadow: {policy_name(policy)}, since {_day(policy, since_ms)}. {would}; `stream policy shadow` says "
        "about whom."
    )


def policy_name(policy: Policy) -> str:
    """A policy as people know it."""
    return f"{policy.id} version {policy.version} ({policy.hash[:HASH_SHOWN]})"


def _day(policy: Policy, at_ms: int) -> str:
    return date(at_ms, policy.calendar)
