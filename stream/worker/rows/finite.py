"""Whether all numbers of a section of a profile are finite: JSON has no others, and a row with one is lost.

A sum is finite if all of its parts are. (Looking for `null` in the bytes takes 2 us for a row of 4 kB, this a
tenth of that.) A number that is missing here fails tests/worker/test_spoilt_rows.py by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stream.core.facts.engagement import Engagement
from stream.core.facts.feedback import Feedback
from stream.core.facts.interests import Interests
from stream.core.facts.profile import Identity, Judgement
from stream.core.facts.purchases import Buying
from stream.core.facts.sums import Sums


def _identity(section: Identity) -> float:
    return 0.0


def _feedback(section: Feedback) -> float:
    total = section.sentiment_sum + section.mood_weight + section.mood_sum
    total += section.temper_weight + section.temper_sum + section.nps
    for theme in section.themes.values():
        total += theme.weight + theme.polarity
    for note in section.notes:
        total += note.sentiment
    return total


def _buying(section: Buying) -> float:
    total = _sums(section.sums)
    return total if section.older is None else total + _sums(section.older)


def _sums(sums: Sums) -> float:
    return sums.recent_days + sums.value + sums.basket_weight + sums.basket_sum + sums.gap_log_sum


def _judgement(section: Judgement) -> float:
    total = section.risk
    for episode in section.episodes.values():
        total += episode.score
    return total


def _interests(section: Interests) -> float:
    return sum(section.bought.values()) + sum(section.looked.values())


def _engagement(section: Engagement) -> float:
    total = section.warmth
    for channel in section.channels.values():
        total += channel.warmth
    return total


TOTALS: dict[str, Callable[[Any], float]] = {
    "identity": _identity,
    "feedback": _feedback,
    "buying": _buying,
    "judgement": _judgement,
    "interests": _interests,
    "engagement": _engagement,
}
"""Section -> the sum of its floating-point numbers."""
