"""Sentiment of one piece of feedback, -1 to 1: its rating if it has one, otherwise VADER's score of its text.

VADER (vader.py) saturates, so long texts are scored by sentence; how much of a text is read has a bound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

from stream.core.events.payload import SURVEY_BEST, Review, SurveyAnswer, Ticket
from stream.core.policy.default_words import DEFAULT_LEXICON
from stream.core.text.vader import Vader

TEXT_CHARACTERS_MAX = 1_000
"""Of a text. The work for one record has a bound, whatever somebody writes."""
SINGLE_CHARACTERS_MAX = 200
"""A text up to this length is scored as a whole. VADER's sum over a longer one saturates at -1 or 1, so its
sentences are scored and averaged."""
TEXTS_REMEMBERED = 2_048
"""Identical texts ("Great!", a shop's canned answers) are scored once."""

SENTENCE_END = re.compile(r"\s(?:(?<=\n)|(?<=[.!?;]\s))")
"""Matches as `(?<=[.!?;])\\s|\\n`, but is tried at blanks only, which takes half the time."""
NPS_ANCHORS = ((0.0, -1.0), (6.0, -0.5), (7.0, 0.0), (8.0, 0.0), (9.0, 0.5), (10.0, 1.0))
"""Detractors 0-6 are below zero, passives 7-8 at zero, promoters 9-10 above it."""

Feedback = Review | SurveyAnswer | Ticket


def rating_sentiment(rating: float, rating_min: float, rating_max: float) -> float:
    """A rating on its own scale; a scale without width says nothing, so 0."""
    if rating_max <= rating_min:
        return 0.0
    share = (rating - rating_min) / (rating_max - rating_min)
    return 2.0 * min(1.0, max(0.0, share)) - 1.0


def survey_sentiment(kind: str, score: float, score_max: float | None = None) -> float:
    """NPS by detractor, passive, promoter; CSAT and CES (high is easy) linearly from 1 to their maximum."""
    top = SURVEY_BEST[kind] if score_max is None else score_max
    if kind == "nps":
        return _along(NPS_ANCHORS, score * 10.0 / top)
    return rating_sentiment(score, 1.0 if top > 1.0 else 0.0, top)


def feedback_sentiment(feedback: Feedback, analyser: Analyser) -> float | None:
    """What one review, answer or ticket says of the customer's mood; None when it says nothing."""
    if isinstance(feedback, Review):
        return rating_sentiment(feedback.rating, feedback.rating_min, feedback.rating_max)
    if isinstance(feedback, SurveyAnswer):
        return survey_sentiment(feedback.survey.kind, feedback.score, feedback.score_max)
    if feedback.sentiment is not None:
        return feedback.sentiment.value
    return analyser.sentiment(feedback.text) if feedback.text else None


def feedback_text(feedback: Feedback) -> str | None:
    """The words that give the reason; None when there are none, or they are not English (VADER is)."""
    if not isinstance(feedback, Review):
        return feedback.text
    english = feedback.language is None or feedback.language.lower().startswith("en")
    return feedback.review_body if english else None


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with its own punctuation."""
    return [part for sentence in SENTENCE_END.split(text) if (part := sentence.strip())]


class Analyser:
    """VADER with one shop's own words: `lexicon` maps a lower-case word to its valence, -4 to 4."""

    def __init__(self, lexicon: Mapping[str, float] = DEFAULT_LEXICON) -> None:
        self.compound = Vader(lexicon).compound
        self._remembered = lru_cache(maxsize=TEXTS_REMEMBERED)(self._sentiment)

    def sentiment(self, text: str) -> float:
        """The sentiment of a text's first 1,000 characters, -1 to 1."""
        return self._remembered(text[:TEXT_CHARACTERS_MAX])

    def _sentiment(self, text: str) -> float:
        if len(text) <= SINGLE_CHARACTERS_MAX:
            return self.compound(text)
        scores = [self.compound(sentence) for sentence in sentences(text)]
        return round(sum(scores) / len(scores), 4) if scores else 0.0


@lru_cache(maxsize=8)
def _analyser(lexicon: tuple[tuple[str, float], ...]) -> Analyser:
    return Analyser(dict(lexicon))


def analyser_for(lexicon: Mapping[str, float] = DEFAULT_LEXICON) -> Analyser:
    """The one analyser of this lexicon in this process (building one takes 15 ms)."""
    return _analyser(tuple(sorted(lexicon.items())))


def text_sentiment(text: str, lexicon: Mapping[str, float] = DEFAULT_LEXICON) -> float:
    """The sentiment of a text's first 1,000 characters; a long text by the mean of its sentences."""
    return analyser_for(lexicon).sentiment(text)


def _along(anchors: tuple[tuple[float, float], ...], at: float) -> float:
    """The line through the anchors, flat beyond both ends."""
    if at <= anchors[0][0]:
        return anchors[0][1]
    for (left, low), (right, high) in pairwise(anchors):
        if at <= right:
            return low + (high - low) * (at - left) / (right - left)
    return anchors[-1][1]
