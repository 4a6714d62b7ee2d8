"""The business report on a shop whose truth is known."""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.analysis.business.campaign_value import campaign_values
from stream.analysis.business.drivers import dead_ends, drivers
from stream.analysis.business.growth import (
    also_bought,
    category_offers,
    next_best_categories,
    tier_growth,
)
from stream.analysis.business.ledger import Ledger, read_ledger
from stream.analysis.business.payments import Payment
from stream.analysis.business.retention import (
    monthly_cohorts,
    retention_by_spending,
    retention_table,
)
from stream.analysis.business.win_back import win_backs
from stream.commands.main import main
from stream.core.facts.interests import next_category
from stream.core.facts.profile import Profile
from stream.core.model.features import Features
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, YEAR_MS
from stream.fit.history import History, Snapshot
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import CHANNELS, Shop
from stream.model_file import default_model
from tests.support.builders import at, bought
from tests.support.shop import write_events
from tests.support.studies import report_of

SHOP = Shop(seed=3, customers=120, days=540)
LIVES = planned_lives(SHOP)
EVENTS = shop_events(SHOP, LIVES)
DAY_OF_REPORT_MS = EVENTS[-1].time_ms // DAY_MS * DAY_MS
POLICY = Policy()


def ledger_of(shop):
    """The ledger of a whole shop, and the day of its last event."""
    events = shop_events(shop, planned_lives(shop))
    day_ms = events[-1].time_ms // DAY_MS * DAY_MS
    return read_ledger(events, (day_ms,), POLICY), day_ms


@pytest.fixture(scope="module")
def ledger():
    return read_ledger(EVENTS, (DAY_OF_REPORT_MS,), POLICY)


@pytest.fixture(scope="module")
def channels(ledger):
    snapshot = ledger.history.snapshots[DAY_OF_REPORT_MS]
    return {
        one.name: one
        for one in campaign_values(ledger, snapshot, default_model(), POLICY.finance, field="channel")
    }


def test_planted_costs_are_found_to_the_cent(channels):
    won = {name: sum(one.customer.channel == name for one in LIVES) for name in CHANNELS}

    assert {name: one.cost_minor for name, one in channels.items()} == {
        name: won[name] * price for name, (_, price) in CHANNELS.items()
    }


def test_value_over_cost_ranks_the_channels_as_planted(channels):
    assert channels["referral"].ratio > channels["search"].ratio > channels["display"].ratio
    for one in channels.values():
        assert one.worth_low_minor < one.worth_minor < one.worth_high_minor
        assert one.earned_minor < one.worth_minor


def test_payback_is_the_first_day_on_which_earnings_cover_the_cost(ledger, channels):
    one = channels["display"]
    members = [c for c, p in ledger.history.profiles.items() if p.identity.channel == "display"]
    moved = sorted(move for customer in members for move in ledger.payments.get(customer, ()))
    margin = POLICY.finance.margin

    before = sum(each.minor for each in moved if each.at_ms < one.payback_ms) * margin
    through = sum(each.minor for each in moved if each.at_ms <= one.payback_ms) * margin
    assert before < one.cost_minor <= through


