"""Lifetime value fast enough for every alert: discounted purchases from tables, the rest in closed form.

Value is margin times expected spend times discounted expected purchases, in minor units. Discounted purchases
if alive, with a horizon and without, are integrals over frequency x and age T. They are tabled once for a
model and a policy (`Valuation`); after that a customer's value takes a few look-ups.
"""

from __future__ import annotations

import math

from msgspec import Struct

from stream.core.model.record import GridTable, Horizon, Model, PurchaseProcess, Spend
from stream.core.units import YEAR_MS
from stream.core.value.clv import (
    discount_per_unit,
    discounted_if_alive,
    expected_value,
    own_horizon,
    p_active,
    p_alive,
    purchases_if_alive,
    rate_of,
    stay_share,
)
from stream.core.value.reach import Reach
from stream.core.value.returning import Returning, first_purchases, returning, soon_within
from stream.core.value.tables import age_max, discounted_span, grid_table, interpolated


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
    wander: float = 0.0
    """How much customers' own pace wanders, per unit of age and horizon together (`Wander`)."""

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
        wander=model.wander.per_year * model.process.unit_ms / YEAR_MS if model.wander else 0.0,
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
    rules: Valuation,
    x: int,
    t_x: float,
    T: float,
    mean_minor: float,
    chance: float | None,
    reach: Reach | None = None,
) -> float:
    """`finite_minor` of `customer_value` alone, in half the time.

    `reach`: by a model with a clock of its own, that the customer's T is measured by too.
    """
    scale = rules.spend.scale_minor
    worth = rules.margin * (expected_value(rules.spend, x, mean_minor / scale) * scale)
    return worth * finite_purchases(rules, x, t_x, T, chance, reach)


def finite_purchases(
    rules: Valuation, x: int, t_x: float, T: float, chance: float | None, reach: Reach | None = None
) -> float:
    """Expected discounted purchases within the horizon; the arguments are those of `finite_value_minor`."""
    if reach is None:
        return _purchases(rules, rules.finite, x, t_x, T, chance)
    age = max(T, t_x)
    if chance is None and reach.further == 1.0:
        alive = p_alive(rules.process, x, t_x, T)
        return reach.kept * alive * looked_up_within(rules, rules.finite, x, age, reach.span, 0.0)
    if chance is None:
        chance = p_active(rules.process, x, t_x, T, reach.within)
    one = stated(rules, x, t_x, age, chance, reach.within)
    return discounted_purchases_of(rules, rules.finite, x, age, one, reach)


def _purchases(
    rules: Valuation, grid: GridTable, x: int, t_x: float, T: float, chance: float | None
) -> float:
    """Expected discounted purchases within the table's horizon."""
    age = max(T, t_x)
    if chance is None:
        return p_alive(rules.process, x, t_x, T) * looked_up(rules, grid, x, age)
    return discounted_purchases_of(rules, grid, x, age, stated(rules, x, t_x, age, chance))


def stated(
    rules: Valuation,
    x: int,
    t_x: float,
    age: float,
    chance: float,
    within: float | None = None,
    wander: float = 0.0,
) -> Returning:
    """The stated chance of a purchase within the own horizon, beside what the process says of it.

    `within`: that horizon by the clock of the customer's purchases, where it is not the calendar's; `wander`
    as in `rate_of`.
    """
    process = rules.process
    if within is None:
        within = own_horizon(process, rules.own, x, t_x)
    return returning(rate_of(process, x, age, wander), p_alive(process, x, t_x, age), (chance, within))


