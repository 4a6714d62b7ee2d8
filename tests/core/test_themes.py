"""Themes: which words stand for them, and whose polarity they take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.events.payload import Review, Survey, SurveyAnswer, Ticket
from stream.core.policy.default_words import DEFAULT_THEMES
from stream.core.text.themes import ThemeReader, clauses, feedback_themes

READER = ThemeReader()


@pytest.mark.parametrize(
    ("text", "themes"),
    [
        ("Great app", {"app"}),
        ("I appreciate apples", set()),  # a whole word, not the start of one
        ("It was delivered on Monday", {"delivery"}),  # a stem
        ("UNDELIVERED!", {"delivery"}),
        ("I want my money back", {"returns"}),  # a phrase
        ("money  back", {"returns"}),
        ("Far too expensive", {"price"}),
        ("The staff were rude", {"service"}),
        ("It fell apart", {"quality"}),
        ("sold out again", {"choice"}),
        ("lovely", set()),
        ("", set()),
    ],
)
def test_words_stand_for_themes(text, themes):
    assert {theme for theme, _ in READER.themes(text)} == themes


def test_each_theme_takes_the_polarity_of_its_own_clause():
    found = dict(READER.themes("The delivery was terrible. The quality is great but the price is awful!"))

    assert found["delivery"] < -0.4
    assert found["quality"] > 0.4
    assert found["price"] < -0.4


def test_the_strongest_clause_about_a_theme_counts():
    found = dict(READER.themes("The delivery was okay. Later the delivery was absolutely horrible!"))

    assert found["delivery"] == READER.analyser.sentiment("Later the delivery was absolutely horrible!")


def test_a_single_sentence_is_one_clause_and_a_longer_text_parts_at_contrasts():
    assert clauses("Nice but dear") == ["Nice but dear"]
    assert clauses("Nice but dear. Never again") == ["Nice ", " dear.", "Never again"]
    assert clauses("Butter is nice. However, no") == ["Butter is nice.", ", no"]


def test_a_clause_without_feeling_takes_the_mood_of_the_rating():
    review = Review(review_id="r", rating=1, rating_max=5, review_body="The parcel came after three weeks.")

    assert feedback_themes(review, READER) == (("delivery", -1.0),)


def test_a_topic_named_by_the_help_desk_is_a_theme():
    ticket = Ticket(ticket_id="t", topic="Late-delivery", text="I am very angry")
    answer = SurveyAnswer(
        response_id="a", survey=Survey(id="s", kind="csat"), score=1, topic=("price", "colour")
    )

    assert [theme for theme, polarity in feedback_themes(ticket, READER) if polarity < 0] == ["delivery"]
    assert feedback_themes(answer, READER) == (("price", -1.0),)


def test_a_review_in_another_language_has_no_themes():
    review = Review(review_id="r", rating=1, rating_max=5, review_body="Service Support", language="de")

    assert feedback_themes(review, READER) == ()


def test_a_policys_words_replace_the_default_ones():
    reader = ThemeReader({"taste": ("tast*", "flavo*"), "none": ()})

    ((theme, share),) = reader.themes("Tasty, though the delivery was late")
    assert theme == "taste"
    assert share == pytest.approx(0.2, abs=0.5)


def test_punctuation_in_a_policys_word_is_taken_literally():
    reader = ThemeReader({"size": ("a.b", "x(l")})

    assert reader.themes("acb") == ()
    assert [theme for theme, _ in reader.themes("an a.b shirt")] == ["size"]


WORDS = [word.rstrip("*") for words in DEFAULT_THEMES.values() for word in words]


@given(st.lists(st.sampled_from([*WORDS, "good", "bad", ".", "!", "but", "the"]), max_size=25).map(" ".join))
def test_themes_are_the_same_each_time_in_alphabetical_order_and_bounded(text):
    found = READER.themes(text)

    assert found == READER._themes(text) == ThemeReader()._themes(text)
    assert [theme for theme, _ in found] == sorted({theme for theme, _ in found})
    assert {theme for theme, _ in found} <= DEFAULT_THEMES.keys()
    assert all(-1.0 <= polarity <= 1.0 for _, polarity in found)


ODD_WORDS = {"a": ("e-mail*", "on* time", "!!", "-x y", "naïve", "(l)"), "b": ("mail", "in time", "kelvin*")}
PIECES = [
    *WORDS,
    "on",
    "onto",
    "time",
    "E-MAILS",
    "!!",
    "-x",
    "y",
    "naïve",
    "(l)",
    "\u212aelvin",
    "in-time",
    "_in",
]


@pytest.mark.parametrize("reader", [READER, ThemeReader(ODD_WORDS)])
@given(
    st.lists(
        st.tuples(st.sampled_from(PIECES), st.sampled_from([" ", "  ", "-", ".", ""])),
        max_size=12,
    )
)
def test_themes_by_remembered_words_are_those_of_one_search_per_theme(reader, pieces):
    clause = "".join(word + gap for word, gap in pieces)

    assert reader._hits(clause) == tuple(
        theme for theme, pattern in reader._patterns if pattern.search(clause)
    )


@pytest.mark.parametrize("theme", sorted(DEFAULT_THEMES))
def test_every_word_of_a_theme_finds_it(theme):
    for word in DEFAULT_THEMES[theme]:
        assert theme in dict(READER.themes(word.rstrip("*"))), word


WORDS = sorted({word.replace("*", "ing") for words in DEFAULT_THEMES.values() for word in words})
FEEDBACK_WORDS = st.sampled_from(
    [*WORDS, *" ".join(WORDS).split(), "but", "The", "not,", "sub - par", "on\ttime", "naïve"]
)


@given(st.lists(FEEDBACK_WORDS, max_size=12).map(" ".join))
def test_a_clauses_themes_are_those_that_one_search_per_theme_would_find(clause):
    found = tuple(theme for theme, pattern in READER._patterns if pattern.search(clause))

    assert READER._hits(clause) == READER._hits(clause.upper()) == found
