"""The business report with free orders, and with orders of which all went back or that were cancelled."""

from itertools import chain

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.analysis.business.ledger import read_ledger
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS
from stream.fit.purchases.spending import fit_spend
from tests.support.builders import at, bought, cancelled, from_source, refunded
from tests.support.studies import report_of

ORDERS = st.sampled_from("abc")
REFUND_IDS = st.sampled_from("rs")
kinds = st.one_of(
    st.tuples(st.just("bought"), ORDERS, st.integers(0, 900)),
    st.tuples(st.just("refunded"), ORDERS, st.integers(0, 1_200), REFUND_IDS),
    st.tuples(st.just("cancelled"), ORDERS),
)


def event_of(day, what):
    kind, order, *more = what
    if kind == "bought":
        return bought(day, more[0], order)
    if kind == "cancelled":
        return cancelled(day, order)
    back = refunded(day, order, more[0])
    return msgspec.structs.replace(back, data=msgspec.structs.replace(back.data, refund_id=more[1]))


@given(st.lists(kinds, max_size=12))
def test_the_ledger_has_the_money_that_the_facts_of_the_customer_have(whats):
    """Oracle: the facts count each order less what went back of it, whatever comes in which order."""
    events = [event_of(day, what) for day, what in enumerate(whats)]
    ledger = read_ledger(events, (), Policy())
    sums = ledger.history.profiles["c"].buying.sums if events else None
    if sums is None or not sums.orders:
        return

    paid = sum(one.minor for one in ledger.payments.get("c", ()))
    assert paid == sums.gross_minor - sums.refunded_minor
    assert sum(one.is_order for one in ledger.payments["c"]) == sums.orders


def shop(last, minor=5_000):
    """Twenty customers who order every 30 days for 240 days; `last` are the events after that of each."""
    lives = [
        [
            bought(30 * place + number, minor, f"o{number}-{place}", customer=f"c{number}")
            for place in range(9)
        ]
        for number in range(20)
    ]
    every = chain(*lives, *(last(number) for number in range(20)))
    return sorted(every, key=lambda event: event.time_ms)


def of(number, event):
    return msgspec.structs.replace(event, subject=f"c{number}")


def report(last, end=430):
    return report_of(shop(last), at(end) // DAY_MS * DAY_MS)


def went_back(number):
    """A large order of which all went back soon."""
    order = f"back{number}"
    return [
        of(number, bought(345 + number, 90_000, order)),
        of(number, refunded(355 + number, order, 90_000)),
    ]


def free(number):
    return [of(number, bought(345 + number, 0, f"free{number}"))]


def test_an_order_of_which_all_went_back_brought_as_much_as_a_free_one():
    one, other = report(went_back), report(free)

    assert one["retention"]["by_value"] == other["retention"]["by_value"]
    assert one["retention"]["rates"] == other["retention"]["rates"]
    assert one["retention"]["saved"] == other["retention"]["saved"]
    assert sum(row["value_back_minor"] for row in one["retention"]["saved"]) == 0


def test_who_comes_back_for_a_free_order_is_kept_in_every_count_of_retention():
    numbers = report(free)["retention"]
    rates = [one for one in numbers["rates"] if one["cohort"] == -1]

    assert sum(one["again"] for one in numbers["by_value"]) == sum(one["again"] for one in rates)
    assert sum(one["active"] for one in numbers["by_value"]) == sum(one["active"] for one in rates)


def test_free_orders_are_orders_of_their_tier_without_a_basket():
    growth = report(free)["development"]["growth"]

    assert sum(one["orders_now"] * one["customers"] for one in growth) == pytest.approx(20)
    assert all(one["basket_now_minor"] is None for one in growth)


def test_a_model_says_that_repeat_buyers_who_paid_nothing_are_left_out():
    x, paid = np.full(100, 2.0), np.where(np.arange(100) < 10, 0.0, 20.0 + np.arange(100) % 7)

    notes = fit_spend(x, paid).notes

    assert [note for note in notes if note.startswith("10 of 100 repeat buyers paid nothing")]
    assert fit_spend(x[10:], paid[10:]).notes == fit_spend(x, np.where(paid > 0, paid, 21.0)).notes == ()


def test_a_refund_or_cancellation_that_comes_again_is_not_about_an_order_of_another_source():
    both = [bought(1, 700, "a"), from_source("/till", bought(2, 900, "a"))]
    twice = [cancelled(3, "a"), cancelled(4, "a"), refunded(5, "a", 700)]

    ledger = read_ledger([*both, *twice], (), Policy())

    assert [one.minor for one in ledger.payments["c"]] == [900]
