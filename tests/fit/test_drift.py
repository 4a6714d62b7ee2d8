"""A warning where the last weeks are unlike those that were learnt from, and none where they are alike."""

import pytest

from stream.core.units import DAY_MS, WEEK_MS
from stream.fit.risk.drift import drift_words, unlike_words


def orders(before, after, changes_on, days=400):
    """Times of orders: so many a day before a day, and so many from then on."""
    return [day * DAY_MS + n for day in range(days) for n in range(before if day < changes_on else after)]


@pytest.mark.parametrize("after", [1, 3, 18])
def test_last_weeks_of_far_fewer_or_far_more_purchases_are_warned_of(after):
    (words,) = drift_words(orders(9, after, 370), 100 * DAY_MS, 399 * DAY_MS)

    assert "The last 4 weeks are unlike the time learnt from" in words


@pytest.mark.parametrize(("before", "after"), [(9, 9), (9, 7), (9, 12)])
def test_weeks_alike_are_not_warned_of(before, after):
    assert drift_words(orders(before, after, 370), 100 * DAY_MS, 399 * DAY_MS) == ()


def test_nothing_can_be_seen_with_few_orders_or_without_a_time_before():
    assert drift_words([day * DAY_MS for day in range(0, 300, 10)], 100 * DAY_MS, 399 * DAY_MS) == ()
    assert drift_words([], 399 * DAY_MS, 399 * DAY_MS) == ()


def test_a_backtest_says_that_the_time_after_its_split_was_unlike_the_time_before():
    (words,) = unlike_words(orders(9, 3, 200), 0, 199 * DAY_MS, 26 * WEEK_MS)

    assert "The 26 weeks after the split were unlike the time before: 33%" in words
    assert unlike_words(orders(9, 9, 200), 0, 199 * DAY_MS, 26 * WEEK_MS) == []
