"""Studies count the shop's days: the same lives at the same hours of the shop are the same study anywhere."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from stream.analysis.backtest.backtest import BacktestOptions
from stream.commands.main import main
from stream.core.calendar import UTC_CALENDAR, Calendar
from stream.core.events.event import Event
from stream.core.units import DAY_MS, HOUR_MS, WEEK_MS
from stream.fit.coverage import Coverage, day
from stream.fit.history import read_history
from stream.fit.refit import refit
from stream.importing.generated.history import planned_lives, shop_events
from stream.importing.generated.shop import Shop
from stream.model_file import default_model
from stream.panes.report import business_page
from stream.policy_file import parse_policy
from stream.time_zones import calendar_in
from stream.wording.amounts import date
from tests.support.builders import START_MS, bought
from tests.support.shop import day_ms as day_of_week
from tests.support.shop import purchases, write_events
from tests.support.studies import backtest_of, report_of

pytestmark = pytest.mark.slow  # many cases: `make test` and CI run them, `make check` does not

SPLIT_MS, HORIZON_MS = day_of_week(36), 12 * WEEK_MS
AHEAD = "Asia/Tokyo"
HOURS_AHEAD = 9
"""Of UTC, all year round."""
POLICY, THERE = parse_policy(""), parse_policy(f"[business]\nzone = '{AHEAD}'")
BERLIN = parse_policy("[business]\nzone = 'Europe/Berlin'")
NAMED = ("policy", "zone", "version", "hash", "learnt", "as_of_ms", "payback_ms", "starts_ms")
"""Fields that say which policy it was, or are instants."""


def moved(events: list[Event]) -> list[Event]:
    """The same events in a shop whose clock is ahead: at the same hour there."""
    earlier = timedelta(hours=HOURS_AHEAD)
    return [msgspec.structs.replace(event, time=event.time - earlier) for event in events]


def assert_same(one: Any, other: Any, where: str = "") -> None:
    """Two results are the same, but for names of the policy; numbers to 1e-6."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            if key not in NAMED:
                assert_same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for index, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{where}[{index}]")
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-6, abs=1e-9), where
    else:
        assert one == other, where


def test_a_backtest_of_the_same_hours_is_the_same_in_a_zone_far_from_utc():
    events = purchases(customers=300)
    first_ms = events[0].time_ms // DAY_MS * DAY_MS

    def numbers(of, policy):
        options = BacktestOptions(
            first_purchase_ms=first_ms, split_ms=SPLIT_MS, horizon_ms=HORIZON_MS, policy=policy
        )
        return backtest_of(of, options).numbers

    here, there = numbers(events, POLICY), numbers(moved(events), THERE)

    assert_same(here, there)
    assert here["alerts"]["churn_risk"]["n"] > 0
    assert (here["zone"], there["zone"]) == ("UTC", AHEAD)


def test_a_report_of_the_same_hours_is_the_same_in_a_zone_far_from_utc():
    shop = Shop(seed=3, customers=120, days=540)
    events = shop_events(shop, planned_lives(shop))
    day_ms = events[-1].time_ms // DAY_MS * DAY_MS
    here: dict[str, Any] = report_of(events, day_ms, POLICY)
    there: dict[str, Any] = report_of(moved(events), day_ms, THERE)

    assert_same(here, there)
    assert there["as_of_ms"] == here["as_of_ms"] - HOURS_AHEAD * HOUR_MS
    page = business_page({**there, "notes": []})
    assert date(day_ms) in page.partition("</h1>")[0]
    assert "Days and periods are those of" in page
    assert "Days and periods" not in business_page({**here, "notes": []})


def test_a_refit_to_profiles_is_of_the_day_of_the_shop():
    from stream.core.model.record import Horizon
    from stream.fit.model_fit import FitOptions

    events = purchases(customers=200)
    here = read_history(events, (), POLICY).profiles
    there = read_history(moved(events), (), THERE).profiles
    one, other = (
        refit(profiles, default_model(), FitOptions("f", "profiles", Horizon()), calendar)
        for profiles, calendar in ((here, UTC_CALENDAR), (there, THERE.calendar))
    )

    assert_same(msgspec.to_builtins(one.process), msgspec.to_builtins(other.process))
    assert_same(msgspec.to_builtins(one.population), msgspec.to_builtins(other.population))
    assert other.fitted_at_ms == one.fitted_at_ms


def coverage(calendar: Calendar, *days: float) -> Coverage:
    """Of purchases at these days after 2024-01-01 00:00 UTC."""
    found = Coverage()
    for at in days:
        event = bought(at)
        found.note(event, calendar.local_ms(event.time_ms))
    return found


