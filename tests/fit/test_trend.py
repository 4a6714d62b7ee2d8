"""A trend is learnt where known customers buy more than their past says, and only where it was better."""

from dataclasses import replace as with_fields
from datetime import UTC, datetime
from functools import lru_cache

import pytest
from msgspec.structs import replace

from stream.core.model.record import Horizon
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, WEEK_MS, YEAR_MS
from stream.fit.history import read_history
from stream.fit.model_fit import FitOptions, base_model
from stream.fit.value.trend import bought_within, expected_purchases, learnt_trend
from stream.importing.generated.kinds.history import kind_history
from stream.model_file import default_model

SPLIT_MS = int(datetime(2024, 3, 31, tzinfo=UTC).timestamp() * 1_000)
AHEAD_MS = 26 * WEEK_MS
DAYS_MS = tuple(SPLIT_MS - weeks * WEEK_MS for weeks in (26, 52, 78))


@lru_cache(maxsize=4)
def shop(kind):
    """The whole history of a shop of some hundred customers, what was known of it at the split, and models
    of the earlier days."""
    events = kind_history(kind, 1, 700)[1]
    whole = read_history(events, (*DAYS_MS, SPLIT_MS), Policy())
    orders = {
        customer: {name: at_ms for name, at_ms in orders.items() if at_ms < SPLIT_MS + DAY_MS}
        for customer, orders in whole.orders.items()
    }
    options = FitOptions("test", "a test", Horizon())
    models = {day: base_model(one, options, default_model())[0] for day, one in whole.snapshots.items()}
    lessons = {day: (models[day], sorted({AHEAD_MS, SPLIT_MS - day})) for day in DAYS_MS}
    return whole, with_fields(whole, orders=orders), models[SPLIT_MS], lessons


def total(kind, model):
    """Expected purchases of known customers within half a year of the split, over those that came."""
    whole, *_ = shop(kind)
    now = whole.snapshots[SPLIT_MS]
    return expected_purchases(model, now, AHEAD_MS).sum() / bought_within(whole, now, AHEAD_MS).sum()


def test_in_a_growing_shop_the_total_is_right_only_with_the_trend():
    _, known, model, lessons = shop("growth")

    trend = learnt_trend(known, lessons)

    assert trend is not None
    assert trend == learnt_trend(known, lessons)
    assert trend.factor(YEAR_MS) > 1.1
    assert "times as often" in trend.learnt
    assert total("growth", model) < 0.9 < total("growth", replace(model, trend=trend)) < 1.1


def test_a_shop_whose_customers_keep_their_pace_has_no_trend():
    _, known, model, lessons = shop("small")

    assert learnt_trend(known, lessons) is None
    assert 0.85 < total("small", model) < 1.15


def test_a_trend_that_is_over_by_the_newest_look_is_not_used():
    _, known, _, lessons = shop("drift")  # two thirds fewer orders from January 2024 on

    trend = learnt_trend(known, lessons)

    assert trend is None or trend.factor(YEAR_MS) < 1.0


def test_without_a_look_that_was_over_before_the_newest_day_no_trend_is_learnt():
    _, known, _, lessons = shop("growth")
    newest_ms = max(lessons)

    assert learnt_trend(known, {newest_ms: lessons[newest_ms]}) is None
    assert learnt_trend(known, {}) is None


def test_customers_who_bought_nothing_at_all_show_no_trend():
    _, known, _, lessons = shop("growth")
    silent = {
        customer: {name: at_ms for name, at_ms in orders.items() if at_ms < min(lessons)}
        for customer, orders in known.orders.items()
    }

    assert learnt_trend(with_fields(known, orders=silent), lessons) is None


@pytest.mark.parametrize("after_days", [0, 1])
def test_what_is_bought_within_a_time_begins_on_the_day_after_the_snapshot(after_days):
    whole, *_ = shop("small")
    now = whole.snapshots[SPLIT_MS]
    customer = now.customers[0]
    orders = {customer: {"a": SPLIT_MS + after_days * DAY_MS + 1, "b": SPLIT_MS + 8 * DAY_MS}}

    found = bought_within(with_fields(whole, orders=orders), now, WEEK_MS)

    assert found[0] == after_days
    assert found.sum() == after_days
