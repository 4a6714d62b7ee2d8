"""Faults that the types of keys do not show: thresholds in the wrong order, a tier that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import pairwise

from stream.core.currency import CODES, RATE_MAX, RATE_MIN, decimal_fraction
from stream.core.policy.arms import day_of
from stream.core.policy.policy import ALERT_KINDS, DEFAULT_PLAYBOOK, Experiment, Finance, Hysteresis, Policy
from stream.core.units import DAY_MS
from stream.policy_file.check import KeyFault, unknown


def contradictions(policy: Policy) -> Iterator[KeyFault]:
    """Every setting that contradicts another one."""
    yield from _ladder(policy)
    names = [step.name for step in policy.ladder.steps]
    for kind in ALERT_KINDS:
        rule = getattr(policy, kind)
        yield from _thresholds(kind, rule.hysteresis)
        tier = getattr(rule, "tier_min", names[0])
        if tier not in names:
            yield (kind, "tier_min"), f"{tier!r} is not a tier of this policy; {unknown('tier', tier, names)}"
    if policy.stages.loyal_purchase_days < policy.stages.established_purchase_days:
        yield (
            ("stages", "loyal_purchase_days"),
            (
                f"{policy.stages.loyal_purchase_days} is below established_purchase_days "
                f"({policy.stages.established_purchase_days}): a loyal customer is an established one"
            ),
        )
    yield from _experiment(policy.experiment, names)
    yield from _money(policy.finance)
    for reason in policy.playbook:
        if reason not in DEFAULT_PLAYBOOK:
            yield ("playbook", reason), unknown("reason", reason, list(DEFAULT_PLAYBOOK))


def _ladder(policy: Policy) -> Iterator[KeyFault]:
    steps = policy.ladder.steps
    if steps[0].quantile != 0:
        yield ("ladder", "steps", 0, "quantile"), "the lowest tier takes everybody: its quantile is 0"
    for index, (lower, upper) in enumerate(pairwise(steps), start=1):
        if upper.quantile <= lower.quantile:
            yield (
                ("ladder", "steps", index, "quantile"),
                (f"{upper.quantile} is not above {lower.quantile} of {lower.name}: lowest tier first"),
            )
    for index, step in enumerate(steps):
        if step.name in [earlier.name for earlier in steps[:index]]:
            yield ("ladder", "steps", index, "name"), f"{step.name!r} is the name of an earlier tier"


def _experiment(experiment: Experiment, names: list[str]) -> Iterator[KeyFault]:
    for place, tier in enumerate(experiment.tiers):
        if tier not in names:
            yield (
                ("experiment", "tiers", place),
                f"{tier!r} is not a tier of this policy; {unknown('tier', tier, names)}",
            )
    if experiment.begins and day_of(experiment.begins) is None:
        yield ("experiment", "begins"), f"{experiment.begins!r} is no day; allowed: a day such as 2026-12-01"
    if experiment.period_ms % DAY_MS:
        yield ("experiment", "period"), "is not in whole days; allowed: a period such as 180d"
    if experiment.share:
        for key, allowed in (("salt", 'any word, such as "2026"'), ("begins", "a day such as 2026-12-01")):
            if not getattr(experiment, key):
                yield ("experiment", "share"), f"{key} is missing: an experiment needs it; allowed: {allowed}"


def _money(finance: Finance) -> Iterator[KeyFault]:
    currency = finance.currency
    if currency and currency not in CODES:
        yield ("finance", "currency"), _no_currency(currency)
    if finance.rates and not currency:
        code = min(finance.rates)
        yield (
            ("finance", "rates"),
            f'1 {code} in which currency? Name it as well: currency = "EUR" in [finance]',
        )
    least, most = decimal_fraction(RATE_MIN), decimal_fraction(RATE_MAX)
    for code, rate in finance.rates.items():
        place = ("finance", "rates", code)
        number, scale = decimal_fraction(rate)
        if code not in CODES:
            yield place, _no_currency(code)
        elif code == currency:
            yield place, f"{code} is the currency of this policy: its rate is 1, and not written"
        elif number * least[1] < least[0] * scale or number * most[1] > most[0] * scale:
            yield place, f"'{rate}' is not allowed; allowed: from {RATE_MIN} to {RATE_MAX}, as text"


def _no_currency(code: str) -> str:
    near = get_close_matches(code, CODES, n=3, cutoff=0.6)
    allowed = f"did you mean {', '.join(sorted(near))}?" if near else "such as EUR, USD, GBP"
    return f"{code!r} is no currency; allowed: a code of ISO 4217, {allowed}"


def _thresholds(kind: str, rule: Hysteresis) -> Iterator[KeyFault]:
    if rule.clear_at >= rule.raise_at:
        yield (
            (kind, "hysteresis", "clear_at"),
            (f"{rule.clear_at} is not below raise_at ({rule.raise_at}): alerts would clear at once"),
        )
    if rule.escalate_at < rule.raise_at:
        yield (kind, "hysteresis", "escalate_at"), f"{rule.escalate_at} is below raise_at ({rule.raise_at})"
