"""How far a customer's value may be from its expectation: its quantiles, computed once for each history."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice, pairwise, zip_longest
from typing import NamedTuple

from stream.core.model.record import PurchaseProcess, Spend
from stream.core.value.bracket import Bracket
from stream.core.value.clv import (
    BuyingRate,
    count_tails_if_alive,
    discounted_if_alive,
    p_active,
    purchase_count_tails,
    rate_of,
    stay_share,
)
from stream.core.value.lifetime import Valuation, finite_purchases, looked_up, stated
from stream.core.value.reach import Reach
from stream.core.value.returning import Returning, first_purchases, soon_within
from stream.core.value.tables import COARSE

RECIPROCAL_ROOT_2 = 0.7071067811865476
HISTORIES_REMEMBERED = 1 << 14
ERFC_ARGUMENT_MAX = 4.2
"""Beyond, erfc is below 3e-9 and counts as 0. With ROOT_PRECISION, relative errors of quantiles are below
1e-8."""
ROOT_PRECISION = 1e-9
"""Relative width of the bracket at which the search for a quantile stops."""
ROOT_MIN, ROOT_MAX = 1e-2, 1e6
"""Cube roots of values over their rate among which quantiles are looked for."""
STRIDE = 1.2
"""Factor by which a bracket is widened until it holds the quantile."""
TAIL_MIN = 1e-6
"""The probability of more purchases from which on they are not told apart."""
COUNT_MAX = 2_000
"""Numbers of purchases within the horizon that are distinguished; more count as this many."""


def value_interval(
    rules: Valuation,
    x: int,
    t_x: float,
    T: float,
    mean_minor: float,
    chance: float | None,
    quantiles: tuple[float, ...] = (0.1, 0.5, 0.9),
    reach: Reach | None = None,
) -> tuple[float, ...]:
    """Quantiles of the value within the horizon: the exact count of purchases, times gamma-gamma spend.

    `chance` is the stated one of a purchase within the customer's own horizon, as in `customer_value`;
    `reach` as in `finite_value_minor`.
    Discounting is the mean one; a sum of n spends over its posterior is a beta-prime variable, taken by
    Paulson's cube-root rule (good to about 0.001). Without a stated chance, what takes time is the same for
    all with one history, and remembered: only the rate is the customer's own.
    """
    discounted, ratios = (
        _spread(rules, x, t_x, T, quantiles)
        if chance is None and reach is None
        else _own_spread(rules, (x, t_x, T), chance, reach, quantiles)
    )
    spend = rules.spend
    rate = (spend.v + x * mean_minor / spend.scale_minor) * spend.scale_minor * rules.margin * discounted
    return tuple(ratio * rate for ratio in ratios)


Spread = tuple[float, tuple[float, ...]]
"""Discounted over undiscounted expected purchases, and the quantiles of the value over its rate."""


@lru_cache(maxsize=HISTORIES_REMEMBERED)
def _spread(rules: Valuation, x: int, t_x: float, T: float, quantiles: tuple[float, ...]) -> Spread:
    process = rules.process
    age = max(T, t_x)
    expected = discounted_if_alive(process, x, age, 0.0, rules.horizon, COARSE)
    mixture = _mixture(_masses(count_tails(rules, x, t_x, T, None)), rules.spend, x)
    return looked_up(rules, rules.finite, x, age) / expected, tuple(
        _quantile(mixture, share) for share in quantiles
    )


def _own_spread(
    rules: Valuation,
    history: tuple[int, float, float],
    chance: float | None,
    reach: Reach | None,
    quantiles: tuple[float, ...],
) -> Spread:
    """By what is this customer's alone: their stated chance, or the clock of their purchases."""
    x, t_x, T = history
    tails = count_tails(rules, x, t_x, T, chance, reach)
    discounted = finite_purchases(rules, x, t_x, T, chance, reach)
    mixture = _mixture(_masses(tails), rules.spend, x)
    return discounted / (math.fsum(tails) or 1.0), tuple(_quantile(mixture, share) for share in quantiles)


def count_tails(
    rules: Valuation, x: int, t_x: float, T: float, chance: float | None, reach: Reach | None = None
) -> list[float]:
    """P(at least 1), P(at least 2), ... purchases within the horizon of the value; arguments as there."""
    process, span = rules.process, rules.horizon if reach is None else reach.span
    age = max(T, t_x)
    wander = rules.wander * (age + span)
    if reach is not None and reach.further != 1.0:
        chance = p_active(process, x, t_x, T, reach.within) if chance is None else chance
        one = stated(rules, x, t_x, age, chance, reach.within, wander)
        return further_tails(process, x, rate_of(process, x, age, wander), one, reach)
    if chance is None:
        return _cut(purchase_count_tails(process, x, t_x, T, span, wander), TAIL_MIN)
    one = stated(rules, x, t_x, age, chance, None if reach is None else reach.within, wander)
    return stated_tails(process, x, rate_of(process, x, age, wander), one, span)


