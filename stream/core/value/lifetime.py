"""Lifetime value fast enough for every alert: discounted purchases from tables, the rest in closed form.

Value is margin times expected spend times discounted expected purchases, in minor units. Discounted purchases
if alive, with a horizon and without, are integrals over frequency x and age T. They are tabled once for a
model and a policy (`Valuation`); after that a customer's value takes a few look-ups.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import lru_cache

from msgspec import Struct

from stream.core.model.record import GridTable, Horizon, Model, PurchaseProcess, Spend
from stream.core.units import YEAR_MS
from stream.core.value.clv import (
    discount_per_unit,
    discounted_if_alive,
    expected_value,
    own_horizon,
    p_alive,
    purchases_if_alive,
    stay_share,
)
from stream.core.value.returning import Returning, first_purchases, returning

FREQUENCIES = (*range(41), 44, 48, 53, 58, 64, 72, 82, 94, 110, 130, 155, 190, 235, 300, 390, 520, 720, 1_000)
AGE_MAX_MS = 40 * YEAR_MS
AGE_KNOTS = 44
COARSE = 0.6
"""Fineness of the quadrature for tables. It gives 1e-9, and interpolation is right to 1e-6 only."""


class Value(Struct, frozen=True, gc=False):
    """Expected earnings from a customer from now on, in minor units, within the horizon and without one."""

    spend_minor: float
    """Expected money of one purchase."""
    finite_minor: float
    infinite_minor: float
    """Infinite by a policy that does not discount: no mean of a lifetime need exist."""


class Valuation(Struct, frozen=True, gc=False, eq=False):
    """What the values of all customers of a model and a policy have in common."""

    process: PurchaseProcess
    spend: Spend
    own: Horizon
    """The time within which a stated chance of buying is meant: the customer's own horizon."""
    margin: float
    discount: float
    """Continuous rate per unit of the process."""
    horizon: float
    """In units of the process."""
    finite: GridTable
    whole: GridTable | None
    """Without a horizon, if the model has it."""
    annual_discount: float

    @property
    def infinite(self) -> GridTable:
        """The table without a horizon. No alert needs it, so it is computed only when somebody asks."""
        return self.whole or grid_table(self.process, None, self.annual_discount)


def valuation(model: Model, horizon_ms: int, annual_discount: float, margin: float = 1.0) -> Valuation:
    """The valuation of a model, with its tables if they match; else they are computed, in 0.7 s each."""
    finite = _matching(model, horizon_ms, annual_discount)
    return Valuation(
        process=model.process,
        spend=model.spend,
        own=model.horizon,
        margin=margin,
        discount=discount_per_unit(model.process, annual_discount, YEAR_MS),
        horizon=horizon_ms / model.process.unit_ms,
        finite=finite or grid_table(model.process, horizon_ms, annual_discount),
        whole=_matching(model, None, annual_discount),
        annual_discount=annual_discount,
    )


def customer_value(
    rules: Valuation, x: int, t_x: float, T: float, mean_minor: float, chance: float | None
) -> Value:
    """The value of one customer; `mean_minor` is the mean of the x repeat purchases.

    `chance` is the stated one, 0 to 1, of a purchase within the customer's own horizon (returning.py); None:
    the purchase process's own.
    """
    scale = rules.spend.scale_minor
    spend_minor = expected_value(rules.spend, x, mean_minor / scale) * scale
    worth = rules.margin * spend_minor
    finite = worth * _purchases(rules, rules.finite, x, t_x, T, chance)
    infinite = math.inf
    if rules.discount > 0.0:
        infinite = worth * _purchases(rules, rules.infinite, x, t_x, T, chance)
    return Value(spend_minor, finite, infinite)


def finite_value_minor(
    rules: Valuation, x: int, t_x: float, T: float, mean_minor: float, chance: float | None
) -> float:
    """`finite_minor` of `customer_value` alone, in half the time."""
    scale = rules.spend.scale_minor
    worth = rules.margin * (expected_value(rules.spend, x, mean_minor / scale) * scale)
    return worth * _purchases(rules, rules.finite, x, t_x, T, chance)


