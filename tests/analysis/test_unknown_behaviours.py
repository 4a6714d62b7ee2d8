"""What no source says of a customer is unknown: it is not compared as if they had not done it."""

import pytest
from msgspec.structs import replace

from stream.analysis.business.drivers import drivers
from stream.analysis.business.ledger import Ledger, read_ledger
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from tests.support.builders import at, bought

POLICY = Policy()
END = 500
TILL, WEB = "/till", "/web"


def life(customer, source, first_day, discounts):
    """A customer who buys 15 times, every 20 days; each time with a discount where `discounts` says so.

    Who begins before day 160 has left at the END.
    """
    events = []
    for number in range(15):
        event = bought(first_day + 20 * number, customer=customer, order=f"{customer}-{number}")
        data = replace(event.data, discount_minor=100 if discounts else 0)
        events.append(replace(event, source=source, data=data))
    return events


def compared(lives):
    events = sorted((event for one in lives for event in one), key=lambda event: event.time_ms)
    day_ms = at(END) // DAY_MS * DAY_MS
    ledger = read_ledger(events, (day_ms,), POLICY)
    found = drivers(ledger, ledger.history.snapshots[day_ms], POLICY)
    return ledger, {one.contrast.name: one.contrast for one in found if one.tier == "everybody"}


def web_customers():
    """Half of them with discounts; who begins when, and so leaves, does not depend on that."""
    return [
        life(f"w{discounts}{number}", WEB, 2 * number, discounts)
        for discounts in (0, 1)
        for number in range(100)
    ]


def test_customers_of_a_source_without_discounts_are_not_compared_as_without_discount():
    tills = [life(f"t{number}", TILL, 100 + number % 50, 0) for number in range(100)]  # all of them leave
    _, found = compared([*web_customers(), *tills])
    discounted = found["mostly discounted orders"]

    assert discounted.left_exposed == pytest.approx(discounted.left_matched, abs=0.02)


def test_where_no_order_has_a_discount_nothing_is_said_of_discounts():
    _, found = compared([life(f"t{number}", TILL, 2 * number, 0) for number in range(120)])

    assert "mostly discounted orders" not in found


def test_of_a_customer_of_two_sources_only_the_orders_of_the_telling_one_count():
    ledger, _ = compared([life("b", WEB, 0, 1), life("b2", WEB, 0, 0), life("b", TILL, 7, 0)])

    assert ledger.discounting == {WEB}
    assert (ledger.discounted["b"], ledger.ordered[WEB]["b"], ledger.ordered[TILL]["b"]) == (15, 15, 15)


def test_parts_of_customers_make_the_same_ledger():
    first, second = ([one for life in web_customers()[at::2] for one in life] for at in (0, 1))
    parts = [read_ledger(sorted(part, key=lambda e: e.time_ms), (), POLICY) for part in (first, second)]
    whole = read_ledger(sorted([*first, *second], key=lambda e: e.time_ms), (), POLICY)

    assert Ledger.joined(parts).ordered == {WEB: dict(sorted(whole.ordered[WEB].items()))}
    assert Ledger.joined(parts).discounting == whole.discounting