def test_the_data_end_with_the_day_of_the_shop():
    late = 20 + 23.5 / 24  # 23:30 UTC: the next day in Berlin

    assert day(coverage(UTC_CALENDAR, 1, late).end_ms) == "2024-01-21"
    assert day(coverage(BERLIN.calendar, 1, late).end_ms) == "2024-01-22"
    assert coverage(BERLIN.calendar, 23.5 / 24, 20).first_day_ms == START_MS + DAY_MS


def test_a_horizon_over_the_beginning_of_summer_time_fits_into_its_weeks():
    """The last hour of a span in summer is not missing because its first day was in winter."""
    found = coverage(BERLIN.calendar, *range(0, 200), 199 + 21.9 / 24)  # up to 23:54 of 18 July, in Berlin
    split_ms = found.end_ms + 1 - DAY_MS - 26 * WEEK_MS

    found.require(split_ms, 26 * WEEK_MS)
    assert day(split_ms) == "2024-01-18"


def test_a_snapshot_at_the_end_of_a_day_knows_the_evening_of_the_shop_and_no_more():
    evening, night = bought(10 + 22.5 / 24, customer="a"), bought(10 + 23.5 / 24, customer="b")
    day_ms = START_MS + 10 * DAY_MS
    ours, utc = (
        read_history([evening, night], (day_ms,), policy).snapshots[day_ms] for policy in (BERLIN, POLICY)
    )

    assert (ours.customers, utc.customers) == (("a",), ("a", "b"))
    assert ours.features[0].last_ms == day_ms
    assert list(ours.inactive_days) == [0.0]


@pytest.fixture
def shop(tmp_path):
    """Weekly purchases at 23:30 UTC, and two policies."""
    events = [bought(7 * week + 23.5 / 24, customer=f"c{who}") for week in range(40) for who in range(40)]
    (tmp_path / "berlin.toml").write_text("[business]\nzone = 'Europe/Berlin'\n")
    return write_events(sorted(events, key=lambda event: event.time), tmp_path / "e.jsonl")


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_commands_take_the_days_of_the_policys_zone_and_say_whose_they_are(shop):
    berlin = ["--policy", shop.parent / "berlin.toml"]
    words = ["backtest", shop, "--split", "2024-06-04", "--horizon", "8w"]
    utc, ours = run(*words), run(*words, *berlin)
    report = run("report", shop, *berlin, "--json")
    explained = run("explain", "c1", "--events", shop, *berlin)

    assert "at the end of 2024-06-04." in utc.output
    assert "at the end of 2024-06-04 in Europe/Berlin." in ours.output
    assert json.loads(report.stdout)["zone"] == "Europe/Berlin"
    assert "Days are those of Europe/Berlin." in explained.output
    assert "on Tuesdays and at night (Europe/Berlin)" in explained.output
    assert "since 2 January 2024" in explained.output
    plain = run("explain", "c1", "--events", shop).output
    assert "on Mondays and in the evening (UTC)" in plain
    assert "Days are those" not in plain


def test_a_day_beyond_the_last_one_of_the_shop_is_refused_by_its_own_name(shop):
    last = "2024-10-01"  # 30 September 23:30 UTC
    berlin = ["--policy", shop.parent / "berlin.toml"]

    assert run("report", shop, "--until", last, *berlin, "--json").exit_code == 0
    refused = run("report", shop, "--until", last, "--json")
    assert refused.exit_code == 2
    assert "the purchases end on 2024-09-30" in refused.output


def test_two_policies_of_different_zones_are_not_compared_over_the_same_facts(shop):
    words = ["backtest", shop, "--split", "2024-06-04", "--horizon", "8w"]
    answer = run(*words, "--against", shop.parent / "berlin.toml")

    assert answer.exit_code == 2
    assert "its currency, rates or time zone are others than those of --policy" in answer.output
    assert run("policy", "diff", "default", shop.parent / "berlin.toml", shop).exit_code in (0, 1)


def test_the_calendars_clock_goes_both_ways():
    calendar = calendar_in("Europe/Berlin")
    for hour in range(24 * 366):
        at_ms = START_MS + hour * HOUR_MS
        back_ms = calendar.instant_ms(calendar.local_ms(at_ms))
        assert back_ms == at_ms or (
            back_ms == at_ms - HOUR_MS and calendar.local_ms(back_ms) == calendar.local_ms(at_ms)
        )
