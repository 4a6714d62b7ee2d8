"""How much the customers of a tier order and pay, in two windows of one length."""

from typing import Any

import numpy as np

from stream.core.units import DAY_MS
from tests.support.builders import at, bought
from tests.support.studies import report_of


def test_in_a_shop_where_nobody_changes_no_tier_orders_less_or_more():
    """The tier is that of before both windows: who was of a high tier between them had just bought a lot, who
    was of a low one little."""
    chance = np.random.default_rng(8)
    events = [
        bought(float(day), 800, f"o{number}-{place}", customer=f"c{number}")
        for number, rate in enumerate(chance.gamma(1.2, 1 / 30, 500))
        for place, day in enumerate(np.sort(chance.uniform(0, 500, chance.poisson(rate * 500))))
    ]
    found = report_of(sorted(events, key=lambda one: one.time_ms), at(499) // DAY_MS * DAY_MS)

    development: Any = found["development"]
    above = development["growth"][1:]
    assert min(one["customers"] for one in above) > 40
    for one in above:
        assert abs(one["orders_now"] / one["orders_before"] - 1) < 0.05, one
