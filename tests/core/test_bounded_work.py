"""The work that one record can cause has a bound, whatever its text, its lists and its unknown fields.

CPU time of this thread, with ten times the room that a record takes (bench/results/core.md has the figures):
5 ms up to 64 kB, 50 ms for the largest.
"""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from stream.core.events.event import CustomerIdentified
from stream.core.events.payload import ConsentStatus, Identity, Survey, SurveyAnswer
from stream.core.step import on_event
from stream.core.text.themes import TOPICS_READ, ThemeReader, feedback_themes
from stream.core.text.vader import SPELT_CHARACTERS_MAX, Vader, weigh_sides
from tests.support.builders import basis, when
from tests.support.heavy_records import LARGEST, NAMES_OF_EMOJI, SMALL, TEXTS, lists, seconds, ticket
from tests.support.narrow import not_none

SMALL_S, LARGEST_S = 0.05, 0.5
PACKAGE = SentimentIntensityAnalyzer()
EMOJI = sorted(NAMES_OF_EMOJI)
PARTS = [
    *EMOJI[::60],
    "😂",
    "not",
    "very",
    "but",
    "no",
    "good",
    "GOOD",
    "naïve",
    "İ",
    "ß",
    "\u2028",
    "!",
    "?",
    "\n",
    "",
]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_text_takes_long(text):
    assert seconds(ticket(text[:20_000])) < SMALL_S


@pytest.mark.parametrize(("name", "line"), lists(SMALL).items())
def test_no_record_of_64_kilobytes_takes_long(name, line):
    assert seconds(line) < SMALL_S


@pytest.mark.parametrize(("name", "line"), lists(LARGEST).items())
def test_no_record_at_all_takes_long(name, line):
    assert seconds(line) < LARGEST_S


class Counting(Vader):
    """Counts the words that are scored."""

    def __init__(self) -> None:
        super().__init__({})
        self.words = 0

    def _valence(self, *where):
        self.words += 1
        return super()._valence(*where)


def test_of_a_text_in_emoji_only_so_much_is_scored():
    counting = Counting()

    counting.compound("not 😍 " * 100_000)

    assert 100 < counting.words <= SPELT_CHARACTERS_MAX / 4
    assert len(counting.spelt_out("😂" * 100_000)) <= SPELT_CHARACTERS_MAX


@pytest.mark.parametrize("emoji", ["😂", "x😂y", "😂 😂", " 😂\n", "", "naïve", "👨👩 👧"])
def test_emoji_are_spelt_out_as_the_package_does(emoji):
    package = SentimentIntensityAnalyzer()
    package.score_valence = lambda sentiments, text: text

    assert Vader({}).spelt_out(emoji) == package.polarity_scores(emoji)


@given(st.lists(st.sampled_from(PARTS), max_size=40), st.sampled_from(("", " ", "  ")))
def test_a_text_of_any_script_has_the_score_of_the_package(parts, between):
    text = between.join(parts)

    assert Vader({}).compound(text) == PACKAGE.polarity_scores(text)["compound"]


@given(st.lists(st.sampled_from((0, 0.0, 1.0, 2.0, 0.5, 3.0, -1.5, -0.75, 4.5))), st.data())
def test_both_sides_of_a_but_weigh_as_in_the_package(valences, data):
    but_at = data.draw(st.integers(0, len(valences)))
    words = ["x"] * but_at + ["but"] + ["x"] * len(valences)
    found = list(valences)

    weigh_sides(found, but_at)

    assert found == PACKAGE._but_check(words, list(valences))


def test_only_the_first_topics_of_an_answer_are_read():
    topics = tuple(f"colour {number}" for number in range(TOPICS_READ))
    answer = SurveyAnswer(
        response_id="a", survey=Survey(id="s", kind="nps"), score=1, topic=(*topics, "price")
    )

    assert feedback_themes(answer, ThemeReader()) == ()
    assert feedback_themes(msgspec.structs.replace(answer, topic=("price", *topics)), ThemeReader()) != ()


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(("grant", "deny"))), max_size=60))
def test_many_consents_at_once_are_kept_as_if_they_had_come_one_by_one(statements):
    consent: dict[str, ConsentStatus] = {f"p{number:02d}": status for number, status in statements}
    at_once = on_event(None, _identified(consent, "all"), basis()).profile
    one_by_one = None
    for number, (purpose, status) in enumerate(consent.items()):
        one_by_one = on_event(one_by_one, _identified({purpose: status}, f"{number}"), basis()).profile

    if consent:
        assert not_none(at_once).identity.consent == not_none(one_by_one).identity.consent


def _identified(consent: dict[str, ConsentStatus], event_id: str) -> CustomerIdentified:
    return CustomerIdentified(
        id=event_id, source="/s", subject="c", time=when(1), data=Identity(consent=consent)
    )
