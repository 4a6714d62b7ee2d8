"""The business report on a shop whose truth is known."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from stream.analysis.business.campaign_value import worth_by
from stream.analysis.business.drivers import dead_ends, drivers
from stream.analysis.business.growth import growth, next_best
from stream.analysis.business.ledger import Books, read_books
from stream.analysis.business.report import business
from stream.analysis.business.retention import kept_by_value, loyalty
from stream.analysis.business.win_back import saved
from stream.commands.main import main
from stream.core.facts.profile import Profile
from stream.core.model.features import Features
from stream.core.policy.policy import Policy
from stream.core.units import DAY_MS, YEAR_MS
from stream.fit.history import History, Snapshot
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import CHANNELS, Shop
from stream.model_file import default_model
from tests.support.shop import write_events

SHOP = Shop(seed=3, customers=120, days=540)
LIVES = planned_lives(SHOP)
EVENTS = shop_events(SHOP, LIVES)
DAY_OF_REPORT_MS = EVENTS[-1].time_ms // DAY_MS * DAY_MS
POLICY = Policy()


def told(shop):
    """The books of a whole shop, and the day of its last event."""
    events = shop_events(shop, planned_lives(shop))
    day_ms = events[-1].time_ms // DAY_MS * DAY_MS
    return read_books(events, (day_ms,), POLICY), day_ms


@pytest.fixture(scope="module")
def books():
    return read_books(EVENTS, (DAY_OF_REPORT_MS,), POLICY)


@pytest.fixture(scope="module")
def channels(books):
    snapshot = books.history.snapshots[DAY_OF_REPORT_MS]
    return {
        one.name: one for one in worth_by(books, snapshot, default_model(), POLICY.finance, field="channel")
    }


def test_planted_costs_are_found_to_the_cent(channels):
    won = {name: sum(one.customer.channel == name for one in LIVES) for name in CHANNELS}

    assert {name: one.cost_minor for name, one in channels.items()} == {
        name: won[name] * price for name, (_, price) in CHANNELS.items()
    }


def test_worth_over_cost_ranks_the_channels_as_planted(channels):
    assert channels["referral"].ratio > channels["search"].ratio > channels["display"].ratio
    for one in channels.values():
        assert one.worth_low_minor < one.worth_minor < one.worth_high_minor
        assert one.earned_minor < one.worth_minor


def test_payback_is_the_first_day_on_which_earnings_cover_the_cost(books, channels):
    one = channels["display"]
    members = [c for c, p in books.history.profiles.items() if p.identity.channel == "display"]
    moved = sorted(move for customer in members for move in books.paid.get(customer, ()))
    margin = POLICY.finance.margin

    before = sum(amount for at_ms, amount in moved if at_ms < one.payback_ms) * margin
    through = sum(amount for at_ms, amount in moved if at_ms <= one.payback_ms) * margin

    assert before < one.cost_minor <= through


def test_retention_is_counted_over_whole_periods_only():
    quarter = YEAR_MS // 4 + DAY_MS
    orders = {
        "a": {"1": 0, "2": quarter, "3": 2 * quarter},
        "b": {"4": DAY_MS},
        "c": {"5": quarter, "6": 3 * quarter},
    }

    kept = loyalty(orders, 0, 5 * (YEAR_MS // 4) + 40 * DAY_MS, 0.1)

    everybody = [(one.period, one.active, one.again) for one in kept.kept if one.cohort == -1]
    assert kept.unit == "quarter"
    assert everybody == [(0, 2, 1), (1, 2, 1), (2, 1, 0), (3, 1, 0)]
    assert kept.simple_lifetime == pytest.approx(2.0)
    assert [one.rate for one in kept.kept if one.cohort == 2] == [None, None]


def test_leavers_end_somewhere(books):
    ends = dead_ends(books, books.history.snapshots[DAY_OF_REPORT_MS], POLICY)

    for tier in {one.tier for one in ends}:
        assert sum(one.share for one in ends if one.tier == tier) == pytest.approx(1.0)


def paid_books(moved, snapshots):
    history = History(
        profiles={customer: Profile(customer=customer) for customer in moved}, snapshots=snapshots
    )
    return Books(history=history, paid=moved)


def seen(as_of_ms, *customers):
    features = Features(frequency=1, first_ms=0, last_ms=DAY_MS)
    return Snapshot(as_of_ms, customers, (features,) * len(customers), np.ones(len(customers)))


def test_growth_is_that_of_the_same_customers_in_windows_of_one_length():
    before, now = seen(100 * DAY_MS, "a", "b"), seen(150 * DAY_MS, "a", "b", "c")
    moved = {
        "a": [(40 * DAY_MS, 999), (60 * DAY_MS, 1_000), (100 * DAY_MS, 2_000), (101 * DAY_MS, 4_000)],
        "b": [(120 * DAY_MS, 6_000), (121 * DAY_MS, -6_000)],
        "c": [(130 * DAY_MS, 50_000)],
    }
    books = paid_books(moved, {100 * DAY_MS: before, 150 * DAY_MS: now})

    low, high = growth(books, before, {"a": 0, "b": 0}, ["low", "high"])

    assert (low.customers, low.orders_before, low.orders_now) == (2, 1.0, 1.0)
    assert (low.basket_before_minor, low.basket_now_minor) == (1_500.0, 5_000.0)
    assert (high.customers, high.basket_now_minor) == (0, None)


def test_saved_are_those_at_risk_who_bought_again_beside_how_many_were_to_be_expected():
    before = seen(100 * DAY_MS, "a", "b", "c")
    books = paid_books({"a": [(130 * DAY_MS, 700)], "b": [(100 * DAY_MS, 700)], "c": [(130 * DAY_MS, 1)]}, {})

    (only,) = saved(books, before, (np.array([0.8, 0.9, 0.1]), 0.5), dict.fromkeys("abc", 0), ["all"])

    assert (only.at_risk, only.came_back, only.value_back_minor) == (2, 1, 700)
    assert only.expected_back == pytest.approx(0.3)


def test_the_next_best_category_is_what_buyers_of_the_same_things_buy_unless_something_else_was_looked_at():
    now = seen(0, *(f"c{number:02}" for number in range(60)))
    books = paid_books({customer: [] for customer in now.customers}, {})
    for number, customer in enumerate(now.customers):
        things = (
            {"bread": 1.0} if number < 5 else {"bread": 1.0, "butter": 1.0} if number < 40 else {"nails": 1.0}
        )
        books.history.profiles[customer].interests.bought = things
    books.history.profiles["c00"].interests.looked = {"lamps": 1.0}

    found = next_best(books, now, dict.fromkeys(now.customers, 0), ["all"])

    assert [(one.category, one.customers, one.looked) for one in found] == [("butter", 4, 0), ("lamps", 1, 1)]
    assert found[0].bought_by_like == pytest.approx(35 / 40)


def test_retention_by_value_asks_what_was_spent_in_the_period_itself():
    quarter = YEAR_MS // 4
    paid = {f"c{number}": [(DAY_MS, number)] for number in range(1, 11)}
    for number in (9, 10, 1):
        paid[f"c{number}"].append((quarter + DAY_MS, 5))
    kept = loyalty({}, 0, 4 * quarter + DAY_MS, 0.1)

    low, high = kept_by_value(paid, kept, 2 * quarter + 1, [("low", 0.0), ("high", 0.8)])

    assert (low.active, low.again, high.active, high.again) == (8, 1, 2, 2)
    assert high.rate == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 5, 9])
def test_a_shop_of_noise_has_no_drivers(seed):
    books, day_ms = told(Shop(seed=seed, customers=1_000, drivers=False))

    asked = drivers(books, books.history.snapshots[day_ms], POLICY)

    assert len(asked) >= 10
    assert not [one for one in asked if one.contrast.found]


@pytest.mark.slow
def test_bad_delivery_makes_customers_leave_and_is_found():
    shop = Shop(seed=1, customers=900, days=730, trouble_share=0.5)
    books, day_ms = told(shop)

    found = [one for one in drivers(books, books.history.snapshots[day_ms], POLICY) if one.contrast.found]

    assert any(one.contrast.name == "blamed delivery" and one.contrast.low > 1 for one in found)
    assert any(one.tier == "gold and above" and one.contrast.odds_ratio > 1 for one in found)
    assert all(one.play for one in found if one.contrast.name.startswith("blamed"))


@pytest.mark.slow
def test_every_driver_planted_for_many_is_found_and_none_that_was_planted_for_few_is_turned_round():
    books, day_ms = told(Shop(seed=3, customers=2_500, trouble_share=0.5))

    asked = drivers(books, books.history.snapshots[day_ms], POLICY)

    found = {(one.tier, one.contrast.name): one.contrast for one in asked if one.contrast.found}
    for theme in ("delivery", "quality", "price"):
        assert found["everybody", f"blamed {theme}"].low > 1
    assert found["gold and above", "blamed quality"].low > 1
    assert found["gold and above", "blamed delivery"].low > 1
    assert all(one.odds_ratio > 1 for (_, name), one in found.items() if name.startswith("blamed"))


def test_the_report_counts_every_buyer_once():
    numbers = business(EVENTS, DAY_OF_REPORT_MS, default_model(), POLICY).numbers
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
    }
    assert "<h2>Kept: retention</h2>" in out.read_text()
