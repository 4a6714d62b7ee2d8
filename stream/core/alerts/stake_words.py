"""What is at stake in an alert, in plain words: the mean, which adds up over customers, and the range."""

from __future__ import annotations

from stream.core.alerts.alert import ValueAtRisk
from stream.core.alerts.amounts import days, money, share


def stake_words(stake: ValueAtRisk) -> str:
    """The profit expected from the customer if they stay: the mean of many such customers, and its range."""
    amounts = stake.p10_minor, stake.mean_minor, stake.p90_minor
    low, mean, high = (money(minor, stake.currency, rounded=True) for minor in amounts)
    among = f"8 in 10 such customers: {low} to {high}"
    among = among if stake.p10_minor else f"9 in 10 such customers: at most {high}"
    return (
        f"about {mean} of profit on average within {days(stake.horizon_days)} if they stay "
        f"({among}; profit is {share(stake.margin)} of what they pay)"
    )
