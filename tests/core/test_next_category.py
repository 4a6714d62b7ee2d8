"""The category to offer a customer next: its arithmetic, by hand."""

import pytest

from stream.core.facts.interests import AlsoBought, Interests, NextCategory, next_category

ALSO = AlsoBought(
    ("bread", "butter", "nails", "wine"),
    ((1.0, 0.8, 0.1, 0.3), (0.9, 1.0, 0.0, 0.5), (0.2, 0.1, 1.0, 0.1), (0.6, 0.7, 0.1, 1.0)),
)
"""Row: who buys this; column: the share of them who buy that."""


@pytest.mark.parametrize(
    ("bought", "looked", "expected"),
    [
        ("bread", "", NextCategory("butter", 0.8, "bread", 0.8)),
        ("bread butter", "", NextCategory("wine", 0.4, "butter", 0.5)),
        ("bread nails", "", NextCategory("butter", 0.45, "bread", 0.8)),
        ("bread butter wine", "", NextCategory("nails", 0.066666667, "bread", 0.1)),
        ("bread", "lamps", NextCategory("lamps")),
        ("bread butter", "butter", NextCategory("wine", 0.4, "butter", 0.5)),
        ("bread butter nails wine", "", None),
        ("paint", "", None),
        ("", "", None),
    ],
)
def test_the_highest_mean_share_over_what_they_buy_is_offered_or_what_they_look_at(bought, looked, expected):
    interests = Interests(
        bought=dict.fromkeys(bought.split(), 1.0), looked=dict.fromkeys(looked.split(), 1.0)
    )

    assert next_category(interests, 0, ALSO) == expected


def test_without_the_shares_only_what_they_look_at_can_be_offered():
    assert next_category(Interests(bought={"bread": 1.0}), 0, None) is None
    looking = Interests(bought={"bread": 1.0}, looked={"lamps": 1.0})
    assert next_category(looking, 0, None) == NextCategory("lamps")
