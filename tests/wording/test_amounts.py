"""Numbers as people say them."""

from __future__ import annotations

import pytest

from stream.wording.amounts import count, date, days, every, listed, money, sentiment_word, share


@pytest.mark.parametrize(
    ("minor", "currency", "rounded", "shown"),
    [
        (123_450, "USD", False, "$1,234.50"),
        (123_450, "USD", True, "$1,234"),
        (123_450, "JPY", False, "¥123,450"),
        (12_345, "KWD", False, "12.345 KWD"),
        (-500, "EUR", False, "-€5.00"),
        (950, "USD", True, "$9.50"),  # small estimates keep their cents
        (0, "USD", True, "$0"),
        (0, "CHF", False, "0.00 CHF"),
        (100, "", False, "1.00"),
    ],
)
def test_money_has_the_decimals_of_its_currency(minor, currency, rounded, shown):
    assert money(minor, currency, rounded=rounded) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0.0, "less than an hour"),
        (0.5, "12 hours"),
        (1.2, "1 day"),
        (31, "31 days"),
        (90, "3 months"),
        (911, "2.5 years"),
    ],
)
def test_a_duration_has_the_unit_that_people_would_use(number, shown):
    assert days(number) == shown


def test_rhythm_counts_and_lists():
    assert [every(1), every(9.2)] == ["every day", "every 9 days"]
    assert [count(1, "order"), count(1_200, "order")] == ["1 order", "1,200 orders"]
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")] == [
        "",
        "a",
        "a and b",
        "a, b or c",
    ]


@pytest.mark.parametrize(
    ("part", "shown"),
    [(0, "0%"), (0.0001, "under 1%"), (0.71, "71%"), (0.9999, "over 99%"), (1.0, "100%")],
)
def test_a_share_never_claims_certainty_that_is_not_there(part, shown):
    assert share(part) == shown


def test_dates_are_utc():
    assert date(0) == "1 January 1970"
    assert date("2018-05-02T23:59:59.999Z") == "2 May 2018"


@pytest.mark.parametrize(
    ("sentiment", "word"),
    [
        (-1, "very negative"),
        (-0.56, "very negative"),  # shown as -0.6
        (-0.5, "negative"),
        (-0.151, "negative"),  # shown as -0.2
        (-0.149, "neutral"),
        (0, "neutral"),
        (0.5, "positive"),
        (1, "very positive"),
    ],
)
def test_a_sentiment_has_a_word_that_agrees_with_the_number_shown(sentiment, word):
    assert sentiment_word(sentiment) == word
