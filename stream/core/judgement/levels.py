"""The levels of churn risk at which a judgement changes: the next one above the present risk, and the one
below."""

from __future__ import annotations

from stream.core.facts.profile import Judgement
from stream.core.judgement.basis import Basis
from stream.core.judgement.episode import is_open
from stream.core.judgement.rules import Signal
from stream.core.judgement.standing import Standing
from stream.core.judgement.tier import falls_to_ms
from stream.core.units import FOREVER_MS

ABOVE_ALL_RISKS = 2.0
"""Sentinel above every level of churn risk: levels are probabilities, at most 1."""


def level_above(judgement: Judgement, now: Standing, signals: list[Signal], basis: Basis) -> float | None:
    """The lowest level of churn risk above the present one at which a rule or the stage may change."""
    if now.features is None:
        return None
    levels = [] if judgement.stage == "lapsed" else [basis.policy.stages.lapsed_risk]
    for signal in signals:
        if signal.kind not in basis.risk_levels:
            continue
        episode = judgement.episodes.get(signal.kind)
        raised, escalated = basis.risk_levels[signal.kind]
        if is_open(episode):
            levels += (raised, escalated)
        elif signal.eligible and (episode is None or episode.armed):
            levels.append(raised)
    lowest, risk = ABOVE_ALL_RISKS, now.risk
    for level in levels:
        if risk < level < lowest:
            lowest = level
    return None if lowest == ABOVE_ALL_RISKS else lowest


def level_below(
    judgement: Judgement, now: Standing, signals: list[Signal], basis: Basis
) -> tuple[float, int] | None:
    """The highest level of churn risk, not above the present one, below which an episode or a rule may
    change, and the instant from which on it does not matter any more.

    Only seasons let a risk fall while nothing happens. Who lapsed stays lapsed until the next purchase. A
    lower risk makes the customer eligible for an upgrade opportunity only while their spend, which is
    forgotten with time, is near the next tier.
    """
    if now.features is None:
        return None
    risk = now.risk
    levels = _upgrade_level(now, basis)
    for signal in signals:
        if signal.kind not in basis.risk_levels:
            continue
        episode = judgement.episodes.get(signal.kind)
        if episode is None:
            continue
        if is_open(episode) or not episode.armed:
            levels.append((basis.clear_risks[signal.kind], FOREVER_MS))
        elif episode.state == "pending":
            levels.append((basis.risk_levels[signal.kind][0], FOREVER_MS))
    return max((level for level in levels if level[0] <= risk), default=None)


def _upgrade_level(now: Standing, basis: Basis) -> list[tuple[float, int]]:
    """Below which risk the customer would become eligible for an upgrade opportunity, and until when; else
    nothing."""
    rule = basis.policy.upgrade_opportunity
    if now.tier + 1 >= len(basis.cutoffs) or not now.ranked or now.risk <= rule.risk_max:
        return []
    near_minor = rule.closeness_min * basis.cutoffs[now.tier + 1]
    if now.value_minor < near_minor or now.purchase_days < rule.purchase_days_min:
        return []
    until_ms = falls_to_ms(now.value_minor, near_minor, now.as_of_ms)
    return [(rule.risk_max, FOREVER_MS if until_ms is None else until_ms)]