def _purchases(
    rules: Valuation, grid: GridTable, x: int, t_x: float, T: float, chance: float | None
) -> float:
    """Expected discounted purchases within the table's horizon."""
    age = max(T, t_x)
    if chance is None:
        return p_alive(rules.process, x, t_x, T) * looked_up(rules, grid, x, age)
    return discounted_purchases_of(rules, grid, x, age, stated(rules, x, t_x, age, chance))


def stated(rules: Valuation, x: int, t_x: float, age: float, chance: float) -> Returning:
    """The stated chance of a purchase within the own horizon, beside what the process says of it."""
    process = rules.process
    within = own_horizon(process, rules.own, x, t_x)
    return returning(process, x, age, p_alive(process, x, t_x, age), (chance, within))


def discounted_purchases_of(rules: Valuation, grid: GridTable, x: int, age: float, one: Returning) -> float:
    """Expected discounted purchases within the table's horizon, by the stated chance of the next one."""
    process, discount = rules.process, rules.discount
    horizon = math.inf if grid.horizon_ms is None else rules.horizon
    if horizon <= one.within:
        return one.chance * looked_up(rules, grid, x, age) / one.buys
    bought = 0.0
    stays = stay_share(process, x)
    for delay, weight in first_purchases(process, x, age, one):
        more = stays * looked_up_within(rules, grid, x + 1, age + delay, horizon - delay)
        bought += weight * math.exp(-discount * delay) * (1.0 + more)
    later = looked_up_within(rules, grid, x, age + one.within, horizon - one.within)
    waited = one.waits * math.exp(-discount * one.within) * later
    return one.chance * bought + (1.0 - one.chance) * waited


def looked_up_within(rules: Valuation, grid: GridTable, x: int, age: float, span: float) -> float:
    """Discounted purchases if alive within a span of no more than the table's horizon; infinite: without one.

    Without a discount they depend on the span only over alpha + age, so the table's horizon stands for any
    span at another age. What a shorter span changes of the discount is taken to be as for a constant rate:
    right to 0.3% for a year at 10%.
    """
    if grid.horizon_ms is None:
        return looked_up(rules, grid, x, age)
    process = rules.process
    scaled = (process.alpha + age) * (rules.horizon / span) - process.alpha
    mean_discount = _span(rules.discount, span) / span
    if scaled > _age_max(grid, process):
        return purchases_if_alive(process, x, age, span) * mean_discount
    whole = _span(rules.discount, rules.horizon) / rules.horizon
    return looked_up(rules, grid, x, scaled) * (mean_discount / whole)


def looked_up(rules: Valuation, grid: GridTable, x: int, age: float) -> float:
    """Discounted purchases if alive, interpolated in the table; outside the table they are computed.

    The interpolation is cubic in log age, and between rows in log rate.
    """
    process = rules.process
    log_age = math.log(process.alpha + age)
    place = (log_age - grid.log_age_start) / grid.log_age_step
    frequencies = grid.frequencies
    if place > len(grid.rows[0]) - 1 or x > frequencies[-1]:
        horizon = None if grid.horizon_ms is None else rules.horizon
        return discounted_if_alive(process, x, age, rules.discount, horizon)
    column = min(max(int(place) - 1, 0), len(grid.rows[0]) - 4)
    row = bisect_left(frequencies, x)
    if frequencies[row] == x:
        ratio = _cubic(grid.rows[row], column, place - column)
    else:
        ratio = _between(grid, process.r, x, row, column, place - column)
    return math.exp(ratio - log_age) * (process.r + x) * _naive_span(rules.discount, grid, rules.horizon)


