"""What the business report counts: cancelled orders never happened, equal customers have equal ranks, 90 days
are 90 days, a plan answers a reason to leave, and a lifetime says how certain it is."""

from typing import Any

import numpy as np
import pytest

from stream.analysis.business.drivers import play_of
from stream.analysis.business.ledger import read_ledger
from stream.analysis.business.payments import Payment
from stream.analysis.business.retention import retention_by_spending, retention_table
from stream.core.events import event as ev
from stream.core.model.record import Retention
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, YEAR_MS
from stream.fit.purchases.shifted_beta_geometric import lifetime_interval, lifetime_periods, survival
from stream.panes.kept import kept
from stream.policy_file import default_policy
from tests.support.builders import at, bought, cancelled
from tests.support.studies import report_of

QUARTER = YEAR_MS // 4
TIERS = [("bronze", 0.0), ("silver", 0.5), ("gold", 0.8), ("platinum", 0.95)]


def report(events: list[ev.Event], end: int) -> dict[str, Any]:
    return report_of(sorted(events, key=lambda one: one.time_ms), at(end) // DAY_MS * DAY_MS)


def shop_with_cancelled_orders(*, cancel: bool) -> list[ev.Event]:
    """Customers who order every 30 days for 300 days, and once more later: cancelled, or never."""
    events: list[ev.Event] = []
    for number in range(12):
        events += [
            bought(30 * place + number, customer=f"c{number}", order=f"o{number}-{place}", minor=5_000)
            for place in range(11)
        ]
        if cancel:
            order = f"late{number}"
            events += [
                bought(430 + number, customer=f"c{number}", order=order, minor=90_000),
                cancelled(430.02 + number, order, customer=f"c{number}"),
            ]
    return events


def test_a_cancelled_order_is_in_no_number_of_retention_win_back_and_growth():
    with_them, without = (report(shop_with_cancelled_orders(cancel=cancel), 500) for cancel in (True, False))

    for part in ("by_value", "saved", "rates"):
        assert with_them["retention"][part] == without["retention"][part]
    assert with_them["development"]["growth"] == without["development"]["growth"]
    assert sum(one["came_back"] for one in with_them["retention"]["saved"]) == 0
    assert all(one["orders_now"] == 0 for one in with_them["development"]["growth"])


def test_an_order_that_comes_again_with_another_amount_is_one_order_of_that_amount():
    first, second = (
        bought(1, customer="a", order="o", minor=1_000),
        bought(1.5, customer="a", order="o", minor=1_200),
    )
    ledger = read_ledger([first, second], (), Policy())

    assert [one.minor for one in ledger.payments["a"]] == [1_200]


def test_a_cancelled_order_had_no_discount():
    events = [
        bought(1, customer="a", order="o", minor=900, discount=100),
        cancelled(1.1, "o", customer="a"),
        bought(9, customer="a", order="p", minor=1_000),
    ]
    ledger = read_ledger(events, (), Policy())

    assert ledger.discounted.get("a", 0) == 0
    assert [of_source["a"] for of_source in ledger.ordered.values()] == [1]


def test_where_all_pay_the_same_nobody_is_of_the_best_twentieth():
    payments = {
        f"c{number}": [Payment(at_ms, 4_900, at_ms) for at_ms in (DAY_MS, QUARTER + DAY_MS)]
        for number in range(100)
    }
    table = retention_table({}, 0, 4 * QUARTER + DAY_MS, 0.1)

    rows = retention_by_spending(payments, table, 2 * QUARTER + 1, TIERS)

    assert {one.segment: one.active for one in rows if one.active} == {"bronze": 100}


def test_a_price_that_most_pay_is_ranked_by_how_many_pay_less():
    """42 of 100 pay less than the others, who all pay the same: these are above the lowest 42%, no better."""
    payments = {
        f"c{number}": [Payment(DAY_MS, 4_900 if number < 58 else 1_000, DAY_MS)] for number in range(100)
    }
    steps = [("bronze", 0.0), ("silver", 0.4), ("gold", 0.8), ("platinum", 0.95)]

    rows = retention_by_spending(
        payments, retention_table({}, 0, 4 * QUARTER + DAY_MS, 0.1), 2 * QUARTER + 1, steps
    )

    assert {one.segment: one.active for one in rows if one.active} == {"bronze": 42, "silver": 58}


def test_in_a_shop_of_one_price_no_driver_and_no_dead_end_is_of_the_highest_tier():
    events: list[ev.Event] = [
        bought((15 if number % 2 else 20) * place, customer=f"c{number}", minor=4_900)
        for number in range(80)
        for place in range(5 if number % 2 else 15)
    ]
    numbers = report(events, 320)

    assert numbers["dead_ends"]
    assert "platinum" not in {one["tier"] for one in numbers["dead_ends"]}


@pytest.mark.parametrize(
    ("behaviour", "odds_ratio", "has_plan"),
    [
        ("returned something", 2.0, True),
        ("returned something", 0.5, False),
        ("ticket or complaint", 0.4, False),
        ("detractor (NPS 0-6)", 0.9, False),
        ("blamed delivery", 3.0, True),
        ("blamed delivery", 0.3, False),
        ("mostly discounted orders", 0.5, False),
        ("promoter (NPS 9-10)", 0.5, True),
        ("praised delivery", 3.0, False),
        ("buys mostly toys", 2.0, True),
    ],
)
def test_the_plan_for_trouble_is_for_those_who_leave_after_it(behaviour, odds_ratio, has_plan):
    assert bool(play_of(behaviour, odds_ratio, default_policy())[0]) is has_plan


def test_for_quarterly_buyers_the_period_is_no_month():
    """Ten months of a shop whose customers buy every 91 days: by the month nobody would ever come back."""
    orders = {
        f"c{number}": {str(place): (number % 28 + 91 * place) * DAY_MS for place in range(4)}
        for number in range(60)
    }
    table = retention_table(orders, 0, 304 * DAY_MS, 0.1)

    assert table.unit == "quarter"
    rates = [one.rate for one in table.rates if one.cohort == -1]
    assert rates
    assert all(rate and rate > 0.9 for rate in rates)


def test_for_monthly_buyers_of_ten_months_it_still_is():
    orders = {
        f"c{number}": {str(place): (number % 28 + 28 * place) * DAY_MS for place in range(10)}
        for number in range(60)
    }
    assert retention_table(orders, 0, 304 * DAY_MS, 0.1).unit == "month"


@pytest.mark.parametrize(
    ("days_ago", "new", "before"), [(0, 1, 0), (89, 1, 0), (90, 0, 1), (179, 0, 1), (180, 0, 0)]
)
def test_new_in_the_last_90_days_is_of_90_days(days_ago, new, before):
    """The day of the report is the first of the 90; the 90 days before begin with the next."""
    end = 500
    events = [*(bought(day, customer="old") for day in (1, 40)), bought(end - days_ago, customer="new")]
    found = report([*events, bought(end, customer="old")], end)["acquisition"]

    assert (found["new_90_days"], found["new_90_days_before"]) == (new, before)


def cohort(retention: Retention, customers: int, periods: int) -> np.ndarray:
    return np.round(customers * survival(retention, periods))


def test_a_lifetime_has_an_interval_that_holds_the_truth_and_narrows_with_the_periods():
    truth = Retention(alpha=1.2, beta=2.5)
    real = lifetime_periods(truth, 0.05)
    widths = []
    for periods in (2, 5, 10):
        low, high = lifetime_interval(cohort(truth, 400, periods), 0.05)
        assert low <= real <= high
        widths.append(high / low)
    assert widths[0] > widths[1] > widths[2]


def test_the_report_gives_the_interval_of_a_lifetime_and_no_lifetime_that_it_does_not_know():
    table = retention_of(members=40, periods=4)
    assert table.lifetime is not None
    low, high = table.lifetime_90
    assert low <= table.lifetime <= high


def retention_of(members: int, periods: int) -> Any:
    """A cohort that halves each quarter."""
    orders = {
        f"c{number}": {
            str(place): place * QUARTER + DAY_MS for place in range(periods) if number < members // 2**place
        }
        for number in range(members)
    }
    return retention_table(orders, 0, periods * QUARTER + DAY_MS, 0.1)


@pytest.mark.parametrize(("low", "high", "words"), [(1.4, 3.2, "1.4 to 3.2"), (1.4, 90.0, "more than 1.4")])
def test_the_page_says_how_certain_a_lifetime_is(low, high, words):
    numbers = report([bought(day, customer=f"c{day % 9}") for day in range(500)], 500)
    numbers["retention"] |= {
        "simple_lifetime_periods": 2.0,
        "sbg_lifetime_periods": 2.2,
        "sbg_lifetime_90": [low, high],
    }
    assert words in kept(numbers)
