"""How much customers' own pace wanders: by how much it differs from that of their life so far.

A purchase process gives each customer one rate for life, so a long history seems to say exactly how often
they will buy. Habits change, the more the further one looks ahead; who takes rates for constant states ranges
that are too narrow for frequent customers. So the coming rate is the past one times a gamma variable of mean
1. Its variance grows evenly with the length of the history and of the time looked ahead, together: so do the
means of a random walk over both come apart (as in the dynamic models of West & Harrison, Bayesian Forecasting
and Dynamic Models, 1997). It is the one with which, on past looks, eight in ten customers bought as often as
P10 to P90 say.

It is used only where it was better: learnt from half of the customers, it must have been nearer to that for
the others, by more than noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from stream.core.model.pace import Wander
from stream.core.model.record import Model, PurchaseProcess
from stream.core.risk.outlook import outlook
from stream.core.units import WEEK_MS, YEAR_MS
from stream.core.value.clv import own_horizon, p_alive
from stream.core.value.lifetime import valuation
from stream.fit.arrays import Flags, Numbers
from stream.fit.history import History, Snapshot
from stream.fit.purchases.value_tables import fast_table
from stream.fit.risk.risk_layer import churn_risks
from stream.fit.value.trend import NOISE, PURCHASES_MIN, bought_within, sampled

TRIED = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.6, 0.9)
"""Variances per year that are tried."""
COUNT_MAX = 400
"""Numbers of purchases that are distinguished; more count as this many."""
LOW, HIGH = 0.1, 0.9
PROMISED = 0.8
"""Of the customers so many are to be from P10 to P90."""
CUSTOMERS_MIN = 100
"""Fewer do not show how wide a range has to be."""
LEAST = 1e-12
"""A probability of less counts as this."""


class CountedLook(NamedTuple):
    """What the model of a day knows of its customers, and what they bought within a time.

    Arrays have shape (customers,), times are in units of the process.
    """

    day_ms: int
    ahead_ms: int
    process: PurchaseProcess
    x: Numbers
    age: Numbers
    within: Numbers
    span: Numbers
    alive: Numbers
    chance: Numbers
    bought: Numbers

    def inside(self, per_year: float) -> Numbers:
        """How much of each customer's purchase days lies from P10 to P90 of their number, with a wander.

        0 or 1 where all that their probability spans lies outside or inside, else the share; shape
        (customers,).
        """
        at_least, more = self.reached(per_year)
        low, high = 1.0 - at_least, 1.0 - more
        shared = np.minimum(high, HIGH) - np.maximum(low, LOW)
        found: Numbers = np.clip(shared / np.maximum(high - low, LEAST), 0.0, 1.0)
        return found

    def reached(self, per_year: float) -> tuple[Numbers, Numbers]:
        """P(at least as many purchase days as came) and P(more), with a wander; of shape (customers,)."""
        process = self.process
        shape, scale = process.r + self.x, process.alpha + self.age
        years = (self.age + self.span) * (process.unit_ms / YEAR_MS)
        share = 1.0 / (1.0 + per_year * years * shape)
        shape, scale = shape * share, scale * share
        waits_log = -shape * np.log1p(self.within / scale)
        buys, silent = -np.expm1(waits_log), self.alive * np.exp(waits_log)
        waits = silent / np.maximum(1.0 - self.alive + silent, LEAST)
        rest = np.maximum(self.span - self.within, 0.0)
        likely = []
        whole = self._tails(shape, self.span / scale)
        late = self._tails(shape, rest / (scale + self.within))
        for tail, later in zip(whole, late, strict=True):
            soon = np.maximum(0.0, tail - (1.0 - buys) * later) / np.maximum(buys, LEAST)
            likely.append(np.minimum(1.0, self.chance * soon + (1.0 - self.chance) * waits * later))
        return np.where(self.bought > 0, likely[0], 1.0), likely[1]

    def _tails(self, shape: Numbers, reach: Numbers) -> tuple[Numbers, Numbers]:
        """P(at least as many purchases as were made) and P(more), if alive; each of shape (customers,)."""
        a, b_x = self.process.a, self.process.b + self.x + (self.process.kind == "mbgnbd")
        with np.errstate(divide="ignore"):
            log_ratio = np.log(reach) - np.log1p(reach)
        log_mass, stays, below = -shape * np.log1p(reach), np.ones(len(reach)), np.zeros(len(reach))
        as_many, more = np.ones(len(reach)), np.zeros(len(reach))
        for count in range(int(self.bought.max(initial=0.0)) + 1):
            below = below + np.exp(log_mass)
            tail = stays * np.maximum(0.0, 1.0 - below)
            as_many = np.where(self.bought == count + 1, tail, as_many)
            more = np.where(self.bought == count, tail, more)
            stays = stays * (b_x + count) / (a + b_x + count)
            log_mass = log_mass + np.log((shape + count) / (count + 1.0)) + log_ratio
        return as_many, more


def learnt_wander(history: History, lessons: Mapping[int, tuple[Model, Sequence[int]]]) -> Wander | None:
    """The wander that past looks show; None where it is not surely better than none.

    `lessons` as in `learnt_trend`, with the models' trend. Of each day the look furthest ahead counts: value
    looks further still.
    """
    days = ((day_ms, model, max(spans)) for day_ms, (model, spans) in lessons.items())
    looks = [one for day_ms, model, ahead_ms in days for one in _look(history, day_ms, model, ahead_ms)]
    if not looks:
        return None
    learnt_from = [np.arange(len(one.bought)) % 2 == 0 for one in looks]
    tried = _nearest(looks, learnt_from)
    before, after = (
        np.concatenate([one.inside(each)[~known] for one, known in zip(looks, learnt_from, strict=True)])
        for each in (0.0, tried)
    )
    gain = abs(float(before.mean()) - PROMISED) - abs(float(after.mean()) - PROMISED)
    if gain <= NOISE * float((after - before).std()) / math.sqrt(len(after) / len(looks)):
        return None
    per_year = _nearest(looks, [np.ones_like(known) for known in learnt_from])
    weeks = max(one.ahead_ms for one in looks) / WEEK_MS
    words = (
        "Ranges of value allow for customers whose pace changes: a year ahead, after a year, by "
        f"{math.sqrt(2.0 * per_year):.0%}. Of customers who were not learnt from, {after.mean():.0%} bought "
        f"as often as P10 to P90 say on {len(looks)} looks up to {weeks:.0f} weeks ahead, without it "
        f"{before.mean():.0%}."
    )
    return Wander(per_year=per_year, learnt=words) if per_year else None


def _nearest(looks: Sequence[CountedLook], learnt_from: Sequence[Flags]) -> float:
    """With which wander P10 to P90 held most nearly what they promise, each look counting alike."""

    def off(per_year: float) -> float:
        shares = [one.inside(per_year)[known].mean() for one, known in zip(looks, learnt_from, strict=True)]
        return abs(float(np.mean(shares)) - PROMISED)

    return min(TRIED, key=off)


def _look(history: History, day_ms: int, model: Model, ahead_ms: int) -> Iterator[CountedLook]:
    """The look of a day, if there are enough customers and purchases to show something."""
    snapshot = sampled(history.snapshots[day_ms])
    bought = bought_within(history, snapshot, ahead_ms)
    if bought.sum() >= PURCHASES_MIN and len(bought) >= CUSTOMERS_MIN:
        chance = 1.0 - churn_risks(model, snapshot)
        yield _counted(model, snapshot, ahead_ms, chance, np.minimum(bought, COUNT_MAX))


def _counted(
    model: Model, snapshot: Snapshot, ahead_ms: int, chance: Numbers, bought: Numbers
) -> CountedLook:
    process = model.process
    table = fast_table(process, ahead_ms, 0.0)
    rules = valuation(replace(model, tables=(table,)), ahead_ms, 0.0)
    rows = []
    for one in snapshot.features:
        seen = outlook(model, rules, one, snapshot.as_of_ms)
        own = own_horizon(process, model.horizon, seen.x, seen.t_x), rules.horizon
        spans = own if seen.reach is None else seen.reach[:2]
        rows.append((seen.x, seen.T, *spans, p_alive(process, seen.x, seen.t_x, seen.T)))
    x, age, within, span, alive = np.array(rows, dtype=np.float64).T
    return CountedLook(snapshot.as_of_ms, ahead_ms, process, x, age, within, span, alive, chance, bought)
