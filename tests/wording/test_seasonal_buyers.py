"""By a model that knows seasons the profile tells in which months a customer mostly buys, where clear."""

from stream.wording.amounts import months_words
from stream.wording.profile import profile_sections
from tests.support.builders import at, basis, bought
from tests.support.laws import lived
from tests.support.seasons import seasonal_basis

CHRISTMAS_BUYER = [334, 340, 700, 1_060, 1_066]
MOSTLY = "Buys mostly in November and December"
MEASURED = "Silence is measured by their own purchasing time."
OF_CHRISTMAS = f"{MOSTLY}; expected again in November 2027. {MEASURED}"


def buying_lines_after(days, chosen, silent_days=200, **options):
    life = [bought(day, order=f"o{number}") for number, day in enumerate(days)]
    profile, _ = lived(life, chosen)
    (buying,) = [
        one
        for one in profile_sections(profile, at(days[-1] + silent_days), chosen, **options)
        if one.title == "Buying"
    ]
    return buying.lines


def test_who_buys_before_christmas_is_shown_so_and_how_silence_is_measured():
    assert OF_CHRISTMAS in buying_lines_after(CHRISTMAS_BUYER, seasonal_basis())


def test_who_let_the_season_pass_is_shown_so():
    missed = f"{MOSTLY}, but did not the last time; expected again in November 2028. {MEASURED}"
    assert missed in buying_lines_after(CHRISTMAS_BUYER, seasonal_basis(), silent_days=400)


def test_nothing_is_added_of_who_buys_all_year_or_may_be_of_either_kind():
    for days in ([10, 60, 120, 180, 230, 290, 350], [320]):
        assert not [line for line in buying_lines_after(days, seasonal_basis()) if "purchasing time" in line]


def test_nothing_is_added_where_the_model_knows_no_seasons_or_did_not_judge():
    assert OF_CHRISTMAS not in buying_lines_after(CHRISTMAS_BUYER, basis())
    assert OF_CHRISTMAS not in buying_lines_after(CHRISTMAS_BUYER, seasonal_basis(), of_other_basis=True)


def test_months_in_words():
    assert months_words((1 / 12,) * 12) == "all year"
    assert months_words((*(0.01,) * 10, 0.2, 0.7)) == "mostly in December"
    assert months_words((0.3, *(0.0,) * 8, 0.1, 0.25, 0.35)) == "mostly in January and December"
    assert months_words((0.3, *(0.0,) * 8, 0.15, 0.25, 0.3)) == "mostly in January and December"
    assert months_words((0.25, *(0.0,) * 8, 0.25, 0.25, 0.25)) == "mostly in January, October and November"
