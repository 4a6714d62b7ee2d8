"""Whether known customers buy more than the purchase process expects of them, or less, and how much.

A process sees each life at one pace. Where a shop grows, its customers buy faster than they did in the mean
of their lives; where it shrinks, slower; and a process may expect too much of a far future for reasons of its
own. Past looks show it: on earlier days the model of then expected so many purchases within so long, and so
many came. The logarithm of the ratio is a line in the time looked ahead.

It is used only where it was better: the looks that were over on the newest training day must agree about it,
and learnt from them it must have predicted better, by more than noise, what every customer bought since.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from stream.core.model.pace import Trend
from stream.core.model.record import Model
from stream.core.risk.outlook import outlook
from stream.core.units import DAY_MS, WEEK_MS, YEAR_MS
from stream.core.value.lifetime import finite_purchases, valuation
from stream.fit.arrays import Numbers
from stream.fit.coverage import day
from stream.fit.history import History, Snapshot
from stream.fit.purchases.value_tables import fast_table
from stream.fit.risk.risk_layer import churn_risks

NOISE = 1.645
"""Standard errors by which the trend must be better: a 90% interval."""
CUSTOMERS_MAX = 4_000
"""Of more customers every so many-th is looked at."""
PURCHASES_MIN = 100
"""A look with fewer purchases shows no trend."""
BEND_MIN = 0.2
"""Where the expected number hardly follows a factor, no larger one is concluded than this makes."""
SURE = 2.0
"""Standard errors by which the looks' factors must be away from 1: a month of theirs is no trend."""
DAYS_MIN = 2
"""From so many days at least must have been looked."""
ROUNDS = 3
FLOOR = 0.02
"""Standard error of a look that chance alone does not explain: shops have better and worse months."""
LOG_FACTOR_MAX = math.log(4.0)
"""A larger factor, or a smaller one than its reciprocal, is no trend: something else has happened."""
LEAST = 1e-6
"""An expected number of purchases of less counts as this."""
STEP = 0.1
"""Logarithm of a factor by which it is tried how the expected number follows it."""
SLOPE_NOISE = 0.3
"""Standard deviation of the slope (per year) between shops: what is hardly seen is held towards 0."""


class PastLook(NamedTuple):
    """What the model of a day expected of its customers within a time, and what they bought."""

    day_ms: int
    ahead_ms: int
    expected: Numbers
    """Purchase days by the model alone, shape (customers,)."""
    bought: Numbers
    """Purchase days that came."""
    bend: float
    """By how much the logarithm of the expected number rises with that of the factor, 0 to 1."""

    @property
    def log_factor(self) -> float:
        """The logarithm of the factor by which as many were expected as came."""
        return math.log(float(self.bought.sum()) / float(self.expected.sum())) / self.bend


def past_looks(history: History, lessons: Mapping[int, tuple[Model, Sequence[int]]]) -> list[PastLook]:
    """The looks ahead from every training day, with enough purchases to show something."""
    found = []
    for day_ms, (model, spans) in lessons.items():
        snapshot = sampled(history.snapshots[day_ms])
        risks: Numbers | None = None
        for ahead_ms in spans:
            bought = bought_within(history, snapshot, ahead_ms)
            if bought.sum() < PURCHASES_MIN:
                continue
            risks = churn_risks(model, snapshot) if risks is None else risks
            expected = expected_purchases(model, snapshot, ahead_ms, risks)
            step = Trend(level=STEP, slope=0.0, ahead_max_ms=ahead_ms, learnt="")
            more = expected_purchases(replace(model, trend=step), snapshot, ahead_ms, risks)
            bend = math.log(float(more.sum() / expected.sum())) / STEP
            found.append(PastLook(day_ms, ahead_ms, expected, bought, min(max(bend, BEND_MIN), 1.0)))
    return found


