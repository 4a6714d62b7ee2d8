"""Whether baskets grow is told by what is kept of them: what went back, or was cancelled, is no growth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.facts.memory.baskets import kept_baskets
from stream.core.facts.memory.corrections import Corrections
from stream.core.facts.purchases import ORDERS_KEPT
from stream.core.facts.sums import Sums, priced_orders
from stream.core.judgement.rules import basket_growth
from tests.support.builders import basis, bought, cancelled, refunded
from tests.support.laws import lived

STEADY = [bought(day, 4_000, f"s{day}", event_id=f"s{day}") for day in range(0, 200, 20)]
LARGE = [bought(200 + day, 40_000, f"l{day}", event_id=f"l{day}") for day in (1, 5)]


def growth(*life):
    return basket_growth(lived(list(life), basis())[0])


def sent_back(minor, *orders):
    return [refunded(210, order, minor, event_id=f"back-{order}") for order in orders]


def test_baskets_that_went_back_are_no_growth():
    assert growth(*STEADY, *LARGE) > 0.4
    assert growth(*STEADY, *LARGE, *sent_back(40_000, "l1", "l5")) == pytest.approx(0, abs=1e-9)


def test_what_was_kept_of_a_basket_counts():
    kept = [bought(200 + day, 10_000, f"l{day}", event_id=f"l{day}") for day in (1, 5)]

    assert growth(*STEADY, *LARGE, *sent_back(30_000, "l1", "l5")) == pytest.approx(growth(*STEADY, *kept))


def test_cancelled_baskets_are_no_growth():
    gone = [cancelled(210, f"l{day}", event_id=f"gone{day}") for day in (1, 5)]

    assert growth(*STEADY, *LARGE, *gone) == pytest.approx(0, abs=1e-9)


def test_a_refund_of_an_order_that_is_not_known_changes_no_basket():
    assert growth(*STEADY, *LARGE, *sent_back(4_000, "unknown")) == pytest.approx(growth(*STEADY, *LARGE))


def test_a_customer_who_kept_nothing_does_not_grow():
    assert growth(*LARGE, *sent_back(40_000, "l1", "l5")) == 0.0


@given(st.lists(st.integers(0, 90_000), min_size=2, max_size=ORDERS_KEPT + 8))
def test_without_refunds_the_sums_of_kept_baskets_are_those_of_the_row(amounts):
    life = [bought(at * 3.0, minor, f"o{at}", event_id=f"e{at}") for at, minor in enumerate(amounts)]
    buying = lived(life, basis())[0].buying
    nothing_back = Corrections(buying.orders, {}, {}, {})
    found = kept_baskets(buying.orders, nothing_back, buying.older or Sums(), "USD")

    assert (priced_orders(found), found.gross_minor) == (priced_orders(buying.sums), buying.sums.gross_minor)
    assert found.basket_sum == pytest.approx(buying.sums.basket_sum)
    assert found.basket_weight == pytest.approx(buying.sums.basket_weight)
