"""The business report on a shop whose truth is known."""

import json

import pytest
from click.testing import CliRunner

from stream.cli import main
from stream.core.model import DAY_MS, YEAR_MS
from stream.core.rulebook import Policy
from stream.model_file import default_model
from stream.replay.generate import play
from stream.replay.generate.shop import CHANNELS, Shop
from stream.study.books import read_books
from stream.study.business import business
from stream.study.drivers import dead_ends, drivers
from stream.study.loyalty import loyalty
from stream.study.worth import worth_by
from tests.study.shop import written

SHOP = Shop(seed=3, customers=120, days=540)
LIVES = play.lives(SHOP)
EVENTS = play.events(SHOP, LIVES)
DAY_OF_REPORT_MS = EVENTS[-1].time_ms // DAY_MS * DAY_MS
POLICY = Policy()


def told(shop):
    """The books of a whole shop, and the day of its last event."""
    events = play.events(shop, play.lives(shop))
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


@pytest.mark.slow
def test_a_shop_of_noise_has_no_drivers():
    books, day_ms = told(Shop(seed=2, customers=1_000, drivers=False))

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


def test_the_report_counts_every_buyer_once():
    numbers = business(EVENTS, DAY_OF_REPORT_MS, default_model(), POLICY).numbers
    buyers = {event.subject for event in EVENTS if type(event).__name__ == "PurchaseCompleted"}

    assert sum(numbers["development"]["tiers"].values()) == numbers["customers"]
    assert len(buyers) - 5 <= numbers["customers"] <= len(buyers)
    assert sum(one["customers"] for one in numbers["retention"]["by_tier"].values()) == numbers["customers"]


def test_the_command_writes_a_page_and_prints_json(tmp_path):
    path, out = written(EVENTS[:6_000], tmp_path / "shop.jsonl"), tmp_path / "report.html"

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