def learnt_trend(history: History, lessons: Mapping[int, tuple[Model, Sequence[int]]]) -> Trend | None:
    """The trend that past looks show; None where none is surely better than none on the newest look.

    `lessons`: training day -> the model of then, with the layer of today, and how far ahead is looked, ms.
    """
    looks = past_looks(history, lessons)
    newest_ms = max(lessons, default=0)
    known = [one for one in looks if one.day_ms + one.ahead_ms <= newest_ms]
    unseen = [one for one in looks if one.day_ms == newest_ms]
    if not known or not unseen:
        return None
    test = max(unseen, key=lambda one: one.ahead_ms)
    model, snapshot = lessons[newest_ms][0], sampled(history.snapshots[newest_ms])
    earlier, trend = _line(known), _line(looks).trend
    predicted = expected_purchases(replace(model, trend=earlier.trend), snapshot, test.ahead_ms)
    gain = deviance(test.expected, test.bought) - deviance(predicted, test.bought)
    if not earlier.sure or gain.mean() <= NOISE * gain.std() / math.sqrt(len(gain)):
        return None
    if max(abs(trend.level), abs(math.log(trend.factor(trend.ahead_max_ms)))) > LOG_FACTOR_MAX:
        return None
    day_words, weeks = day(newest_ms), test.ahead_ms / WEEK_MS
    before, after = (float(one.sum() / test.bought.sum()) for one in (test.expected, predicted))
    words = (
        f"Within a year, known customers are expected to buy {trend.factor(YEAR_MS):.2f} times as often as "
        f"the purchase process says. On the newest look that was not learnt from ({len(gain):,} customers "
        f"as of {day_words}, {weeks:.0f} weeks) the process expected {before:.0%} of the purchases that "
        f"came, with such a factor {after:.0%}."
    )
    return replace(trend, learnt=words)


def sampled(snapshot: Snapshot) -> Snapshot:
    """The customers of a snapshot, or every so many-th of them."""
    step = -(-len(snapshot.customers) // CUSTOMERS_MAX)
    return snapshot if step <= 1 else snapshot.only(np.arange(len(snapshot.customers)) % step == 0)


def bought_within(history: History, snapshot: Snapshot, ahead_ms: int) -> Numbers:
    """Purchase days of each customer of a snapshot within a time after its day, shape (customers,)."""
    after_ms = snapshot.as_of_ms + DAY_MS
    found = []
    for customer in snapshot.customers:
        times = history.orders.get(customer, {}).values()
        days = {at_ms // DAY_MS for at_ms in times if after_ms <= at_ms < after_ms + ahead_ms}
        found.append(float(len(days)))
    return np.array(found)


def expected_purchases(
    model: Model, snapshot: Snapshot, ahead_ms: int, risks: Numbers | None = None
) -> Numbers:
    """Expected purchase days of each customer of a snapshot within a time, shape (customers,).

    `risks`: the stated ones, of the same shape, where they are known already: no pace moves them.
    """
    risks = churn_risks(model, snapshot) if risks is None else risks
    table = fast_table(model.process, ahead_ms, 0.0)
    rules = valuation(replace(model, tables=(table,)), ahead_ms, 0.0)
    found = []
    for one, risk in zip(snapshot.features, risks, strict=True):
        seen = outlook(model, rules, one, snapshot.as_of_ms)
        found.append(finite_purchases(rules, seen.x, seen.t_x, seen.T, 1.0 - float(risk), seen.reach))
    expected: Numbers = np.maximum(np.array(found, dtype=np.float64), LEAST)
    return expected


class _FactorLine(NamedTuple):
    """The line through the logarithms of the looks' factors."""

    trend: Trend
    sure: bool
    """Whether it is away from 0, where the looks are in the mean, by more than they differ."""


def _line(looks: Sequence[PastLook]) -> _FactorLine:
    """Each look weighed by how sure it is; looks from one day tell hardly more than one of them."""
    ahead = np.array([one.ahead_ms / YEAR_MS for one in looks])
    factors = np.array([one.log_factor for one in looks])
    chance = np.array([((one.bought - one.expected) ** 2).sum() / one.expected.sum() ** 2 for one in looks])
    columns = np.column_stack([np.ones(len(looks)), ahead])
    held = np.diag([0.0, SLOPE_NOISE**-2])
    apart = FLOOR
    for _ in range(ROUNDS):  # how far the looks lie apart beyond chance shows only beside the line
        weights = 1.0 / (chance + apart**2)
        spread = np.linalg.inv(columns.T @ (columns * weights[:, None]) + held)
        point = spread @ (columns.T @ (weights * factors))
        apart = max(FLOOR, float(np.sqrt(np.mean((factors - columns @ point) ** 2))))
    middle = np.array([1.0, ahead.mean()])
    days = len({one.day_ms for one in looks})
    error = math.sqrt(float(middle @ spread @ middle) * len(looks) / days)
    level, slope = (float(f"{one:.6g}") for one in point)
    longest_ms = max(one.ahead_ms for one in looks)
    trend = Trend(level=level, slope=slope, ahead_max_ms=longest_ms, learnt="")
    return _FactorLine(trend, days >= DAYS_MIN and abs(float(middle @ point)) > SURE * error)


def deviance(expected: Numbers, bought: Numbers) -> Numbers:
    """How far off the expected numbers were, by the deviance of Poisson counts, shape (customers,)."""
    some = np.maximum(bought, LEAST)
    found: Numbers = 2.0 * (bought * np.log(some / expected) - (bought - expected))
    return found