def test_retention_is_counted_over_whole_periods_only():
    quarter = YEAR_MS // 4 + DAY_MS
    orders = {
        "a": {"1": 0, "2": quarter, "3": 2 * quarter},
        "b": {"4": DAY_MS},
        "c": {"5": quarter, "6": 3 * quarter},
    }

    table = retention_table(orders, 0, 5 * (YEAR_MS // 4) + 40 * DAY_MS, 0.1)

    everybody = [(one.period, one.active, one.again) for one in table.rates if one.cohort == -1]
    assert table.unit == "quarter"
    assert everybody == [(0, 2, 1), (1, 2, 1), (2, 1, 0), (3, 1, 0)]
    assert table.simple_lifetime == pytest.approx(2.0)
    assert [one.rate for one in table.rates if one.cohort == 2] == [None, None]


def test_the_dead_ends_of_a_tier_cover_all_who_left(ledger):
    ends = dead_ends(ledger, ledger.history.snapshots[DAY_OF_REPORT_MS], POLICY)

    for tier in {one.tier for one in ends}:
        assert sum(one.share for one in ends if one.tier == tier) == pytest.approx(1.0)


def ledger_with(payments, snapshots):
    history = History(
        profiles={customer: Profile(customer=customer) for customer in payments}, snapshots=snapshots
    )
    history.orders = {
        customer: {str(at_ms): at_ms for at_ms, paid in moved if paid > 0}
        for customer, moved in payments.items()
    }
    paid = {who: [Payment(at_ms, minor, at_ms) for at_ms, minor in moved] for who, moved in payments.items()}
    return Ledger(history=history, payments=paid)


def snapshot_of(as_of_ms, *customers):
    features = Features(frequency=1, first_ms=0, last_ms=DAY_MS)
    return Snapshot(as_of_ms, customers, (features,) * len(customers), np.ones(len(customers)))


def test_growth_is_that_of_the_same_customers_in_windows_of_one_length():
    before, now = snapshot_of(100 * DAY_MS, "a", "b"), snapshot_of(150 * DAY_MS, "a", "b", "c")
    moved = {
        "a": [(40 * DAY_MS, 999), (60 * DAY_MS, 1_000), (100 * DAY_MS, 2_000), (101 * DAY_MS, 4_000)],
        "b": [(120 * DAY_MS, 6_000), (121 * DAY_MS, -6_000)],
        "c": [(130 * DAY_MS, 50_000)],
    }
    ledger = ledger_with(moved, {100 * DAY_MS: before, 150 * DAY_MS: now})

    low, high = tier_growth(ledger, before, {"a": 0, "b": 0}, ["low", "high"])

    assert (low.customers, low.orders_before, low.orders_now) == (2, 1.0, 1.0)
    assert (low.basket_before_minor, low.basket_now_minor) == (1_500.0, 5_000.0)
    assert (high.customers, high.basket_now_minor) == (0, None)


def test_win_backs_are_customers_at_risk_who_bought_again_with_how_many_were_expected():
    before = snapshot_of(100 * DAY_MS, "a", "b", "c")
    moved = {"a": [(130 * DAY_MS, 700)], "b": [(100 * DAY_MS, 700)], "c": [(130 * DAY_MS, 1)]}
    ledger = ledger_with(moved, {})

    (only,) = win_backs(ledger, before, (np.array([0.8, 0.9, 0.1]), 0.5), dict.fromkeys("abc", 0), ["all"])

    assert (only.at_risk, only.came_back, only.value_back_minor) == (2, 1, 700)
    assert only.expected_back == pytest.approx(0.3)


def test_the_next_category_is_the_one_looked_at_or_else_that_of_like_buyers():
    now = snapshot_of(0, *(f"c{number:02}" for number in range(60)))
    ledger = ledger_with({customer: [] for customer in now.customers}, {})
    for number, customer in enumerate(now.customers):
        things = (
            {"bread": 1.0} if number < 5 else {"bread": 1.0, "butter": 1.0} if number < 40 else {"nails": 1.0}
        )
        ledger.history.profiles[customer].interests.bought = things
    ledger.history.profiles["c00"].interests.looked = {"lamps": 1.0}

    found = next_best_categories(ledger, now, dict.fromkeys(now.customers, 0), ["all"])

    assert [(one.category, one.customers, one.looked) for one in found] == [("butter", 4, 0), ("lamps", 1, 1)]
    assert found[0].bought_by_like == pytest.approx(35 / 40)


@settings(max_examples=60)
@given(
    things=st.lists(st.sets(st.sampled_from("abcdef")), min_size=60, max_size=90),
    looks=st.sets(st.integers(0, 59), max_size=3),
)
def test_the_offers_of_all_customers_at_once_are_those_of_the_rule_of_one(things, looks):
    now = snapshot_of(0, *(f"c{number:02}" for number in range(len(things))))
    ledger = ledger_with({customer: [] for customer in now.customers}, {})
    for number, customer in enumerate(now.customers):
        interests = ledger.history.profiles[customer].interests
        interests.bought = dict.fromkeys(sorted(things[number]), 1.0)
        interests.looked = {"lamps": 1.0} if number in looks else {}

    also, offers = also_bought(ledger, now), category_offers(ledger, now)

    for customer in now.customers:
        one = next_category(ledger.history.profiles[customer].interests, now.as_of_ms, also)
        offer = offers.get(customer)
        assert (one and (one.category, one.share)) == (offer and (offer.category, offer.bought_by_like))


def test_retention_by_spending_uses_the_spending_of_the_period_itself():
    quarter = YEAR_MS // 4
    payments = {f"c{number}": [Payment(DAY_MS, number, DAY_MS)] for number in range(1, 11)}
    for number in (9, 10, 1):
        payments[f"c{number}"].append(Payment(quarter + DAY_MS, 5, quarter + DAY_MS))
    table = retention_table({}, 0, 4 * quarter + DAY_MS, 0.1)

    low, high = retention_by_spending(payments, table, 2 * quarter + 1, [("low", 0.0), ("high", 0.8)])

    assert (low.active, low.again, high.active, high.again) == (8, 1, 2, 2)
    assert high.rate == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 5, 9])