def discounted_purchases_of(
    rules: Valuation, grid: GridTable, x: int, age: float, one: Returning, reach: Reach | None = None
) -> float:
    """Expected discounted purchases within the table's horizon, by the stated chance of the next one.

    Within that of `reach`, where there is one: purchases are expected by its clock, and discounted by `kept`.
    """
    process = rules.process
    if reach is None:
        horizon, discount, kept = math.inf if grid.horizon_ms is None else rules.horizon, rules.discount, 1.0
    elif reach.further != 1.0:
        return reach.kept * _purchases_by_further(rules, grid, x, age, one, reach)
    else:
        horizon, discount, kept = reach.span, 0.0, reach.kept
    if horizon <= one.within:
        whole = looked_up(rules, grid, x, age)
        if reach is not None:
            whole = kept * looked_up_within(rules, grid, x, age, horizon, discount)
        return one.chance * whole / one.buys
    bought = 0.0
    stays = stay_share(process, x)
    for delay, weight in first_purchases(rate_of(process, x, age), one):
        more = stays * looked_up_within(rules, grid, x + 1, age + delay, horizon - delay, discount)
        bought += weight * math.exp(-discount * delay) * (1.0 + more)
    later = looked_up_within(rules, grid, x, age + one.within, horizon - one.within, discount)
    waited = one.waits * math.exp(-discount * one.within) * later
    return kept * (one.chance * bought + (1.0 - one.chance) * waited)


def _purchases_by_further(
    rules: Valuation, grid: GridTable, x: int, age: float, one: Returning, reach: Reach
) -> float:
    """Expected purchases within a reach where those after the next one come at a pace of their own.

    Who does not buy within the own horizon is as the process says.
    """
    rate = rate_of(rules.process, x, age)
    soon, stays, more = soon_within(rate, one, reach.span), stay_share(rules.process, x), 0.0
    for delay, weight in first_purchases(rate, soon):
        rest = reach.further * (reach.span - delay)
        more += weight * stays * looked_up_within(rules, grid, x + 1, age + delay, rest, 0.0)
    found = soon.chance * (1.0 + more)
    if reach.span > one.within:
        later = looked_up_within(rules, grid, x, age + one.within, reach.span - one.within, 0.0)
        found += (1.0 - one.chance) * one.waits * later
    return found


def looked_up_within(
    rules: Valuation, grid: GridTable, x: int, age: float, span: float, discount: float
) -> float:
    """Discounted purchases if alive within a span; infinite: without one, by a table without a horizon.

    Without a discount they depend on the span only over alpha + age, so the table's horizon stands for any
    span at another age. What a shorter span changes of the discount is taken to be as for a constant rate:
    right to 0.3% for a year at 10%.
    """
    if grid.horizon_ms is None:
        return looked_up(rules, grid, x, age)
    process = rules.process
    scaled = (process.alpha + age) * (rules.horizon / span) - process.alpha
    mean_discount = discounted_span(discount, span) / span
    if not 0.0 <= scaled <= age_max(grid, process):
        return purchases_if_alive(process, x, age, span) * mean_discount
    whole = discounted_span(rules.discount, rules.horizon) / rules.horizon
    return looked_up(rules, grid, x, scaled) * (mean_discount / whole)


def looked_up(rules: Valuation, grid: GridTable, x: int, age: float) -> float:
    """Discounted purchases if alive, interpolated in the table; outside the table they are computed."""
    process = rules.process
    log_age = math.log(process.alpha + age)
    ratio = interpolated(grid, process.r, x, log_age)
    horizon = None if grid.horizon_ms is None else rules.horizon
    if ratio is None:
        return discounted_if_alive(process, x, age, rules.discount, horizon)
    return math.exp(ratio - log_age) * (process.r + x) * discounted_span(rules.discount, horizon)


def has_table(model: Model, horizon_ms: int, annual_discount: float) -> bool:
    """Whether the model brings the table of this horizon and discount."""
    return _matching(model, horizon_ms, annual_discount) is not None


def _matching(model: Model, horizon_ms: int | None, annual_discount: float) -> GridTable | None:
    for grid in model.tables:
        if grid.horizon_ms == horizon_ms and grid.annual_discount == annual_discount:
            return grid
    return None


def kept_of(rules: Valuation) -> float:
    """What money that comes evenly within the horizon is worth today, in the mean: a share."""
    return discounted_span(rules.discount, rules.horizon) / rules.horizon
