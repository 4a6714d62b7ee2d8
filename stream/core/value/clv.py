"""What one customer will do next, from four numbers: frequency x, recency t_x, age T and mean spend.

BG/NBD (Fader, Hardie & Lee 2005), MBG/NBD (Batislam et al. 2007) and Gamma-Gamma (Fader & Hardie 2013), in
forms in which floats neither overflow nor lose digits by cancellation. Times are in units of the purchase
process, money in the unit of the mean that is passed in. "Alive" means that the customer has not left for
good. Given that, the buying rate is gamma(r + x, alpha + T) distributed, and the probability to leave after a
purchase beta(a, b + x) in BG/NBD and beta(a, b + x + 1) in MBG/NBD: so t_x matters only for whether a
customer is alive.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from stream.core.model.record import Horizon, PurchaseProcess, Spend
from stream.core.value.quadrature import Nodes, beta_nodes, half_line_nodes, unit_nodes

EXP_MAX = 700.0
"""math.exp overflows a little above 709."""


def p_alive(process: PurchaseProcess, x: int, t_x: float, T: float) -> float:
    """The probability that the customer has not left for good."""
    if x <= 0 and process.kind == "bgnbd":
        return 1.0  # BG/NBD lets nobody leave before the first repeat purchase
    z = dead_log_odds(process, x, t_x, T)
    return 1.0 / (1.0 + math.exp(z)) if z < EXP_MAX else math.exp(-z)


def dead_log_odds(process: PurchaseProcess, x: int, t_x: float, T: float) -> float:
    """Log-odds of having left for good: a sum of logarithms, so that it cannot overflow for any x."""
    b_x = process.b + x - 1.0 if process.kind == "bgnbd" else process.b + x
    silent = T - t_x if t_x < T else 0.0  # a late event may put the last purchase after `as_of`
    return math.log(process.a / b_x) + (process.r + x) * math.log1p(silent / (process.alpha + t_x))


def p_active(process: PurchaseProcess, x: int, t_x: float, T: float, horizon: float) -> float:
    """The probability of at least one more purchase within the horizon."""
    buys = -math.expm1(-(process.r + x) * math.log1p(horizon / (process.alpha + max(T, t_x))))
    return p_alive(process, x, t_x, T) * buys


def mean_gap(process: PurchaseProcess, x: int, t_x: float) -> float:
    """Posterior mean of the time between two purchases; infinite if r + x is at most 1."""
    purchases = process.r + x - 1.0
    return (process.alpha + t_x) / purchases if purchases > 0.0 else math.inf


def own_horizon(process: PurchaseProcess, horizon: Horizon, x: int, t_x: float) -> float:
    """The customer's own horizon: `factor` mean gaps, at least a week and at most a year by default."""
    reach = horizon.factor * mean_gap(process, x, t_x)
    unit_ms = process.unit_ms
    return min(max(reach, horizon.min_ms / unit_ms), horizon.max_ms / unit_ms)


def p_alive_falls_at(process: PurchaseProcess, x: int, t_x: float, threshold: float) -> float:
    """The age T at which P(alive) falls to the threshold if nothing is bought; infinite if it never does."""
    if not 0.0 < threshold < 1.0:
        return math.inf if threshold <= 0.0 else t_x
    if x <= 0 and process.kind == "bgnbd":
        return math.inf
    at_purchase = dead_log_odds(process, x, t_x, t_x)
    growth = (math.log(1.0 / threshold - 1.0) - at_purchase) / (process.r + x)
    if growth > EXP_MAX:
        return math.inf
    return t_x + (process.alpha + t_x) * math.expm1(growth) if growth > 0.0 else t_x


def next_purchase_within(process: PurchaseProcess, x: int, t_x: float, share: float) -> float:
    """Time after the last purchase within which this share of such customers, if alive, has bought again."""
    return (process.alpha + t_x) * math.expm1(-math.log1p(-share) / (process.r + x))


def gap_tail(process: PurchaseProcess, x: int, t_x: float, silent: float) -> float:
    """Share of the gaps of such a customer, if alive, that last at least as long as `silent`."""
    return math.exp(-(process.r + x) * math.log1p(silent / (process.alpha + t_x)))


def expected_purchases(
    process: PurchaseProcess,
    x: int,
    t_x: float,
    T: float,
    horizon: float,
) -> float:
    """Expected number of purchases within the horizon."""
    return _if_alive(process, x, t_x, T, purchases_if_alive(process, x, max(T, t_x), horizon))


def purchases_if_alive(
    process: PurchaseProcess,
    x: int,
    T: float,
    horizon: float,
    fineness: float = 1.0,
) -> float:
    """Expected number of purchases within the horizon, if the customer is alive.

    The mean over p, the probability to leave, of (1 - (1 + p horizon / (alpha + T)) ** -(r + x)) / p. Unlike
    the usual form with the hypergeometric function 2F1 it is not 0/0 at a = 1. A higher `fineness` takes more
    nodes.
    """
    if horizon <= 0.0:
        return 0.0
    rate, reach = process.r + x, horizon / (process.alpha + T)
    total = 0.0
    for p, weight in _leaving(process, x, fineness):
        total += weight * (-math.expm1(-rate * math.log1p(p * reach)) / p)
    return total


