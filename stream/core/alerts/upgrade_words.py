"""How far it is to the next tier, in plain words: close or not, and which tier the missing spend reaches."""

from __future__ import annotations

import math

from stream.core.alerts.alert import AlertData, Evidence, Remedy
from stream.core.alerts.amounts import money, share

CLOSE_FROM = 0.8
"""From this share of the spend of the next tier on, the spend is said to be close to it."""
MINOR_APART = 2
"""Amounts that were rounded one by one are the same within so many minor units."""
HIGHEST_TIER = "the highest tier is reached"
"""In place of the score of an upgrade opportunity for a customer who has no next tier."""
TIER_REACHED = "closed, the customer has reached a higher tier"
"""In place of the words of the state."""


def is_aim_reached(data: AlertData) -> bool:
    """Whether an upgrade opportunity has no way left to go: it has neither score nor reasons then."""
    return data.kind == "upgrade_opportunity" and not data.score.value and not data.evidence


def near_words(reason: Evidence, money_in: str) -> str:
    """Recent spend against that of the next tier; `money_in` is the currency."""
    spent, needed = money(reason.observed, money_in), money(reason.baseline or 0, money_in)
    part = reason.observed / reason.baseline if reason.baseline else 1.0
    if part < CLOSE_FROM:
        far = f"recent spend of {spent} is {share(part)} of the {needed} of the next tier"
        return f"{far} (older spend counts less)"
    return f"recent spend of {spent} is close to the {needed} of the next tier (older spend counts less)"


def more_spend_words(remedy: Remedy, data: AlertData, money_in: str) -> str:
    """How much more spend would close the alert. Where the next tier would bring the one after it near, that
    is the spend of a higher one."""
    amount_minor = remedy.amount_minor or 0
    higher = amount_minor > _missing_minor(data) + MINOR_APART
    reached = "a tier above the next; the next tier alone does not close it" if higher else "the next tier"
    more = money(amount_minor, money_in)
    return f"{more} more spend if it comes now (older spend counts less), which reaches {reached}"


def _missing_minor(data: AlertData) -> float:
    """Of the spend of the next tier, by the evidence; infinite where that does not say."""
    near = next((each for each in data.evidence if each.code == "NEAR_NEXT_TIER"), None)
    return math.inf if near is None or near.baseline is None else near.baseline - near.observed
