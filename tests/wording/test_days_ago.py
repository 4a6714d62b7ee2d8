"""How long ago something was, in whole days of the calendar, in one way wherever it is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.alerts.alert import Evidence, rfc3339
from stream.core.alerts.whole_days import in_whole_days
from stream.core.calendar import UTC_CALENDAR
from stream.core.units import DAY_MS, HOUR_MS
from stream.page.screens.view import View
from stream.time_zones import calendar_in
from stream.wording.amounts import ago, date, days
from stream.wording.profile import buying_lines
from tests.support.builders import at, basis, bought
from tests.support.laws import lived

BERLIN = calendar_in("Europe/Berlin")


@pytest.mark.parametrize(
    ("hours_back", "words"),
    [
        (0, "today"),
        (9, "today"),
        (11, "yesterday"),
        (33, "yesterday"),
        (35, "2 days ago"),
        (57, "2 days ago"),
    ],
)
def test_days_are_those_of_the_calendar_and_not_spans_of_24_hours(hours_back, words):
    now_ms = at(300) + 10 * HOUR_MS

    assert ago(now_ms - hours_back * HOUR_MS, now_ms, UTC_CALENDAR) == words


@given(st.integers(0, 59 * 24 * 60), st.integers(0, 59 * 24 * 60), st.sampled_from([UTC_CALENDAR, BERLIN]))
def test_two_instants_are_said_to_be_equally_long_ago_just_where_they_are_of_one_day(one, other, calendar):
    now_ms = at(300) + 17 * HOUR_MS
    first_ms, second_ms = now_ms - one * 60_000, now_ms - other * 60_000
    is_one_day = date(first_ms, calendar) == date(second_ms, calendar)

    assert (ago(first_ms, now_ms, calendar) == ago(second_ms, now_ms, calendar)) is is_one_day


def test_the_list_and_the_page_of_a_customer_count_the_same_days():
    profile = lived([bought(7 * n) for n in range(20)], basis())[0]
    last_ms = profile.buying.sums.last_at_ms
    for hours in range(1, 24 * 5):
        now_ms = last_ms + hours * HOUR_MS
        line = buying_lines(profile.buying, now_ms, UTC_CALENDAR)[0]
        assert f"the last one {View(basis(), now_ms, 'a test', True).ago(last_ms)}, on" in line


@given(
    st.integers(2 * 24 * 60, 59 * 24 * 60),
    st.integers(0, 24 * 60 - 1),
    st.sampled_from([UTC_CALENDAR, BERLIN]),
)
def test_the_reason_of_an_alert_counts_the_days_of_a_silence_as_lists_do(minutes, past_midnight, calendar):
    now_ms = at(300) + past_midnight * 60_000
    last_ms = now_ms - minutes * 60_000
    observed = round((now_ms - last_ms) / DAY_MS, 3)
    for feature, last_purchase in (
        ("days_since_purchase", rfc3339(last_ms)), ("days_since_engagement", None), ("days_unresolved", None),
    ):  # fmt: skip
        reason = Evidence(
            code="X", feature=feature, observed=observed, unit="days", contribution=0.5, baseline=9.0
        )
        counted = in_whole_days(reason, last_purchase, now_ms, calendar)
        assert f"{days(counted.observed)} ago" == ago(last_ms, now_ms, calendar).replace(
            "yesterday", "1 day ago"
        )
