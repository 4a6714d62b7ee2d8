"""Events that stand twice in a recording count once in the report and in the outcomes that models learn."""

from __future__ import annotations

import pytest

from stream.analysis.business.ledger import read_ledger
from stream.core.policy.policy import Policy
from stream.fit.history import read_history
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from tests.support.builders import at, bought, cancelled, from_source, refunded
from tests.support.strategies import in_time_order

SHOP = Shop(seed=4, customers=20, days=300)
EVENTS = shop_events(SHOP, planned_lives(SHOP))


def amounts(life):
    """What moved, per customer, in order of time."""
    ledger = read_ledger(in_time_order(life), (), Policy())
    return {who: [(one.at_ms, one.minor) for one in moves] for who, moves in ledger.payments.items()}


def test_money_costs_and_incidents_of_a_history_that_stands_twice_count_once():
    once, twice = (
        read_ledger(EVENTS, (), Policy()),
        read_ledger(in_time_order([*EVENTS, *EVENTS]), (), Policy()),
    )

    assert {who: sorted(moves) for who, moves in twice.payments.items()} == {
        who: sorted(moves) for who, moves in once.payments.items()
    }
    assert {name: cost.spend_minor for name, cost in twice.costs.items()} == {
        name: cost.spend_minor for name, cost in once.costs.items()
    }
    assert twice.discounted == once.discounted
    assert twice.history.orders == once.history.orders


def test_an_order_that_is_cancelled_and_paid_is_paid_once():
    life = [bought(0, 5_000, "77"), cancelled(1, "77"), bought(2, 5_000, "77")]

    assert amounts(life) == {"c": [(at(2), 5_000)]}
    assert list(read_history(life, (), Policy()).orders["c"].values()) == [at(2)]


def test_a_new_version_of_an_order_takes_the_place_of_the_first():
    life = [bought(0, 5_000, "77"), bought(2, 6_000, "77")]

    assert sum(amount for _, amount in amounts(life)["c"]) == 6_000


@pytest.mark.parametrize(("source", "left"), [("/shop-us", 2_000), ("/shop-eu", 1_000), ("/helpdesk", 3_000)])
def test_a_cancellation_is_about_the_order_of_its_own_shop(source, left):
    life = [
        from_source("/shop-us", bought(0, 1_000, "1001")),
        from_source("/shop-eu", bought(31, 2_000, "1001")),
        from_source(source, cancelled(40, "1001")),
    ]

    assert sum(amount for _, amount in amounts(life)["c"]) == left
    assert len(read_history(life, (), Policy()).orders["c"]) == (2 if left == 3_000 else 1)


def test_a_cancellation_from_another_system_is_about_the_only_order_of_its_number():
    life = [bought(0, 1_000, "1001"), from_source("/helpdesk", cancelled(40, "1001"))]

    assert amounts(life) == {}


def test_refunds_still_count_each():
    life = [bought(0, 5_000, "77"), refunded(1, "77", 100), refunded(2, "77", 100)]

    assert sum(amount for _, amount in amounts(life)["c"]) == 4_800
