"""The features of churn risk by name, and what silence does to each: a learnt weight must respect it."""

from __future__ import annotations

RISES, FALLS, STANDS = 1, -1, 0
SILENCE: dict[str, int] = {
    "churn_logit": RISES,  # log-odds of no purchase within the own horizon, by the purchase process
    "dead_logit": RISES,  # log-odds of having left for good (the MBG form, which knows one-time buyers too)
    "silence": RISES,  # log of days since the last purchase
    "lateness": RISES,  # log of silence over the customer's own mean gap
    "silence_rank": RISES,  # its mid-rank in the population
    "age": RISES,  # log of days since the first purchase
    "recent": FALLS,  # purchases, forgotten with a half-life of 90 days
    "engagement": FALLS,  # engagement, forgotten with a half-life of 30 days
    "span": STANDS,  # log of days from the first to the last purchase
    "frequency": STANDS,
    "frequency_rank": STANDS,
    "monetary": STANDS,
    "monetary_rank": STANDS,
    "pace": STANDS,  # log of the own mean gap
    "momentum": STANDS,  # log of the last gap over the own mean gap
    "regularity": STANDS,
    "first_value": STANDS,
    "sentiment": STANDS,
    "returns": STANDS,
    "tickets": STANDS,
    "churn_tempered": RISES,  # churn_logit, above 0 by its logarithm: no silence makes a leaver certain
    "dead_tempered": RISES,  # dead_logit, likewise
}
"""Every feature, and what silence does to it: a rising one may only weigh up, a falling one only down."""
NAMES = tuple(SILENCE)
