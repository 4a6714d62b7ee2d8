"""The sentence of who matters most says what is counted, in words that fit one customer as well as many."""

import pytest

from stream.panes.summary import summary_sentences


def sentence(platinum=(0, 0), bronze=(0, 0)):
    """The sentence for so many customers of each tier, and so many of them at risk."""
    tiers = {"bronze": bronze, "platinum": platinum}
    by_tier = {
        name: {"customers": count, "at_risk": risky, "value_at_risk_minor": risky * 5_000}
        for name, (count, risky) in tiers.items()
    }
    numbers = {
        "acquisition": {"new_90_days": 0, "new_90_days_before": 0},
        "development": {"moved_up": 0, "moved_down": 0, "growth": []},
        "retention": {"by_tier": by_tier, "raise_at": 0.349},
        "campaigns": [],
        "channels": [],
        "campaign_use": [],
        "drivers": [],
        "currency": "EUR",
    }
    return next(one for one in summary_sentences(numbers) if "matter" in one or "tier:" in one)


MANY = "Who matters most are the {} platinum customers: {} a risk of 35% or more of not buying again"
ONE = "Who matters most is the one platinum customer: their risk of not buying again is "
OR_NOT = ", with an open alert or without."


@pytest.mark.parametrize(
    ("platinum", "bronze", "words"),
    [
        (
            (30, 3),
            (570, 372),
            MANY.format(30, "3 of them have")
            + ", with €150.00 of recent spending; of all 600 customers 375 have"
            + OR_NOT,
        ),
        (
            (30, 1),
            (5, 0),
            MANY.format(30, "1 of them has")
            + ", with €50.00 of recent spending; of all 35 customers 1 has"
            + OR_NOT,
        ),
        ((2, 0), (3, 2), MANY.format(2, "none of them has") + "; of all 5 customers 2 have" + OR_NOT),
        ((2, 0), (3, 0), MANY.format(2, "none of them has") + "; nor has any other customer."),
        ((1, 0), (3, 0), ONE + "below 35%; so is that of all 4 customers."),
        (
            (1, 1),
            (3, 2),
            ONE
            + "35% or more, with €50.00 of recent spending; of all 4 customers 3 have such a risk"
            + OR_NOT,
        ),
        (
            (0, 0),
            (3, 0),
            "All customers are of the bronze tier: none of the 3 has a risk of 35% or more of not buying "
            "again.",
        ),
    ],
)
def test_who_matters_most_is_told_with_what_the_count_means(platinum, bronze, words):
    assert sentence(platinum, bronze) == words


def test_one_customer_alone_is_told_as_one():
    words = "The only customer is of the bronze tier: their risk of not buying again is 35% or more"

    assert sentence(bronze=(1, 1)) == f"{words}, with €50.00 of recent spending."
