"""Customers with many orders: their numbers are looked up, and the facts are those of a walk through all."""

from __future__ import annotations

from copy import deepcopy

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.facts import purchases
from stream.core.facts.memory.order_match import GONE_NUMBERS_MAX, MANY_ORDERS, ManyOrders
from stream.core.facts.profile import Profile
from stream.core.facts.purchases import ORDERS_KEPT
from tests.support.builders import basis, bought, cancelled, from_source, refunded
from tests.support.laws import ENCODE, lived

SOURCES = ("/shop", "/shop-us")


@st.composite
def busy_lives(draw):
    """Up to 90 purchases; numbers come again, of either source, some late, some refunded or cancelled."""
    life = []
    for number in range(draw(st.integers(MANY_ORDERS, ORDERS_KEPT + 26))):
        late = draw(st.sampled_from((0.0, 0.0, 0.0, 3.5, 40.0)))
        again = draw(st.sampled_from((0, 0, 0, 1, 5)))
        name = f"o{number - again}"
        day, event_id = 50.0 + number, f"b{number}"
        events = [
            *[bought(day - late, 1_000 + number, name, event_id=event_id)] * 8,
            refunded(day, name, 700, event_id=event_id),
            cancelled(day, name, event_id=event_id),
        ]
        life.append(from_source(draw(st.sampled_from(SOURCES)), draw(st.sampled_from(events))))
    return life


@given(busy_lives())
def test_looking_numbers_up_changes_no_fact(life):
    with pytest.MonkeyPatch.context() as walked:
        walked.setattr(purchases, "MANY_ORDERS", 10**9)
        expected, _ = lived(life, basis())
    found, _ = lived(life, basis())

    assert ENCODE(found) == ENCODE(expected)
    orders = found.buying.orders
    if type(orders) is ManyOrders:
        assert {order.order_id for order in orders} <= set(orders.numbers)


def test_an_order_that_comes_again_among_many_counts_once():
    life = [bought(day, 1_000, f"o{day}") for day in range(40)]
    again = bought(60, 2_500, "o7", event_id="again")

    profile, _ = lived([*life, again], basis())

    assert type(profile.buying.orders) is ManyOrders
    assert profile.buying.sums.orders == 40
    assert profile.buying.sums.gross_minor == 39 * 1_000 + 2_500


def test_numbers_of_orders_that_are_gone_are_forgotten():
    profile, _ = lived([bought(day, 1_000, f"o{day}") for day in range(300)], basis())

    orders = profile.buying.orders
    assert type(orders) is ManyOrders
    assert len(orders) == ORDERS_KEPT
    assert len(orders.numbers) <= ORDERS_KEPT + GONE_NUMBERS_MAX


def test_many_orders_are_written_and_copied_like_any():
    profile, _ = lived([bought(day, 1_000, f"o{day}") for day in range(30)], basis())
    read = msgspec.json.decode(ENCODE(profile), type=Profile)

    copied = deepcopy(profile).buying.orders

    assert type(copied) is ManyOrders
    assert (copied, set(copied.numbers)) == (profile.buying.orders, {f"o{day}" for day in range(30)})
    assert read.buying.orders == profile.buying.orders
