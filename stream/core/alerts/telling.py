"""Whether an observation is a reason at all: a value of nothing, or one that hardly moves the score, is none.

What such an observation adds to a score is part of the score's base.
"""

from __future__ import annotations

from collections.abc import Callable

from stream.core.alerts.alert import Evidence

SCORE_POINT = 0.01
"""A reason moves its score by more than one percentage point ..."""
LOG_ODDS_POINT = 4 * SCORE_POINT
"""... which takes at least so much in log-odds: the slope of a probability is at most a quarter."""
NEUTRAL_BELOW = 0.15
"""Sentiments below this either way are called neutral (amounts.py)."""
FADED_FROM_DAYS = 7.0
"""Engagement has not faded before a week without any."""


def tells(reason: Evidence, usual_gap_days: float, least: float) -> bool:
    """Whether evidence says something about the customer that speaks for the score, or against it.

    `usual_gap_days`: between two purchases of this customer. `least`: the smallest contribution that counts.
    """
    if abs(reason.contribution) < least:
        return False
    rule = TELLS.get(reason.code)
    return rule is None or rule(reason, usual_gap_days)


def _speaks_for_itself(reason: Evidence, usual_gap_days: float) -> bool:
    """Bad opinions raise a risk and good ones lower it; what is merely less good than usual is no reason."""
    bad = reason.observed < 0.0
    return abs(reason.observed) >= NEUTRAL_BELOW and bad == (reason.contribution > 0.0)


def _late_or_not(reason: Evidence, usual_gap_days: float) -> bool:
    """A silence beyond the usual gap raises a risk, a shorter one lowers it; without a gap both may, and so
    does one before the months in which the customer buys."""
    if reason.months and reason.code == "RISK_OF_NO_PURCHASE":
        return True
    late = reason.code == "SILENT_BEYOND_RHYTHM"
    return reason.baseline is None or late == (reason.contribution > 0.0)


def _faded(reason: Evidence, usual_gap_days: float) -> bool:
    """A long time without engagement raises a risk, a short one lowers it."""
    long = reason.observed >= max(FADED_FROM_DAYS, usual_gap_days)
    return long == (reason.contribution > 0.0)


def _any(reason: Evidence, usual_gap_days: float) -> bool:
    return reason.observed >= SCORE_POINT


TELLS: dict[str, Callable[[Evidence, float], bool]] = {
    "SILENT_BEYOND_RHYTHM": _late_or_not,
    "RISK_OF_NO_PURCHASE": _late_or_not,
    "SENTIMENT_LOW": _speaks_for_itself,
    "FADING_ENGAGEMENT": _faded,
    "RETURNS": _any,
    "TICKET_UNRESOLVED": _any,
    "GROWING": _any,
}
"""By reason; all others say something whenever they are found."""
