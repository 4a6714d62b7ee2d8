"""How many purchases follow the next one, by kind of buyers, beside what the purchase process expects.

A process has everybody buy at random times, at rates that all customers have in common. Where some buy once a
year, before Christmas or in May, it expects more than one purchase of those who come, and too few of those
who buy all year: one population of rates stands for both. Who comes at all is another question; the risk
answers it. So of those alone who bought on past looks it is counted how many purchases followed the first.

It is used only where it was better: learnt from the looks that were over on the newest training day, it must
have predicted better, by more than noise, what every customer bought since.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from scipy.optimize import minimize

from stream.core.model.pace import FURTHER, Further
from stream.core.model.record import Model, Seasons
from stream.core.risk.season import kind_shares
from stream.core.units import WEEK_MS, YEAR_MS
from stream.fit.arrays import Numbers
from stream.fit.coverage import day
from stream.fit.history import History
from stream.fit.risk.risk_layer import churn_risks
from stream.fit.value.trend import (
    LEAST,
    NOISE,
    PURCHASES_MIN,
    SLOPE_NOISE,
    bought_within,
    deviance,
    expected_purchases,
    sampled,
)

KNOWN_BEFORE = 10.0
"""Purchases that every kind is given beforehand, as many as expected: few buyers move it little."""
SLOPE_MAX = 1.0
"""A year further ahead at most so much is added to the logarithm of a factor."""


class FurtherLook(NamedTuple):
    """What the model of a day expected of its customers, and what they bought; shape (customers,)."""

    day_ms: int
    ahead_ms: int
    once: Numbers
    """Expected purchase days, if hardly any follow the next one."""
    expected: Numbers
    """The same, if they follow as the process says."""
    bought: Numbers
    shares: Numbers
    """How probable each kind of buyers is, shape (customers, kinds)."""

    def by(self, further: Further) -> Numbers:
        """Expected purchase days with these factors, nearly: they are nearly straight in them."""
        factor = self.shares @ np.array(further.factors(self.ahead_ms))
        found: Numbers = self.once + factor * np.maximum(self.expected - self.once, 0.0)
        return found


def learnt_further(history: History, lessons: Mapping[int, tuple[Model, Sequence[int]]]) -> Further | None:
    """The factors that past looks show; None where they are not surely better than none.

    `lessons`: training day -> the model of then, with the layer of today, and how far ahead is looked, ms.
    """
    newest_ms = max(lessons, default=0)
    seasons = lessons[newest_ms][0].seasons if lessons else None
    if seasons is None:
        return None
    return further_of_looks(further_looks(history, lessons, seasons), newest_ms)


def further_of_looks(looks: Sequence[FurtherLook], newest_ms: int) -> Further | None:
    """The factors of these looks, if those of the looks that were over on the newest day predicted better."""
    known = [one for one in looks if one.day_ms + one.ahead_ms <= newest_ms]
    unseen = [one for one in looks if one.day_ms == newest_ms]
    if not known or not unseen:
        return None
    test = max(unseen, key=lambda one: one.ahead_ms)
    predicted = test.by(lines_of(known))
    gain = deviance(test.expected, test.bought) - deviance(predicted, test.bought)
    if gain.mean() <= NOISE * gain.std() / math.sqrt(len(gain)):
        return None
    further = lines_of(looks)
    before, after = (float(one.sum() / test.bought.sum()) for one in (test.expected, predicted))
    each = ", ".join(f"{one:.2f}" for one in further.factors(YEAR_MS))
    words = (
        f"Within a year, after their next purchase customers buy {each} times as fast as the purchase "
        f"process says, by kind of buyers. On the newest look that was not learnt from ({len(gain):,} "
        f"customers as of {day(newest_ms)}, {test.ahead_ms / WEEK_MS:.0f} weeks) the process expected "
        f"{before:.0%} of the purchases that came, with such factors {after:.0%}."
    )
    return replace(further, learnt=words)


def further_looks(
    history: History, lessons: Mapping[int, tuple[Model, Sequence[int]]], seasons: Seasons
) -> list[FurtherLook]:
    """The looks ahead from every training day, with enough purchases to show something."""
    kinds = len(seasons.kinds)
    least = math.log(FURTHER[0])
    once = Further(levels=(least,) * kinds, slopes=(0.0,) * kinds, ahead_max_ms=1, learnt="")
    found = []
    for day_ms, (model, spans) in lessons.items():
        snapshot = sampled(history.snapshots[day_ms])
        shares = np.array([kind_shares(seasons, one.by_month) for one in snapshot.features])
        risks = churn_risks(model, snapshot)
        for ahead_ms in spans:
            bought = bought_within(history, snapshot, ahead_ms)
            if bought.sum() >= PURCHASES_MIN:
                hardly = expected_purchases(replace(model, further=once), snapshot, ahead_ms, risks)
                expected = expected_purchases(model, snapshot, ahead_ms, risks)
                found.append(FurtherLook(day_ms, ahead_ms, hardly, expected, bought, shares))
    return found


def lines_of(looks: Sequence[FurtherLook]) -> Further:
    """The likeliest lines, of Poisson counts of the further purchases of those who bought."""
    came = [one.bought > 0 for one in looks]

    def joined(each: Callable[[FurtherLook], Numbers]) -> Numbers:
        return np.concatenate([each(one)[here] for one, here in zip(looks, came, strict=True)])

    further = joined(lambda one: one.bought - 1.0)
    parts = joined(lambda one: one.shares * (np.maximum(one.expected / one.once - 1.0, 0.0))[:, None])
    years = joined(lambda one: np.full(len(one.bought), one.ahead_ms / YEAR_MS))
    kinds = parts.shape[1]

    def unlikely(point: Numbers) -> tuple[float, Numbers]:
        levels, slopes = point[:kinds], point[kinds:]
        each = parts * np.exp(levels + slopes * years[:, None])
        mean = each.sum(axis=1) + LEAST
        loss = float((mean - further * np.log(mean)).sum())
        loss += float((KNOWN_BEFORE * (np.exp(levels) - levels) + 0.5 * (slopes / SLOPE_NOISE) ** 2).sum())
        change = each * (1.0 - further / mean)[:, None]
        bend = change.sum(axis=0) + KNOWN_BEFORE * (np.exp(levels) - 1.0)
        return loss, np.concatenate([bend, change.T @ years + slopes / SLOPE_NOISE**2])

    limits = [(math.log(low), math.log(high)) for low, high in [FURTHER] * kinds] + [
        (-SLOPE_MAX, SLOPE_MAX)
    ] * kinds
    found = minimize(unlikely, np.zeros(2 * kinds), jac=True, method="L-BFGS-B", bounds=limits)
    lines = tuple(float(f"{one:.6g}") for one in found.x)
    longest_ms = max(one.ahead_ms for one in looks)
    return Further(levels=lines[:kinds], slopes=lines[kinds:], ahead_max_ms=longest_ms, learnt="")