def stated_tails(
    process: PurchaseProcess, x: int, rate: BuyingRate, one: Returning, span: float
) -> list[float]:
    """P(at least 1), P(at least 2), ... purchases within a span, by the stated chance of the next one.

    Of those who buy within the own horizon the process says: whoever buys so often, less whoever first waits
    that long and then does, over whoever does not wait.
    """
    chance, buys = one.chance, one.buys
    tails: list[float] = []
    least, rest_span = TAIL_MIN * buys, span - one.within
    whole = _cut(count_tails_if_alive(process, x, rate, span), least)
    late = []
    if rest_span > 0.0:
        waited = BuyingRate(rate.shape, rate.scale + one.within)
        late = _cut(count_tails_if_alive(process, x, waited, rest_span), least)
    for tail, later in zip_longest(whole, late, fillvalue=0.0):
        soon = max(0.0, tail - (1.0 - buys) * later) / buys
        tails.append(min(1.0, chance * soon + (1.0 - chance) * one.waits * later))
    return tails


def further_tails(
    process: PurchaseProcess, x: int, rate: BuyingRate, one: Returning, reach: Reach
) -> list[float]:
    """The same where purchases after the next one come at a pace of their own (`reach.further`)."""
    soon, stays = soon_within(rate, one, reach.span), stay_share(process, x)
    found = [soon.chance]
    for delay, weight in first_purchases(rate, soon):
        after = BuyingRate(rate.shape + 1.0, rate.scale + delay)
        more = _cut(
            count_tails_if_alive(process, x + 1, after, reach.further * (reach.span - delay)), TAIL_MIN
        )
        found = _added(found, [0.0, *more], soon.chance * weight * stays)
    if reach.span > one.within:
        waited = BuyingRate(rate.shape, rate.scale + one.within)
        late = _cut(count_tails_if_alive(process, x, waited, reach.span - one.within), TAIL_MIN)
        found = _added(found, late, (1.0 - one.chance) * one.waits)
    return found


def _added(tails: list[float], others: list[float], weight: float) -> list[float]:
    return [one + weight * other for one, other in zip_longest(tails, others, fillvalue=0.0)]


def _cut(tails: Iterable[float], least: float) -> list[float]:
    """The tails up to the first below `least`, and at most `COUNT_MAX`."""
    found = []
    for tail in islice(tails, COUNT_MAX):
        found.append(tail)
        if tail < least:
            break
    return found


def _masses(tails: Sequence[float]) -> list[float]:
    """Probabilities of 0, 1, 2, ... purchases; they sum to 1, less a last tail that is too small to count."""
    ends = (1.0, *tails) if tails[-1] < TAIL_MIN else (1.0, *tails, 0.0)
    return [max(0.0, more - less) for more, less in pairwise(ends)]


class _Mixture(NamedTuple):
    """Distribution of the cube root of the value over its rate: 0, or nearly normal for each purchase count.

    Paulson's rule takes the cube root of a ratio of two gamma variables as a ratio of normal ones with
    relative variances d1 (the spends of these purchases) and d2 (the customer's mean spend).
    """

    nothing: float
    """Probability of no purchase."""
    noise: float
    """d2."""
    parts: list[tuple[float, float, float]]
    """For each count: half its probability, the inverse of the cube root of the mean, d1."""


def _mixture(masses: list[float], spend: Spend, x: int) -> _Mixture:
    p, shape = spend.p, spend.p * x + spend.q
    parts = [
        (mass * 0.5, math.cbrt(shape / (p * count)), 1.0 / (9.0 * p * count))
        for count, mass in enumerate(masses)
        if count
    ]
    return _Mixture(masses[0], 1.0 / (9.0 * shape), parts)


def _quantile(mixture: _Mixture, share: float) -> float:
    """The value over its rate below which this share lies; the root is found on the scale of its cube
    root."""
    if mixture.nothing >= share:
        return 0.0
    ends = _around(mixture, share)
    while ends.high - ends.low > ROOT_PRECISION * ends.high:
        root = (ends.low * ends.at_high - ends.high * ends.at_low) / (ends.at_high - ends.at_low)
        if not ends.low < root < ends.high:
            root = 0.5 * (ends.low + ends.high)
        low, high = ends.low, ends.high
        replaced = high if ends.narrow(root, _below(mixture, root) - share) else low
        if abs(root - replaced) <= 0.1 * ROOT_PRECISION * high:
            return root**3
    return ends.high**3


def _around(mixture: _Mixture, share: float) -> Bracket[float]:
    """Cube roots on both sides of a quantile, each with P(below it) less the share, from a likely one on."""
    reach, reached, guess = min(share, 0.999999), mixture.nothing, 1.0
    for half_mass, inverse, _ in mixture.parts:
        reached, guess = reached + 2.0 * half_mass, 1.0 / inverse
        if reached >= reach:
            break
    low = high = guess
    at_low = at_high = _below(mixture, guess) - reach
    while at_high < 0.0 and high < ROOT_MAX:
        low, at_low, high = high, at_high, high * STRIDE
        at_high = _below(mixture, high) - reach
    while at_low >= 0.0:
        high, at_high, low = low, at_low, low / STRIDE
        at_low = _below(mixture, low) - reach if low > ROOT_MIN else mixture.nothing - reach
    return Bracket((low, at_low), (high, at_high))


def _below(mixture: _Mixture, root: float) -> float:
    """P(value <= root ** 3 * rate)."""
    total, d2, centre = mixture.nothing, mixture.noise, 1.0 - mixture.noise
    for half_mass, inverse, d1 in mixture.parts:
        own = root * inverse
        place = (1.0 - d1 - centre * own) * RECIPROCAL_ROOT_2 / math.sqrt(d2 * own * own + d1)
        if place > ERFC_ARGUMENT_MAX:
            break  # the more purchases, the smaller the probability
        total += half_mass * math.erfc(place)
    return total