def test_a_shop_of_noise_has_no_drivers(seed):
    ledger, day_ms = ledger_of(Shop(seed=seed, customers=1_000, drivers=False))

    compared = drivers(ledger, ledger.history.snapshots[day_ms], POLICY)

    assert len(compared) >= 10
    assert not [one for one in compared if one.contrast.found]


@pytest.mark.slow
def test_bad_delivery_makes_customers_leave_and_is_found():
    shop = Shop(seed=1, customers=900, days=730, trouble_share=0.5)
    ledger, day_ms = ledger_of(shop)

    found = [one for one in drivers(ledger, ledger.history.snapshots[day_ms], POLICY) if one.contrast.found]

    assert any(one.contrast.name == "blamed delivery" and one.contrast.low > 1 for one in found)
    assert any(one.tier == "gold and above" and one.contrast.odds_ratio > 1 for one in found)
    assert all(one.play for one in found if one.contrast.name.startswith("blamed"))


@pytest.mark.slow
def test_drivers_planted_for_many_are_found_and_none_is_reversed():
    ledger, day_ms = ledger_of(Shop(seed=3, customers=2_500, trouble_share=0.5))

    compared = drivers(ledger, ledger.history.snapshots[day_ms], POLICY)

    found = {(one.tier, one.contrast.name): one.contrast for one in compared if one.contrast.found}
    for theme in ("delivery", "quality", "price"):
        assert found["everybody", f"blamed {theme}"].low > 1
    assert found["gold and above", "blamed quality"].low > 1
    assert found["gold and above", "blamed delivery"].low > 1
    assert all(one.odds_ratio > 1 for (_, name), one in found.items() if name.startswith("blamed"))


def test_the_report_counts_every_buyer_once():
    numbers: dict[str, Any] = report_of(EVENTS, DAY_OF_REPORT_MS)
    buyers = {event.subject for event in EVENTS if type(event).__name__ == "PurchaseCompleted"}

    assert sum(numbers["development"]["tiers"].values()) == numbers["customers"]
    assert len(buyers) - 5 <= numbers["customers"] <= len(buyers)
    assert sum(one["customers"] for one in numbers["retention"]["by_tier"].values()) == numbers["customers"]


def test_the_command_writes_a_page_and_prints_json(tmp_path):
    path, out = write_events(EVENTS[:6_000], tmp_path / "shop.jsonl"), tmp_path / "report.html"

    result = CliRunner().invoke(main, ["report", str(path), "--out", str(out), "--json"])

    assert result.exit_code == 0, result.output
    assert set(json.loads(result.stdout)) >= {
        "acquisition",
        "development",
        "retention",
        "campaigns",
        "drivers",
        "policy",
    }
    assert "<h2>Kept: retention</h2>" in out.read_text()


def test_cohorts_say_on_which_day_the_history_begins_and_whether_the_last_month_is_over():
    march_20, april_5, may_1 = (
        int(datetime(2026, month, day, tzinfo=UTC).timestamp() * 1_000)
        for month, day in ((3, 20), (4, 5), (5, 1))
    )
    orders = {"a": {"1": march_20, "2": april_5}, "b": {"3": april_5}}

    whole, part = monthly_cohorts(orders, march_20, may_1), monthly_cohorts(orders, march_20, may_1 - DAY_MS)

    assert [(one["month"], one["from_day"], one["is_over"]) for one in whole] == [
        ("2026-03", 20, True),
        ("2026-04", 1, True),
    ]
    assert {one["is_over"] for one in part} == {False}


@pytest.mark.parametrize(("days", "before"), [(400, 0), (180, 0), (170, None), (60, None)])
def test_new_customers_before_are_known_only_where_the_history_reaches_back(days, before):
    end = 500
    events = [bought(day, customer="a") for day in range(end - days, end, 10)]
    numbers: Any = report_of(events, day_ms=at(end) // DAY_MS * DAY_MS)

    assert numbers["acquisition"]["new_90_days_before"] == before
