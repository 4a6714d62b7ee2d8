"""The purchase process, given how likely the customer is to buy within their own horizon.

Alerts state a chance of buying again that may rest on more than frequency and recency (risk/churn.py). Value
has to agree with it. Of all ways to see the future that have this chance, the one nearest to the process (of
least relative entropy; Jeffrey's rule, "The Logic of Decision", 1965) leaves the futures in which they
buy within the own horizon as likely among themselves as the process has them, and so those in which they do
not. Only how much the two groups weigh is the stated chance: whoever stays away is then still alive with the
probability that the process gives after such a silence. Where the stated chance is that of the process, so is
everything else. docs/decisions says against what this was measured.

Times are in units of the process.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from stream.core.value.clv import BuyingRate

NODES = ((0.1127016653792583, 5.0 / 18.0), (0.5, 8.0 / 18.0), (0.8872983346207417, 5.0 / 18.0))
"""Gauss-Legendre nodes and weights on (0, 1)."""


class Returning(NamedTuple):
    """The next purchase of one customer: the stated chance, beside what the process says."""

    chance: float
    """Of a purchase within `within`, 0 to 1: the stated one."""
    within: float
    """The customer's own horizon."""
    buys: float
    """P(a purchase within `within`), if the customer is alive."""
    waits: float
    """P(alive), if nothing is bought within `within`."""


def returning(rate: BuyingRate, alive: float, chance_within: tuple[float, float]) -> Returning:
    """The stated chance and its horizon (`chance_within`) beside the process: its rate, and its P(alive)."""
    chance, within = chance_within
    waits_log = -rate.shape * math.log1p(within / rate.scale)
    silent = alive * math.exp(waits_log)
    away = 1.0 - alive + silent
    return Returning(chance, within, -math.expm1(waits_log), silent / away if away > 0.0 else 0.0)


def first_purchases(rate: BuyingRate, one: Returning) -> list[tuple[float, float]]:
    """When the next purchase comes, if within the own horizon: delays and their weights, which sum to 1."""
    shape, scale = rate
    return [(scale * math.expm1(-math.log1p(-place * one.buys) / shape), weight) for place, weight in NODES]


def soon_within(rate: BuyingRate, one: Returning, span: float) -> Returning:
    """The next purchase within a span as well as the own horizon; the same, where the span is the longer."""
    if span >= one.within:
        return one
    buys = -math.expm1(-rate.shape * math.log1p(span / rate.scale))
    return one._replace(chance=one.chance * buys / one.buys, within=span, buys=buys)