def discounted_purchases(
    process: PurchaseProcess,
    x: int,
    t_x: float,
    T: float,
    discount: float,
    horizon: float | None = None,
) -> float:
    """Expected purchases within the horizon (None: ever), each counted as exp(-discount * its delay)."""
    return _if_alive(process, x, t_x, T, discounted_if_alive(process, x, max(T, t_x), discount, horizon))


def discounted_if_alive(
    process: PurchaseProcess,
    x: int,
    T: float,
    discount: float,
    horizon: float | None = None,
    fineness: float = 1.0,
) -> float:
    """The same if the customer is alive; infinite without a horizon and without a discount.

    Integration by parts makes of the discounted stream of purchases a mean of expected purchases over spans.
    """
    if horizon is None:
        if discount <= 0.0:
            return math.inf  # with a <= 1 the undiscounted lifetime has no mean: never published
        nodes = half_line_nodes(0.11 / fineness)
        return sum(
            w * math.exp(-s) * purchases_if_alive(process, x, T, s / discount, fineness) for s, w in nodes
        )
    whole = purchases_if_alive(process, x, T, horizon, fineness)
    if discount <= 0.0:
        return whole
    earlier = sum(
        weight * math.exp(-discount * horizon * s) * purchases_if_alive(process, x, T, horizon * s, fineness)
        for s, weight in unit_nodes(0.12 / fineness)
    )
    return math.exp(-discount * horizon) * whole + discount * horizon * earlier


def expected_value(spend: Spend, x: int, mean: float) -> float:
    """Expected money of a future purchase, in units of `v`, from the mean of the x repeat purchases."""
    weight = spend.p * x + spend.q - 1.0
    return spend.p * (spend.v + x * mean) / weight if weight > 0.0 else math.inf


def purchase_count_tails(
    process: PurchaseProcess, x: int, t_x: float, T: float, horizon: float, wander: float = 0.0
) -> Iterator[float]:
    """P(at least 1), P(at least 2), ... purchases within the horizon: exact, for both processes.

    `wander` as in `rate_of`.
    """
    alive, rate = p_alive(process, x, t_x, T), rate_of(process, x, max(T, t_x), wander)
    return (alive * tail for tail in count_tails_if_alive(process, x, rate, horizon))


class BuyingRate(NamedTuple):
    """The buying rate of a customer who is alive, as far as it is known: gamma distributed."""

    shape: float
    scale: float
    """In units of the process: the mean rate is shape / scale."""


def rate_of(process: PurchaseProcess, x: int, T: float, wander: float = 0.0) -> BuyingRate:
    """The rate after x repeat purchases until the age T.

    `wander` is the squared coefficient of variation of the coming rate around the past one: the mean stays,
    and what is known of it is worth no more than 1 / wander purchases.
    """
    shape, scale = process.r + x, process.alpha + T
    if wander <= 0.0:
        return BuyingRate(shape, scale)
    share = 1.0 / (1.0 + wander * shape)
    return BuyingRate(shape * share, scale * share)


def count_tails_if_alive(
    process: PurchaseProcess, x: int, rate: BuyingRate, horizon: float
) -> Iterator[float]:
    """The same if the customer is alive and buys at this rate.

    The k-th purchase happens if the customer stayed after each of k - 1 purchases, and the unbroken Poisson
    stream reaches k: the two are independent given the data.
    """
    shape, reach = rate.shape, horizon / rate.scale
    a, b_x = process.a, _stays(process, x)
    log_ratio = math.log(reach) - math.log1p(reach)
    log_mass = -shape * math.log1p(reach)
    stays, below, count = 1.0, 0.0, 0
    while True:
        below += math.exp(log_mass)
        yield stays * max(0.0, 1.0 - below)
        stays *= (b_x + count) / (a + b_x + count)
        log_mass += math.log((shape + count) / (count + 1.0)) + log_ratio
        count += 1


def stay_share(process: PurchaseProcess, x: int) -> float:
    """The probability that a customer who is alive does not leave after the next purchase."""
    stays = _stays(process, x)
    return stays / (process.a + stays)


def discount_per_unit(process: PurchaseProcess, annual_discount: float, year_ms: int) -> float:
    """The continuous discount rate, per unit of the process, of a yearly rate (0.1: 10% a year)."""
    return math.log1p(annual_discount) * process.unit_ms / year_ms


def _if_alive(process: PurchaseProcess, x: int, t_x: float, T: float, amount: float) -> float:
    """P(alive) times an amount; by logarithms where the probability is so small that it would lose digits."""
    alive = p_alive(process, x, t_x, T)
    if alive > 1e-290 or amount <= 0.0:
        return alive * amount
    return math.exp(math.log(amount) - dead_log_odds(process, x, t_x, T))


def _stays(process: PurchaseProcess, x: int) -> float:
    """Second parameter of the beta distribution of the probability to leave, if the customer is alive."""
    return process.b + x if process.kind == "bgnbd" else process.b + x + 1.0


@lru_cache(maxsize=256)
def _leaving(process: PurchaseProcess, x: int, fineness: float) -> Nodes:
    return beta_nodes(process.a, _stays(process, x), fineness)
