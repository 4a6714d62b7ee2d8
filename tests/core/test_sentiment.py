"""Sentiment: ratings on their own scales, and VADER's scores unchanged where it is used."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from stream.core.events.payload import Review, Sentiment, Survey, SurveyAnswer, Ticket
from stream.core.policy.default_words import DEFAULT_LEXICON
from stream.core.text.sentiment import (
    Analyser,
    analyser_for,
    feedback_sentiment,
    feedback_text,
    rating_sentiment,
    sentences,
    survey_sentiment,
    text_sentiment,
)
from tests.support.narrow import not_none
from tests.support.public_data import gift_card_reviews, vader_ratings

ORIGINAL = SentimentIntensityAnalyzer()
PLAIN = Analyser({})
WORDS = [
    *list(ORIGINAL.lexicon)[::40],
    *[
        "not",
        "never",
        "so",
        "this",
        "very",
        "kind",
        "of",
        "but",
        "no",
        "nor",
        "least",
        "at",
        "without",
        "doubt",
        "VERY",
        "GOOD",
        "bad",
        "the",
        "parcel",
        "!",
        "?!",
    ],
    *("the shit", "bus stop", "\n", "😁", "💘!", "naïve"),
    *(
        "isn't",
        "hardly",
        "despite",
        "SO",
        "Not",
        "or",
        "yeah right",
        "kiss of death",
        "sort of",
        "just enough",
    ),
]
OWN_WORDS = {"so": 1.0, "least": -1.0, "very": 2.0, "not": -1.0, "of": 0.5, "parcel": 1.5}
"""Words that VADER takes for boosters and negations, here with a valence of their own."""
ORIGINAL_AND_OWN = SentimentIntensityAnalyzer()
ORIGINAL_AND_OWN.lexicon.update(OWN_WORDS)
OWN = Analyser(OWN_WORDS)


@pytest.mark.parametrize(
    ("rating", "low", "high", "sentiment"),
    [(1, 1, 5, -1.0), (3, 1, 5, 0.0), (5, 1, 5, 1.0), (4, 1, 5, 0.5), (0, 0, 10, -1.0), (75, 0, 100, 0.5)],
)
def test_a_rating_maps_linearly_from_its_own_scale(rating, low, high, sentiment):
    assert rating_sentiment(rating, low, high) == sentiment


def test_a_rating_outside_its_scale_is_clamped_and_a_scale_without_width_says_nothing():
    assert rating_sentiment(7, 1, 5) == 1.0
    assert rating_sentiment(0, 1, 5) == -1.0
    assert rating_sentiment(3, 5, 5) == 0.0


@pytest.mark.parametrize(
    ("kind", "score", "score_max", "sentiment"),
    [
        ("nps", 0, None, -1.0),
        ("nps", 6, None, -0.5),  # the happiest detractor
        ("nps", 7, None, 0.0),
        ("nps", 8, None, 0.0),  # passives
        ("nps", 9, None, 0.5),  # the first promoter
        ("nps", 10, None, 1.0),
        ("nps", 4.5, 5, 0.5),  # the same scale over five
        ("csat", 1, None, -1.0),
        ("csat", 5, None, 1.0),
        ("csat", 10, 10, 1.0),
        ("csat", 1, 1, 1.0),  # thumb up
        ("csat", 0, 1, -1.0),  # thumb down
        ("ces", 4, None, 0.0),
        ("ces", 7, None, 1.0),
    ],
)
def test_a_survey_score_maps_by_the_scale_of_its_kind(kind, score, score_max, sentiment):
    assert survey_sentiment(kind, score, score_max) == pytest.approx(sentiment)


@given(st.sampled_from(["nps", "csat", "ces"]), st.lists(st.floats(0, 12), min_size=2, max_size=8))
def test_a_better_survey_score_is_never_a_worse_sentiment(kind, scores):
    found = [survey_sentiment(kind, score) for score in sorted(scores)]

    assert all(left <= right for left, right in pairwise(found))
    assert all(-1.0 <= each <= 1.0 for each in found)


@pytest.mark.parametrize(
    ("text", "compound"),
    [
        ("VADER is smart, handsome, and funny.", 0.8316),
        ("VADER is very smart, handsome, and funny.", 0.8545),
        ("VADER is VERY SMART, handsome, and FUNNY!!!", 0.9342),
        ("The book was good.", 0.4404),
        ("The plot was good, but the characters are uncompelling and the dialog is not great.", -0.7042),
        ("At least it isn't a horrible basis.", 0.431),
        ("Today SUX!", -0.5461),
        (":) and :D", 0.7925),
        ("", 0.0),
        ("   \n", 0.0),
    ],
)
def test_vader_scores_its_published_examples(text, compound):
    assert PLAIN.sentiment(text) == compound


@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join))
def test_the_faster_path_gives_the_score_of_the_package(text):
    assert PLAIN.compound(text) == ORIGINAL.polarity_scores(text)["compound"]
    assert OWN.compound(text) == ORIGINAL_AND_OWN.polarity_scores(text)["compound"]


@given(st.text(max_size=300))
def test_any_text_at_all_has_a_sentiment_between_minus_one_and_one(text):
    found = PLAIN.sentiment(text)

    assert -1.0 <= found <= 1.0
    assert PLAIN.sentiment(text) == found == PLAIN._sentiment(text)


def test_only_the_first_thousand_characters_of_a_text_count():
    good = "Good. " * 167

    assert text_sentiment(good[:1_000] + "Terrible. " * 1_000) == text_sentiment(good[:1_000])


def test_a_long_text_is_the_mean_of_its_sentences():
    text = "The card is great. " * 10 + "The parcel was terrible! " * 10
    scores = [PLAIN.compound(sentence) for sentence in sentences(text)]

    assert len(scores) == 20
    assert PLAIN.sentiment(text) == round(sum(scores) / 20, 4)
    assert (
        abs(PLAIN.sentiment(text)) < 0.2 < abs(PLAIN.compound(text))
    )  # the whole would be taken to an extreme


def test_a_shops_own_words_change_the_score_and_only_there():
    assert text_sentiment("The parcel was late", {}) == 0.0
    assert text_sentiment("The parcel was late", {"late": -1.2}) < -0.2
    assert text_sentiment("The parcel was late", {}) == 0.0


def test_the_default_words_are_new_to_vader_and_within_its_scale():
    assert not DEFAULT_LEXICON.keys() & ORIGINAL.lexicon.keys()
    assert all(word == word.lower() and " " not in word for word in DEFAULT_LEXICON)
    assert all(0 < abs(valence) <= 4 for valence in DEFAULT_LEXICON.values())


def test_a_rating_counts_before_the_text_that_explains_it():
    analyser = analyser_for()
    review = Review(review_id="r", rating=5, rating_max=5, review_body="terrible terrible")
    answer = SurveyAnswer(response_id="a", survey=Survey(id="s", kind="nps"), score=10, text="awful")
    measured = Ticket(ticket_id="t", text="awful", sentiment=Sentiment(value=0.25))

    assert feedback_sentiment(review, analyser) == 1.0
    assert feedback_sentiment(answer, analyser) == 1.0
    assert feedback_sentiment(measured, analyser) == 0.25


def test_a_ticket_has_the_sentiment_of_its_text_and_none_without_text():
    analyser = analyser_for()

    assert not_none(feedback_sentiment(Ticket(ticket_id="t", text="This is awful!"), analyser)) < -0.4
    assert feedback_sentiment(Ticket(ticket_id="t"), analyser) is None


def test_a_text_in_another_language_is_not_read_as_english():
    def review(language):
        return Review(review_id="r", rating=2, rating_max=5, review_body="die Lieferung", language=language)

    assert feedback_text(review("de")) is None
    assert feedback_text(review("en-GB")) == feedback_text(review(None)) == "die Lieferung"


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "texts", "correlation"),
    [
        ("tweets", 4_200, 0.8722),
        ("amazonReviewSnippets", 3_708, 0.5896),
        ("movieReviewSnippets", 10_605, 0.4274),
        ("nytEditorialSnippets", 5_190, 0.5029),
    ],
)
def test_the_correlation_with_human_ratings_is_the_one_measured_for_the_package(name, texts, correlation):
    ratings = vader_ratings(name)
    human = [rating for rating, _ in ratings]

    assert len(ratings) == texts
    assert _pearson([PLAIN.compound(text) for _, text in ratings], human) == pytest.approx(
        correlation, abs=5e-5
    )
    assert _pearson([text_sentiment(text) for _, text in ratings], human) > correlation - 0.002


@pytest.mark.data
def test_review_texts_tell_happy_from_unhappy_customers_better_than_whole_text_vader():
    stars: dict[str, Any] = {
        f"{row.get('summary', '')}. {row.get('reviewText', '')}": row["overall"]
        for row in gift_card_reviews()
    }
    judged = [(text, star >= 4) for text, star in stars.items() if star != 3]
    whole = _auc([(PLAIN.compound(text[:1_000]), happy) for text, happy in judged])
    plain = _auc([(PLAIN.sentiment(text), happy) for text, happy in judged])
    own = _auc([(text_sentiment(text), happy) for text, happy in judged])

    assert whole < 0.80
    assert plain > 0.86
    assert own > plain


def _pearson(left: list[float], right: list[float]) -> float:
    count = len(left)
    mean_left, mean_right = math.fsum(left) / count, math.fsum(right) / count
    joint = math.fsum((x - mean_left) * (y - mean_right) for x, y in zip(left, right, strict=True))
    spread_left = math.fsum((x - mean_left) ** 2 for x in left)
    return joint / math.sqrt(spread_left * math.fsum((y - mean_right) ** 2 for y in right))


def _auc(scored: list[tuple[float, bool]]) -> float:
    happy = [score for score, is_happy in scored if is_happy]
    unhappy = [score for score, is_happy in scored if not is_happy]
    wins = sum((good > bad) + 0.5 * (good == bad) for good in happy for bad in unhappy)
    return wins / (len(happy) * len(unhappy))
