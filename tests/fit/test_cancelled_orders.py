"""Fits, report and uplift take the same orders as cancelled as the profile does, of whatever source."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.analysis.business.payments import PaidOrders
from stream.analysis.uplift.follow import lives_of
from stream.core.currency import Exchange
from stream.core.events.event import Event
from stream.core.facts.memory.order_match import live_orders
from stream.core.facts.profile import Profile
from stream.core.facts.sums import Order
from stream.core.policy.policy import Policy
from stream.fit.history import read_history
from tests.support.builders import basis, bought, cancelled, from_source, refunded
from tests.support.laws import lived
from tests.support.strategies import in_time_order

SOURCES = ("/shop-us", "/shop-eu", "/helpdesk")


def times_of_orders(life: list[Event]) -> list[list[int]]:
    """When the orders that count were placed: by history, report, uplift and the profile."""
    orders = read_history(life, (), Policy()).orders.get("c", {})
    paid = PaidOrders()
    for event in life:
        paid.note(event, event.time_ms, Exchange())
    booked, followed = paid.orders.get("c", {}), lives_of(["c"], life, Exchange()).by_customer["c"].orders
    profile, _ = lived(life, basis())
    from_facts = [order.at_ms for order in live(profile)]
    return [
        *(sorted(orders.values()), sorted(one.at_ms for one in booked.values())),
        *(sorted(one.at_ms for one in followed.values()), sorted(from_facts)),
    ]


def live(profile: Profile) -> list[Order]:
    buying = profile.buying
    return live_orders(buying.orders, buying.cancelled, buying.cancelled_by)


def counts(life: list[Event]) -> set[int]:
    return {len(times) for times in times_of_orders(life)}


TWO_SHOPS = [
    from_source("/shop-us", bought(0, 1_000, "1001", event_id="1")),
    from_source("/shop-eu", bought(1, 2_000, "1001", event_id="1")),
]


def test_a_second_cancellation_of_one_shop_leaves_the_order_of_another():
    again = [from_source("/shop-us", cancelled(day, "1001", event_id=f"{day}")) for day in (2, 3)]

    assert counts([*TWO_SHOPS, *again]) == {1}
    assert counts([*TWO_SHOPS, again[0], again[0]]) == {1}


def test_a_helpdesk_that_could_mean_two_orders_cancels_neither():
    first, second = TWO_SHOPS
    by_helpdesk = [from_source("/helpdesk", cancelled(day, "1001", event_id=f"h{day}")) for day in (0.5, 2)]

    assert counts([first, by_helpdesk[0]]) == {0}
    assert counts([first, by_helpdesk[0], second]) == {2}
    assert counts([first, by_helpdesk[0], second, by_helpdesk[1]]) == {2}


def test_what_went_back_of_a_cancelled_order_is_not_taken_from_the_order_of_another_shop():
    life = [
        *TWO_SHOPS,
        from_source("/shop-us", refunded(2, "1001", 900, event_id="r")),
        from_source("/shop-us", cancelled(3, "1001", event_id="c")),
    ]
    paid = PaidOrders()
    for event in life:
        paid.note(event, event.time_ms, Exchange())
    profile, _ = lived(life, basis())
    life_of_c = lives_of(["c"], life, Exchange()).by_customer["c"]

    assert sum(one.minor for one in paid.moved()["USD"]["c"]) == profile.buying.net_minor == 2_000
    assert [order.minor for order in life_of_c.orders.values()] == [2_000]


@st.composite
def shops(draw):
    """Orders and cancellations of one number in three systems, some of them twice; one order of a number and
    source is placed once, as facts keep the last time and uplift the first."""
    life = []
    for number in range(draw(st.integers(4, 12))):
        day, order, source = float(number), "o", draw(st.sampled_from(SOURCES))
        make = draw(st.sampled_from(["bought", "cancelled", "cancelled"]))
        event = (
            bought(day, 1_000, order, event_id=f"e{number}")
            if make == "bought"
            else cancelled(day, order, event_id=f"e{number}")
        )
        life.append(from_source(source, event))
    return in_time_order(life)


@given(shops())
def test_history_and_report_hold_the_orders_that_the_profile_counts(life):
    of_history, of_report, of_uplift, of_profile = times_of_orders(life)

    assert of_history == of_report == of_profile
    assert len(of_uplift) == len(of_profile)
