"""An alert about who buys in some months only names them, and when they are expected again."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.alerts.alert import Evidence
from stream.core.alerts.silence_words import not_yet_late_words, silent_words
from stream.core.alerts.telling import tells
from stream.core.model.features import Features
from stream.core.risk.buying_months import BuyingMonths, buying_months
from stream.core.step import on_review
from stream.core.units import DAY_MS, MONTHS_OF_YEAR
from stream.wire import encode_alert
from tests.support.builders import basis, bought
from tests.support.laws import lived
from tests.support.narrow import not_none
from tests.support.seasons import seasonal_basis, seasonal_model

SEASONAL = seasonal_model()
CHRISTMAS_BUYER = [334, 340, 345, 700, 706, 1_060, 1_066, 1_070]


def month(year, number):
    return (year - 1970) * MONTHS_OF_YEAR + number - 1


def seen(last, now, by_month=(0,) * 10 + (1, 3)):
    last_ms, as_of_ms = (
        int(datetime(year, number, day, tzinfo=UTC).timestamp() * 1_000) for year, number, day in (last, now)
    )
    features = Features(frequency=3, first_ms=0, last_ms=last_ms, by_month=by_month)
    return buying_months(features, SEASONAL, as_of_ms)


@pytest.mark.parametrize(
    ("last", "now", "coming", "is_missed"),
    [
        ((2023, 12, 12), (2024, 1, 1), (2024, 11), False),
        ((2023, 12, 12), (2024, 11, 3), (2024, 11), False),
        ((2023, 12, 12), (2024, 12, 31), (2024, 12), False),
        ((2023, 12, 12), (2025, 1, 1), (2025, 11), True),
        ((2023, 11, 28), (2024, 1, 1), (2024, 11), False),  # December is of the same season
        ((2023, 7, 9), (2023, 12, 31), (2023, 12), False),
        ((2023, 7, 9), (2024, 1, 1), (2024, 11), True),
        ((2023, 12, 12), (2023, 12, 12), (2023, 12), False),
    ],
)
def test_a_season_is_missed_when_all_of_it_has_passed(last, now, coming, is_missed):
    assert seen(last, now) == BuyingMonths((10, 11), month(*coming), is_missed)


def test_who_buys_all_year_or_may_be_of_either_kind_has_no_months():
    assert seen((2023, 12, 12), (2024, 7, 1), (1,) * 12) is None
    assert seen((2023, 7, 12), (2024, 7, 1), ()) is None
    plain = msgspec.structs.replace(SEASONAL, seasons=None)
    assert buying_months(Features(frequency=0, first_ms=0, last_ms=0, by_month=(9,) * 12), plain, 1) is None


@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_the_coming_month_is_one_of_theirs_and_a_missed_season_stays_missed(first, later):
    features = Features(frequency=3, first_ms=0, last_ms=20_070 * DAY_MS, by_month=(0,) * 10 + (1, 3))
    at_first, at_later = (
        not_none(buying_months(features, SEASONAL, features.last_ms + days * DAY_MS))
        for days in sorted((first, first + later))
    )

    assert at_first.next_month % MONTHS_OF_YEAR in at_first.places
    assert at_first.next_month <= at_later.next_month
    assert at_later.is_missed or not at_first.is_missed
    assert not at_first.is_missed or first > 300


def alerts_of(chosen, days):
    life = [bought(day, 40_000, order=f"o{number}") for number, day in enumerate(CHRISTMAS_BUYER)]
    profile, _ = lived(life, chosen)
    return on_review(profile, profile.judgement.judged_ms + days * DAY_MS, chosen).alerts


def test_an_alert_about_a_christmas_buyer_says_so_in_words_and_fields():
    raised = next(one for one in alerts_of(seasonal_basis(), 200) if one.type == "churn_risk.raised")

    (reason,) = [one for one in raised.data.evidence if one.feature == "days_since_purchase"]
    assert reason.code == "RISK_OF_NO_PURCHASE"  # not late: it is not their time of the year
    assert (reason.months, reason.expected) == ((11, 12), "2027-11")
    text = not_none(raised.data.text)
    assert "uys mostly in November and December, last bought " in text.why
    assert "; expected again in November 2027." in text.why


def test_an_alert_after_a_missed_season_says_that_they_are_late():
    alerts = alerts_of(seasonal_basis(policy='[churn_risk.hysteresis]\nexpire = "90d"\n'), 500)
    late = [
        reason for alert in alerts for reason in alert.data.evidence if reason.code == "SILENT_BEYOND_RHYTHM"
    ]

    assert late, [alert.type for alert in alerts]
    assert silent_words(late[0], "").startswith(
        "buys mostly in November and December, but did not the last time; has"
    )


def test_a_silence_before_the_season_is_a_reason_whichever_way_it_points():
    reason = Evidence(
        code="RISK_OF_NO_PURCHASE",
        feature="days_since_purchase",
        observed=60.0,
        baseline=9.0,
        unit="days",
        contribution=0.7,
        months=(11, 12),
        expected="2024-11",
    )

    assert tells(reason, 9.0, 0.04)
    assert not tells(msgspec.structs.replace(reason, months=()), 9.0, 0.04)
    assert not_yet_late_words(reason, "") == (
        "buys mostly in November and December, last bought 2 months ago; expected again in November 2024"
    )


def test_by_a_model_without_seasons_an_alert_has_no_months():
    for alert in alerts_of(basis(), 200):
        assert b'"months"' not in encode_alert(alert)
        assert b'"expected"' not in encode_alert(alert)