@lru_cache(maxsize=16)  # two bases with one model, as in `stream policy diff`, share the table
def grid_table(process: PurchaseProcess, horizon_ms: int | None, annual_discount: float) -> GridTable:
    """Discounted purchases if alive as a table over x and T, computed with plain floats."""

    def row(x: int, ages: list[float], discount: float, horizon: float | None) -> list[float]:
        return [discounted_if_alive(process, x, age, discount, horizon, COARSE) for age in ages]

    return grid_table_of_rows(process, horizon_ms, annual_discount, row)


RowOf = Callable[[int, list[float], float, float | None], Iterable[float]]
"""From frequency x, ages T, discount and horizon: discounted purchases if alive at each age."""


def grid_table_of_rows(
    process: PurchaseProcess, horizon_ms: int | None, annual_discount: float, row_of: RowOf
) -> GridTable:
    """A table whose rows `row_of` computes: logarithms of the purchases over their naive number.

    The naive number is the buying rate (r + x) / (alpha + T) times the discounted span.
    """
    discount = discount_per_unit(process, annual_discount, YEAR_MS)
    horizon = None if horizon_ms is None else horizon_ms / process.unit_ms
    start = math.log(process.alpha)
    step = (math.log(process.alpha + AGE_MAX_MS / process.unit_ms) - start) / (AGE_KNOTS - 1)
    span = _span(discount, horizon)
    log_ages = [start + knot * step for knot in range(AGE_KNOTS)]
    ages = [math.exp(log_age) - process.alpha for log_age in log_ages]
    rows = []
    for x in FREQUENCIES:
        naive = span * (process.r + x)
        ratios = [
            math.log(g / naive) + log_age
            for g, log_age in zip(row_of(x, ages, discount, horizon), log_ages, strict=True)
        ]
        rows.append(tuple(float(f"{ratio:.11g}") for ratio in ratios))
    return GridTable(
        horizon_ms=horizon_ms,
        annual_discount=annual_discount,
        frequencies=FREQUENCIES,
        log_age_start=start,
        log_age_step=step,
        rows=tuple(rows),
    )


def _age_max(grid: GridTable, process: PurchaseProcess) -> float:
    """The largest age T of a table."""
    return math.exp(grid.log_age_start + (len(grid.rows[0]) - 1) * grid.log_age_step) - process.alpha


def has_table(model: Model, horizon_ms: int, annual_discount: float) -> bool:
    """Whether the model brings the table of this horizon and discount."""
    return _matching(model, horizon_ms, annual_discount) is not None


def _matching(model: Model, horizon_ms: int | None, annual_discount: float) -> GridTable | None:
    for grid in model.tables:
        if grid.horizon_ms == horizon_ms and grid.annual_discount == annual_discount:
            return grid
    return None


def _naive_span(discount: float, grid: GridTable, horizon: float) -> float:
    return _span(discount, None if grid.horizon_ms is None else horizon)


def _span(discount: float, horizon: float | None) -> float:
    """The discounted span: today's worth of one purchase per unit, until the horizon or for ever."""
    if horizon is None:
        return 1.0 / discount
    return -math.expm1(-discount * horizon) / discount if discount > 0.0 else horizon


def _cubic(row: tuple[float, ...], column: int, s: float) -> float:
    """Lagrange interpolation through four equally spaced values, at s in [0, 3]."""
    y0, y1, y2, y3 = row[column : column + 4]
    s1, s2, s3 = s - 1.0, s - 2.0, s - 3.0
    return (s1 * s2 * (s * y3 - s3 * y0) / 3.0 + s * s3 * (s2 * y1 - s1 * y2)) * 0.5


def _between(grid: GridTable, r: float, x: int, row: int, column: int, s: float) -> float:
    first = min(max(row - 2, 0), len(grid.frequencies) - 4)
    at = math.log(r + x)
    places = [math.log(r + grid.frequencies[first + k]) for k in range(4)]
    total = 0.0
    for k in range(4):
        share = 1.0
        for other in range(4):
            if other != k:
                share *= (at - places[other]) / (places[k] - places[other])
        total += share * _cubic(grid.rows[first + k], column, s)
    return total
